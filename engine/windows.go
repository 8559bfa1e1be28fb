package engine

import (
	"context"
	"fmt"
	"math"
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
	detours func(proc uint64) *detour // the way by an agent, in the controller; nil: there is none
	moves   moves                     // processes that move to another build: what goes there waits, or fails (reload_hold.go)
}

// window is the count of one receiver. Who calls it often keeps the window (meshRef.window), so that taking and giving back
// a place needs no look into the table.
type window struct {
	used    atomic.Int64                   // what is taken; forgotten: the window is off the table
	load    atomic.Uint32                  // messages in its mailbox, as last told in an answer
	waiting atomic.Int32                   // how many wait for a place
	way     atomic.Pointer[quicnet.Sender] // to it, once it is known
	detour  *detour                        // the other way to it; nil: there is none
	free    chan struct{}                  // closed and replaced when there is one; guarded by windows.mu
}

// taken is what messages take of a window: their number above placeShift, and the bytes of their arguments. One word has both, so
// that taking and giving back stays one atomic step.
type taken int64

// placeShift leaves the bytes more room than windowBytes and one frame can need.
const placeShift = 32

// Above the number of messages, which is below 1<<placeBits, the word has which way they go, and how many were cancelled that the
// receiver has not answered: what is sent behind them has to go their way, for they may still be on it (tree.go).
const (
	placeBits = 14
	detoured  = taken(1) << (placeShift + placeBits)
	doubt     = detoured << 1
	doubts    = (shut - 1) &^ (doubt - 1)
)

// placesFor is what so many messages take, of so many bytes together.
func takenBy(messages, bytes int) taken { return taken(messages)<<placeShift | taken(bytes) }

func (p taken) messages() int { return int(p >> placeShift & (1<<placeBits - 1)) }
func (p taken) bytes() int    { return int(p & (1<<placeShift - 1)) }

// forgotten marks a window that is off the table: another one counts for its receiver, if any does.
const forgotten = taken(-1 << 62)

// take takes a place for a message of so many bytes. Where it did not, gone says that the window counts no more. by says which way
// the message is to go: that of those before it, else the one by the agent if detour says so.
func (w *window) take(bytes int, detour bool) (ok, gone, by bool) {
	for {
		n := taken(w.used.Load())
		if n < 0 || n&shut != 0 || n.messages() >= windowSize || n.bytes() >= windowBytes {
			return false, n < 0, false
		}
		now := n.turn(detour) + takenBy(1, bytes)
		if w.used.CompareAndSwap(int64(n), int64(now)) {
			return true, false, now&detoured != 0
		}
	}
}

// turn has what is sent next go by the agent, or not, unless it has to follow what is on its way.
func (p taken) turn(detour bool) taken {
	switch {
	case p&(doubts|takenBy(1<<placeBits-1, 0)) != 0:
		return p
	case detour:
		return p | detoured
	}
	return p &^ detoured
}

// give gives places back, those that are taken at most, and reports whether somebody may wait for one. back may have a doubt.
func (w *window) give(back taken) (wake bool) {
	for {
		is := taken(w.used.Load())
		if is < 0 {
			return false
		}
		left := is & (shut | doubts)
		if back&doubt != 0 && left&doubts != doubts {
			left += doubt
		}
		if k := is.messages() - back.messages(); k > 0 { // and no bytes where there are no messages
			left |= takenBy(k, max(0, is.bytes()-back.bytes()))
		}
		if w.used.CompareAndSwap(int64(is), int64((left | is&detoured).turn(false))) {
			return w.waiting.Load() > 0
		}
	}
}

// detoured reports whether what is on its way there goes by the agent.
func (w *window) detoured() bool {
	n := taken(w.used.Load())
	return n >= 0 && n&detoured != 0
}

// settle takes a doubt away: the receiver has answered what was cancelled. Once there are very many, some of which were not counted,
// they stay.
func (w *window) settle() {
	for {
		is := taken(w.used.Load())
		if is < 0 || is&doubts == 0 || is&doubts == doubts {
			return
		}
		if w.used.CompareAndSwap(int64(is), int64((is - doubt).turn(false))) {
			return
		}
	}
}

// takePlace has a call of one rank, which nobody else knows yet, be alone where there is a place for its message.
func (c *call) takePlace() {
	w := c.ref.window(c.node.windows, 0, c.ref.first)
	if c.alone, _, c.by = w.take(c.size, false); c.alone {
		c.one.ranks[0].phase.Store(phaseSent)
		c.one.ranks[0].window = w
	}
}

// pendingSend says whose message wants a place, and where it goes.
type pendingSend struct {
	from     *actor      // nil outside actors
	client   string      // where a front end sends it
	act      *activation // whose handler sends it; nil outside handlers
	to       *meshRef
	index    int // in the slice to
	endpoint string
	call     uint64 // 0: a broadcast
	bytes    int    // of its argument
	fan      *fan   // by which it may go; nil: by none
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
		if ws.detours != nil {
			w.detour = ws.detours(to.Proc)
		}
		if ws.moves.of(to.Proc) != nil {
			w.used.Store(int64(shut))
		}
		put(&ws.byAddr, to, w)
	}
	return w
}

// acquire takes a place in the window of a receiver, and waits for one where there is none. It gives the window in which it
// has the place, and which way the message is to go: by the agent, or not.
func (ws *windows) acquire(ctx context.Context, to quicnet.Addr, p *pendingSend) (w *window, by bool, err error) {
	w = p.to.window(ws, p.index, to)
	for {
		ok, gone, by := w.take(p.bytes, p.fan.takes(w))
		switch {
		case ok:
			return w, by, nil
		case !gone:
			p.fan.flush() // those that have a place do not wait for one that has none
			return ws.await(ctx, to, p)
		}
		w = p.to.freshWindow(ws, p.index, to)
	}
}

// await is acquire where the window is full.
func (ws *windows) await(ctx context.Context, to quicnet.Addr, p *pendingSend) (_ *window, by bool, _ error) {
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
			return nil, false, err
		}
		ws.mu.Lock()
		w := ws.ofLocked(to)
		w.waiting.Add(1) // before the last look: who gives a place back after it sees that somebody waits
		ok, by := w.takeFor(p.bytes, ws.moves.letIn(to.Proc, p))
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
				err = fmt.Errorf("%s wait at this actor already: %w", taken(w.used.Load()), ctx.Err())
			}
		}
		w.waiting.Add(-1)
		if ok || err != nil {
			return w, by, err
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

// known is the window of a receiver; nil: there is none.
func (ws *windows) known(to quicnet.Addr) *window {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.byAddr[to]
}

// settle notes that a receiver has answered what was cancelled.
func (ws *windows) settle(to quicnet.Addr) {
	if w := ws.known(to); w != nil {
		w.settle()
	}
}

// release is giveBack for who knows the receiver only.
func (ws *windows) release(to quicnet.Addr, back taken) { ws.giveBack(ws.known(to), back) }

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
		used := taken(w.used.Load())
		key := [2]int{used.messages(), int(w.load.Load())}
		if used >= shut { // a rank that moves has more than any other
			key[0] = math.MaxInt
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
		if taken(w.used.Load()).messages() > 0 && to(addr) {
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
