package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// endBody asks a process to end its actor of a mesh.
type endBody struct {
	Mesh   uint64
	Reason string
}

// stopHere drains an actor of this process, runs OnStop and forgets it. A handler that ignores its context is left
// behind, and its caller told; OnStop does not run beside it.
func (n *node) stopHere(ctx context.Context, b endBody) error {
	a := n.actor(b.Mesh)
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
		err = errors.Join(err, guard("OnStop", func() error { s.OnStop(hctx, cause); return nil }))
	}
	n.settle(hook, 0) // what its handlers reported arrives while its mesh is still known
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
	a := n.actor(b.Mesh)
	if a == nil { // it may be in its OnStart, whose context ends; spawnHere looks whether it is wanted still
		n.mu.Lock()
		cancel := n.starting[b.Mesh]
		n.mu.Unlock()
		if cancel != nil {
			cancel(ErrStopped)
		}
		n.forgetActor(b.Mesh, &wireError{Outcome: control.OutcomeNotSent, Type: "killed", Msg: "the actor was killed before it started", Codes: codesOf(ErrStopped)})
		return
	}
	why := &wireError{Outcome: control.OutcomeLost, Type: "killed", Msg: a.label() + " was killed", Codes: codesOf(ErrStopped)}
	a.abandon(why)
	n.forgetActor(b.Mesh, &wireError{Outcome: control.OutcomeNotSent, Type: "killed", Msg: "@" + a.name + " was killed", Codes: codesOf(ErrStopped)})
}

// forgetActor removes an actor and keeps what later callers are told.
func (n *node) forgetActor(mesh uint64, why *wireError) {
	n.mu.Lock()
	delete(n.actors, mesh)
	n.keepEnded(mesh, why)
	n.mu.Unlock()
	n.touch()
}

func (n *node) keepEnded(mesh uint64, why *wireError) {
	if len(n.ended) > 4096 { // what we say about older ones is less exact
		clear(n.ended)
	}
	n.ended[mesh] = why
}

// meshEnded notes in the controller that a mesh is no more, so that a broadcast to it is an error at once.
func (n *node) meshEnded(mesh uint64, name string) {
	n.mu.Lock()
	n.keepEnded(mesh, &wireError{Outcome: control.OutcomeNotSent, Type: "stopped", Msg: "@" + name + " was stopped", Codes: codesOf(ErrStopped)})
	n.mu.Unlock()
}

// stoppedMesh is the error of a broadcast to a mesh that is known to have ended.
func (n *node) stoppedMesh(mesh uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if why := n.ended[mesh]; why != nil {
		return why.remote()
	}
	return nil
}
