package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// TestAStateTellsForHowLongItsActorHasWorked stops a handler in the middle: what is told of the time before it goes on only when
// it has ended, and front ends count on from Since.
func TestAStateTellsForHowLongItsActorHasWorked(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		m := spawn(t, ctx, "m", 2, Sink{})
		p := listen(t, frontEnd(t, e), control.TopicState)
		stick, free := context.WithCancel(ctx)
		began := time.Now()
		hold := engine.Signal(m.Slice(at(1)), (*Sink).Stick).Start(stick)
		p.until("rank 1 to run Stick", func() bool { return p.rank("m", 1).State == "busy" })
		if st := p.rank("m", 1); st.Worked != 0 || st.Since.Before(began.Add(-time.Second)) {
			t.Errorf("at its first message: %+v", st)
		}
		busy := time.Since(p.rank("m", 1).Since)
		free()
		<-hold.Done()
		p.until("the end", func() bool { st := p.rank("m", 1); return st.State == "idle" && st.Handled == 1 })
		if st := p.rank("m", 1); st.Worked < busy || st.Worked > time.Since(began) {
			t.Errorf("it has worked for %v, want %v at least and %v at most", st.Worked, busy, time.Since(began))
		}
		if st := p.rank("m", 0); st.Worked != 0 {
			t.Errorf("the other one has worked for %v", st.Worked)
		}
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

// Forever does not return, whatever its context says.
func (h *Hog) Forever(context.Context) error { select {} }

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
	if err := engine.SignalNamed(m, "Meant").Call(ctx); err == nil || !strings.HasSuffix(err.Error(), "Vanishing.Meant is a method and no endpoint: the program keeps it to itself (engine.NotEndpoint)") {
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
			if want := "Helper: the program keeps it to itself (engine.NotEndpoint); Meant: the program keeps it to itself (engine.NotEndpoint); Silent: it does not return an error; " +
				"String: it has no context.Context, and it does not return an error; Sum: it takes 4 arguments, which is more than 3"; strings.Join(got, "; ") != want {
				t.Errorf("not callable: %s\nwant %s", strings.Join(got, "; "), want)
			}
			return
		}
		t.Error("the session does not describe the type")
	})
}

// Several has endpoints with several arguments.
type Several struct{ said []string }

func (s *Several) Add(_ context.Context, a int, b string) (string, error) {
	return fmt.Sprint(a, b), refuse(a)
}
func (s *Several) Say(_ context.Context, who string, what any) error {
	s.said = append(s.said, fmt.Sprintf("%s %v", who, what))
	return nil
}
func (s *Several) Mix(_ context.Context, p *int, at time.Time, m map[string]any) (string, error) {
	return fmt.Sprint(p == nil, at.Unix(), m), nil
}
func (s *Several) Put(_ context.Context, a, b, c int) error { return refuse(a + b + c) }
func (s *Several) Reset(context.Context) error              { s.said = nil; return nil }
func (s *Several) Said(context.Context) ([]string, error)   { return s.said, nil }

