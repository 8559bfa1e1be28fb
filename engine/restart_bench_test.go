package engine_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// BenchmarkDeath is the time from the kill of a process to the error of a call that waits for it: the median, and the slowest of a hundred.
func BenchmarkDeath(b *testing.B) {
	ctx := enginetest.Processes(b)
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1), engine.RestartProcs(1000, time.Second))
	if err != nil {
		b.Fatal(err)
	}
	m, err := engine.Spawn(ctx, p, "m", Phoenix{})
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		if m, err = m.Resolve(ctx); err != nil {
			b.Fatal(err)
		}
		pid, err := engine.Query(m, (*Phoenix).Pid).CallOne(ctx)
		if err != nil {
			b.Fatal(err)
		}
		block := engine.Signal(m, (*Phoenix).Block).Start(ctx)
		began := time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		if _, err := block.One(ctx); !errors.Is(err, engine.ErrLost) {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

// BenchmarkRestart is the time of a restart, from the order to ready, beside that of the first start of such a process with such an actor.
func BenchmarkRestart(b *testing.B) {
	ctx := enginetest.Processes(b)
	var first, again time.Duration
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 2))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := engine.Spawn(ctx, p, "m", Phoenix{}); err != nil {
			b.Fatal(err)
		}
		first += time.Since(began)
		for rank := range 2 { // both, for the first start was one of both
			if err := p.Slice(at(rank)).Kill(ctx); err != nil {
				b.Fatal(err)
			}
		}
		began = time.Now()
		if err := p.Restart(ctx); err != nil {
			b.Fatal(err)
		}
		again += time.Since(began)
		if err := p.Kill(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(first.Microseconds())/1000/float64(n), "ms-first")
	b.ReportMetric(float64(again.Microseconds())/1000/float64(n), "ms-again")
	b.ReportMetric(float64(again)/float64(first), "again/first")
}
