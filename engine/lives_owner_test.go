package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
)

// Nurse owns a mesh and starts it anew herself while she judges its failure.
type Nurse struct {
	Waits bool // instead she asks which lives its ranks are in

	mesh engine.Mesh[Phoenix]
	err  string
}

// Admit spawns the mesh.
func (n *Nurse) Admit(ctx context.Context) (m engine.Mesh[Phoenix], err error) {
	p, err := engine.SpawnProcs(ctx, engine.Name("ward"), engine.Dim("gpus", 2))
	if err == nil {
		n.mesh, err = engine.Spawn(ctx, p, "patient", Phoenix{})
	}
	return n.mesh, err
}

func (n *Nurse) OnFailure(ctx context.Context, _ engine.Failure) engine.Decision {
	var err error
	if n.Waits {
		_, err = n.mesh.Resolve(ctx)
	} else {
		_, err = n.mesh.Slice(at(1)).Restart(ctx)
	}
	if err != nil {
		n.err = err.Error()
	}
	return engine.Handled
}

func (n *Nurse) Err(context.Context) (string, error) { return n.err, nil }

func TestWhoJudgesMayStartAnewButWaitsNotForHimself(t *testing.T) {
	for name, c := range map[string]struct {
		waits bool
		err   string
		life  int
	}{
		"a restart":   {false, "", 1},
		"a resolving": {true, "@patient[1] is being judged or started anew, which must not wait for what waits for it: decide first", 0},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, ctx context.Context) {
				nurse := spawn(t, ctx, "nurse", 1, Nurse{Waits: c.waits})
				m, err := engine.Query(nurse, (*Nurse).Admit).CallOne(ctx)
				if err != nil {
					t.Fatal(err)
				}
				_ = engine.Signal(m.Slice(at(1)), (*Phoenix).Boom).CallOne(ctx)
				m = anew(t, ctx, m)
				if got, err := engine.Query(nurse, (*Nurse).Err).CallOne(ctx); err != nil || (got == "") != (c.err == "") || !strings.Contains(got, c.err) {
					t.Errorf("she was told %q, %v, want %q", got, err, c.err)
				}
				life, err := engine.Query(m.Slice(at(1)), (*Phoenix).Life).CallOne(ctx)
				if life != c.life || (err == nil) != (c.err == "") {
					t.Errorf("in life %d, %v, want %d", life, err, c.life)
				}
			})
		})
	}
}

func TestTheProgramMayStartAnewWhatItJudges(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 2, Phoenix{}, nil)
		restarted := make(chan error, 1)
		if _, err := engine.Supervise(ctx, func(ctx context.Context, f engine.Failure) engine.Decision {
			_, err := m.Slice(at(f.Rank)).Restart(ctx)
			restarted <- err
			return engine.Handled
		}); err != nil {
			t.Fatal(err)
		}
		_ = engine.Signal(m.Slice(at(1)), (*Phoenix).Boom).CallOne(ctx)
		limit, cancel := context.WithTimeout(ctx, eventLimit)
		defer cancel()
		select {
		case err := <-restarted:
			if err != nil {
				t.Error(err)
			}
		case <-limit.Done():
			t.Fatal("it waits for itself")
		}
		if life, err := engine.Query(anew(t, ctx, m).Slice(at(1)), (*Phoenix).Life).CallOne(ctx); err != nil || life != 1 {
			t.Errorf("life %d, %v", life, err)
		}
	})
}

// Watch monitors a mesh n times, and closes each monitor or keeps it.
func (n *Nurse) Watch(ctx context.Context, w Watching) error {
	for range w.Times {
		rx, err := w.Mesh.Monitor(ctx)
		if err != nil {
			return err
		}
		if w.Close {
			rx.Close()
		}
	}
	return nil
}

type Watching struct {
	Mesh  engine.Mesh[Acc]
	Times int
	Close bool
}

func TestAMonitorThatNobodyListensToCountsNoMore(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p, err := engine.SpawnProcs(ctx, engine.Name("many"), engine.Dim("gpus", 1024), engine.InProcess())
		if err != nil {
			t.Fatal(err)
		}
		m := spawnOn(t, ctx, p, "many", Acc{})
		const most = 64 // the limit is 65,536 of single ranks
		watchers := procs(t, ctx, "watchers", 2)
		nurses := spawnOn(t, ctx, watchers, "nurses", Nurse{})
		watch := func(rank int, w Watching) error {
			return engine.Action(nurses.Slice(at(rank)), (*Nurse).Watch).CallOne(ctx, w)
		}
		within := func(what string, try func() error) {
			t.Helper()
			limit, cancel := context.WithTimeout(ctx, eventLimit)
			defer cancel()
			for err := try(); err != nil; err = try() {
				if limit.Err() != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
		}
		if err := watch(0, Watching{m, most, false}); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Monitor(ctx); err == nil || !strings.Contains(err.Error(), "the session has 65536 monitors already, which is the limit") {
			t.Fatalf("one more: %v", err)
		}
		if err := watchers.Slice(at(0)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		within("when the process has ended", func() error { return watch(1, Watching{m, 1, true}) })
		within("when the worker has closed its own", func() error {
			rx, err := m.Monitor(ctx)
			if err == nil {
				rx.Close()
			}
			return err
		})
		for range 2 * most {
			within("of a worker that closes each", func() error { return watch(1, Watching{m, 1, true}) })
			within("of the program, that closes each", func() error { // what the worker closed may be on its way
				rx, err := m.Slice(engine.Span("gpus", 0, 512)).Monitor(ctx)
				if err == nil {
					rx.Close()
				}
				return err
			})
		}
	})
}
