package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

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
			return m != nil && m.Gone && pm != nil && pm.Gone && m.Reason == "its owner was in worker 1 of procs p, which is gone"
		})
		if _, err := engine.Query(hired[1], (*Acc).Sum).Call(ctx); err == nil {
			t.Error("what the dead one had still answers")
		}
		if _, err := engine.Query(hired[0], (*Acc).Sum).Call(ctx); err != nil {
			t.Errorf("what the living one has: %v", err)
		}
	})
}

func TestAStopDoesNotOvertakeWhatItsActorSentBefore(t *testing.T) { // INV-ORDER
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
