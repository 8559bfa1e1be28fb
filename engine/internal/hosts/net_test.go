//go:build linux

package hosts

import (
	"context"
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
	losesNothing(ctx, t, mesh, func() { l.cut(t, 2) }, func() { l.heal(t, 2) })
}

// TestAHostThatIsCutOffIsLostAndEndsItself: rows 6 and 9. Nothing of it is left, though nobody could reach it.
func TestAHostThatIsCutOffIsLostAndEndsItself(t *testing.T) {
	l := inLab(t)
	if l == nil {
		return
	}
	ctx := session(t)
	_, mesh := spawn(ctx, t, "p", onLab(l, t)...)
	isLost(ctx, t, mesh, thisMachines, func() { l.cut(t, 2) })
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
