package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// Boss owns meshes and judges them.
type Boss struct {
	Decision engine.Decision
	Wait     time.Duration // before it decides; -1: it panics
	Tell     engine.Port[string]

	boss engine.Mesh[Boss]
	kids engine.Mesh[Acc]
}

// Hire spawns a boss below, on the same processes.
func (b *Boss) Hire(ctx context.Context, p engine.ProcMesh) (engine.Mesh[Boss], error) {
	var err error
	b.boss, err = engine.Spawn(ctx, p, "middle", Boss{Decision: engine.Escalate, Wait: b.Wait})
	return b.boss, err
}

// Raise spawns an Acc.
func (b *Boss) Raise(ctx context.Context, p engine.ProcMesh) (engine.Mesh[Acc], error) {
	var err error
	b.kids, err = engine.Spawn(ctx, p, "kid", Acc{})
	return b.kids, err
}

// OnFailure decides.
func (b *Boss) OnFailure(ctx context.Context, f engine.Failure) engine.Decision {
	switch {
	case b.Wait < 0:
		panic("cannot judge")
	case b.Wait > 0:
		time.Sleep(b.Wait)
	}
	_ = b.Tell.Send(ctx, f.What)
	return b.Decision
}

// OnStop tells its cause.
func (b *Boss) OnStop(ctx context.Context, cause error) {
	_ = b.Tell.Send(ctx, fmt.Sprint("stop: ", cause))
}

// Pid is the process's id.
func (b *Boss) Pid(context.Context) (int, error) { return os.Getpid(), nil }

// Boom panics.
func (b *Boss) Boom(context.Context) error { panic("boom") }

// rootHears counts what reaches the root.
func rootHears(t *testing.T, ctx context.Context) <-chan engine.Failure {
	t.Helper()
	heard := make(chan engine.Failure, 16)
	if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision {
		heard <- f
		return engine.Handled
	}); err != nil {
		t.Fatal(err)
	}
	return heard
}

func TestAFailureClimbsToTheOwnerThatHandlesIt(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		heard := rootHears(t, ctx)
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		p := procs(t, ctx, "p", 1)
		for i, c := range []struct {
			top  engine.Decision
			root bool
		}{{engine.Handled, false}, {engine.Escalate, true}} {
			top := spawnOn(t, ctx, p, fmt.Sprint("top", i), Boss{Decision: c.top, Tell: port})
			middle, err := engine.Method(top, (*Boss).Hire).CallOne(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			kid, err := engine.Method(middle, (*Boss).Raise).CallOne(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			if err := engine.Signal(kid, (*Acc).Fail).Broadcast(ctx); err != nil {
				t.Fatal(err)
			}
			if what, err := recv.Recv(ctx); err != nil || !strings.HasPrefix(what, "@kid[0].Fail, called by broadcast") {
				t.Errorf("the top heard %q, %v", what, err)
			}
			if c.root {
				if f := <-heard; f.Mesh != "kid" {
					t.Errorf("the root heard %+v", f)
				}
			}
			if err := top.Stop(ctx); err != nil { // and what it owns, down to the kid
				t.Fatal(err)
			}
			if _, err := recv.Recv(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Query(kid, (*Acc).Sum).Call(ctx); !errors.Is(err, engine.ErrStopped) {
				t.Errorf("the kid outlived its owner's owner: %v", err)
			}
		}
		select {
		case f := <-heard:
			t.Errorf("the root heard too much: %+v", f)
		default:
		}
	})
}

func TestAnOwnerThatCannotJudgePassesTheFailureOn(t *testing.T) {
	for what, wait := range map[string]time.Duration{"it panics": -1, "it takes a minute": time.Minute} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				heard := rootHears(t, ctx)
				p := procs(t, ctx, "p", 1)
				boss := spawnOn(t, ctx, p, "boss", Boss{Decision: engine.Handled, Wait: wait})
				kid, err := engine.Method(boss, (*Boss).Raise).CallOne(ctx, p)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if err := engine.Signal(kid, (*Acc).Fail).Broadcast(ctx); err != nil {
					t.Fatal(err)
				}
				if f := <-heard; f.Mesh == "" {
					t.Errorf("the root heard %+v", f)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("the root heard after %v", took)
				}
				time.Sleep(2 * time.Minute) // virtual
				synctest.Wait()
			})
		})
	}
}