func TestEndpointsWithSeveralArgumentsHaveEveryAdverb(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		all := spawn(t, ctx, "several", 2, Several{})
		one := all.Slice(at(1))
		want := func(what string, got any, err error, wanted any) {
			t.Helper()
			if fmt.Sprint(got) != fmt.Sprint(wanted) || err != nil {
				t.Errorf("%s gave %v, %v; want %v", what, got, err, wanted)
			}
		}
		for _, add := range []func(m engine.Mesh[Several]) engine.BoundMethod2[int, string, string]{
			func(m engine.Mesh[Several]) engine.BoundMethod2[int, string, string] {
				return engine.Method2(m, (*Several).Add)
			},
			func(m engine.Mesh[Several]) engine.BoundMethod2[int, string, string] {
				return engine.Method2Named[int, string, string](m, "Add")
			},
		} {
			vm, err := add(all).Call(ctx, 1, "x")
			want("Call", vm.Answered(), err, "[1x 1x]")
			v, err := add(one).CallOne(ctx, 2, "y")
			want("CallOne", v, err, "2y")
			v, err = add(all).Choose(ctx, 3, "z")
			want("Choose", v, err, "3z")
			want("Stream", streamed(t, add(all).Stream(ctx, 1, "")), nil, 2)
			vm, err = add(all).Start(ctx, 4, "w").All(ctx)
			want("Start", vm.Answered(), err, "[4w 4w]")
			want("Broadcast", nil, add(all).Broadcast(ctx, 1, ""), nil)
		}
		sayAll := engine.Action2(one, (*Several).Say)
		_, err := sayAll.Start(ctx, "s", 1).All(ctx)
		want("Action2.Start", nil, err, nil)
		want("Action2.Choose", nil, sayAll.Choose(ctx, "s", 2), nil)
		want("Action2.Stream", streamed(t, sayAll.Stream(ctx, "s", 3)), nil, 1)
		mixed := engine.Method3Named[*int, time.Time, map[string]any, string](all, "Mix")
		for what, start := range map[string]func() (engine.ValueMesh[string], error){
			"Method3.Call":  func() (engine.ValueMesh[string], error) { return mixed.Call(ctx, nil, time.Unix(7, 0), nil) },
			"Method3.Start": func() (engine.ValueMesh[string], error) { return mixed.Start(ctx, nil, time.Unix(7, 0), nil).All(ctx) },
		} {
			vm, err := start()
			want(what, vm.Answered(), err, "[true 7 map[] true 7 map[]]")
		}
		chosen, err := mixed.Choose(ctx, nil, time.Unix(7, 0), nil)
		want("Method3.Choose", chosen, err, "true 7 map[]")
		want("Method3.Stream", streamed(t, mixed.Stream(ctx, nil, time.Unix(7, 0), nil)), nil, 2)
		want("Method3.Broadcast", nil, mixed.Broadcast(ctx, nil, time.Unix(7, 0), nil), nil)
		put := engine.Action3(all, (*Several).Put)
		_, err = put.Start(ctx, 1, 2, 3).All(ctx)
		want("Action3.Start", nil, err, nil)
		want("Action3.CallOne", nil, engine.Action3(one, (*Several).Put).CallOne(ctx, 1, 2, 3), nil)
		want("Action3.Choose", nil, put.Choose(ctx, 1, 2, 3), nil)
		want("Action3.Stream", streamed(t, put.Stream(ctx, 1, 2, 3)), nil, 2)
		want("Action3.Broadcast", nil, put.Broadcast(ctx, 1, 2, 3), nil)
		if err := engine.Signal(one, (*Several).Reset).Call(ctx); err != nil {
			t.Fatal(err)
		}
		say := engine.Action2(one, (*Several).Say)
		want("Action2", nil, say.CallOne(ctx, "a", map[string]any{"b": 1}), nil)
		want("Action2 by name", nil, engine.Action2Named[string, any](one, "Say").Broadcast(ctx, "c", nil), nil)
		said, err := engine.Query(one, (*Several).Said).CallOne(ctx)
		want("Said", said, err, "[a map[b:1] c <nil>]")
		mix, err := engine.Method3(one, (*Several).Mix).CallOne(ctx, nil, time.Unix(7, 0).In(time.FixedZone("", 30)), map[string]any{"k": []any{}})
		want("Method3", mix, err, "true 7 map[k:[]]")
		want("Action3", nil, engine.Action3(all, (*Several).Put).Call(ctx, 1, 2, 3), nil)
		for what, err := range map[string]error{
			"the arguments of Say do not encode: argument 2 (interface {}): an error in an any": say.Call(ctx, "x", errBadRank),
			"is (int, string) → (string, error); it was bound as (int) → (string, error)":       func() error { _, err := engine.MethodNamed[int, string](one, "Add").CallOne(ctx, 1); return err }(),
			"bad rank": engine.Action3Named[int, int, int](one, "Put").Call(ctx, -1, -2, -3),
		} {
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%v, want %s", err, what)
			}
		}
	})
}

