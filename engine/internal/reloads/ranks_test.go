//go:build unix

package reloads_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// TestARankThatDoesNotMoveStopsTheRoll holds INV-RELOAD: those before it have moved, those after it stay.
func TestARankThatDoesNotMoveStopsTheRoll(t *testing.T) {
	for name, c := range map[string]struct {
		build string
		proto Mover
		state string
		says  string
	}{
		"Restore fails":   {"refuses3", Mover{}, control.RankRestored, "p[3] did not begin on the new build, and was put back: @m[3]: Restore: it is not what I know"},
		"Snapshot panics": {"v2", Mover{Bad: 3}, control.RankKept, "p[3] could not be moved, and goes on: @m[3]: taking its snapshot: Snapshot panicked: no snapshot today"},
	} {
		t.Run(name, func(t *testing.T) {
			next := anotherBuild(t, c.build)
			ctx := enginetest.Processes(t)
			p, m := movers(t, ctx, 8, c.proto)
			if err := engine.Action(m, (*Mover).Tell).Call(ctx, Note{"x", 1}); err != nil {
				t.Fatal(err)
			}
			rec, err := p.Reload(ctx, engine.ReloadProgram(next), engine.ReloadBatch(1))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v", err)
			}
			want := slices.Concat(slices.Repeat([]string{control.RankMoved}, 3), []string{c.state}, slices.Repeat([]string{control.RankWaits}, 4))
			if got := states(rec); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			if err := engine.Action(m, (*Mover).Tell).Call(ctx, Note{"x", 2}); err != nil {
				t.Errorf("the state is lost: %v", err)
			}
			if got, want := builds(t, ctx, m), slices.Concat(slices.Repeat([]string{c.build}, 3), slices.Repeat([]string{""}, 5)); !slices.Equal(got, want) {
				t.Errorf("the ranks run %q, want %q", got, want)
			}
		})
	}
}

