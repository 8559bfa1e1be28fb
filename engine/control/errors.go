package control

import (
	"context"
	"errors"
	"fmt"
)

// Code sorts the errors that a server answers with.
type Code string

// The codes. A code that a client does not know reads as CodeFailed.
const (
	CodeFailed      Code = "failed"      // the verb ran and failed; the text says why
	CodeUnsupported Code = "unsupported" // this server does not know the verb or the probe
	CodeViewer      Code = "viewer"      // the client may only look
	CodeBadRequest  Code = "bad request" // the request does not decode, or asks for the impossible
	CodeBusy        Code = "busy"        // too many requests of this client are in flight
	CodeTaken       Code = "taken"       // there is one of this at a time, and it goes on: ask again when it is over
	CodeCancelled   Code = "cancelled"
	CodeDeadline    Code = "deadline"
	CodeVersion     Code = "version" // no protocol version in common
	CodeClosed      Code = "closed"  // the connection or the session has ended
)

// Error is what a server answers instead of a result. errors.Is finds context.Canceled, context.DeadlineExceeded and
// ErrClosed behind the codes that mean them.
type Error struct {
	Code Code
	Text string
}

// Error is the text, written for the person who reads it.
func (e *Error) Error() string { return e.Text }

// Is makes the context errors and ErrClosed hold across the connection.
func (e *Error) Is(target error) bool {
	switch e.Code {
	case CodeCancelled:
		return target == context.Canceled
	case CodeDeadline:
		return target == context.DeadlineExceeded
	case CodeClosed:
		return target == ErrClosed
	default:
		return false
	}
}

// ErrClosed is what every verb returns once the session or the connection to it has ended.
var ErrClosed = errors.New("the session has ended")

// Unsupported is the error of a backend, or of a server, that was built before something existed. Needs is the engine
// version that has it, "" when only the asker knows.
func Unsupported(what, engine, needs string) error {
	text := fmt.Sprintf("this program was built with engine %s; %q needs %s", engine, what, needs)
	if needs == "" {
		text = fmt.Sprintf("this program was built with engine %s, which does not know %q; rebuild it with a newer one", engine, what)
	}
	return &Error{Code: CodeUnsupported, Text: text}
}

// asError turns any error of a backend into what travels.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Code: e.Code, Text: err.Error()}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: CodeDeadline, Text: err.Error()}
	case errors.Is(err, context.Canceled):
		return &Error{Code: CodeCancelled, Text: err.Error()}
	default:
		return &Error{Code: CodeFailed, Text: err.Error()}
	}
}

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}
