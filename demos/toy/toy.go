// Package toy is parts 2 and 3 of the tutorial: create actors, call all of them, call each one.
package toy

import (
	"context"
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors the tutorial has.
const Ranks = 4

// ToyActor prints what it is told.
type ToyActor struct {
	rank int
}

// OnStart notes the actor's own rank.
func (a *ToyActor) OnStart(ctx context.Context) error {
	a.rank = engine.Here(ctx).Rank
	return nil
}

// HelloWorld prints a message.
func (a *ToyActor) HelloWorld(ctx context.Context, msg string) error {
	fmt.Fprintf(engine.Out(ctx), "Actor %d: Received message '%s'\n", a.rank, msg)
	return nil
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	out := engine.Out(ctx)
	if err := story.Step(ctx, "Part 2: create a process mesh and spawn actors"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("toy_mesh"), engine.Dim("gpus", ranks))
	if err != nil {
		return err
	}
	defer procs.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	toys, err := engine.Spawn(ctx, procs, "toy_actor", ToyActor{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "✓ Spawned %d ToyActor instances\n", ranks)

	if err := story.Step(ctx, "Part 2: call all actors at once"); err != nil {
		return err
	}
	if err := engine.Action(toys, (*ToyActor).HelloWorld).Call(ctx, "Hello from main!"); err != nil {
		return err
	}

	if err := story.Step(ctx, "Part 3: slice, and call each actor with a message of its own"); err != nil {
		return err
	}
	var calls []engine.Waiter // all are sent before the first is waited for
	for i := range ranks {
		one := toys.Slice(engine.At("gpus", i))
		calls = append(calls, engine.Action(one, (*ToyActor).HelloWorld).Start(ctx, fmt.Sprintf("Unique message for actor %d", i)))
	}
	if err := engine.Wait(ctx, calls...); err != nil {
		return err
	}
	fmt.Fprint(out, "\n✓ All specific actor calls completed\n")
	return story.Linger(ctx)
}
