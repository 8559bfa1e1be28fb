package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Phoenix counts, keeps its count over lives when it is told to save, and dies in every way.
type Phoenix struct {
	From    int
	Refuse  bool // Restore is an error
	Mute    bool // Snapshot is an error
	Kids    bool // OnStart spawns a mesh, whose name is taken if it lives already
	NoStart int  // OnStart fails in so many lives

	count int
	peer  engine.Mesh[Phoenix]
}

func (p *Phoenix) OnStart(ctx context.Context) error {
	if l := engine.Life(ctx); l > 0 && l <= p.NoStart {
		return fmt.Errorf("life %d does not begin", l+1)
	}
	if p.count == 0 {
		p.count = p.From
	}
	if !p.Kids {
		return nil
	}
	procs, err := engine.SpawnProcs(ctx, engine.Name("kids"), engine.Dim("gpus", 1), engine.InProcess())
	if err != nil {
		return err
	}
	_, err = engine.Spawn(ctx, procs, "kid", Acc{})
	return err
}

func (p *Phoenix) Snapshot() ([]byte, error) {
	if p.Mute {
		return nil, errors.New("it has nothing to say")
	}
	return []byte(strconv.Itoa(p.count)), nil
}

func (p *Phoenix) Restore(b []byte) (err error) {
	if p.Refuse {
		return errors.New("it wants nothing of this")
	}
	p.count, err = strconv.Atoi(string(b))
	return err
}

func (p *Phoenix) Inc(context.Context) (int, error)                     { p.count++; return p.count, nil }
func (p *Phoenix) Life(ctx context.Context) (int, error)                { return engine.Life(ctx), nil }
func (p *Phoenix) Pid(context.Context) (int, error)                     { return os.Getpid(), nil }
func (p *Phoenix) Save(ctx context.Context) error                       { return engine.Checkpoint(ctx) }
func (p *Phoenix) Boom(context.Context) error                           { panic("boom") }
func (p *Phoenix) Block(ctx context.Context) error                      { <-ctx.Done(); return ctx.Err() }
func (p *Phoenix) Deaf(context.Context) error                           { time.Sleep(300 * time.Millisecond); return nil }
func (p *Phoenix) Die(context.Context) error                            { return syscall.Kill(os.Getpid(), syscall.SIGKILL) }
func (p *Phoenix) Pair(_ context.Context, o engine.Mesh[Phoenix]) error { p.peer = o; return nil }

// IncPeer calls rank 0 of the peer.
func (p *Phoenix) IncPeer(ctx context.Context) (int, error) {
	return engine.Query(p.peer.Slice(at(0)), (*Phoenix).Inc).CallOne(ctx)
}

// IncPeerAnew does so by a reference to the lives that they are in now.
func (p *Phoenix) IncPeerAnew(ctx context.Context) (int, error) {
	m, err := p.peer.Resolve(ctx)
	if err != nil {
		return 0, err
	}
	p.peer = m
	return p.IncPeer(ctx)
}

// Keeper owns a mesh and decides about its failures.
type Keeper struct {
	Decision engine.Decision

	heard []string
}

func (k *Keeper) OnFailure(_ context.Context, f engine.Failure) engine.Decision {
	k.heard = append(k.heard, f.What)
	return k.Decision
}

func (k *Keeper) Heard(context.Context) ([]string, error) { return k.heard, nil }

// Keep spawns the mesh.
func (k *Keeper) Keep(ctx context.Context, n int) (engine.Mesh[Phoenix], error) {
	p, err := engine.SpawnProcs(ctx, engine.Name("kept"), engine.Dim("gpus", n))
	if err != nil {
		return engine.Mesh[Phoenix]{}, err
	}
	return engine.Spawn(ctx, p, "kept", Phoenix{From: 10})
}

func registerPhoenix() {
	engine.Register[Phoenix]()
	engine.Register[Keeper]()
	engine.Register[Nurse]()
}

