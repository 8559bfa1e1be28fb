package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// A call cycle is found by edge chasing, after Chandy, Misra and Haas ("Distributed deadlock detection", 1983): each
// message says which activations wait for it. A call that is awaited at once carries the chain itself; when an
// activation begins to wait for a Start, or learns that somebody now waits for it, a notice with the longer chain
// follows its messages. A message whose own receiver is in its chain can never be handled and is refused.

// flagWaits marks a message whose sender waits for the answer; Chain is valid.
const flagWaits uint8 = 1 << 0

// maxChain bounds the chain in a message; deeper nesting is refused as a runaway recursion.
const maxChain = 128

// waitNotice tells a callee that its caller waits for message ID now, or, without a chain, not any more. It travels
// behind the message, on its lane.
type waitNotice struct {
	_     struct{} `cbor:",toarray"`
	Actor uint64   // of the callee
	ID    uint64
	Chain []quicnet.ChainEntry
	Seq   uint64 // the highest of a message counts
}

// A caller that stops waiting before the answer (its wait had a context of its own) says so with a notice without a
// chain. Notices of one message may overtake each other, so each has a number, and the highest counts.

// waits is what an activation has once it waits for somebody, learns who waits for it, or stands at a site where it sends.
type waits struct {
	first     []quicnet.ChainEntry // who waited for the activation when it came, where a notice has told of others since
	rechained bool                 // one has
	turn      uint64               // number of the notice that chain came with; 0: it came with the message
	down      []quicnet.ChainEntry // its chain and itself, once it was asked for
	seq       uint64               // number of the last notice that went to its calls
	target    string               // what it sends to now, for the debugger
	awaits    awaits
}

// awaits counts the waits of an activation on each call: most wait for one at a time.
type awaits struct {
	one   *call // nil: none, or it is among the others
	times int   // of that
	more  map[*call]int
}

func (w *awaits) of(c *call) int {
	if w.one == c {
		return w.times
	}
	return w.more[c]
}

func (w *awaits) add(c *call) {
	switch {
	case w.one == c:
		w.times++
	case w.one == nil && w.more[c] == 0:
		w.one, w.times = c, 1
	default:
		put(&w.more, c, w.more[c]+1)
	}
}

// less takes one of several waits back.
func (w *awaits) less(c *call) {
	if w.one == c {
		w.times--
	} else {
		w.more[c]--
	}
}

func (w *awaits) drop(c *call) {
	if w.one == c {
		w.one = nil
	} else {
		delete(w.more, c)
	}
}

func (w *awaits) len() int {
	if w.one != nil {
		return 1 + len(w.more)
	}
	return len(w.more)
}

// all lists the calls, in no order.
func (w *awaits) all() []*call {
	out := make([]*call, 0, w.len())
	if w.one != nil {
		out = append(out, w.one)
	}
	return slices.AppendSeq(out, maps.Keys(w.more))
}

// noted gives the waits of an activation, which are made when they are needed. The caller holds a.mu, or is the only one who
// knows the activation.
func (a *activation) noted() *waits {
	if a.waits == nil {
		a.waits = &waits{}
	}
	return a.waits
}

// came is who waited for the activation when it came.
func (a *activation) came() []quicnet.ChainEntry {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.waits; w != nil && w.rechained {
		return w.first
	}
	return a.chain
}

// await notes one more wait for c. For the first it gives the chain for the notices: everybody who waits, down to this
// activation.
func (a *activation) await(c *call) (chain []quicnet.ChainEntry, seq uint64, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.noted()
	w.awaits.add(c)
	if w.awaits.of(c) > 1 {
		return nil, 0, false
	}
	w.seq++
	return a.chainLocked(), w.seq, true
}

