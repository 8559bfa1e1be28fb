// Package counter is the tutorial's third exercise: the ping-pong actor counts the messages that it sends and
// receives. This file is the program; lesson.go is what is told about it.
package counter

import (
	"context"
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors each group has unless told otherwise.
const Ranks = 2

// CountingActor counts.
type CountingActor struct {
	Name string

	pair           engine.Mesh[CountingActor]
	sent, received int
}

// Counts is what an actor has counted.
type Counts struct{ Sent, Received int }

// Init pairs the actor with the one of the same rank in the other group.
func (a *CountingActor) Init(ctx context.Context, other engine.Mesh[CountingActor]) error {
	a.pair = other.Slice(engine.Here(ctx))
	return a.pair.Err()
}

// Send sends n pings to the paired actor.
func (a *CountingActor) Send(ctx context.Context, n int) error {
	for range n {
		if err := engine.Signal(a.pair, (*CountingActor).Recv).Call(ctx); err != nil {
			return err
		}
		a.sent++
	}
	return nil
}

// Recv receives a ping.
func (a *CountingActor) Recv(context.Context) error {
	a.received++
	return nil
}

// Counts tells what the actor has counted.
func (a *CountingActor) Counts(context.Context) (Counts, error) {
	return Counts{a.sent, a.received}, nil
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	tell := story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "Exercise 3: a counter"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("count_mesh"), engine.Dim("gpus", ranks))
	if err != nil {
		return err
	}
	defer procs.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	a, err := engine.Spawn(ctx, procs, "counter_0", CountingActor{Name: "GroupA"})
	if err != nil {
		return err
	}
	b, err := engine.Spawn(ctx, procs, "counter_1", CountingActor{Name: "GroupB"})
	if err != nil {
		return err
	}
	if err := engine.Action(a, (*CountingActor).Init).Call(ctx, b); err != nil {
		return err
	}
	if err := engine.Action(b, (*CountingActor).Init).Call(ctx, a); err != nil {
		return err
	}

	if err := tell.Step(ctx, "Exercise 3: something to count"); err != nil {
		return err
	}
	if err := engine.Action(a, (*CountingActor).Send).Call(ctx, 3); err != nil {
		return err
	}
	err = tell.Try(ctx, "Exercise 3: now you send the other way", func() error {
		return engine.Action(b, (*CountingActor).Send).Call(ctx, 5)
	})
	if err != nil {
		return err
	}

	if err := tell.Step(ctx, "Exercise 3: ask for the counts"); err != nil {
		return err
	}
	if err := ask(ctx, a); err != nil {
		return err
	}
	err = tell.Try(ctx, "Exercise 3: now you ask", func() error { return ask(ctx, b) })
	if err != nil {
		return err
	}
	return tell.Step(ctx, "The end: stop what you started")
}

// ask prints what the actors of a group have counted.
func ask(ctx context.Context, group engine.Mesh[CountingActor]) error {
	counts, err := engine.Query(group, (*CountingActor).Counts).Call(ctx)
	if err != nil {
		return err
	}
	for point, c := range counts.Items() { // in rank order
		fmt.Fprintf(engine.Out(ctx), "%s[%d] sent %d, received %d\n", group.Name(), point.Rank, c.Sent, c.Received)
	}
	return nil
}