// rise spawns phoenixes on n processes, with options for both.
func rise(t *testing.T, ctx context.Context, n int, proto Phoenix, po engine.ProcOption, so ...engine.SpawnOption) engine.Mesh[Phoenix] {
	t.Helper()
	opts := []engine.ProcOption{engine.Name("p"), engine.Dim("gpus", n)}
	if po != nil {
		opts = append(opts, po)
	}
	p, err := engine.SpawnProcs(ctx, opts...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Spawn(ctx, p, "m", proto, so...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func inc(t *testing.T, ctx context.Context, m engine.Mesh[Phoenix], rank int) int {
	t.Helper()
	v, err := engine.Query(m.Slice(at(rank)), (*Phoenix).Inc).CallOne(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func anew(t *testing.T, ctx context.Context, m engine.Mesh[Phoenix]) engine.Mesh[Phoenix] {
	t.Helper()
	limit, cancel := context.WithTimeout(ctx, eventLimit)
	defer cancel()
	m, err := m.Resolve(limit)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAFailedActorIsStartedAnewByItsPolicy(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 2, Phoenix{From: 10}, nil, engine.Restart(2, time.Minute))
		if got := inc(t, ctx, m, 1); got != 11 {
			t.Errorf("counted %d", got)
		}
		if err := engine.Signal(m.Slice(at(1)), (*Phoenix).Save).CallOne(ctx); err != nil {
			t.Fatal(err)
		}
		inc(t, ctx, m, 1) // not saved
		err := engine.Signal(m.Slice(at(1)), (*Phoenix).Boom).CallOne(ctx)
		if err == nil || !strings.Contains(err.Error(), "boom") {
			t.Fatal(err)
		}
		next := anew(t, ctx, m)
		if got := inc(t, ctx, next, 1); got != 12 {
			t.Errorf("the next life counted %d, want one more than the 11 that were saved", got)
		}
		if life, err := engine.Query(next, (*Phoenix).Life).Call(ctx); err != nil || fmt.Sprint(life.Answered()) != "[0 1]" {
			t.Errorf("lives %v, %v", life.Answered(), err)
		}
		_, err = engine.Query(m, (*Phoenix).Inc).Call(ctx)
		var me *engine.MeshError
		if !errors.As(err, &me) || len(me.Failed) != 1 || !errors.Is(err, engine.ErrStale) || !errors.Is(err, engine.ErrNotSent) ||
			!strings.Contains(err.Error(), "@m[1] was started anew: this is life 2, the reference is to life 1") {
			t.Errorf("by the old reference: %v", err)
		}
		if got := inc(t, ctx, next, 1); got != 13 {
			t.Errorf("it counted %d: an old reference has reached it", got)
		}
	})
}

func TestAProcessThatDiedComesBackWithItsActors(t *testing.T) {
	for name, c := range map[string]struct {
		procs engine.ProcOption
		spawn []engine.SpawnOption
	}{
		"by the policy of the processes": {engine.RestartProcs(5, time.Minute), nil},
		"by that of the actors":          {nil, []engine.SpawnOption{engine.Restart(5, time.Minute)}},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.Start(t.Context(), engine.NoSession())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			ctx := e.Context()
			m := rise(t, ctx, 3, Phoenix{From: 10}, c.procs, c.spawn...)
			if err := engine.Action(m, (*Phoenix).Pair).Call(ctx, m); err != nil {
				t.Fatal(err)
			}
			for range 3 { // rank 0 has a link to each
				if _, err := engine.Query(m.Slice(at(2)), (*Phoenix).IncPeer).CallOne(ctx); err != nil {
					t.Fatal(err)
				}
			}
			old, _ := engine.Query(m.Slice(at(0)), (*Phoenix).Pid).CallOne(ctx)
			for life := 1; life <= 3; life++ {
				err := engine.Signal(m.Slice(at(0)), (*Phoenix).Die).CallOne(ctx)
				if !errors.Is(err, engine.ErrLost) || !strings.Contains(err.Error(), "SIGKILL") {
					t.Fatalf("life %d: the call in which it died: %v", life, err)
				}
				next := anew(t, ctx, m)
				pid, err := engine.Query(next.Slice(at(0)), (*Phoenix).Pid).CallOne(ctx)
				if err != nil || pid == old || alive(old) {
					t.Fatalf("life %d runs in pid %d, the one before in %d: %v", life, pid, old, err)
				}
				old = pid
				if got := inc(t, ctx, next, 0); got != 11 {
					t.Errorf("life %d counted %d, want to begin at 10", life, got)
				}
				if _, err := engine.Query(m.Slice(at(2)), (*Phoenix).IncPeer).CallOne(ctx); !errors.Is(err, engine.ErrStale) {
					t.Errorf("life %d: a peer's old reference: %v", life, err)
				}
				if got, err := engine.Query(m.Slice(at(2)), (*Phoenix).IncPeerAnew).CallOne(ctx); err != nil || got != 12 {
					t.Errorf("life %d: a peer's new reference: %d, %v", life, got, err)
				}
				m = next
			}
			if got, err := engine.Query(m.Slice(at(1)), (*Phoenix).Life).CallOne(ctx); err != nil || got != 0 {
				t.Errorf("a neighbour is in life %d, %v", got, err)
			}
		})
	}
}

func TestTheLimitOfAPolicyIsAFailureToldOnce(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		failures := make(chan engine.Failure, 10)
		if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision { failures <- f; return engine.Handled }); err != nil {
			t.Fatal(err)
		}
		m := rise(t, ctx, 1, Phoenix{}, nil, engine.Restart(1, time.Hour))
		for range 2 {
			m = anew(t, ctx, m)
			if err := engine.Signal(m, (*Phoenix).Boom).CallOne(ctx); err == nil {
				t.Fatal("no panic")
			}
		}
		f := <-failures
		if !strings.Contains(f.What, "boom; it was started anew 1 of 1 times in 1h already, which is the limit of its restart policy") {
			t.Errorf("told %q", f.What)
		}
		last := anew(t, ctx, m)
		if err := engine.Signal(last, (*Phoenix).Save).CallOne(ctx); !errors.Is(err, engine.ErrFailed) {
			t.Errorf("beyond the limit: %v", err)
		}
		if len(failures) != 0 {
			t.Errorf("told again: %v", <-failures)
		}
	})
}

