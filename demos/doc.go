// Package demos lists the programs that monarch-tui can show: the tutorial's parts and its exercises. Each demo is one
// readable file in a folder of its own that uses only the public engine API; copy one to begin with.
package demos

import (
	"context"

	"github.com/monarch-tui/monarch-tui/demos/chain"
	"github.com/monarch-tui/monarch-tui/demos/counter"
	"github.com/monarch-tui/monarch-tui/demos/echo"
	"github.com/monarch-tui/monarch-tui/demos/pingpong"
	"github.com/monarch-tui/monarch-tui/demos/toy"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Demo is one program to watch.
type Demo struct {
	Name  string
	Title string
	Ranks int // actors per mesh unless told otherwise
	Steps int // how often Run tells a step (package story)
	Run   func(ctx context.Context, ranks int) error
}

// All lists the demos in the order to learn from them.
func All() []Demo {
	return []Demo{
		{"toy", "tutorial parts 2 and 3: call all actors, then each one", toy.Ranks, 3, toy.Run},
		{"pingpong", "tutorial part 4: two groups of actors talk to each other", pingpong.Ranks, 3, pingpong.Run},
		{"echo", "exercise 1: an endpoint that returns a value", echo.Ranks, 2, echo.Run},
		{"chain", "exercise 2: three groups in a ring, the way that deadlocks and the way that does not", chain.Ranks, 2, chain.Run},
		{"counter", "exercise 3: actors that count what they send and receive", counter.Ranks, 2, counter.Run},
	}
}

// Register makes the actor types of all demos known to this binary.
func Register() {
	engine.Register[toy.ToyActor]()
	engine.Register[pingpong.PingPongActor]()
	engine.Register[echo.EchoActor]()
	engine.Register[chain.LinkActor]()
	engine.Register[counter.CountingActor]()
}
