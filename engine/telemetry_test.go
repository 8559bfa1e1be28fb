package engine

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// counting is a link that counts the notes that leave.
type counting struct {
	nowhere
	records *[]traceBatch
}

func (l counting) Send(_ context.Context, _ uint64, _ quicnet.Lane, env *quicnet.Envelope) error {
	if env.Endpoint == sysTrace {
		var r traceBatch
		if err := quicnet.Dec().Unmarshal(env.Body, &r); err != nil {
			return err
		}
		*l.records = append(*l.records, r)
	}
	return nil
}

func TestNothingIsToldWhileNobodyWatches(t *testing.T) {
	n := targetNode(t)
	var sent []traceBatch
	n.peers.link = counting{records: &sent}
	view := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 2}})
	far := newMeshRef(control.MeshRef{ID: 3, Name: "far", First: 8, Home: view, View: view})
	call := func() {
		b := bound{far, &endpoint{name: "Get"}}
		startRaw(n.root, n, b, nil, adverbStart, "")
		if err := broadcastRaw(n.root, n, b, nil, ""); err != nil {
			t.Fatal(err)
		}
		n.tel.flush()
	}
	call()
	if len(sent) != 0 || len(n.tel.wait) != 0 {
		t.Fatalf("%d reports left and %d records wait", len(sent), len(n.tel.wait))
	}
	n.tel.set(tellBody{Turn: 1, On: true})
	call()
	if len(sent) != 1 || len(sent[0].Records) != 4 || sent[0].First != 0 {
		t.Fatalf("while it is on: %+v", sent)
	}
	n.tel.set(tellBody{Turn: 3})
	n.tel.set(tellBody{Turn: 2, On: true}) // overtaken
	call()
	if len(sent) != 1 {
		t.Errorf("%d reports left once it was off", len(sent))
	}
}

// TestWhatAProcessHasNoRoomForIsDroppedOldestFirstAndCounted holds INV-BOUND.
func TestWhatAProcessHasNoRoomForIsDroppedOldestFirstAndCounted(t *testing.T) {
	const over = 1000
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	h := e.hub
	var got, lost uint64
	first := ""
	_, stop := h.Subscribe(func(ev *control.Event) {
		switch {
		case ev.Message != nil:
			if got++; first == "" {
				first = ev.Message.Endpoint
			}
		case ev.Dropped != nil:
			lost += ev.Dropped.Data
		}
	})
	defer stop()
	done := h.Want([]string{control.TopicMessages})
	defer done()
	far := newTelemetry(func(r traceBatch) { h.takeTrace(0, r) }) // with nobody who ships
	far.set(h.tell)
	for i := range traceRing + over {
		x := traceRecord{Name: "far", Endpoint: "Old"}
		if i >= over {
			x.Endpoint = "New"
		}
		far.push(x)
	}
	far.flush()
	if got != traceRing || lost != over || first != "New" {
		t.Errorf("%d told and %d lost of %d, the first being %s", got, lost, traceRing+over, first)
	}
	far.push(traceRecord{Name: "far"})
	far.flush()
	if got != traceRing+1 || lost != over {
		t.Errorf("then %d told and %d lost", got, lost)
	}
}

