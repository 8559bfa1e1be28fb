// Package debugger_test tries the debugger as front ends use it: through engine/control, on real worker processes and on
// in-process ranks.
package debugger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestMain(m *testing.M) {
	enginetest.Main(m, func() {
		engine.Register[Worker](engine.Concurrent((*Worker).Peek), engine.Concurrent((*Worker).Bump))
		engine.Register[Keeper]()
		engine.Register[Diner]()
	})
}

// Order is what a worker is asked to do.
type Order struct {
	N    int
	Tags []string
}

// Worker has an endpoint for each way in which a handler ends, and calls others.
type Worker struct {
	Peer engine.Mesh[Worker]

	count int
	seen  map[string]int
	last  Order
	held  []func()
	rest  time.Duration

	mu    sync.Mutex
	bumps map[int]int // written by concurrent endpoints, under mu
}

// Do counts and gives the count.
func (w *Worker) Do(_ context.Context, o Order) (int, error) {
	w.count++
	w.rest = 1500 * time.Millisecond
	if w.seen == nil {
		w.seen = map[string]int{}
	}
	w.seen[fmt.Sprint(o.N)]++
	w.last = o
	return w.count, nil
}

// Count is how often Do ran.
func (w *Worker) Count(context.Context) (int, error) { return w.count, nil }

// Fails returns an error.
func (w *Worker) Fails(context.Context) error { return errors.New("no luck") }

// Panics panics while the count is below 5.
func (w *Worker) Panics(context.Context) (int, error) {
	if w.count < 5 {
		panic(fmt.Sprintf("count is %d", w.count))
	}
	return w.count, nil
}

// Pause stops by itself.
func (w *Worker) Pause(ctx context.Context) error { return engine.Break(ctx, "look at me") }

// Linger returns, and leaves a goroutine behind that stops when Give was called.
func (w *Worker) Linger(ctx context.Context, n int) (int, error) {
	given := make(chan struct{})
	w.held = append(w.held, sync.OnceFunc(func() { close(given) }))
	go func() {
		<-given
		_ = engine.Break(ctx, "after it")
	}()
	return n, nil
}

// Ask asks the peer, whose answer it gives.
func (w *Worker) Ask(ctx context.Context, n int) (int, error) {
	return engine.Method(w.Peer, (*Worker).Do).CallOne(ctx, Order{N: n})
}

