package quicnet

import (
	"errors"
	"fmt"
)

// ErrGone matches every *GoneError.
var ErrGone = errors.New("peer is gone")

// ErrFrameTooLarge matches every *FrameTooLargeError.
var ErrFrameTooLarge = errors.New("frame too large")

// ErrClosed is returned by a node that was closed.
var ErrClosed = errors.New("quicnet: node is closed")

// GoneError says that a peer was lost, closed or forgotten: nothing will reach that incarnation.
type GoneError struct {
	Peer   ID
	Reason string

	again bool // it may live: only the link to it was lost (Node.Renew)
}

// Error returns "proc 3 is gone: no contact for 10.2s".
func (e *GoneError) Error() string { return fmt.Sprintf("%s is gone: %s", e.Peer, e.Reason) }

// Is reports whether target is ErrGone.
func (e *GoneError) Is(target error) bool { return target == ErrGone }

// FrameTooLargeError says what was too large, by how much, and what would fit.
type FrameTooLargeError struct {
	Lane  Lane
	Part  string // "body", "header" or "frame"
	Size  int    // bytes
	Limit int    // bytes
}

// Error returns "body of 20000000 bytes is over the limit of 16777216 on the calls lane".
func (e *FrameTooLargeError) Error() string {
	return fmt.Sprintf("%s of %d bytes is over the limit of %d on the %s lane", e.Part, e.Size, e.Limit, e.Lane)
}

// Is reports whether target is ErrFrameTooLarge.
func (e *FrameTooLargeError) Is(target error) bool { return target == ErrFrameTooLarge }

// maxReason bounds the reason that travels in a close frame, and any other text of a peer that an error repeats, in bytes:
// a close frame must fit one packet.
const maxReason = 400
