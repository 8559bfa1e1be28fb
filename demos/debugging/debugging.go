// Package debugging is the program of Monarch's debugging tutorial: 16 actors on 4 hosts stop in the middle of an
// endpoint, and four of them fail. Only who stops stands still; the rest of the mesh goes on. This file is the program;
// lesson.go is what is told about it.
package debugging

import (
	"context"
	"errors"
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors there are unless told otherwise: 4 GPUs on each of 4 hosts.
const Ranks = 16

// gpus is how many ranks a host has.
const gpus = 4

// DebugeeActor stops in its endpoint, and fails on every fourth rank.
type DebugeeActor struct {
	Break bool // whether ToDebug stops: where no front end is, nobody could let it go on

	value int
}

// ToDebug counts a little, stops in between, and gives what it has counted.
func (d *DebugeeActor) ToDebug(ctx context.Context) (int, error) {
	rank := engine.Here(ctx).Rank
	d.value = rank
	if d.Break {
		if err := engine.Break(ctx, "look at me"); err != nil {
			return 0, err
		}
	}
	d.value += rank%gpus + 1
	d.value += rank%gpus + 1
	if rank%gpus == 2 {
		return 0, badRank()
	}
	return d.value, nil
}

func badRank() error { return errors.New("bad rank") }

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	tell := story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "Hosts and GPUs"); err != nil {
		return err
	}
	hosts, each := grid(ranks)
	procs, err := engine.SpawnProcs(ctx, engine.Name("debug_mesh"), engine.Dim("hosts", hosts), engine.Dim("gpus", each))
	if err != nil {
		return err
	}
	defer end(ctx, procs)
	if err := tell.Step(ctx, "Actors that stop"); err != nil {
		return err
	}
	debugee, err := engine.Spawn(ctx, procs, "debugee", DebugeeActor{Break: story.Debugged(ctx)})
	if err != nil {
		return err
	}
	if err := tell.Step(ctx, "A call in the background"); err != nil {
		return err
	}
	call := engine.Query(debugee, (*DebugeeActor).ToDebug).Start(ctx)
	for _, title := range []string{"Who is stopped?", "Look at one", "One site further", "Some of them", "Post-mortem", "Let them go"} {
		if err := tell.Try(ctx, title, func() error { return nil }); err != nil { // nobody is stopped
			return err
		}
	}
	values, err := call.All(ctx)
	for point, v := range values.Items() {
		fmt.Fprintf(engine.Out(ctx), "%v: %d\n", point, v)
	}
	if err != nil {
		fmt.Fprintf(engine.Out(ctx), "the caller gets: %v\n", err)
	}
	return tell.Step(ctx, "The end: stop what you started")
}

// grid is how so many ranks stand on hosts.
func grid(ranks int) (hosts, each int) {
	if ranks%gpus == 0 {
		return ranks / gpus, gpus
	}
	return 1, ranks
}

// end ends the processes, at once where an actor is stopped in them: it could not end in order.
func end(ctx context.Context, procs engine.ProcMesh) {
	ctx = context.WithoutCancel(ctx)
	if procs.Stop(ctx) != nil {
		_ = procs.Kill(ctx) // the session's end does the rest
	}
}
