// Package demos lists the programs that monarch-tui can show: the tutorial's parts and its exercises, and mistakes to
// find with the debugger. Each demo is one readable file in a folder of its own that uses only the public engine API; copy
// one to begin with. Beside it lies what is told while it runs, its lesson (package story).
package demos

import (
	"context"

	"github.com/monarch-tui/monarch-tui/demos/chain"
	"github.com/monarch-tui/monarch-tui/demos/counter"
	"github.com/monarch-tui/monarch-tui/demos/ddp"
	"github.com/monarch-tui/monarch-tui/demos/deadlock"
	"github.com/monarch-tui/monarch-tui/demos/debugging"
	"github.com/monarch-tui/monarch-tui/demos/echo"
	"github.com/monarch-tui/monarch-tui/demos/pingpong"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/demos/straggler"
	"github.com/monarch-tui/monarch-tui/demos/toy"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Demo is one program to watch.
type Demo struct {
	Name   string
	Title  string
	Ranks  int // actors per mesh unless told otherwise
	Lesson func(ranks int) []story.Step
	Run    func(ctx context.Context, ranks int) error
}

// All lists the demos in the order to learn from them.
func All() []Demo {
	return []Demo{
		{"toy", "tutorial parts 1 to 3: what an actor is; call all actors, then one", toy.Ranks, toy.Lesson, toy.Run},
		{"pingpong", "tutorial part 4: two groups of actors talk to each other", pingpong.Ranks, pingpong.Lesson, pingpong.Run},
		{"echo", "exercise 1: an endpoint that returns a value", echo.Ranks, echo.Lesson, echo.Run},
		{"chain", "exercise 2: three groups in a ring, the way that deadlocks and the way that does not", chain.Ranks, chain.Lesson, chain.Run},
		{"counter", "exercise 3: actors that count what they send and receive", counter.Ranks, counter.Lesson, counter.Run},
		{"debugging", "debugger 1: 16 actors stop, some of them fail; Monarch's debugging tutorial", debugging.Ranks, debugging.Lesson, debugging.Run},
		{"straggler", "debugger 2: one of 16 ranks learns nothing; find it, and the message that did it", straggler.Ranks, straggler.Lesson, straggler.Run},
		{"deadlock", "debugger 3: five philosophers wait for each other; see for what, and that it is for ever", deadlock.Ranks, deadlock.Lesson, deadlock.Run},
		{"ddp", "training over 8 ranks that survives the death of any of them", ddp.Ranks, ddp.Lesson, ddp.Run},
	}
}

// Register makes the actor types of all demos known to this binary.
func Register() {
	engine.Register[toy.ToyActor]()
	engine.Register[pingpong.PingPongActor]()
	engine.Register[echo.EchoActor]()
	engine.Register[chain.LinkActor]()
	engine.Register[counter.CountingActor]()
	engine.Register[debugging.DebugeeActor]()
	engine.Register[straggler.TrainerActor]()
	engine.Register[straggler.LoaderActor]()
	engine.Register[deadlock.PhilosopherActor]()
	engine.Register[ddp.LearnerActor]()
	engine.Register[ddp.TutorActor]()
}
