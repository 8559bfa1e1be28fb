package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAnOwnerDecidesToStartAnew(t *testing.T) {
	for name, c := range map[string]struct {
		d     engine.Decision
		lives string
	}{"one": {engine.RestartOne, "[0 1]"}, "all": {engine.RestartAll, "[1 1]"}} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, ctx context.Context) {
				keeper := spawn(t, ctx, "keeper", 1, Keeper{Decision: c.d})
				m, err := engine.Method(keeper, (*Keeper).Keep).CallOne(ctx, 2)
				if err != nil {
					t.Fatal(err)
				}
				if err := engine.Signal(m.Slice(at(1)), (*Phoenix).Boom).CallOne(ctx); err == nil {
					t.Fatal("no panic")
				}
				m = anew(t, ctx, m)
				if lives, err := engine.Query(m, (*Phoenix).Life).Call(ctx); err != nil || fmt.Sprint(lives.Answered()) != c.lives {
					t.Errorf("lives %v, %v, want %s", lives.Answered(), err, c.lives)
				}
				if heard, err := engine.Query(keeper, (*Keeper).Heard).CallOne(ctx); err != nil || len(heard) != 1 || !strings.Contains(heard[0], "@kept[1] panicked in Boom: boom") {
					t.Errorf("the owner heard %q, %v", heard, err)
				}
			})
		})
	}
}

func TestWhatAnActorOwnedEndsBeforeItsNextLife(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 1, Phoenix{Kids: true}, nil, engine.Restart(3, time.Minute))
		if err := engine.Signal(m, (*Phoenix).Boom).CallOne(ctx); err == nil {
			t.Fatal("no panic")
		}
		if life, err := engine.Query(anew(t, ctx, m), (*Phoenix).Life).CallOne(ctx); err != nil || life != 1 {
			t.Errorf("life %d, %v: its OnStart spawns by a name that the life before had taken", life, err)
		}
	})
}

func TestARankThatSomebodyKillsComesBackByItsPolicy(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 2), engine.RestartProcs(3, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		m := spawnOn(t, ctx, p, "m", Phoenix{From: 3})
		if err := p.Slice(at(0)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		m = anew(t, ctx, m)
		if v := inc(t, ctx, m, 0); v != 4 {
			t.Errorf("counted %d", v)
		}
		if err := p.Kill(ctx); err != nil { // the whole of it is not wanted any more
			t.Fatal(err)
		}
		if _, err := m.Resolve(ctx); !errors.Is(err, engine.ErrStopped) {
			t.Error(err)
		}
	})
}

// Who names the only rank of a mesh means that rank, which its policy brings back; who names the mesh means the end of it.
func TestTheOnlyRankOfAMeshComesBackToo(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 1), engine.RestartProcs(3, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		m, err := engine.Spawn(ctx, p, "m", Phoenix{From: 3}, engine.Restart(3, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		for life, kill := range []func() error{func() error { return p.Slice(at(0)).Kill(ctx) }, func() error { return m.Slice(at(0)).Kill(ctx) }} {
			if err := kill(); err != nil {
				t.Fatal(err)
			}
			m = anew(t, ctx, m)
			if got, err := engine.Query(m, (*Phoenix).Life).CallOne(ctx); err != nil || got != life+1 {
				t.Errorf("life %d, %v, want %d", got, err, life+1)
			}
		}
		if err := m.Kill(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Resolve(ctx); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("a mesh that was killed as a whole: %v", err)
		}
	})
}

func TestAMonitorTellsOfEachEndOnce(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 3, Phoenix{}, nil)
		rx, err := m.Monitor(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer rx.Close()
		limit, cancel := context.WithTimeout(ctx, eventLimit)
		defer cancel()
		down := func(rx *engine.Receiver[engine.Down], rank int, why string) {
			t.Helper()
			if d, err := rx.Recv(limit); err != nil || d.Mesh != "m" || d.Rank != rank || d.Life != 0 || !strings.Contains(d.Why, why) {
				t.Errorf("%+v, %v, want rank %d and %q", d, err, rank, why)
			}
		}
		_ = engine.Signal(m.Slice(at(1)), (*Phoenix).Boom).CallOne(ctx)
		down(rx, 1, "@m[1] panicked in Boom: boom")
		if _, err := m.Slice(at(1)).Restart(ctx); err != nil {
			t.Fatal(err)
		}
		if err := m.Slice(at(2)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		down(rx, 2, "@m[2] was killed")
		late, err := m.Slice(at(1)).Monitor(ctx) // of a life that is over
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		down(late, 1, "it is in life 2")
		if err := m.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		down(rx, 0, "@m was stopped")
		after, err := m.Monitor(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer after.Close()
		for rank := range 3 {
			down(after, rank, "@m was stopped")
		}
		short, end := context.WithTimeout(ctx, time.Millisecond)
		defer end()
		if d, err := rx.Recv(short); err == nil {
			t.Errorf("told again: %+v", d)
		}
	})
}

func TestFrontEndsSeeRestartsWithTheirCause(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		m := rise(t, ctx, 2, Phoenix{}, nil, engine.Restart(3, time.Minute))
		c := frontEnd(t, e)
		_ = engine.Signal(m.Slice(at(1)), (*Phoenix).Boom).CallOne(ctx)
		anew(t, ctx, m)
		snap, err := c.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(snap.Restarts); n != 1 {
			t.Fatalf("%d restarts", n)
		}
		r := snap.Restarts[0]
		if r.Mesh != "m" || r.Rank != 1 || r.Life != 1 || r.State != control.RestartReady || r.Why != "@m[1] panicked in Boom: boom" || r.By != "its restart policy, 1 of 3 times in 1m" || r.Took <= 0 {
			t.Errorf("%+v", r)
		}
		if st := snap.Meshes[0].Ranks[1]; st.Restarts != 1 || st.State != "idle" || snap.Meshes[0].State != "running" {
			t.Errorf("%+v", snap.Meshes[0])
		}
		if err := c.Restart(ctx, control.RestartReq{Mesh: "m", Ranks: []int{0}}); err == nil || !strings.Contains(err.Error(), "the actor of @m[0] lives (idle): kill it first") {
			t.Error(err)
		}
		if err := c.Restart(ctx, control.RestartReq{}); err == nil || !strings.Contains(err.Error(), "name a proc mesh or an actor mesh") {
			t.Error(err)
		}
		if err := c.Restart(ctx, control.RestartReq{Mesh: "m", Ranks: []int{9}}); err == nil || !strings.Contains(err.Error(), "its ranks are 0 to 1") {
			t.Error(err)
		}
	})
}
