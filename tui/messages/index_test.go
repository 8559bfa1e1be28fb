package messages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// check holds INV-ONCE and INV-BOUND, and that the counts are what a count would give.
func check(t interface{ Fatalf(string, ...any) }, ix *index, src *ring) {
	if ix.First != src.First() || ix.Next != src.Total() {
		t.Fatalf("the index holds %d to %d of a ring of %d to %d", ix.First, ix.Next, src.First(), src.Total())
	}
	live, shown := map[*fold]int{}, 0
	exchanges := map[*exchange]bool{}
	if len(ix.order) != ix.Next-ix.First || !slices.IsSortedFunc(ix.order, stamp.compare) {
		t.Fatalf("the order of %d to %d is %v", ix.First, ix.Next, ix.order)
	}
	for id, list := range ix.orphans {
		for _, f := range list {
			if f.orphan != id || f.live == 0 || f.into != nil {
				t.Fatalf("orphan %+v of %d", *f, id)
			}
		}
	}
	for n := ix.First; n < ix.Next; n++ {
		r := ix.rec(n)
		if r.h.call != n && r.h.answer != n {
			t.Fatalf("message %d is in exchange %+v", n, *r.h)
		}
		live[r.h.f]++
		exchanges[r.h] = true
		if r.h.matches {
			shown++
		}
	}
	if shown != ix.shown || len(live) != ix.live {
		t.Fatalf("%d messages shown and %d folds; counted %d and %d", shown, len(live), ix.shown, ix.live)
	}
	if ix.byID.len > len(exchanges) || len(ix.byNth) > ix.live {
		t.Fatalf("%d ids for %d exchanges, %d keys for %d folds", ix.byID.len, len(exchanges), len(ix.byNth), ix.live)
	}
	for f, n := range live {
		matched, messages, kept := 0, 0, 0
		for _, h := range f.exchanges {
			if h.messages() == 0 {
				continue
			}
			kept++
			if h.matches {
				matched++
				messages += h.messages()
			}
		}
		if f.live != n || f.matched != matched || f.messages != messages || kept != len(f.exchanges)-f.gone || f.gone > kept {
			t.Fatalf("fold %+v has %d messages, %d exchanges that match with %d messages, %d kept", *f, n, matched, messages, kept)
		}
	}
}

// TestTheIndexFollowsTheRingINV_ONCE_INV_BOUND holds INV-ONCE and INV-BOUND, and of INV-COUNT that what is shown is counted.
func TestTheIndexFollowsTheRingINV_ONCE_INV_BOUND(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := world.NewRing[control.Message](rapid.IntRange(1, 60).Draw(t, "size"))
		ix := newIndex()
		for range rapid.IntRange(1, 12).Draw(t, "looks") {
			for range rapid.IntRange(0, 40).Draw(t, "messages") {
				m := control.Message{
					Call: uint64(rapid.IntRange(0, 12).Draw(t, "call")), ID: uint64(rapid.IntRange(0, 30).Draw(t, "id")),
					Parent: uint64(rapid.IntRange(0, 30).Draw(t, "parent")), Kind: control.MessageCall, Endpoint: "e", From: "@a[1]",
					To: fmt.Sprintf("@b[%d]", rapid.IntRange(0, 3).Draw(t, "rank")), Ranks: rapid.IntRange(-1, 4).Draw(t, "ranks"),
					Time: time.Unix(0, int64(rapid.IntRange(0, 100).Draw(t, "time"))),
				}
				if rapid.Bool().Draw(t, "answer") {
					m.Kind = rapid.SampledFrom([]string{control.MessageReply, control.MessageError, "?"}).Draw(t, "kind")
					m.From, m.To = m.To, m.From
				}
				r.Add(m)
			}
			if rapid.Bool().Draw(t, "filter") {
				odd := func(h *exchange) bool { return h.id%2 == 1 }
				if rapid.Bool().Draw(t, "none") {
					odd = nil
				}
				ix.sync(&r)
				ix.filter(odd)
			}
			ix.sync(&r)
			check(t, ix, &r)
		}
	})
}

func TestACallOfEachRankIsOneRowAndTheNextRoundAnother(t *testing.T) {
	k := newTalk(t)
	run := k.callRanks(nil, "main", "pinger", "run", []byte{0x03}, upTo(8)...)
	for rank := range 3 { // three ranks are a round ahead of the others
		for range 2 {
			k.callRanks(run[rank], fmt.Sprintf("@pinger[%d]", rank), "ponger", "pong", []byte{byte(rank)}, rank)
		}
	}
	for rank := 3; rank < 8; rank++ {
		for range 2 {
			k.callRanks(run[rank], fmt.Sprintf("@pinger[%d]", rank), "ponger", "pong", []byte{byte(rank)}, rank)
		}
	}
	p := New(worldtest.Keys)
	p.sync(k.World)
	if len(p.view.Rows) != 3 {
		t.Fatalf("%d rows: %s", len(p.view.Rows), screen(p, k, 100, 8))
	}
	for _, r := range p.view.Rows[1:] {
		m := p.texts(r.f)
		if r.f.seen != 8 || m.from != "pinger[*]" || m.to != "ponger[*]" || m.call != "pong(…)" {
			t.Errorf("a round of %d calls from %s to %s: %s", r.f.seen, m.from, m.to, m.call)
		}
	}
}

