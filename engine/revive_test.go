package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// Whoever comes second waits for the process that the first one is starting, and then starts what is his.
func TestTwoMayStartActorsOfOneProcessAnewAtOnce(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 2)
		meshes := []engine.Mesh[Phoenix]{spawnOn(t, ctx, p, "a", Phoenix{}), spawnOn(t, ctx, p, "b", Phoenix{})}
		for life := 1; life <= 5; life++ {
			if err := p.Slice(at(1)).Kill(ctx); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for _, m := range meshes {
				wg.Go(func() {
					next, err := m.Slice(at(1)).Restart(ctx)
					if err != nil {
						t.Errorf("%s: %v", m, err)
						return
					}
					if got, err := engine.Query(next, (*Phoenix).Life).CallOne(ctx); err != nil || got != life {
						t.Errorf("%s is in life %d, want %d: %v", m, got, life, err)
					}
				})
			}
			wg.Wait()
		}
	})
}

// A gang brings all its processes back when one rank dies; what else lived in them comes back by its own policy nevertheless.
func TestRanksOfAGangThatDieAtOnceLoseNoActor(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	policy := engine.Restart(50, time.Minute)
	p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 4), engine.RestartProcs(50, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	gang, err := engine.Spawn(ctx, p, "gang", Phoenix{}, policy, engine.Gang())
	if err != nil {
		t.Fatal(err)
	}
	single, err := engine.Spawn(ctx, p, "single", Phoenix{}, policy)
	if err != nil {
		t.Fatal(err)
	}
	limit, cancel := context.WithTimeout(ctx, 2*eventLimit)
	defer cancel()
	for death := 1; death <= 3; death++ {
		pids, err := engine.Query(single, (*Phoenix).Pid).Call(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range pids.Answered() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		gang = livesOn(t, limit, gang)
		single = livesOn(t, limit, single)
	}
}

// livesOn waits until all ranks answer in other lives than m means, and gives the reference to these.
func livesOn(t *testing.T, ctx context.Context, m engine.Mesh[Phoenix]) engine.Mesh[Phoenix] {
	t.Helper()
	for {
		_, old := engine.Query(m, (*Phoenix).Life).Call(ctx)
		next, err := m.Resolve(ctx)
		if err != nil {
			t.Fatalf("%v; then: %v", old, err)
		}
		if _, err = engine.Query(next, (*Phoenix).Life).Call(ctx); err == nil && old != nil {
			return next
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %v", m, err)
		}
	}
}

// What is no decision escalates, and the log says that it was none.
func TestWhatIsNoDecisionIsToldAndEscalates(t *testing.T) {
	for name, opts := range map[string][]engine.Option{"in one process": {engine.AllInProcess()}, "worker processes": nil} {
		t.Run(name, func(t *testing.T) {
			log := &buffer{}
			e, err := engine.Start(t.Context(), append(opts, engine.NoSession(), engine.Log(slog.New(slog.NewTextHandler(log, nil))))...)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			climbed := make(chan engine.Failure, 1)
			if _, err := engine.Supervise(e.Context(), func(_ context.Context, f engine.Failure) engine.Decision {
				climbed <- f
				return engine.Handled
			}); err != nil {
				t.Fatal(err)
			}
			parent := spawn(t, e.Context(), "parent", 1, Parent{Decision: 7})
			kids, err := engine.Method(parent, (*Parent).Raise).CallOne(e.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := engine.Signal(kids, (*Acc).Fail).Broadcast(e.Context()); err != nil {
				t.Fatal(err)
			}
			select {
			case f := <-climbed:
				if !strings.Contains(f.What, "bad rank") {
					t.Errorf("what escalated is %q", f.What)
				}
			case <-time.After(eventLimit):
				t.Fatal("the failure did not escalate")
			}
			if text := strings.Join(log.lines(), "\n"); !strings.Contains(text, "7 is no decision: want Escalate, Handled") {
				t.Errorf("the log has %q", text)
			}
		})
	}
}

// TestWhatIsSentToAProcessThatIsBeingStartedWaitsForIt has one process send to another that comes back slowly: for longer than it takes
// to ask where it is.
func TestWhatIsSentToAProcessThatIsBeingStartedWaitsForIt(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx, cancel := context.WithTimeout(e.Context(), 2*eventLimit)
	defer cancel()
	p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 2), engine.Env("ENGINE_TEST_GATE="+gate))
	if err != nil {
		t.Fatal(err)
	}
	m := spawnOn(t, ctx, p, "m", Courier{})
	port, err := engine.Query(m.Slice(at(1)), (*Courier).Open).CallOne(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	one := p.Slice(at(1))
	if err := one.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	back := make(chan error, 1)
	go func() { back <- one.Restart(ctx) }()
	keeper, err := os.OpenFile(gate, os.O_WRONLY, 0) // returns when the next life has come to the gate
	if err != nil {
		t.Fatal(err)
	}
	for range 200 { // where the directory has said that there is nobody, the link is lost, and made anew for the next one
		if err := engine.Action(m.Slice(at(0)), (*Courier).Post).Call(ctx, Parcel{To: port, N: 1}); err != nil {
			t.Error(err)
			break
		}
	}
	_ = keeper.Close()
	if err := <-back; err != nil {
		t.Fatal(err)
	}
}

// TestAWorkerMayDieOrStandStillWhileItsLinkMoves ends a worker, or has it stand still for a moment, about when QUIC takes over from the
// sockets that it has inherited: its callers are told, or get their answers, and the others notice nothing.
func TestAWorkerMayDieOrStandStillWhileItsLinkMoves(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if _, err := engine.Supervise(e.Context(), func(context.Context, engine.Failure) engine.Decision { return engine.Handled }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(e.Context(), 4*eventLimit)
	defer cancel()
	for round := range 16 {
		dies := round%2 == 0
		p := procs(t, ctx, fmt.Sprint("p", round), 2)
		m := spawnOn(t, ctx, p, fmt.Sprint("m", round), Phoenix{})
		pid, err := engine.Query(m.Slice(at(1)), (*Phoenix).Pid).CallOne(ctx)
		if err != nil {
			t.Fatal(err)
		}
		const callers, calls = 4, 50
		var answered atomic.Int64
		var lost atomic.Int64
		var calling sync.WaitGroup
		for i := range 2 * callers {
			calling.Go(func() {
				for range calls {
					_, err := engine.Query(m.Slice(at(i%2)), (*Phoenix).Life).CallOne(ctx)
					switch {
					case err == nil:
					case i%2 == 1 && dies && errors.Is(err, engine.ErrLost):
						lost.Add(1)
						return
					default:
						t.Errorf("round %d, rank %d: %v", round, i%2, err)
						return
					}
					if answered.Add(1) != int64(10+4*round) { // 16 to one rank are what has it connect
						continue
					}
					if dies {
						_ = syscall.Kill(pid, syscall.SIGKILL)
						continue
					}
					_ = syscall.Kill(pid, syscall.SIGSTOP)
					time.AfterFunc(time.Duration(round)*10*time.Millisecond, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
				}
			})
		}
		calling.Wait()
		if dies && lost.Load() == 0 {
			t.Errorf("round %d: all calls to a rank that was killed were answered", round)
		}
		if t.Failed() {
			return
		}
		if err := p.Stop(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