func TestALifeThatDoesNotBeginIsTriedAgain(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 1, Phoenix{NoStart: 1}, nil, engine.Restart(3, time.Hour))
		if err := engine.Signal(m, (*Phoenix).Boom).CallOne(ctx); err == nil {
			t.Fatal("no panic")
		}
		if life, err := engine.Query(anew(t, ctx, m), (*Phoenix).Life).CallOne(ctx); err != nil || life != 2 {
			t.Errorf("it is in life %d, %v", life, err)
		}
	})
}

func TestARestoreThatRefusesReachesTheLimit(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		failures := make(chan engine.Failure, 10)
		if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision { failures <- f; return engine.Handled }); err != nil {
			t.Fatal(err)
		}
		m := rise(t, ctx, 1, Phoenix{Refuse: true}, nil, engine.Restart(1, time.Hour))
		if err := engine.Signal(m, (*Phoenix).Save).CallOne(ctx); err != nil {
			t.Fatal(err)
		}
		if err := engine.Signal(m, (*Phoenix).Boom).CallOne(ctx); err == nil {
			t.Fatal("no panic")
		}
		if f := <-failures; !strings.Contains(f.What, "could not be started anew") || !strings.Contains(f.What, "Restore: it wants nothing of this") {
			t.Errorf("told %q", f.What)
		}
	})
}

