package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
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
		if err != nil || len(vals.Answered()) != 2 {
			t.Fatalf("the reference in a reply: %v, %v", vals.Answered(), err)
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

// Foreman has workers of its own.
type Foreman struct{}

// Hire spawns processes with actors.
func (*Foreman) Hire(ctx context.Context, name string) (engine.Mesh[Acc], error) {
	p, err := engine.SpawnProcs(ctx, engine.Name("p_"+name), engine.Dim("gpus", 1))
	if err != nil {
		return engine.Mesh[Acc]{}, err
	}
	return engine.Spawn(ctx, p, name, Acc{})
}

// Job is what a Foreman gives to others.
type Job struct {
	On   engine.ProcMesh
	Tell engine.Port[int]
	N    int
}

// Order spawns a Clerk, gives it work and stops it.
func (*Foreman) Order(ctx context.Context, j Job) error {
	clerk, err := engine.Spawn(ctx, j.On, "clerk", Clerk{Tell: j.Tell})
	if err != nil {
		return err
	}
	for range j.N {
		if err := engine.Action(clerk, (*Clerk).File).Broadcast(ctx, make([]byte, 4096)); err != nil {
			return err
		}
	}
	return clerk.Stop(ctx)
}

// Clerk counts what it files and tells when it ends.
type Clerk struct {
	Tell  engine.Port[int]
	filed int
}

// File counts.
func (c *Clerk) File(context.Context, []byte) error { c.filed++; return nil }

// OnStop tells.
func (c *Clerk) OnStop(ctx context.Context, _ error) { _ = c.Tell.Send(ctx, c.filed) }

func TestWhatAnActorOwnedEndsWithItsProcess(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		if err := handleAll(ctx); err != nil {
			t.Fatal(err)
		}
		pm := procs(t, ctx, "p", 2)
		bosses := spawnOn(t, ctx, pm, "bosses", Foreman{})
		var hired [2]engine.Mesh[Acc]
		for i := range hired {
			var err error
			if hired[i], err = engine.Method(bosses.Slice(at(i)), (*Foreman).Hire).CallOne(ctx, fmt.Sprint("kid", i)); err != nil {
				t.Fatal(err)
			}
		}
		p := listen(t, frontEnd(t, e), control.TopicState)
		if err := pm.Slice(at(1)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		p.until("the end of what the dead one had", func() bool {
			m, _ := p.pic.Mesh("kid1")
			pm, _ := p.pic.ProcMesh("p_kid1")
			return m != nil && m.Gone && pm != nil && pm.Gone && m.Reason == "its owner was in rank 1 of procs p, which is gone"
		})
		if _, err := engine.Query(hired[1], (*Acc).Sum).Call(ctx); err == nil {
			t.Error("what the dead one had still answers")
		}
		if _, err := engine.Query(hired[0], (*Acc).Sum).Call(ctx); err != nil {
			t.Errorf("what the living one has: %v", err)
		}
	})
}

// TestAStopDoesNotOvertakeWhatItsActorSentBefore holds INV-ORDER.
func TestAStopDoesNotOvertakeWhatItsActorSentBefore(t *testing.T) {
	const n = 300
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		port, recv, err := engine.Channel[int](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		there := procs(t, ctx, "there", 1)
		boss := spawn(t, ctx, "boss", 1, Foreman{})
		for range 5 {
			if err := engine.Action(boss, (*Foreman).Order).Call(ctx, Job{On: there, Tell: port, N: n}); err != nil {
				t.Fatal(err)
			}
			if got, err := recv.Recv(ctx); err != nil || got != n {
				t.Errorf("%d of %d were handled before the stop, %v", got, n, err)
			}
		}
	})
}

