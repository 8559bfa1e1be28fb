package engine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Target is an actor for strangers to shoot at.
type Target struct{ N int }

// Add adds.
func (t *Target) Add(_ context.Context, n int) (int, error) { t.N += n; return t.N, nil }

// Peek is concurrent.
func (t *Target) Peek(context.Context) (int, error) { return 1, nil }

var registerTarget = sync.OnceFunc(func() { Register[Target](Concurrent((*Target).Peek)) })

// nowhere is a link on which everything arrives nowhere.
type nowhere struct{}

func (nowhere) Send(context.Context, uint64, quicnet.Lane, *quicnet.Envelope) error { return nil }
func (nowhere) Forget(uint64, string)                                               {}
func (nowhere) Close(string) error                                                  { return nil }

// targetNode is a node with one Target, as process 5.
func targetNode(t testing.TB) *node {
	registerTarget()
	n := newNode(5, 1, slog.New(slog.DiscardHandler))
	n.alone(rankHandlers())
	n.peers.connect(nowhere{})
	home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 2}})
	ref := control.MeshRef{ID: 1, Name: "target", Type: fullName(reflect.TypeFor[Target]()), First: 5, Home: home, View: home}
	if err := n.spawnHere(t.Context(), spawnBody{Ref: ref}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.close("the test ended") })
	return n
}

func FuzzFrame(f *testing.F) {
	region, err := quicnet.Enc().Marshal(shape.RegionOf(shape.Extent{{Name: "gpus", Size: 2}}))
	if err != nil {
		f.Fatal(err)
	}
	call := quicnet.Envelope{Kind: quicnet.KindCall, ID: 1, Call: 1, From: quicnet.Addr{Proc: 6, Actor: 2}, To: quicnet.Addr{Proc: 5, Actor: 1}, Region: region, Endpoint: "Add", Body: []byte{1}}
	seed := func(change func(*quicnet.Envelope)) {
		e := call
		change(&e)
		f.Add(quicnet.AppendEnvelope(nil, &e))
	}
	seed(func(*quicnet.Envelope) {})
	seed(func(e *quicnet.Envelope) { e.Index = 1 << 60 })
	seed(func(e *quicnet.Envelope) { e.Endpoint, e.Body = "Peek", nil })
	seed(func(e *quicnet.Envelope) {
		e.Flags, e.Chain = flagWaits, []quicnet.ChainEntry{{Proc: 5, Actor: 1, Name: "x"}}
	})
	seed(func(e *quicnet.Envelope) { e.Region = []byte{0xff} })
	seed(func(e *quicnet.Envelope) { e.Adverb = uint8(adverbBroadcast) })
	for _, k := range []quicnet.Kind{quicnet.KindReply, quicnet.KindError, quicnet.KindCancel, quicnet.KindAck, quicnet.KindPort} {
		seed(func(e *quicnet.Envelope) { e.Kind = k })
	}
	for _, name := range []string{sysWait, sysStatus, sysTrace, sysTell, sysFence, sysSpawn, sysStop, sysKill, sysState, sysFlush, sysJudge, sysGone, sysRelay, sysDial, sysExit, sysFailure, sysFind, sysAlive, sysStill, sysVerb, sysHold, sysArrived, sysLull, sysFreeze, sysThaw, sysTake, sysLeave, sysTypes, sysArrive, ""} {
		for _, from := range []uint64{0, 6} {
			for _, flags := range []uint8{0, sysRequest, sysAnswer, sysFailed} {
				seed(func(e *quicnet.Envelope) {
					e.Kind, e.Endpoint, e.From.Proc, e.Flags, e.Body = quicnet.KindSystem, name, from, flags, []byte{0xa0}
				})
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e quicnet.Envelope
		if quicnet.DecodeEnvelope(b, &e) != nil {
			return
		}
		n := targetNode(t)
		e.To.Proc = n.id
		n.Frame(quicnet.ID{Proc: e.From.Proc}, quicnet.LaneCalls, &e)
	})
}

func TestAnAnswerCountsOnlyFromWhoWasAsked(t *testing.T) {
	n := targetNode(t)
	asked := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out int
	go func() { asked <- n.request(ctx, quicnet.Addr{}, sysFind, 1, &out) }()
	var id uint64
	for id == 0 { // until it has been asked
		n.requests.mu.Lock()
		for k := range n.requests.asked {
			id = k
		}
		n.requests.mu.Unlock()
		runtime.Gosched()
	}
	answer := func(from uint64, body byte) {
		n.Frame(quicnet.ID{Proc: from}, quicnet.LaneControl, &quicnet.Envelope{Kind: quicnet.KindSystem, ID: id, Flags: sysAnswer, From: quicnet.Addr{Proc: from}, To: quicnet.Addr{Proc: 5}, Body: []byte{body}})
	}
	answer(6, 13) // a stranger
	answer(0, 7)
	if err := <-asked; err != nil || out != 7 {
		t.Errorf("the answer is %d, %v; want the controller's 7", out, err)
	}
}

func TestAReplyCountsOnlyFromTheRankThatWasCalled(t *testing.T) {
	n := targetNode(t)
	view := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 2}})
	ref := newMeshRef(control.MeshRef{ID: 3, Name: "far", First: 8, Home: view, View: view})
	c := startRaw(n.root, n, bound{ref, &endpoint{name: "Get"}}, nil, adverbStart, "")
	reply := func(proc, actor, index uint64) {
		n.Frame(quicnet.ID{Proc: proc}, quicnet.LaneCalls, &quicnet.Envelope{Kind: quicnet.KindReply, Call: c.id, From: quicnet.Addr{Proc: proc, Actor: actor}, To: quicnet.Addr{Proc: 5}, Index: index})
	}
	for _, lie := range [][3]uint64{{9, 3, 0}, {8, 4, 0}, {8, 3, 1}, {8, 3, 2}, {8, 3, 1 << 63}, {6, 3, 0}} {
		reply(lie[0], lie[1], lie[2])
	}
	if open := c.open(); len(open) != 2 {
		t.Errorf("%d ranks are open after lies, want 2", len(open))
	}
	reply(8, 3, 0)
	reply(8, 3, 0)
	reply(9, 3, 1)
	<-c.done
	if len(c.answers) != 2 {
		t.Errorf("%d answers for 2 ranks", len(c.answers))
	}
}

