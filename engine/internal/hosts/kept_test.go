//go:build linux

package hosts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/sshdtest"
)

// TestASessionKeepsItsConnections: the second mesh on a host does not log in, though the first has ended, and nothing outlives the
// session.
func TestASessionKeepsItsConnections(t *testing.T) {
	s := sshdtest.Start(t)
	s.Configure(t, "Host n*", "HostName 127.0.0.1")
	e := start(t)
	ctx := e.Context()
	opts := []engine.ProcOption{engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "config", s.Config, "cache", t.TempDir())}
	for i := range 2 {
		procs, mesh := spawn(ctx, t, fmt.Sprintf("p%d", i), opts...)
		where(ctx, t, mesh)
		if err := procs.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.Logins(); n != 2 { // one to each host
			t.Errorf("after mesh %d there were %d logins, want 2", i+1, n)
		}
	}
	kept := clients(t)
	if len(kept) != 2 {
		t.Errorf("%d clients of ssh run, want 2: one for each host", len(kept))
	}
	e.Close()
	gone(t, 0, kept...)
}

// TestAnAgentThatEndsIsToldWithoutWaiting: where the launcher knows that an agent has ended, nobody waits until its link is lost. Here
// nobody else says so: all processes of the host end at once, as those of a pod do.
func TestAnAgentThatEndsIsToldWithoutWaiting(t *testing.T) {
	s := sshdtest.Start(t)
	s.Configure(t, "Host n*", "HostName 127.0.0.1")
	ctx := start(t).Context()
	_, mesh := spawn(ctx, t, "p", engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "config", s.Config, "cache", t.TempDir()))
	pids := where(ctx, t, mesh)
	agent := pids[2][1]
	down := monitor(ctx, t, mesh)
	for _, x := range []struct {
		pid int
		sig syscall.Signal
	}{{agent, syscall.SIGSTOP}, {pids[2][0], syscall.SIGKILL}, {pids[3][0], syscall.SIGKILL}, {agent, syscall.SIGKILL}} {
		if err := syscall.Kill(x.pid, x.sig); err != nil {
			t.Fatal(err)
		}
	}
	limit, cancel := context.WithTimeout(ctx, lostEnded)
	defer cancel()
	for range 2 {
		d, err := down.Recv(limit)
		if err != nil || d.Rank < 2 || !strings.Contains(d.Why, "the agent was ended by a signal") {
			t.Fatalf("told %+v, %v; want ranks 2 and 3, whose agent was ended by a signal", d, err)
		}
	}
}

// clients are the processes of ssh that this one has started.
func clients(t *testing.T) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		b, _ := os.ReadFile(list) // of a thread that has ended there is none
		for word := range strings.FieldsSeq(string(b)) {
			if name, err := os.ReadFile("/proc/" + word + "/comm"); err == nil && string(name) == "ssh\n" {
				pid, err := strconv.Atoi(word)
				if err != nil {
					t.Fatal(err)
				}
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
