package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// buildEnv says which build of this test binary runs: other builds are files that set it. See anotherBuild.
const buildEnv = "ENGINE_TEST_BUILD"

// Mover is an actor that can be reloaded, and says when what is sent to it is lost, repeated or out of order.
type Mover struct {
	Bad int // Snapshot panics on this rank

	rank  int
	seen  map[string]int
	peers engine.Mesh[Mover]
	gate  chan struct{}
}

// Note is the Seq-th message of a sender.
type Note struct {
	From string
	Seq  int
}

// Got says who took it.
type Got struct {
	Build string
	Pid   int
	Life  int
}

func registerMover() {
	switch os.Getenv(buildEnv) {
	case "hangs":
		select {}
	case "ends":
		os.Exit(0)
	case "crashes":
		fmt.Fprintln(os.Stderr, "no config file")
		os.Exit(3)
	case "lacks":
		return
	}
	engine.Register[Mover](engine.Concurrent((*Mover).Open), engine.Concurrent((*Mover).Peek))
	engine.Register[Driver](engine.Concurrent((*Driver).Halt))
	engine.Register[Forgetful]()
	engine.Register[Plain]()
}

func (m *Mover) OnStart(ctx context.Context) error {
	m.rank = engine.Here(ctx).Rank
	m.gate = make(chan struct{})
	if m.seen == nil {
		m.seen = map[string]int{}
	}
	return nil
}

func (m *Mover) Snapshot() ([]byte, error) {
	if m.Bad > 0 && m.Bad == m.rank {
		panic("no snapshot today")
	}
	return json.Marshal(struct {
		Rank  int
		Seen  map[string]int
		Peers []byte
	}{m.rank, m.seen, nil})
}

