// Package chain is the tutorial's second exercise: three groups of actors in a ring, A → B → C → A.
//
// The obvious form, in which each actor calls the next and waits, must wait for itself when the message comes back to A:
// A still handles the first message. The engine refuses such a call at once and names the path. The form that works
// passes the message on without waiting and answers through a port.
//
// This file is the program; lesson.go is what is told about it.
package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors each group has unless told otherwise.
const Ranks = 2

// LinkActor is one link of the ring.
type LinkActor struct {
	Group string

	next engine.Mesh[LinkActor]
}

// Token goes round the ring.
type Token struct {
	Home  string                // the group at which it ends; where it begins unless told otherwise
	Trail []string              // where it has been
	Done  engine.Port[[]string] // gets the trail at the end; who has no port, such as a script, reads what the last one prints
}

// Connect sets the next link.
func (l *LinkActor) Connect(ctx context.Context, next engine.Mesh[LinkActor]) error {
	l.next = next.Slice(engine.Here(ctx))
	return l.next.Err()
}

// Ask passes a token on and waits for the answer: the form that deadlocks.
func (l *LinkActor) Ask(ctx context.Context, t Token) (Token, error) {
	t.Trail = append(t.Trail, l.Group)
	return engine.Method(l.next, (*LinkActor).Ask).CallOne(ctx, t)
}

// Pass passes a token on without waiting: the form that works.
func (l *LinkActor) Pass(ctx context.Context, t Token) error {
	if t.Home == "" {
		t.Home = l.Group
	}
	if l.Group != t.Home && slices.Contains(t.Trail, l.Group) {
		return fmt.Errorf("the token has been everywhere (%v) and there is no group %q at which it could end", t.Trail, t.Home)
	}
	t.Trail = append(t.Trail, l.Group)
	switch {
	case l.Group != t.Home || len(t.Trail) == 1:
		return engine.Action(l.next, (*LinkActor).Pass).Broadcast(ctx, t)
	case t.Done.IsZero():
		fmt.Fprintf(engine.Out(ctx), "went round: %v\n", t.Trail)
		return nil
	}
	return t.Done.Send(ctx, t.Trail)
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	out, tell := engine.Out(ctx), story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "Exercise 2: three groups"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("ring_mesh"), engine.Dim("gpus", ranks))
	if err != nil {
		return err
	}
	defer procs.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	var ring [3]engine.Mesh[LinkActor]
	for i, name := range []string{"A", "B", "C"} {
		if ring[i], err = engine.Spawn(ctx, procs, name, LinkActor{Group: name}); err != nil {
			return err
		}
	}
	if err := tell.Step(ctx, "Exercise 2: who is next"); err != nil {
		return err
	}
	for i := range 2 { // A → B → C
		if err := engine.Action(ring[i], (*LinkActor).Connect).Call(ctx, ring[i+1]); err != nil {
			return err
		}
	}
	err = tell.Try(ctx, "Exercise 2: now you close the ring", func() error {
		return engine.Action(ring[2], (*LinkActor).Connect).Call(ctx, ring[0]) // C → A
	})
	if err != nil {
		return err
	}

	if err := tell.Step(ctx, "Exercise 2: a ring in which each waits"); err != nil {
		return err
	}
	first := ring[0].Slice(engine.At("gpus", 0))
	_, err = engine.Method(first, (*LinkActor).Ask).CallOne(ctx, Token{Home: "A"})
	if !errors.Is(err, engine.ErrCallCycle) {
		return fmt.Errorf("the ring of waiting calls was not refused: %w", err)
	}
	fmt.Fprintf(out, "refused: %v\n", err)

	if err := tell.Step(ctx, "Exercise 2: pass on, and do not wait"); err != nil {
		return err
	}
	done, trails, err := engine.Channel[[]string](ctx)
	if err != nil {
		return err
	}
	defer trails.Close()
	if err := engine.Action(ring[0], (*LinkActor).Pass).Call(ctx, Token{Home: "A", Done: done}); err != nil {
		return err
	}
	if err := rounds(ctx, trails, ranks); err != nil {
		return err
	}
	err = tell.Try(ctx, "Exercise 2: now you send one round", func() error {
		if err := engine.Action(ring[1], (*LinkActor).Pass).Call(ctx, Token{Done: done}); err != nil {
			return err
		}
		return rounds(ctx, trails, ranks)
	})
	if err != nil {
		return err
	}
	return tell.Step(ctx, "The end: stop what you started")
}

// rounds prints where so many tokens have been.
func rounds(ctx context.Context, trails *engine.Receiver[[]string], n int) error {
	for range n {
		trail, err := trails.Recv(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(engine.Out(ctx), "went round: %v\n", trail)
	}
	return nil
}