func TestOnStopHearsTheCauseAfterAPanic(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		rootHears(t, ctx)
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		m := spawn(t, ctx, "m", 1, Boss{Tell: port})
		if err := engine.Signal(m, (*Boss).Boom).Call(ctx); err == nil {
			t.Fatal("want a panic")
		}
		if err := m.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if s, err := recv.Recv(ctx); err != nil || s != "stop: @m[0] panicked in Boom: boom" {
			t.Errorf("OnStop said %q, %v", s, err)
		}
	})
}

func TestAllowPartialKeepsTheRanksThatStarted(t *testing.T) {
	ctx := enginetest.Processes(t)
	rootHears(t, ctx)
	// The first worker that comes takes the file and dies of it.
	once := filepath.Join(t.TempDir(), "once")
	if err := os.WriteFile(once, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 3), engine.AllowPartial(), engine.Env("ENGINE_TEST_DIE_ONCE="+once))
	if err != nil {
		t.Fatal(err)
	}
	m := spawnOn(t, ctx, p, "m", Acc{Start: 2})
	began := time.Now()
	vm, err := engine.Query(m, (*Acc).Sum).Call(ctx)
	if took := time.Since(began); took > 5*time.Second { // by silence it would be 10
		t.Errorf("the missing rank took %v to be told", took)
	}
	if len(vm.Answered()) != 2 || err == nil || !errors.Is(err, engine.ErrLost) && !errors.Is(err, engine.ErrNotSent) || !strings.Contains(err.Error(), "did not start") {
		t.Errorf("%d values, %v", len(vm.Answered()), err)
	}
	peer := spawnOn(t, ctx, p, "peer", Acc{}) // a worker that calls the missing rank learns it too
	for at, one := range peer.Each() {
		if _, err := engine.Query(one, (*Acc).Sum).CallOne(ctx); err != nil {
			continue
		}
		err := engine.Action(one, (*Acc).AskAll).CallOne(ctx, m)
		if !errors.Is(err, engine.ErrLost) || !strings.Contains(err.Error(), "was killed by SIGKILL") {
			t.Errorf("%v: %v", at, err)
		}
	}
	if err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
	procs(t, ctx, "p", 1)
}

func TestProcMeshesSliceAndTravel(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("hosts", 2), engine.Dim("gpus", 2))
		if err != nil {
			t.Fatal(err)
		}
		row := p.Slice(engine.At("hosts", 1))
		m := spawnOn(t, ctx, row, "m", Acc{Start: 1})
		if m.Len() != 2 || m.Extent().String() != "{gpus: 2}" {
			t.Errorf("a mesh on a row has the shape %v", m.Extent())
		}
		boss := spawnOn(t, ctx, p.Slice(engine.At("hosts", 0), engine.At("gpus", 0)), "boss", Boss{})
		kid, err := engine.Method(boss, (*Boss).Raise).CallOne(ctx, row)
		if err != nil {
			t.Fatal(err)
		}
		if vm, err := engine.Query(kid, (*Acc).Pid).Call(ctx); err != nil || vm.Len() != 2 {
			t.Errorf("%v, %v", vm.Answered(), err)
		}
		if err := row.Stop(ctx); err == nil || !strings.Contains(err.Error(), "stops as a whole") {
			t.Errorf("stop of a row: %v", err)
		}
		if err := (engine.ProcMesh{}).Stop(ctx); err == nil || !strings.Contains(err.Error(), "never assigned") {
			t.Errorf("stop of an empty one: %v", err)
		}
		if _, err := engine.Spawn(ctx, p.Slice(engine.At("gpus", 5)), "n", Acc{}); err == nil || !strings.Contains(err.Error(), "gpus") {
			t.Errorf("spawn on a bad slice: %v", err)
		}
	})
}

