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
