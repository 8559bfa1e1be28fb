package quicnet

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/quic-go/quic-go"
)

// TestTheEndOfAConnectionIsNotThePeersFault judges what a stream gives when the connection ends under it: its context
// may end a moment later.
func TestTheEndOfAConnectionIsNotThePeersFault(t *testing.T) {
	for _, c := range []struct {
		err   error
		fault bool
	}{
		{io.EOF, true},
		{io.ErrUnexpectedEOF, true},
		{&quic.StreamError{StreamID: 3, ErrorCode: 1, Remote: true}, true},
		{fmt.Errorf("read: %w", &quic.StreamError{StreamID: 3, Remote: true}), true},
		{&quic.ApplicationError{ErrorCode: quic.ApplicationErrorCode(CodeSilent), Remote: true}, false},
		{&quic.ApplicationError{ErrorCode: quic.ApplicationErrorCode(CodeReplaced)}, false},
		{&quic.IdleTimeoutError{}, false},
		{&quic.TransportError{ErrorCode: quic.InternalError}, false},
		{os.ErrDeadlineExceeded, false},
		{context.Canceled, false},
		{net.ErrClosed, false},
	} {
		if got := brokenOff(c.err); got != c.fault {
			t.Errorf("%T %v: %v, want %v", c.err, c.err, got, c.fault)
		}
	}
}
