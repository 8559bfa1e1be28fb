// Package ddp is a data-parallel training that survives the death of any rank. Eight trainers learn the same model, each from its own
// part of the data, and add their gradients up after each step. When one of them dies it begins anew from what it saved, and the step
// is done again: the loss at the end is the same to the last bit. This file is the program, model.go what it learns, lesson.go tells it.
package ddp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many trainers there are unless told otherwise.
const Ranks = 8

// Steps is how long they train.
const Steps = 50

// Share is what a learner tells the others after each step of its own.
type Share struct {
	Step, Rank int
	Gradient   []float64
	Loss       float64
}

// Kept is a learner's state: what it is to begin with, should it have to begin anew.
type Kept struct {
	Step            int // that comes next
	Weights, Moment []float64
	Last            Share // of the step before, for a learner that has not heard it
	Loss            float64
}

// LearnerActor learns the model together with the others of its mesh.
type LearnerActor struct {
	Pace time.Duration // what a step takes at least, so that a person can follow

	kept  Kept
	in    *engine.Receiver[Share]
	peers []engine.Port[Share]
}

// OnStart begins with the first weights, where there are none from an earlier life.
func (t *LearnerActor) OnStart(context.Context) error {
	if t.kept.Weights == nil {
		t.kept.Weights, t.kept.Moment = first(), make([]float64, weights)
	}
	return nil
}

// Snapshot is what Checkpoint saves.
func (t *LearnerActor) Snapshot() ([]byte, error) { return json.Marshal(t.kept) }

// Restore begins where the life before has saved.
func (t *LearnerActor) Restore(b []byte) error { return json.Unmarshal(b, &t.kept) }

// Open opens a port for the others' shares. One that was open before is closed: nothing of an earlier attempt comes through.
func (t *LearnerActor) Open(ctx context.Context) (engine.Port[Share], error) {
	if t.in != nil {
		t.in.Close()
	}
	port, in, err := engine.Channel[Share](ctx)
	t.in = in
	return port, err
}

// Join tells the ports of all, by rank.
func (t *LearnerActor) Join(_ context.Context, ports []engine.Port[Share]) error {
	t.peers = ports
	return nil
}

// Step does one step, and returns the mean loss. Done again it gives the same, as long as the others are in this step too.
func (t *LearnerActor) Step(ctx context.Context, step int) (float64, error) {
	k := &t.kept
	rank := engine.Here(ctx).Rank
	own := k.Last
	switch {
	case step == k.Step:
		x, y := batch(step, rank)
		own = Share{Step: step, Rank: rank}
		own.Gradient, own.Loss = gradient(k.Weights, x, y)
	case step != k.Step-1:
		return 0, fmt.Errorf("rank %d is at step %d, not %d", rank, k.Step, step)
	}
	for _, port := range t.peers {
		if err := port.Send(ctx, own); err != nil {
			return 0, err
		}
	}
	if step < k.Step { // it was done before somebody died, who needs our share once more
		return k.Loss, nil
	}
	all, err := t.gather(ctx, step)
	if err != nil {
		return 0, err
	}
	k.Loss = 0
	gradients := make([][]float64, len(all))
	for i, s := range all {
		gradients[i] = s.Gradient
		k.Loss += s.Loss / float64(len(all))
	}
	learn(k.Weights, k.Moment, gradients)
	k.Last, k.Step = own, step+1
	engine.Metric(ctx, "loss", float64(step), own.Loss)
	if err := engine.Checkpoint(ctx); err != nil {
		return 0, err
	}
	return k.Loss, pause(ctx, t.Pace)
}

// gather waits for the shares of all, by rank.
func (t *LearnerActor) gather(ctx context.Context, step int) ([]Share, error) {
	all := make([]Share, len(t.peers))
	for missing := len(all); missing > 0; {
		s, err := t.in.Recv(ctx)
		if err != nil {
			return nil, err
		}
		if s.Step == step && s.Rank < len(all) && all[s.Rank].Gradient == nil {
			all[s.Rank] = s
			missing--
		}
	}
	return all, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	tell := story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "Processes that come back"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("train_mesh"), engine.Dim("gpus", ranks), engine.RestartProcs(20, 10*time.Second))
	if err != nil {
		return err
	}
	defer end(ctx, procs)
	if err := tell.Step(ctx, "The learners"); err != nil {
		return err
	}
	learners, err := engine.Spawn(ctx, procs, "learner", LearnerActor{Pace: pace(ctx)}, engine.Restart(20, 10*time.Second))
	if err != nil {
		return err
	}
	tutor, room, err := hire(ctx, tell)
	defer end(ctx, room)
	if err != nil {
		return err
	}
	train := engine.Method(tutor, (*TutorActor).Train)
	if err := tell.Step(ctx, "Half of the training"); err != nil {
		return err
	}
	if _, err := train.CallOne(ctx, Course{Learners: learners, To: Steps / 2}); err != nil {
		return err
	}
	if err := tell.Step(ctx, "The other half"); err != nil {
		return err
	}
	rest := train.Start(ctx, Course{Learners: learners, From: Steps / 2, To: Steps})
	if err := tell.Step(ctx, "A rank dies in the middle of a step"); err != nil {
		return err
	}
	if ranks > 1 { // a mesh of one rank would end with it
		if err := procs.Slice(engine.At("gpus", victim(ranks))).Kill(ctx); err != nil {
			return err
		}
	}
	if _, err := rest.One(ctx); err != nil {
		return err
	}
	return tell.Step(ctx, "The end: the same loss, whoever died")
}