func TestAWorkerSpeaksForItselfOnly(t *testing.T) {
	registerTarget()
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx := e.Context()
	p, err := SpawnProcs(ctx, Name("p"), Dim("gpus", 2))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Spawn(ctx, p, "m", Target{})
	if err != nil {
		t.Fatal(err)
	}
	stranger := p.r.First + 1
	h := e.hub
	ask := func(name string, body any) error {
		b, err := quicnet.Enc().Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.node.handlers.requests[name].take(ctx, h.node, quicnet.Addr{Proc: stranger}, b)
		return err
	}
	other, err := Spawn(ctx, p.Slice(At("gpus", 0)), "other", Target{})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a failure of another's actor": ask(sysFailure, failureReport{Mesh: other.r.ID, Rank: 0, What: "lies"}),
		"a failure of no actor":        ask(sysFailure, failureReport{Rank: 0, What: "lies"}),
		"a stop in another's name":     ask(sysVerb, ownedVerb{Actor: other.r.ID, Verb: verbBody{Stop: &control.StopReq{Mesh: "m"}}}),
		"a stop of what it owns not":   ask(sysVerb, ownedVerb{Actor: m.r.ID, Verb: verbBody{Stop: &control.StopReq{Mesh: "other"}}}),
		"a frame in another's name":    h.node.passOn(quicnet.Addr{Proc: stranger}, &quicnet.Envelope{Kind: quicnet.KindCall, From: quicnet.Addr{Proc: p.r.First}, To: quicnet.Addr{Proc: p.r.First}}),
	} {
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.takeStatus(stranger, status{Ranks: []rankStatus{{Mesh: other.r.ID, Rank: 0, State: control.RankState{State: "failed"}}, {Mesh: 99, Rank: -1}, {Mesh: m.r.ID, Rank: 1 << 40}}})
	if st := h.meshOf(other.r.ID).rec.Ranks[0].State; st == "failed" {
		t.Error("a stranger's status was believed")
	}
	if _, err := Method(m, (*Target).Add).Call(ctx, 1); err != nil {
		t.Error(err)
	}
}

