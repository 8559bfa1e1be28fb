package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// endBody asks a process to end its actor of a mesh.
type endBody struct {
	Mesh   uint64
	Reason string
	Why    *wireError `cbor:",omitempty"` // of an actor that is abandoned, and of one that is not there: what callers are told
}

// stopHere drains an actor of this process, runs OnStop and forgets it. A handler that ignores its context is left
// behind, and its caller told; OnStop does not run beside it.
func (n *node) stopHere(ctx context.Context, b endBody) error {
	a := n.actors.get(b.Mesh)
	if a == nil {
		return nil
	}
	why := stoppedWire("@" + a.name + " was stopped")
	defer n.forgetActor(b.Mesh, why)
	err := a.drain(ctx)
	cause := a.failure()
	a.end(why, false)
	hook, cancel := n.clock.WithTimeout(ctx, stopTime)
	defer cancel()
	quiet := a.quietWithin(hook)
	if !a.stays(cancel) {
		return nil // it was killed while it stopped, which is an end too
	}
	if !quiet {
		a.abandon(&wireError{Outcome: control.OutcomeLost, Type: "stopped", Msg: a.label() + " was stopped while it handled this", Codes: codesOf(ErrStopped)})
		return fmt.Errorf("%s: a handler did not end; OnStop was not run", a.label())
	}
	if s, ok := a.self.(Stopper); ok {
		base := context.WithValue(n.root, ctxKey{}, &ctxInfo{node: n, actor: a})
		hctx, done := hookContext(base, hook)
		defer done()
		err = errors.Join(err, runHook("OnStop", func() error { s.OnStop(hctx, cause); return nil }))
	}
	n.outbox.Settle(hook, 0) // what its handlers reported arrives while its mesh is still known
	return err
}

// stopIdle is stopHere for an actor that has nothing to do and no OnStop, and waits for nothing. It reports whether the
// actor is one; else it has done nothing.
func (n *node) stopIdle(mesh uint64) bool {
	a := n.actors.get(mesh)
	if a == nil {
		return false
	}
	if _, hook := a.self.(Stopper); hook {
		return false
	}
	why := stoppedWire("@" + a.name + " was stopped")
	if !a.endIdle(why) {
		return false
	}
	n.forgetActor(mesh, why)
	return true
}

// endIdle is end for an actor that has nothing to do, and reports whether it is one.
func (a *actor) endIdle(why *wireError) bool {
	a.mu.Lock()
	if a.ended != nil || a.draining || a.beside+len(a.queue)+a.running.len()+len(a.starts)+len(a.between)+len(a.acks) > 0 {
		a.mu.Unlock()
		return false
	}
	a.ended = why
	a.turned(a.node.tel.clock.Now())
	a.mu.Unlock()
	a.cancel(errors.New(why.Msg))
	a.wake()
	return true
}

// drain refuses new messages and waits until those that are here are handled, 10 s at most.
func (a *actor) drain(ctx context.Context) error {
	limit, cancel := a.node.clock.WithTimeout(ctx, drainTime)
	defer cancel()
	a.mu.Lock()
	a.draining = true
	if a.quiet == nil {
		a.quiet = make(chan struct{})
	}
	a.checkQuiet()
	a.mu.Unlock()
	if !a.quietWithin(limit) {
		return fmt.Errorf("%s did not finish its messages in %v", a.label(), drainTime)
	}
	return nil
}

// quietWithin waits for a draining actor to have nothing left to do.
func (a *actor) quietWithin(ctx context.Context) bool {
	select {
	case <-a.quiet:
		return true
	case <-ctx.Done():
		return false
	}
}

// stays reports whether nobody has abandoned the actor. From now on that calls left.
func (a *actor) stays(left context.CancelFunc) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.onLeave = left
	return !a.left
}

// checkQuiet tells drain when there is nothing left to do, or nobody waits for it any more. The caller holds a.mu.
func (a *actor) checkQuiet() {
	if a.lull != nil && a.idle() {
		close(a.lull)
		a.lull = nil
	}
	if a.quiet == nil || !a.left && (len(a.queue) > 0 || a.running.len() > 0) {
		return
	}
	select {
	case <-a.quiet:
	default:
		close(a.quiet)
	}
}

func (a *actor) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed {
		return a.ended.remote()
	}
	return nil
}

