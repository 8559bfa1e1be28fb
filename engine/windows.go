package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// windowSize is how many messages of one process may be on their way to, or queued at, one actor. It bounds the actor's
// mailbox to windowSize per sending process; a sender past it waits until its context ends.
const windowSize = 4096

// windows counts, for each receiver, the messages of this process that it has not handled yet.
type windows struct {
	closing <-chan struct{} // ends every wait
	changed func()          // front ends are to be told who waits for a place

	mu      sync.Mutex
	byAddr  map[quicnet.Addr]*window
	loads   map[quicnet.Addr]uint32 // mailbox length as last told in a reply
	sweepAt int                     // how many windows are too many
	blocked map[*blockedSend]struct{}
}

// window is the count of one receiver.
type window struct {
	used int
	free chan struct{} // closed and replaced when used falls below the limit
}

// pendingSend says whose message wants a place, and where it goes.
type pendingSend struct {
	from     *actor // nil outside actors
	client   string // where a front end sends it
	to       *meshRef
	index    int // in the slice to
	endpoint string
	call     uint64 // 0: a broadcast
}

// blockedSend is a pendingSend that waits for a place.
type blockedSend struct {
	pendingSend
	since time.Time
}

func newWindows(closing <-chan struct{}, changed func()) *windows {
	return &windows{closing: closing, changed: changed, sweepAt: maxIdleWindows}
}

// acquire takes a place in the receiver's window, and waits for one where there is none.
func (ws *windows) acquire(ctx context.Context, to quicnet.Addr, p pendingSend) error {
	ws.mu.Lock()
	if ws.takePlace(to) {
		ws.mu.Unlock()
		return nil
	}
	s := &blockedSend{p, time.Now()}
	put(&ws.blocked, s, struct{}{})
	defer func() {
		ws.mu.Lock()
		delete(ws.blocked, s)
		ws.mu.Unlock()
		ws.changed()
	}()
	ws.changed()
	for {
		w := ws.byAddr[to]
		if w.free == nil {
			w.free = make(chan struct{})
		}
		free := w.free
		ws.mu.Unlock()
		select {
		case <-free:
		case <-ws.closing:
			return fmt.Errorf("the engine is closing: %w", ErrStopped)
		case <-ctx.Done():
			return fmt.Errorf("%d messages wait at this actor already: %w", windowSize, ctx.Err())
		}
		ws.mu.Lock()
		if ws.takePlace(to) {
			ws.mu.Unlock()
			return nil
		}
	}
}

// takePlace reports whether there was one. The caller holds ws.mu.
func (ws *windows) takePlace(to quicnet.Addr) bool {
	w := ws.byAddr[to]
	if w == nil {
		ws.sweep()
		w = &window{}
		put(&ws.byAddr, to, w)
	}
	if w.used >= windowSize {
		return false
	}
	w.used++
	return true
}

// release gives k places back.
func (ws *windows) release(to quicnet.Addr, k int) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.byAddr[to]
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

// sweep makes room for another receiver. The caller holds ws.mu.
func (ws *windows) sweep() {
	if len(ws.byAddr) < ws.sweepAt {
		return
	}
	for addr, w := range ws.byAddr {
		if w.used == 0 {
			delete(ws.byAddr, addr)
			delete(ws.loads, addr)
		}
	}
	ws.sweepAt = max(maxIdleWindows, 2*len(ws.byAddr))
}

// drop forgets receivers that are gone. A sender that waits for a place there gets one, and the link's error when it sends.
func (ws *windows) drop(gone func(quicnet.Addr) bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for addr, w := range ws.byAddr {
		if gone(addr) {
			if w.free != nil {
				close(w.free)
			}
			delete(ws.byAddr, addr)
			delete(ws.loads, addr)
		}
	}
}

// noteLoad keeps how many messages an answer found in its receiver's mailbox.
func (ws *windows) noteLoad(of quicnet.Addr, load uint32) {
	ws.mu.Lock()
	put(&ws.loads, of, load)
	ws.mu.Unlock()
}

// leastLoaded is the index of the rank with the fewest calls in flight, then the shortest mailbox, then the next in turn.
func (ws *windows) leastLoaded(ref *meshRef, turn uint64) int {
	size := ref.View.Len()
	first := int(turn % uint64(size))
	best, bestKey := -1, [2]int{}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for k := range size {
		i := (first + k) % size
		addr := quicnet.Addr{Proc: ref.procOf(i), Actor: ref.ID}
		key := [2]int{0, int(ws.loads[addr])}
		if w := ws.byAddr[addr]; w != nil {
			key[0] = w.used
		}
		if best < 0 || slices.Compare(key[:], bestKey[:]) < 0 {
			best, bestKey = i, key
		}
	}
	return best
}

// busy lists the processes where messages to these actors are still to be handled.
func (ws *windows) busy(to func(quicnet.Addr) bool) map[uint64]bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	procs := map[uint64]bool{}
	for addr, w := range ws.byAddr {
		if w.used > 0 && to(addr) {
			procs[addr.Proc] = true
		}
	}
	return procs
}

// full lists the messages that wait for a place.
func (ws *windows) full() []*blockedSend {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var out []*blockedSend
	for s := range ws.blocked {
		out = append(out, s)
	}
	return out
}
