package ddp

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestMain(m *testing.M) {
	enginetest.Main(m, func() { engine.Register[LearnerActor]() })
}

// undisturbed is the loss of the same training on one goroutine, without an engine.
func undisturbed(ranks int) []float64 {
	w, m := first(), make([]float64, weights)
	losses := make([]float64, Steps)
	for step := range losses {
		var all [][]float64
		for rank := range ranks {
			x, y := batch(step, rank)
			g, loss := gradient(w, x, y)
			all = append(all, g)
			losses[step] += loss / float64(ranks)
		}
		learn(w, m, all)
	}
	return losses
}

// TestTheTrainingEndsTheSameWhoeverIsKilled kills worker processes while they train, at moments that a seed says, ten times: with SIGKILL
// from outside, and by order of the program, of which the others hear otherwise.
func TestTheTrainingEndsTheSameWhoeverIsKilled(t *testing.T) {
	const ranks = 4
	want := undisturbed(ranks)[Steps-1]
	if want > 0.1 {
		t.Fatalf("the loss without a kill is %v: it does not learn", want)
	}
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	c := control.InProcess(e.Backend(), control.ClientInfo{Name: "killer"})
	t.Cleanup(func() { _ = c.Close() })
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	ctx := e.Context()
	procs, err := engine.SpawnProcs(ctx, engine.Dim("gpus", ranks), engine.RestartProcs(20, 2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	trainers, err := engine.Spawn(ctx, procs, "trainer", LearnerActor{Pace: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	killing, cancel := context.WithCancel(ctx)
	kills := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for kills < 10 {
			if pause(killing, time.Duration(r.IntN(150))*time.Millisecond) != nil {
				return
			}
			if r.IntN(2) == 0 {
				if procs.Slice(engine.At("gpus", r.IntN(ranks))).Kill(killing) == nil {
					kills++
				}
				continue
			}
			snap, err := c.Snapshot(killing)
			if err != nil {
				return
			}
			if p := snap.Procs[r.IntN(len(snap.Procs))]; p.State == "ready" && p.PID > 0 && syscall.Kill(p.PID, syscall.SIGKILL) == nil {
				kills++
			}
		}
	})
	loss, err := new(TutorActor).Train(ctx, Course{Learners: trainers, To: Steps})
	cancel()
	wg.Wait()
	if kills < 5 {
		t.Errorf("only %d were killed", kills)
	}
	if err != nil || loss != want {
		t.Errorf("after %d kills the loss is %v, %v, want %v as without any", kills, loss, err, want)
	}
}

// A share for one that was killed by order says so, and nothing of a rank that is lost; that rank may come back.
func TestWhereAShareHasNobodyToGoToTheStepIsTriedAgain(t *testing.T) {
	ctx := enginetest.Local(t)
	procs, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if err != nil {
		t.Fatal(err)
	}
	trainers, err := engine.Spawn(ctx, procs, "trainer", LearnerActor{})
	if err != nil {
		t.Fatal(err)
	}
	if trainers, err = joinAll(ctx, trainers); err != nil {
		t.Fatal(err)
	}
	if err := procs.Slice(engine.At("gpus", 1)).Kill(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := stepAll(ctx, trainers.Slice(engine.At("gpus", 0)), 0); !strings.Contains(err.Error(), "send on a port") || !died(ctx, err) {
		t.Errorf("it is not tried again after %v", err)
	}
}

// A rank that never comes back ends the training with its cause, not never.
func TestATrainingWithoutOneOfItsRanksEnds(t *testing.T) {
	ctx := enginetest.Local(t)
	procs, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 3))
	if err != nil {
		t.Fatal(err)
	}
	trainers, err := engine.Spawn(ctx, procs, "trainer", LearnerActor{})
	if err != nil {
		t.Fatal(err)
	}
	if err := trainers.Slice(engine.At("gpus", 1)).Kill(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := new(TutorActor).Train(ctx, Course{Learners: trainers, To: Steps}); !errors.Is(err, engine.ErrStopped) || !strings.Contains(err.Error(), "@trainer") {
		t.Errorf("it ended with %v", err)
	}
}
