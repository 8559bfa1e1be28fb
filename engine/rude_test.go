package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
)

// Rude does whatever an actor may do to those around it.
type Rude struct {
	Where string // of its hooks to misbehave in

	mu    sync.Mutex
	seen  map[int]int
	state sulky //nolint:unused // only the state walker reads it
}

func registerRude() {
	engine.Register[Rude](engine.Concurrent((*Rude).Scribble), engine.Concurrent((*Rude).Leave))
}

// vexing is an error of which each method can fail.
type vexing struct{ what string }

func (e *vexing) misbehave(method string) {
	switch e.what { // a nil *vexing panics here
	case method:
		panic("vexed in " + method)
	case "exit " + method:
		runtime.Goexit()
	}
}

func (e *vexing) Error() string     { e.misbehave("Error"); return "vexing" }
func (e *vexing) Is(error) bool     { e.misbehave("Is"); return false }
func (e *vexing) As(any) bool       { e.misbehave("As"); return false }
func (e *vexing) Unwrap() error     { e.misbehave("Unwrap"); return nil }
func (e *vexing) String() string    { e.misbehave("String"); return "vexing" }
func (e *vexing) StateText() string { e.misbehave("StateText"); return "vexing" }

// sulky has a text for debuggers that panics.
type sulky struct{}

func (sulky) StateText() string { panic("no comment") }

var _ walk.Stater = sulky{}

// vex is an error that misbehaves.
func vex(what string) error {
	switch what {
	case "":
		return nil
	case "nil":
		var e *vexing
		return e
	}
	return fmt.Errorf("wrapped: %w", &vexing{what})
}

func (r *Rude) OnStart(context.Context) error {
	if r.Where == "start exit" {
		runtime.Goexit()
	}
	if what, ok := strings.CutPrefix(r.Where, "start "); ok {
		return vex(what)
	}
	return nil
}

func (r *Rude) OnStop(context.Context, error) {
	if r.Where == "stop" {
		runtime.Goexit()
	}
}

func (r *Rude) OnFailure(context.Context, engine.Failure) engine.Decision {
	if r.Where == "failure" {
		runtime.Goexit()
	}
	return engine.Handled
}

// Fail returns an error that misbehaves; Say one with that text; Throw panics with a value.
func (r *Rude) Fail(_ context.Context, what string) error  { return vex(what) }
func (r *Rude) Say(_ context.Context, text string) error   { return errors.New(text) }
func (r *Rude) Throw(_ context.Context, what string) error { panic(&vexing{what}) }
func (r *Rude) Cry(_ context.Context, n int) error         { panic(strings.Repeat("P", n)) }

// Hi answers; Echo gives back what it got.
func (r *Rude) Hi(context.Context) (string, error)               { return "hi", nil }
func (r *Rude) Echo(_ context.Context, s string) (string, error) { return s, nil }

// Exit ends its goroutine, Leave, which is concurrent, as well, ExitInDo inside engine.Do.
func (r *Rude) Exit(context.Context) error  { runtime.Goexit(); return nil }
func (r *Rude) Leave(context.Context) error { runtime.Goexit(); return nil }
func (r *Rude) ExitInDo(ctx context.Context) error {
	_, err := engine.Do(ctx, "leave", func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
	return err
}

// Give is an endpoint that cancels its context for a reason of its own and calls on with it.
func (r *Rude) Give(ctx context.Context, peer engine.Mesh[Rude]) error {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(&vexing{"Error"})
	return engine.Signal(peer, (*Rude).Hold).Call(ctx)
}

// Hold waits for its context.
func (r *Rude) Hold(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// Own spawns a Rude that this actor owns and has it panic.
func (r *Rude) Own(ctx context.Context) error {
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, p, "child", Rude{})
	if err != nil {
		return err
	}
	return engine.Signal(m, (*Rude).Exit).Broadcast(ctx)
}

// Scribble writes a map for a while, as a concurrent endpoint that guards itself may.
func (r *Rude) Scribble(ctx context.Context, n int) error {
	for i := range n {
		r.mu.Lock()
		if r.seen == nil {
			r.seen = map[int]int{}
		}
		r.seen[i%100]++
		r.mu.Unlock()
	}
	return ctx.Err()
}

// answers checks that the processes of a mesh answer, on another actor.
func answers(t *testing.T, ctx context.Context, other engine.Mesh[Rude]) {
	t.Helper()
	if got, err := engine.Query(other, (*Rude).Hi).CallOne(ctx); err != nil || got != "hi" {
		t.Fatalf("the process does not answer any more: %q, %v", got, err)
	}
}

func rudes(t *testing.T, ctx context.Context) (m, other engine.Mesh[Rude]) {
	t.Helper()
	quiet := func(context.Context, engine.Failure) engine.Decision { return engine.Handled }
	if _, err := engine.Supervise(ctx, quiet); err != nil {
		t.Fatal(err)
	}
	p := procs(t, ctx, "p", 1)
	return spawnOn(t, ctx, p, "rude", Rude{}), spawnOn(t, ctx, p, "other", Rude{})
}

func limited(t *testing.T, ctx context.Context) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestMethodsOfAUsersErrorCannotEndTheProcess(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m, other := rudes(t, ctx)
		ctx = limited(t, ctx)
		for what, want := range map[string]string{
			"nil":   "panic in Error(): runtime error: invalid memory address or nil pointer dereference (the error is a nil *engine_test.vexing: return nil itself",
			"Error": "PANIC=Error method: vexed in Error", // fmt's own guard: the text was made by fmt.Errorf
			"Is":    "wrapped: vexing", "As": "wrapped: vexing", "Unwrap": "wrapped: vexing",
		} {
			if err := engine.Action(m, (*Rude).Fail).Call(ctx, what); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", what, err, want)
			}
			if err := engine.Action(m, (*Rude).Fail).Broadcast(ctx, what); err != nil {
				t.Error(err)
			}
			answers(t, ctx, m)
			answers(t, ctx, other)
		}
		if err := engine.Action(m, (*Rude).Give).Call(ctx, other); !errors.Is(err, engine.ErrCancelled) && !strings.Contains(fmt.Sprint(err), "panic in Error()") {
			t.Errorf("a cause of which the text panics: %v", err)
		}
		answers(t, ctx, other)
		if err := engine.Action(m, (*Rude).Throw).Call(ctx, "Error"); err == nil || !strings.Contains(err.Error(), "vexed in Error") {
			t.Errorf("a panic with a value of which the text panics: %v", err)
		}
		answers(t, ctx, other)
	})
}

