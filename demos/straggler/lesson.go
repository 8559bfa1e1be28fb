package straggler

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	return []story.Step{
		{
			Title:   "The trainers",
			Text:    fmt.Sprintf("%d actors learn the same thing, each from data of its own. Each keeps its loss: how far off it is.", ranks),
			Go:      `trainers, err := engine.Spawn(ctx, procs, "trainer", TrainerActor{})`,
			Command: "spawn @trainer on train_mesh TrainerActor",
		},
		{
			Title:   "The loaders",
			Text:    "A loader on each rank reads a sensor and feeds the trainer beside it, batch by batch.",
			Go:      `engine.Spawn(ctx, procs, "loader", LoaderActor{Trainers: trainers, Seed: 5, Stuck: stuck(ranks)})`,
			Command: fmt.Sprintf("spawn @loader on train_mesh LoaderActor {Trainers: @trainer, Seed: 5, Stuck: %d}", stuck(ranks)),
		},
		{
			Title:   "An epoch, and its mean loss",
			Text:    "All loaders send all their batches, and main prints the mean of the losses. Watch the logs: it will be no number.",
			Go:      "engine.Signal(loaders, (*LoaderActor).Epoch).Call(ctx)",
			Command: "call @loader.Epoch",
		},
		{
			Title: "Which rank is it?",
			Text:  "Now you: the mean is NaN, and any rank may be to blame. Print the loss of all of them.",
			Go:    "losses, err := engine.Query(trainers, (*TrainerActor).Loss).Call(ctx)",
			How:   "{command}, then print state.loss over @trainer, enter; esc closes what it shows.",
			Goals: []string{"print state.loss over @trainer"},
			Done:  fmt.Sprintf("Rank %d stands out: not a finite number. All others learn well.", stuck(ranks)),
		},
		{
			Title: "Which message is it?",
			Text:  "Now you: a batch has a scale, which should be about 0.2. Stop whoever receives one that is far from it.",
			Go:    "x = (x - batch.Mean) * batch.Scale",
			How:   "{command}, then break @trainer.Step if batch.Scale > 100, enter.",
			Goals: []string{"break @trainer.Step if batch.Scale > 100"},
			Done:  "The breakpoint is set on all trainers. Messages for which it is false do not notice.",
		},
		{
			Title:   "The same epoch again",
			Text:    "The trainers forget, and the loaders send all again. Somebody will stop; the others go on.",
			Go:      "again := engine.Signal(loaders, (*LoaderActor).Epoch).Start(ctx)",
			Command: "call @loader.Epoch &again",
		},
		{
			Title: "The message, and who sent it",
			Text:  "Now you: look at the message that is about to be handled, and at who waits for it.",
			Go:    "b.Scale = 1 / math.Sqrt(spread)",
			How:   "{command}, then args, enter; the same with where. mailbox, print and stacks are worth a try too.",
			Goals: []string{"args", "where"},
			Await: "len(stops) == 1",
			Done:  "Its readings are all the same, so they have no spread: 1/0 is infinite. A sensor hung.",
		},
		{
			Title: "What if it were another?",
			Text:  "Now you: give this one message a sane scale, then let its handler go on.",
			Go:    "t.loss += (loss/n - t.loss) / min(6, float64(t.step))",
			How:   "{command}, then set args.batch.Scale 0.2, enter; then {continue.all}.",
			Goals: []string{"set args.batch.Scale 0.2", "continue"},
			Done:  "The epoch ends, and main prints the mean loss again: see the logs.",
		},
		{
			Title: "All of them once again",
			Text:  "Now you: print the losses again.",
			Go:    "if math.IsNaN(loss) {",
			How:   "{command}, then print state.loss over @trainer, enter.",
			Goals: []string{"print state.loss over @trainer"},
			Done:  "All learn. That proves it: this one number in this one message was the cause.",
		},
		{
			Title:   "The end: stop what you started",
			Text:    "The fix belongs into the loader: no spread, no scale. Who waits for whom is next: :demo deadlock.",
			Go:      "if procs.Stop(ctx) != nil {",
			Command: "stop train_mesh",
		},
	}
}
