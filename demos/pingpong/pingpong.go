// Package pingpong is part 4 of the tutorial: two groups of actors that talk to each other. This file is the program;
// lesson.go is what is told about it.
package pingpong

import (
	"context"
	"errors"
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors each group of the tutorial has.
const Ranks = 2

// PingPongActor sends to its opposite number in another group, and hears from it.
type PingPongActor struct {
	Name string // of its group; an exported field is a constructor argument

	identity int
	pair     engine.Mesh[PingPongActor] // its opposite number; a field like any other
}

// Init pairs the actor with the one of the same rank in the other group.
func (a *PingPongActor) Init(ctx context.Context, other engine.Mesh[PingPongActor]) error {
	a.identity = engine.Here(ctx).Rank
	a.pair = other.Slice(engine.Here(ctx))
	fmt.Fprintf(engine.Out(ctx), "[%s:%d] Initialized and paired with other actor\n", a.Name, a.identity)
	return a.pair.Err()
}

// Send has the paired actor receive a message.
func (a *PingPongActor) Send(ctx context.Context, msg string) error {
	msg = fmt.Sprintf("Sender (%s:%d) says: %s", a.Name, a.identity, msg)
	return engine.Action(a.pair, (*PingPongActor).Recv).Call(ctx, msg)
}

// Recv prints a message.
func (a *PingPongActor) Recv(ctx context.Context, msg string) error {
	fmt.Fprintf(engine.Out(ctx), "Pong! [%s:%d] received: %s\n", a.Name, a.identity, msg)
	return nil
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	out, tell := engine.Out(ctx), story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "Part 4: two groups"); err != nil {
		return err
	}
	a, stopA, err := group(ctx, ranks, 0, "GroupA")
	if err != nil {
		return err
	}
	defer stopA(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	if err := tell.Step(ctx, "Part 4: a constructor argument"); err != nil {
		return err
	}
	b, stopB, err := group(ctx, ranks, 1, "GroupB")
	if err != nil {
		return err
	}
	defer stopB(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	fmt.Fprintf(out, "✓ Created two actor groups (%d actors each)\n", ranks)

	if err := introduce(ctx, tell, a, b); err != nil {
		return err
	}
	if err := play(ctx, tell, a, b); err != nil {
		return err
	}
	return tell.Step(ctx, "The end: stop what you started")
}

// introduce pairs the groups: each gets a handle to the other.
func introduce(ctx context.Context, tell *story.Lesson, a, b engine.Mesh[PingPongActor]) error {
	if err := tell.Step(ctx, "Part 4: a handle travels in a message"); err != nil {
		return err
	}
	if err := engine.Action(a, (*PingPongActor).Init).Call(ctx, b); err != nil { // group A learns about group B
		return err
	}
	if err := tell.Step(ctx, "Part 4: my opposite number"); err != nil {
		return err
	}
	err := tell.Try(ctx, "Part 4: now you introduce the other group", func() error {
		return engine.Action(b, (*PingPongActor).Init).Call(ctx, a) // and group B about group A
	})
	if err != nil {
		return err
	}
	fmt.Fprint(engine.Out(ctx), "\n✓ Actors are now paired and ready to communicate!\n")
	return nil
}

// play has the groups send to each other.
func play(ctx context.Context, tell *story.Lesson, a, b engine.Mesh[PingPongActor]) error {
	if err := tell.Step(ctx, "Part 4: an actor calls an actor"); err != nil {
		return err
	}
	fmt.Fprint(engine.Out(ctx), "📤 Group A sending 'Ping!' to Group B...\n\n")
	if err := engine.Action(a, (*PingPongActor).Send).Call(ctx, "Ping!"); err != nil {
		return err
	}
	err := tell.Try(ctx, "Part 4: now you send one back", func() error {
		fmt.Fprint(engine.Out(ctx), "📤 Group B sending 'Ping!' to Group A...\n\n")
		return engine.Action(b, (*PingPongActor).Send).Call(ctx, "Ping!")
	})
	if err != nil {
		return err
	}
	err = tell.Try(ctx, "Part 4: now you let one pair play", func() error {
		one := a.Slice(engine.At("gpus", a.Len()-1))
		return engine.Action(one, (*PingPongActor).Send).Call(ctx, "Just us two")
	})
	if err != nil {
		return err
	}
	fmt.Fprint(engine.Out(ctx), "\n✓ Ping Pong Complete!\n")
	return nil
}

// group starts a mesh of processes with one actor each.
func group(ctx context.Context, ranks, number int, name string) (engine.Mesh[PingPongActor], func(context.Context) error, error) {
	procs, err := engine.SpawnProcs(ctx, engine.Name(fmt.Sprintf("mesh_%d", number)), engine.Dim("gpus", ranks))
	if err != nil {
		return engine.Mesh[PingPongActor]{}, nil, err
	}
	actors, err := engine.Spawn(ctx, procs, fmt.Sprintf("actor_%d", number), PingPongActor{Name: name})
	if err != nil {
		return actors, nil, errors.Join(err, procs.Stop(context.WithoutCancel(ctx)))
	}
	return actors, procs.Stop, nil
}
