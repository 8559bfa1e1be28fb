// Package pingpong is part 4 of the tutorial: two groups of actors that talk to each other.
package pingpong

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many actors each group of the tutorial has.
const Ranks = 2

// PingPongActor sends to its opposite number in another group, and hears from it.
type PingPongActor struct {
	Name string // of its group; an exported field is a constructor argument

	identity int
	pair     engine.Mesh[PingPongActor]
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
	return engine.Action(a.pair, (*PingPongActor).Recv).Call(ctx, fmt.Sprintf("Sender (%s:%d) says: %s", a.Name, a.identity, msg))
}

// Recv prints a message.
func (a *PingPongActor) Recv(ctx context.Context, msg string) error {
	fmt.Fprintf(engine.Out(ctx), "Pong! [%s:%d] received: %s\n", a.Name, a.identity, msg)
	return nil
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	out := engine.Out(ctx)
	if err := story.Step(ctx, "Part 4: create two groups of actors"); err != nil {
		return err
	}
	a, stopA, err := group(ctx, ranks, 0, "GroupA")
	if err != nil {
		return err
	}
	defer stopA(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	b, stopB, err := group(ctx, ranks, 1, "GroupB")
	if err != nil {
		return err
	}
	defer stopB(context.WithoutCancel(ctx)) //nolint:errcheck // the workers end, whatever happens
	fmt.Fprintf(out, "✓ Created two actor groups (%d actors each)\n", ranks)

	if err := story.Step(ctx, "Part 4: pair the actors"); err != nil {
		return err
	}
	err = engine.Wait(ctx,
		engine.Action(a, (*PingPongActor).Init).Start(ctx, b), // group A learns about group B
		engine.Action(b, (*PingPongActor).Init).Start(ctx, a), // and group B about group A
	)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "\n✓ Actors are now paired and ready to communicate!\n")

	if err := story.Step(ctx, "Part 4: ping, pong"); err != nil {
		return err
	}
	line := strings.Repeat("=", 60)
	fmt.Fprintf(out, "%s\nStarting Ping Pong Communication\n%s\n\n", line, line)
	fmt.Fprint(out, "📤 Group A sending 'Ping!' to Group B...\n\n")
	if err := engine.Action(a, (*PingPongActor).Send).Call(ctx, "Ping!"); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n\n", strings.Repeat("-", 60))
	fmt.Fprint(out, "📤 Group B sending 'Ping!' to Group A...\n\n")
	if err := engine.Action(b, (*PingPongActor).Send).Call(ctx, "Ping!"); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n✓ Ping Pong Complete!\n%s\n", line, line)
	return story.Linger(ctx)
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