func TestAProcessReportsItsOwnMessagesOnly(t *testing.T) {
	registerTarget()
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p, err := SpawnProcs(e.Context(), Name("p"), Dim("gpus", 2))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Spawn(e.Context(), p.Slice(At("gpus", 0)), "m", Target{})
	if err != nil {
		t.Fatal(err)
	}
	h := e.hub
	var heard []control.Message
	var lost uint64
	_, stop := h.Subscribe(func(ev *control.Event) {
		if ev.Message != nil {
			heard = append(heard, *ev.Message)
		} else if ev.Dropped != nil {
			lost += ev.Dropped.Data
		}
	})
	defer stop()
	defer h.Want([]string{control.TopicMessages})()
	owner, stranger := p.r.First, p.r.First+1
	lies := []traceRecord{
		{Actor: m.r.ID, Mesh: m.r.ID},           // of an actor that lives elsewhere
		{Actor: 99, Mesh: m.r.ID},               // of none
		{Mesh: 98, Name: "evil\x1b[2J"},         // to a name that is none
		{Mesh: m.r.ID, Body: make([]byte, 257)}, // more than a preview
		{Mesh: m.r.ID, Kind: 9},
	}
	h.takeTrace(stranger, traceBatch{Turn: h.tell.Turn, Records: lies})
	if len(heard) != 0 || lost != uint64(len(lies)) {
		t.Errorf("heard %+v, lost %d", heard, lost)
	}
	h.takeTrace(stranger, traceBatch{Turn: h.tell.Turn, First: 1, Records: make([]traceRecord, 1)})                        // a number again
	h.takeTrace(stranger, traceBatch{Turn: h.tell.Turn + 1, First: 9, Records: make([]traceRecord, 1)})                    // another switch
	h.takeTrace(stranger, traceBatch{Turn: h.tell.Turn, First: 9, Records: make([]traceRecord, maxTraceBatch+1)})          // too many
	h.takeTrace(77, traceBatch{Turn: h.tell.Turn, First: 9, Records: []traceRecord{{Mesh: m.r.ID, Proc: 0, Client: "x"}}}) // nobody
	if len(heard) != 0 || lost != uint64(len(lies)) {
		t.Errorf("then heard %+v, lost %d", heard, lost)
	}
	h.takeTrace(owner, traceBatch{Turn: h.tell.Turn, Records: []traceRecord{{Kind: traceError, At: 1 << 62, Actor: m.r.ID, Client: "main", Mesh: m.r.ID, Endpoint: "E\x1b[2Jx", Error: "\x1b]0;pwn\a" + strings.Repeat("e", 1000)}}})
	if len(heard) != 1 || heard[0].From != "@m[0]" || heard[0].To != "@m[0]" || heard[0].Endpoint != "Ex" || len(heard[0].Error) > 600 || strings.ContainsAny(heard[0].Error, "\x1b\a") {
		t.Errorf("heard %+v", heard)
	}
}

// passing is a link that hands each frame to another node, as the wire would, and keeps the frames.
type passing struct {
	nowhere
	to   *node
	seen *[]quicnet.Envelope
	sent chan struct{} // gets a word of each; nil: nobody waits
}

func (l passing) Send(_ context.Context, _ uint64, lane quicnet.Lane, env *quicnet.Envelope) error {
	var far quicnet.Envelope
	if err := quicnet.DecodeEnvelope(quicnet.AppendEnvelope(nil, env), &far); err != nil {
		return err
	}
	*l.seen = append(*l.seen, far)
	if l.sent != nil {
		l.sent <- struct{}{}
	}
	if l.to != nil {
		l.to.Frame(quicnet.ID{Proc: env.From.Proc}, lane, &far)
	}
	return nil
}

// Wall clocks that differ by half a minute, in either direction, change nothing about the order of what caused what.
func TestTheClockOfAMessageIsAheadOfWhatCausedIt(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"the caller's wall clock is ahead": hlc.MaxAhead / 2, "it is behind": -hlc.MaxAhead / 2} {
		t.Run(name, func(t *testing.T) {
			b := targetNode(t)
			a := newNode(8, 1, b.log)
			a.alone(rankHandlers())
			t.Cleanup(func() { a.close("the test ended") })
			a.tel.clock = hlc.New(func() time.Time { return time.Now().Add(ahead) })
			a.tel.set(tellBody{Turn: 1, On: true})
			var calls, answers []quicnet.Envelope
			a.peers.connect(passing{to: b, seen: &calls})
			b.peers.link = passing{to: a, seen: &answers}
			asker := &actor{node: a, id: 3, name: "asker", probe: a.agent.Enter(probe.Who{Mesh: "asker"})}
			cause := quicnet.Envelope{ID: 77, Trace: 5, From: quicnet.Addr{Proc: 9, Actor: 2}, Clock: a.tel.clock.Tick()}
			act := &activation{env: &cause, id: cause.ID, from: cause.From, trace: cause.Trace}
			act.ctxInfo = ctxInfo{node: a, actor: asker, act: act}
			act.frame.Begin(asker.probe, act, 0)
			act.Begin(a.root, a.clock, 0)
			home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 1}})
			ref := newMeshRef(control.MeshRef{ID: 1, Name: "target", First: 5, Home: home, View: home})
			c := prepare(act, bound{ref, &endpoint{name: "Peek"}}, noArg{}, adverbOne).send(act)
			<-c.last
			if len(calls) != 1 || len(answers) != 1 || c.answers[0].err != nil {
				t.Fatalf("%+v, %+v, %+v", calls, answers, c.answers)
			}
			call, ans := calls[0], answers[0]
			if order := []uint64{cause.Clock, call.Clock, ans.Arrived, ans.Began, ans.Clock, a.tel.clock.Tick()}; !slices.IsSorted(order) || len(slices.Compact(order)) != 6 {
				t.Errorf("the readings do not rise: %x", order)
			}
			if r := a.tel.wait[1]; r.Arrived != ans.Arrived || r.Began != ans.Began {
				t.Errorf("the record says %x, %x, the answer %x, %x", r.Arrived, r.Began, ans.Arrived, ans.Began)
			}
			if want := sessionID(9, 77); call.Parent != want || len(call.Chain) != 1 || call.Chain[0].Msg != want {
				t.Errorf("the call's parent is %x, its chain %+v; want %x", call.Parent, call.Chain, want)
			}
			if want := sessionID(8, call.ID); ans.Parent != want {
				t.Errorf("the answer's parent is %x, want %x", ans.Parent, want)
			}
		})
	}
}

