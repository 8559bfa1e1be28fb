package schema

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean escapes what does not print: control bytes, bidirectional overrides, bytes that are no UTF-8.
func clean(s string) string {
	printable := true
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			printable = false
			break
		}
	}
	if printable {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
		i += n
	}
	return b.String()
}

// escapeRune is the rune in JSON's escapes.
func escapeRune(r rune) string {
	switch r {
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if r <= 0xffff {
		return fmt.Sprintf(`\u%04x`, r)
	}
	r -= 0x10000
	return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
}

const maxQuoted = 60 // runes of a bad token that a message repeats

// clip is the text, clean, cut to what a message should repeat.
func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxQuoted {
			return clean(s[:i]) + "…"
		}
	}
	return clean(s)
}

// quote is a token in quotes, cut and clean, for messages.
func quote(s string) string { return `"` + strings.ReplaceAll(clip(s), `"`, `\"`) + `"` }

// jsonText is a string as JSON writes it, with at most limit runes (0: all).
func jsonText(s string, limit int) string {
	var b strings.Builder
	b.WriteByte('"')
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if n++; limit > 0 && n > limit {
			b.WriteString("…\" (" + group(len(s)) + " bytes)")
			return b.String()
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
		i += size
	}
	b.WriteByte('"')
	return b.String()
}

// group is a count with commas: 12,345.
func group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
