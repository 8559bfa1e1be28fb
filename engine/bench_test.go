package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// bothBench measures on goroutines and on real worker processes.
func bothBench(b *testing.B, f func(b *testing.B, ctx context.Context)) {
	b.Run("in-process", func(b *testing.B) { f(b, enginetest.Local(b)) })
	b.Run("processes", func(b *testing.B) { f(b, enginetest.Processes(b)) })
}

func benchMesh(b *testing.B, ctx context.Context, n int) engine.Mesh[Acc] {
	b.Helper()
	_, m := benchMeshOn(b, ctx, n)
	return m
}

func benchMeshOn(b *testing.B, ctx context.Context, n int) (engine.ProcMesh, engine.Mesh[Acc]) {
	b.Helper()
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", n))
	if err != nil {
		b.Fatal(err)
	}
	m, err := engine.Spawn(ctx, p, "bench", Acc{})
	if err != nil {
		b.Fatal(err)
	}
	return p, m
}

// BenchmarkCallOne is a round trip, alone and with others in flight.
func BenchmarkCallOne(b *testing.B) {
	bothBench(b, func(b *testing.B, ctx context.Context) {
		m := benchMesh(b, ctx, 1)
		for _, callers := range []int{1, 64, 1024} {
			b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
				call := func() error {
					_, err := engine.Method(m, (*Acc).Add).CallOne(ctx, 1)
					return err
				}
				b.ReportAllocs()
				if callers == 1 {
					for b.Loop() {
						if err := call(); err != nil {
							b.Fatal(err)
						}
					}
					return
				}
				b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := call(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	})
}

// BenchmarkWatchedCallOne is BenchmarkCallOne while nobody, and while a front end, watches the messages. In-process the
// ranks, the watcher and the caller share the processors.
func BenchmarkWatchedCallOne(b *testing.B) {
	for name, opts := range map[string][]engine.Option{"in-process": {engine.AllInProcess()}, "processes": nil} {
		e, err := engine.Start(b.Context(), append(opts, engine.NoSession())...)
		if err != nil {
			b.Fatal(err)
		}
		ctx := e.Context()
		m := benchMesh(b, ctx, 1)
		c := control.InProcess(e.Backend(), control.ClientInfo{Name: "bench"})
		for _, callers := range []int{1, 64} {
			for _, watched := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/callers=%d/watched=%v", name, callers, watched), func(b *testing.B) {
					var messages, lost uint64
					stop := func() {}
					if watched {
						stop = drain(b, c, &messages, &lost)
					}
					b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
					one := func() {
						if _, err := engine.Method(m, (*Acc).Add).CallOne(ctx, 1); err != nil {
							b.Error(err)
						}
					}
					b.ReportAllocs()
					if callers == 1 {
						for b.Loop() {
							one()
						}
					} else {
						b.RunParallel(func(pb *testing.PB) {
							for pb.Next() {
								one()
							}
						})
					}
					if stop(); watched {
						b.ReportMetric(float64(lost)/float64(max(1, messages+lost)), "lost")
					}
				})
			}
		}
		_ = c.Close()
		e.Close()
	}
}

// drain takes what a watch of messages has to tell, as fast as it can, until it is stopped.
func drain(b *testing.B, c *control.Client, messages, lost *uint64) (stop func()) {
	b.Helper()
	w, err := c.Watch(b.Context(), control.TopicMessages)
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			u, err := w.Next(context.Background())
			if err != nil {
				return
			}
			for _, ev := range u.Events {
				if ev.Dropped != nil {
					*lost += ev.Dropped.Data
				} else {
					*messages++
				}
			}
		}
	})
	return func() { w.Close(); wg.Wait() }
}

// BenchmarkCall is a call on all ranks, values gathered.
func BenchmarkCall(b *testing.B) {
	bothBench(b, func(b *testing.B, ctx context.Context) {
		m := benchMesh(b, ctx, 16)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := engine.Method(m, (*Acc).Add).Call(ctx, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBroadcast is the rate at which messages without an answer leave; the window of each receiver holds it back.
func BenchmarkBroadcast(b *testing.B) {
	bothBench(b, func(b *testing.B, ctx context.Context) {
		m := benchMesh(b, ctx, 4)
		b.ReportAllocs()
		for b.Loop() {
			if err := engine.Method(m, (*Acc).Add).Broadcast(ctx, 1); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := engine.Query(m, (*Acc).Sum).Call(ctx); err != nil { // all were handled
			b.Fatal(err)
		}
	})
}

// BenchmarkBind is what a binder costs: it is paid by every call that is bound where it is made.
func BenchmarkBind(b *testing.B) {
	m := benchMesh(b, enginetest.Local(b), 1)
	b.ReportAllocs()
	for b.Loop() {
		_ = engine.Method(m, (*Acc).Add)
	}
}

// BenchmarkSpawn is the start and end of workers with one actor each.
func BenchmarkSpawn(b *testing.B) {
	bothBench(b, func(b *testing.B, ctx context.Context) {
		for b.Loop() {
			p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 8))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := engine.Spawn(ctx, p, "bench", Acc{}); err != nil {
				b.Fatal(err)
			}
			if err := p.Stop(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRanks is a mesh's whole life with one call of all its ranks. Its cost per rank does not grow with the mesh.
func BenchmarkRanks(b *testing.B) {
	for _, n := range []int{1024, 4096, 16_384, 65_536} {
		b.Run(fmt.Sprintf("in-process/ranks=%d", n), func(b *testing.B) {
			ctx := enginetest.Local(b)
			for b.Loop() {
				p, m := benchMeshOn(b, ctx, n)
				if _, err := engine.Method(m, (*Acc).Add).Call(ctx, 1); err != nil {
					b.Fatal(err)
				}
				if err := p.Stop(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/rank")
		})
	}
}