func TestASpawnOfADeadOwnerIsEnded(t *testing.T) {
	e, err := engine.Start(context.Background(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	if err := handleAll(ctx); err != nil {
		t.Fatal(err)
	}
	pm := procs(t, ctx, "p", 1)
	boss := spawnOn(t, ctx, pm, "boss", Foreman{})
	p := listen(t, frontEnd(t, e), control.TopicState)
	hire := engine.Method(boss, (*Foreman).Hire).Start(ctx, "kid")
	p.until("the start of the kid's process", func() bool { _, ok := p.pic.ProcMesh("p_kid"); return ok })
	if err := pm.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := hire.One(ctx); !errors.Is(err, engine.ErrLost) {
		t.Error(err)
	}
	p.until("the end of the kid's process", func() bool { k, _ := p.pic.ProcMesh("p_kid"); return k.Gone })
}

// Doomed tells how the contexts of its messages end.
type Doomed struct {
	Tell engine.Port[string]
	Last engine.Mesh[Doomed]

	ends []string
}

// Wait waits for the end of its context, and of one that is made of it.
func (d *Doomed) Wait(ctx context.Context) error {
	child, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := d.Tell.Send(context.WithoutCancel(ctx), "begun"); err != nil {
		return err
	}
	<-child.Done()
	end := fmt.Sprintf("%v, %v, %v", ctx.Err(), context.Cause(ctx), child.Err())
	d.ends = append(d.ends, end)
	return d.Tell.Send(context.WithoutCancel(ctx), end)
}

// Pass waits in a call of another one.
func (d *Doomed) Pass(ctx context.Context) error {
	_ = engine.Signal(d.Last, (*Doomed).Wait).CallOne(ctx)
	return d.Wait(ctx)
}

// Ends are the ends so far.
func (d *Doomed) Ends(context.Context) ([]string, error) { return d.ends, nil }

const (
	endedLate  = "context deadline exceeded, context deadline exceeded, context deadline exceeded"
	endedGiven = "context canceled, context canceled, context canceled"
)

// deadline is a context whose deadline passes when the test says so.
type deadline struct {
	context.Context
	passed chan struct{}
}

func (d *deadline) Deadline() (time.Time, bool) { return time.Now().Add(time.Hour), true }
func (d *deadline) Done() <-chan struct{}       { return d.passed }

func (d *deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestAHandlerSeesTheEndThatItsCallerHad(t *testing.T) {
	late := func(ctx context.Context) (context.Context, func()) {
		d := &deadline{Context: ctx, passed: make(chan struct{})}
		return d, func() { close(d.passed) }
	}
	lateCause := func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(ctx)
		return ctx, func() { cancel(context.DeadlineExceeded) }
	}
	given := func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		return ctx, cancel
	}
	call := func(ctx context.Context, m engine.Mesh[Doomed]) { _ = engine.Signal(m, (*Doomed).Wait).Call(ctx) }
	cases := []struct {
		name  string
		under func(ctx context.Context) (_ context.Context, end func())
		call  func(ctx context.Context, m engine.Mesh[Doomed])
		begun int // handlers
		want  string
	}{
		{"Call", late, call, 2, endedLate},
		{"Call under a context whose cause is a deadline", lateCause, call, 2, endedLate},
		{"Call that is given up before its deadline", given, call, 2, endedGiven},
		{"CallOne", late, func(ctx context.Context, m engine.Mesh[Doomed]) {
			_ = engine.Signal(m.Slice(at(1)), (*Doomed).Wait).CallOne(ctx)
		}, 1, endedLate},
		{"Choose", late, func(ctx context.Context, m engine.Mesh[Doomed]) {
			_ = engine.Signal(m, (*Doomed).Wait).Choose(ctx)
		}, 1, endedLate},
		{"Stream", late, func(ctx context.Context, m engine.Mesh[Doomed]) {
			for _, err := range engine.Signal(m, (*Doomed).Wait).Stream(ctx) {
				_ = err
			}
		}, 2, endedLate},
		{"Start and Wait", late, func(ctx context.Context, m engine.Mesh[Doomed]) {
			_ = engine.Wait(context.WithoutCancel(ctx), engine.Signal(m, (*Doomed).Wait).Start(ctx))
		}, 2, endedLate},
		{"a call within a call", late, func(ctx context.Context, m engine.Mesh[Doomed]) {
			_ = engine.Signal(m.Slice(at(0)), (*Doomed).Pass).Call(ctx)
		}, 1, endedLate},
	}
	both(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 2)
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				port, recv, err := engine.Channel[string](ctx)
				if err != nil {
					t.Fatal(err)
				}
				defer recv.Close()
				last := spawnOn(t, ctx, p, fmt.Sprint("last", i), Doomed{Tell: port})
				m := spawnOn(t, ctx, p, fmt.Sprint("m", i), Doomed{Tell: port, Last: last.Slice(at(1))})
				under, end := c.under(ctx)
				var called sync.WaitGroup
				defer called.Wait()
				called.Go(func() { c.call(under, m) })
				for said := 0; said < c.begun; said++ {
					if _, err := recv.Recv(ctx); err != nil {
						t.Fatal(err)
					}
				}
				end()
				for said := 0; said < c.begun; {
					got, err := recv.Recv(ctx)
					if got == "begun" {
						continue // the outer one of two, at the end
					}
					said++
					if err != nil || got != c.want {
						t.Errorf("a handler saw %q, %v; want %q", got, err, c.want)
					}
				}
			})
		}
	})
}

