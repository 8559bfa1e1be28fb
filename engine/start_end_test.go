package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

func TestEveryProgramsNameMakesASessionsName(t *testing.T) {
	const most = 40 // engine/control says so
	for _, program := range []string{"trainer", "my trainer", "-.x", "…", strings.Repeat("x", 80)} {
		name := sessionName(program, 4_194_304)
		if len(name) > most || strings.ContainsAny(name, " …") || strings.ContainsAny(name[:1], "-.") {
			t.Errorf("the program %q opens the session %q", program, name)
		}
	}
}

func TestTheEngineExecutesEveryVerb(t *testing.T) {
	h, err := newHub(defaults())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close(t.Context())
	if missing := h.verbs.Missing(); len(missing) > 0 {
		t.Errorf("registerVerbs leaves out %v", missing)
	}
}

func TestAControllerThatCannotReachItselfStartsNoWorker(t *testing.T) {
	e, err := Start(t.Context(), NoSession(), Listen("192.0.2.1:0")) // of nobody (RFC 5737)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := SpawnProcs(e.Context(), Dim("gpus", 2)); err == nil || !strings.Contains(err.Error(), "cannot reach itself") {
		t.Error(err)
	}
}

func TestTooFewOpenFilesAreALimitWithAdvice(t *testing.T) {
	err := enoughFiles(1 << 28)
	if limit, ok := errors.AsType[*LimitError](err); !ok || !strings.HasSuffix(err.Error(), "; or start fewer; in-process ranks need none") || limit.Reason == "" {
		t.Error(err)
	}
	if err := enoughFiles(1); err != nil {
		t.Error(err)
	}
}

func TestAWorkerThatCannotJoinGivesItsOwnReason(t *testing.T) {
	const what = "worker 1 of procs p (pid 7) exited with code 70"
	for _, c := range []struct {
		code int
		tail []string
		want string
	}{
		{70, []string{"worker: join session s as proc 2: no answer"}, what + ": join session s as proc 2: no answer"},
		{70, nil, what + " before it reached engine.Main and printed nothing to stderr: does prog call engine.Main in every run, whatever its flags say?"},
		{70, []string{"no config"}, what + " before it reached engine.Main; it printed:\n  no config"},
		{2, []string{"worker: no config"}, what + " before it reached engine.Main; it printed:\n  worker: no config"},
	} {
		if got := startFailure(what, "prog", launch.Exit{Code: c.code}, c.tail).Error(); got != c.want {
			t.Errorf("%d %q: %s", c.code, c.tail, got)
		}
	}
}

func TestMoreCPUsThanTheMachineHasAreTakenWithinReason(t *testing.T) {
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := SpawnProcs(e.Context(), Dim("gpus", 1), CPUs(1000)); err != nil {
		t.Error(err)
	}
	for _, n := range []int{-1, 9999} {
		_, err := SpawnProcs(e.Context(), Dim("gpus", 1), CPUs(n))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d CPUs for each worker: want 1 to 1024", n)) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// init registers the actor in workers too.
func init() { registerTarget() }

// TestTheCauseOfAnEndIsNotTheLastSignal has quicnet give a worker up, for silence: the engine kills it then, and that is not
// why it ended. It is told once, and a rank that is held meanwhile is no exception: its calls get their outcome too.
func TestTheCauseOfAnEndIsNotTheLastSignal(t *testing.T) {
	registerTarget()
	for _, held := range []bool{false, true} {
		e, err := Start(t.Context(), NoSession())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		ctx, cancel := context.WithTimeout(e.Context(), 20*time.Second)
		t.Cleanup(cancel)
		told := make(chan Failure, 1)
		if _, err := Supervise(ctx, func(_ context.Context, f Failure) Decision { told <- f; return Handled }); err != nil {
			t.Fatal(err)
		}
		p, err := SpawnProcs(ctx, Name("p"), Dim("gpus", 1))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Spawn(ctx, p, "m", Target{})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var ends []control.Proc
		_, stop := e.hub.Subscribe(func(ev *control.Event) {
			if ev.Proc != nil && ev.Proc.Over() {
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, *ev.Proc)
			}
		})
		defer stop()
		h := e.hub
		h.mu.Lock()
		rank := h.procs[p.r.First]
		rank.life.Held = held
		h.mu.Unlock()
		for _, state := range []quicnet.LinkState{quicnet.LinkSuspect, quicnet.LinkUnreachable, quicnet.LinkLost} {
			h.linkEvent(quicnet.LinkEvent{Peer: quicnet.ID{Proc: p.r.First}, State: state, Reason: "no contact for 10.2s"})
		}
		<-rank.ended
		const want = "no contact for 10.2s; ended by the engine"
		if _, err := Method(m, (*Target).Add).Call(ctx, 1); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SIGKILL") {
			t.Errorf("held %v: a call says %v", held, err)
		}
		if f := <-told; !strings.Contains(f.What, want) || strings.Contains(f.What, "SIGKILL") {
			t.Errorf("held %v: supervision was told %q", held, f.What)
		}
		mu.Lock()
		if n := len(ends); n != 1 || !strings.Contains(ends[0].Reason, want) || !slices.Contains([]string{"lost", "killed"}, ends[0].State) {
			t.Errorf("held %v: the end is told %d times: %+v", held, n, ends)
		}
		mu.Unlock()
	}
}

