package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// edge reports whether the snapshot and the picture of a watch show a wait.
func edge(t *testing.T, c *control.Client, p *tap, want control.WaitEdge) {
	t.Helper()
	is := func(w control.WaitEdge) bool {
		return w.From == want.From && w.To == want.To && w.Endpoint == want.Endpoint && w.State == want.State
	}
	var last []control.WaitEdge
	eventually(t, want.From+" waits for "+want.To, eventLimit, func() bool {
		snap, err := c.Snapshot(t.Context())
		last = snap.Waits
		return err == nil && slices.ContainsFunc(last, is)
	})
	p.until("the event of it", func() bool {
		return slices.ContainsFunc(p.pic.Waits, func(w control.WaitEdge) bool {
			return w.From == want.From && w.To == want.To && w.Endpoint == want.Endpoint
		})
	})
}

func TestAQuietHangShowsWhoWaitsForWhom(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		a, b := spawn(t, ctx, "a", 1, Acc{}), spawn(t, ctx, "b", 1, Acc{})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		c := frontEnd(t, e)
		p := listen(t, c, control.TopicState)
		hang, cancel := context.WithCancel(ctx)
		f := engine.Signal(a, (*Acc).BlockPeer).Start(hang) // and nothing else happens from here on
		edge(t, c, p, control.WaitEdge{From: "@a[0]", To: "@b[0]", Endpoint: "Block", State: control.WaitRunning})
		if snap, err := c.Snapshot(ctx); err != nil || slices.ContainsFunc(snap.Waits, func(w control.WaitEdge) bool { return w.From == "main" }) {
			t.Errorf("nobody waits for the future yet: %+v, %v", snap.Waits, err)
		}
		waited := make(chan error, 1)
		go func() { _, err := f.All(ctx); waited <- err }()
		edge(t, c, p, control.WaitEdge{From: "main", To: "@a[0]", Endpoint: "BlockPeer", State: control.WaitRunning})
		cancel()
		if err := <-waited; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		p.until("the end of all waits", func() bool { return len(p.pic.Waits) == 0 })
	})
}

func TestTwoActorsThatFloodEachOtherShowWhoHasNoPlace(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		a, b := spawn(t, ctx, "a", 1, Sink{}), spawn(t, ctx, "b", 1, Sink{})
		for m, next := range map[engine.Mesh[Sink]]engine.Mesh[Sink]{a: b, b: a} {
			if err := engine.Action(m, (*Sink).Next).Call(ctx, next); err != nil {
				t.Fatal(err)
			}
		}
		flood, cancel := context.WithCancel(ctx)
		var floods []*engine.Future[engine.None]
		for _, m := range []engine.Mesh[Sink]{a, b} {
			floods = append(floods, engine.Action(m, (*Sink).Flood).Start(flood, 1<<20))
		}
		c := frontEnd(t, e)
		p := listen(t, c, control.TopicState)
		edge(t, c, p, control.WaitEdge{From: "@a[0]", To: "@b[0]", Endpoint: "Nothing", State: control.WaitFull})
		edge(t, c, p, control.WaitEdge{From: "@b[0]", To: "@a[0]", Endpoint: "Nothing", State: control.WaitFull})
		cancel()
		for _, f := range floods {
			<-f.Done()
		}
		p.until("the end of all waits", func() bool { return len(p.pic.Waits) == 0 })
	})
}

// Patient waits for its peer, but not for ever.
type Patient struct {
	peer engine.Mesh[Patient]
	gate chan struct{}
}

// OnStart closes the gate.
func (p *Patient) OnStart(context.Context) error { p.gate = make(chan struct{}); return nil }

// Meet sets the peer.
func (p *Patient) Meet(_ context.Context, peer engine.Mesh[Patient]) error { p.peer = peer; return nil }

// Open opens the gate. It is concurrent.
func (p *Patient) Open(context.Context) error { close(p.gate); return nil }

// Pass waits for the gate.
func (p *Patient) Pass(context.Context) error { <-p.gate; return nil }

