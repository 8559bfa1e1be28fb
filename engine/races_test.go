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
		if vm, err := engine.Query(m, (*Acc).Sum).Call(ctx); err != nil || fmt.Sprint(vm.Answered()) != "[1 1]" {
			t.Errorf("%v, %v", vm.Answered(), err)
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

// ask calls every rank of a mesh in every way, from main and from actors elsewhere, and gives the errors.
func ask(ctx context.Context, m engine.Mesh[Acc], elsewhere ...engine.Mesh[Acc]) map[string]error {
	sum := engine.Query(m, (*Acc).Sum)
	out := map[string]error{"Broadcast": sum.Broadcast(ctx)}
	_, out["Call"] = sum.Call(ctx)
	_, out["Choose"] = sum.Choose(ctx)
	_, out["Start"] = sum.Start(ctx).All(ctx)
	for _, err := range sum.Stream(ctx) {
		out["Stream"] = err
	}
	for i, one := range elsewhere {
		out[fmt.Sprint("from an actor of ", one.Name(), i)] = engine.Action(one, (*Acc).AskAll).Call(ctx, m)
	}
	return out
}

// ends are the ways to end a proc mesh by order.
var ends = map[string]func(context.Context, engine.ProcMesh) error{
	"stop": func(ctx context.Context, p engine.ProcMesh) error { return p.Stop(ctx) },
	"kill": func(ctx context.Context, p engine.ProcMesh) error { return p.Kill(ctx) },
	"kill of each rank": func(ctx context.Context, p engine.ProcMesh) error {
		return errors.Join(p.Slice(at(0)).Kill(ctx), p.Slice(at(1)).Kill(ctx))
	},
}

// TestAnEndByOrderIsToldAsAStop holds INV-ENDED.
func TestAnEndByOrderIsToldAsAStop(t *testing.T) {
	for how, end := range ends {
		t.Run(how, func(t *testing.T) {
			both(t, func(t *testing.T, ctx context.Context) {
				p := procs(t, ctx, "p", 2)
				m, before := spawnOn(t, ctx, p, "m", Acc{}), spawn(t, ctx, "before", 1, Acc{})
				if err := engine.Action(before, (*Acc).AskAll).Call(ctx, m); err != nil {
					t.Fatal(err)
				}
				port, err := engine.Query(spawnOn(t, ctx, p.Slice(at(0)), "post", Courier{}), (*Courier).Open).CallOne(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if err := end(ctx, p); err != nil {
					t.Fatal(err)
				}
				if err := port.Send(ctx, 1); !errors.Is(err, engine.ErrStopped) || errors.Is(err, engine.ErrLost) {
					t.Errorf("a port of theirs: %v", err)
				}
				after := spawn(t, ctx, "after", 1, Acc{}) // it never knew the processes
				for what, err := range ask(ctx, m, before) {
					if !errors.Is(err, engine.ErrStopped) || errors.Is(err, engine.ErrLost) {
						t.Errorf("%s: %v", what, err)
					}
				}
				for _, err := range ask(ctx, m, after) {
					if !errors.Is(err, engine.ErrStopped) {
						t.Errorf("from an actor that came later: %v", err)
					}
				}
				if _, err := engine.Spawn(ctx, p, "late", Acc{}); !errors.Is(err, engine.ErrStopped) {
					t.Errorf("spawn: %v", err)
				}
				for what, again := range map[string]func() error{
					"Stop of the processes": func() error { return p.Stop(ctx) }, "Kill of the processes": func() error { return p.Kill(ctx) },
					"Kill of a slice":    func() error { return p.Slice(at(1)).Kill(ctx) },
					"Stop of the actors": func() error { return m.Stop(ctx) }, "Kill of the actors": func() error { return m.Kill(ctx) },
					"Kill of one actor": func() error { return m.Slice(at(0)).Kill(ctx) },
				} {
					if err := again(); err != nil {
						t.Errorf("%s once more: %v", what, err)
					}
				}
			})
		})
	}
}

// TestAnEndMeansTheMeshAndNotWhoTookItsName holds INV-ENDED.
func TestAnEndMeansTheMeshAndNotWhoTookItsName(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx, c := e.Context(), frontEnd(t, e)
		tap := listen(t, c, control.TopicState)
		old := procs(t, ctx, "p", 1)
		oldM := spawnOn(t, ctx, old, "m", Acc{})
		tap.until("both on the screen", func() bool { _, ok := tap.pic.Mesh("m"); return ok })
		seen, _ := tap.pic.Mesh("m")
		seenProcs, _ := tap.pic.ProcMesh("p")
		if err := old.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{c.Stop(ctx, control.StopReq{Mesh: "m"}), c.Kill(ctx, control.KillReq{Procs: "p"})} { // by name
			if err != nil {
				t.Errorf("a front end's second end: %v", err)
			}
		}
		p := procs(t, ctx, "p", 1)
		m := spawnOn(t, ctx, p, "m", Acc{})
		for _, err := range []error{
			oldM.Stop(ctx), oldM.Kill(ctx), old.Stop(ctx), old.Kill(ctx),
			c.Stop(ctx, control.StopReq{Mesh: "m", ID: seen.Ref.ID}), c.Kill(ctx, control.KillReq{Mesh: "m", ID: seen.Ref.ID}),
			c.Stop(ctx, control.StopReq{Procs: "p", ID: seenProcs.ID}), c.Kill(ctx, control.KillReq{Procs: "p", ID: seenProcs.ID}),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		if _, err := engine.Spawn(ctx, old, "n", Acc{}); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("spawn: %v", err)
		}
		if _, err := engine.Query(m, (*Acc).Sum).CallOne(ctx); err != nil {
			t.Errorf("the successor: %v", err)
		}
		if err := c.Stop(ctx, control.StopReq{Procs: "nobody"}); err == nil || errors.Is(err, engine.ErrStopped) {
			t.Errorf("a stop of what never was: %v", err)
		}
	})
}

