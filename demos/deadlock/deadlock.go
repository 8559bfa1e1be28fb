// Package deadlock is Dijkstra's dinner: philosophers around a table, a fork between each two of them, and each needs two
// forks to eat. In one order of picking them up they wait for each other for ever; in another they cannot. No message
// says who has which fork: the forks are locks of the session, which is how the debugger knows. This file is the program;
// lesson.go is what is told about it.
package deadlock

import (
	"context"
	"errors"
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many philosophers there are unless told otherwise.
const Ranks = 5

// PhilosopherActor eats with two forks: the one at its seat, and the one at the next seat.
type PhilosopherActor struct {
	Polite bool // the fork with the lower number first, wherever it lies; else always the own one first

	down  []func() // what puts down the forks that it has, in the order in which they were picked up
	meals int
}

// forks are the numbers of the forks that a philosopher needs, in the order in which it picks them up.
func (p *PhilosopherActor) forks(ctx context.Context) (first, second int) {
	here := engine.Here(ctx)
	first, second = here.Rank, (here.Rank+1)%max(2, here.Extent.Len())
	if p.Polite {
		return min(first, second), max(first, second)
	}
	return first, second
}

// Reach picks up the first fork, and keeps it.
func (p *PhilosopherActor) Reach(ctx context.Context) error {
	first, _ := p.forks(ctx)
	return p.pickUp(ctx, first)
}

// Eat picks up the second fork, eats, and puts both down.
func (p *PhilosopherActor) Eat(ctx context.Context) error {
	_, second := p.forks(ctx)
	if err := p.pickUp(ctx, second); err != nil {
		return err
	}
	p.meals++
	fmt.Fprintf(engine.Out(ctx), "philosopher %d has eaten\n", engine.Here(ctx).Rank)
	return p.Leave(ctx)
}

// Meals tells how often the philosopher has eaten.
func (p *PhilosopherActor) Meals(context.Context) (int, error) { return p.meals, nil }

// Leave puts down whatever forks there are.
func (p *PhilosopherActor) Leave(context.Context) error {
	for _, down := range p.down {
		down()
	}
	p.down = nil
	return nil
}

func (p *PhilosopherActor) pickUp(ctx context.Context, fork int) error {
	down, err := engine.Acquire(ctx, fmt.Sprintf("fork %d", fork))
	if err != nil {
		return err
	}
	p.down = append(p.down, down)
	return nil
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	tell := story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "A table"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("table_mesh"), engine.Dim("seats", ranks))
	if err != nil {
		return err
	}
	defer end(ctx, procs)
	if err := dine(ctx, tell, procs, false); err != nil {
		return err
	}
	if err := tell.Step(ctx, "The lower number first"); err != nil {
		return err
	}
	if err := dine(ctx, tell, procs, true); err != nil {
		return err
	}
	return tell.Step(ctx, "The end: stop what you started")
}

// dine has philosophers eat once each. Those who are not polite are given up on, once they have been looked at.
func dine(ctx context.Context, tell *story.Lesson, procs engine.ProcMesh, polite bool) error {
	name := map[bool]string{false: "hungry", true: "polite"}[polite]
	table, err := engine.Spawn(ctx, procs, name, PhilosopherActor{Polite: polite})
	if err != nil {
		return err
	}
	if !polite {
		if err := tell.Step(ctx, "Everybody reaches for a fork"); err != nil {
			return err
		}
	}
	reaching, err := reach(ctx, table, polite)
	if err != nil {
		return err
	}
	dinner, leave := context.WithCancel(ctx)
	defer leave()
	eating := engine.Signal(table, (*PhilosopherActor).Eat).Start(dinner)
	if !polite {
		if err := tell.Step(ctx, "Nobody eats"); err != nil {
			return err
		}
		for _, title := range []string{"Who waits for whom?", "Is it for ever?"} {
			if err := tell.Try(ctx, title, func() error { return nil }); err != nil { // nobody looks on
				return err
			}
		}
		if table.Len() > 1 { // one alone has two forks
			leave()
		}
	}
	if err := engine.Wait(ctx, reaching, eating); err != nil {
		if polite || !errors.Is(err, engine.ErrCancelled) {
			return err
		}
		fmt.Fprintf(engine.Out(ctx), "the dinner of the %s is given up\n", name)
	}
	meals, err := engine.Query(table, (*PhilosopherActor).Meals).Call(ctx) // each answers when it is done with Eat
	if err != nil {
		return err
	}
	fmt.Fprintf(engine.Out(ctx), "meals of the %s: %v\n", name, meals.Answered())
	return engine.Signal(table, (*PhilosopherActor).Leave).Call(ctx) // forks that were not needed
}

// reach has everybody pick up a first fork, and returns when all have who can: so it is the worst case each time. Of the
// polite, the last one and number 0 want the same, and one of them waits until the other has eaten.
func reach(ctx context.Context, table engine.Mesh[PhilosopherActor], polite bool) (*engine.Future[engine.None], error) {
	reaching, can := engine.Signal(table, (*PhilosopherActor).Reach).Start(ctx), table.Len()
	if polite && can > 1 {
		can--
	}
	for _, err := range reaching.Each(ctx) {
		if err != nil {
			return nil, err
		}
		if can--; can == 0 {
			break
		}
	}
	return reaching, nil
}

// end ends the processes, at once where an actor is stopped in them: it could not end in order.
func end(ctx context.Context, procs engine.ProcMesh) {
	ctx = context.WithoutCancel(ctx)
	if procs.Stop(ctx) != nil {
		_ = procs.Kill(ctx) // the session's end does the rest
	}
}