func TestLinksAreCountedUntilTheyEnd(t *testing.T) {
	f := fanOut{cpus: 2, links: map[uint64]struct{}{}}
	for i, c := range []struct {
		proc  uint64
		state quicnet.LinkState
		wide  bool
	}{
		{1, quicnet.LinkUp, false},
		{2, quicnet.LinkUp, false},
		{2, quicnet.LinkUp, false}, // of another epoch
		{2, quicnet.LinkSuspect, false},
		{3, quicnet.LinkUp, true},
		{3, quicnet.LinkUnreachable, true},
		{4, quicnet.LinkUp, true},
		{9, quicnet.LinkClosed, true}, // it never was up
		{3, quicnet.LinkLost, true},
		{1, quicnet.LinkClosed, false},
		{1, quicnet.LinkClosed, false},
	} {
		was := f.wide
		if changed := f.note(quicnet.LinkEvent{Peer: quicnet.ID{Proc: c.proc}, State: c.state}); f.wide != c.wide || changed != (was != c.wide) {
			t.Fatalf("after event %d: more links than CPUs %v, changed %v; want %v, %v", i, f.wide, changed, c.wide, was != c.wide)
		}
	}
}

// TestAControllerWithMoreWorkersThanCPUsDoesNotPoll, and polls again when they are fewer.
func TestAControllerWithMoreWorkersThanCPUsDoesNotPoll(t *testing.T) {
	e, err := Start(t.Context(), NoSession())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.hub.mu.Lock()
	e.hub.fan.cpus = 2
	e.hub.mu.Unlock()
	carrier := func() string {
		e.hub.mu.Lock()
		defer e.hub.mu.Unlock()
		if have := e.hub.wire.Way(); have != e.hub.session.Carrier {
			t.Errorf("the session says %q, the node %q", e.hub.session.Carrier, have)
		}
		return e.hub.session.Carrier
	}
	if _, err := SpawnProcs(e.Context(), Dim("hosts", 2)); err != nil {
		t.Fatal(err)
	}
	polling := carrier()
	more, err := SpawnProcs(e.Context(), Dim("hosts", 1))
	if err != nil {
		t.Fatal(err)
	}
	if polling == "shm, udp+gro+poll" && carrier() != "shm, udp+gro (more workers than CPUs, which are 2)" {
		t.Errorf("with three workers on two CPUs the carrier is %q", carrier())
	}
	if err := more.Stop(e.Context()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); carrier() != polling; runtime.Gosched() { // the end of a link is told after that of its process
		if time.Now().After(end) {
			t.Fatalf("with two workers on two CPUs it was %q and is now %q", polling, carrier())
		}
	}
}

// deadWay is the way to a process whose link has ended.
type deadWay struct{ err error }

func (w deadWay) Send(context.Context, quicnet.Lane, *quicnet.Envelope) error { return w.err }

// TestAWayThatHasEndedTellsWhyItsProcessHas holds INV-ENDED for a message that is sent by a way that was found before the end.
func TestAWayThatHasEndedTellsWhyItsProcessHas(t *testing.T) {
	n := targetNode(t)
	n.peers.noteGone(goneBody{Procs: []uint64{8}, Reason: "somebody killed it", Ordered: true})
	for _, err := range []error{errProcEnded, &quicnet.GoneError{Peer: quicnet.ID{Proc: 8, Epoch: 1}, Reason: "closed"}} {
		env := quicnet.Envelope{Kind: quicnet.KindCall, From: quicnet.Addr{Proc: 5}, To: quicnet.Addr{Proc: 8, Actor: 3}}
		got := n.sendBy(n.root, deadWay{err}, &env, time.Now().UnixMicro())
		if !errors.Is(got, ErrLost) || !strings.Contains(got.Error(), "somebody killed it") {
			t.Errorf("%v came of it instead of %v", got, err)
		}
		home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 1}})
		if w := n.whyNotSent(newMeshRef(control.MeshRef{ID: 3, Name: "far", First: 8, Home: home, View: home}), 0, got); !slices.Equal(w.Codes, codesOf(ErrStopped)) {
			t.Errorf("the caller is told %+v", w)
		}
	}
}

