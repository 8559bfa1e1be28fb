package debugging

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	hosts, each := grid(ranks)
	one := min(1, ranks-1)
	some, bad := "ranks(0,3)", "ranks(gpus=2)"
	if each < gpus {
		some, bad = "ranks(0)", fmt.Sprintf("ranks(gpus=%d)", each-1)
	}
	return []story.Step{
		{
			Title:   "Hosts and GPUs",
			Text:    fmt.Sprintf("A mesh has as many dimensions as you name: here %d hosts with %d GPUs each, which makes %d ranks.", hosts, each, ranks),
			Go:      `engine.SpawnProcs(ctx, engine.Name("debug_mesh"), engine.Dim("hosts", hosts), engine.Dim("gpus", each))`,
			Command: fmt.Sprintf("procs debug_mesh hosts=%d gpus=%d", hosts, each),
		},
		{
			Title:   "Actors that stop",
			Text:    "Their endpoint calls engine.Break in its middle, as breakpoint() in Python. A breakpoint from outside would need no such line.",
			Go:      `engine.Break(ctx, "look at me")`,
			Command: "spawn @debugee on debug_mesh DebugeeActor {Break: true}",
		},
		{
			Title:   "A call in the background",
			Text:    "Start sends the call and does not wait. All ranks will stop. Nothing times out meanwhile: the engine's clock stands.",
			Go:      "engine.Query(debugee, (*DebugeeActor).ToDebug).Start(ctx)",
			Command: "call @debugee.ToDebug &call",
		},
		{
			Title: "Who is stopped?",
			Text:  "Now you: list who is stopped, as in Monarch's debugger. stops is our own: with site and reason.",
			Go:    "if d.Break {",
			How:   "{command}, then list, enter; esc closes what it shows.",
			Goals: []string{"list"},
			Await: fmt.Sprintf("len(stops) == %d", ranks),
			Done:  "Each rank is a row, with its place in the mesh and the line at which it stands.",
		},
		{
			Title: "Look at one",
			Text:  fmt.Sprintf("Now you: attach to rank %d; words without a target are then about it. Print what it has in its field value.", one),
			Go:    "d.value = rank",
			How:   fmt.Sprintf("{command}, then attach debugee %d, enter; the same with print state.value. where shows its stack.", one),
			Goals: []string{fmt.Sprintf("attach debugee %d", one), "print state.value"},
			Done:  "Fields have no need to be exported to be seen.",
		},
		{
			Title: "One site further",
			Text:  "Now you: let it run to its next site, which is its reply. Then detach; it stays stopped.",
			Go:    "return d.value, nil",
			How:   "{command}, then next, enter; the same with detach.",
			Goals: []string{"next", "detach"},
			Done:  "It stands at reply: the result is computed, and has not left. Nobody else has moved.",
		},
		{
			Title: "Some of them",
			Text:  "Now you: do the same with several ranks at once. cast takes the ranks as Monarch writes them.",
			Go:    "d.value += rank%gpus + 1",
			How:   "{command}, then cast debugee " + some + " next, enter.",
			Goals: []string{"cast debugee " + some + " next"},
			Done:  "Only those have gone on, and each tells where it stands now.",
		},
		{
			Title: "Post-mortem",
			Text:  "Now you: let those at gpus=2 go on to their next site. They fail, and stop before anybody hears of it.",
			Go:    "return 0, badRank()",
			How:   "{command}, then cast debugee " + bad + " next, enter; the same with stops.",
			Goals: []string{"cast debugee " + bad + " next", "stops"},
			Done:  "They stand at error, with its text. return VALUE would give their caller a result in its place.",
		},
		{
			Title: "Let them go",
			Text:  "Now you: let all go on. The call ends, and its caller gets the values and the errors.",
			Go:    "values, err := call.All(ctx)",
			How:   "{continue.all}; or {command}, then continue, enter.",
			Goals: []string{"continue"},
			Done:  "Nobody is stopped any more. What the caller got stands in the logs.",
		},
		{
			Title:   "The end: stop what you started",
			Text:    "A mesh with stopped actors cannot end in order: let them go on, or kill it. Who waits for whom is next: :demo deadlock.",
			Go:      "if procs.Stop(ctx) != nil {",
			Command: "stop debug_mesh",
		},
	}
}
