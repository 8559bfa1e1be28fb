package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// windowSize is how many messages of one process may be on their way to, or queued at, one actor. It bounds the actor's
// mailbox to windowSize per sending process; a sender past it waits until its context ends.
const windowSize = 4096

// window counts the messages that one receiver has not handled yet.
type window struct {
	used int
	free chan struct{} // closed and replaced when used falls below the limit
}

// parcel is what a message is to the people who look at it.
type parcel struct {
	from     *actor // nil outside actors
	client   string // where a front end sends it
	to       *meshRef
	index    int // in the slice to
	endpoint string
	call     uint64 // 0: a broadcast
}

// stuck is a parcel that waits for a place.
type stuck struct {
	parcel
	since time.Time
}

// acquire takes a place in the receiver's window.
func (n *node) acquire(ctx context.Context, to quicnet.Addr, p parcel) error {
	n.wmu.Lock()
	if n.takePlace(to) {
		n.wmu.Unlock()
		return nil
	}
	s := &stuck{p, time.Now()}
	n.stuck[s] = struct{}{}
	defer func() {
		n.wmu.Lock()
		delete(n.stuck, s)
		n.wmu.Unlock()
		n.touch()
	}()
	n.touch()
	for {
		w := n.windows[to]
		if w.free == nil {
			w.free = make(chan struct{})
		}
		free := w.free
		n.wmu.Unlock()
		select {
		case <-free:
		case <-n.closing:
			return fmt.Errorf("the engine is closing: %w", ErrStopped)
		case <-ctx.Done():
			return fmt.Errorf("%d messages wait at this actor already: %w", windowSize, ctx.Err())
		}
		n.wmu.Lock()
		if n.takePlace(to) {
			n.wmu.Unlock()
			return nil
		}
	}
}

// takePlace reports whether there was one. The caller holds n.wmu.
func (n *node) takePlace(to quicnet.Addr) bool {
	w := n.windows[to]
	if w == nil {
		n.sweepWindows()
		w = &window{}
		n.windows[to] = w
	}
	if w.used >= windowSize {
		return false
	}
	w.used++
	return true
}

// release gives k places back.
func (n *node) release(to quicnet.Addr, k int) {
	n.wmu.Lock()
	defer n.wmu.Unlock()
	w := n.windows[to]
	if w == nil {
		return
	}
	w.used = max(0, w.used-k)
	if w.free != nil {
		close(w.free)
		w.free = nil
	}
}

// maxIdleWindows is how many receivers are remembered at least; idle ones beyond it are forgotten.
const maxIdleWindows = 65_536

// sweepWindows makes room for another receiver. The caller holds n.wmu.
func (n *node) sweepWindows() {
	if len(n.windows) < n.sweepAt {
		return
	}
	for addr, w := range n.windows {
		if w.used == 0 {
			delete(n.windows, addr)
			delete(n.loads, addr)
		}
	}
	n.sweepAt = max(maxIdleWindows, 2*len(n.windows))
}

// dropWindows forgets receivers that are gone; who waits for a place tries again and is told so by the link.
func (n *node) dropWindows(gone func(quicnet.Addr) bool) {
	n.wmu.Lock()
	defer n.wmu.Unlock()
	for addr, w := range n.windows {
		if gone(addr) {
			if w.free != nil {
				close(w.free)
			}
			delete(n.windows, addr)
			delete(n.loads, addr)
		}
	}
}

// ack gives places back to a sender whose messages got no reply of their own.
func (n *node) ack(proc, actor uint64, k int) {
	env := quicnet.Envelope{Kind: quicnet.KindAck, From: quicnet.Addr{Proc: n.id, Actor: actor}, To: quicnet.Addr{Proc: proc}, Index: uint64(k)}
	_ = n.send(n.root, quicnet.LaneCalls, &env) // a sender that is gone needs no places
}
