//go:build linux

package hosts

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

func onLab(l *lab, t *testing.T) []engine.ProcOption {
	return []engine.ProcOption{engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "ssh", l.ssh(t))}
}

// TestAHostThatIsCutOffForAMomentLosesNothing is row 7 between hosts: three seconds.
func TestAHostThatIsCutOffForAMomentLosesNothing(t *testing.T) {
	l := inLab(t)
	if l == nil {
		return
	}
	ctx := session(t)
	_, mesh := spawn(ctx, t, "p", onLab(l, t)...)
	there := at(mesh, 3)
	call := func(want int) {
		t.Helper()
		if got, err := engine.Method(there, (*Guest).Take).CallOne(ctx, 0); err != nil || got != want {
			t.Fatalf("message %d was counted as %d, %v", want, got, err)
		}
	}
	call(1)
	l.cut(t, 2)
	late := engine.Method(there, (*Guest).Take).Start(ctx, 0)
	time.Sleep(3 * time.Second) // how long the fault lasts
	l.heal(t, 2)
	if got, err := late.All(ctx); err != nil || values(t, got, err)[0] != 2 {
		t.Fatalf("the call that was made meanwhile: %v", err)
	}
	call(3)
}

// TestAHostThatIsCutOffIsLostAndEndsItself: rows 6 and 9. Nothing of it is left, though nobody could reach it.
func TestAHostThatIsCutOffIsLostAndEndsItself(t *testing.T) {
	l := inLab(t)
	if l == nil {
		return
	}
	ctx := session(t)
	_, mesh := spawn(ctx, t, "p", onLab(l, t)...)
	pids := where(ctx, t, mesh)
	daemon, err := engine.Query(at(mesh, 2), (*Guest).Daemon).CallOne(ctx)
	if err != nil {
		t.Fatal(err)
	}
	down := monitor(ctx, t, mesh)
	began := time.Now()
	l.cut(t, 2)
	gone(t, 9500*time.Millisecond, pids[2][0], pids[3][0], pids[2][1], daemon) // the lease, and a second
	limit, cancel := context.WithTimeout(ctx, 14*time.Second)
	defer cancel()
	for range 2 {
		if d, err := down.Recv(limit); err != nil || d.Rank < 2 || !strings.Contains(d.Why, "no contact") && !strings.Contains(d.Why, "lost") {
			t.Fatalf("told %+v, %v; want ranks 2 and 3, lost", d, err)
		}
	}
	if took := time.Since(began); took > 14*time.Second {
		t.Errorf("told after %v", took)
	}
	got, err := engine.Query(mesh.Slice(engine.At("hosts", 0)), (*Guest).Where).Call(ctx)
	if n := len(values(t, got, err)); n != 2 {
		t.Errorf("%d ranks of the other host answered", n)
	}
}

// TestAnAgentThatStandsStillIsLost is row 21.
func TestAnAgentThatStandsStillIsLost(t *testing.T) {
	l := inLab(t)
	if l == nil {
		return
	}
	ctx := session(t)
	_, mesh := spawn(ctx, t, "p", onLab(l, t)...)
	pids := where(ctx, t, mesh)
	down := monitor(ctx, t, mesh)
	if err := syscall.Kill(pids[2][1], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	limit, cancel := context.WithTimeout(ctx, 14*time.Second)
	defer cancel()
	for range 2 {
		if d, err := down.Recv(limit); err != nil || d.Rank < 2 {
			t.Fatalf("told %+v, %v; want ranks 2 and 3", d, err)
		}
	}
	gone(t, time.Second, pids[2][0], pids[3][0])
	if err := syscall.Kill(pids[2][1], syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	gone(t, time.Second, pids[2][1])
}
