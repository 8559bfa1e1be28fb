//go:build unix

package reloads_test

import (
	"context"
	"syscall"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m, registerMover) }

func procs(t testing.TB, ctx context.Context, name string, n int) engine.ProcMesh {
	t.Helper()
	p, err := engine.SpawnProcs(ctx, engine.Name(name), engine.Dim("gpus", n))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func at(i int) engine.Sel { return engine.At("gpus", i) }

// alive reports whether there is a process; its parent has reaped it otherwise.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func frontEnd(t *testing.T, e *engine.Engine) *control.Client {
	t.Helper()
	c := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	t.Cleanup(func() { _ = c.Close() })
	return c
}
