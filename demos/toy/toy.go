// Package toy is parts 1 to 3 of the tutorial: what an actor, an endpoint and a process mesh are; how to create actors,
// call all of them, and call one. This file is the program; lesson.go is what is told about it.
package toy

import (
	"context"
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors the tutorial has.
const Ranks = 4

// ToyActor prints what it is told. Any struct can be an actor; its fields are its memory.
type ToyActor struct {
	rank int
}

// OnStart is called once, before the first message: the actor notes which rank of the mesh it is.
func (a *ToyActor) OnStart(ctx context.Context) error {
	a.rank = engine.Here(ctx).Rank
	return nil
}

// HelloWorld is an endpoint: a method that can be called from another process. It prints a message.
func (a *ToyActor) HelloWorld(ctx context.Context, msg string) error {
	fmt.Fprintf(engine.Out(ctx), "Actor %d: Received message '%s'\n", a.rank, msg)
	return nil
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	out, tell := engine.Out(ctx), story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "Part 1: an actor"); err != nil {
		return err
	}
	if err := tell.Step(ctx, "Part 1: an endpoint"); err != nil {
		return err
	}

	if err := tell.Step(ctx, "Part 1: a process mesh"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("toy_mesh"), engine.Dim("gpus", ranks))
	if err != nil {
		return err
	}
	defer procs.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens

	if err := tell.Step(ctx, "Part 2: spawn actors"); err != nil {
		return err
	}
	toys, err := engine.Spawn(ctx, procs, "toy_actor", ToyActor{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "✓ Spawned %d ToyActor instances\n", ranks)

	if err := tell.Step(ctx, "Part 2: call all actors at once"); err != nil {
		return err
	}
	hello := engine.Action(toys, (*ToyActor).HelloWorld)
	if err := hello.Call(ctx, "Hello from main!"); err != nil {
		return err
	}
	err = tell.Try(ctx, "Part 2: now you call them all", func() error {
		return hello.Call(ctx, "Hello from you!")
	})
	if err != nil {
		return err
	}
	if err := slices(ctx, tell, toys); err != nil {
		return err
	}
	if err := refused(ctx, tell, toys); err != nil {
		return err
	}
	if err := together(ctx, tell, toys); err != nil {
		return err
	}
	err = tell.Try(ctx, "Exercise 4: a mesh of another size", func() error { return exercise(ctx, 2*ranks) })
	if err != nil {
		return err
	}
	return tell.Step(ctx, "The end: stop what you started")
}

// slices calls one actor of the mesh.
func slices(ctx context.Context, tell *story.Lesson, toys engine.Mesh[ToyActor]) error {
	if err := tell.Step(ctx, "Part 3: why slice"); err != nil {
		return err
	}
	last := toys.Len() - 1
	one := toys.Slice(engine.At("gpus", last))
	err := tell.Try(ctx, "Part 3: now you pick a rank", func() error {
		fmt.Fprintf(engine.Out(ctx), "picked rank %d of %d\n", last, toys.Len())
		return nil
	})
	if err != nil {
		return err
	}
	if err := tell.Step(ctx, "Part 3: call one actor"); err != nil {
		return err
	}
	return engine.Action(one, (*ToyActor).HelloWorld).CallOne(ctx, "Just you")
}

// refused asks CallOne for more than one actor: nothing is sent, and the error says why.
func refused(ctx context.Context, tell *story.Lesson, toys engine.Mesh[ToyActor]) error {
	if toys.Len() == 1 {
		return nil // of one actor there is nothing to refuse
	}
	if err := tell.Step(ctx, "Part 3: what CallOne refuses"); err != nil {
		return err
	}
	hello := engine.Action(toys, (*ToyActor).HelloWorld)
	ask := func() error {
		err := hello.CallOne(ctx, "Which one?")
		if err == nil {
			return fmt.Errorf("CallOne was not refused on %d actors", toys.Len())
		}
		fmt.Fprintf(engine.Out(ctx), "refused: %v\n", err)
		return nil
	}
	if err := ask(); err != nil {
		return err
	}
	return tell.Try(ctx, "Part 3: now you are refused", ask)
}

// together calls each actor with a message of its own, all at the same time.
func together(ctx context.Context, tell *story.Lesson, toys engine.Mesh[ToyActor]) error {
	if err := tell.Step(ctx, "Part 3: to each its own, at the same time"); err != nil {
		return err
	}
	var calls []engine.Waiter // all are sent before the first is waited for
	for i := range toys.Len() {
		one, msg := toys.Slice(engine.At("gpus", i)), fmt.Sprintf("Unique message for actor %d", i)
		calls = append(calls, engine.Action(one, (*ToyActor).HelloWorld).Start(ctx, msg))
	}
	if err := engine.Wait(ctx, calls...); err != nil {
		return err
	}
	fmt.Fprint(engine.Out(ctx), "\n✓ All specific actor calls completed\n")
	return nil
}

// exercise is the same program on a mesh of another size.
func exercise(ctx context.Context, ranks int) error {
	procs, err := engine.SpawnProcs(ctx, engine.Name("big_mesh"), engine.Dim("gpus", ranks))
	if err != nil {
		return err
	}
	defer procs.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	toys, err := engine.Spawn(ctx, procs, "big_toys", ToyActor{})
	if err != nil {
		return err
	}
	return engine.Action(toys, (*ToyActor).HelloWorld).Call(ctx, "There are more of us")
}
