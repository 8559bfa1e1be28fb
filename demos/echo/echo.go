// Package echo is the tutorial's first exercise: the toy actor, but it returns a value instead of printing one. This file
// is the program; lesson.go is what is told about it.
package echo

import (
	"context"
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors there are unless told otherwise.
const Ranks = 4

// EchoActor answers what it is told.
type EchoActor struct{}

// Echo returns the message with the rank that heard it.
func (*EchoActor) Echo(ctx context.Context, msg string) (string, error) {
	return fmt.Sprintf("Actor %d: Received message '%s'", engine.Here(ctx).Rank, msg), nil
}

// Linger answers after a while: long enough to stop, to kill or to be waited for.
func (*EchoActor) Linger(ctx context.Context, d time.Duration) (string, error) {
	select {
	case <-time.After(d):
		return fmt.Sprintf("Actor %d: lingered", engine.Here(ctx).Rank), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	out, tell := engine.Out(ctx), story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "Exercise 1: return a value"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("echo_mesh"), engine.Dim("gpus", ranks))
	if err != nil {
		return err
	}
	defer procs.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	actors, err := engine.Spawn(ctx, procs, "echo_actor", EchoActor{})
	if err != nil {
		return err
	}
	if err := tell.Step(ctx, "Exercise 1: a value from each rank"); err != nil {
		return err
	}
	values, err := engine.Method(actors, (*EchoActor).Echo).Call(ctx, "Hello from main!")
	if err != nil {
		return err
	}
	for point, value := range values.Items() { // one value per rank, in rank order
		fmt.Fprintf(out, "%s → %s\n", point, value)
	}
	if err := tell.Step(ctx, "Exercise 1: one value"); err != nil {
		return err
	}
	last := actors.Slice(engine.At("gpus", ranks-1))
	value, err := engine.Method(last, (*EchoActor).Echo).CallOne(ctx, "Just you")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, value)
	err = tell.Try(ctx, "Exercise 1: now you", func() error {
		mine, err := engine.Spawn(ctx, procs, "mine", EchoActor{})
		if err != nil {
			return err
		}
		values, err := engine.Method(mine, (*EchoActor).Echo).Call(ctx, "Mine")
		fmt.Fprintf(out, "%d values\n", values.Len())
		return err
	})
	if err != nil {
		return err
	}
	return tell.Step(ctx, "The end: stop what you started")
}