func TestASnapshotThatFailsLeavesWhatWasSaved(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 1, Phoenix{Mute: true}, nil)
		err := engine.Signal(m, (*Phoenix).Save).CallOne(ctx)
		if err == nil || !strings.Contains(err.Error(), "checkpoint of @m[0]: Snapshot: it has nothing to say") {
			t.Error(err)
		}
		if inc(t, ctx, m, 0) != 1 {
			t.Error("it does not live on")
		}
		if err := engine.Checkpoint(ctx); err == nil || !strings.Contains(err.Error(), "this context is no actor's") {
			t.Error(err)
		}
	})
}

func TestAGangBeginsAnewTogether(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 3, Phoenix{From: 10}, nil, engine.Restart(3, time.Minute), engine.Gang())
		inc(t, ctx, m, 0)
		inc(t, ctx, m, 2)
		inc(t, ctx, m, 2)
		block := engine.Signal(m.Slice(at(1)), (*Phoenix).Block).Start(ctx)
		if err := engine.Signal(m.Slice(at(0)), (*Phoenix).Boom).CallOne(ctx); err == nil {
			t.Fatal("no panic")
		}
		if _, err := block.All(ctx); !errors.Is(err, engine.ErrLost) || !strings.Contains(err.Error(), "@m[1] begins anew with all of its mesh: @m[0] panicked in Boom: boom") {
			t.Errorf("who waited for another of the gang: %v", err)
		}
		m = anew(t, ctx, m)
		if lives, err := engine.Query(m, (*Phoenix).Life).Call(ctx); err != nil || fmt.Sprint(lives.Answered()) != "[1 1 1]" {
			t.Errorf("lives %v, %v", lives.Answered(), err)
		}
		if a, b := inc(t, ctx, m, 0), inc(t, ctx, m, 2); a != 11 || b != 13 {
			t.Errorf("counted %d and %d: who failed begins at 10, who lived goes on from 12", a, b)
		}
	})
}

// One of the gang lets the others wait, which have given their snapshots and must not answer any more.
func TestWhatAGangHasAnsweredIsInItsNextLife(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 3, Phoenix{}, nil, engine.Restart(3, time.Minute), engine.Gang())
		deaf := engine.Signal(m.Slice(at(2)), (*Phoenix).Deaf).Start(ctx)
		if err := engine.Signal(m.Slice(at(0)), (*Phoenix).Boom).CallOne(ctx); err == nil {
			t.Fatal("no panic")
		}
		answered := 0
		for {
			v, err := engine.Query(m.Slice(at(1)), (*Phoenix).Inc).CallOne(ctx)
			if err != nil {
				break
			}
			answered = v
		}
		if _, err := deaf.All(ctx); !errors.Is(err, engine.ErrLost) {
			t.Errorf("the call that was running: %v", err)
		}
		if got := inc(t, ctx, anew(t, ctx, m), 1); got <= answered {
			t.Errorf("it counted %d in the life before and %d in this one", answered, got)
		}
	})
}

func TestARestartIsRefusedInWords(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := rise(t, ctx, 3, Phoenix{}, nil)
		for want, err := range map[string]error{
			"2 of these ranks of @m live (0-1): kill them first": func() error { _, err := m.Slice(engine.Span("gpus", 0, 2)).Restart(ctx); return err }(),
			"the actor of @m[2] lives (idle): kill it first":     func() error { _, err := m.Slice(at(2)).Restart(ctx); return err }(),
			"restart policy: 0 restarts: want 1 to 1000":         spawnError(ctx, engine.Restart(0, time.Minute)),
			"restart policy: within 1ms: want 1s to 168h":        spawnError(ctx, engine.Restart(1, time.Millisecond)),
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
		if err := m.Slice(at(1)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		next, err := m.Slice(at(1)).Restart(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := engine.Query(next, (*Phoenix).Inc).CallOne(ctx); err != nil || v != 1 {
			t.Errorf("%d, %v", v, err)
		}
		if err := m.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Restart(ctx); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("of a mesh that was stopped: %v", err)
		}
		if _, err := m.Resolve(ctx); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("of a mesh that was stopped: %v", err)
		}
	})
}