// AskTwice asks the peer from two goroutines, and gives how often that worked.
func (w *Worker) AskTwice(ctx context.Context) (int, error) {
	var wg sync.WaitGroup
	var ok atomic.Int32
	for n := range 2 {
		wg.Go(func() {
			if _, err := w.Ask(ctx, n); err == nil {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	return int(ok.Load()), nil
}

// Take takes locks, one after the other, and keeps them.
func (w *Worker) Take(ctx context.Context, names []string) error {
	for _, name := range names {
		give, err := engine.Acquire(ctx, name)
		if err != nil {
			return err
		}
		w.held = append(w.held, give)
	}
	return nil
}

// Give gives them back.
func (w *Worker) Give(context.Context) error {
	for _, give := range w.held {
		give()
		give() // once more does nothing
	}
	w.held = nil
	return nil
}

// Peek is concurrent.
func (w *Worker) Peek(context.Context) (string, error) { return "here", nil }

// Bump is concurrent, and writes what a look at the state reads.
func (w *Worker) Bump(_ context.Context, n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bumps == nil {
		w.bumps = map[int]int{}
	}
	w.bumps[n%64]++
	return nil
}

// Nap sleeps for a second.
func (w *Worker) Nap(context.Context) error { time.Sleep(time.Second); return nil }

// Slow waits for the end of its context, or for a minute.
func (w *Worker) Slow(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Minute):
		return nil
	}
}

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// scene is an engine with a mesh of workers and a front end that watches.
type scene struct {
	t   *testing.T
	e   *engine.Engine
	ctx context.Context
	m   engine.Mesh[Worker]
	c   *control.Client
	w   *control.Watch

	pic control.Replica
	log []control.StopEvent
}

// onBoth runs a test with workers as goroutines and as processes.
func onBoth(t *testing.T, n int, test func(*scene)) {
	for name, opts := range map[string][]engine.Option{"in-process": {engine.AllInProcess()}, "processes": nil} {
		t.Run(name, func(t *testing.T) { test(newScene(t, n, opts...)) })
	}
}

func newScene(t *testing.T, n int, opts ...engine.Option) *scene {
	t.Helper()
	e, err := engine.Start(context.Background(), append(opts, engine.NoSession())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	s := &scene{t: t, e: e, ctx: e.Context()}
	s.c = s.client("ada", control.RoleControl)
	if s.w, err = s.c.Watch(t.Context(), control.TopicState); err != nil {
		t.Fatal(err)
	}
	if n > 0 {
		s.m = s.spawn("w", n)
	}
	return s
}

func (s *scene) client(name, role string) *control.Client {
	c := control.InProcess(s.e.Backend(), control.ClientInfo{Name: name, Role: role})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *scene) spawn(name string, n int) engine.Mesh[Worker] {
	s.t.Helper()
	p, err := engine.SpawnProcs(s.ctx, engine.Name("p_"+name), engine.Dim("gpus", n))
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := engine.Spawn(s.ctx, p, name, Worker{})
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// until takes updates until the condition holds.
func (s *scene) until(what string, cond func() bool) {
	s.t.Helper()
	limit, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for !cond() {
		u, err := s.w.Next(limit)
		if err != nil {
			s.t.Fatalf("waiting for %s: %v; stops %+v, breakpoints %+v, debugger %+v", what, err, s.pic.Stops, s.pic.Breaks, s.pic.Debug)
		}
		s.pic.Apply(u)
		for _, ev := range u.Events {
			if ev.Stop != nil {
				s.log = append(s.log, *ev.Stop)
			}
		}
	}
}

// stops waits until so many frames are stopped, and gives them by rank.
func (s *scene) stops(n int) []control.Stop {
	s.t.Helper()
	s.until(fmt.Sprintf("%d stops", n), func() bool { return len(s.pic.Stops) == n })
	out := slices.Clone(s.pic.Stops)
	slices.SortFunc(out, func(a, b control.Stop) int { return a.Rank - b.Rank })
	return out
}

func (s *scene) brk(b control.Breakpoint) control.Breakpoint {
	s.t.Helper()
	if b.Mesh == "" {
		b.Mesh = "w"
	}
	set, err := s.c.Breaks(s.ctx, control.BreaksReq{Set: &b})
	if err != nil {
		s.t.Fatal(err)
	}
	return set[0]
}

func (s *scene) resume(how string, stops ...control.Stop) {
	s.t.Helper()
	s.resumeWith(control.ResumeReq{How: how}, stops...)
}

func (s *scene) resumeWith(r control.ResumeReq, stops ...control.Stop) {
	s.t.Helper()
	for _, st := range stops {
		r.Stops = append(r.Stops, control.StopRef{ID: st.ID, Gen: st.Gen})
	}
	out, err := s.c.Resume(s.ctx, r)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, x := range out {
		if x.Error != "" {
			s.t.Fatalf("resume %s: %s", r.How, x.Error)
		}
	}
	s.until("the stops to leave the table", func() bool {
		for _, st := range stops {
			if slices.ContainsFunc(s.pic.Stops, func(x control.Stop) bool { return x.ID == st.ID && x.Gen == st.Gen }) {
				return false
			}
		}
		return true
	})
}

// result is what a call came to.
type result[R any] struct {
	val R
	err error
}

// begin makes a call beside the test.
func begin[R any](f func() (R, error)) <-chan result[R] {
	out := make(chan result[R], 1)
	go func() {
		v, err := f()
		out <- result[R]{v, err}
	}()
	return out
}

func (s *scene) do(n int) <-chan result[int] {
	return begin(func() (int, error) {
		return engine.Method(s.m, (*Worker).Do).CallOne(s.ctx, Order{N: n})
	})
}

func want[R comparable](t *testing.T, c <-chan result[R], val R, err string) {
	t.Helper()
	select {
	case r := <-c:
		switch {
		case err == "" && (r.err != nil || r.val != val):
			t.Errorf("got %v, %v; want %v", r.val, r.err, val)
		case err != "" && (r.err == nil || !strings.Contains(r.err.Error(), err)):
			t.Errorf("got %v, %v; want an error with %q", r.val, r.err, err)
		}
	case <-time.After(patience):
		t.Fatal("the call does not end")
	}
}