// TestNobodyButTheControllerIsObeyed asks every handler of a worker and of the controller from a process that may not. The
// handlers that take messages of all processes are named here, with what they look at instead.
func TestNobodyButTheControllerIsObeyed(t *testing.T) {
	open := map[string]string{
		sysWait:  "a caller's word on its own message, which is found by its process and id",
		sysFence: "asks nothing", sysNear: "whether the worker is the agent's", sysFold: "whether the workers are the agent's",
		sysVerb: "ownerOf looks whether the actor lives in the asking process",
		sysFind: "the directory is for all", sysAlive: "the directory is for all",
		sysLog:     "takeLog looks whether the asking process is on another machine, and says on which",
		sysFailure: "only of an actor in the asking process",
		sysAcquire: "ownerOf looks whether the actor lives in the asking process",
		sysRelease: "a claim is found by its process",
		sysNews:    "takeStop looks whether the actor lives in the asking process; frames are found by their process",
		sysTrace:   "messageOf looks whether the caller lives in the asking process",
		sysOutput:  "childOf looks whether the asker is an agent, and has started that worker",
		sysExited:  "childOf looks whether the asker is an agent, and has started that worker",
		sysStood:   "childOf looks whether the asker is an agent, and has started that worker",
		sysSave:    "only of an actor in the asking process, in the life that it is in",
		sysResolve: "how often ranks were started anew is for all",
		sysMonitor: "a port of the asking process",
		sysCounts:  "counts are kept by the process that tells them, and only of faults that there are",
		sysStatus:  "takeStatus takes the asking process's ranks only",
	}
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	w := &worker{node: targetNode(t), exit: make(chan int, 1)}
	w.node.handlers = w.handlers()
	for where, n := range map[string]*node{"a worker": w.node, "the controller": e.hub.node} {
		for _, handlers := range []map[string]*sysHandler{n.handlers.requests, n.handlers.notes} {
			for name, h := range handlers {
				if h.from == fromAll {
					if open[name] == "" && (name != sysRelay || n.hub == nil) {
						t.Errorf("%s takes %q from any process: say here what it looks at, or register it fromController", where, name)
					}
					continue
				}
				ran := false
				spy := sysHandler{h.from, func(context.Context, *node, quicnet.Addr, []byte) (any, error) { ran = true; return nil, nil }}
				for _, asked := range []*sysHandler{h, &spy} { // the spy takes any body
					if _, err := asked.take(t.Context(), n, quicnet.Addr{Proc: 6}, []byte{0xa0}); !errors.Is(err, ErrForbidden) || ran {
						t.Errorf("%s: %q from process 6: %v, ran: %v", where, name, err, ran)
					}
				}
			}
		}
	}
	select {
	case <-w.exit:
		t.Error("the worker has ended")
	default:
	}
}

func TestHostileReferencesDoNotDecode(t *testing.T) {
	registerTarget()
	home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 2}})
	wide := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 3}})
	for what, ref := range map[string]any{
		"another type":        control.MeshRef{Name: "m", Type: "x.Y", Home: home, View: home},
		"a slice too wide":    control.MeshRef{Name: "m", Type: "github.com/monarch-tui/monarch-tui/engine.Target", Home: home, View: wide},
		"no shape":            control.MeshRef{Name: "m", Type: "github.com/monarch-tui/monarch-tui/engine.Target"},
		"something different": 42,
	} {
		b, err := quicnet.Enc().Marshal(ref)
		if err != nil {
			t.Fatal(err)
		}
		var m Mesh[Target]
		if err := m.UnmarshalCBOR(b); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	b, err := quicnet.Enc().Marshal(procRef{Name: "p", Extent: home.Extent(), View: wide})
	if err != nil {
		t.Fatal(err)
	}
	var p ProcMesh
	if err := p.UnmarshalCBOR(b); err == nil {
		t.Error("a proc mesh's slice too wide was accepted")
	}
	if b, err := (Mesh[Target]{}).MarshalCBOR(); err != nil || !bytes.Equal(b, []byte{0xf6}) {
		t.Errorf("the zero mesh travels as %x, %v", b, err)
	}
}

