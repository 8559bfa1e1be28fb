package schema

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

const (
	blanks  = " \t\r\n"
	wordEnd = blanks + ",]}"  // what ends a bare word
	keyEnd  = wordEnd + ":{[" // what ends a bare key
)

func (p *litParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(blanks, p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// peek is the next byte, 0 at the end.
func (p *litParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *litParser) word() string {
	at := p.pos
	for p.pos < len(p.text) && strings.IndexByte(wordEnd, p.text[p.pos]) < 0 {
		p.pos++
	}
	return p.text[at:p.pos]
}

// token is what stands at the cursor, for messages: a word, or one rune where no word begins.
func (p *litParser) token() string {
	if p.pos >= len(p.text) {
		return "the end"
	}
	end := p.pos
	if q := p.text[end]; q == '"' || q == '\'' {
		if n := strings.IndexByte(p.text[end+1:], q); n >= 0 {
			return clip(p.text[end : end+n+2])
		}
	}
	for end < len(p.text) && strings.IndexByte(wordEnd, p.text[end]) < 0 {
		end++
	}
	if end == p.pos {
		_, n := utf8.DecodeRuneInString(p.text[p.pos:])
		end += n
	}
	return quote(p.text[p.pos:end])
}

// want is the kind of value a person should type for d, with an example where the name alone does not tell.
func want(d *Schema) string {
	switch d.Kind {
	case KindStruct:
		return d.TypeName() + " {…}"
	case KindMap:
		return "a map {key: value, …}"
	case KindList:
		return "a list […]"
	case KindMesh:
		if d.Mesh == "" {
			return "a mesh @name or @name[dim=0]"
		}
		return "a mesh @name or @name[dim=0] of " + ShortType(d.Mesh)
	case KindBytes:
		return "bytes such as h'00ff'"
	case KindTime:
		return "a time such as 2026-01-02T15:04:05Z"
	case KindDuration:
		return "a duration such as 1.5s"
	case KindBool:
		return "true or false"
	case KindAny:
		return "a value"
	case KindInt, KindUint, KindFloat:
		return strings.TrimPrefix(d.TypeName(), "*")
	}
	return clean.Escape(d.Kind)
}

// str reads a string: quoted, or one bare word.
func (p *litParser) str(path string) ([]byte, error) {
	at := p.pos
	switch c := p.peek(); {
	case c == '"' || c == '\'' || c == '`':
		s, err := p.quoted(path)
		return encText(s), err
	case !bareStart(c):
		return nil, p.fail(at, path, "want string, not %s; put it in quotes if it is text", p.token())
	}
	w := p.word()
	switch i := strings.IndexAny(w, "{}[]\"'`@"); {
	case w == "":
		return nil, p.fail(at, path, "want string, not %s", p.token())
	case i >= 0 && w[i] != '@' && w[i] != '\'':
		return nil, p.fail(at, path, "put %s in quotes: a bare word cannot hold %c", quote(w), w[i])
	}
	return encText(w), nil
}

// quoted reads "…" or '…' with the escapes of JSON, \' and \x00, or `…` as it stands.
func (p *litParser) quoted(path string) (string, error) {
	open := p.pos
	q := p.text[open]
	p.pos++
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == q:
			p.pos++
			return b.String(), nil
		case c == '\\' && q != '`':
			if err := p.escape(&b, path); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
	return "", p.fail(open, path, "this %c is never closed", q)
}

const escapes = `"'\/bfnrt`

func (p *litParser) escape(b *strings.Builder, path string) error {
	at := p.pos
	if p.pos++; p.pos == len(p.text) {
		return p.fail(at, path, "want a character after the backslash")
	}
	c := p.text[p.pos]
	if i := strings.IndexByte(escapes, c); i >= 0 {
		b.WriteByte("\"'\\/\b\f\n\r\t"[i])
		p.pos++
		return nil
	}
	if b2, ok := p.hex2(c); ok {
		b.WriteByte(b2)
		return nil
	}
	if c != 'u' {
		_, n := utf8.DecodeRuneInString(p.text[p.pos:])
		return p.fail(at, path, `unknown escape \%s: want one of \" \' \\ \/ \b \f \n \r \t \x00 \u0000`, clean.Escape(p.text[p.pos:p.pos+n]))
	}
	r, ok := p.hex4()
	if ok && utf16.IsSurrogate(r) {
		if ok = strings.HasPrefix(p.text[p.pos:], `\u`); ok {
			p.pos++
			var low rune
			low, ok = p.hex4()
			r = utf16.DecodeRune(r, low)
			ok = ok && r != utf8.RuneError
		}
	}
	if !ok {
		return p.fail(at, path, `want four hex digits after \u, and surrogates in pairs`)
	}
	b.WriteRune(r)
	return nil
}

// hex2 reads xXX, the cursor being at the x: one byte, for the strings of Go that are no UTF-8.
func (p *litParser) hex2(c byte) (byte, bool) {
	if c != 'x' || p.pos+3 > len(p.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(p.text[p.pos+1:p.pos+3], 16, 8)
	if err != nil {
		return 0, false
	}
	p.pos += 3
	return byte(n), true
}

// hex4 reads uXXXX, the cursor being at the u.
func (p *litParser) hex4() (rune, bool) {
	if p.pos+5 > len(p.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(p.text[p.pos+1:p.pos+5], 16, 16)
	if err != nil {
		return 0, false
	}
	p.pos += 5
	return rune(n), true
}

func (p *litParser) bytes(d *Schema, path string) ([]byte, error) {
	at := p.pos
	if !strings.HasPrefix(p.text[at:], "h'") {
		return nil, p.fail(at, path, "want %s, not %s", want(d), p.token())
	}
	digits, _, closed := strings.Cut(p.text[at+2:], "'")
	if !closed {
		return nil, p.fail(at, path, "this h' is never closed")
	}
	p.pos += len("h''") + len(digits)
	b, err := hex.DecodeString(strings.Map(func(r rune) rune {
		if strings.ContainsRune(blanks+"_", r) {
			return -1
		}
		return r
	}, digits))
	switch {
	case err != nil:
		return nil, p.fail(at, path, "want pairs of hex digits between h' and '")
	case d.Len > 0 && len(b) != d.Len:
		return nil, p.fail(at, path, "want %d bytes for %s, not %d", d.Len, d.TypeName(), len(b))
	}
	return encBytes(b), nil
}

// scalar reads what is one bare word; times and durations may be quoted.
func (p *litParser) scalar(d *Schema, path string) ([]byte, error) {
	at := p.pos
	var w string
	if c := p.peek(); c == '"' && (d.Kind == KindTime || d.Kind == KindDuration) {
		s, err := p.quoted(path)
		if err != nil {
			return nil, err
		}
		w = s
	} else if w = p.word(); w == "" || !bareStart(c) {
		p.pos = at
		return nil, p.fail(at, path, "want %s, not %s", want(d), p.token())
	}
	out, msg := encScalar(d, w)
	if msg != "" {
		return nil, p.fail(at, path, "%s", msg)
	}
	return out, nil
}

// encScalar encodes the text of a scalar, or says what is wrong with it.
func encScalar(d *Schema, w string) (out []byte, msg string) {
	bad := "want " + want(d) + ", not " + quote(w)
	switch d.Kind {
	case KindBool:
		if w != "true" && w != "false" {
			return nil, bad
		}
		return encBool(w == "true"), ""
	case KindInt, KindUint:
		return encInteger(d, w, bad)
	case KindFloat:
		digits, ok := ungroup(w)
		f, err := strconv.ParseFloat(digits, floatBits(d))
		switch {
		case ok && err != nil && math.IsInf(f, 0):
			return nil, quote(w) + " is out of range for " + want(d)
		case !ok || err != nil || strings.ContainsAny(digits, "xXpP") || strings.EqualFold(strings.TrimLeft(digits, "+-"), "infinity"):
			return nil, bad
		}
		out, err = encFloat(f, d.Bits)
		if err != nil {
			return nil, bad
		}
		return out, ""
	case KindDuration:
		v, err := time.ParseDuration(w)
		if err != nil {
			if _, isNumber := strconv.ParseFloat(w, 64); isNumber == nil {
				bad += "; add a unit: " + w + "s"
			}
			return nil, bad
		}
		return encInt(int64(v)), ""
	case KindTime:
		t, err := time.Parse(time.RFC3339Nano, w)
		if err != nil {
			return nil, bad
		}
		if out, err = encTime(t); err != nil {
			return nil, bad
		}
		return out, ""
	}
	return nil, "a " + clean.Escape(d.Kind) + " cannot be typed here"
}

func floatBits(d *Schema) int {
	if d.Bits == 32 {
		return 32
	}
	return 64
}

func intBits(d *Schema) int {
	if d.Bits < 1 || d.Bits > 64 {
		return 64
	}
	return d.Bits
}

// encInteger takes decimal, 0x, 0o and 0b, and _ between digits. A decimal with a leading 0 is refused: it is octal
// in Go and no number in JSON.
func encInteger(d *Schema, w, bad string) ([]byte, string) {
	digits, ok := ungroup(w)
	if !ok {
		return nil, bad
	}
	bare := strings.TrimLeft(digits, "+-")
	base := 0
	if len(bare) > 1 && bare[0] == '0' && bare[1] >= '0' && bare[1] <= '9' {
		return nil, bad + fmt.Sprintf("; write %s, or 0o%s for octal", clean.Escape(strings.TrimLeft(bare, "0")+zeroIfEmpty(bare)), clean.Escape(strings.TrimLeft(bare, "0")+zeroIfEmpty(bare)))
	}
	bits := intBits(d)
	if d.Kind == KindInt {
		n, err := strconv.ParseInt(digits, base, bits)
		if isRange(err) {
			return nil, fmt.Sprintf("%s is out of range for %s (%d to %d)", clip(w), want(d), int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits))
		}
		if err != nil {
			return nil, bad
		}
		return encInt(n), ""
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(digits, "+"), base, bits)
	if _, negative := strconv.ParseInt(digits, base, 64); isRange(err) || err != nil && strings.HasPrefix(digits, "-") && (negative == nil || isRange(negative)) {
		return nil, fmt.Sprintf("%s is out of range for %s (0 to %d)", clip(w), want(d), uint64(math.MaxUint64)>>(64-bits))
	}
	if err != nil {
		return nil, bad
	}
	return head(nil, majorUint, n), ""
}

func zeroIfEmpty(bare string) string {
	if strings.Trim(bare, "0") == "" {
		return "0"
	}
	return ""
}

func isRange(err error) bool {
	return errors.Is(err, strconv.ErrRange)
}

// ungroup takes the _ out of a number and reports whether each stood between two digits.
func ungroup(w string) (string, bool) {
	for i := range len(w) {
		if w[i] == '_' && (i == 0 || i == len(w)-1 || !alnum(w[i-1]) || !alnum(w[i+1])) {
			return w, false
		}
	}
	return strings.ReplaceAll(w, "_", ""), true
}

func alnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