// killHere abandons an actor of this process.
func (n *node) killHere(b endBody) {
	a := n.actors.get(b.Mesh)
	if b.Why != nil {
		if a != nil {
			a.abandon(b.Why)
		}
		n.forgetActor(b.Mesh, b.Why)
		return
	}
	if a == nil { // it may be in its OnStart: end its context, and remove makes spawnHere give up
		n.actors.cancelStart(b.Mesh)
		n.forgetActor(b.Mesh, &wireError{Outcome: control.OutcomeNotSent, Type: "killed", Msg: "the actor was killed before it started", Codes: codesOf(ErrStopped)})
		return
	}
	why := &wireError{Outcome: control.OutcomeLost, Type: "killed", Msg: a.label() + " was killed", Codes: codesOf(ErrStopped)}
	a.abandon(why)
	n.forgetActor(b.Mesh, &wireError{Outcome: control.OutcomeNotSent, Type: "killed", Msg: "@" + a.name + " was killed", Codes: codesOf(ErrStopped)})
}

// forgetActor removes an actor and keeps what later callers are told.
func (n *node) forgetActor(mesh uint64, why *wireError) {
	n.actors.remove(mesh, why)
	n.touch()
}

// ending is how far the end of a mesh has come. But for ended and err, hub.mu guards it.
type ending struct {
	stopping bool               // it has begun
	hurried  bool               // a kill asked for it, at the beginning or later
	cut      context.CancelFunc // ends the wait for its ranks
	ended    chan struct{}      // closed when it has ended
	err      error              // what that came to; set before ended is closed
}

func newEnding() ending { return ending{ended: make(chan struct{})} }

func (e *ending) begin(now bool, cut context.CancelFunc) {
	e.stopping, e.hurried, e.cut = true, now, cut
}

// hurry notes another request to end, and reports whether it is the first one that wants it at once.
func (e *ending) hurry(now bool) bool {
	first := now && !e.hurried
	e.hurried = e.hurried || now
	return first
}

func (e *ending) finish(err error) {
	e.err = err
	close(e.ended)
}

