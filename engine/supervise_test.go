package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestAnActorSpawnsAndOwnsAMesh(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 1)
		parent := spawnOn(t, ctx, p, "parent", Parent{Decision: engine.Handled})
		kids, err := engine.Method(parent, (*Parent).Raise).CallOne(ctx, 2)
		if err != nil {
			t.Fatal(err)
		}
		vals, err := engine.Method(kids, (*Acc).Add).Call(ctx, 4)
		if err != nil || len(vals.Values()) != 2 {
			t.Fatalf("the reference in a reply: %v, %v", vals.Values(), err)
		}
		if err := engine.Signal(kids, (*Acc).Fail).Broadcast(ctx); err != nil {
			t.Fatal(err)
		}
		eventually(t, "two failures at the owner", eventLimit, func() bool {
			got, err := engine.Query(parent, (*Parent).Failures).CallOne(ctx)
			return err == nil && len(got) == 2 && strings.Contains(got[0], "called by broadcast, returned an error: bad rank")
		})
		other := spawnOn(t, ctx, p, "other", Acc{})
		if err := engine.Action(parent, (*Parent).StopOther).CallOne(ctx, other); !errors.Is(err, engine.ErrForbidden) {
			t.Errorf("an actor stopped a mesh it does not own: %v", err)
		}
		if err := parent.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Query(kids, (*Acc).Sum).Call(ctx); err == nil {
			t.Error("what an actor owns outlived it")
		}
	})
}

func TestASupervisorMayStopWhatFailed(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		parent := spawn(t, ctx, "parent", 1, Parent{Decision: engine.StopOwned})
		kids, err := engine.Method(parent, (*Parent).Raise).CallOne(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Signal(kids, (*Acc).Fail).Broadcast(ctx); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the end of the failed mesh", eventLimit, func() bool {
			_, err := engine.Query(kids, (*Acc).Sum).Call(ctx)
			return errors.Is(err, engine.ErrStopped)
		})
	})
}

func TestAnUnhandledFailureEndsTheProgramWithItsCause(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession(), engine.AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	err = e.Run(func(ctx context.Context) error {
		acc := spawn(t, ctx, "acc", 2, Acc{})
		if err := engine.Signal(acc.Slice(at(1)), (*Acc).Fail).Broadcast(ctx); err != nil {
			return err
		}
		<-ctx.Done()
		if f, ok := errors.AsType[engine.Failure](context.Cause(ctx)); !ok || f.Mesh != "acc" || f.Rank != 1 {
			t.Errorf("the cause of run's context is %v", context.Cause(ctx))
		}
		return ctx.Err()
	})
	if err == nil || !strings.Contains(err.Error(), "unhandled failure: @acc[1].Fail, called by broadcast, returned an error: bad rank") {
		t.Errorf("Run returned %v", err)
	}
}

func TestAFailureThatACallerGotCountsAsReported(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		seen := make(chan engine.Failure, 1)
		if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision {
			seen <- f
			return engine.Handled
		}); err != nil {
			t.Fatal(err)
		}
		acc := spawn(t, ctx, "acc", 1, Acc{})
		if err := engine.Signal(acc, (*Acc).Boom).CallOne(ctx); err == nil {
			t.Fatal("want the panic")
		}
		if f := <-seen; !f.Reported || !strings.Contains(f.Stack, "Boom") || f.What != "@acc[0] panicked in Boom: boom" {
			t.Errorf("failure %+v", f)
		}
	})
}

func TestMixedMeshesReachEachOther(t *testing.T) {
	ctx := enginetest.Processes(t)
	p := procs(t, ctx, "real", 1)
	q, err := engine.SpawnProcs(ctx, engine.Name("light"), engine.Dim("gpus", 1), engine.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	a, b := spawnOn(t, ctx, p, "a", Acc{}), spawnOn(t, ctx, q, "b", Acc{Start: 5})
	for _, pair := range [][2]engine.Mesh[Acc]{{a, b}, {b, a}} {
		if err := engine.Action(pair[0], (*Acc).Pair).Call(ctx, pair[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Method(pair[0], (*Acc).AddToPeer).CallOne(ctx, 1); err != nil {
			t.Errorf("%v → %v: %v", pair[0], pair[1], err)
		}
	}
}
