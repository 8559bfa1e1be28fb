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

func TestACallToOneselfIsRefused(t *testing.T) { // INV-CYCLE
	both(t, func(t *testing.T, ctx context.Context) {
		a := spawnOn(t, ctx, procs(t, ctx, "p", 1), "A", Ring{})
		if err := engine.Action(a, (*Ring).Link).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		for name, ep := range map[string]func(*Ring, context.Context, int) (int, error){"Ask": (*Ring).Ask, "AskLater": (*Ring).AskLater} {
			_, err := engine.Method(a, ep).CallOne(ctx, 0)
			if !errors.Is(err, engine.ErrCallCycle) || !strings.HasSuffix(err.Error(), "@A[0] → @A[0]."+name+" would deadlock; register "+name+" as Concurrent, or Broadcast") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Looper starts a call that comes back while it does not wait for it.
type Looper struct {
	peer engine.Mesh[Looper]
	n    int
}

// Meet sets the peer.
func (l *Looper) Meet(_ context.Context, m engine.Mesh[Looper]) error { l.peer = m; return nil }

// Begin starts Back on the peer with an argument of that size and goes on, or waits for it in a moment.
func (l *Looper) Begin(ctx context.Context, b Begin) error {
	f := engine.Action(l.peer, (*Looper).Back).Start(context.WithoutCancel(ctx), make([]byte, b.Size))
	if !b.Wait {
		return nil
	}
	_, err := f.All(ctx)
	return err
}

// Begin says how.
type Begin struct {
	Size int
	Wait bool
}

// Back waits for Touch on the peer.
func (l *Looper) Back(ctx context.Context, _ []byte) error {
	return engine.Signal(l.peer, (*Looper).Touch).CallOne(ctx)
}

// Touch counts.
func (l *Looper) Touch(context.Context) error { l.n++; return nil }

// Touched tells how often.
func (l *Looper) Touched(context.Context) (int, error) { return l.n, nil }

func TestOnlyAWaitMakesACycle(t *testing.T) { // INV-CYCLE
	both(t, func(t *testing.T, ctx context.Context) {
		a, b := spawn(t, ctx, "a", 1, Looper{}), spawn(t, ctx, "b", 1, Looper{})
		if err := errors.Join(engine.Action(a, (*Looper).Meet).Call(ctx, b), engine.Action(b, (*Looper).Meet).Call(ctx, a)); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, size := range []int{0, 200 << 10} { // the notice of the wait must not overtake a large message
			for range 5 {
				if err := engine.Action(a, (*Looper).Begin).CallOne(ctx, Begin{Size: size}); err != nil {
					t.Errorf("not waiting, size %d: %v", size, err)
				}
				want++
				eventually(t, "the call that came back", eventLimit, func() bool {
					n, err := engine.Query(a, (*Looper).Touched).CallOne(ctx)
					return err == nil && n == want
				})
				if err := engine.Action(a, (*Looper).Begin).CallOne(ctx, Begin{Size: size, Wait: true}); !errors.Is(err, engine.ErrCallCycle) {
					t.Errorf("waiting, size %d: %v", size, err)
				}
			}
		}
	})
}