// await waits for an end that somebody else began, and gives what it came to.
func (e *ending) await(ctx context.Context) error {
	select {
	case <-e.ended:
		return e.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func checkRanks(what string, ranks []int, n int) error {
	for _, r := range ranks {
		if r < 0 || r >= n {
			return fmt.Errorf("%s has no rank %d: its ranks are 0 to %d", what, r, n-1)
		}
	}
	return nil
}

// unlessEnded is the error of a verb that ends what it does not find: none where that has ended already.
func unlessEnded(err error) error {
	if errors.Is(err, ErrStopped) {
		return nil
	}
	return err
}

// asOrdered is added to the reason why a process ended, in what its callers are told.
const asOrdered = ", as ordered"

func stoppedWire(msg string) *wireError {
	return &wireError{Outcome: control.OutcomeNotSent, Type: "stopped", Msg: msg, Codes: codesOf(ErrStopped)}
}

// Ids of meshes and processes are given out once and in order, and only an order takes a mesh off the books: one whose
// processes all died stays there until it is stopped. So an id that was given out and is not on the books was ended by
// order, and no list of what has ended is needed to know that.

// offTheBooks reports whether an actor mesh with that id has ended. The caller holds h.mu.
func (h *hub) offTheBooks(mesh uint64) bool {
	return mesh != 0 && mesh <= h.nextMesh && h.meshByID[mesh] == nil
}

// issued reports whether a process has, or had, that id. The caller holds h.mu.
func (h *hub) issued(proc uint64) bool {
	if proc&inProcessBit != 0 {
		return proc != inProcessBit && proc&^inProcessBit <= h.nextLocal
	}
	return proc != 0 && proc < h.nextProc
}

// whyNotSent is the outcome of a message that no link took: for who calls an actor whose end was ordered, its mesh is
// stopped, not lost.
func (n *node) whyNotSent(ref *meshRef, i int, err error) *wireError {
	if isError(err, ErrLost) {
		if why := n.orderedEnd(ref.MeshRef, ref.procOf(i)); why != nil {
			return why
		}
	}
	return notSent(err)
}

// orderedEnd is the outcome of a message to a process that has ended, when the end of the mesh or of the process was
// ordered, as far as is known here; else nil. For what is no actor, ref is zero.
func (n *node) orderedEnd(ref control.MeshRef, proc uint64) *wireError {
	if n.local != nil {
		return n.local.orderedEnd(ref, proc)
	}
	if g, gone := n.peers.whyGone(proc); gone && g.Ordered {
		return stoppedWire(g.Reason + asOrdered)
	}
	return nil
}

func (h *hub) orderedEnd(ref control.MeshRef, proc uint64) *wireError {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.procs[proc]
	switch {
	case h.offTheBooks(ref.ID):
		return stoppedWire(h.howEnded(ref))
	case p == nil && h.issued(proc):
		return stoppedWire(fmt.Sprintf("process %d ended with its proc mesh", proc) + asOrdered)
	case p == nil:
		return nil
	case p.over() && p.rec.Ordered:
		return stoppedWire(p.rec.Reason + asOrdered)
	case !p.over() && p.expect:
		return stoppedWire(fmt.Sprintf("rank %d of procs %s is ending", p.rank, p.rec.Mesh) + asOrdered)
	}
	return nil
}

// howEnded says how an actor mesh ended, as far as that is remembered. The caller holds h.mu.
func (h *hub) howEnded(ref control.MeshRef) string {
	for _, m := range slices.Backward(h.history) {
		switch {
		case m.Ref.ID != ref.ID:
		case m.Reason == "killed":
			return "@" + ref.Name + " was killed"
		case strings.HasPrefix(m.Reason, "stopped"):
			return "@" + ref.Name + " was " + m.Reason
		default:
			return "@" + ref.Name + " was stopped: " + m.Reason
		}
	}
	return "@" + ref.Name + " was stopped"
}

// nobodyLeft is the error of a spawn on processes that have all ended. The caller holds h.mu.
func nobodyLeft(pm *procMesh, home shape.Region) error {
	why := ErrStopped
	for rank := range home.Ranks() {
		if !pm.procs[rank].rec.Ordered {
			why = ErrLost
		}
	}
	return fmt.Errorf("every process of %s is gone: %w", pm.rec.Name, why)
}

// stoppedMesh is the error of a broadcast to a mesh that is known to have ended.
func (n *node) stoppedMesh(mesh uint64) error {
	if _, why := n.actors.find(mesh); why != nil {
		return why.remote()
	}
	return nil
}

// endOwned ends what actors of a mesh had created, after their OnStop.
func (h *hub) endOwned(ctx context.Context, m *mesh, ranks func(rank int) bool) {
	owned := func(o owner) bool {
		if o.addr.Actor != m.rec.Ref.ID {
			return false
		}
		base, ok := m.rec.Ref.Home.IndexOf(int(o.addr.Proc - m.rec.Ref.First))
		return ok && ranks(base)
	}
	h.endWhere(ctx, owned, "its owner ended")
}

// endOwnedBy ends what the actors of processes of a mesh had created, now that these are gone.
func (h *hub) endOwnedBy(pm *procMesh, ps []*proc) {
	ctx, cancel := h.node.clock.WithTimeout(h.node.root, drainTime+4*stopTime)
	defer cancel()
	b := newGone(ps, "", true)
	h.endWhere(ctx, func(o owner) bool { return b.has(o.addr.Proc) }, "its owner was in "+nameRanks(pm, ps)+", which is gone")
}

func (h *hub) endWhere(ctx context.Context, owned func(owner) bool, why string) {
	h.mu.Lock()
	var meshes []*mesh
	var procs []*procMesh
	for _, o := range h.meshes {
		if owned(o.owner) {
			meshes = append(meshes, o)
		}
	}
	for _, o := range h.procMeshes {
		if owned(o.owner) {
			procs = append(procs, o)
		}
	}
	h.mu.Unlock()
	for _, o := range meshes {
		_ = h.endMesh(ctx, o, false, why)
	}
	for _, o := range procs {
		_ = h.endProcs(ctx, o, why)
	}
}

// orphaned reports whether an owner has ended before what it asked for was made. The caller holds h.mu.
func (h *hub) orphaned(own owner) error {
	if p := h.procs[own.addr.Proc]; own.addr.Proc != 0 && (p == nil || p.over()) {
		return fmt.Errorf("the process that asked is gone: %w", ErrLost)
	}
	if own.addr.Actor != 0 && h.meshByID[own.addr.Actor] == nil {
		return fmt.Errorf("%s, who asked, has ended: %w", own.label, ErrStopped)
	}
	return nil
}

// fence waits until what this process has sent to those actors has reached their mailboxes, so that the controller's
// stop, which comes another way, does not overtake it. The controller itself needs none: its stop takes the same way.
func fence(ctx context.Context, to func(quicnet.Addr) bool) {
	n, err := nodeOf(ctx)
	if err != nil || n.hub != nil {
		return
	}
	procs := n.windows.busy(to)
	ctx, cancel := context.WithTimeout(ctx, stopTime) // a process that is stuck does not keep its mesh from being stopped
	defer cancel()
	passed := make(chan struct{}, len(procs))
	for proc := range procs {
		go func() {
			_ = n.request(ctx, quicnet.Addr{Proc: proc}, sysFence, 0, nil) // an error means that it has ended: there is nothing to wait for
			passed <- struct{}{}
		}()
	}
	for range procs {
		<-passed
	}
}

// ended waits for the end of a process, so long at most.
func ended(p *proc, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.ended:
		return true
	case <-t.C:
		return false
	}
}