// Wait waits for the end of its context.
func (p *Patient) Wait(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// Hello is what the peer calls back.
func (p *Patient) Hello(context.Context) error { return nil }

// Late waits for the gate and calls back.
func (p *Patient) Late(ctx context.Context, tell engine.Port[string]) error {
	<-p.gate
	err := engine.Signal(p.peer, (*Patient).Hello).CallOne(ctx)
	if err == nil {
		return tell.Send(ctx, "welcome")
	}
	return errors.Join(err, tell.Send(ctx, err.Error()))
}

// Trial is what Try does.
type Trial struct {
	Tell  engine.Port[string]
	Again bool // waits once more
}

// Try starts the peer's Late and gives up waiting.
func (p *Patient) Try(ctx context.Context, t Trial) error {
	f := engine.Action(p.peer, (*Patient).Late).Start(context.WithoutCancel(ctx), t.Tell)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := f.One(short); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if !t.Again {
		return nil
	}
	if err := engine.Signal(p.peer, (*Patient).Open).CallOne(ctx); err != nil {
		return err
	}
	_, err := f.One(ctx)
	return err
}

// TestAWaitThatWasGivenUpClosesNoCycle holds INV-CYCLE.
func TestAWaitThatWasGivenUpClosesNoCycle(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		pair := func(suffix string) (a, b engine.Mesh[Patient]) {
			a, b = spawn(t, ctx, "a"+suffix, 1, Patient{}), spawn(t, ctx, "b"+suffix, 1, Patient{})
			for _, err := range []error{engine.Action(a, (*Patient).Meet).Call(ctx, b), engine.Action(b, (*Patient).Meet).Call(ctx, a)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			return a, b
		}
		a, b := pair("1")
		if err := engine.Action(a, (*Patient).Try).CallOne(ctx, Trial{Tell: port}); err != nil {
			t.Fatal(err)
		}
		if err := engine.Signal(b, (*Patient).Open).CallOne(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := recv.Recv(ctx); err != nil || got != "welcome" {
			t.Errorf("the call back was told %q, %v", got, err)
		}
		a, _ = pair("2") // and who waits again is waiting
		if err := engine.Action(a, (*Patient).Try).CallOne(ctx, Trial{Tell: port, Again: true}); !errors.Is(err, engine.ErrCallCycle) {
			t.Errorf("the second wait ended with %v", err)
		}
		if got, err := recv.Recv(ctx); err != nil || !strings.Contains(got, "@a2[0] → @b2[0] → @a2[0].Hello would deadlock") {
			t.Errorf("the call back was told %q, %v", got, err)
		}
	})
}

// ring spawns three meshes A → B → C → A.
func ring(t *testing.T, ctx context.Context) [3]engine.Mesh[Ring] {
	t.Helper()
	p := procs(t, ctx, "ring", 1)
	q := procs(t, ctx, "other", 1)
	var r [3]engine.Mesh[Ring]
	for i, name := range []string{"A", "B", "C"} {
		on := p
		if i == 1 {
			on = q
		}
		r[i] = spawnOn(t, ctx, on, name, Ring{})
	}
	for i := range r {
		if err := engine.Action(r[i], (*Ring).Link).Call(ctx, r[(i+1)%3]); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// TestACycleOfWaitingCallsIsRefusedWithItsPath holds INV-CYCLE.
func TestACycleOfWaitingCallsIsRefusedWithItsPath(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		r := ring(t, ctx)
		for name, ep := range map[string]func(*Ring, context.Context, int) (int, error){"Ask": (*Ring).Ask, "AskLater": (*Ring).AskLater} {
			_, err := engine.Method(r[0], ep).CallOne(ctx, 0)
			if !errors.Is(err, engine.ErrCallCycle) {
				t.Fatalf("%s: error %v", name, err)
			}
			want := "@A[0] → @B[0] → @C[0] → @A[0]." + name + " would deadlock; register " + name + " as Concurrent, or Broadcast"
			if !strings.HasSuffix(err.Error(), want) {
				t.Errorf("error %q, want it to end in %q", err, want)
			}
		}
	})
}

func TestARingThatDoesNotWaitGoesRound(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		r := ring(t, ctx)
		if err := engine.Action(r[0], (*Ring).Kick).Call(ctx, 9); err != nil {
			t.Error(err)
		}
	})
}

func TestACallToAConcurrentEndpointIsNeverRefused(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 1)
		a, b := spawnOn(t, ctx, p, "A", Ring{}), spawnOn(t, ctx, p, "B", Ring{})
		if err := engine.Action(a, (*Ring).Link).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		if err := engine.Action(b, (*Ring).Link).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		if s, err := engine.Method(a, (*Ring).AskStatus).CallOne(ctx, true); err != nil || s != "ok" {
			t.Errorf("A → B → A.Status gave %q, %v", s, err)
		}
	})
}