func TestACallThatComesAfterWhatItsHandlerMadeFoldsIt(t *testing.T) {
	k := newTalk(t)
	parents := make([]*sentCall, 8)
	for rank := range 8 { // each worker reports before main does
		parents[rank] = &sentCall{control.Message{ID: uint64(900 + rank), Trace: 99}}
		for range 2 {
			c := k.callRanks(parents[rank], fmt.Sprintf("@pinger[%d]", rank), "ponger", "pong", []byte{0x03}, rank)
			k.Tick(time.Millisecond)
			k.answer(c[0], []byte{0x04}, "")
		}
	}
	p := New(worldtest.Keys)
	screen(p, k, 100, 10)
	if len(p.view.Rows) != 16 {
		t.Fatalf("%d rows", len(p.view.Rows))
	}
	p.Home()
	p.Down(3)
	for rank := range 8 {
		k.Message(control.Message{
			Time: worldtest.Start(), Call: 99, ID: uint64(900 + rank), Trace: 99, Kind: control.MessageCall, From: "main",
			To: fmt.Sprintf("@pinger[%d]", rank), Endpoint: "run", Ranks: 8, Body: []byte{3}, Bytes: 1,
		})
	}
	got := screen(p, k, 100, 10)
	check(t, p.ix, &k.Messages)
	if len(p.view.Rows) != 3 || !strings.Contains(got, "▸ 12:04:42.107  pinger[*]  ponger[*]  pong(n=3)  ×8  ↩ 4") {
		t.Errorf("%d rows:\n%s", len(p.view.Rows), got)
	}
	if r, _ := p.view.Current(); r.f.now() != p.view.Rows[2].f {
		t.Errorf("the cursor left its row:\n%s", got)
	}
	if !p.Cause() {
		t.Errorf("the cause of an adopted call: %s", p.Why())
	}
}

func TestRowsAreInTheOrderOfTheirTimes(t *testing.T) {
	k := newTalk(t)
	for _, ms := range []int{5, 3, 9, 1, 7} { // as batches of several processes come
		k.calls++
		k.Message(control.Message{
			Time: k.Now.Add(time.Duration(ms) * time.Millisecond), Call: k.calls, ID: k.id(), Kind: control.MessageCall, From: "main", To: "@ponger[1]",
			Endpoint: "stop", Ranks: 1, Bytes: ms,
		})
	}
	k.Failure(control.Failure{Time: k.Now.Add(4 * time.Millisecond), Mesh: "ponger", Rank: 1, What: "gone"})
	p := New(worldtest.Keys)
	p.sync(k.World)
	got := ""
	for _, r := range p.view.Rows {
		if r.fail != nil {
			got += "lost "
		} else {
			got += fmt.Sprint(p.src.At(r.n).Bytes, " ")
		}
	}
	if got != "1 3 lost 5 7 9 " {
		t.Errorf("the rows are %s", got)
	}
}

// busyTalk offers messages as a mesh of 64 does: calls of 64 ranks and single calls, each with its answer.
func busyTalk(k *talk, n int) {
	for sent := 0; sent < n; {
		if k.calls%4 == 0 {
			for _, c := range k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, upTo(64)...) {
				k.answer(c, []byte{0x04}, "")
				sent += 2
			}
			continue
		}
		for rank := range 8 {
			c := k.callRanks(nil, fmt.Sprintf("@pinger[%d]", rank), "ponger", "say", []byte{0x62, 'h', 'i'}, rank)
			k.answer(c[0], []byte{0x62, 'h', 'o'}, "")
			sent += 2
		}
	}
}

// BenchmarkFrame is a frame of the screen, 76×18, at 30 frames and 50,000 messages a second: 1,667 new ones in a ring of
// 20,000. World.Apply is not in it.
func BenchmarkFrame(b *testing.B) {
	const perFrame = 1667
	k := newTalk(b)
	busyTalk(k, 24*perFrame)
	var all []control.Message
	for n := k.Messages.First(); n < k.Messages.Total(); n++ {
		all = append(all, *k.Messages.At(n))
	}
	for _, c := range []struct {
		name, filter string
		tab          Tab
		unfolded     bool
	}{
		{"list", "", List, false}, {"unfolded", "", List, true}, {"fields", "to:ponger took:<1s !kind:error", List, false},
		{"words", "pong !hewo", List, false}, {"flow", "", Flow, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := New(worldtest.Keys)
			p.SetTab(c.tab)
			if c.unfolded {
				p.ToggleFold()
			}
			screen(p, k, 76, 18)
			if err := p.SetFilter(c.filter); err != nil {
				b.Fatal(err)
			}
			at, round := 0, uint64(0)
			var spent time.Duration
			b.ResetTimer()
			for range b.N {
				for range perFrame {
					m := all[at]
					shift := round << 40
					m.Call, m.ID = m.Call+shift, m.ID+shift
					if m.Parent != 0 {
						m.Parent += shift
					}
					k.Messages.Add(m)
					if at++; at == len(all) {
						at, round = 0, round+1
					}
				}
				begin := time.Now()
				screen(p, k, 76, 18)
				spent += time.Since(begin)
			}
			b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "µs/frame")
		})
	}
}
