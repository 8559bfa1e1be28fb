package messages

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Preview is a body as text. Of a cut one the beginning is shown, up to where the bytes end, and then an ellipsis.
func Preview(ts schema.Types, s *schema.Schema, body []byte, cut bool) string {
	if !cut {
		return schema.Format(ts, s, body)
	}
	m := mender{in: body}
	if !m.item(0) {
		return "…"
	}
	text := schema.Format(ts, s, m.out)
	if strings.HasPrefix(text, "‹") {
		return "…"
	}
	return strings.TrimRight(text, "]})\"'") + "…"
}

// Limits under which schema.Format shows all of a value, and so adds no count: of something that is cut it would be wrong.
const (
	shownItems = 16
	shownRunes = 199
	shownBytes = 32
	maxNesting = 32
)

// mender makes a whole CBOR item of the beginning of one: containers are closed after the last whole item, the last
// string ends where the bytes do.
type mender struct {
	in    []byte
	pos   int
	out   []byte
	ended bool // the input has
}

// item copies the next item, or what there is of it; false when there is nothing that could be shown.
func (m *mender) item(depth int) bool {
	start := m.pos
	major, n, ok := m.head()
	if !ok || depth > maxNesting {
		m.ended = true
		return false
	}
	switch major {
	case 2, 3:
		m.str(major, n, start)
		return true
	case 4:
		m.items(n, 1, depth)
		return true
	case 5:
		m.items(n, 2, depth)
		return true
	case 6:
		m.out = append(m.out, m.in[start:m.pos]...)
		return m.item(depth + 1)
	}
	m.out = append(m.out, m.in[start:m.pos]...)
	return true
}

// head reads the head of an item; for floats and simple values that is all of it.
func (m *mender) head() (major byte, n uint64, ok bool) {
	if m.pos >= len(m.in) {
		return 0, 0, false
	}
	first := m.in[m.pos]
	info, size := first&31, 0
	if info >= 24 && info <= 27 {
		size = 1 << (info - 24)
	}
	if info > 27 || m.pos+1+size > len(m.in) { // indefinite lengths are not of our codec
		return 0, 0, false
	}
	var b [8]byte
	copy(b[8-size:], m.in[m.pos+1:m.pos+1+size])
	n = binary.BigEndian.Uint64(b[:])
	if size == 0 {
		n = uint64(info)
	}
	m.pos += 1 + size
	return first >> 5, n, true
}

func (m *mender) str(major byte, n uint64, start int) {
	if n <= uint64(len(m.in)-m.pos) {
		m.pos += int(n)
		m.out = append(m.out, m.in[start:m.pos]...)
		return
	}
	m.ended = true
	part := m.in[m.pos:]
	if major == 2 {
		part = part[:min(len(part), shownBytes)]
	} else {
		for i := 0; i < utf8.UTFMax && len(part) > 0 && !utf8.Valid(part); i++ { // cut within a character
			part = part[:len(part)-1]
		}
		runes := 0
		for i := range string(part) {
			if runes++; runes > shownRunes {
				part = part[:i]
				break
			}
		}
	}
	m.pos = len(m.in)
	m.out = append(m.writeHead(nil, major, uint64(len(part)), m.out), part...)
}

// items copies entries of so many items each. Where the input ends within, those that are whole are kept.
func (m *mender) items(n uint64, each int, depth int) {
	before := m.out
	m.out = nil
	var ends []int
	for uint64(len(ends)) < n && !m.ended {
		whole := true
		for i := range each {
			whole = whole && m.item(depth+1) && (i == each-1 || !m.ended)
		}
		if !whole {
			break
		}
		ends = append(ends, len(m.out))
	}
	if m.ended {
		keep := min(len(ends), shownItems)
		n = uint64(keep)
		if keep == 0 {
			m.out = nil
		} else {
			m.out = m.out[:ends[keep-1]]
		}
	}
	m.out = m.writeHead(m.out, 4+byte(each)-1, n, before)
}

// writeHead appends a head and a body to what is there.
func (m *mender) writeHead(body []byte, major byte, n uint64, to []byte) []byte {
	switch {
	case n < 24:
		to = append(to, major<<5|byte(n))
	case n < 1<<8:
		to = append(to, major<<5|24, byte(n))
	case n < 1<<16:
		to = binary.BigEndian.AppendUint16(append(to, major<<5|25), uint16(n))
	default:
		to = binary.BigEndian.AppendUint64(append(to, major<<5|27), n)
	}
	return append(to, body...)
}