func TestACancelReachesTheHandlerBehindTheHandler(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		a, b := spawn(t, ctx, "a", 1, Acc{}), spawn(t, ctx, "b", 1, Acc{})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		for _, end := range []func() (context.Context, context.CancelFunc){
			func() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
			func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, 50*time.Millisecond) },
		} {
			c, cancel := end()
			f := engine.Signal(a, (*Acc).BlockPeer).Start(c)
			if _, ok := c.Deadline(); !ok {
				cancel()
			}
			<-f.Done()
			cancel()
			for _, m := range []engine.Mesh[Acc]{a, b} { // both are free again
				if _, err := engine.Query(m, (*Acc).Sum).CallOne(ctx); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func TestPortsKeepOrderAndTravelEverywhere(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 2, Courier{})
		port, recv, err := engine.Channel[int](ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Action(m.Slice(at(0)), (*Courier).Post).Call(ctx, Parcel{To: port, N: 500}); err != nil {
			t.Fatal(err)
		}
		for want := range 500 {
			if n, err := recv.Recv(ctx); err != nil || n != want {
				t.Fatalf("received %d, %v; want %d", n, err, want)
			}
		}
		back, err := engine.Method(m.Slice(at(1)), (*Courier).Echo).CallOne(ctx, port) // in a reply
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Send(ctx, 7); err != nil {
			t.Fatal(err)
		}
		if n, err := recv.Recv(ctx); err != nil || n != 7 {
			t.Errorf("received %d, %v", n, err)
		}
		recv.Close()
		if err := engine.Action(m.Slice(at(0)), (*Courier).Post).Call(ctx, Parcel{To: port, N: 3}); err != nil {
			t.Errorf("a send to a closed receiver is dropped, not %v", err)
		}
		if _, err := recv.Recv(ctx); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("receive after close: %v", err)
		}
		err = engine.Action(m.Slice(at(0)), (*Courier).Post).Call(ctx, Parcel{N: 1}) // zero values travel too
		if err == nil || !strings.Contains(err.Error(), "empty engine.Port") {
			t.Errorf("send on the zero port: %v", err)
		}
	})
}

