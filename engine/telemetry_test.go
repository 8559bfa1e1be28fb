package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
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
		b := bound{ref: far, name: "Get"}
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
	start := time.Unix(1_700_000_000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	a := &actor{since: start, running: map[messageKey]*activation{}}
	begin := func(s int, id uint64) { a.turned(at(s)); a.running[messageKey{0, id}] = nil }
	end := func(s int, id uint64) { a.turned(at(s)); delete(a.running, messageKey{0, id}) }
	begin(5, 1) // idle before
	begin(7, 2) // two at a time count once
	end(8, 1)
	end(11, 2)
	begin(20, 3)
	if a.worked != 6*time.Second || !a.since.Equal(at(20)) {
		t.Errorf("it has worked for %v until %v", a.worked, a.since)
	}
	if end(21, 3); a.worked != 7*time.Second {
		t.Errorf("at the end for %v", a.worked)
	}
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
