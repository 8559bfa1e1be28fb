package echo

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	return []story.Step{
		{
			Title:   "Exercise 1: return a value",
			Text:    "The toy actor printed its message. To answer with it, the endpoint returns a value and an error; nothing else changes.",
			Go:      "func (*EchoActor) Echo(ctx context.Context, msg string) (string, error) {",
			Command: "endpoints EchoActor",
		},
		{
			Title:   "Exercise 1: a value from each rank",
			Text:    "Method is for endpoints with a result, as Action is for those without. Call returns one value per rank, in the order of the ranks.",
			Go:      `values, err := engine.Method(actors, (*EchoActor).Echo).Call(ctx, "Hello from main!")`,
			Command: `call @echo_actor.Echo "Hello from main!"`,
		},
		{
			Title:   "Exercise 1: one value",
			Text:    "CallOne has one rank to ask, so it returns the value itself.",
			Go:      `value, err := engine.Method(last, (*EchoActor).Echo).CallOne(ctx, "Just you")`,
			Command: fmt.Sprintf(`one @echo_actor[gpus=%d].Echo "Just you"`, ranks-1),
		},
		{
			Title: "Exercise 1: now you",
			Text:  "Exercise: spawn an EchoActor on echo_mesh yourself, call Echo on all its ranks, and read their values.",
			Go:    `values, err := engine.Method(mine, (*EchoActor).Echo).Call(ctx, "Mine")`,
			How:   "{spawn} spawns: type EchoActor, on echo_mesh. Then {pane.2}, {select.all} and {call}; equal values come as one row.",
			Goals: []string{"spawn @mine on echo_mesh EchoActor", "call @mine.Echo Mine"},
			Done:  "Each rank has answered you with a value of its own.",
		},
		{
			Title:   "The end: stop what you started",
			Text:    "In a program of your own you would change ToyActor and start monarch-tui -p ./prog. The next exercise is :demo chain.",
			Go:      "procs.Stop(context.WithoutCancel(ctx))",
			Command: "stop echo_mesh",
		},
	}
}