// TestAPortThatNobodyReadsDropsAndCounts holds INV-BOUND.
func TestAPortThatNobodyReadsDropsAndCounts(t *testing.T) {
	ctx := local(t)
	port, recv, err := engine.Channel[int](ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer recv.Close()
	const over = 10
	for i := range 65_536 + over {
		if err := port.Send(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	for range 65_536 {
		if _, err := recv.Recv(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := recv.Recv(ctx); err == nil || !strings.HasPrefix(err.Error(), "10 values were dropped") {
		t.Errorf("error %v", err)
	}
	if err := port.Send(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if n, err := recv.Recv(ctx); err != nil || n != 1 {
		t.Errorf("afterwards: %d, %v", n, err)
	}
}

// Courier handles ports and meshes in arguments.
type Courier struct{}

// Parcel has both in its fields, and may leave them empty.
type Parcel struct {
	To   engine.Port[int]
	Mesh engine.Mesh[Acc]
	N    int
}

func (*Courier) Post(ctx context.Context, p Parcel) error {
	for i := range p.N {
		if err := p.To.Send(ctx, i); err != nil {
			return err
		}
	}
	return nil
}
func (*Courier) Open(ctx context.Context) (engine.Port[int], error) {
	port, _, err := engine.Channel[int](ctx)
	return port, err
}
func (*Courier) Echo(_ context.Context, p engine.Port[int]) (engine.Port[int], error) { return p, nil }

func TestManyRanks(t *testing.T) {
	if testing.Short() {
		t.Skip("4,096 ranks")
	}
	t.Run("in-process", func(t *testing.T) {
		ctx := local(t)
		began := time.Now()
		m := spawn(t, ctx, "m", 4096, Acc{Start: 1})
		spawned := time.Since(began)
		vm, err := engine.Query(m, (*Acc).Sum).Call(ctx)
		if err != nil || len(vm.Answered()) != 4096 {
			t.Fatalf("%d values, %v", len(vm.Answered()), err)
		}
		t.Logf("4,096 ranks in %v, a call to all in %v", spawned, time.Since(began)-spawned)
	})
	t.Run("processes", func(t *testing.T) {
		ctx := enginetest.Processes(t)
		began := time.Now()
		m := spawn(t, ctx, "m", 64, Acc{Start: 1})
		spawned := time.Since(began)
		vm, err := engine.Query(m, (*Acc).Sum).Call(ctx)
		if err != nil || len(vm.Answered()) != 64 {
			t.Fatalf("%d values, %v", len(vm.Answered()), err)
		}
		t.Logf("64 workers in %v, a call to all in %v", spawned, time.Since(began)-spawned)
	})
}

// dieOnce ends the first worker that finds the file.
func dieOnce() {
	if f := os.Getenv("ENGINE_TEST_DIE_ONCE"); f != "" && engine.InWorker() {
		if os.Remove(f) == nil {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

// passGate has a worker wait, where there is a gate, until somebody opens it: a pipe, at its other end.
func passGate() {
	if f := os.Getenv("ENGINE_TEST_GATE"); f != "" && engine.InWorker() {
		_, _ = os.ReadFile(f) // where there is none it does not wait
	}
}

// TestWhoBorrowedAProcessHearsOfItsDeath has an actor spawn on processes of the program, of which one dies.
func TestWhoBorrowedAProcessHearsOfItsDeath(t *testing.T) {
	for what, c := range map[string]struct {
		decision engine.Decision
		too      bool   // the program has an actor there too
		handled  string // by whom the end of the process counts as handled, without a supervisor at the root
	}{
		"it handles that": {engine.Handled, false, "@boss[0]"},
		"it passes it on": {engine.Escalate, false, ""},
		"not only its":    {engine.Handled, true, ""},
	} {
		for where, in := range map[string][]engine.ProcOption{"in a process": nil, "in-process": {engine.InProcess()}} {
			t.Run(what+", and lives "+where, func(t *testing.T) {
				e, err := engine.Start(context.Background(), engine.NoSession())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(e.Close)
				ctx := e.Context()
				port, recv, err := engine.Channel[string](ctx)
				if err != nil {
					t.Fatal(err)
				}
				defer recv.Close()
				told := make(chan control.Failure, 16)
				_, stop := e.Backend().Subscribe(func(ev *control.Event) {
					if ev.Failure != nil {
						told <- *ev.Failure
					}
				})
				defer stop()
				p := procs(t, ctx, "p", 2)
				home, err := engine.SpawnProcs(ctx, append(in, engine.Dim("gpus", 1))...)
				if err != nil {
					t.Fatal(err)
				}
				boss := spawnOn(t, ctx, home, "boss", Boss{Decision: c.decision, Tell: port})
				kid, err := engine.Method(boss, (*Boss).Raise).CallOne(ctx, p)
				if err != nil {
					t.Fatal(err)
				}
				died := "@kid[1] died with it"
				if c.too {
					spawnOn(t, ctx, p, "mine", Acc{})
					died = "@kid[1] and @mine[1] died with it"
				}
				if err := engine.Signal(kid.Slice(at(1)), (*Acc).Die).Broadcast(ctx); err != nil {
					t.Fatal(err)
				}
				if heard, err := recv.Recv(ctx); err != nil || !strings.HasPrefix(heard, "@kid[1] is lost: worker 1 of procs p (pid ") || !strings.HasSuffix(heard, "was killed by SIGKILL") {
					t.Errorf("the owner heard %q, %v", heard, err)
				}
				for f := range told {
					if f.Mesh != "p" { // the owner's part of it
						if f.Mesh != "kid" || f.Rank != 1 || f.Handled != "@boss[0]" {
							t.Errorf("%+v", f)
						}
						continue
					}
					if f.Rank != 1 || f.Handled != c.handled || !strings.HasSuffix(f.What, "was killed by SIGKILL; "+died) {
						t.Errorf("the end of the process is told as %+v; want it handled by %q", f, c.handled)
					}
					break
				}
				if _, err := engine.Query(boss, (*Boss).Pid).CallOne(ctx); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
