package pingpong

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	return []story.Step{
		{
			Title:   "Part 4: two groups",
			Text:    "Until now a program called actors. Actors call each other in the same way. We make two groups; this is the first one's mesh.",
			Go:      `procs, err := engine.SpawnProcs(ctx, engine.Name(fmt.Sprintf("mesh_%d", number)), engine.Dim("gpus", ranks))`,
			Command: fmt.Sprintf("procs mesh_0 gpus=%d", ranks),
		},
		{
			Title:   "Part 4: a constructor argument",
			Text:    "The second group is of the same type with another name. Exported fields are what an actor is made with; each rank gets a copy.",
			Go:      `engine.Spawn(ctx, procs, fmt.Sprintf("actor_%d", number), PingPongActor{Name: name})`,
			Command: "spawn @actor_1 on mesh_1 PingPongActor {Name: GroupB}",
		},
		{
			Title:   "Part 4: a handle travels in a message",
			Text:    "The groups do not know each other yet. A handle is a value: Init takes one as its argument, and so group A hears of group B.",
			Go:      "engine.Action(a, (*PingPongActor).Init).Call(ctx, b)",
			Command: "call @actor_0.Init @actor_1",
		},
		{
			Title:   "Part 4: my opposite number",
			Text:    "engine.Here is an actor's own place in its mesh. The other group, sliced at that place, is one actor: rank 0 is paired with rank 0.",
			Go:      "a.pair = other.Slice(engine.Here(ctx))",
			Command: "state @actor_0 pair",
		},
		{
			Title: "Part 4: now you introduce the other group",
			Text:  "Now you: tell group B, @actor_1, about group A: call Init on all its ranks with the handle @actor_0.",
			Go:    "engine.Action(b, (*PingPongActor).Init).Call(ctx, a)",
			How:   "{pane.1}, {arrows} to actor_1, {call}; endpoint Init, other @actor_0, enter, esc.",
			Goals: []string{"call @actor_1.Init @actor_0"},
			Done:  "Both groups are paired. The inspector shows the field pair of each actor.",
		},
		{
			Title:   "Part 4: an actor calls an actor",
			Text:    "The program calls Send on group A, and each of its actors calls Recv on its pair and waits. That call goes from worker to worker.",
			Go:      "engine.Action(a.pair, (*PingPongActor).Recv).Call(ctx, msg)",
			Command: `call @actor_0.Send "Ping!"`,
		},
		{
			Title: "Part 4: now you send one back",
			Text:  "Now you: have all of group B send a message. Their pairs in group A print it.",
			Go:    "engine.Action(b, (*PingPongActor).Send).Call(ctx, \"Ping!\")",
			How:   "{pane.1}, {arrows} to actor_1, {call}; shift+tab up to the endpoint: Send. Then a message, enter, esc.",
			Goals: []string{`call @actor_1.Send "Ping!"`, "@actor_1: call @actor_0.Recv"},
			Done:  "You called Send, and the actors of B called Recv on their pairs: Messages shows both.",
		},
		{
			Title: "Part 4: now you let one pair play",
			Text:  fmt.Sprintf("Now you: have only rank %d of group A send something. Only its pair hears it.", ranks-1),
			Go:    `one := a.Slice(engine.At("gpus", a.Len()-1))`,
			How:   "{pane.1}, {arrows} to actor_0, {pane.2}, {right} to the rank, {call}; endpoint Send, a message, enter, esc.",
			Goals: []string{fmt.Sprintf(`call @actor_0[gpus=%d].Send "Just us two"`, ranks-1)},
			Done:  "One message from you, one between the two of them, and nobody else was disturbed.",
		},
		{
			Title:   "The end: stop what you started",
			Text:    "That is all there is to it: actors, meshes, slices, calls. Exercises follow: :demo echo, :demo chain and :demo counter.",
			Go:      "defer stopA(context.WithoutCancel(ctx))",
			Command: "stop mesh_0",
		},
	}
}
