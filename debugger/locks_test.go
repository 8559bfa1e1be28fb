package debugger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

func (s *scene) take(rank int, names ...string) <-chan result[int] {
	return begin(func() (int, error) {
		return 0, engine.Action(s.m.Slice(engine.At("gpus", rank)), (*Worker).Take).CallOne(s.ctx, names)
	})
}

// locked waits until so many wait for locks.
func (s *scene) locked(n int) {
	s.t.Helper()
	s.until("waits for locks", func() bool {
		have := 0
		for _, w := range s.pic.Waits {
			if w.State == control.WaitLock {
				have++
			}
		}
		return have == n
	})
}

// TestADeadlockOverLocksIsFoundAndNamed: two actors want what the other one holds.
func TestADeadlockOverLocksIsFoundAndNamed(t *testing.T) {
	onBoth(t, 2, func(s *scene) {
		want(s.t, s.take(0, "left"), 0, "")
		want(s.t, s.take(1, "right"), 0, "")
		a, b := s.take(0, "right"), s.take(1, "left")
		s.locked(2)
		r, _, err := debugger.Verdict(s.ctx, s.c)
		if err != nil || len(r.Deadlocks) != 1 {
			s.t.Fatalf("%+v, %v", r, err)
		}
		lines := strings.Join(r.Lines(100, 20, time.Now()), "\n")
		for _, want := range []string{"deadlock", "@w[0]", "@w[1]", "left", "right"} {
			if !strings.Contains(lines, want) {
				s.t.Errorf("the verdict lacks %q:\n%s", want, lines)
			}
		}
		if err := s.c.Kill(s.ctx, control.KillReq{Mesh: "w", Ranks: []int{0}}); err != nil { // its end gives back what it held
			s.t.Fatal(err)
		}
		want(s.t, b, 0, "")
		if r := <-a; r.err == nil {
			s.t.Error("the one that was killed got its lock")
		}
		want(s.t, begin(func() (int, error) {
			return 0, engine.Signal(s.m.Slice(engine.At("gpus", 1)), (*Worker).Give).CallOne(s.ctx)
		}), 0, "")
		give, err := engine.Acquire(s.ctx, "left")
		if err != nil {
			s.t.Fatal(err)
		}
		give()
	})
}

// TestALockIsGivenInOrderAndGivenUpInTime covers waits that end, and locks of processes that end.
func TestALockIsGivenInOrderAndGivenUpInTime(t *testing.T) {
	onBoth(t, 2, func(s *scene) {
		want(s.t, s.take(0, "x"), 0, "")
		want(s.t, s.take(0, "x"), 0, "@w[0] holds it already, and would wait for itself")
		ctx, cancel := context.WithTimeout(s.ctx, 50*time.Millisecond)
		defer cancel()
		if _, err := engine.Acquire(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
			s.t.Errorf("a wait that ends: %v", err)
		}
		if _, err := engine.Acquire(s.ctx, ""); err == nil || !strings.Contains(err.Error(), "no name") {
			s.t.Errorf("no name: %v", err)
		}
		b := s.take(1, "x")
		if err := s.c.Kill(s.ctx, control.KillReq{Procs: "p_w", Ranks: []int{0}}); err != nil {
			s.t.Fatal(err)
		}
		want(s.t, b, 0, "")
	})
}

// TestAWaitForAStoppedActorIsHeldAndNoDeadlock: the verdict names the stop.
func TestAWaitForAStoppedActorIsHeldAndNoDeadlock(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		s.brk(control.Breakpoint{Endpoint: "Do"})
		done := s.do(1)
		st := s.stops(1)[0]
		s.until("main to wait", func() bool { return len(s.pic.Waits) == 1 })
		r, _, err := debugger.Verdict(s.ctx, s.c)
		if err != nil || len(r.Deadlocks) != 0 || len(r.Holds) == 0 || !strings.Contains(r.Verdict(), "stop 1") {
			s.t.Errorf("%+v, %q, %v", r, r.Verdict(), err)
		}
		s.resume(control.GoContinue, st)
		want(s.t, done, 1, "")
	})
}
