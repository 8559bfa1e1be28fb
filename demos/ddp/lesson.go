package ddp

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/demos/story"
)

// Lesson is what is told about the program, one idea a step, in the order in which Run comes to them.
func Lesson(ranks int) []story.Step {
	return []story.Step{
		{
			Title:   "Processes that come back",
			Text:    "A process that dies is started again, with the actors that died with it: at most 20 times in 10 s.",
			Go:      `engine.SpawnProcs(ctx, engine.Name("train_mesh"), engine.Dim("gpus", ranks), engine.RestartProcs(20, 10*time.Second))`,
			Command: fmt.Sprintf("procs train_mesh gpus=%d restart=20/10s", ranks),
		},
		{
			Title:   "The learners",
			Text:    "Each has the same model, and its own part of the data. After each step they add their gradients up, through ports.",
			Go:      `engine.Spawn(ctx, procs, "learner", LearnerActor{Pace: pace(ctx)}, engine.Restart(20, 10*time.Second))`,
			Command: "spawn @learner on train_mesh LearnerActor restart=20/10s",
		},
		{
			Title:   "Who asks for the steps",
			Text:    "One more actor has them train. It lives in the program's own process, which nobody kills.",
			Go:      `engine.SpawnProcs(ctx, engine.Name("tutor_mesh"), engine.Dim("gpus", 1), engine.InProcess())`,
			Command: "procs tutor_mesh gpus=1 in-process",
		},
		{
			Title:   "The tutor",
			Text:    "When a learner dies, the tutor resolves the mesh, which waits for its next life, and asks for the same step again.",
			Go:      `engine.Spawn(ctx, procs, "tutor", TutorActor{})`,
			Command: "spawn @tutor on tutor_mesh TutorActor",
		},
		{
			Title:   "Half of the training",
			Text:    fmt.Sprintf("%d steps. Each learner saves itself after each of them, and reports its loss: :charts draws it.", Steps/2),
			Go:      "train.CallOne(ctx, Course{Learners: learners, To: Steps / 2})",
			Command: fmt.Sprintf("one @tutor.Train {Learners: @learner, To: %d}", Steps/2),
		},
		{
			Title:   "The other half",
			Text:    "It goes on in the background. Kill learners yourself, as often as you like: K in the tree.",
			Go:      "rest := train.Start(ctx, Course{Learners: learners, From: Steps / 2, To: Steps})",
			Command: fmt.Sprintf("one @tutor.Train {Learners: @learner, From: %d, To: %d} &rest", Steps/2, Steps),
		},
		{
			Title:   "A rank dies in the middle of a step",
			Text:    fmt.Sprintf("Rank %d is killed while all train. Its process comes back, its actor begins with what it saved.", victim(ranks)),
			Go:      `procs.Slice(engine.At("gpus", victim(ranks))).Kill(ctx)`,
			Command: fmt.Sprintf("kill train_mesh[%d]", victim(ranks)),
		},
		{
			Title:   "The end: the same loss, whoever died",
			Text:    "The step was done again, and the loss is the same to the last bit. The inspector tells the lives of each rank.",
			Go:      "func (t *LearnerActor) Restore(b []byte) error { return json.Unmarshal(b, &t.kept) }",
			Command: "stop train_mesh",
		},
	}
}