// awaitAtOnce is await for a call whose messages carry the chain themselves. turn is for changedSince. nil outside
// handlers: nobody can wait for those.
func (a *activation) awaitAtOnce(c *call) (chain []quicnet.ChainEntry, turn uint64) {
	if a == nil {
		return nil, 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.noted()
	w.awaits.add(c)
	return a.chainLocked(), w.turn
}

// endAwait takes a wait back; last tells that it was the only one and the call goes on.
func (a *activation) endAwait(c *call) (seq uint64, last bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.noted()
	switch w.awaits.of(c) {
	case 0: // the call is over
		return 0, false
	case 1:
		w.awaits.drop(c)
		w.seq++
		return w.seq, true
	}
	w.awaits.less(c)
	return 0, false
}

// forget drops a call that is over.
func (a *activation) forget(c *call) {
	if a == nil {
		return
	}
	a.mu.Lock()
	if a.waits != nil {
		a.waits.awaits.drop(c)
	}
	a.mu.Unlock()
}

// changedSince gives the activation's chain if who waits for it has changed since turn.
func (a *activation) changedSince(turn uint64) (chain []quicnet.ChainEntry, seq uint64, changed bool) {
	if a == nil {
		return nil, 0, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.noted()
	if w.turn == turn {
		return nil, 0, false
	}
	w.seq++
	return a.chainLocked(), w.seq, true
}

// rechain tells a running activation who waits for it now; the calls that it waits for itself learn it too.
func (a *activation) rechain(chain []quicnet.ChainEntry, turn uint64) {
	a.mu.Lock()
	w := a.noted()
	if turn <= w.turn { // overtaken by a newer one
		a.mu.Unlock()
		return
	}
	if !w.rechained {
		w.first, w.rechained = a.chain, true
	}
	a.chain, w.turn, w.down = chain, turn, nil
	w.seq++
	seq, down := w.seq, a.chainLocked()
	calls := w.awaits.all()
	for _, c := range calls {
		c.keep() // it is not over: forget would have taken it off first
	}
	a.mu.Unlock()
	a.actor.node.windows.rechained()
	for _, c := range calls {
		c.notifyLater(down, seq)
		c.free()
	}
}

func (c *call) notify(chain []quicnet.ChainEntry, seq uint64) {
	for _, i := range c.open() {
		c.notifyRank(i, chain, seq)
	}
}

// notifyLater is notify through the outbox, for goroutines that must not wait for a link.
func (c *call) notifyLater(chain []quicnet.ChainEntry, seq uint64) {
	for _, i := range c.open() {
		c.keep()
		c.node.outbox.Add(c.ref.procOf(i), func() {
			defer c.free()
			c.notifyRank(i, chain, seq)
		})
	}
}

func (c *call) notifyRank(i int, chain []quicnet.ChainEntry, seq uint64) {
	// An error means that the peer has ended, and the call has its outcome from that.
	_ = c.node.notice(c.node.root, quicnet.LaneCalls, c.caller, c.addr(i), sysWait, waitNotice{Actor: c.ref.ID, ID: c.firstMsg + uint64(i), Chain: chain, Seq: seq})
}

// waits reports whether a handler that keeps the others out waits for a call. The caller holds a.mu.
func (a *actor) waits() bool {
	for _, act := range a.running.all() {
		if act.ep == nil || act.ep.concurrent {
			continue
		}
		act.mu.Lock()
		waits := act.waits != nil && act.waits.awaits.len() > 0
		act.mu.Unlock()
		if waits {
			return true
		}
	}
	return false
}

// closesCycle reports whether a message to a, with that chain, waits for itself. The caller holds a.mu.
func (a *actor) closesCycle(ep *endpoint, chain []quicnet.ChainEntry) *wireError {
	if len(chain) > maxChain {
		return &wireError{Outcome: control.OutcomeError, Type: "cycle", Msg: fmt.Sprintf("%d calls wait inside each other; a recursion without an end?", len(chain)), Codes: codesOf(ErrCallCycle)}
	}
	if ep == nil || ep.concurrent {
		return nil
	}
	at := slices.IndexFunc(chain, func(h quicnet.ChainEntry) bool { return h.Proc == a.node.id && h.Actor == a.id })
	if at < 0 || !a.waits() { // it does not wait any more, but the notice of that may not have reached this message
		return nil
	}
	var path []string
	for _, h := range chain[at:] {
		path = append(path, h.Name)
	}
	msg := fmt.Sprintf("%s → %s.%s would deadlock; register %s as Concurrent, or Broadcast", strings.Join(path, " → "), a.label(), ep.name, ep.name)
	return &wireError{Outcome: control.OutcomeError, Type: "cycle", Msg: clip(msg, maxErrorText), Codes: codesOf(ErrCallCycle)}
}
