package engine

import (
	"fmt"
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

// await notes one more wait for c. For the first it gives the chain for the notices: everybody who waits, down to this
// activation.
func (a *activation) await(c *call) (chain []quicnet.ChainEntry, seq uint64, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.awaits == nil {
		a.awaits = map[*call]int{}
	}
	a.awaits[c]++
	if a.awaits[c] > 1 {
		return nil, 0, false
	}
	a.seq++
	return a.chainLocked(), a.seq, true
}

// awaitAtOnce is await for a call whose messages carry the chain themselves. turn is for changedSince. nil outside
// handlers: nobody can wait for those.
func (a *activation) awaitAtOnce(c *call) (chain []quicnet.ChainEntry, turn uint64) {
	if a == nil {
		return nil, 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.awaits == nil {
		a.awaits = map[*call]int{}
	}
	a.awaits[c]++
	return a.chainLocked(), a.turn
}

// endAwait takes a wait back; last tells that it was the only one and the call goes on.
func (a *activation) endAwait(c *call) (seq uint64, last bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch a.awaits[c] {
	case 0: // the call is over
		return 0, false
	case 1:
		delete(a.awaits, c)
		a.seq++
		return a.seq, true
	}
	a.awaits[c]--
	return 0, false
}

// forget drops a call that is over.
func (a *activation) forget(c *call) {
	if a == nil {
		return
	}
	a.mu.Lock()
	delete(a.awaits, c)
	a.mu.Unlock()
}

func (a *activation) chainLocked() []quicnet.ChainEntry {
	return append(slices.Clip(a.chain), a.asEntry())
}

// asEntry is the activation as a link of a chain. A concurrent one does not block its actor, so it can close no cycle:
// its place is kept for the path, its address is not.
func (a *activation) asEntry() quicnet.ChainEntry {
	h := quicnet.ChainEntry{Proc: a.actor.node.id, Actor: a.actor.id, Name: a.actor.label(), Msg: messageID(a.env)}
	if a.ep != nil && a.ep.concurrent {
		h.Actor = 0
	}
	return h
}

// changedSince gives the activation's chain if who waits for it has changed since turn.
func (a *activation) changedSince(turn uint64) (chain []quicnet.ChainEntry, seq uint64, changed bool) {
	if a == nil {
		return nil, 0, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turn == turn {
		return nil, 0, false
	}
	a.seq++
	return a.chainLocked(), a.seq, true
}

// rechain tells a running activation who waits for it now; the calls that it waits for itself learn it too.
func (a *activation) rechain(chain []quicnet.ChainEntry, turn uint64) {
	a.mu.Lock()
	if turn <= a.turn { // overtaken by a newer one
		a.mu.Unlock()
		return
	}
	a.chain, a.turn = chain, turn
	a.seq++
	seq, down := a.seq, a.chainLocked()
	calls := make([]*call, 0, len(a.awaits))
	for c := range a.awaits {
		calls = append(calls, c)
	}
	a.mu.Unlock()
	for _, c := range calls {
		c.notifyLater(down, seq)
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
		c.node.outbox.Add(c.ref.procOf(i), func() { c.notifyRank(i, chain, seq) })
	}
}

func (c *call) notifyRank(i int, chain []quicnet.ChainEntry, seq uint64) {
	// An error means that the peer has ended, and the call has its outcome from that.
	_ = c.node.notice(c.node.root, quicnet.LaneCalls, c.caller, c.addr(i), sysWait, waitNotice{Actor: c.ref.ID, ID: c.firstMsg + uint64(i), Chain: chain, Seq: seq})
}

// waits reports whether a handler that keeps the others out waits for a call. The caller holds a.mu.
func (a *actor) waits() bool {
	for _, act := range a.running {
		if act.ep == nil || act.ep.concurrent {
			continue
		}
		act.mu.Lock()
		n := len(act.awaits)
		act.mu.Unlock()
		if n > 0 {
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
