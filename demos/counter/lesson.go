package counter

import "github.com/monarch-tui/monarch-tui/demos/story"

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(int) []story.Step {
	return []story.Step{
		{
			Title:   "Exercise 3: a counter",
			Text:    "To count is to change a field. An actor handles one message at a time, so a plain int will do: no lock, no atomic.",
			Go:      "a.received++",
			Command: "endpoints CountingActor",
		},
		{
			Title:   "Exercise 3: something to count",
			Text:    "Each actor of group A sends three pings to its pair in group B. The fields in the inspector change.",
			Go:      "engine.Action(a, (*CountingActor).Send).Call(ctx, 3)",
			Command: "call @counter_0.Send 3",
		},
		{
			Title: "Exercise 3: now you send the other way",
			Text:  "Exercise: have all of group B, @counter_1, send pings; as many as you like.",
			Go:    "engine.Action(b, (*CountingActor).Send).Call(ctx, 5)",
			How:   "{pane.1}, {arrows} to counter_1, {call}; shift+tab up to the endpoint: Send. Then a number, enter, esc.",
			Goals: []string{"call @counter_1.Send 5", "@counter_1: call @counter_0.Recv"},
			Done:  "Both groups have sent and received.",
		},
		{
			Title:   "Exercise 3: ask for the counts",
			Text:    "Counts takes no argument and returns a value; Query binds that form. What one group has sent, the other has received.",
			Go:      "counts, err := engine.Query(group, (*CountingActor).Counts).Call(ctx)",
			Command: "call @counter_0.Counts",
		},
		{
			Title: "Exercise 3: now you ask",
			Text:  "Exercise: ask all of group B for their counts. Are they those of group A, the other way round?",
			Go:    "counts, err := engine.Query(group, (*CountingActor).Counts).Call(ctx)",
			How:   "{pane.1}, {arrows} to counter_1, {call}; endpoint Counts, enter, esc.",
			Goals: []string{"call @counter_1.Counts"},
			Done:  "Sent here is received there: no message was lost, and none came twice.",
		},
		{
			Title:   "The end: stop what you started",
			Text:    "That was the last exercise. A mesh of your own begins with an empty screen: start monarch-tui without --demo.",
			Go:      "procs.Stop(context.WithoutCancel(ctx))",
			Command: "stop count_mesh",
		},
	}
}
