package chain

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	return []story.Step{
		{
			Title:   "Exercise 2: three groups",
			Text:    fmt.Sprintf("A, B and C live in the same %d processes: a process can hold actors of several meshes.", ranks),
			Go:      "engine.Spawn(ctx, procs, name, LinkActor{Group: name})",
			Command: "spawn @A on ring_mesh LinkActor {Group: A}",
		},
		{
			Title:   "Exercise 2: who is next",
			Text:    "Each group is told which one comes next, as in ping pong. We do it for A and B.",
			Go:      "engine.Action(ring[i], (*LinkActor).Connect).Call(ctx, ring[i+1])",
			Command: "call @A.Connect @B",
		},
		{
			Title: "Exercise 2: now you close the ring",
			Text:  "Exercise: connect C with A, so that what is passed on comes back: A → B → C → A.",
			Go:    "engine.Action(ring[2], (*LinkActor).Connect).Call(ctx, ring[0])",
			How:   "{pane.1}, {arrows} to C, {call}; shift+tab up to the endpoint: Connect. Then next @A, enter, esc.",
			Goals: []string{"call @C.Connect @A"},
			Done:  "The ring is closed.",
		},
		{
			Title:   "Exercise 2: a ring in which each waits",
			Text:    "A asks B and waits, B asks C, C asks A; but A is still busy with the first question. Such a call is refused, and the error shows the path.",
			Go:      "engine.Method(l.next, (*LinkActor).Ask).CallOne(ctx, t)",
			Command: "! one @A[gpus=0].Ask {Home: A}",
		},
		{
			Title:   "Exercise 2: pass on, and do not wait",
			Text:    "Broadcast sends and asks for no answer. Nobody waits, so nothing can lock up; the last actor answers through a port in the token.",
			Go:      "engine.Action(l.next, (*LinkActor).Pass).Broadcast(ctx, t)",
			Command: "call @A.Pass {Home: A}",
		},
		{
			Title: "Exercise 2: now you send one round",
			Text:  "Exercise: let a token start at B, on all its ranks, and come back to B.",
			Go:    "engine.Action(ring[1], (*LinkActor).Pass).Call(ctx, Token{Done: done})",
			How:   "{pane.1}, {arrows} to B, {call}; shift+tab up to the endpoint: Pass. Then Home B, enter, esc.",
			Goals: []string{"call @B.Pass {Home: B}", "@A: call @B.Pass"},
			Done:  "The token went from B to C, to A, and back to B.",
		},
		{
			Title:   "The end: stop what you started",
			Text:    "Wait where you need the answer; pass on where you do not. The last exercise is :demo counter.",
			Go:      "procs.Stop(context.WithoutCancel(ctx))",
			Command: "stop ring_mesh",
		},
	}
}