func spawnError(ctx context.Context, o engine.SpawnOption) error {
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1), engine.InProcess())
	if err != nil {
		return err
	}
	_, err = engine.Spawn(ctx, p, "x", Phoenix{}, o)
	return err
}

func TestAProcessIsStartedAnewByHand(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 2)
		m, other := spawnOn(t, ctx, p, "m", Phoenix{From: 5}), spawnOn(t, ctx, p, "other", Phoenix{From: 7})
		kill := func() {
			t.Helper()
			if err := p.Slice(at(1)).Kill(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Slice(at(0)).Restart(ctx); err == nil || !strings.Contains(err.Error(), "the process of procs p[0] lives (ready): kill it first") {
			t.Error(err)
		}
		kill()
		if err := p.Restart(ctx); err == nil || !strings.Contains(err.Error(), "lives") {
			t.Error(err)
		}
		if err := p.Slice(at(1)).Restart(ctx); err != nil {
			t.Fatal(err)
		}
		if a, b := inc(t, ctx, anew(t, ctx, m), 1), inc(t, ctx, anew(t, ctx, other), 1); a != 6 || b != 8 {
			t.Errorf("%d and %d: both came back with their process", a, b)
		}
		kill()
		if m, err := m.Slice(at(1)).Restart(ctx); err != nil { // this mesh alone
			t.Error(err)
		} else if v, err := engine.Query(m, (*Phoenix).Life).CallOne(ctx); err != nil || v != 2 {
			t.Errorf("life %d, %v", v, err)
		}
		_, err := engine.Query(anew(t, ctx, other).Slice(at(1)), (*Phoenix).Inc).CallOne(ctx)
		if err == nil || !strings.Contains(err.Error(), "@other[1] has ended: ") {
			t.Errorf("the actor that did not come back: %v", err)
		}
		if other, err = other.Slice(at(1)).Restart(ctx); err != nil {
			t.Fatal(err)
		}
		if v, err := engine.Query(other, (*Phoenix).Inc).CallOne(ctx); err != nil || v != 8 {
			t.Errorf("%d, %v", v, err)
		}
	})
}

// Until the last of the ranks that died lives again the mesh is a failed one.
func TestAFailedProcMeshRunsAgainWhenAllItsRanksDo(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	p := procs(t, ctx, "p", 3)
	m := spawnOn(t, ctx, p, "m", Phoenix{})
	front := listen(t, frontEnd(t, e), control.TopicState)
	state := func(want string) func() bool {
		return func() bool {
			pm, ok := front.pic.ProcMesh("p")
			return ok && pm.State == want && (pm.Reason == "") == (want == "running")
		}
	}
	for round := range 2 {
		if round > 0 {
			m = anew(t, ctx, m)
		}
		if err := engine.Signal(m.Slice(engine.Span("gpus", 1, 3)), (*Phoenix).Die).Broadcast(ctx); err != nil {
			t.Fatal(err)
		}
		front.until("the failure of the procs", func() bool {
			dead := 0
			for _, proc := range front.pic.Procs {
				if proc.State == "killed" {
					dead++
				}
			}
			return dead == 2 && state("failed")()
		})
		if err := p.Slice(at(1)).Restart(ctx); err != nil {
			t.Fatal(err)
		}
		front.until("the restart of rank 1", func() bool {
			return slices.ContainsFunc(front.pic.Restarts, func(r control.Restart) bool {
				return r.Mesh == "" && r.Rank == 1 && r.Life == round+1 && r.State == control.RestartReady
			})
		})
		if !state("failed")() {
			t.Error("one of two is back, and the mesh is no longer a failed one")
		}
		if err := p.Slice(at(2)).Restart(ctx); err != nil {
			t.Fatal(err)
		}
		front.until("the procs running again", state("running"))
	}
}
