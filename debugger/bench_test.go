package debugger_test

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// rig is a session with workers and a front end that reaches it over a unix socket, as an attached one does.
type rig struct {
	b   *testing.B
	ctx context.Context
	p   engine.ProcMesh
	m   engine.Mesh[Worker]
	c   *control.Client
	w   *control.Watch
	pic control.Replica
}

func newRig(b *testing.B, ranks int) *rig {
	b.Helper()
	e, err := engine.Start(context.Background(), engine.NoSession())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Close)
	l, err := net.Listen("unix", filepath.Join(b.TempDir(), "s"))
	if err != nil {
		b.Fatal(err)
	}
	srv := control.NewServer(control.ServerConfig{Backend: e.Backend()})
	go func() { _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close() })
	c, err := control.Dial(b.Context(), l.Addr().String(), control.ClientInfo{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	r := &rig{b: b, ctx: e.Context(), c: c}
	if r.p, err = engine.SpawnProcs(r.ctx, engine.Name("p"), engine.Dim("gpus", ranks)); err != nil {
		b.Fatal(err)
	}
	if r.m, err = engine.Spawn(r.ctx, r.p, "w", Worker{}); err != nil {
		b.Fatal(err)
	}
	if r.w, err = c.Watch(b.Context(), control.TopicState); err != nil {
		b.Fatal(err)
	}
	return r
}

func (r *rig) until(cond func() bool) {
	r.b.Helper()
	for !cond() {
		u, err := r.w.Next(r.ctx)
		if err != nil {
			r.b.Fatal(err)
		}
		r.pic.Apply(u)
	}
}

func (r *rig) brk(bp control.Breakpoint) uint64 {
	r.b.Helper()
	set, err := r.c.Breaks(r.ctx, control.BreaksReq{Set: &bp})
	if err != nil {
		r.b.Fatal(err)
	}
	return set[0].ID
}

// quantile reports p50 and the most of some times in milliseconds.
func quantile(b *testing.B, unit string, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	b.ReportMetric(ms(took[len(took)/2]), "ms/"+unit+"-p50")
	b.ReportMetric(ms(took[len(took)-1]), "ms/"+unit+"-max")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStopToShown is the time from the message that hits a breakpoint to the stop in a front end on the same machine,
// for one actor and for 64 at once: over QUIC from the worker, and over the session's socket to the front end.
func BenchmarkStopToShown(b *testing.B) {
	for name, ranks := range map[string]int{"1 stop": 1, "64 stops at once": 64} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, ranks)
			r.brk(control.Breakpoint{Mesh: "w", Endpoint: "Count"})
			var took []time.Duration
			for range max(b.N, 20) {
				start := time.Now()
				f := engine.Query(r.m, (*Worker).Count).Start(r.ctx)
				r.until(func() bool { return len(r.pic.Stops) == ranks })
				took = append(took, time.Since(start))
				if _, err := r.c.Resume(r.ctx, control.ResumeReq{All: true}); err != nil {
					b.Fatal(err)
				}
				if _, err := f.All(r.ctx); err != nil {
					b.Fatal(err)
				}
				r.until(func() bool { return len(r.pic.Stops) == 0 })
			}
			quantile(b, "stop", took)
		})
	}
}

// BenchmarkOthersWhileStopped is the rate of calls to the actors that share their processes with 16 stopped ones, as a
// share of the rate before the stops: the two are measured in turns.
func BenchmarkOthersWhileStopped(b *testing.B) {
	const ranks = 16
	r := newRig(b, ranks)
	others, err := engine.Spawn(r.ctx, r.p, "others", Worker{})
	if err != nil {
		b.Fatal(err)
	}
	rate := func() float64 {
		var n atomic.Int64
		ctx, cancel := context.WithTimeout(r.ctx, 500*time.Millisecond)
		defer cancel()
		done := make(chan struct{})
		for range 4 {
			go func() {
				for ctx.Err() == nil {
					if _, err := engine.Query(others, (*Worker).Count).Call(r.ctx); err == nil {
						n.Add(ranks)
					}
				}
				done <- struct{}{}
			}()
		}
		for range 4 {
			<-done
		}
		return float64(n.Load()) / 0.5
	}
	var free, stopped []float64
	for range max(b.N, 5) {
		free = append(free, rate())
		id := r.brk(control.Breakpoint{Mesh: "w", Endpoint: "Do"})
		f := engine.Method(r.m, (*Worker).Do).Start(r.ctx, Order{})
		r.until(func() bool { return len(r.pic.Stops) == ranks })
		stopped = append(stopped, rate())
		if _, err := r.c.Breaks(r.ctx, control.BreaksReq{Remove: []uint64{id}}); err != nil {
			b.Fatal(err)
		}
		if _, err := r.c.Resume(r.ctx, control.ResumeReq{All: true}); err != nil {
			b.Fatal(err)
		}
		if _, err := f.All(r.ctx); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(free)
	slices.Sort(stopped)
	b.ReportMetric(stopped[len(stopped)/2]/free[len(free)/2], "of-the-rate-without-stops")
	b.ReportMetric(free[len(free)/2], "calls/s-without")
	b.ReportMetric(stopped[len(stopped)/2], "calls/s-with")
	b.ReportMetric(0, "ns/op")
}
