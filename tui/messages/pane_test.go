package messages

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// talk is a world in which messages are sent.
type talk struct {
	*worldtest.Builder
	ids, calls uint64
}

// newTalk has meshes pinger and ponger of dp=2 tp=4, and a client.
func newTalk(t testing.TB) *talk {
	t.Helper()
	b := worldtest.New(t)
	integer := &schema.Schema{Kind: schema.KindInt, Name: "int", Bits: 64}
	text := &schema.Schema{Kind: schema.KindString, Name: "string"}
	b.Type(control.Type{Name: "Ponger", Full: "demo.Ponger", Endpoints: []control.Endpoint{
		{Name: "pong", Param: "n", Arg: integer, Result: integer}, {Name: "say", Param: "text", Arg: text, Result: text},
		{Name: "stop"},
	}})
	b.Type(control.Type{Name: "Pinger", Full: "demo.Pinger", Endpoints: []control.Endpoint{{Name: "run", Param: "rounds", Arg: integer}}})
	b.Procs("trainers", shape.Extent{{Name: "dp", Size: 2}, {Name: "tp", Size: 4}}, worldtest.Opts{PerHost: 4})
	b.Mesh("pinger", "trainers", "demo.Pinger")
	b.Mesh("ponger", "trainers", "demo.Ponger")
	return &talk{Builder: b}
}

// sentCall is a message that was sent.
type sentCall struct{ control.Message }

func (k *talk) id() uint64 { k.ids++; return k.ids }

// callRanks sends one call to ranks of a mesh; the argument is CBOR.
func (k *talk) callRanks(parent *sentCall, from, mesh, endpoint string, arg []byte, ranks ...int) []*sentCall {
	k.calls++
	out := make([]*sentCall, len(ranks))
	for i, rank := range ranks {
		m := control.Message{
			Call: k.calls, ID: k.id(), Trace: k.calls, Kind: control.MessageCall, From: from, To: fmt.Sprintf("@%s[%d]", mesh, rank),
			Endpoint: endpoint, Ranks: len(ranks), Body: arg, Bytes: len(arg), Time: k.Now,
		}
		if len(ranks) == 1 {
			m.Adverb = control.AdverbCallOne
		}
		if parent != nil {
			m.Parent, m.Trace = parent.ID, parent.Trace
		}
		k.Message(m)
		out[i] = &sentCall{m}
	}
	return out
}

func (k *talk) answer(c *sentCall, body []byte, err string) {
	m := control.Message{
		Call: c.Call, ID: k.id(), Parent: c.ID, Trace: c.Trace, Kind: control.MessageReply, From: c.To, To: c.From, Endpoint: c.Endpoint,
		Ranks: c.Ranks, Body: body, Bytes: len(body), Took: k.Now.Sub(c.Time), Outcome: control.OutcomeReply, Time: k.Now,
	}
	if err != "" {
		m.Kind, m.Error, m.Outcome, m.Body = control.MessageError, err, control.OutcomeError, nil
	}
	k.Message(m)
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// story is what the mock-up of the screens shows.
func story(t testing.TB) *talk {
	t.Helper()
	k := newTalk(t)
	k.Tick(221 * time.Microsecond)
	run := k.callRanks(nil, "main", "pinger", "run", []byte{0x03}, upTo(8)...)
	k.Tick(310 * time.Microsecond)
	var pongs []*sentCall
	for rank := range 8 {
		pongs = append(pongs, k.callRanks(run[rank], fmt.Sprintf("@pinger[%d]", rank), "ponger", "pong", []byte{0x03}, rank)...)
	}
	for rank := range 8 {
		k.Tick(time.Duration(100+rank*150) * time.Microsecond)
		k.answer(pongs[rank], []byte{0x04}, "")
	}
	k.Tick(time.Millisecond)
	for _, c := range run {
		k.answer(c, nil, "")
	}
	one := k.callRanks(nil, "main", "ponger", "say", []byte{0x62, 'h', 'i'}, 5)
	k.Tick(800 * time.Microsecond)
	k.answer(one[0], []byte{0x62, 'h', 'o'}, "")
	k.Tick(405 * time.Millisecond)
	wrong := k.callRanks(nil, "tui ada@laptop", "ponger", "pong", []byte{0x61, 'x'}, 3)
	k.Tick(1200 * time.Microsecond)
	k.answer(wrong[0], nil, "want int, got string")
	k.Tick(700 * time.Millisecond)
	k.Proc("trainers", 5, "killed", "signal: killed")
	k.Failure(control.Failure{Mesh: "ponger", Rank: 5, Proc: 6, What: "worker 5 of procs trainers was killed (SIGKILL)"})
	k.Tick(time.Second)
	some := k.callRanks(nil, "main", "ponger", "pong", []byte{0x04}, 1, 2, 3)
	k.Tick(900 * time.Microsecond)
	k.answer(some[0], []byte{0x05}, "")
	k.answer(some[2], []byte{0x06}, "")
	k.Tick(20 * time.Millisecond)
	k.callRanks(nil, "main", "ponger", "stop", nil, 0)
	k.Tick(2 * time.Second)
	return k
}

func screen(p *Pane, k *talk, w, h int) string { return k.Screen(p, 4, true, w, h) }

var sizes = [][2]int{{116, 36}, {76, 18}, {52, 24}, {30, 9}, {28, 4}}

func TestTheListShowsCastsAsRows(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			golden.RequireEqual(t, screen(New(worldtest.Keys), story(t), size[0], size[1]))
		})
	}
}

