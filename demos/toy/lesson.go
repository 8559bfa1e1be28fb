package toy

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	last := ranks - 1
	one := fmt.Sprintf("@toy_actor[gpus=%d]", last)
	steps := []story.Step{
		{
			Title:   "Part 1: an actor",
			Text:    "An actor is a struct with a mailbox. Only the actor touches its fields, one message after the other, so it needs no locks.",
			Go:      "type ToyActor struct { rank int }",
			Command: "endpoints",
		},
		{
			Title:   "Part 1: an endpoint",
			Text:    "An endpoint is a method that others may call, from whichever process they live in. It takes a context and its arguments, three at most.",
			Go:      "func (a *ToyActor) HelloWorld(ctx context.Context, msg string) error {",
			Command: "endpoints ToyActor",
		},
		{
			Title:   "Part 1: a process mesh",
			Text:    fmt.Sprintf("A process mesh is a grid of worker processes whose sides have names. This one has %d along gpus. It starts when you go on.", ranks),
			Go:      `procs, err := engine.SpawnProcs(ctx, engine.Name("toy_mesh"), engine.Dim("gpus", ranks))`,
			Command: fmt.Sprintf("procs toy_mesh gpus=%d", ranks),
		},
		{
			Title:   "Part 2: spawn actors",
			Text:    "Spawn puts one actor into each process and returns one handle for all of them. Every actor learns its own rank, its place in the mesh.",
			Go:      `toys, err := engine.Spawn(ctx, procs, "toy_actor", ToyActor{})`,
			Command: "spawn @toy_actor on toy_mesh ToyActor",
		},
		{
			Title:   "Part 2: call all actors at once",
			Text:    "Call sends one message to every rank and waits until each has answered. Messages shows who was called, Logs what they print.",
			Go:      `hello.Call(ctx, "Hello from main!")`,
			Command: `call @toy_actor.HelloWorld "Hello from main!"`,
		},
		{
			Title: "Part 2: now you call them all",
			Text:  fmt.Sprintf("Now you: have all %d actors print a message of yours.", ranks),
			Go:    "hello := engine.Action(toys, (*ToyActor).HelloWorld)",
			How:   "{pane.2} goes to the ranks, {select.all} selects them all, {call} opens the form; then a message, enter, esc.",
			Goals: []string{`call @toy_actor.HelloWorld "Hello from you!"`},
			Done:  fmt.Sprintf("You called all %d. Each printed its line, and Logs folds what they said alike.", ranks),
		},
		{
			Title:   "Part 3: why slice",
			Text:    "Often one actor is meant, with its part of the data or its device. To slice is to get a handle for fewer of the same actors; nothing is copied.",
			Go:      `one := toys.Slice(engine.At("gpus", last))`,
			Command: "focus " + one,
		},
		{
			Title: "Part 3: now you pick a rank",
			Text:  fmt.Sprintf("Now you: select rank %d on the grid, and nothing else.", last),
			Go:    `one := toys.Slice(engine.At("gpus", last))`,
			How:   "{back} clears what is selected; {left} and {right} move the cursor, {select} selects. The slice is written under the grid.",
			Goals: []string{"focus " + one},
			Done:  "That is a slice. What you do now, a call with {call} for instance, is done to these ranks.",
		},
		{
			Title:   "Part 3: call one actor",
			Text:    "CallOne wants a handle of exactly one actor. Where Call returns the answers of all, it returns this one's answer alone.",
			Go:      `engine.Action(one, (*ToyActor).HelloWorld).CallOne(ctx, "Just you")`,
			Command: "one " + one + `.HelloWorld "Just you"`,
		},
	}
	if ranks > 1 {
		steps = append(steps, story.Step{
			Title:   "Part 3: what CallOne refuses",
			Text:    fmt.Sprintf("Given the handle of all %d, CallOne does not pick one for you: nothing is sent, and the error says what to do.", ranks),
			Go:      `err := hello.CallOne(ctx, "Which one?")`,
			Command: `! one @toy_actor.HelloWorld "Which one?"`,
		}, story.Step{
			Title: "Part 3: now you are refused",
			Text:  "Now you: ask for exactly one of them all. In a script, the ! in front says that the command should fail.",
			Go:    `err := hello.CallOne(ctx, "Which one?")`,
			How:   "{command} opens the command line; type it there, with or without the !, and press enter.",
			Goals: []string{"! one @toy_actor.HelloWorld hi"},
			Done:  "Refused before anything was sent. Slice first, or take choose: it picks the least busy actor.",
		})
	}
	return append(steps, story.Step{
		Title:   "Part 3: to each its own, at the same time",
		Text:    "Start sends and does not wait: it returns a future. Wait waits for many of them, so all calls take as long as the slowest one.",
		Go:      "calls = append(calls, engine.Action(one, (*ToyActor).HelloWorld).Start(ctx, msg))",
		Command: `call @toy_actor[gpus=0].HelloWorld "Unique message for actor 0" &m0`,
	}, story.Step{
		Title: "Exercise 4: a mesh of another size",
		Text:  fmt.Sprintf("Exercise 4 of the tutorial: all of it with %d processes. Make a proc mesh, spawn ToyActor on it, call all of them.", 2*ranks),
		Go:    `toys, err := engine.Spawn(ctx, procs, "big_toys", ToyActor{})`,
		How:   "{procs} makes a mesh, {spawn} spawns actors, {call} calls them. Name them as you like.",
		Goals: []string{fmt.Sprintf("procs big_mesh gpus=%d", 2*ranks), "spawn @big_toys on big_mesh ToyActor", `call @big_toys.HelloWorld "There are more of us"`},
		Done:  fmt.Sprintf("The same actor, %d times, and not a line of it was changed.", 2*ranks),
	}, story.Step{
		Title:   "The end: stop what you started",
		Text:    "Stop lets the actors finish what they do and ends their processes. Part 4 follows with :demo pingpong, more exercises with :demo echo.",
		Go:      "procs.Stop(context.WithoutCancel(ctx))",
		Command: "stop toy_mesh",
	})
}