func TestAGoroutineThatEndsWithoutAReturnIsAnOutcome(t *testing.T) {
	const want = "ended its goroutine without returning (runtime.Goexit, as t.FailNow does)"
	both(t, func(t *testing.T, ctx context.Context) {
		ctx = limited(t, ctx)
		for name, call := range map[string]func(m engine.Mesh[Rude]) error{
			"exit":  func(m engine.Mesh[Rude]) error { return engine.Signal(m, (*Rude).Exit).Call(ctx) },
			"do":    func(m engine.Mesh[Rude]) error { return engine.Signal(m, (*Rude).ExitInDo).Call(ctx) },
			"leave": func(m engine.Mesh[Rude]) error { return engine.Signal(m, (*Rude).Leave).Call(ctx) },
			"is":    func(m engine.Mesh[Rude]) error { return engine.Action(m, (*Rude).Fail).Call(ctx, "exit Is") },
		} {
			t.Run(name, func(t *testing.T) {
				told := make(chan engine.Failure, 10)
				if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision { told <- f; return engine.Handled }); err != nil {
					t.Fatal(err)
				}
				p := procs(t, ctx, "p", 1)
				m, other := spawnOn(t, ctx, p, "rude", Rude{}), spawnOn(t, ctx, p, "other", Rude{})
				if err := call(m); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
				if _, err := engine.Query(m, (*Rude).Hi).Call(ctx); !errors.Is(err, engine.ErrFailed) {
					t.Errorf("the next call: %v, want ErrFailed", err)
				}
				answers(t, ctx, other)
				if f := <-told; !strings.Contains(f.What, want) || f.Stack == "" {
					t.Errorf("supervision was told %q, stack %q", f.What, f.Stack)
				}
				began := time.Now()
				if err := p.Stop(ctx); err != nil || time.Since(began) > 3*time.Second {
					t.Errorf("Stop took %v: %v", time.Since(began), err)
				}
			})
		}
	})
}

func TestHooksThatDoNotReturnFailAtOnce(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		ctx = limited(t, ctx)
		p := procs(t, ctx, "p", 1)
		for where, want := range map[string]string{
			"start exit":     "OnStart ended its goroutine without returning",
			"start nil":      "OnStart: ", // fmt shows a nil error as <nil>
			"start Is":       "OnStart: wrapped: vexing",
			"start exit Is":  "OnStart ended its goroutine",
			"start bad \xff": "OnStart: wrapped: vexing",
		} {
			if _, err := engine.Spawn(ctx, p, "m", Rude{Where: where}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", where, err, want)
			}
		}
		m := spawnOn(t, ctx, p, "stops", Rude{Where: "stop"})
		began := time.Now()
		if err := m.Stop(ctx); err == nil || !strings.Contains(err.Error(), "OnStop ended its goroutine") || time.Since(began) > 3*time.Second {
			t.Errorf("Stop took %v: %v", time.Since(began), err)
		}
		told := make(chan engine.Failure, 10)
		if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision { told <- f; return engine.Handled }); err != nil {
			t.Fatal(err)
		}
		owner := spawnOn(t, ctx, p, "owner", Rude{Where: "failure"})
		if err := engine.Signal(owner, (*Rude).Own).Call(ctx); err != nil {
			t.Fatal(err)
		}
		if f := <-told; !strings.Contains(f.What, "@child[0] Exit ended its goroutine") {
			t.Errorf("the failure went up as %+v", f)
		}
		answers(t, ctx, owner)
	})
}

