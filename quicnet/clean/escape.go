package clean

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape writes whatever does not print with JSON's escapes, and \xff for a byte that is no UTF-8.
func Escape(s string) string { return escape(s, "") }

// EscapeCut is Escape of at most most runes of s, and … where it was cut.
func EscapeCut(s string, most int) string {
	head, cut := cutRunes(s, most)
	if cut {
		return Escape(head) + "…"
	}
	return Escape(head)
}

// JSON is what stands between the quotes of a JSON string: Escape, with \" and \\. Of s it takes at most most runes (0:
// all), and cut reports that there were more.
func JSON(s string, most int) (text string, cut bool) {
	if most > 0 {
		s, cut = cutRunes(s, most)
	}
	return escape(s, `"\`), cut
}

// Quote is at most most runes of s, and … where it was cut, in quotes and with escapes as Go writes them.
func Quote(s string, most int) string {
	head, cut := cutRunes(s, most)
	if cut {
		head += "…"
	}
	return strconv.Quote(head)
}

// escape also writes a backslash before each of the ASCII characters in marked.
func escape(s, marked string) string {
	if !strings.ContainsAny(s, marked) && !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || hidden(r) }) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strings.ContainsRune(marked, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case hidden(r):
			b.WriteString(escapeRune(r))
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// hidden reports whether a character cannot be seen, or not as what it is.
func hidden(r rune) bool { return Dangerous(r) || !unicode.IsPrint(r) }

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
