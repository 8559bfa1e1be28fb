package filter

import "fmt"

// Error says what is wrong with a filter, and where.
type Error struct {
	Column int // from 1, in runes
	What   string
}

// Error is the text with its column.
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.What) }

func wrong(column int, format string, args ...any) *Error {
	return &Error{Column: column, What: fmt.Sprintf(format, args...)}
}
