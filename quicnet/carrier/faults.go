package carrier

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/fault"
	"golang.org/x/net/ipv4"
)

// faults is what a socket needs for injected faults. Without any it costs a look at inject for each read and each send.
type faults struct {
	inject atomic.Pointer[fault.Injector] // nil: packets travel as they are

	mu       sync.Mutex
	deadline time.Time // of reads, as whoever reads has set it
	woken    bool      // the deadline of the socket is in the past, so that the reader looks at what is due
	setting  int       // calls of SetFaults that run: what has nothing to do now is about to have
	closed   bool
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// SetFaults has the socket lose or hold up packets by these rules from now on, in place of those before; none ends it. noted is
// called when counts have changed; it must not block, and must not call the socket.
func (c *Conn) SetFaults(paths []fault.Path, noted func()) {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	j := c.faults.inject.Load()
	if c.faults.closed || j == nil && len(paths) == 0 {
		return
	}
	if j == nil {
		j = fault.New(c.wake, noted)
		c.faults.inject.Store(j)
	}
	c.faults.setting++
	c.faults.mu.Unlock() // it may wake the reader
	j.Set(paths)
	c.faults.mu.Lock()
	c.faults.setting--
	c.dropIdle(j)
}

// FaultCounts says what the rules have done.
func (c *Conn) FaultCounts() []fault.Count {
	if j := c.faults.inject.Load(); j != nil {
		return j.Counts()
	}
	return nil
}

// dropIdle does without an injector that has nothing to do any more. The caller holds faults.mu.
func (c *Conn) dropIdle(j *fault.Injector) {
	if c.faults.setting == 0 && j.Idle() && c.faults.inject.CompareAndSwap(j, nil) {
		j.Close()
	}
}

// endFaults drops what is held, because the socket is closed.
func (c *Conn) endFaults() {
	c.faults.mu.Lock()
	c.faults.closed = true
	j := c.faults.inject.Load()
	c.faults.mu.Unlock()
	if j != nil {
		j.Close()
	}
}

// wake has the reader look at what is due.
func (c *Conn) wake() {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.woken = true
	_ = c.udp.SetReadDeadline(past) // an error: the socket is closed, and the reader knows
}

// awake reports whether the reader was woken by wake, and gives the socket its deadline back.
func (c *Conn) awake() bool {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	if !c.faults.woken {
		return false
	}
	c.faults.woken = false
	return c.udp.SetReadDeadline(c.faults.deadline) == nil
}

// readFaulty goes on with a read that gave n and err: it leaves out what is lost or held up, and gives what is due.
func (c *Conn) readFaulty(j *fault.Injector, ms []ipv4.Message, flags, n int, err error) (int, error) {
	for {
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		woken := c.awake()
		if err != nil {
			n = 0
		}
		if n = without(ms, n, j.In); n == 0 {
			n = dueNow(j, ms)
		}
		if n > 0 {
			if woken { // there may be more
				c.wake()
			}
			return n, nil
		}
		if err != nil && !woken {
			return 0, err // a deadline of the reader's own
		}
		c.faults.mu.Lock()
		c.dropIdle(j)
		c.faults.mu.Unlock()
		n, err = c.read(ms, flags)
	}
}

// dueNow fills in packets that were held up until now.
func dueNow(j *fault.Injector, ms []ipv4.Message) (n int) {
	for n < len(ms) && len(ms[n].Buffers) > 0 {
		p, ok := j.Due()
		if !ok {
			break
		}
		m := &ms[n]
		m.N, m.NN, m.Flags, m.Addr = copy(m.Buffers[0], p.Data), 0, 0, p.Addr
		n++
	}
	return n
}

// writeFaulty sends b, which may be a train, packet by packet: each is judged alone. False means that nothing is to be judged.
func (c *Conn) writeFaulty(j *fault.Injector, b, oob []byte, addr *net.UDPAddr) bool {
	if addr == nil || !j.Touches(addr) {
		return false
	}
	seg, rest := segments(oob)
	if seg <= 0 {
		seg = len(b)
	}
	rest = append([]byte(nil), rest...)
	send := func(p []byte) {
		_, _, _ = c.write(p, rest, addr) // a send that fails is one more lost packet
	}
	for {
		p := b[:min(seg, len(b))]
		if b = b[len(p):]; !j.Out(p, addr, send) {
			send(p)
		}
		if len(b) == 0 {
			return true
		}
	}
}
