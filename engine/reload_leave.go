package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// What a process does that is to be replaced by one of another build: it handles what it has, stands still, gives the state of
// its actors, and either ends or goes on as if nothing had been.

// Names of the engine's messages to a process that moves.
const (
	sysLull   = "lull"   // request: wait until no actor does anything
	sysFreeze = "freeze" // request: begin nothing any more, if nothing was done since
	sysThaw   = "thaw"   // request: go on
	sysTake   = "take"   // request: the state of an actor that stands still
	sysLeave  = "leave"  // request: end, at once: nothing is on its way
)

type (
	// lullBody asks to wait until a process does nothing. What its mailboxes hold is refused first, where Refuse says so; what
	// runs is ended where Interrupt does.
	lullBody struct{ Refuse, Interrupt bool }
	// lulled is the answer.
	lulled struct{ Handled uint64 }
	// freezeBody asks a process to stand still which has handled so much.
	freezeBody struct{ Handled uint64 }
	// frozenBody is the answer.
	frozenBody struct {
		Frozen bool
		Actors []uint64 // by mesh: those that live
	}
	// takeBody asks for the state of an actor.
	takeBody struct{ Mesh uint64 }
	// takenState is what of an actor moves.
	takenState struct {
		How  stateKind
		Data []byte
	}
)

// stateKind is what an actor's state is made of.
type stateKind uint8

const (
	stateNone   stateKind = iota // it has fields that nobody but its own package can read, and no Snapshot: it begins anew
	stateHook                    // what its Snapshot gave
	stateFields                  // its fields, which are all exported
)

// reloadHandlers are those that every process has.
func reloadHandlers(t *sysTable) {
	holdHandlers(t)
	arriveHandlers(t)
	handle(t, sysLull, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b lullBody) (any, error) {
		return n.awaitLull(ctx, b)
	})
	handle(t, sysFreeze, fromController, func(_ context.Context, n *node, _ quicnet.Addr, b freezeBody) (any, error) {
		return n.freeze(b), nil
	})
	handle(t, sysThaw, fromController, func(_ context.Context, n *node, _ quicnet.Addr, _ int) (any, error) {
		n.thaw()
		return nil, nil
	})
	handle(t, sysTake, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b takeBody) (any, error) {
		return n.takeState(ctx, b.Mesh)
	})
}

// leaveHandler ends a worker that stands still. Nobody waits for anything of it, so it need not wait until others have acknowledged
// what they have had for long.
func (w *worker) leaveHandler(t *sysTable) {
	handle(t, sysLeave, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, _ int) (any, error) {
		limit, cancel := context.WithTimeout(ctx, lastWords)
		defer cancel()
		n.outbox.Settle(limit)
		w.exit <- 0
		return nil, nil
	})
}

// idle reports whether an actor has nothing to do. The caller holds a.mu.
func (a *actor) idle() bool {
	return a.ended != nil && a.running.len() == 0 || len(a.queue)+len(a.starts)+a.running.len() == 0
}

// awaitLull waits until no actor of the process does anything, and has nothing to do.
func (n *node) awaitLull(ctx context.Context, b lullBody) (lulled, error) {
	for _, a := range n.actors.all() {
		if b.Refuse {
			a.refuseQueued()
		}
		if b.Interrupt {
			a.interrupt(&wireError{Outcome: control.OutcomeLost, Type: "moving", Msg: a.label() + " was reloaded while it handled this", Codes: append(codesOf(ErrMoving), codesOf(ErrLost)...)})
		}
	}
	for {
		var busy *actor
		var lull chan struct{}
		out := lulled{}
		for _, a := range n.actors.all() {
			a.mu.Lock()
			if !a.idle() {
				if a.lull == nil {
					a.lull = make(chan struct{})
				}
				busy, lull = a, a.lull
			}
			out.Handled += a.handled
			a.mu.Unlock()
		}
		var again <-chan time.Time
		if busy == nil {
			if !n.actors.anyStarts() {
				fence(ctx, func(quicnet.Addr) bool { return true }) // what it has sent arrives before what its next incarnation sends
				return out, nil
			}
			again = time.After(startsAgain)
		}
		select {
		case <-lull:
		case <-again:
		case <-n.closing:
			return out, ErrStopped
		case <-ctx.Done():
			return out, stillBusy(busy)
		}
	}
}

