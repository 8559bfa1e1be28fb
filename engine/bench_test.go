package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
	"github.com/monarch-tui/monarch-tui/quicnet"
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

// Counter counts what its process allocates.
type Counter struct{ peer engine.Mesh[Counter] }

// Meet sets the peer.
func (c *Counter) Meet(_ context.Context, m engine.Mesh[Counter]) error { c.peer = m; return nil }

// Mallocs is how much this process has allocated so far, in pieces.
func (c *Counter) Mallocs(context.Context) (uint64, error) { return mallocs(), nil }

// Add adds one.
func (c *Counter) Add(_ context.Context, n int) (int, error) { return n + 1, nil }

// AddAt calls Add of the peer so often.
func (c *Counter) AddAt(ctx context.Context, times int) error {
	peer := engine.Method(c.peer, (*Counter).Add)
	for n := range times {
		if got, err := peer.CallOne(ctx, n); err != nil || got != n+1 {
			return fmt.Errorf("Add(%d) gave %d: %w", n, got, err)
		}
	}
	return nil
}

func mallocs() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}

// TestACallAllocatesLittle counts as testing.AllocsPerRun does, but in all processes that take part: the difference of
// runtime.MemStats.Mallocs over many calls, less what counting alone costs. The best of some rounds counts, because timers,
// acknowledgements and the collector, which empties pools, are nobody's calls.
func TestACallAllocatesLittle(t *testing.T) {
	if quicnet.Poison {
		t.Skip("the race detector makes pools forget, and allocates itself")
	}
	const rounds, calls = 5, 64 * 40
	const alone = 8 // quic-go allocates four times for a frame that travels alone, and a round trip is two
	for _, c := range []struct {
		name  string
		start func(t testing.TB, opts ...engine.Option) context.Context
		procs int // of workers
		most  map[string]float64
	}{
		{"in-process", enginetest.Local, 0, map[string]float64{"from the program": 3, "of many": 3, "from a handler": 3}},
		{"processes", enginetest.Processes, 2, map[string]float64{"from the program": 3 + alone, "of many": 4, "from a handler": 5 + alone}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := c.start(t)
			m := spawn(t, ctx, "counter", 2, Counter{})
			if err := engine.Action(m.Slice(at(0)), (*Counter).Meet).CallOne(ctx, m.Slice(at(1))); err != nil {
				t.Fatal(err)
			}
			far := engine.Method(m.Slice(at(1)), (*Counter).Add)
			one := func(times int) error {
				for n := range times {
					if got, err := far.CallOne(ctx, n); err != nil || got != n+1 {
						return fmt.Errorf("Add(%d) gave %d: %w", n, got, err)
					}
				}
				return nil
			}
			total := func() (sum uint64) {
				vm, err := engine.Query(m, (*Counter).Mallocs).Call(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range vm.Answered()[:c.procs] {
					sum += n
				}
				return sum + mallocs()
			}
			for from, run := range map[string]func(times int) error{
				"from the program": one,
				"of many": func(times int) error { // 64 in flight
					var errs [64]error
					var callers sync.WaitGroup
					for i := range errs {
						callers.Go(func() { errs[i] = one(times / len(errs)) })
					}
					callers.Wait()
					return errors.Join(errs[:]...)
				},
				"from a handler": func(times int) error { return engine.Action(m.Slice(at(0)), (*Counter).AddAt).CallOne(ctx, times) },
			} {
				best := math.Inf(1)
				for range rounds {
					start := total()
					none := total() - start
					before := total()
					if err := run(calls); err != nil {
						t.Fatal(err)
					}
					best = min(best, float64(total()-before-none)/calls)
				}
				t.Logf("a call %s: %.2f allocations", from, best)
				if math.Round(best) > c.most[from] {
					t.Errorf("a call %s costs %.2f allocations in all processes together, want %v at most", from, best, c.most[from])
				}
			}
		})
	}
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

// BenchmarkRanks is a mesh's whole life with one call and one broadcast to all its ranks: how long it takes to create, how long
// the broadcast, and what heap and stacks are in use then, garbage included. The cost per rank does not grow with the mesh.
func BenchmarkRanks(b *testing.B) {
	for _, n := range []int{1024, 4096, 16_384, 65_536} {
		b.Run(fmt.Sprintf("in-process/ranks=%d", n), func(b *testing.B) {
			ctx := enginetest.Local(b)
			var create, cast time.Duration
			var heap uint64
			for b.Loop() {
				begin := time.Now()
				p, m := benchMeshOn(b, ctx, n)
				create += time.Since(begin)
				if _, err := engine.Method(m, (*Acc).Add).Call(ctx, 1); err != nil {
					b.Fatal(err)
				}
				begin = time.Now()
				if err := engine.Method(m, (*Acc).Add).Broadcast(ctx, 1); err != nil {
					b.Fatal(err)
				}
				cast += time.Since(begin)
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				heap = max(heap, mem.HeapInuse+mem.StackInuse)
				if err := p.Stop(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/rank")
			b.ReportMetric(create.Seconds()*1e3/float64(b.N), "ms-create")
			b.ReportMetric(cast.Seconds()*1e3/float64(b.N), "ms-broadcast")
			b.ReportMetric(float64(heap)/(1<<20), "MiB")
		})
	}
}

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
