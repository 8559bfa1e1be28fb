package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func (p *tap) rank(mesh string, rank int) control.RankState {
	if m, ok := p.pic.Mesh(mesh); ok {
		return m.Ranks[rank]
	}
	return control.RankState{}
}

func TestASnapshotShowsAtOnceWhoRunsACallAndWhoHasNotAnswered(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		m := spawn(t, ctx, "m", 3, Sink{})
		p := listen(t, frontEnd(t, e), control.TopicState)
		quickest := time.Hour
		for range 5 { // a busy machine is late now and then; the engine must not be late always
			stick, free := context.WithCancel(ctx)
			began := time.Now()
			hold := engine.Signal(m.Slice(at(1)), (*Sink).Stick).Start(stick)
			p.until("rank 1 to run Stick", func() bool { return slices.Equal(p.rank("m", 1).Running, []string{"Stick"}) })
			quickest = min(quickest, time.Since(began))
			all := engine.Signal(m, (*Sink).Nothing).Start(ctx)
			p.until("the call that only rank 1 has not answered", func() bool {
				return slices.ContainsFunc(p.pic.Calls, func(c control.Call) bool {
					return c.Endpoint == "Nothing" && c.Client == "main" && c.Ranks == 3 && slices.Equal(c.Waiting, []int{1})
				})
			})
			p.until("rank 1 to have it in its mailbox", func() bool { return len(p.rank("m", 1).Next) == 1 })
			for _, c := range p.pic.Calls {
				st := p.rank("m", 1)
				if want := map[string][]uint64{"Stick": st.Calls, "Nothing": st.Next}[c.Endpoint]; !slices.Equal(want, []uint64{c.ID}) {
					t.Errorf("call %d of %s is not among %v", c.ID, c.Endpoint, want)
				}
			}
			free()
			<-hold.Done()
			<-all.Done()
			p.until("the end of both", func() bool { return len(p.pic.Calls) == 0 && p.rank("m", 1).State == "idle" })
		}
		if t.Logf("it took %v", quickest); quickest > 100*time.Millisecond {
			t.Errorf("it took %v to see a handler run, 5 times", quickest)
		}
	})
}

func TestASnapshotCountsTheMailboxBehindASlowHandler(t *testing.T) {
	const n = 200
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		m := spawn(t, ctx, "m", 1, Sink{})
		p := listen(t, frontEnd(t, e), control.TopicState)
		stick, free := context.WithCancel(ctx)
		defer free()
		engine.Signal(m, (*Sink).Stick).Start(stick)
		var futures []engine.Waiter
		for i := range n {
			if i%2 == 0 {
				futures = append(futures, engine.Signal(m, (*Sink).Nothing).Start(ctx))
			} else if err := engine.Signal(m, (*Sink).Nothing).Broadcast(ctx); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		p.until(fmt.Sprint(n, " messages in the mailbox"), func() bool { return p.rank("m", 0).Queue == n })
		t.Logf("it took %v", time.Since(began))
		if st := p.rank("m", 0); len(st.Next) != 16 || !slices.Equal(st.Running, []string{"Stick"}) {
			t.Errorf("the state is %+v", st)
		}
		free()
		if err := engine.Wait(ctx, futures...); err != nil {
			t.Fatal(err)
		}
		p.until("an empty mailbox", func() bool { st := p.rank("m", 0); return st.Queue == 0 && st.State == "idle" && st.Handled == n+1 })
	})
}

