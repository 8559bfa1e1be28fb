//go:build linux

package hosts

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// What is the same wherever the hosts are.

// losesNothing: host 1 is cut off for three seconds. Calls made meanwhile arrive, and in order.
func losesNothing(ctx context.Context, t *testing.T, mesh engine.Mesh[Guest], cut, heal func()) {
	t.Helper()
	there := at(mesh, 3)
	call := func(want int) {
		t.Helper()
		if got, err := engine.Method(there, (*Guest).Take).CallOne(ctx, 0); err != nil || got != want {
			t.Fatalf("message %d was counted as %d, %v", want, got, err)
		}
	}
	call(1)
	cut()
	late := engine.Method(there, (*Guest).Take).Start(ctx, 0)
	time.Sleep(3 * time.Second) // how long the fault lasts
	heal()
	if got, err := late.All(ctx); err != nil || values(t, got, err)[0] != 2 {
		t.Fatalf("the call that was made meanwhile: %v", err)
	}
	call(3)
}

// How soon it is told that a host is lost: one that is not heard of, and one whose agent has ended, which the launcher knows.
const (
	lostUnheard = 14 * time.Second
	lostEnded   = 8 * time.Second
)

// tellsTwoLost waits until it was told that the ranks of host 1 are lost.
func tellsTwoLost(ctx context.Context, t *testing.T, down *engine.Receiver[engine.Down], began time.Time, within time.Duration) {
	t.Helper()
	limit, cancel := context.WithDeadline(ctx, began.Add(within))
	defer cancel()
	for range 2 {
		if d, err := down.Recv(limit); err != nil || d.Rank < 2 || !strings.Contains(d.Why, "no contact") && !strings.Contains(d.Why, "lost") {
			t.Fatalf("told %+v, %v; want ranks 2 and 3, lost", d, err)
		}
	}
}

// oneHostIsLeft: the ranks of host 0 answer, and no others.
func oneHostIsLeft(ctx context.Context, t *testing.T, mesh engine.Mesh[Guest]) {
	t.Helper()
	got, err := engine.Query(mesh.Slice(engine.At("hosts", 0)), (*Guest).Where).Call(ctx)
	if n := len(values(t, got, err)); n != 2 {
		t.Errorf("%d ranks of the other host answered", n)
	}
}

// numbers gives the process of a rank's machine that has a number there, as this machine numbers it.
type numbers func(rank, pid int) int

// thisMachines are those of launchers under which a machine is this one.
func thisMachines(*testing.T) numbers { return func(_, pid int) int { return pid } }

// isLost: host 1 is cut off for good. Its processes end by themselves, and its ranks are told to be lost.
func isLost(ctx context.Context, t *testing.T, mesh engine.Mesh[Guest], find func(*testing.T) numbers, cut func()) {
	t.Helper()
	pids := where(ctx, t, mesh)
	daemon, err := engine.Query(at(mesh, 2), (*Guest).Daemon).CallOne(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n := find(t)
	all := []int{n(2, pids[2][0]), n(3, pids[3][0]), n(2, pids[2][1]), n(2, daemon)}
	down := monitor(ctx, t, mesh)
	began := time.Now()
	cut()
	gone(t, 9500*time.Millisecond, all...) // the lease, and a second
	tellsTwoLost(ctx, t, down, began, lostUnheard)
	oneHostIsLeft(ctx, t, mesh)
}

// anAgentIsKilled: that of host 1.
func anAgentIsKilled(t *testing.T, find func(*testing.T) numbers, opts ...engine.ProcOption) {
	t.Helper()
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", opts...)
	pids, n := where(ctx, t, mesh), find(t)
	agent, left := n(2, pids[2][1]), []int{n(2, pids[2][0]), n(3, pids[3][0])}
	down := monitor(ctx, t, mesh)
	began := time.Now()
	if err := syscall.Kill(agent, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	tellsTwoLost(ctx, t, down, began, lostEnded)
	gone(t, time.Second, left...)
	oneHostIsLeft(ctx, t, mesh)
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

// toldOf waits until something holds of one of the hosts of a session.
func toldOf(ctx context.Context, t *testing.T, e *engine.Engine, ok func(*control.Host) bool) {
	t.Helper()
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	defer front.Close()
	w, err := front.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var rep control.Replica
	for {
		up, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("%v; told were %+v", err, rep.Hosts)
		}
		rep.Apply(up)
		for i := range rep.Hosts {
			if ok(&rep.Hosts[i]) {
				return
			}
		}
	}
}

// isStoppedInTheQueue: the hosts of a mesh wait for a place, and it is told why; then the mesh is stopped.
func isStoppedInTheQueue(t *testing.T, handle, why string, opts ...engine.ProcOption) {
	t.Helper()
	e := start(t)
	ctx := e.Context()
	done := make(chan error, 1)
	go func() {
		_, err := engine.SpawnProcs(ctx, append(opts, engine.Name("q"))...)
		done <- err
	}()
	toldOf(ctx, t, e, func(h *control.Host) bool {
		return h.State == "queued" && strings.Contains(h.Reason, why) && strings.HasPrefix(h.Handle, handle)
	})
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	if err := front.Stop(ctx, control.StopReq{Procs: "q"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("the spawn ended with %v", err)
	}
}
