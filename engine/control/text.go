package control

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"
)

// encoder is an encoding mode of which the texts are valid UTF-8, whatever bytes a Go string holds: an actor can say
// anything, in its errors, its log and its names, and one bad byte must not make the whole frame unreadable.
type encoder struct {
	mode interface{ Marshal(v any) ([]byte, error) }
}

// Marshal encodes v. Bytes of a text that are no UTF-8 become U+FFFD.
func (e encoder) Marshal(v any) ([]byte, error) {
	b, err := e.mode.Marshal(v)
	if err != nil {
		return nil, err
	}
	return validText(b), nil
}

// The major types whose content follows their head (RFC 8949, 3.1).
const (
	majorBytes = 2
	majorText  = 3
)

// validText replaces what is no UTF-8 in the text strings of well-formed CBOR without items of indefinite length, which is
// what the encoder writes. Everything else stays as it is; b itself comes back when nothing is to be done.
func validText(b []byte) []byte {
	var out []byte
	done := 0 // what is in out already
	for i := 0; i < len(b); {
		major, n, body := cborHead(b, i)
		if major != majorBytes && major != majorText {
			i = body // what it holds follows as items of their own
			continue
		}
		end := body + int(n)
		if major == majorText && !utf8.Valid(b[body:end]) {
			text := strings.ToValidUTF8(string(b[body:end]), "\uFFFD")
			out = append(out, b[done:i]...)
			out = append(appendTextHead(out, uint64(len(text))), text...)
			done = end
		}
		i = end
	}
	if out == nil {
		return b
	}
	return append(out, b[done:]...)
}

// cborHead reads the head at i of well-formed CBOR, and where what follows it begins.
func cborHead(b []byte, i int) (major byte, n uint64, next int) {
	major, info := b[i]>>5, b[i]&31
	if info < 24 {
		return major, uint64(info), i + 1
	}
	var wide [8]byte
	size := 1 << (info - 24)
	copy(wide[8-size:], b[i+1:i+1+size])
	return major, binary.BigEndian.Uint64(wide[:]), i + 1 + size
}

// appendTextHead appends the shortest head of a text of n bytes.
func appendTextHead(b []byte, n uint64) []byte {
	const text = majorText << 5
	switch {
	case n < 24:
		return append(b, text|byte(n))
	case n <= math.MaxUint8:
		return append(b, text|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, text|25), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, text|26), uint32(n))
}