// TestWhoGivesUpWaitingForAnEndDoesNotChangeIt holds INV-ENDED.
func TestWhoGivesUpWaitingForAnEndDoesNotChangeIt(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		for what, stop := range map[string]func(context.Context, engine.ProcMesh, engine.Mesh[Patient]) error{
			"actors":    func(ctx context.Context, _ engine.ProcMesh, m engine.Mesh[Patient]) error { return m.Stop(ctx) },
			"processes": func(ctx context.Context, p engine.ProcMesh, _ engine.Mesh[Patient]) error { return p.Stop(ctx) },
		} {
			ctx := e.Context()
			p := procs(t, ctx, "p", 2)
			m := spawnOn(t, ctx, p, "m", Patient{})
			tap := listen(t, frontEnd(t, e), control.TopicState)
			held := engine.Signal(m, (*Patient).Wait).Start(ctx) // it keeps the mesh from ending until it is killed
			tap.until("both to wait", func() bool { return len(tap.rank("m", 0).Running)+len(tap.rank("m", 1).Running) == 2 })
			short, giveUp := context.WithCancel(ctx)
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { first <- stop(short, p, m) }()
			tap.until("the stop to begin", func() bool { x, ok := tap.pic.Mesh("m"); return ok && x.State == "stopping" })
			go func() { second <- stop(ctx, p, m) }()
			giveUp()
			if err := <-first; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: who gave up gets %v", what, err)
			}
			select {
			case err := <-second:
				t.Errorf("%s: the end is over when the first gives up: %v", what, err)
			default:
			}
			if err := m.Kill(ctx); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if err := <-second; err != nil {
				t.Errorf("%s: who waited gets %v", what, err)
			}
			if _, err := held.All(ctx); !errors.Is(err, engine.ErrStopped) {
				t.Errorf("%s: the call gets %v", what, err)
			}
			if err := p.Stop(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestPooledThingsAreNeverSeenAfterTheyWereGivenBack: calls, messages, arguments and results are taken again and again, while
// callers give up, deadlines pass, processes are killed, and front ends stop handlers and read and change mailboxes. Each answer
// is for its own request, and what a handler got stays as it was. Under the race detector what is given back is spoilt, so
// that whoever still reads it is found.
func TestPooledThingsAreNeverSeenAfterTheyWereGivenBack(t *testing.T) {
	t.Setenv("GORACE", "halt_on_error=1") // a race in a worker is the end of it, which a call to it tells
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		s := &soak{t: t, ctx: e.Context(), c: frontEnd(t, e), kill: make(chan struct{})}
		if _, err := s.c.Watch(t.Context(), control.TopicMessages); err != nil {
			t.Fatal(err)
		}
		s.steady = spawn(t, s.ctx, "steady", 2, Mirror{Peer: spawn(t, s.ctx, "peer", 2, Mirror{})})
		mortals := s.begin(0)
		const callers, calls = 16, 40
		var calling, others sync.WaitGroup
		over := make(chan struct{})
		others.Go(func() {
			for n := 1; ; n++ {
				select {
				case <-s.kill:
					if err := mortals.Kill(s.ctx); err != nil {
						t.Error(err)
					}
					mortals = s.begin(n)
				case <-over:
					return
				}
			}
		})
		others.Go(func() { s.debug(over) })
		for number := range uint64(callers) {
			calling.Go(func() { s.caller(number+1, calls) })
		}
		calling.Wait()
		close(over)
		others.Wait()
		if good := s.good.Load(); good < callers*calls/2 {
			t.Errorf("only %d right answers to %d calls", good, callers*calls)
		}
	})
}

// begin makes the mesh that is to be killed next.
func (s *soak) begin(n int) engine.ProcMesh {
	p, err := engine.SpawnProcs(s.ctx, engine.Name(fmt.Sprintf("p_mortal%d", n)), engine.Dim("gpus", 2))
	if err != nil {
		s.t.Error(err)
		return p
	}
	m, err := engine.Spawn(s.ctx, p, fmt.Sprintf("mortal%d", n), Mirror{})
	if err != nil {
		s.t.Error(err)
	}
	s.mortal.Store(&m)
	return p
}

// debug looks at everything, stops handlers and lets them go on in each way, and moves and discards messages, until the others
// are done. Much of it comes too late, and fails.
func (s *soak) debug(over <-chan struct{}) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	sites := []string{control.SiteRecv, control.SiteReply, control.SiteSend, control.SiteResult}
	ways := []string{control.GoContinue, control.GoRetry, control.GoStep, control.GoFinish}
	for i := 0; ; i++ {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		if set, err := s.c.Breaks(s.ctx, control.BreaksReq{Set: &control.Breakpoint{Mesh: "*", Site: sites[i%len(sites)], Hit: "%9", Once: true}}); err != nil {
			s.t.Errorf("breakpoint: %v, %v", set, err)
		}
		boxes, err := s.c.Mailboxes(s.ctx, "steady", nil, control.MailboxQuery{})
		if err != nil {
			s.t.Error(err)
		}
		for _, box := range boxes {
			for k, m := range box.Answer.Messages[:min(2, len(box.Answer.Messages))] {
				_, _ = s.c.Edit(s.ctx, control.EditReq{Mesh: "steady", Rank: box.Rank, Op: []string{"redeliver", "discard"}[k], Path: fmt.Sprint(m.Msg)})
			}
		}
		snap, err := s.c.Snapshot(s.ctx)
		if err != nil {
			s.t.Error(err)
			return
		}
		for k, st := range snap.Stops {
			ref := control.StopRef{ID: st.ID, Gen: st.Gen}
			if v, err := s.c.Frame(s.ctx, ref, control.FrameQuery{}); err == nil && strings.Contains(fmt.Sprint(v), "given back") {
				s.t.Errorf("a stop shows %+v", v)
			}
			_, _ = s.c.Resume(s.ctx, control.ResumeReq{Stops: []control.StopRef{ref}, How: ways[(i+k)%len(ways)]})
		}
	}
}