func TestACallerCannotSetTheClockOfWhoAnswers(t *testing.T) {
	n := targetNode(t)
	var answers []quicnet.Envelope
	sent := make(chan struct{}, 1)
	n.peers.link = passing{seen: &answers, sent: sent}
	lie := uint64(math.MaxUint64)
	n.Frame(quicnet.ID{Proc: 6}, quicnet.LaneCalls, &quicnet.Envelope{
		Kind: quicnet.KindCall, ID: 1, Call: 1, From: quicnet.Addr{Proc: 6, Actor: 2}, To: quicnet.Addr{Proc: 5, Actor: 1}, Endpoint: "None",
		Clock: lie, Arrived: lie, Began: lie,
	})
	<-sent // an end before it would be the answer
	if len(answers) != 1 || answers[0].Arrived == 0 || !n.tel.clock.Takes(answers[0].Clock) || answers[0].Arrived >= answers[0].Clock || answers[0].Began != 0 {
		t.Errorf("%+v", answers)
	}
	if n.tel.clock.Refused() != 1 {
		t.Errorf("%d readings were refused", n.tel.clock.Refused())
	}
}

// An answer's times are what another process says. What cannot be true is not shown, neither by who called nor by the
// controller, which is told of it by a process too.
func TestTimesThatCannotBeTrueAreNotKnown(t *testing.T) {
	now := time.Now()
	h := &hub{node: newNode(0, 1, slog.New(slog.DiscardHandler))}
	h.node.alone(rankHandlers())
	t.Cleanup(func() { h.node.close("the test ended") })
	h.node.tel.clock = hlc.New(func() time.Time { return now })
	at := func(off time.Duration) uint64 { return uint64(now.Add(off).UnixMicro()) << 12 }
	const second = time.Second
	for _, c := range []struct {
		name                  string
		arrived, began, clock uint64
		caller, hub           bool // take them
	}{
		{"as it was", at(-2 * second), at(-second), at(0), true, true},
		{"never begun", at(-2 * second), 0, at(0), true, true},
		{"on a clock that is ahead", at(58 * second), at(59 * second), at(60 * second), true, true},
		{"not told", 0, 0, at(0), false, false},
		{"begun, but never come", 0, at(-second), at(0), false, false},
		{"begun before it came", at(-second), at(-2 * second), at(0), false, false},
		{"begun as it came", at(-second), at(-second), at(0), false, false},
		{"begun after it was answered", at(-2 * second), at(second), at(0), false, true},
		{"come after it was answered", at(second), 0, at(0), false, true},
		{"answered on no clock", at(-2 * second), at(-second), 0, false, true},
		{"far ahead", at(61 * second), at(62 * second), at(63 * second), false, false},
		{"begun at the end of time", at(-second), math.MaxUint64 - 1, math.MaxUint64, false, false},
		{"come long before it was sent", at(-70 * second), at(-second), at(0), true, false},
		{"come in 1970", 1, 2, 3, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := h.node.receiptOf(&quicnet.Envelope{ID: 1, Arrived: c.arrived, Began: c.began, Clock: c.clock})
			if want := (receipt{msg: 1, arrived: c.arrived, began: c.began}); c.caller && *r != want || !c.caller && *r != (receipt{msg: 1}) {
				t.Errorf("the caller takes %+v", *r)
			}
			came, began := h.timesOf(&traceRecord{At: now.UnixNano(), Took: int64(3 * second), Arrived: c.arrived, Began: c.began})
			if c.hub && (!came.Equal(hlc.Time(c.arrived)) || !began.Equal(hlc.Time(c.began))) || !c.hub && (!came.IsZero() || !began.IsZero()) {
				t.Errorf("the controller takes %v, %v", came, began)
			}
		})
	}
	h.timesOf(&traceRecord{At: math.MinInt64, Took: math.MinInt64, Arrived: 1, Began: 2}) // nonsense of any size does no harm
}