// TestWhatEndedLongAgoIsToldAsAStopToo ends more meshes than any book keeps, and holds INV-ENDED.
func TestWhatEndedLongAgoIsToldAsAStopToo(t *testing.T) {
	ctx := local(t)
	caller := spawn(t, ctx, "caller", 1, Acc{})
	var oldest engine.ProcMesh
	var actors engine.Mesh[Acc]
	for i := range 600 {
		p := procs(t, ctx, "p", 1)
		m := spawnOn(t, ctx, p, "m", Acc{})
		if i == 0 {
			oldest, actors = p, m
		}
		if err := p.Stop(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for what, err := range ask(ctx, actors, caller) {
		if !errors.Is(err, engine.ErrStopped) || errors.Is(err, engine.ErrLost) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := engine.Spawn(ctx, oldest, "late", Acc{}); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("spawn: %v", err)
	}
	for _, err := range []error{oldest.Stop(ctx), oldest.Kill(ctx), actors.Stop(ctx), actors.Kill(ctx)} {
		if err != nil {
			t.Error(err)
		}
	}
}

// TestEndsAtTheSameTimeAreOneEnd holds INV-ENDED.
func TestEndsAtTheSameTimeAreOneEnd(t *testing.T) {
	type end func(context.Context, engine.ProcMesh, engine.Mesh[Acc]) error
	stop := func(ctx context.Context, _ engine.ProcMesh, m engine.Mesh[Acc]) error { return m.Stop(ctx) }
	kill := func(ctx context.Context, _ engine.ProcMesh, m engine.Mesh[Acc]) error { return m.Kill(ctx) }
	stopAll := func(ctx context.Context, p engine.ProcMesh, _ engine.Mesh[Acc]) error { return p.Stop(ctx) }
	killAll := func(ctx context.Context, p engine.ProcMesh, _ engine.Mesh[Acc]) error { return p.Kill(ctx) }
	both(t, func(t *testing.T, ctx context.Context) {
		if err := handleAll(ctx); err != nil {
			t.Fatal(err)
		}
		for what, ends := range map[string][]end{
			"Stop and Stop": {stop, stop, stop}, "Stop and Kill": {stop, kill, stop, kill}, "Kill and Kill": {kill, kill, kill},
			"Stop and Stop of processes": {stopAll, stopAll, stopAll}, "Stop and Kill of processes": {stopAll, killAll, stopAll, killAll},
			"Kill and Kill of processes": {killAll, killAll, killAll}, "all of them": {stop, stopAll, kill, killAll, stop, stopAll},
		} {
			p := procs(t, ctx, "p", 2)
			m := spawnOn(t, ctx, p, "m", Acc{})
			errs := make(chan error, len(ends))
			for _, f := range ends {
				go func() { errs <- f(ctx, p, m) }()
			}
			for range ends {
				if err := <-errs; err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			if _, err := engine.Query(m, (*Acc).Sum).Call(ctx); !errors.Is(err, engine.ErrStopped) {
				t.Errorf("%s: a call afterwards: %v", what, err)
			}
			if err := p.Stop(ctx); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestAKillHurriesAStop(t *testing.T) {
	type patients = engine.Mesh[Patient]
	for what, c := range map[string]struct {
		busy       func(*Patient, context.Context) error
		stop, kill func(context.Context, engine.ProcMesh, patients) error
	}{
		"of actors": {
			(*Patient).Pass, // until somebody opens, which nobody does: it does not look at its context
			func(ctx context.Context, _ engine.ProcMesh, m patients) error { return m.Stop(ctx) },
			func(ctx context.Context, _ engine.ProcMesh, m patients) error { return m.Kill(ctx) },
		},
		"of one actor after the other": {
			(*Patient).Wait,
			func(ctx context.Context, _ engine.ProcMesh, m patients) error { return m.Stop(ctx) },
			func(ctx context.Context, _ engine.ProcMesh, m patients) error {
				return errors.Join(m.Slice(at(1)).Kill(ctx), m.Slice(at(0)).Kill(ctx))
			},
		},
		"of one process after the other": {
			(*Patient).Wait,
			func(ctx context.Context, p engine.ProcMesh, _ patients) error { return p.Stop(ctx) },
			func(ctx context.Context, p engine.ProcMesh, _ patients) error {
				return errors.Join(p.Slice(at(1)).Kill(ctx), p.Slice(at(0)).Kill(ctx))
			},
		},
		"of processes": {
			(*Patient).Wait,
			func(ctx context.Context, p engine.ProcMesh, _ patients) error { return p.Stop(ctx) },
			func(ctx context.Context, p engine.ProcMesh, _ patients) error { return p.Kill(ctx) },
		},
		"of processes, by the actors'": {
			(*Patient).Wait,
			func(ctx context.Context, p engine.ProcMesh, _ patients) error { return p.Stop(ctx) },
			func(ctx context.Context, _ engine.ProcMesh, m patients) error { return m.Kill(ctx) },
		},
	} {
		t.Run(what, func(t *testing.T) {
			bothEngines(t, func(t *testing.T, e *engine.Engine) {
				ctx := e.Context()
				if err := handleAll(ctx); err != nil {
					t.Fatal(err)
				}
				p := procs(t, ctx, "p", 2)
				m := spawnOn(t, ctx, p, "m", Patient{})
				tap := listen(t, frontEnd(t, e), control.TopicState)
				held := engine.Signal(m, c.busy).Start(ctx)
				tap.until("both to wait", func() bool { return len(tap.rank("m", 0).Running)+len(tap.rank("m", 1).Running) == 2 })
				stopped := make(chan error, 1)
				go func() { stopped <- c.stop(ctx, p, m) }()
				tap.until("the stop to begin", func() bool { x, ok := tap.pic.Mesh("m"); return ok && x.State == "stopping" })
				if err := c.kill(ctx, p, m); err != nil {
					t.Errorf("the kill: %v", err)
				}
				if err := <-stopped; err != nil {
					t.Errorf("the stop: %v", err)
				}
				_, err := held.All(ctx) // were it not hurried, the stop itself would give the calls their outcome, after 10 s
				if !errors.Is(err, engine.ErrStopped) || !errors.Is(err, engine.ErrLost) || strings.Contains(err.Error(), "was stopped while it handled this") {
					t.Errorf("the call that it cut: %v", err)
				}
			})
		})
	}
}