// TestAProcessThatAsksTooMuchIsNotServedWithoutLimit holds INV-BOUND.
func TestAProcessThatAsksTooMuchIsNotServedWithoutLimit(t *testing.T) {
	n := targetNode(t)
	release, entered := make(chan struct{}), make(chan struct{}, 2*maxServing)
	handle(n.handlers, "slow", fromAll, func(context.Context, *node, quicnet.Addr, int) (any, error) {
		entered <- struct{}{}
		<-release
		return nil, nil
	})
	ask := func(from uint64, id uint64) {
		n.Frame(quicnet.ID{Proc: from}, quicnet.LaneControl, &quicnet.Envelope{Kind: quicnet.KindSystem, ID: id, From: quicnet.Addr{Proc: from}, To: quicnet.Addr{Proc: 5}, Endpoint: "slow", Flags: sysRequest, Body: []byte{0}})
	}
	serving := func(of uint64) int {
		n.requests.mu.Lock()
		defer n.requests.mu.Unlock()
		return n.requests.serving[of]
	}
	for id := range uint64(maxServing + 50) {
		ask(6, id+1)
	}
	if got := serving(6); got != maxServing {
		t.Errorf("%d requests of one process are served at a time, want %d", got, maxServing)
	}
	ask(7, 1) // another one does not suffer for it
	for range maxServing + 1 {
		<-entered
	}
	if got := serving(7); got != 1 {
		t.Errorf("%d requests of another process are served", got)
	}
	close(release)
	for end := time.Now().Add(10 * time.Second); serving(6)+serving(7) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the requests do not end")
		}
	}
	ask(6, 9999)
	<-entered
}