func (m *Mover) Restore(b []byte) error {
	var s struct {
		Rank int
		Seen map[string]int
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	switch os.Getenv(buildEnv) {
	case fmt.Sprint("refuses", s.Rank):
		return errors.New("it is not what I know")
	case fmt.Sprint("panics", s.Rank):
		panic("Restore is broken")
	case fmt.Sprint("exits", s.Rank):
		fmt.Fprintln(os.Stderr, "giving up")
		os.Exit(4)
	}
	m.seen = s.Seen
	return nil
}

func (m *Mover) take(n Note) error {
	if want := m.seen[n.From] + 1; n.Seq != want {
		return fmt.Errorf("rank %d: message %d of %s, want %d", m.rank, n.Seq, n.From, want)
	}
	m.seen[n.From]++
	return nil
}

func (m *Mover) Add(ctx context.Context, n Note) (Got, error) {
	return Got{os.Getenv(buildEnv), os.Getpid(), engine.Life(ctx)}, m.take(n)
}
func (m *Mover) Tell(_ context.Context, n Note) error               { return m.take(n) }
func (m *Mover) Seen(context.Context) (map[string]int, error)       { return m.seen, nil }
func (m *Mover) Meet(_ context.Context, p engine.Mesh[Mover]) error { m.peers = p; return nil }
func (m *Mover) Peek(context.Context) (string, error)               { return os.Getenv(buildEnv), nil }
func (m *Mover) Open(context.Context) error                         { close(m.gate); return nil }
func (m *Mover) Die(context.Context) error                          { os.Exit(9); return nil }
func (m *Mover) Save(ctx context.Context) error                     { return engine.Checkpoint(ctx) }
func (m *Mover) Block(ctx context.Context) error                    { <-ctx.Done(); return ctx.Err() }
func (m *Mover) Wait(ctx context.Context) error {
	select {
	case <-m.gate:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Around calls the next rank again and again, which calls back to what is concurrent here: for a while from when it says so.
func (m *Mover) Around(ctx context.Context, began engine.Port[int]) (n int, err error) {
	next := m.peers.Slice(at((m.rank + 1) % m.peers.Len()))
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); n++ {
		if _, err := engine.Query(next, (*Mover).Back).CallOne(ctx); err != nil {
			return n, err
		}
		if n == 0 {
			if err := began.Send(ctx, m.rank); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (m *Mover) Back(ctx context.Context) (string, error) {
	return engine.Query(m.peers.Slice(at((m.rank+m.peers.Len()-1)%m.peers.Len())), (*Mover).Peek).CallOne(ctx)
}

// Forgetful has no Snapshot, and a field that nobody can move.
type Forgetful struct {
	From int

	n int
}

func (f *Forgetful) Inc(context.Context) (int, error) { f.n++; f.From++; return f.n, nil }

// Plain is its fields.
type Plain struct{ N int }

func (p *Plain) Inc(context.Context) (int, error) { p.N++; return p.N, nil }

// Driver is an actor that sends to movers until it is told to stop.
type Driver struct {
	mu   sync.Mutex
	halt bool
}

func (d *Driver) Halt(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.halt = true
	return nil
}

func (d *Driver) halted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.halt
}

// Drive sends, and says how many messages each rank was sent.
func (d *Driver) Drive(ctx context.Context, to engine.Mesh[Mover]) (int, error) {
	return drive(ctx, to, fmt.Sprint("driver", engine.Here(ctx).Rank), d.halted)
}

// drive sends to all ranks, by calls and by broadcasts, until it is told to stop.
func drive(ctx context.Context, to engine.Mesh[Mover], from string, halted func() bool) (int, error) {
	builds := make([]string, to.Len())
	for n := 0; ; n += 2 {
		if halted() {
			return n, nil
		}
		if err := engine.Action(to, (*Mover).Tell).Broadcast(ctx, Note{from, n + 1}); err != nil {
			return n, err
		}
		all, err := engine.Method(to, (*Mover).Add).Call(ctx, Note{from, n + 2})
		if err != nil {
			return n, err
		}
		for p, got := range all.Items() {
			if got.Build < builds[p.Rank] || got.Life != 0 {
				return n, fmt.Errorf("rank %d answers with %+v after build %q", p.Rank, got, builds[p.Rank])
			}
			builds[p.Rank] = got.Build
		}
	}
}

// anotherBuild is an executable with another content, that is this test binary and knows which build it is.
func anotherBuild(t testing.TB, name string) string {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else each process that ends takes a second for it
	path := filepath.Join(t.TempDir(), name)
	text := fmt.Sprintf("#!/bin/sh\n%s=%s\nexport %s\nexec %q \"$@\"\n", buildEnv, name, buildEnv, os.Args[0])
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	return path
}

// movers spawns n of them.
func movers(t *testing.T, ctx context.Context, n int, proto Mover, opts ...engine.SpawnOption) (engine.ProcMesh, engine.Mesh[Mover]) {
	t.Helper()
	p := procs(t, ctx, "p", n)
	m, err := engine.Spawn(ctx, p, "m", proto, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

// states are those of the ranks.
func states(r engine.Reload) (out []string) {
	for _, x := range r.Ranks {
		out = append(out, x.State)
	}
	return out
}

// builds are what the ranks run.
func builds(t *testing.T, ctx context.Context, m engine.Mesh[Mover]) []string {
	t.Helper()
	all, err := engine.Query(m, (*Mover).Peek).Call(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(valuesOf(all))
}

func valuesOf[V any](m engine.ValueMesh[V]) func(func(V) bool) {
	return func(yield func(V) bool) {
		for _, v := range m.Items() {
			if !yield(v) {
				return
			}
		}
	}
}

// TestAReloadUnderLoadLosesNothing holds INV-RELOAD: the program and actors of other processes send all the time, calls and
// broadcasts, while eight ranks move. Each message is handled once, in the order of its sender.
func TestAReloadUnderLoadLosesNothing(t *testing.T) {
	ctx := enginetest.Processes(t)
	next := anotherBuild(t, "v2")
	p, m := movers(t, ctx, 8, Mover{})
	others := procs(t, ctx, "others", 2)
	drivers, err := engine.Spawn(ctx, others, "d", Driver{})
	if err != nil {
		t.Fatal(err)
	}
	far := engine.Method(drivers, (*Driver).Drive).Start(ctx, m)
	var stop Driver
	var senders sync.WaitGroup
	var mu sync.Mutex
	want := make([]map[string]int, m.Len())
	send := func(from string, to engine.Mesh[Mover], ranks ...int) {
		senders.Go(func() {
			n, err := drive(ctx, to, from, stop.halted)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, r := range ranks {
				put(&want[r], from, n)
			}
		})
	}
	send("all", m, 0, 1, 2, 3, 4, 5, 6, 7)
	for r := range m.Len() {
		for i := range 2 {
			send(fmt.Sprint("one", i), m.Slice(at(r)), r)
		}
	}
	rec, err := p.Reload(ctx, engine.ReloadProgram(next))
	if err != nil {
		t.Errorf("%v\n%+v", err, rec)
	}
	_ = stop.Halt(ctx)
	if err := engine.Signal(drivers, (*Driver).Halt).Call(ctx); err != nil {
		t.Fatal(err)
	}
	senders.Wait()
	all, err := far.All(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for p, n := range all.Items() {
		for r := range want {
			put(&want[r], fmt.Sprint("driver", p.Rank), n)
		}
	}
	seen, err := engine.Query(m, (*Mover).Seen).Call(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for p, got := range seen.Items() {
		if !maps.Equal(got, want[p.Rank]) {
			t.Errorf("rank %d has handled %v, of %v", p.Rank, got, want[p.Rank])
		}
	}
	if got := builds(t, ctx, m); !slices.Equal(got, slices.Repeat([]string{"v2"}, 8)) {
		t.Errorf("the ranks run %q", got)
	}
	if rec.Moved != 8 || rec.State != control.ReloadDone {
		t.Errorf("it says %d moved, %s", rec.Moved, rec.State)
	}
}

func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}

// TestANewBuildThatDoesNotBeginIsNotLoaded holds INV-RELOAD: the first rank is put back with its state, the others never move.
func TestANewBuildThatDoesNotBeginIsNotLoaded(t *testing.T) {
	for build, c := range map[string]struct {
		says, tail string
	}{
		"lacks":    {"the new build has no actor type github.com/monarch-tui/monarch-tui/engine_test.Mover", ""},
		"ends":     {"exited with code 0 before it reached engine.Main", ""},
		"crashes":  {"exited with code 3 before it reached engine.Main", "no config file"},
		"hangs":    {"it started but did not join in time", ""},
		"refuses0": {"it is not what I know", ""},
		"panics0":  {"Restore panicked: Restore is broken", ""},
		"exits0":   {"exited with code 4", "giving up"},
	} {
		t.Run(build, func(t *testing.T) {
			next := anotherBuild(t, build)
			ctx := enginetest.Processes(t)
			p, m := movers(t, ctx, 3, Mover{})
			if err := engine.Action(m, (*Mover).Tell).Call(ctx, Note{"x", 1}); err != nil {
				t.Fatal(err)
			}
			start := 20 * time.Second
			if build == "hangs" {
				start = time.Second
			}
			rec, err := p.Reload(ctx, engine.ReloadProgram(next), engine.ReloadTimes(0, start))
			var failed *engine.ReloadError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "p[0] did not begin on the new build, and was put back") {
				t.Fatalf("%v; %+v", err, rec)
			}
			if got := states(rec); !slices.Equal(got, []string{control.RankRestored, control.RankWaits, control.RankWaits}) || rec.State != control.ReloadFailed {
				t.Errorf("%s with %q", rec.State, got)
			}
			if tail := strings.Join(rec.Ranks[0].Tail, "\n"); !strings.Contains(tail, c.tail) {
				t.Errorf("its last lines are %q, want %q", tail, c.tail)
			}
			if err := engine.Action(m, (*Mover).Tell).Call(ctx, Note{"x", 2}); err != nil {
				t.Errorf("the state is lost: %v", err)
			}
			if got := builds(t, ctx, m); !slices.Equal(got, []string{"", "", ""}) {
				t.Errorf("the ranks run %q", got)
			}
		})
	}
}
