//go:build !linux

package carrier

import (
	"errors"
	"net"
	"runtime"
	"sync/atomic"

	"golang.org/x/net/ipv4"
)

// fast exists on Linux only.
type fast struct{ closed, hasDeadline atomic.Bool }

var errNotHere = errors.New("it is made for Linux, this is " + runtime.GOOS)

func newFast(*net.UDPConn, Options) (*fast, error)    { return nil, errNotHere }
func (*fast) readBatch([]ipv4.Message) (int, error)   { return 0, errNotHere }
func (*fast) send(_, _ []byte, _ *net.UDPAddr) bool   { return false }
func (*fast) sendQuiet(_ []byte, _ *net.UDPAddr) bool { return false }
func (*fast) setPoll(bool)                            {}
func (*fast) stats() Stats                            { return Stats{} }
