package messages

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// shownRow is a row, and whether the call that it shows comes in another.
type shownRow struct {
	row
	slow bool
}

func shownRows(p *Pane) (out []shownRow) {
	for _, r := range p.view.Rows {
		s := shownRow{row: r}
		s.who = nil // it is made anew each time
		if r.part == whole && r.f.alone() {
			s.slow = r.f.one().slow
		}
		out = append(out, s)
	}
	return out
}

// aMessage is any message of a short time around another.
func aMessage(t *rapid.T, at time.Time) control.Message {
	m := control.Message{
		Call: uint64(rapid.IntRange(0, 40).Draw(t, "call")), ID: uint64(rapid.IntRange(0, 20).Draw(t, "id")),
		Parent: uint64(rapid.IntRange(0, 20).Draw(t, "parent")), Kind: control.MessageCall, Endpoint: "pong", From: "@pinger[1]",
		To: fmt.Sprintf("@ponger[%d]", rapid.IntRange(0, 3).Draw(t, "rank")), Ranks: rapid.SampledFrom([]int{-1, 1, 1, 1, 2, 3}).Draw(t, "ranks"),
		Time: at.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "time")) * time.Millisecond),
	}
	if rapid.Bool().Draw(t, "broadcast") && rapid.Bool().Draw(t, "really") {
		m.Adverb = control.AdverbBroadcast
	}
	if rapid.Bool().Draw(t, "answer") {
		m.Kind = rapid.SampledFrom([]string{control.MessageReply, control.MessageReply, control.MessageError}).Draw(t, "kind")
		m.From, m.To = m.To, m.From
		if rapid.Bool().Draw(t, "timed") {
			m.Arrived = m.Time.Add(-time.Duration(rapid.IntRange(0, 30).Draw(t, "arrived")) * time.Millisecond)
			m.Began = m.Arrived.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "began")) * time.Millisecond)
		}
	}
	return m
}

// TestRowsThatStayAreThoseThatWouldBeMadeAnewINV_ANEW holds INV-ANEW.
func TestRowsThatStayAreThoseThatWouldBeMadeAnewINV_ANEW(t *testing.T) {
	types := newTalk(t)
	kept := 0
	grow := func(t *rapid.T) {
		k := types
		k.Messages = world.NewRing[control.Message](rapid.IntRange(20, 80).Draw(t, "size"))
		k.Failures = nil
		p := New(worldtest.Keys)
		p.SetTab(rapid.SampledFrom([]Tab{List, Flow, Flow}).Draw(t, "tab"))
		if rapid.IntRange(0, 5).Draw(t, "unfold") == 0 {
			p.ToggleFold()
		}
		for range rapid.IntRange(5, 30).Draw(t, "looks") {
			for range rapid.IntRange(0, 8).Draw(t, "messages") {
				k.Messages.Add(aMessage(t, k.Now))
			}
			switch rapid.IntRange(0, 24).Draw(t, "what") {
			case 0:
				k.Failures = append(k.Failures, control.Failure{Time: k.Now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "failed")) * time.Millisecond), Mesh: "ponger", What: "gone"})
			case 1:
				_ = p.SetFilter(rapid.SampledFrom([]string{"", "to:ponger[1]", "took:>0s", "state:failed"}).Draw(t, "filter"))
			case 2:
				if n := len(p.view.Rows); n > 0 {
					if r := p.view.Rows[rapid.IntRange(0, n-1).Draw(t, "row")]; r.f != nil {
						r.f.open = !r.f.open
						p.change()
					}
				}
			case 3:
				if len(p.stood) < 4 && k.Messages.Total() > 0 {
					m := k.Messages.At(k.Messages.Total() - 1)
					p.stood = append(p.stood, &stood{Stop: control.Stop{Break: 1, Msg: m.ID, Since: m.Time.Add(5 * time.Millisecond)}})
				}
			case 4:
				p.stood = nil
			}
			k.Tick(time.Duration(rapid.IntRange(0, 20).Draw(t, "tick")) * time.Millisecond)
			p.ix.Version++
			p.sync(k.World)
			got := shownRows(p)
			kept += p.rows.stayed
			p.change()
			if want := shownRows(p); !slices.Equal(got, want) {
				t.Fatalf("the rows are\n%v\nmade anew they are\n%v", text(got), text(want))
			}
			check(t, p.ix, &k.Messages)
		}
	}
	for range 5 { // some of what may happen is rare
		rapid.Check(t, grow)
	}
	if kept == 0 {
		t.Error("no row has ever stayed")
	}
}

func text(rows []shownRow) (out string) {
	for _, r := range rows {
		out += fmt.Sprintf("%d part %d", r.n, r.part)
		if r.f != nil {
			out += fmt.Sprintf(" fold %d", r.f.number)
		}
		if r.h != nil {
			out += fmt.Sprintf(" exchange %d", r.h.id)
		}
		if r.slow {
			out += " slow"
		}
		out += "\n"
	}
	return out
}

// TestWhatMayBeUsedAgainIsNoMoreThanWasKeptAtOnce holds INV-BOUND for the folds and exchanges that have left the ring, also where
// many folds become one.
func TestWhatMayBeUsedAgainIsNoMoreThanWasKeptAtOnce(t *testing.T) {
	k, p := newTalk(t), New(worldtest.Keys)
	const size = 100
	k.Messages = world.NewRing[control.Message](size)
	for round := range 100 {
		for rank := range 8 { // each worker reports before main does
			parent := &sentCall{control.Message{ID: uint64(1_000_000 + 8*round + rank), Trace: 99}}
			c := k.callRanks(parent, fmt.Sprintf("@pinger[%d]", rank), "ponger", "pong", []byte{0x03}, rank)
			k.answer(c[0], []byte{0x04}, "")
		}
		p.sync(k.World)
		for rank := range 8 {
			k.Message(control.Message{
				Time: k.Now, Call: uint64(1_000_000 + round), ID: uint64(1_000_000 + 8*round + rank), Kind: control.MessageCall, From: "main",
				To: fmt.Sprintf("@pinger[%d]", rank), Endpoint: "run", Ranks: 8,
			})
		}
		k.Tick(time.Millisecond)
		p.sync(k.World)
	}
	if len(p.view.Rows) > size/8 {
		t.Fatalf("%d rows of %d messages: they do not become one", len(p.view.Rows), size)
	}
	if folds, exchanges := len(p.ix.pool.folds), len(p.ix.pool.exchanges); folds > size || exchanges > size {
		t.Errorf("%d folds and %d exchanges are there to be used again, of %d messages", folds, exchanges, size)
	}
}
