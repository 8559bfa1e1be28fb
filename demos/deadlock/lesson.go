package deadlock

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	return []story.Step{
		{
			Title:   "A table",
			Text:    fmt.Sprintf("%d philosophers sit around a table, with a fork between each two. Who eats needs both forks beside him.", ranks),
			Go:      `engine.SpawnProcs(ctx, engine.Name("table_mesh"), engine.Dim("seats", ranks))`,
			Command: fmt.Sprintf("procs table_mesh seats=%d", ranks),
		},
		{
			Title:   "Everybody reaches for a fork",
			Text:    "A fork is a lock with a name, which the whole session knows. The hungry take the fork at their own seat first.",
			Go:      `down, err := engine.Acquire(ctx, fmt.Sprintf("fork %d", fork))`,
			Command: "call @hungry.Reach",
		},
		{
			Title:   "Nobody eats",
			Text:    "All have been told to eat, and nothing happens. That calls are open does not say why: each of them just runs.",
			Go:      "eating := engine.Signal(table, (*PhilosopherActor).Eat).Start(dinner)",
			Command: "call @hungry.Eat &dinner",
		},
		{
			Title: "Who waits for whom?",
			Text:  "Now you: ask who waits for whom. A fork is held by somebody, and so it leads from one to the next.",
			Go:    "if err := p.pickUp(ctx, second); err != nil {",
			How:   "{command}, then waits, enter; esc closes what it shows.",
			Goals: []string{"waits"},
			Done:  "Each waits for a fork that its neighbour has, around the whole table.",
		},
		{
			Title: "Is it for ever?",
			Text:  "Now you: a wait may end, this one cannot. Ask for the deadlocks only: the verdict is of two looks, not a guess.",
			Go:    "if err := engine.Wait(ctx, reaching, eating); err != nil {",
			How:   "{command}, then deadlocks, enter.",
			Goals: []string{"deadlocks"},
			Done:  "It names those who wait for each other for ever. The program now gives the dinner up.",
		},
		{
			Title:   "The lower number first",
			Text:    "The polite take the fork with the lower number first. So the last one waits with empty hands, and no circle can close.",
			Go:      "return min(first, second), max(first, second)",
			Command: "spawn @polite on table_mesh PhilosopherActor {Polite: true}",
		},
		{
			Title:   "The end: stop what you started",
			Text:    "Locks in one order for all cannot deadlock. That was the last of the debugger's demos; :demo toy is where all begins.",
			Go:      "if procs.Stop(ctx) != nil {",
			Command: "stop table_mesh",
		},
	}
}