func TestAPanicOfAnySizeIsCutWhereItIsMade(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		told := make(chan engine.Failure, 1)
		if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision { told <- f; return engine.Handled }); err != nil {
			t.Fatal(err)
		}
		ctx = limited(t, ctx)
		p := procs(t, ctx, "p", 1)
		m, other := spawnOn(t, ctx, p, "rude", Rude{}), spawnOn(t, ctx, p, "other", Rude{})
		const size = 20 << 20
		for i, most := range []int{17 << 10, 2 << 10} { // the panic itself, then what later callers are told
			err := engine.Action(m, (*Rude).Cry).Call(ctx, size)
			if err == nil || len(err.Error()) > most || !strings.Contains(err.Error(), "bytes more") {
				t.Errorf("call %d: an error of %d bytes, want %d at most: %.80v", i, len(fmt.Sprint(err)), most, err)
			}
		}
		if f := <-told; len(f.What) > 2<<10 {
			t.Errorf("supervision was told %d bytes", len(f.What))
		}
		if err := engine.Action(other, (*Rude).Say).Call(ctx, strings.Repeat("e", 4<<20)); err == nil || len(err.Error()) > 17<<10 {
			t.Errorf("an error of %d bytes", len(fmt.Sprint(err)))
		}
		answers(t, ctx, other)
	})
}

// TestAnActorMaySayAnyBytes calls through a session's socket, whose frames must stay readable.
func TestAnActorMaySayAnyBytes(t *testing.T) {
	const bad = "bad \xff\xfe\x00 \xed\xa0\x80"
	both(t, func(t *testing.T, ctx context.Context) {
		m, other := rudes(t, ctx)
		ctx = limited(t, ctx)
		if err := engine.Action(m, (*Rude).Say).Call(ctx, bad); err == nil || !utf8.ValidString(err.Error()) || !strings.Contains(err.Error(), "bad \uFFFD") {
			t.Errorf("the error arrives as %q", err)
		}
		if got, err := engine.Method(m, (*Rude).Echo).CallOne(ctx, bad); err != nil || got != bad {
			t.Errorf("a value arrives as %q, %v", got, err)
		}
		answers(t, ctx, other)
	})
}

// TestStateIsNotReadBesideAConcurrentEndpoint ends the process where it is: the runtime does not forgive a map that is
// written while it is read.
func TestStateIsNotReadBesideAConcurrentEndpoint(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := limited(t, e.Context())
		m := spawn(t, ctx, "rude", 1, Rude{})
		c := frontEnd(t, e)
		var writers sync.WaitGroup
		for range 2 {
			writers.Go(func() {
				for range 20 {
					if err := engine.Action(m, (*Rude).Scribble).Call(ctx, 10_000); err != nil {
						t.Error(err)
					}
				}
			})
		}
		over := make(chan struct{})
		go func() { writers.Wait(); close(over) }()
		read := func(budget time.Duration) control.StateNode {
			nodes, err := c.State(ctx, control.StateReq{Mesh: "rude", Budget: budget})
			if err != nil || len(nodes) != 1 {
				t.Fatal(nodes, err)
			}
			return nodes[0]
		}
		for busy := true; busy; {
			select {
			case <-over:
				busy = false
			default:
				n := read(50 * time.Millisecond)
				busy := strings.Contains(n.Error, "is busy in [Scribble") || strings.Contains(n.Error, "was busy until now")
				if n.Error != "" && !busy && !strings.Contains(n.Error, "deadline") {
					t.Fatal(n.Error)
				}
			}
		}
		n := read(time.Minute)
		if text := fmt.Sprint(n); n.Error != "" || !strings.Contains(text, "seen") || !strings.Contains(text, "StateText panicked: no comment") {
			t.Errorf("the state is %+v", n)
		}
	})
}

func TestARunThatEndsItsGoroutineIsAnError(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession(), engine.AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Run(func(context.Context) error { runtime.Goexit(); return nil }); err == nil || !strings.Contains(err.Error(), "run ended its goroutine") {
		t.Errorf("error %v", err)
	}
}

