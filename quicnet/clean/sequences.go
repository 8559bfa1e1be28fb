package clean

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi/parser"
)

// strip removes escape sequences from valid UTF-8. It does what ansi.Strip does, with the same table; that package itself
// would cost every worker 35 ms of CPU at its start, for tables of the widths of runes (go-runewidth); the table of the
// parser costs 0.07 ms.
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
