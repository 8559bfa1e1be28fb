package script

import (
	"fmt"
	"strings"

	cleaner "github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Exit codes of a run. Of several files the highest counts.
const (
	ExitOK        = 0   // everything held
	ExitExpect    = 1   // an expectation failed
	ExitUsage     = 2   // a mistake in the command line or in a script
	ExitCommand   = 3   // a command failed
	ExitTimeout   = 4   // a command or a file took too long: something hangs
	ExitInternal  = 70  // a fault in monarch-tui itself
	ExitInterrupt = 130 // interrupted
)

// Pos is a place in a script. The zero Pos is nowhere.
type Pos struct {
	File   string
	Line   int // from 1
	Column int // in characters, from 1
}

// String is file:line:column, or the file alone where the place is the whole of it.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is a mistake in a script.
type Error struct {
	Pos
	Msg    string
	Source string // the line
}

// Error is file:line:column: message.
func (e *Error) Error() string { return e.String() + ": " + e.Msg }

// Detail is the error with the line it is about and a caret under the place.
func (e *Error) Detail() string {
	const most = 160
	if e.Line == 0 {
		return e.Error()
	}
	line, at := []rune(strings.ReplaceAll(e.Source, "\t", " ")), e.Column-1
	if cut := at - most/2; len(line) > most && cut > 0 {
		line, at = append([]rune("…"), line[cut:]...), at-cut+1
	}
	if len(line) > most {
		line = append(line[:most], '…')
	}
	return fmt.Sprintf("%s\n    %s\n    %s^", e.Error(), clean(string(line)), strings.Repeat(" ", max(0, at)))
}

// clean makes text from outside fit for a report: control and direction characters are shown, not obeyed.
func clean(s string) string { return cleaner.Text(s) }

// usageError is a mistake at an offset of the text that is being parsed.
type usageError struct {
	at  int
	msg string
}

func (e *usageError) Error() string { return e.msg }

func fail(at int, format string, args ...any) error {
	return &usageError{at, fmt.Sprintf(format, args...)}
}

// atOf is the place of a mistake, or another one where it has none.
func atOf(err error, at int) int {
	if u, ok := err.(*usageError); ok { //nolint:errorlint // the parser's own errors are never wrapped
		return u.at
	}
	return at
}
