package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// windowSize is how many messages of one process may be on their way to, or queued at, one actor, and windowBytes how many bytes
// of arguments: one message may go beyond that. They bound the actor's mailbox for each sending process; a sender past either waits
// until its context ends.
const (
	windowSize  = 4096
	windowBytes = 16 << 20
)

// windows counts, for each receiver, the messages of this process that it has not handled yet.
type windows struct {
	closing <-chan struct{} // ends every wait
	changed func()          // front ends are to be told who waits for a place

	mu      sync.Mutex
	byAddr  map[quicnet.Addr]*window
	sweepAt int // how many windows are too many
	blocked map[*blockedSend]struct{}
	moves   moves // processes that move to another build: what goes there waits, or fails (reload_hold.go)
}

// window is the count of one receiver. Who calls it often keeps the window (meshRef.window), so that taking and giving back
// a place needs no look into the table.
type window struct {
	used    atomic.Int64                   // what is taken; forgotten: the window is off the table
	load    atomic.Uint32                  // messages in its mailbox, as last told in an answer
	waiting atomic.Int32                   // how many wait for a place
	way     atomic.Pointer[quicnet.Sender] // to it, once it is known
	free    chan struct{}                  // closed and replaced when there is one; guarded by windows.mu
}

// taken is what messages take of a window: their number above placeShift, and the bytes of their arguments. One word has both, so
// that taking and giving back stays one atomic step.
type taken int64

// placeShift leaves the bytes more room than windowBytes and one frame can need.
const placeShift = 32

// placesFor is what so many messages take, of so many bytes together.
func takenBy(messages, bytes int) taken { return taken(messages)<<placeShift | taken(bytes) }

func (p taken) messages() int { return int(p >> placeShift) }
func (p taken) bytes() int    { return int(p & (1<<placeShift - 1)) }

// forgotten marks a window that is off the table: another one counts for its receiver, if any does.
const forgotten = taken(-1 << 62)

// take takes a place for a message of so many bytes. Where it did not, gone says that the window counts no more.
func (w *window) take(bytes int) (ok, gone bool) {
	for {
		n := taken(w.used.Load())
		if n < 0 || n.messages() >= windowSize || n.bytes() >= windowBytes {
			return false, n < 0
		}
		if w.used.CompareAndSwap(int64(n), int64(n+takenBy(1, bytes))) {
			return true, false
		}
	}
}

// give gives places back, those that are taken at most, and reports whether somebody may wait for one.
func (w *window) give(back taken) (wake bool) {
	for {
		is := taken(w.used.Load())
		if is < 0 {
			return false
		}
		n := is &^ shut
		left := taken(0) // and no bytes where there are no messages
		if k := n.messages() - back.messages(); k > 0 {
			left = takenBy(k, max(0, n.bytes()-back.bytes()))
		}
		if w.used.CompareAndSwap(int64(is), int64(left|is&shut)) {
			return w.waiting.Load() > 0
		}
	}
}

// pendingSend says whose message wants a place, and where it goes.
type pendingSend struct {
	from     *actor // nil outside actors
	client   string // where a front end sends it
	act      *activation // whose handler sends it; nil outside handlers
	to       *meshRef
	index    int // in the slice to
	endpoint string
	call     uint64 // 0: a broadcast
	bytes    int    // of its argument
}

// blockedSend is a pendingSend that waits for a place.
type blockedSend struct {
	pendingSend
	since time.Time
}

func newWindows(closing <-chan struct{}, changed func()) *windows {
	return &windows{closing: closing, changed: changed, sweepAt: maxIdleWindows}
}

// of is the window of a receiver.
func (ws *windows) of(to quicnet.Addr) *window {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.ofLocked(to)
}

func (ws *windows) ofLocked(to quicnet.Addr) *window {
	w := ws.byAddr[to]
	if w == nil {
		ws.sweep()
		w = &window{}
		if ws.moves.of(to.Proc) != nil {
			w.used.Store(int64(shut))
		}
		put(&ws.byAddr, to, w)
	}
	return w
}

// acquire takes a place in the window of a receiver, and waits for one where there is none. It gives the window in which it
// has the place.
func (ws *windows) acquire(ctx context.Context, to quicnet.Addr, p *pendingSend) (*window, error) {
	w := p.to.window(ws, p.index, to)
	for {
		ok, gone := w.take(p.bytes)
		switch {
		case ok:
			return w, nil
		case !gone:
			return ws.await(ctx, to, p)
		}
		w = p.to.freshWindow(ws, p.index, to)
	}
}

