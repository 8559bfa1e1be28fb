package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/locks"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// maxWaits is how many waits of one process are told to front ends.
const maxWaits = 4096

func rankLabel(mesh string, rank int) string { return "@" + mesh + "[" + strconv.Itoa(rank) + "]" }

// nameOf is the name of a sender for front ends; ok is false for code of a worker outside its actors.
func (n *node) nameOf(from *actor, client string) (name string, ok bool) {
	switch {
	case from != nil:
		return from.label(), true
	case client != "":
		return client, true
	}
	return "main", n.hub != nil
}

// waitEdges lists whom this process has waited for, for a while: for answers, and for places in mailboxes that are full
// of its messages. young tells that there are waits that will be on the list if they go on.
func (n *node) waitEdges() (out []control.WaitEdge, young bool) {
	add := func(from *actor, client string, ref *meshRef, i int, e control.WaitEdge) {
		var ok bool
		if e.From, ok = n.nameOf(from, client); ok && len(out) < maxWaits {
			e.Proc, e.To = n.id, rankLabel(ref.Name, ref.View.RankAt(i))
			out = append(out, e)
		}
	}
	now := n.tel.clock.Now()
	n.calls.each(func(c *call) {
		if !c.awaited() {
			return
		}
		if now.Sub(c.started) < slowCall {
			young = true
			return
		}
		beside := c.caller != nil && c.caller.ep != nil && c.caller.ep.concurrent
		for _, i := range c.sent() {
			add(c.sender, c.client(), c.ref, i, control.WaitEdge{
				Endpoint: c.endpoint.name, Call: c.id, Msg: sessionID(n.id, c.firstMsg+uint64(i)), Since: c.started.Time(), State: control.WaitSent,
				Any: c.adverb == adverbStream, Beside: beside,
			})
		}
	})
	for _, s := range n.windows.full() {
		if time.Since(s.since) < slowCall {
			young = true
			continue
		}
		add(s.from, s.client, s.to, s.index, control.WaitEdge{Endpoint: s.endpoint, Call: s.call, Since: s.since, State: control.WaitFull})
	}
	if n.hub != nil {
		waits, some := n.hub.locks.edges()
		out, young = append(out, waits[:min(len(waits), maxWaits-len(out))]...), young || some
	}
	slices.SortFunc(out, compareWaits)
	return out, young
}

func compareWaits(a, b control.WaitEdge) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), a.Since.Compare(b.Since), cmp.Compare(a.Msg, b.Msg))
}

// takeWaits stores a process's waits and tells front ends when they changed. The caller holds h.mu.
func (h *hub) takeWaits(proc uint64, waits []control.WaitEdge) {
	waits = waits[:min(len(waits), maxWaits)]
	for i := range waits {
		w := &waits[i]
		w.Proc = proc
		if proc != 0 {
			w.From, w.To, w.Endpoint, w.Resource = clean.Line(w.From), clean.Line(w.To), clean.Line(w.Endpoint), clean.Line(w.Resource)
		}
		h.nameWait(w)
	}
	if slices.EqualFunc(waits, h.waits[proc], func(a, b control.WaitEdge) bool {
		return compareWaits(a, b) == 0 && a.Call == b.Call && a.State == b.State && a.Endpoint == b.Endpoint
	}) {
		return
	}
	h.setWaits(proc, waits)
}

// setWaits replaces what a process waits for. The caller holds h.mu.
func (h *hub) setWaits(proc uint64, waits []control.WaitEdge) {
	if len(waits) == 0 && len(h.waits[proc]) == 0 {
		return
	}
	h.waits[proc] = waits
	if len(waits) == 0 {
		delete(h.waits, proc)
	}
	h.publish(control.Event{Waits: &control.Waits{Proc: proc, Edges: waits}})
}

// nameWait says what the message of a wait is doing at its receiver, as last reported. The caller holds h.mu.
func (h *hub) nameWait(w *control.WaitEdge) {
	st := h.rankNamed(w.To)
	if st == nil || w.State == control.WaitFull || w.State == control.WaitLock {
		return
	}
	switch {
	case slices.Contains(st.Calls, w.Call):
		w.State = control.WaitRunning
	case slices.Contains(st.Next, w.Call), st.Queue > len(st.Next):
		w.State = control.WaitQueued
	default:
		w.State = control.WaitSent
	}
}

// rankNamed finds the state behind a label such as @toy[1]. The caller holds h.mu.
func (h *hub) rankNamed(label string) *control.RankState {
	name, rest, ok := strings.Cut(strings.TrimPrefix(label, "@"), "[")
	m := h.meshes[name]
	if rank, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); ok && m != nil && err == nil && rank >= 0 && rank < len(m.rec.Ranks) {
		return &m.rec.Ranks[rank]
	}
	return nil
}