// TestNothingIsKeptOfWhatHasEnded looks into the tables, and at the memory that hundreds of ended meshes have left.
func TestNothingIsKeptOfWhatHasEnded(t *testing.T) {
	registerTarget()
	for _, c := range []struct {
		name          string
		opts          []Option
		actors        bool // a worker does not know the type
		ranks, cycles int
	}{
		{"in-process", []Option{AllInProcess()}, true, 16, 600},
		{"processes", nil, false, 2, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := Start(context.Background(), append(c.opts, NoSession())...)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			ctx, h := e.Context(), e.hub
			_, unsubscribe := h.Subscribe(func(*control.Event) {})
			defer unsubscribe()
			cycle := func() {
				p, err := SpawnProcs(ctx, Name("p"), Dim("gpus", c.ranks))
				if err != nil {
					t.Fatal(err)
				}
				if c.actors {
					m, err := Spawn(ctx, p, "m", Target{})
					if err != nil {
						t.Fatal(err)
					}
					if _, err := Query(m, (*Target).Peek).Call(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if err := p.Stop(ctx); err != nil {
					t.Fatal(err)
				}
			}
			const looks = 8 // what ends may hold some memory a moment longer, so the least of several counts
			least := func(cycles int) uint64 {
				low := uint64(math.MaxUint64)
				for i := range cycles {
					if cycle(); c.actors && i >= cycles-looks {
						low = min(low, liveBytes())
					}
				}
				return low
			}
			half := least(c.cycles / 2)
			if grown := int64(least(c.cycles-c.cycles/2)) - int64(half); c.actors && grown > int64(c.cycles/2)*1024 {
				t.Errorf("%d bytes more after %d more meshes of %d ranks: they were forgotten incompletely", grown, c.cycles/2, c.ranks)
			}
			waitUntil(&h.wg, t.Context().Done()) // who ends hears of other ends: those words are on their way
			h.mu.Lock()
			defer h.mu.Unlock()
			h.mem.mu.Lock()
			defer h.mem.mu.Unlock()
			for what, n := range map[string]int{
				"processes": len(h.procs), "proc meshes": len(h.procMeshes), "meshes": len(h.meshes) + len(h.meshByID), "waits": len(h.waits),
				"numbers of messages": len(h.traceSeen), "queues": len(h.mem.ends) - 1, "workers": len(h.mem.procs), "windows": len(h.node.windows.byAddr),
				"calls": h.node.calls.len(), "requests": len(h.node.requests.asked), "readers of output": len(h.out.readers),
			} {
				if n != 0 {
					t.Errorf("%d %s are left", n, what)
				}
			}
		})
	}
}

// liveBytes is the memory of what is reachable.
func liveBytes() uint64 {
	var m runtime.MemStats
	for range 2 { // what a finalizer or a pool held goes with the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestAProcessStopsItsOwnActorsOnly sends the controller stops, ends, counts and prints in the name of others.
func TestAProcessStopsItsOwnActorsOnly(t *testing.T) {
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	Register[Target]()
	p, err := SpawnProcs(e.Context(), Name("p"), Dim("gpus", 2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Spawn(e.Context(), p, "target", Target{}); err != nil {
		t.Fatal(err)
	}
	h := e.hub
	own := h.procMeshes["p"].procs[0].id
	for _, st := range []control.Stop{
		{Mesh: "target", Rank: 1}, {Mesh: "target", Rank: -1}, {Mesh: "target", Rank: 1 << 40}, {Mesh: "nobody"}, {Mesh: strings.Repeat("x", 1<<20)},
	} {
		h.takeNews(own, probe.News{Stop: &st})
	}
	h.takeNews(own, probe.News{Gone: &probe.Gone{ID: 1, Gen: 1}, Count: []probe.Count{{Break: 7, Hits: 1 << 60}}})
	h.takeNews(own, probe.News{Print: &probe.Print{Mesh: "target", Rank: 1, Text: "a lie"}})
	h.takeNews(77, probe.News{Stop: &control.Stop{Mesh: "target"}})
	if n := h.debug.book.Len(); n != 0 {
		t.Errorf("%d stops in the name of others: %+v", n, h.debug.book.Stops())
	}
	if slices.ContainsFunc(h.logs, func(l control.Log) bool { return strings.Contains(l.Text, "a lie") }) {
		t.Error("a line in the name of another rank is in the log")
	}
	h.takeNews(own, probe.News{Stop: &control.Stop{
		ID: 1, Gen: 1, Mesh: "target", Site: "recv", Reason: "\x1b[2J" + strings.Repeat("x", 1<<20), Arg: "\x1b]0;title\a", Point: shape.Point{Rank: 1 << 40},
	}})
	st := h.debug.book.Stops()
	if len(st) != 1 || strings.Contains(st[0].Reason+st[0].Arg, "\x1b") || len(st[0].Reason) > 2*maxCauseText || st[0].Point.Rank != 0 || st[0].Proc != own {
		t.Errorf("its own stop: %.200v", st)
	}
}

// arrived gives a message to Add of a Target, as it comes from another process, and the memory of its frame.
func arrived(t *testing.T, n *node, id uint64) (a *actor, env *quicnet.Envelope, frame []byte) {
	t.Helper()
	region, err := quicnet.Enc().Marshal(shape.RegionOf(shape.Extent{{Name: "gpus", Size: 2}}))
	if err != nil {
		t.Fatal(err)
	}
	frame = quicnet.AppendEnvelope(nil, &quicnet.Envelope{
		Kind: quicnet.KindCall, ID: id, Call: quicnet.SessionID(6, id), From: quicnet.Addr{Proc: 6, Actor: 2}, To: quicnet.Addr{Proc: 5, Actor: 1},
		Region: region, Endpoint: "Add", Body: []byte{1},
	})
	env = quicnet.NewEnvelope()
	if err := quicnet.DecodeEnvelope(frame, env); err != nil {
		t.Fatal(err)
	}
	a = n.actors.get(1)
	env.Memo = n.targets.of(a.typ, env)
	return a, env, frame
}

// TestAStateIsReadableWhenItsMessagesAreOver: what a front end is told of a message does not change with the message's memory.
func TestAStateIsReadableWhenItsMessagesAreOver(t *testing.T) {
	a, env, frame := arrived(t, targetNode(t), 1)
	a.mu.Lock()
	act := a.activate(env, a.node.tel.clock.Now())
	a.mu.Unlock()
	st := a.state()
	a.leave(act, false)
	for i := range frame {
		frame[i] = 'X'
	}
	if len(st.Running) != 1 || st.Running[0] != "Add" {
		t.Errorf("it ran %q, want Add", st.Running)
	}
}

// TestAMailboxIsLookedAtWhileItsMessagesChange is one for the race detector.
func TestAMailboxIsLookedAtWhileItsMessagesChange(t *testing.T) {
	a, env, _ := arrived(t, targetNode(t), 1)
	a.mu.Lock()
	a.push(env)
	a.mu.Unlock()
	var notices sync.WaitGroup
	notices.Go(func() {
		for turn := range uint64(100) {
			a.noticeWait(6, waitNotice{Actor: 1, ID: 1, Seq: turn + 1, Chain: make([]quicnet.ChainEntry, turn%2)})
		}
	})
	for range 100 {
		if box := a.mailbox(control.MailboxQuery{}); len(box.Messages) != 1 || box.Messages[0].Endpoint != "Add" || box.Messages[0].Arg != "1" {
			t.Fatalf("it shows %+v", box)
		}
	}
	notices.Wait()
}
