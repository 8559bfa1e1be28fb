package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// endBody asks a process to end its actor of a mesh.
type endBody struct {
	Mesh   uint64
	Reason string
}

// stopHere drains an actor of this process, runs OnStop and forgets it. A handler that ignores its context is left
// behind, and its caller told; OnStop does not run beside it.
func (n *node) stopHere(ctx context.Context, b endBody) error {
	a := n.actors.get(b.Mesh)
	if a == nil {
		return nil
	}
	why := &wireError{Outcome: control.OutcomeNotSent, Type: "stopped", Msg: "@" + a.name + " was stopped", Codes: codesOf(ErrStopped)}
	defer n.forgetActor(b.Mesh, why)
	err := a.drain(ctx)
	cause := a.failure()
	a.end(why, false)
	hook, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	if !a.quietWithin(hook) {
		a.abandon(&wireError{Outcome: control.OutcomeLost, Type: "stopped", Msg: a.label() + " was stopped while it handled this", Codes: codesOf(ErrStopped)})
		return fmt.Errorf("%s: a handler did not end; OnStop was not run", a.label())
	}
	if s, ok := a.self.(Stopper); ok {
		base := context.WithValue(n.root, ctxKey{}, &ctxInfo{node: n, actor: a})
		hctx, done := hookContext(base, hook)
		defer done()
		err = errors.Join(err, runHook("OnStop", func() error { s.OnStop(hctx, cause); return nil }))
	}
	n.outbox.settle(hook, 0) // what its handlers reported arrives while its mesh is still known
	return err
}

// drain refuses new messages and waits until those that are here are handled, 10 s at most.
func (a *actor) drain(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, drainTime)
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

// checkQuiet tells drain when there is nothing left to do. The caller holds a.mu.
func (a *actor) checkQuiet() {
	if a.quiet == nil || len(a.queue) > 0 || len(a.running) > 0 {
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

// meshEnded notes in the controller that a mesh is no more, so that a broadcast to it is an error at once.
func (n *node) meshEnded(mesh uint64, name string) {
	n.actors.remove(mesh, &wireError{Outcome: control.OutcomeNotSent, Type: "stopped", Msg: "@" + name + " was stopped", Codes: codesOf(ErrStopped)})
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
	ctx, cancel := context.WithTimeout(h.node.root, drainTime+4*stopTime)
	defer cancel()
	b := newGone(ps, "")
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
