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
)

// Sleeper does not get through its OnStart by itself.
type Sleeper struct{ Tell engine.Port[string] }

// OnStart tells when it begins and how it ended.
func (s *Sleeper) OnStart(ctx context.Context) error {
	if err := s.Tell.Send(ctx, "starting"); err != nil {
		return err
	}
	<-ctx.Done()
	_ = s.Tell.Send(context.WithoutCancel(ctx), "ended")
	return nil // although it was told to give up
}

// Ping does nothing.
func (s *Sleeper) Ping(context.Context) error { return nil }

func TestAMeshIsKilledWhileItsActorsStart(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		pm := procs(t, ctx, "p", 2)
		spawned := make(chan error, 1)
		go func() {
			_, err := engine.Spawn(ctx, pm, "m", Sleeper{Tell: port})
			spawned <- err
		}()
		hear := func(want string) {
			t.Helper()
			for range 2 {
				if got, err := recv.Recv(ctx); err != nil || got != want {
					t.Fatalf("heard %q, %v; want %q", got, err, want)
				}
			}
		}
		hear("starting")
		began := time.Now()
		if err := frontEnd(t, e).Kill(ctx, control.KillReq{Mesh: "m"}); err != nil {
			t.Error(err)
		}
		hear("ended")
		if err := <-spawned; err == nil || !strings.Contains(err.Error(), "stopped") {
			t.Errorf("the spawn ended with %v", err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		m := spawnOn(t, ctx, pm, "m", Acc{Start: 1}) // the name is free, and nobody else answers to it
		if vm, err := engine.Query(m, (*Acc).Sum).Call(ctx); err != nil || fmt.Sprint(vm.Values()) != "[1 1]" {
			t.Errorf("%v, %v", vm.Values(), err)
		}
	})
}

// Riser has started when somebody has opened the gate.
type Riser struct {
	Tell engine.Port[string]
	Gate engine.Mesh[Patient]
}

// OnStart waits for the gate.
func (r *Riser) OnStart(ctx context.Context) error {
	return errors.Join(r.Tell.Send(ctx, "starting"), engine.Signal(r.Gate, (*Patient).Pass).CallOne(ctx))
}

// Ping does nothing.
func (r *Riser) Ping(context.Context) error { return nil }

func TestACallByNameWaitsUntilItsMeshIsSpawned(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		pm := procs(t, ctx, "p", 2)
		gate := spawnOn(t, ctx, procs(t, ctx, "g", 1), "gate", Patient{})
		spawned := make(chan error, 1)
		go func() {
			_, err := engine.Spawn(ctx, pm, "m", Riser{Tell: port, Gate: gate})
			spawned <- err
		}()
		for range 2 {
			if _, err := recv.Recv(ctx); err != nil {
				t.Fatal(err)
			}
		}
		c := frontEnd(t, e)
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if h, err := c.Call(short, control.CallReq{Mesh: "m", Endpoint: "Ping"}); err == nil {
			if _, err = h.Wait(); err == nil || !strings.Contains(err.Error(), "@m is still being spawned") {
				t.Errorf("a call that does not wait long enough: %v", err)
			}
		}
		called := make(chan *control.CallHandle)
		go func() {
			h, err := c.Call(ctx, control.CallReq{Mesh: "m", Endpoint: "Ping"})
			if err != nil {
				t.Error(err)
			}
			called <- h
		}()
		if err := engine.Signal(gate, (*Patient).Open).CallOne(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-spawned; err != nil {
			t.Fatal(err)
		}
		h := <-called
		if done, err := h.Wait(); err != nil || done.Ranks != 2 {
			t.Fatalf("%+v, %v", done, err)
		}
		for _, r := range h.Got() {
			if r.Outcome != control.OutcomeReply {
				t.Errorf("rank %d: %s: %s", r.Rank, r.Outcome, r.Error)
			}
		}
	})
}

func TestASessionOutlivesAFailureThatNobodyHandled(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		p := listen(t, frontEnd(t, e), control.TopicState)
		m := spawnOn(t, ctx, procs(t, ctx, "p", 2), "m", Acc{})
		if err := engine.Signal(m.Slice(at(1)), (*Acc).Boom).Broadcast(ctx); err != nil {
			t.Fatal(err)
		}
		p.until("the mesh has failed", func() bool {
			x, ok := p.pic.Mesh("m")
			return ok && x.State == "failed" && strings.Contains(x.Reason, "boom")
		})
		if p.pic.Session.State != "running" {
			t.Errorf("the session is %s: %s", p.pic.Session.State, p.pic.Session.Reason)
		}
		if err := m.Stop(ctx); err != nil {
			t.Errorf("the failed mesh cannot be stopped: %v", err)
		}
	})
}

// TestAnEngineThatClosesWhileWorkersStartLeavesNone holds INV-ORPHAN.
func TestAnEngineThatClosesWhileWorkersStartLeavesNone(t *testing.T) {
	for round := range 12 {
		e, err := engine.Start(context.Background(), engine.NoSession())
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		pids := map[int]bool{}
		launched := make(chan struct{}, 1)
		_, stop := e.Backend().Subscribe(func(ev *control.Event) {
			if ev.Proc != nil && ev.Proc.PID != 0 {
				mu.Lock()
				pids[ev.Proc.PID] = true
				mu.Unlock()
				select {
				case launched <- struct{}{}:
				default:
				}
			}
		})
		spawned := make(chan error, 1)
		go func() {
			_, err := engine.SpawnProcs(e.Context(), engine.Dim("gpus", 4))
			spawned <- err
		}()
		for range round % 5 { // none, or a few of its steps
			select {
			case <-launched:
			case err := <-spawned:
				spawned <- err
			}
		}
		e.Close()
		if err := <-spawned; err == nil && round%5 == 0 {
			t.Log("the workers were quicker")
		}
		stop()
		for pid := range pids {
			if alive(pid) {
				t.Errorf("round %d: worker %d is alive after Close", round, pid)
			}
		}
	}
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
