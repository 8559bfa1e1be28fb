package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
)

// ring spawns three meshes A → B → C → A.
func ring(t *testing.T, ctx context.Context) [3]engine.Mesh[Ring] {
	t.Helper()
	p := procs(t, ctx, "ring", 1)
	q := procs(t, ctx, "other", 1)
	var r [3]engine.Mesh[Ring]
	for i, name := range []string{"A", "B", "C"} {
		on := p
		if i == 1 {
			on = q
		}
		r[i] = spawnOn(t, ctx, on, name, Ring{})
	}
	for i := range r {
		if err := engine.Action(r[i], (*Ring).Link).Call(ctx, r[(i+1)%3]); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestACycleOfWaitingCallsIsRefusedWithItsPath(t *testing.T) { // INV-CYCLE
	both(t, func(t *testing.T, ctx context.Context) {
		r := ring(t, ctx)
		for name, ep := range map[string]func(*Ring, context.Context, int) (int, error){"Ask": (*Ring).Ask, "AskLater": (*Ring).AskLater} {
			_, err := engine.Method(r[0], ep).CallOne(ctx, 0)
			if !errors.Is(err, engine.ErrCallCycle) {
				t.Fatalf("%s: error %v", name, err)
			}
			want := "@A[0] → @B[0] → @C[0] → @A[0]." + name + " would deadlock; register " + name + " as Concurrent, or Broadcast"
			if !strings.HasSuffix(err.Error(), want) {
				t.Errorf("error %q, want it to end in %q", err, want)
			}
		}
	})
}

func TestARingThatDoesNotWaitGoesRound(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		r := ring(t, ctx)
		if err := engine.Action(r[0], (*Ring).Kick).Call(ctx, 9); err != nil {
			t.Error(err)
		}
	})
}

func TestACallToAConcurrentEndpointIsNeverRefused(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 1)
		a, b := spawnOn(t, ctx, p, "A", Ring{}), spawnOn(t, ctx, p, "B", Ring{})
		if err := engine.Action(a, (*Ring).Link).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		if err := engine.Action(b, (*Ring).Link).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		if s, err := engine.Method(a, (*Ring).AskStatus).CallOne(ctx, true); err != nil || s != "ok" {
			t.Errorf("A → B → A.Status gave %q, %v", s, err)
		}
	})
}
