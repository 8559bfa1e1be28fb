//go:build linux

package engine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

// TestARankWhoseAgentWasTooSlowCanBeStartedAgain: what the agent starts too late ends, and the rank is free then.
func TestARankWhoseAgentWasTooSlowCanBeStartedAgain(t *testing.T) {
	ssh := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	e, err := Start(t.Context(), NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	procs, err := SpawnProcs(ctx, Name("p"), Hosts("n1"), Dim("gpus", 2), Virtual(), Via("ssh", "ssh", ssh, "cache", t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	one := procs.Slice(At("gpus", 1))
	if err := one.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	nd, err := nodeOf(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h := nd.hub
	agent := h.procMeshes["p"].fleet.machines[0].rec.PID
	h.opts.forkTime = 100 * time.Millisecond
	sendTo(t, agent, syscall.SIGSTOP)
	if err := one.Restart(ctx); err == nil {
		t.Error("an agent that stands still has started a rank")
	}
	h.opts.forkTime = 0
	sendTo(t, agent, syscall.SIGCONT)
	if err := one.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	want := []int{h.procMeshes["p"].procs[0].rec.PID, h.procMeshes["p"].procs[1].rec.PID}
	h.mu.Unlock()
	if got := workersOf(t, agent); len(got) != 2 || got[0]+got[1] != want[0]+want[1] {
		t.Errorf("the workers there are %v, want %v", got, want)
	}
}

func sendTo(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// workersOf are the workers that a process has started, and that live.
func workersOf(t *testing.T, pid int) (out []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		b, _ := os.ReadFile(path) // it may have ended
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) < 2 || f[0] == "Z" || f[1] != strconv.Itoa(pid) {
			continue
		}
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if n, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && strings.Contains(string(env), launch.MarkerEnv) {
			out = append(out, n)
		}
	}
	return out
}