func TestTheFlowShowsWhoCallsWhom(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			p := New(worldtest.Keys)
			p.SetTab(Flow)
			golden.RequireEqual(t, screen(p, story(t), size[0], size[1]))
		})
	}
	t.Run("selected ranks come first", func(t *testing.T) {
		p := New(worldtest.Keys)
		p.SetTab(Flow)
		p.SetFocus("ponger", []int{3, 5})
		golden.RequireEqual(t, screen(p, story(t), 116, 20))
	})
}

func TestASmallMeshHasALifelineForEachActor(t *testing.T) {
	k := newTalk(t)
	run := k.callRanks(nil, "main", "pinger", "run", []byte{0x03}, 1)
	k.Tick(time.Millisecond)
	for rank := range 2 {
		c := k.callRanks(run[0], "@pinger[1]", "ponger", "pong", []byte{0x03}, rank)
		k.Tick(2 * time.Millisecond)
		k.answer(c[0], []byte{0x04}, "")
	}
	p := New(worldtest.Keys)
	p.SetTab(Flow)
	golden.RequireEqual(t, screen(p, k, 90, 8))
}

func TestNamesOfLifelinesAreCutOnlyWhereThereIsNoRoom(t *testing.T) {
	k := newTalk(t)
	k.Mesh("actor-1", "trainers", "demo.Pinger")
	for _, rank := range []int{0, 1, 2, 3} {
		k.callRanks(nil, "main", "actor-1", "run", []byte{0x03}, rank)
	}
	p := New(worldtest.Keys)
	p.SetTab(Flow)
	got := screen(p, k, 76, 8)
	for rank := range 4 {
		worldtest.Has(t, got, fmt.Sprintf(" actor-1[%d]", rank))
	}
}

func TestAMessageWhoseHandlerStandsSaysSo(t *testing.T) {
	b := worldtest.Trainers(t)
	for rank := range 2 {
		b.Message(control.Message{Call: 5, ID: uint64(50 + rank), Kind: control.MessageCall, From: "main", To: fmt.Sprintf("@ponger[%d]", rank), Endpoint: "Pong", Adverb: control.AdverbCallOne, Ranks: 1})
	}
	b.Stop(control.Stop{ID: 1, Mesh: "ponger", Rank: 1, Msg: 51, Endpoint: "Pong"})
	b.Tick(3 * time.Second)
	p := New(worldtest.Keys)
	p.ToggleFold()
	text := b.Screen(p, 4, true, 90, 8)
	worldtest.Has(t, text, "┊ 3.0s")
	worldtest.Has(t, text, "◆ 3.0s")
	b.GoOn(1)
	if text := b.Screen(p, 4, true, 90, 8); strings.Contains(text, "◆") {
		t.Errorf("after it went on it still stands:\n%s", text)
	}
}