// Acquire waits until this actor, or the program, has a lock of the session that everybody knows by its name, whatever
// process they are in. Who asks first has it first. Its waits are edges of the wait-for graph, as those for answers are: a
// deadlock over locks is found and named. release gives it back; so does the end of the actor or of its process. Asking for
// a lock that the actor holds is an error, and so is the end of ctx before the lock is free.
func Acquire(ctx context.Context, name string) (release func(), err error) {
	n, err := nodeOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("acquire %s: %w", clip(name, 100), err)
	}
	b := claimBody{ID: sessionID(n.id, n.nextMsg.Add(1)), Name: name}
	a := actorOf(ctx)
	if a != nil {
		b.Actor = a.id
		a.mu.Lock()
		put(&a.claims, b.ID, struct{}{}) // before the lock is asked for: whatever ends the actor gives it back
		a.mu.Unlock()
	}
	release = sync.OnceFunc(func() {
		if a != nil {
			a.mu.Lock()
			delete(a.claims, b.ID)
			a.mu.Unlock()
		}
		n.giveBack(b.ID)
	})
	if err := n.request(ctx, quicnet.Addr{}, sysAcquire, b, nil); err != nil {
		release()
		return nil, fmt.Errorf("acquire %s: %w", clip(name, 100), err)
	}
	return release, nil
}

// claimBody asks the controller for a lock.
type claimBody struct {
	ID    uint64
	Name  string
	Actor uint64 // id of the mesh of the actor that asks; 0: none
}

// giveBack ends a claim. It is told in the order of what else is told to the controller.
func (n *node) giveBack(id uint64) {
	n.outbox.Add(0, func() {
		_ = n.notice(n.root, quicnet.LaneControl, nil, quicnet.Addr{}, sysRelease, id) // an error means that this process ends
	})
}

// endClaims gives back what an actor holds that has ended.
func (a *actor) endClaims() {
	a.mu.Lock()
	claims := a.claims
	a.claims = nil
	a.mu.Unlock()
	for id := range claims {
		a.node.giveBack(id)
	}
}

// lockTable is the hub's table of locks. Its mutex is a leaf.
type lockTable struct {
	mu     sync.Mutex
	table  locks.Table
	grants map[uint64]chan bool // of claims that wait: true when they have the lock, false when they were given up
	over   *recent.Map[claimKey, struct{}]
}

// claimKey is a claim that was given up or given back. Requests are served beside each other, and the note of a claim that was
// given up at once may overtake it: nobody would ever give back what it got after that.
type claimKey struct{ proc, id uint64 }

var errGivenUp = errors.New("it was given up")

// acquire waits for a lock.
func (t *lockTable) acquire(ctx context.Context, c locks.Claim, changed func()) error {
	t.mu.Lock()
	if _, over := t.over.Get(claimKey{c.Proc, c.ID}); over {
		t.mu.Unlock()
		return errGivenUp
	}
	granted, err := t.table.Ask(c)
	if err != nil || granted {
		t.mu.Unlock()
		return err
	}
	grant := make(chan bool, 1)
	put(&t.grants, c.ID, grant)
	t.mu.Unlock()
	changed()
	select {
	case ok := <-grant:
		if !ok {
			return errGivenUp
		}
		return nil
	case <-ctx.Done():
		t.drop(c.Proc, c.ID)
		return ctx.Err()
	}
}

// drop ends a claim.
func (t *lockTable) drop(proc, id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over.Put(claimKey{proc, id}, struct{}{})
	t.given(t.table.Drop(proc, id))
	t.tell(id, false)
}

// dropOf ends the claims of processes.
func (t *lockTable) dropOf(gone func(proc uint64) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.table.DropOf(gone) {
		t.given(c, true)
	}
}

// given wakes who has a lock now. The caller holds t.mu.
func (t *lockTable) given(c locks.Claim, ok bool) {
	if ok {
		t.tell(c.ID, true)
	}
}

func (t *lockTable) tell(id uint64, granted bool) {
	if grant, waits := t.grants[id]; waits {
		delete(t.grants, id)
		grant <- granted
	}
}

// edges lists who has waited for a lock for a while.
func (t *lockTable) edges() (out []control.WaitEdge, young bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.table.Waits() {
		if time.Since(w.Claim.Since) < slowCall {
			young = true
			continue
		}
		out = append(out, control.WaitEdge{
			From: w.Claim.Who, To: w.Holder.Who, Msg: w.Claim.ID, Since: w.Claim.Since, State: control.WaitLock, Resource: w.Claim.Name,
		})
	}
	return out, young
}

// acquireFor executes a claim of a process.
func (h *hub) acquireFor(ctx context.Context, from uint64, b claimBody) error {
	own, err := h.ownerOf(from, ownedVerb{Actor: b.Actor})
	if err != nil {
		return err
	}
	who := own.label
	if who == "" {
		h.mu.Lock()
		who, _ = h.callerOf(&traceRecord{Proc: from})
		h.mu.Unlock()
	}
	return h.locks.acquire(ctx, locks.Claim{ID: b.ID, Name: clean.Line(b.Name), Who: who, Proc: from, Since: time.Now()}, h.node.touch)
}