// TestACallIsCompleteWhenOthersFindIt is one for the race detector: the end of its process may answer a call before its first
// message is sent.
func TestACallIsCompleteWhenOthersFindIt(t *testing.T) {
	n := targetNode(t)
	n.tel.on.Store(true)
	home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 1}})
	ref := newMeshRef(control.MeshRef{ID: 3, Name: "far", First: 8, Home: home, View: home})
	defer overAndOver(func() { n.procsGone(goneBody{Procs: []uint64{8}, Reason: "it ended"}) })()
	for range 5000 {
		c := startRaw(n.root, n, bound{ref, &endpoint{name: "Get"}}, nil, adverbStart, "")
		if <-c.done; len(c.answers) != 1 || c.answers[0].err == nil {
			t.Fatalf("it has %d answers", len(c.answers))
		}
	}
}

// liar is a link to a process that gives every answer there is beside the right one, which is the number of the message.
type liar struct {
	nowhere
	n    *node
	last quicnet.Envelope // the message before
}

func (l *liar) Sender(uint64) (quicnet.Sender, error) { return deadWay{quicnet.ErrGone}, nil } // each message comes to Send

func (l *liar) Send(_ context.Context, _ uint64, _ quicnet.Lane, env *quicnet.Envelope) error {
	answer := func(call, index, parent uint64, body int) {
		ans := quicnet.NewEnvelope()
		ans.Kind, ans.Call, ans.Index, ans.Parent, ans.From, ans.To, ans.Clock = quicnet.KindReply, call, index, parent, env.To, env.From, env.Clock+1
		ans.Body, _ = bodies.Encode(body, nil)
		l.n.Frame(quicnet.ID{Proc: env.To.Proc}, quicnet.LaneCalls, ans)
	}
	answer(l.last.Call, 0, l.last.ID, -1) // of a call that is over
	answer(l.last.Call, 0, l.last.ID, -2)
	answer(env.Call+1, 0, env.ID+1, -3)     // of one that is to come
	answer(^uint64(0), 0, env.ID, -4)       // of what a call that was given back has for its number
	answer(env.Call, 1, env.ID, -5)         // of a rank that was not called
	answer(env.Call, ^uint64(0), env.ID, 0) // and of none
	answer(env.Call, 0, env.ID, int(env.ID))
	answer(env.Call, 0, env.ID, -6) // once more
	l.last = *env
	return nil
}

// TestNoAnswerIsTakenForAnothers holds INV-OUTCOME for calls that are taken again, under a process that answers whatever it likes.
func TestNoAnswerIsTakenForAnothers(t *testing.T) {
	registerTarget()
	n := newNode(5, 1, slog.New(slog.DiscardHandler))
	n.alone(rankHandlers())
	n.peers.connect(&liar{n: n})
	t.Cleanup(func() { n.close("the test ended") })
	home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 1}})
	ref := newMeshRef(control.MeshRef{ID: 3, Name: "far", Type: fullName(reflect.TypeFor[Target]()), First: 8, Home: home, View: home})
	far := Method(Mesh[Target]{ref}, (*Target).Add)
	for range 1000 {
		got, err := far.CallOne(n.root, 1)
		if want := int(n.nextMsg.Load()); err != nil || got != want {
			t.Fatalf("message %d was answered with %d, %v", want, got, err)
		}
	}
	if open := n.calls.len(); open != 0 {
		t.Errorf("%d calls are still on the books", open)
	}
}

// TestAFrameIsLookedAtWhileItsHandlerReturns is one for the race detector: a goroutine of a handler stops, and a front end looks
// at its frame while the handler goes on.
func TestAFrameIsLookedAtWhileItsHandlerReturns(t *testing.T) {
	n := targetNode(t)
	for id := range uint64(50) {
		a, env, _ := arrived(t, n, id+1)
		a.mu.Lock()
		act := a.activate(env, a.node.tel.clock.Now())
		a.mu.Unlock()
		handled := make(chan struct{})
		go func() {
			defer close(handled)
			if _, err := a.invoke(act); err != nil {
				t.Error(err)
			}
		}()
		for going := true; going; {
			select {
			case <-handled:
				going = false
			default:
				act.args()
				_ = act.failure()
				if r := act.result(); r.IsValid() && r.Int() != int64(id)+1 {
					t.Errorf("the result is %d", r.Int())
				}
			}
		}
		if r := act.result(); !r.IsValid() || r.Int() != int64(id)+1 {
			t.Errorf("in the end the result is %v", r)
		}
		a.leave(act, false)
	}
}

