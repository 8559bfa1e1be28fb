package clean

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi/parser"
)

// strip removes escape sequences from valid UTF-8. It does what ansi.Strip does, with the same table; that package itself
// would cost every worker 35 ms of CPU at its start, for tables of the widths of runes (go-runewidth); the table of the
// parser costs 0.07 ms.
func strip(s string) string {
	var out strings.Builder
	walk(s, func(text string) { out.WriteString(text) }, func(string) {})
	return out.String()
}

// walk gives the characters of valid UTF-8 that a terminal would print or execute, one at a time, and the escape sequences
// that are complete, in order.
func walk(s string, text, sequence func(string)) {
	state, began := parser.GroundState, 0
	for i := 0; i < len(s); {
		if state == parser.GroundState {
			began = i
		}
		next, action := parser.Table.Transition(state, s[i])
		size := 1
		switch {
		case next == parser.Utf8State:
			_, size = utf8.DecodeRuneInString(s[i:])
			text(s[i : i+size])
			next = parser.GroundState
		case action == parser.PrintAction || action == parser.ExecuteAction:
			text(s[i : i+1])
		case action == parser.DispatchAction:
			sequence(s[began : i+1])
		}
		state = next
		i += size
	}
}

// control takes a control sequence apart that has one number or none: its last byte, and the number, -1 for none.
func control(sequence string) (final byte, n int) {
	rest, ok := strings.CutPrefix(sequence, "\x1b[")
	if !ok || rest == "" {
		return 0, 0
	}
	final, rest = rest[len(rest)-1], rest[:len(rest)-1]
	if rest == "" {
		return final, -1
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 {
		return 0, 0
	}
	return final, n
}