// soak is what everybody who takes part in TestPooledThingsAreNeverSeenAfterTheyWereGivenBack knows.
type soak struct {
	t      *testing.T
	ctx    context.Context
	c      *control.Client
	steady engine.Mesh[Mirror]
	mortal atomic.Pointer[engine.Mesh[Mirror]] // is killed now and then
	kill   chan struct{}                       // asks for that
	calls  atomic.Int64
	good   atomic.Int64 // right answers
}

// judge takes an outcome of a call. One that may come of what is done here is no error: nobody kills what is steady.
func (s *soak) judge(what string, mortal bool, err error) {
	fine := errors.Is(err, engine.ErrDeadline) || errors.Is(err, engine.ErrCancelled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if mortal {
		fine = fine || errors.Is(err, engine.ErrStopped) || errors.Is(err, engine.ErrLost)
	}
	if err != nil && !fine {
		s.t.Errorf("%s: %v", what, err)
	}
}

func (s *soak) took(what string, mortal bool, got, asked []byte, err error) {
	if err == nil {
		if err = fits(got, asked); err == nil {
			s.good.Add(1)
		}
	}
	s.judge(what, mortal, err)
}

// caller makes calls of all kinds. What it does is decided by its number.
func (s *soak) caller(number uint64, calls int) {
	rnd := rand.New(rand.NewPCG(number, 7))
	sizes := []int{0, 1, 30, 200, 200, 5 << 10, 20 << 10, 70 << 10, 300 << 10}
	for i := range calls {
		b := letter(number<<32|uint64(i)<<1, sizes[rnd.IntN(len(sizes))])
		ctx, cancel := context.WithCancel(s.ctx)
		if rnd.IntN(4) == 0 {
			ctx, cancel = context.WithTimeout(s.ctx, time.Duration(rnd.IntN(2000))*time.Microsecond)
		}
		m, mortal := s.steady, rnd.IntN(3) == 0
		if mortal {
			m = *s.mortal.Load()
		}
		one := m.Slice(at(rnd.IntN(2)))
		answer := engine.Method(m, (*Mirror).Answer)
		switch kind := rnd.IntN(9); kind {
		case 0: // the end of its context races with the answers
			go cancel()
			vm, err := answer.Call(ctx, b)
			s.judge("a call that is cancelled", mortal, err)
			s.mesh(vm, err, b)
		case 1:
			vm, err := answer.Call(ctx, b)
			s.judge("a call", mortal, err)
			s.mesh(vm, err, b)
		case 2: // an answer can be read twice, and from two goroutines
			f := answer.Start(ctx, b)
			var second sync.WaitGroup
			second.Go(func() { s.mesh(f.All(s.ctx)) })
			s.judge("a wait", mortal, engine.Wait(ctx, f))
			vm, err := f.All(s.ctx)
			s.mesh(vm, err, b)
			second.Wait()
		case 3:
			for r, err := range answer.Stream(ctx, b) {
				s.took("a stream", mortal, r.Value, b, err)
			}
		case 4:
			s.judge("a broadcast", mortal, answer.Broadcast(ctx, b))
		case 5:
			got, err := engine.Method(s.steady, (*Mirror).Pass).Choose(ctx, b)
			s.took("a call of a handler", false, got, b, err)
		case 6:
			got, err := engine.Method(m, (*Mirror).Beside).Choose(ctx, b)
			s.took("a concurrent endpoint", mortal, got, b, err)
		case 7:
			half := rnd.IntN(len(b))
			got, err := engine.Method2(one, (*Mirror).Two).CallOne(ctx, b[:half], b[half:])
			s.took("two arguments", mortal, got, b, err)
		default:
			got, err := engine.Method(one, (*Mirror).Answer).CallOne(ctx, b)
			s.took("a call of one", mortal, got, b, err)
		}
		cancel()
		if s.calls.Add(1)%200 == 0 {
			s.kill <- struct{}{}
		}
	}
}

// mesh judges the answers of a call of all ranks; asked is what they answer, where that is looked at.
func (s *soak) mesh(vm engine.ValueMesh[[]byte], err error, asked ...[]byte) {
	failed := 0
	if me, ok := errors.AsType[*engine.MeshError](err); ok {
		failed = len(me.Failed)
	} else if err != nil {
		return
	}
	got := vm.Answered()
	if len(got)+failed != 2 {
		s.t.Errorf("%d answers and %d failures of 2 ranks: %v", len(got), failed, err)
	}
	for _, b := range got {
		if len(asked) > 0 {
			s.took("a rank", false, b, asked[0], nil)
		} else if !whole(b) {
			s.t.Errorf("a spoilt answer came: % .16x (%d bytes)", b, len(b))
		}
	}
}
