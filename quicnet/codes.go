package quicnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/quic-go/quic-go"
)

// Code is the application error code a connection is closed with. PROTOCOL.md lists them.
type Code uint64

// The close codes. "Final" ones end the link; after the others the dialling side tries again.
const (
	CodeShutdown   Code = 0x00 // final: the process closed its node
	CodeReplaced   Code = 0x02 // a newer connection of the same process took over
	CodeSilent     Code = 0x03 // no heartbeat was answered in time
	CodeBusy       Code = 0x04 // too many connections that have not said hello
	CodeFrame      Code = 0x10 // final: a frame that is malformed or too large
	CodeIdentity   Code = 0x11 // final: a frame in another process's name, or for another process
	CodeProtocol   Code = 0x12 // final: a well-formed frame out of place
	CodeLimit      Code = 0x13 // final: a limit was passed
	CodeSlow       Code = 0x14 // final: a frame or stream that was begun and not ended
	CodeVersion    Code = 0x15 // final: no common version
	CodeStaleEpoch Code = 0x16 // final: a newer incarnation exists, or this one was revoked
	CodeRefused    Code = 0x17 // final: the controller refused the process, the reason says why
	CodeGone       Code = 0x18 // final: the peer has given this process up (lost, killed, forgotten)
	CodeState      Code = 0x19 // final: the peer no longer holds the state of this link
	CodeJoin       Code = 0x20 // final: the join request was refused
)

// text is what the code means, for people.
func (c Code) text() string {
	switch c {
	case CodeShutdown:
		return "closed by the peer"
	case CodeReplaced:
		return "replaced by a newer connection"
	case CodeSilent:
		return "no heartbeat was answered in time"
	case CodeBusy:
		return "too many connections at once"
	case CodeFrame:
		return "bad frame"
	case CodeIdentity:
		return "wrong identity"
	case CodeProtocol:
		return "protocol violation"
	case CodeLimit:
		return "limit passed"
	case CodeSlow:
		return "frame not ended in time"
	case CodeVersion:
		return "no common protocol version"
	case CodeStaleEpoch:
		return "stale incarnation"
	case CodeRefused:
		return "refused by the controller"
	case CodeGone:
		return "given up by the peer"
	case CodeState:
		return "link state lost"
	case CodeJoin:
		return "join refused"
	}
	return fmt.Sprintf("unknown close code 0x%x", uint64(c))
}

// String returns the code's meaning.
func (c Code) String() string { return c.text() }

// final reports whether the link ends with the connection. A code from a later version is final:
// dialling again could not do better.
func (c Code) final() bool {
	switch c {
	case CodeReplaced, CodeSilent, CodeBusy:
		return false
	case CodeShutdown, CodeFrame, CodeIdentity, CodeProtocol, CodeLimit, CodeSlow, CodeVersion,
		CodeStaleEpoch, CodeRefused, CodeGone, CodeState, CodeJoin:
	}
	return true
}

// CloseError is the end of a connection as the protocol sees it.
type CloseError struct {
	Code   Code
	Reason string // in the words of the side that closed
	Remote bool   // the peer closed
}

// Error returns "bad frame: seq at byte 9: …", with "the peer says" where the peer closed.
func (e *CloseError) Error() string {
	s := e.Code.text()
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Remote && e.Code != CodeShutdown {
		return "the peer says: " + s
	}
	return s
}

// closeErrorf makes the error that a connection is closed with.
func closeErrorf(c Code, format string, args ...any) *CloseError {
	return &CloseError{Code: c, Reason: fmt.Sprintf(format, args...)}
}

// closeError reads why a connection ended; nil where it is not an application close.
func closeError(err error) *CloseError {
	if own, ok := errors.AsType[*CloseError](err); ok {
		return own
	}
	if app, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return &CloseError{Code: Code(app.ErrorCode), Reason: clean.OneLine(app.ErrorMessage, maxReason), Remote: app.Remote}
	}
	return nil
}

// linkFault says in words why a connection or a dial failed.
func linkFault(err error) string {
	if c := closeError(err); c != nil {
		return c.Error()
	}
	if _, ok := errors.AsType[*quic.HandshakeTimeoutError](err); ok {
		return "no answer"
	}
	if _, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return "no answer"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if _, ok := errors.AsType[*quic.StatelessResetError](err); ok {
		return "the peer no longer knows this connection"
	}
	return clean.OneLine(err.Error(), maxReason)
}