func TestAHandlersOwnTimerAndItsCallersWordAreOneEnd(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		m := spawn(t, ctx, "m", 2, Doomed{Tell: port})
		for range 5 { // two calls: the time of one that waits in a mailbox begins late
			short, cancel := engine.WithTimeout(ctx, 20*time.Millisecond)
			_ = engine.Wait(ctx, engine.Signal(m, (*Doomed).Wait).Start(short), engine.Signal(m, (*Doomed).Wait).Start(short))
			cancel()
		}
		ends, err := engine.Query(m, (*Doomed).Ends).Call(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for p, list := range ends.Items() {
			for _, end := range list { // not all of them have begun in their time
				if end != endedLate {
					t.Errorf("rank %d saw %q", p.Rank, end)
				}
			}
		}
	})
}

func TestAHandlerSeesTheEndThatAFrontEndsCallHad(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		p := procs(t, ctx, "p", 1)
		spawnOn(t, ctx, p, "doomed", Doomed{Tell: port})
		spawnOn(t, ctx, p, "acc", Acc{})
		c := frontEnd(t, e)
		for _, req := range []control.CallReq{{Mesh: "doomed", Endpoint: "Wait"}, {Mesh: "acc", Endpoint: "Block", Budget: 20 * time.Millisecond}} {
			h, err := c.Call(ctx, req)
			if err != nil {
				t.Fatal(err)
			}
			if req.Budget == 0 {
				if _, err := recv.Recv(ctx); err != nil {
					t.Fatal(err)
				}
				h.Expire()
				if got, err := recv.Recv(ctx); err != nil || got != endedLate {
					t.Errorf("the handler saw %q, %v", got, err)
				}
			}
			if _, err := h.Wait(); err != nil {
				t.Error(err)
			}
			if got := h.Got(); len(got) != 1 || got[0].Outcome != control.OutcomeDeadline {
				t.Errorf("the front end got %+v from @%s", got, req.Mesh)
			}
		}
	})
}

// TestEveryAdverbSaysHowItsMeshEnded holds INV-ENDED.
func TestEveryAdverbSaysHowItsMeshEnded(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		for how, end := range map[string]func(engine.Mesh[Acc]) error{
			"@m was stopped": func(m engine.Mesh[Acc]) error { return m.Stop(ctx) },
			"@m was killed":  func(m engine.Mesh[Acc]) error { return m.Kill(ctx) },
		} {
			m := spawnOn(t, ctx, procs(t, ctx, "p"+how[len(how)-4:], 1), "m", Acc{})
			if err := end(m); err != nil {
				t.Fatal(err)
			}
			for what, err := range ask(ctx, m) {
				if err == nil || !strings.Contains(err.Error(), how) {
					t.Errorf("%s: %v, want %s", what, err, how)
				}
			}
		}
	})
}