// startsAgain is how long a process that is to do nothing waits before it looks again whether an OnStart still runs.
const startsAgain = 5 * time.Millisecond

// stillBusy says what a process does that was to do nothing.
func stillBusy(a *actor) error {
	if a == nil {
		return errors.New("an OnStart runs")
	}
	st := a.state()
	switch {
	case st.State == "paused":
		return fmt.Errorf("%s is stopped by the debugger in %s", a.label(), strings.Join(st.Running, ", "))
	case len(st.Running) > 0 && st.Queue > 0:
		return fmt.Errorf("%s runs %s, and %d messages wait", a.label(), strings.Join(st.Running, ", "), st.Queue)
	case len(st.Running) > 0:
		return fmt.Errorf("%s runs %s", a.label(), strings.Join(st.Running, ", "))
	}
	return fmt.Errorf("%s has %d messages", a.label(), st.Queue)
}

// refuseQueued answers what has not begun.
func (a *actor) refuseQueued() {
	a.mu.Lock()
	left := slices.Clone(a.queue)
	for i := range a.queue {
		a.queue[i] = nil
	}
	a.queue, a.turns, a.size = a.room[:0], nil, 0
	a.late.Clear()
	a.late.Arm(a.ripen)
	a.checkQuiet()
	a.mu.Unlock()
	for _, env := range left {
		a.node.refuse(env, movingWire(a))
	}
	a.node.touch()
}

// freeze has the actors begin nothing any more, if none does anything and they have handled nothing since.
func (n *node) freeze(b freezeBody) (out frozenBody) {
	all := n.actors.all()
	handled := uint64(0)
	out.Frozen = !n.actors.anyStarts()
	for _, a := range all {
		a.mu.Lock()
		handled += a.handled
		if a.frozen = true; !a.idle() {
			out.Frozen = false
		}
		if a.ended == nil {
			out.Actors = append(out.Actors, a.id)
		}
		a.mu.Unlock()
	}
	if handled != b.Handled {
		out.Frozen = false
	}
	if !out.Frozen {
		n.thaw()
		return frozenBody{}
	}
	slices.Sort(out.Actors)
	return out
}

// thaw lets the actors go on.
func (n *node) thaw() {
	for _, a := range n.actors.all() {
		a.mu.Lock()
		a.frozen = false
		a.rouse()
		a.mu.Unlock()
	}
}

// takeState takes what of an actor moves.
func (n *node) takeState(ctx context.Context, mesh uint64) (takenState, error) {
	a := n.actors.get(mesh)
	if a == nil {
		return takenState{}, errors.New("the actor has ended")
	}
	s, hook := a.self.(Snapshotter)
	if !hook && !allExported(a.typ.typ) {
		return takenState{}, nil
	}
	out := takenState{How: stateHook}
	err := a.at(ctx, "taking its snapshot", func() (err error) {
		if hook {
			out.Data, err = takeSnapshot(s)
			return err
		}
		out.How = stateFields
		out.Data, err = bodies.Encode(reflect.ValueOf(a.self).Elem().Interface(), a.typ.typ)
		return err
	})
	if err == nil && len(out.Data) > maxSaved {
		err = fmt.Errorf("its fields take %d bytes, at most %d travel", len(out.Data), maxSaved)
	}
	if err != nil {
		return takenState{}, fmt.Errorf("%s: %w", a.label(), err)
	}
	return out, nil
}

// allExported reports whether the fields of an actor are all of its state: those that are not exported do not travel.
func allExported(t reflect.Type) bool {
	for f := range t.Fields() {
		if !f.IsExported() && f.Name != "_" {
			return false
		}
	}
	return true
}

// anyStarts reports whether an OnStart runs.
func (t *actorTable) anyStarts() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.starting) > 0
}