func TestMemoryIsToldWhenItChangedVisibly(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		old, now uint64
		want     bool
	}{
		{0, 10 * mib, true}, {10 * mib, 10 * mib, false}, {10 * mib, 11 * mib, false}, {10 * mib, 12 * mib, true}, {12 * mib, 10 * mib, true},
		{100 * mib, 102 * mib, false}, {100 * mib, 106 * mib, true}, {0, mib / 2, false},
	} {
		if got := worthTelling(c.old, c.now); got != c.want {
			t.Errorf("%d after %d MiB: %v", c.now/mib, c.old/mib, got)
		}
	}
}

func TestMemoryIsMeasuredOnlyWhileSomebodyWatches(t *testing.T) {
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	h := e.hub
	running := func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.endSampler != nil
	}
	one, two := h.Want([]string{control.TopicState, control.TopicLogs}), h.Want([]string{control.TopicState})
	one()
	one()
	if !running() {
		t.Error("nobody measures while somebody watches")
	}
	two()
	if running() {
		t.Error("somebody measures while nobody watches")
	}
	done := h.Want([]string{control.TopicState})
	defer done()
	e.Close() // and the sampler with it
	if h.sampled.After(time.Now()) {
		t.Error("measured in the future")
	}
}

// BenchmarkTell is what a record costs who sends.
func BenchmarkTell(b *testing.B) {
	tel := newTelemetry(func(traceBatch) {})
	stop := make(chan struct{})
	defer close(stop)
	go tel.run(stop)
	for _, on := range []bool{false, true} {
		b.Run(map[bool]string{false: "off", true: "on"}[on], func(b *testing.B) {
			tel.set(tellBody{Turn: tel.turn + 1, On: on})
			b.ReportAllocs()
			for b.Loop() {
				if tel.on.Load() {
					tel.push(traceRecord{Name: "far", Endpoint: "Get", Body: preview([]byte{1})})
				}
			}
		})
	}
}

func TestTimeCountsAsWorkWhileAnythingIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock hlc.Clock
		start := clock.Now()
		a := &actor{since: start}
		now := func(s int) hlc.Moment {
			time.Sleep(time.Duration(s)*time.Second - clock.Now().Sub(start))
			return clock.Now()
		}
		begin := func(s int, id uint64) { a.turned(now(s)); a.running.add(messageKey{0, id}, &activation{}) }
		end := func(s int, id uint64) { a.turned(now(s)); a.running.remove(messageKey{0, id}) }
		begin(5, 1) // idle before
		begin(7, 2) // two at a time count once
		end(8, 1)
		end(11, 2)
		begin(20, 3)
		if a.worked != 6*time.Second || a.since.Sub(start) != 20*time.Second {
			t.Errorf("it has worked for %v until %v", a.worked, a.since)
		}
		if end(21, 3); a.worked != 7*time.Second {
			t.Errorf("at the end for %v", a.worked)
		}
	})
}

func TestWhatIsKeptOfTheMessagesIsBoundedAndCounted(t *testing.T) {
	var b backlog
	for n := range maxKept + 10 {
		b.add(control.Event{Seq: uint64(n), Message: &control.Message{}})
	}
	if got := b.last(maxKept + 10); len(got.Events) != maxKept || got.Older != 10 || got.Events[0].Seq != 10 {
		t.Errorf("%d kept from %d on, %d older", len(got.Events), got.Events[0].Seq, got.Older)
	}
	for n := range maxKept {
		b.add(control.Event{Seq: uint64(n), Message: &control.Message{Error: strings.Repeat("e", 2000)}})
	}
	if got := b.last(maxKept); b.bytes > maxKeptBytes || len(got.Events) > maxKeptBytes/2000 || len(got.Events) < maxKeptBytes/3000 || got.Older+uint64(len(got.Events)) != 2*maxKept+10 {
		t.Errorf("%d kept with %d bytes, %d older", len(got.Events), b.bytes, got.Older)
	}
}

// toOne is the way that a link of a test gives to one process.
type toOne struct {
	link link
	to   uint64
}

func (x toOne) Send(ctx context.Context, lane quicnet.Lane, env *quicnet.Envelope) error {
	return x.link.Send(ctx, x.to, lane, env)
}

func (l passing) Sender(to uint64) (quicnet.Sender, error)  { return toOne{l, to}, nil }
func (l counting) Sender(to uint64) (quicnet.Sender, error) { return toOne{l, to}, nil }
func (l nowhere) Sender(to uint64) (quicnet.Sender, error)  { return toOne{l, to}, nil }