// hire makes the actor that has the others train: in the program's own process, which nobody kills.
func hire(ctx context.Context, tell *story.Lesson) (tutor engine.Mesh[TutorActor], procs engine.ProcMesh, err error) {
	if err := tell.Step(ctx, "Who asks for the steps"); err != nil {
		return tutor, procs, err
	}
	procs, err = engine.SpawnProcs(ctx, engine.Name("tutor_mesh"), engine.Dim("gpus", 1), engine.InProcess())
	if err != nil {
		return tutor, procs, err
	}
	if err := tell.Step(ctx, "The tutor"); err != nil {
		return tutor, procs, err
	}
	tutor, err = engine.Spawn(ctx, procs, "tutor", TutorActor{})
	return tutor, procs, err
}

// TutorActor has learners train.
type TutorActor struct{}

// Course is who trains, and which steps.
type Course struct {
	Learners engine.Mesh[LearnerActor]
	From, To int // the first step, and the one after the last
}

// Train has them train, whoever dies meanwhile, and returns the loss of the last step.
func (*TutorActor) Train(ctx context.Context, c Course) (loss float64, err error) {
	learners, err := joinAll(ctx, c.Learners)
	for step := c.From; step < c.To && err == nil; step++ {
		if learners, loss, err = surely(ctx, learners, step); err == nil && ((step+1)%10 == 0 || step+1 == c.To) {
			fmt.Fprintf(engine.Out(ctx), "step %2d: loss %.6f\n", step+1, loss)
		}
	}
	return loss, err
}

// surely does one step, again where somebody dies in it: who is left waits for a share that will not come.
func surely(ctx context.Context, trainers engine.Mesh[LearnerActor], step int) (engine.Mesh[LearnerActor], float64, error) {
	for try := 0; ; try++ {
		loss, err := stepAll(ctx, trainers, step)
		if err == nil || try == mostTries || !died(ctx, err) {
			return trainers, loss, err
		}
		if trainers, err = joinAll(ctx, trainers); err != nil {
			return trainers, 0, err
		}
	}
}

// stepAll has all trainers do a step. When one cannot, the others need not wait for it.
func stepAll(ctx context.Context, trainers engine.Mesh[LearnerActor], step int) (loss float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for r, failed := range engine.Method(trainers, (*LearnerActor).Step).Stream(ctx, step) {
		switch {
		case failed == nil:
			loss = r.Value
		case err == nil:
			err = failed
			cancel()
		}
	}
	return loss, err
}

// mostTries is how often one step is tried again: a rank that never comes back ends the training.
const mostTries = 50

// joinAll gives every trainer, as they live now, the ports of all.
func joinAll(ctx context.Context, trainers engine.Mesh[LearnerActor]) (engine.Mesh[LearnerActor], error) {
	for try := 0; ; try++ {
		now, err := trainers.Resolve(ctx)
		if err != nil {
			return trainers, err
		}
		ports, err := engine.Query(now, (*LearnerActor).Open).Call(ctx)
		if err == nil {
			err = engine.Action(now, (*LearnerActor).Join).Call(ctx, ports.Answered())
		}
		if err == nil || !died(ctx, err) || try == mostTries {
			return now, err
		}
		trainers = now
	}
}

// died reports whether an error only says that somebody has died, so that it is worth to try again with who lives then.
func died(ctx context.Context, err error) bool {
	return ctx.Err() == nil && slices.ContainsFunc([]error{engine.ErrLost, engine.ErrStopped, engine.ErrStale, engine.ErrNotSent, engine.ErrCancelled, engine.ErrFailed},
		func(why error) bool { return errors.Is(err, why) })
}

// victim is the rank that the demo kills: 3 of 8.
func victim(ranks int) int { return 3 % ranks }

// pace is how long a step takes: where somebody looks on, long enough to be seen.
func pace(ctx context.Context) time.Duration {
	if story.OnScreen(ctx) {
		return 150 * time.Millisecond
	}
	return 0
}

// end ends the processes.
func end(ctx context.Context, procs engine.ProcMesh) { _ = procs.Stop(context.WithoutCancel(ctx)) }