// TestNoPlaceIsGivenBackUnseen: a sender begins to wait for a place while the last one that holds any gives it back.
func TestNoPlaceIsGivenBackUnseen(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("two things at once need two processors")
	}
	var blocked atomic.Bool
	ws := newWindows(t.Context().Done(), func() { blocked.Store(true) })
	late, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 1}})
	ref := newMeshRef(control.MeshRef{ID: 3, Name: "far", First: 8, Home: home, View: home})
	to := quicnet.Addr{Proc: 8, Actor: 3}
	w := ws.of(to)
	waits, got := make(chan struct{}), make(chan error)
	go func() {
		for range waits {
			_, _, err := ws.acquire(late, to, &pendingSend{to: ref})
			got <- err
		}
	}()
	defer close(waits)
	for round := range 5000 {
		w.used.Store(int64(takenBy(windowSize, 0)))
		blocked.Store(false)
		waits <- struct{}{}
		for !blocked.Load() { // until it has seen that it must wait
		}
		for range round % 300 { // and then each moment of its way
			w.load.Load()
		}
		ws.giveBack(w, takenBy(1, 0))
		if err := <-got; err != nil {
			t.Fatalf("round %d: the place was given back, and who waits for it does not know: %v", round, err)
		}
	}
	if used, waiting := w.used.Load(), w.waiting.Load(); used != int64(takenBy(windowSize, 0)) || waiting != 0 {
		t.Errorf("%d places are taken, %d wait for one", used, waiting)
	}
}

// A program that calls under many contexts that never end keeps a bounded number of goroutines for them, until its node closes.
func TestTheEndsOfFewContextsAreWatched(t *testing.T) {
	n := targetNode(t)
	watched := 0
	var ends []context.CancelFunc
	for range 2 * maxWatches {
		ctx, end := context.WithCancel(t.Context())
		ends = append(ends, end)
		for range watchAfter - 1 {
			if n.ends.sees(n, ctx) != nil {
				t.Fatal("it is watched before it was used often")
			}
		}
		if n.ends.sees(n, ctx) != nil {
			watched++
		}
	}
	if watched != maxWatches {
		t.Errorf("%d contexts are watched, want %d", watched, maxWatches)
	}
	if n.ends.sees(n, context.Background()) != nil {
		t.Error("a context that never ends is watched")
	}
	for _, end := range ends[:maxWatches/2] { // whose goroutines end with them; the others end with the node
		end()
	}
	n.close("the test ended")
	n.ends.mu.Lock()
	defer n.ends.mu.Unlock()
	if n.ends.count != 0 {
		t.Errorf("%d goroutines are left", n.ends.count)
	}
	for _, end := range ends {
		end()
	}
}

// A mailbox that many senders have filled takes no more: a call learns that it was not sent, and a broadcast that is lost is a
// failure, told once until there is room again.
func TestAFullMailboxRefusesAndSaysSo(t *testing.T) {
	registerTarget()
	ctx, stop, err := Local(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	told := make(chan Failure, 8)
	if _, err := Supervise(ctx, func(_ context.Context, f Failure) Decision { told <- f; return Handled }); err != nil {
		t.Fatal(err)
	}
	p, err := SpawnProcs(ctx, Name("p"), Dim("gpus", 1))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Spawn(ctx, p, "m", Target{})
	if err != nil {
		t.Fatal(err)
	}
	nd, err := nodeOf(ctx)
	if err != nil {
		t.Fatal(err)
	}
	nd.hub.mu.Lock()
	a := nd.hub.procs[p.r.First].local.actors.get(m.r.ID)
	nd.hub.mu.Unlock()
	fill := func(by int) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.size += by
	}
	const want = "the mailbox of @m[0] holds 256 MiB already"
	for round := range 2 {
		fill(mailboxBytes + 1)
		if _, err := Method(m, (*Target).Add).CallOne(ctx, 1); !errors.Is(err, ErrNotSent) || !strings.Contains(err.Error(), want) {
			t.Errorf("round %d: a call ended with %v", round, err)
		}
		for range 3 {
			if err := Method(m, (*Target).Add).Broadcast(ctx, 1); err != nil {
				t.Error(err)
			}
		}
		if f := <-told; !strings.Contains(f.What, want) || !strings.Contains(f.What, "is lost") {
			t.Errorf("round %d: supervision was told %q", round, f.What)
		}
		fill(-mailboxBytes - 1)
		for range 2 { // the first one makes room
			if _, err := Method(m, (*Target).Add).CallOne(ctx, 1); err != nil {
				t.Errorf("round %d: it does not take messages again: %v", round, err)
			}
		}
		if len(told) != 0 {
			t.Errorf("round %d: %d more failures", round, len(told))
		}
	}
}
