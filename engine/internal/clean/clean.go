// Package clean makes text from a worker safe to show in a terminal: everything a worker prints is hostile until it has
// been here. It must see whole lines; a sequence split over two of them cannot be recognised.
package clean

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi/parser"
)

// Line removes escape sequences, shows the remaining control bytes as symbols (␀ ␇ …), turns tabs into spaces and
// replaces C1, bidirectional and other invisible format characters by U+FFFD.
func Line(s string) string {
	if plain(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strip(s)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7f:
			return 0x2421
		case r >= 0x80 && r < 0xa0, r == 0x2028, r == 0x2029, r >= 0xe0000 && r <= 0xe007f, unicode.Is(unicode.Cf, r) && r != 0x200d:
			return utf8.RuneError
		}
		return r
	}, s)
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// strip removes escape sequences from valid UTF-8. It does what ansi.Strip does, with the same table; that package itself
// would cost every worker 35 ms of CPU at its start, for tables of the widths of runes (go-runewidth).
func strip(s string) string {
	var out strings.Builder
	state := parser.GroundState
	for i := 0; i < len(s); {
		next, action := parser.Table.Transition(state, s[i])
		size := 1
		switch {
		case next == parser.Utf8State:
			_, size = utf8.DecodeRuneInString(s[i:])
			out.WriteString(s[i : i+size])
			next = parser.GroundState
		case action == parser.PrintAction || action == parser.ExecuteAction:
			out.WriteByte(s[i])
		}
		state = next
		i += size
	}
	return out.String()
}
