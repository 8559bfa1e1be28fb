package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

var errBadRank = engine.Sentinel("bad rank")

// Acc is the actor of these tests.
type Acc struct {
	Start int

	sum  int
	peer engine.Mesh[Acc]
}

func (a *Acc) OnStart(context.Context) error { a.sum = a.Start; return nil }

// Add adds and returns the sum.
func (a *Acc) Add(ctx context.Context, n int) (int, error) {
	if n == 1000 && engine.Here(ctx).Rank%2 == 1 {
		return 0, fmt.Errorf("add %d: %w", n, errBadRank)
	}
	a.sum += n
	return a.sum, nil
}

// Sum returns the sum.
func (a *Acc) Sum(context.Context) (int, error) { return a.sum, nil }

// Boom panics.
func (a *Acc) Boom(context.Context) error { panic("boom") }

// Pair sets the peer.
func (a *Acc) Pair(ctx context.Context, other engine.Mesh[Acc]) error {
	a.peer = other.Slice(engine.Here(ctx))
	return a.peer.Err()
}

// AddToPeer adds to the peer.
func (a *Acc) AddToPeer(ctx context.Context, n int) (int, error) {
	return engine.Method(a.peer, (*Acc).Add).CallOne(ctx, n)
}

// Block waits until its context ends.
func (a *Acc) Block(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestMain(m *testing.M) { enginetest.Main(m, func() { engine.Register[Acc]() }) }

// both runs a test on goroutines and on real worker processes.
func both(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	t.Run("in-process", func(t *testing.T) { f(t, enginetest.Local(t)) })
	t.Run("processes", func(t *testing.T) { f(t, enginetest.Processes(t)) })
}

func spawn(t *testing.T, ctx context.Context, name string, n int, proto Acc) engine.Mesh[Acc] {
	t.Helper()
	procs, err := engine.SpawnProcs(ctx, engine.Name("p_"+name), engine.Dim("gpus", n))
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Spawn(ctx, procs, name, proto)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestACallReturnsAValuePerRank(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 4, Acc{Start: 10})
		vals, err := engine.Method(acc, (*Acc).Add).Call(ctx, 5)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(vals.Values()); got != "[15 15 15 15]" {
			t.Errorf("values %s, want 15 on each of 4 ranks", got)
		}
		one, err := engine.Query(acc.Slice(engine.At("gpus", 2)), (*Acc).Sum).CallOne(ctx)
		if err != nil || one != 15 {
			t.Errorf("CallOne on a slice gave %d, %v", one, err)
		}
	})
}

func TestOneRanksErrorKeepsTheOthersValues(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 4, Acc{})
		vals, err := engine.Method(acc, (*Acc).Add).Call(ctx, 1000)
		if !errors.Is(err, errBadRank) {
			t.Fatalf("error %v does not match the sentinel", err)
		}
		if want := "Add failed on 2 of 4 ranks of @acc: [1,3] add 1000: bad rank"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		n := 0
		for p, v := range vals.Items() {
			n++
			if v != 1000 || p.Rank%2 != 0 {
				t.Errorf("value %d at %v", v, p)
			}
		}
		if n != 2 {
			t.Errorf("%d values, want 2", n)
		}
	})
}

func TestActorsCallEachOtherOverReferences(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		a, b := spawn(t, ctx, "a", 3, Acc{}), spawn(t, ctx, "b", 3, Acc{Start: 100})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		vals, err := engine.Method(a, (*Acc).AddToPeer).Call(ctx, 7)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(vals.Values()); got != "[107 107 107]" {
			t.Errorf("values %s", got)
		}
		// and back: the higher process asks the lower one to be dialled
		if err := engine.Action(b, (*Acc).Pair).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		if vals, err = engine.Method(b, (*Acc).AddToPeer).Call(ctx, 1); err != nil || fmt.Sprint(vals.Values()) != "[1 1 1]" {
			t.Errorf("values %v, %v", vals.Values(), err)
		}
	})
}

func TestAPanicFailsTheActorAndTellsItsCallers(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 2, Acc{})
		err := engine.Signal(acc.Slice(engine.At("gpus", 1)), (*Acc).Boom).CallOne(ctx)
		if err == nil || !strings.Contains(err.Error(), "panic: boom") {
			t.Fatalf("error %v, want the panic", err)
		}
		_, err = engine.Query(acc, (*Acc).Sum).Call(ctx)
		if !errors.Is(err, engine.ErrFailed) || !strings.Contains(err.Error(), "[1] @acc[1] panicked in Boom: boom") {
			t.Errorf("error %v, want rank 1 to be failed", err)
		}
	})
}
