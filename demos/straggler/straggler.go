// Package straggler is a training run in which one of 16 ranks is worth nothing: its loss is NaN, and with it the mean of
// all. The cause is one number in one message. This file is the program, with its mistake; lesson.go tells how to find it.
package straggler

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Ranks is how many trainers there are unless told otherwise.
const Ranks = 16

// What a loader sends in an epoch.
const (
	batches = 48 // messages
	size    = 8  // samples of each
	stuckAt = 9  // the batch in which a sensor hangs
)

// Batch is one message of a loader: readings of a sensor, and what a trainer needs to bring them to one scale.
type Batch struct {
	Number int
	X, Y   []float64
	Mean   float64
	Scale  float64 // 1 / standard deviation of X
}

// TrainerActor learns Y from X by gradient descent.
type TrainerActor struct {
	slope, offset float64
	loss          float64 // of the last batches, the newest count most
	step          int
}

// Reset forgets what was learned.
func (t *TrainerActor) Reset(context.Context) error {
	*t = TrainerActor{}
	return nil
}

// Step learns from a batch.
func (t *TrainerActor) Step(_ context.Context, batch Batch) error {
	const rate = 0.2
	var loss, slope, offset float64
	for i, x := range batch.X {
		x = (x - batch.Mean) * batch.Scale
		miss := t.slope*x + t.offset - batch.Y[i]
		loss += miss * miss
		slope += miss * x
		offset += miss
	}
	n := float64(len(batch.X))
	t.slope -= rate * slope / n
	t.offset -= rate * offset / n
	t.step++
	t.loss += (loss/n - t.loss) / min(6, float64(t.step))
	return nil
}

// Loss is how far off the trainer was lately.
func (t *TrainerActor) Loss(context.Context) (float64, error) { return t.loss, nil }

// LoaderActor reads the sensor of its rank, and feeds the trainer of the same rank.
type LoaderActor struct {
	Trainers engine.Mesh[TrainerActor]
	Seed     uint64 // of the readings
	Stuck    int    // the rank whose sensor hangs for a while
}

// Epoch sends all batches, each when the trainer is done with the one before.
func (l *LoaderActor) Epoch(ctx context.Context) error {
	here := engine.Here(ctx)
	sensor := rand.New(rand.NewPCG(l.Seed, uint64(here.Rank))) //nolint:gosec // readings, the same each time
	for number := range batches {
		x := readings(sensor, here.Rank == l.Stuck && number == stuckAt)
		if err := engine.Action(l.Trainers.Slice(here), (*TrainerActor).Step).Call(ctx, batchOf(number, x, sensor)); err != nil {
			return err
		}
	}
	return nil
}

// readings are those of one batch, in sixteenths of a degree as sensors give them. One that hangs repeats its first one.
func readings(sensor *rand.Rand, stuck bool) []float64 {
	x := make([]float64, size)
	for i := range x {
		if x[i] = math.Round(16*(20+5*sensor.NormFloat64())) / 16; stuck {
			x[i] = x[0]
		}
	}
	return x
}

// batchOf makes a message of readings. Its mistake is that it takes for granted that they differ.
func batchOf(number int, x []float64, noise *rand.Rand) Batch {
	b := Batch{Number: number, X: x}
	for _, v := range x {
		b.Mean += v / float64(len(x))
		b.Y = append(b.Y, 0.3*v+0.1*noise.NormFloat64())
	}
	var spread float64
	for _, v := range x {
		spread += (v - b.Mean) * (v - b.Mean) / float64(len(x))
	}
	b.Scale = 1 / math.Sqrt(spread)
	return b
}

// Run is the program.
func Run(ctx context.Context, ranks int) error {
	tell := story.Begin(Lesson(ranks))
	if err := tell.Step(ctx, "The trainers"); err != nil {
		return err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("train_mesh"), engine.Dim("gpus", ranks))
	if err != nil {
		return err
	}
	defer end(ctx, procs)
	trainers, err := engine.Spawn(ctx, procs, "trainer", TrainerActor{})
	if err != nil {
		return err
	}
	if err := tell.Step(ctx, "The loaders"); err != nil {
		return err
	}
	loaders, err := engine.Spawn(ctx, procs, "loader", LoaderActor{Trainers: trainers, Seed: 5, Stuck: stuck(ranks)})
	if err != nil {
		return err
	}
	if err := tell.Step(ctx, "An epoch, and its mean loss"); err != nil {
		return err
	}
	if err := engine.Signal(loaders, (*LoaderActor).Epoch).Call(ctx); err != nil {
		return err
	}
	if err := report(ctx, trainers); err != nil {
		return err
	}
	if err := diagnose(ctx, tell, trainers, loaders); err != nil {
		return err
	}
	return tell.Step(ctx, "The end: stop what you started")
}

// diagnose finds the rank, then the message, and tries what would have been without it.
func diagnose(ctx context.Context, tell *story.Lesson, trainers engine.Mesh[TrainerActor], loaders engine.Mesh[LoaderActor]) error {
	if err := tell.Try(ctx, "Which rank is it?", func() error { return nameNaN(ctx, trainers) }); err != nil {
		return err
	}
	nothing := func() error { return nil } // nobody looks on: the epoch runs through
	if err := tell.Try(ctx, "Which message is it?", nothing); err != nil {
		return err
	}
	if err := tell.Step(ctx, "The same epoch again"); err != nil {
		return err
	}
	if err := engine.Signal(trainers, (*TrainerActor).Reset).Call(ctx); err != nil {
		return err
	}
	again := engine.Signal(loaders, (*LoaderActor).Epoch).Start(ctx)
	for _, title := range []string{"The message, and who sent it", "What if it were another?"} {
		if err := tell.Try(ctx, title, nothing); err != nil {
			return err
		}
	}
	if _, err := again.All(ctx); err != nil {
		return err
	}
	if err := report(ctx, trainers); err != nil {
		return err
	}
	return tell.Try(ctx, "All of them once again", func() error { return nameNaN(ctx, trainers) })
}

// report prints the mean loss of all trainers.
func report(ctx context.Context, trainers engine.Mesh[TrainerActor]) error {
	losses, err := engine.Query(trainers, (*TrainerActor).Loss).Call(ctx)
	if err != nil {
		return err
	}
	var mean float64
	for _, loss := range losses.Answered() {
		mean += loss / float64(losses.Len())
	}
	fmt.Fprintf(engine.Out(ctx), "mean loss of %d trainers: %.4f\n", losses.Len(), mean)
	return nil
}

// nameNaN prints the trainers whose loss is no number.
func nameNaN(ctx context.Context, trainers engine.Mesh[TrainerActor]) error {
	losses, err := engine.Query(trainers, (*TrainerActor).Loss).Call(ctx)
	if err != nil {
		return err
	}
	for point, loss := range losses.Items() {
		if math.IsNaN(loss) {
			fmt.Fprintf(engine.Out(ctx), "rank %d: %v\n", point.Rank, loss)
		}
	}
	return nil
}

// stuck is the rank whose sensor hangs: 11 of 16.
func stuck(ranks int) int { return 11 % ranks }

// end ends the processes, at once where an actor is stopped in them: it could not end in order.
func end(ctx context.Context, procs engine.ProcMesh) {
	ctx = context.WithoutCancel(ctx)
	if procs.Stop(ctx) != nil {
		_ = procs.Kill(ctx) // the session's end does the rest
	}
}
