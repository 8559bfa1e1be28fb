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

// maxChain bounds the chain that rides in a message; deeper nesting is refused as a runaway recursion.
const maxChain = 128

// waitNotice tells a callee that its caller now waits for message ID. It travels behind the message, on its lane.
type waitNotice struct {
	_     struct{} `cbor:",toarray"`
	Actor uint64   // of the callee
	ID    uint64
	Chain []quicnet.Hop
}

// await notes that the activation waits for c and gives the chain for c's messages: everybody who waits, down to this
// activation. nil outside actors: nobody can wait for those.
func (a *activation) await(c *call) []quicnet.Hop {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.awaits == nil {
		a.awaits = map[*call]struct{}{}
	}
	a.awaits[c] = struct{}{}
	return a.chainLocked()
}

func (a *activation) chainLocked() []quicnet.Hop {
	return append(slices.Clip(a.chain), a.hop())
}

func (a *activation) unawait(c *call) {
	if a == nil {
		return
	}
	a.mu.Lock()
	delete(a.awaits, c)
	a.mu.Unlock()
}

// hop is the activation as a link of a chain. A concurrent one does not block its actor, so it can close no cycle:
// its place is kept for the path, its address is not.
func (a *activation) hop() quicnet.Hop {
	h := quicnet.Hop{Proc: a.actor.node.id, Actor: a.actor.id, Name: a.actor.label()}
	if a.ep != nil && a.ep.concurrent {
		h.Actor = 0
	}
	return h
}

// longerThan gives the activation's chain if it has grown past n since it was asked for.
func (a *activation) longerThan(n int) []quicnet.Hop {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.chain)+1 <= n {
		return nil
	}
	return a.chainLocked()
}

// extend tells a running activation that others wait for it now.
func (a *activation) extend(chain []quicnet.Hop) {
	a.mu.Lock()
	if len(chain) <= len(a.chain) { // overtaken by a longer one
		a.mu.Unlock()
		return
	}
	a.chain = chain
	longer := a.chainLocked()
	calls := make([]*call, 0, len(a.awaits))
	for c := range a.awaits {
		calls = append(calls, c)
	}
	a.mu.Unlock()
	for _, c := range calls {
		for _, i := range c.open() {
			a.actor.node.async(c.ref.procOf(i), func() { c.notifyRank(i, longer) })
		}
	}
}

// beginWait sends the notices of a Start when its future is first waited on.
func (c *call) beginWait() {
	c.mu.Lock()
	first := !c.awaited
	c.awaited = true
	open := len(c.answers) < c.n
	c.mu.Unlock()
	if first && open && c.caller != nil {
		c.notify(c.caller.await(c))
	}
}

func (c *call) notify(chain []quicnet.Hop) {
	for _, i := range c.open() {
		c.notifyRank(i, chain)
	}
}

func (c *call) notifyRank(i int, chain []quicnet.Hop) {
	// A peer that is gone answers for the call anyway.
	_ = c.node.notice(c.node.root, quicnet.LaneCalls, c.caller, c.addr(i), sysWait, waitNotice{Actor: c.ref.ID, ID: c.firstMsg + uint64(i), Chain: chain})
}

// closesCycle reports whether a message to a, with that chain, waits for itself.
func (a *actor) closesCycle(ep *endpoint, chain []quicnet.Hop) *wireError {
	if len(chain) > maxChain {
		return &wireError{Outcome: control.OutcomeError, Type: "cycle", Msg: fmt.Sprintf("%d calls wait inside each other; a recursion without an end?", len(chain)), Codes: codesOf(ErrCallCycle)}
	}
	if ep == nil || ep.concurrent {
		return nil
	}
	at := slices.IndexFunc(chain, func(h quicnet.Hop) bool { return h.Proc == a.node.id && h.Actor == a.id })
	if at < 0 {
		return nil
	}
	var path []string
	for _, h := range chain[at:] {
		path = append(path, h.Name)
	}
	msg := fmt.Sprintf("%s → %s.%s would deadlock; register %s as Concurrent, or Broadcast", strings.Join(path, " → "), a.label(), ep.name, ep.name)
	return &wireError{Outcome: control.OutcomeError, Type: "cycle", Msg: clip(msg, maxErrorText), Codes: codesOf(ErrCallCycle)}
}