// TestAnActorWithoutSnapshotMovesItsFieldsOrBeginsAnew: what it cannot move it says.
func TestAnActorWithoutSnapshotMovesItsFieldsOrBeginsAnew(t *testing.T) {
	next := anotherBuild(t, "v2")
	ctx := enginetest.Processes(t)
	p := procs(t, ctx, "p", 2)
	plain, err := engine.Spawn(ctx, p, "plain", Plain{N: 10})
	if err != nil {
		t.Fatal(err)
	}
	forgets, err := engine.Spawn(ctx, p, "forgets", Forgetful{From: 10})
	if err != nil {
		t.Fatal(err)
	}
	inc := func() (out []int) {
		t.Helper()
		a, err := engine.Query(plain, (*Plain).Inc).Call(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b, err := engine.Query(forgets, (*Forgetful).Inc).Call(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(slices.Collect(valuesOf(a)), slices.Collect(valuesOf(b)))
	}
	if got := inc(); !slices.Equal(got, []int{11, 11, 1, 1}) {
		t.Fatal(got)
	}
	rec, err := p.Reload(ctx, engine.ReloadProgram(next))
	if err != nil {
		t.Fatal(err)
	}
	if got := inc(); !slices.Equal(got, []int{12, 12, 1, 1}) {
		t.Errorf("after the reload: %v", got)
	}
	for r, x := range rec.Ranks {
		if want := fmt.Sprintf("@forgets[%d] began anew from its prototype: Forgetful had no Snapshot, and fields that are not exported", r); !slices.Equal(x.Notes, []string{want}) {
			t.Errorf("rank %d: %q", r, x.Notes)
		}
	}
}

// TestWhatAMovingRankWaitsForDoesNotWaitForIt: a handler that runs when its rank is to move calls another rank, which calls back.
func TestWhatAMovingRankWaitsForDoesNotWaitForIt(t *testing.T) {
	next := anotherBuild(t, "v2")
	ctx := enginetest.Processes(t)
	p, m := movers(t, ctx, 3, Mover{})
	if err := engine.Action(m, (*Mover).Meet).Call(ctx, m); err != nil {
		t.Fatal(err)
	}
	port, began, err := engine.Channel[int](ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer began.Close()
	around := engine.Method(m.Slice(at(0)), (*Mover).Around).Start(ctx, port)
	if _, err := began.Recv(ctx); err != nil {
		t.Fatal(err)
	}
	if rec, err := p.Reload(ctx, engine.ReloadProgram(next)); err != nil {
		t.Errorf("%v: %+v", err, rec)
	}
	if n, err := around.One(ctx); err != nil || n < 2 {
		t.Errorf("%d times: %v", n, err)
	}
}

// TestARankThatIsBusyIsNotMovedUnlessItIsTold: when its time is over it goes on, and nobody has noticed anything.
func TestARankThatIsBusyIsNotMovedUnlessItIsTold(t *testing.T) {
	next := anotherBuild(t, "v2")
	ctx := enginetest.Processes(t)
	p, m := movers(t, ctx, 2, Mover{})
	wait := engine.Signal(m.Slice(at(0)), (*Mover).Wait).Start(ctx)
	rec, err := p.Reload(ctx, engine.ReloadProgram(next), engine.ReloadTimes(100*time.Millisecond, 0))
	if err == nil || !strings.Contains(err.Error(), "p[0] could not be moved, and goes on: it does not stand still within 100ms: @m[0] runs Wait") {
		t.Errorf("%v", err)
	}
	if got := states(rec); !slices.Equal(got, []string{control.RankKept, control.RankWaits}) {
		t.Errorf("%q", got)
	}
	if err := engine.Signal(m.Slice(at(0)), (*Mover).Open).Call(ctx); err != nil {
		t.Error(err)
	}
	if _, err := wait.All(ctx); err != nil {
		t.Errorf("the handler that ran: %v", err)
	}
}

// TestAReloadThatFailsCallsSaysWhatBecameOfThem holds INV-RELOAD: nobody who waits is left without an outcome.
func TestAReloadThatFailsCallsSaysWhatBecameOfThem(t *testing.T) {
	next := anotherBuild(t, "v2")
	ctx := enginetest.Processes(t)
	p, m := movers(t, ctx, 1, Mover{})
	one := m.Slice(at(0))
	block := engine.Signal(one, (*Mover).Block).Start(ctx)
	queued := engine.Method(one, (*Mover).Add).Start(ctx, Note{"x", 1})
	type result struct {
		rec engine.Reload
		err error
	}
	done := make(chan result, 1)
	go func() {
		rec, err := p.Reload(ctx, engine.ReloadProgram(next), engine.ReloadFailing(), engine.ReloadTimes(300*time.Millisecond, 0))
		done <- result{rec, err}
	}()
	if _, err := queued.One(ctx); !errors.Is(err, engine.ErrMoving) || !errors.Is(err, engine.ErrNotSent) {
		t.Errorf("what was queued: %v", err)
	}
	if _, err := engine.Method(one, (*Mover).Add).CallOne(ctx, Note{"x", 1}); !errors.Is(err, engine.ErrMoving) || !errors.Is(err, engine.ErrNotSent) {
		t.Errorf("what came meanwhile: %v", err)
	}
	if _, err := block.All(ctx); !errors.Is(err, engine.ErrLost) || !errors.Is(err, engine.ErrMoving) {
		t.Errorf("what ran: %v", err)
	}
	if r := <-done; r.err != nil {
		t.Errorf("%v: %+v", r.err, r.rec)
	}
	if got, err := engine.Method(one, (*Mover).Add).CallOne(ctx, Note{"x", 1}); err != nil || got.Build != "v2" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestARankThatDiesWhileItIsToMoveStopsTheRoll: its death is one like any other, and the others stay.
func TestARankThatDiesWhileItIsToMoveStopsTheRoll(t *testing.T) {
	next := anotherBuild(t, "v2")
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	p, m := movers(t, ctx, 3, Mover{})
	one := m.Slice(at(0))
	here, err := engine.Method(one, (*Mover).Add).CallOne(ctx, Note{"x", 1})
	if err != nil {
		t.Fatal(err)
	}
	wait := engine.Signal(one, (*Mover).Wait).Start(ctx) // so that it does not stand still
	moves, cancel := watchReload(t, e, func(r *control.Reload) bool {
		return r.State == control.ReloadRolling && r.Ranks[0].State == control.RankMoves
	})
	defer cancel()
	done := make(chan error, 1)
	var rec engine.Reload
	go func() {
		var err error
		rec, err = p.Reload(ctx, engine.ReloadProgram(next))
		done <- err
	}()
	<-moves
	if err := syscall.Kill(here.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := wait.All(ctx); !errors.Is(err, engine.ErrLost) {
		t.Errorf("what it did ended with %v", err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "SIGKILL") {
		t.Errorf("%v", err)
	}
	if got := states(rec)[0]; got != control.RankLost {
		t.Errorf("it is %s", got)
	}
}

// TestAnEndOfTheProgramEndsAReload: nothing is left of it.
func TestAnEndOfTheProgramEndsAReload(t *testing.T) {
	next := anotherBuild(t, "hangs")
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	p, m := movers(t, e.Context(), 2, Mover{})
	pids, err := engine.Method(m, (*Mover).Add).Call(e.Context(), Note{"x", 1})
	if err != nil {
		t.Fatal(err)
	}
	began, cancel := watchReload(t, e, func(r *control.Reload) bool {
		return r.State == control.ReloadRolling && r.Ranks[0].State == control.RankMoves
	})
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := p.Reload(e.Context(), engine.ReloadProgram(next))
		done <- err
	}()
	<-began
	e.Close()
	if err := <-done; err == nil {
		t.Error("it says that it went well")
	}
	for _, got := range pids.Items() {
		if alive(got.Pid) {
			t.Errorf("process %d lives", got.Pid)
		}
	}
}

// watchReload waits for a state of a reload.
func watchReload(t *testing.T, e *engine.Engine, is func(*control.Reload) bool) (seen <-chan struct{}, cancel func()) {
	t.Helper()
	c := make(chan struct{}, 1)
	_, cancel = e.Backend().Subscribe(func(ev *control.Event) {
		if ev.Reload != nil && is(ev.Reload) {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	})
	return c, cancel
}

// TestAMoveIsNoEnd: monitors do not tell of it, references and lives stay, and what was saved stays what a later life begins with.
func TestAMoveIsNoEnd(t *testing.T) {
	next := anotherBuild(t, "v2")
	e, err := engine.Start(context.Background(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 2), engine.RestartProcs(3, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Spawn(ctx, p, "m", Mover{})
	if err != nil {
		t.Fatal(err)
	}
	downs, err := m.Monitor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer downs.Close()
	if err := errors.Join(engine.Action(m, (*Mover).Tell).Call(ctx, Note{"x", 1}), engine.Signal(m, (*Mover).Save).Call(ctx)); err != nil {
		t.Fatal(err)
	}
	before, err := frontEnd(t, e).Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Reload(ctx, engine.ReloadProgram(next)); err != nil {
		t.Fatal(err)
	}
	after, err := frontEnd(t, e).Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range after.Procs {
		if was := before.Procs[i]; x.Build == was.Build || x.PID == was.PID || x.ID != was.ID || x.Slot != was.Slot || x.Restarts != 0 || x.State != "ready" {
			t.Errorf("before %+v, after %+v", was, x)
		}
	}
	if len(after.Reloads) != 1 || after.Reloads[0].Moved != 2 || after.Reloads[0].By != "the program" {
		t.Errorf("%+v", after.Reloads)
	}
	if err := engine.Signal(m.Slice(at(1)), (*Mover).Die).Call(ctx); !errors.Is(err, engine.ErrLost) {
		t.Fatal(err)
	}
	d, err := downs.Recv(ctx)
	if err != nil || d.Rank != 1 || d.Life != 0 || !strings.Contains(d.Why, "exited with code 9") {
		t.Errorf("%+v, %v", d, err)
	}
	again, err := m.Resolve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got, err := engine.Method(again.Slice(at(1)), (*Mover).Add).CallOne(ctx, Note{"x", 2})
	if err != nil || got.Build != "v2" || got.Life != 1 {
		t.Errorf("its next life: %+v, %v", got, err)
	}
}

// TestAReloadThatCannotBeginSaysWhy: before anything is moved.
func TestAReloadThatCannotBeginSaysWhy(t *testing.T) {
	ctx := enginetest.Processes(t)
	if _, err := engine.ReloadAll(ctx); err == nil || !strings.Contains(err.Error(), "there are no worker processes") {
		t.Error(err)
	}
	in, err := engine.SpawnProcs(ctx, engine.Name("in"), engine.Dim("gpus", 2), engine.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Reload(ctx); err == nil || !strings.Contains(err.Error(), "its ranks are goroutines of the controller") {
		t.Error(err)
	}
	p, m := movers(t, ctx, 2, Mover{})
	for want, opts := range map[string][]engine.ReloadOption{
		"no such file":                             {engine.ReloadProgram("/nonexistent/program")},
		"is no file that can be executed":          {engine.ReloadProgram(t.TempDir())},
		"a program or a package, not both":         {engine.ReloadProgram("a"), engine.ReloadPackage("b")},
		"want the folder of a package":             {engine.ReloadPackage("/nonexistent")},
		"the program is the test binary of":        nil,
		"reload: -1 ranks at once: want 1 to 1024": {engine.ReloadBatch(-1)},
	} {
		if _, err := p.Reload(ctx, opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if got := builds(t, ctx, m); !slices.Equal(got, []string{"", ""}) {
		t.Errorf("the ranks run %q", got)
	}
}

// TestWhoIsStoppedIsNotMoved: it is said where it stands, and it can be let go.
func TestWhoIsStoppedIsNotMoved(t *testing.T) {
	next := anotherBuild(t, "v2")
	e, err := engine.Start(context.Background(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	p, m := movers(t, ctx, 1, Mover{})
	c := frontEnd(t, e)
	if _, err := c.Breaks(ctx, control.BreaksReq{Set: &control.Breakpoint{Mesh: "m", Endpoint: "Tell", Once: true}}); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan *control.Stop, 1)
	_, cancel := e.Backend().Subscribe(func(ev *control.Event) {
		if ev.Stop != nil && !ev.Stop.Gone {
			stopped <- &ev.Stop.Stop
		}
	})
	defer cancel()
	tell := engine.Action(m, (*Mover).Tell).Start(ctx, Note{"x", 1})
	stop := <-stopped
	if _, err := p.Reload(ctx, engine.ReloadProgram(next)); err == nil || !strings.Contains(err.Error(), "@m[0] is stopped by the debugger in Tell (stop 1): let it go on first") {
		t.Errorf("%v", err)
	}
	if _, err := c.Resume(ctx, control.ResumeReq{Stops: []control.StopRef{{ID: stop.ID}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := tell.All(ctx); err != nil {
		t.Error(err)
	}
	if rec, err := p.Reload(ctx, engine.ReloadProgram(next)); err != nil || rec.Moved != 1 {
		t.Errorf("%v, %+v", err, rec)
	}
}

// TestActorsCanBeSpawnedWhileTheirRanksMove: they are there when it is over.
func TestActorsCanBeSpawnedWhileTheirRanksMove(t *testing.T) {
	next := anotherBuild(t, "v2")
	ctx := enginetest.Processes(t)
	p, _ := movers(t, ctx, 4, Mover{})
	done := make(chan error, 1)
	go func() {
		_, err := p.Reload(ctx, engine.ReloadProgram(next))
		done <- err
	}()
	var meshes []engine.Mesh[Plain]
	for reloaded := false; !reloaded; {
		m, err := engine.Spawn(ctx, p, fmt.Sprint("plain", len(meshes)), Plain{})
		if err != nil {
			t.Fatal(err)
		}
		meshes = append(meshes, m)
		select {
		case err := <-done:
			if reloaded = true; err != nil {
				t.Error(err)
			}
		default:
		}
	}
	for _, m := range meshes {
		all, err := engine.Query(m, (*Plain).Inc).Call(ctx)
		if err != nil {
			t.Fatalf("%s: %v", m, err)
		}
		if got := slices.Collect(valuesOf(all)); !slices.Equal(got, []int{1, 1, 1, 1}) {
			t.Errorf("%s: %v", m, got)
		}
	}
}