func TestAWideCallIsNotToldOncePerAnswer(t *testing.T) {
	const n = 512
	ctx := context.Background()
	e, err := engine.Start(ctx, engine.NoSession(), engine.AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx = e.Context()
	m := spawn(t, ctx, "m", n, Sink{})
	told, ended := 0, make(chan struct{})
	_, stop := e.Backend().Subscribe(func(ev *control.Event) {
		if ev.Call != nil {
			if told++; ev.Call.Done {
				close(ended)
			}
		}
	})
	defer stop()
	began := time.Now()
	if err := engine.Signal(m, (*Sink).Nothing).Call(ctx); err != nil {
		t.Fatal(err)
	}
	<-ended
	if most := int(time.Since(began)/(20*time.Millisecond)) + 5; told > most {
		t.Errorf("a call of %v was told %d times, want %d at most", time.Since(began), told, most)
	}
}

// Hog eats memory.
type Hog struct{ belly []byte }

// Eat eats n bytes and keeps them.
func (h *Hog) Eat(_ context.Context, n int) error {
	h.belly = make([]byte, n)
	for i := range h.belly {
		h.belly[i] = 1
	}
	return nil
}

func TestAWorkersMemoryIsShown(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured on Linux")
	}
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	hog := spawn(t, ctx, "hog", 2, Hog{})
	local, err := engine.SpawnProcs(ctx, engine.Name("here"), engine.Dim("gpus", 1), engine.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	p := listen(t, frontEnd(t, e), control.TopicState)
	rss := func(mesh string, rank int) uint64 {
		for _, pr := range p.pic.Procs {
			if pr.Mesh == mesh && pr.Rank == rank {
				return pr.RSS
			}
		}
		return 0
	}
	p.until("the workers' memory", func() bool { return rss("p_hog", 0) > 1<<20 && rss("p_hog", 1) > 1<<20 })
	before := rss("p_hog", 1)
	const eats = 64 << 20
	if err := engine.Action(hog.Slice(at(1)), (*Hog).Eat).Call(ctx, eats); err != nil {
		t.Fatal(err)
	}
	p.until("what rank 1 has eaten", func() bool { return rss("p_hog", 1) >= before+eats })
	if rss(local.Name(), 0) != 0 {
		t.Errorf("an in-process rank has memory of its own: %d", rss(local.Name(), 0))
	}
}

// Vanishing has methods that look like endpoints.
type Vanishing struct{}

func (*Vanishing) Good(context.Context) error                  { return nil }
func (*Vanishing) Helper(context.Context, chan int) error      { return nil } // it could not be one
func (*Vanishing) Meant(context.Context, ...int) error         { return nil }
func (*Vanishing) Sum(_ context.Context, a, b, c, d int) error { return refuse(a + b + c + d) }
func (*Vanishing) Silent(context.Context)                      {}
func (*Vanishing) String() string                              { return "" }

func TestAMethodThatLooksLikeAnEndpointIsToldOf(t *testing.T) {
	var log bytes.Buffer
	ctx := enginetest.Local(t, engine.Log(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))))
	for _, want := range []string{
		`msg="a method looks like an endpoint and is none" method=Vanishing.Silent why="it does not return an error" fix="func (v *Vanishing) Silent(ctx context.Context) error"`,
		`method=Vanishing.Sum why="it takes 4 arguments, which is more than 3" fix="func (v *Vanishing) Sum(ctx context.Context, args SumArgs) error, with a struct SumArgs that holds the arguments"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}
	if n := strings.Count(log.String(), "method=Vanishing."); n != 2 {
		t.Errorf("%d warnings, want 2: %s", n, log.String())
	}
	m := spawn(t, ctx, "m", 1, Vanishing{})
	if err := engine.SignalNamed(m, "Sum").Call(ctx); err == nil || !strings.Contains(err.Error(), "Vanishing.Sum is a method and no endpoint: it takes 4 arguments, which is more than 3; write func (v *Vanishing) Sum(") {
		t.Errorf("called by name: %v", err)
	}
	if err := engine.SignalNamed(m, "Meant").Call(ctx); err == nil || !strings.HasSuffix(err.Error(), "Vanishing.Meant is a method and no endpoint: it takes any number of arguments") {
		t.Errorf("called by name: %v", err)
	}
	if err := engine.Action(m, (*Vanishing).Helper).Call(ctx, nil); err == nil || !strings.Contains(err.Error(), "is not an endpoint of") {
		t.Errorf("called by its method expression: %v", err)
	}
}

func TestASessionDescribesWhatCannotBeCalled(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		snap, err := frontEnd(t, e).Snapshot(e.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range snap.Types {
			if typ.Name != "Vanishing" {
				continue
			}
			var got []string
			for _, n := range typ.NotCallable {
				got = append(got, n.Name+": "+n.Why)
				if looks := n.Name == "Silent" || n.Name == "Sum"; looks != (n.Fix != "") {
					t.Errorf("the fix of %s is %q", n.Name, n.Fix)
				}
			}
			if want := "Helper: the program keeps it to itself (engine.NotEndpoint); Meant: it takes any number of arguments; Silent: it does not return an error; " +
				"String: it has no context.Context, and it does not return an error; Sum: it takes 4 arguments, which is more than 3"; strings.Join(got, "; ") != want {
				t.Errorf("not callable: %s\nwant %s", strings.Join(got, "; "), want)
			}
			return
		}
		t.Error("the session does not describe the type")
	})
}