// await is acquire where the window is full.
func (ws *windows) await(ctx context.Context, to quicnet.Addr, p *pendingSend) (*window, error) {
	s := &blockedSend{*p, time.Now()}
	ws.mu.Lock()
	put(&ws.blocked, s, struct{}{})
	ws.mu.Unlock()
	defer func() {
		ws.mu.Lock()
		delete(ws.blocked, s)
		ws.mu.Unlock()
		ws.changed()
	}()
	ws.changed()
	for {
		if err := ws.awaitMove(ctx, to, p); err != nil {
			return nil, err
		}
		ws.mu.Lock()
		w := ws.ofLocked(to)
		w.waiting.Add(1) // before the last look: who gives a place back after it sees that somebody waits
		ok := w.takeFor(p.bytes, ws.moves.letIn(to.Proc, p))
		if w.free == nil {
			w.free = make(chan struct{})
		}
		free := w.free
		ws.mu.Unlock()
		var err error
		if !ok {
			select {
			case <-free:
			case <-ws.closing:
				err = fmt.Errorf("the engine is closing: %w", ErrStopped)
			case <-ctx.Done():
				err = fmt.Errorf("%s wait at this actor already: %w", taken(w.used.Load())&^shut, ctx.Err())
			}
		}
		w.waiting.Add(-1)
		if ok || err != nil {
			return w, err
		}
	}
}

// String says what is taken, as an error does that names the limit.
func (p taken) String() string {
	if p.bytes() < windowBytes {
		return fmt.Sprintf("%d messages", windowSize)
	}
	return fmt.Sprintf("messages of %d MiB", p.bytes()>>20)
}

// giveBack gives places of a window back.
func (ws *windows) giveBack(w *window, back taken) {
	if w != nil && w.give(back) {
		ws.mu.Lock()
		w.wake()
		ws.mu.Unlock()
	}
}

// wake lets those who wait look again. The caller holds windows.mu.
func (w *window) wake() {
	if w.free != nil {
		close(w.free)
		w.free = nil
	}
}

// release is giveBack for who knows the receiver only.
func (ws *windows) release(to quicnet.Addr, back taken) {
	ws.mu.Lock()
	w := ws.byAddr[to]
	ws.mu.Unlock()
	ws.giveBack(w, back)
}

// maxIdleWindows is how many receivers are remembered at least; idle ones beyond it are forgotten.
const maxIdleWindows = 65_536

// sweep makes room for another receiver. The caller holds ws.mu.
func (ws *windows) sweep() {
	if len(ws.byAddr) < ws.sweepAt {
		return
	}
	for addr, w := range ws.byAddr {
		if w.used.CompareAndSwap(0, int64(forgotten)) {
			delete(ws.byAddr, addr)
			w.wake()
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
			w.used.Store(int64(forgotten))
			delete(ws.byAddr, addr)
			w.wake()
		}
	}
}

// leastLoaded is the index of the rank with the fewest calls in flight, then the shortest mailbox, then the next in turn.
func (ws *windows) leastLoaded(ref *meshRef, turn uint64) int {
	size := ref.View.Len()
	first := int(turn % uint64(size))
	best, bestKey := -1, [2]int{}
	for k := range size {
		i := (first + k) % size
		w := ref.window(ws, i, quicnet.Addr{Proc: ref.procOf(i), Actor: ref.ID})
		key := [2]int{max(0, taken(w.used.Load()).messages()), int(w.load.Load())} // a rank that moves has more than any other
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
		if taken(w.used.Load())&^shut > 0 && to(addr) {
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

// refWindows are the windows of the ranks of a view, as one process counts them. A reference is used by one process nearly
// always; another looks into its table.
type refWindows struct {
	of   *windows
	list []atomic.Pointer[window] // by index
}

// window is the window of index i, whose address is to.
func (r *meshRef) window(ws *windows, i int, to quicnet.Addr) *window {
	x := r.windows.Load()
	if x == nil {
		x = &refWindows{of: ws, list: make([]atomic.Pointer[window], r.View.Len())}
		if !r.windows.CompareAndSwap(nil, x) {
			x = r.windows.Load()
		}
	}
	if x.of == ws {
		if w := x.list[i].Load(); w != nil {
			return w
		}
	}
	return r.freshWindow(ws, i, to)
}

// freshWindow is window where the one that is kept counts no more.
func (r *meshRef) freshWindow(ws *windows, i int, to quicnet.Addr) *window {
	w := ws.of(to)
	if x := r.windows.Load(); x.of == ws {
		x.list[i].Store(w)
	}
	return w
}
