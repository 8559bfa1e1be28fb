//go:build linux

package faults

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// A worker that cannot hear its controller ends itself when its lease is over, before the controller gives it up, and only then does its
// successor live (P5). The link is really cut: packets were dropped.
func TestAWorkerEndsItselfWhenItsLeaseIsOver(t *testing.T) {
	ctx := enginetest.Processes(t)
	for want, d := range map[string]time.Duration{"a lease of 1s: want 2s to 9s": time.Second, "a lease of 10s: want 2s to 9s": 10 * time.Second} {
		if _, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1), engine.Lease(d)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 2), engine.Lease(2*time.Second), engine.RestartProcs(1, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Spawn(ctx, p, "v", Victim{})
	if err != nil {
		t.Fatal(err)
	}
	old := pid(t, ctx, m, 0)
	began := time.Now()
	heal, err := engine.Inject(ctx, engine.Fault{Kind: control.FaultPartition, On: p.Slice(engine.At("gpus", 0))})
	if err != nil {
		t.Fatal(err)
	}
	defer heal()
	_, err = engine.Query(at(m, 0), (*Victim).Count).CallOne(ctx) // it never gets there
	took := time.Since(began)
	if err == nil || !strings.Contains(err.Error(), "code 97") || took > 8*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
	if syscall.Kill(old, 0) == nil {
		t.Error("the worker that was cut off still lives")
	}
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	next, err := m.Resolve(limit)
	if err != nil {
		t.Fatal(err)
	}
	if now := pid(t, ctx, next, 0); now == old {
		t.Error("the old worker answers for its successor")
	}
	if n, err := engine.Query(at(next, 1), (*Victim).Count).CallOne(ctx); err != nil || n != 1 {
		t.Errorf("its neighbour: %d, %v", n, err)
	}
}