// TestACallToOneselfIsRefused holds INV-CYCLE.
func TestACallToOneselfIsRefused(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		a := spawnOn(t, ctx, procs(t, ctx, "p", 1), "A", Ring{})
		if err := engine.Action(a, (*Ring).Link).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		for name, ep := range map[string]func(*Ring, context.Context, int) (int, error){"Ask": (*Ring).Ask, "AskLater": (*Ring).AskLater} {
			_, err := engine.Method(a, ep).CallOne(ctx, 0)
			if !errors.Is(err, engine.ErrCallCycle) || !strings.HasSuffix(err.Error(), "@A[0] → @A[0]."+name+" would deadlock; register "+name+" as Concurrent, or Broadcast") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Looper starts a call that comes back while it does not wait for it.
type Looper struct {
	peer engine.Mesh[Looper]
	n    int
}

// Meet sets the peer.
func (l *Looper) Meet(_ context.Context, m engine.Mesh[Looper]) error { l.peer = m; return nil }

// Begin starts Back on the peer with an argument of that size and goes on, or waits for it in a moment.
func (l *Looper) Begin(ctx context.Context, b Begin) error {
	f := engine.Action(l.peer, (*Looper).Back).Start(context.WithoutCancel(ctx), make([]byte, b.Size))
	if !b.Wait {
		return nil
	}
	_, err := f.All(ctx)
	return err
}

// Begin says how.
type Begin struct {
	Size int
	Wait bool
}

// Back waits for Touch on the peer.
func (l *Looper) Back(ctx context.Context, _ []byte) error {
	return engine.Signal(l.peer, (*Looper).Touch).CallOne(ctx)
}

// Touch counts.
func (l *Looper) Touch(context.Context) error { l.n++; return nil }

// Touched tells how often.
func (l *Looper) Touched(context.Context) (int, error) { return l.n, nil }

// TestOnlyAWaitMakesACycle holds INV-CYCLE.
func TestOnlyAWaitMakesACycle(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		a, b := spawn(t, ctx, "a", 1, Looper{}), spawn(t, ctx, "b", 1, Looper{})
		if err := errors.Join(engine.Action(a, (*Looper).Meet).Call(ctx, b), engine.Action(b, (*Looper).Meet).Call(ctx, a)); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, size := range []int{0, 200 << 10} { // the notice of the wait must not overtake a large message
			for range 5 {
				if err := engine.Action(a, (*Looper).Begin).CallOne(ctx, Begin{Size: size}); err != nil {
					t.Errorf("not waiting, size %d: %v", size, err)
				}
				want++
				eventually(t, "the call that came back", eventLimit, func() bool {
					n, err := engine.Query(a, (*Looper).Touched).CallOne(ctx)
					return err == nil && n == want
				})
				if err := engine.Action(a, (*Looper).Begin).CallOne(ctx, Begin{Size: size, Wait: true}); !errors.Is(err, engine.ErrCallCycle) {
					t.Errorf("waiting, size %d: %v", size, err)
				}
			}
		}
	})
}

// TestALockThatIsGivenUpAtOnceIsFree gives claims up while they are on their way: the note must not overtake its claim for good.
func TestALockThatIsGivenUpAtOnceIsFree(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		for range 300 {
			ctx, cancel := context.WithCancel(e.Context())
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				if release, err := engine.Acquire(ctx, "fork"); err == nil {
					release()
				}
			}()
			cancel()
			<-asked
		}
		limit, cancel := context.WithTimeout(e.Context(), eventLimit)
		defer cancel()
		release, err := engine.Acquire(limit, "fork")
		if err != nil {
			t.Fatal(err)
		}
		release()
	})
}

// TestWhoDrainsHearsOfTheEndOfWhomHeWaitsFor: an actor that is being stopped waits for one whose process is killed. It would
// else wait for the end of its time.
func TestWhoDrainsHearsOfTheEndOfWhomHeWaitsFor(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		pa, pb := procs(t, ctx, "pa", 1), procs(t, ctx, "pb", 1)
		a, b := spawnOn(t, ctx, pa, "a", Acc{}), spawnOn(t, ctx, pb, "b", Acc{})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		c := frontEnd(t, e)
		p := listen(t, c, control.TopicState)
		waits := engine.Signal(a, (*Acc).BlockPeer).Start(ctx)
		state := func(mesh string) *control.Mesh { m, _ := p.pic.Mesh(mesh); return m }
		p.until("b to be busy", func() bool { return state("b") != nil && state("b").Ranks[0].State == "busy" })
		stopped := make(chan error, 1)
		go func() { stopped <- pa.Stop(ctx) }()
		p.until("a to stop", func() bool { return state("a").State == "stopping" })
		if err := pb.Kill(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-stopped:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(8 * time.Second):
			t.Fatal("it drains on")
		}
		if err := engine.Wait(ctx, waits); !errors.Is(err, engine.ErrLost) && !errors.Is(err, engine.ErrStopped) {
			t.Errorf("its caller got %v", err)
		}
	})
}
