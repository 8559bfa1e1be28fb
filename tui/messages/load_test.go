package messages

import (
	"fmt"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// perFrame is how many messages come between two frames: 50,000 a second, 30 frames a second.
const perFrame = 50_000 / 30

// load makes the messages of a busy session: calls of so many ranks each, and their answers.
type load struct {
	b     *worldtest.Builder
	ranks int
	id    uint64
}

// batch is n messages as one update.
func (l *load) batch(n int) control.Update {
	u := control.Update{Events: make([]*control.Event, 0, n)}
	for i := range n / 2 {
		l.id++
		at := l.b.Now.Add(time.Duration(i) * time.Microsecond)
		to := fmt.Sprintf("@ponger[%d]", l.id%uint64(max(l.ranks, 8)))
		call := control.Message{Time: at, Call: l.id / uint64(l.ranks), ID: l.id, Kind: control.MessageCall, From: "main", To: to, Endpoint: "pong", Ranks: l.ranks, Body: []byte{1}, Bytes: 1}
		answer := control.Message{
			Time: at.Add(time.Millisecond), Arrived: at.Add(300 * time.Microsecond), Began: at.Add(400 * time.Microsecond), Call: call.Call, Parent: call.ID,
			Kind: control.MessageReply, From: to, To: "main", Endpoint: "pong", Took: time.Millisecond, Body: []byte{2}, Bytes: 1,
		}
		u.Events = append(u.Events, &control.Event{Seq: l.id, Time: at, Message: &call}, &control.Event{Seq: l.id, Time: at, Message: &answer})
	}
	return u
}

// underLoad is a pane of 76×18 with a full ring.
func underLoad(t testing.TB, ranks int, set func(p *Pane)) (*load, *Pane, *paint.Surface) {
	k := newTalk(t)
	l := &load{b: k.Builder, ranks: ranks}
	for range 30 {
		k.World.Apply(l.batch(perFrame))
		k.Tick(time.Second / 30)
	}
	p := New(worldtest.Keys)
	s := paint.New(76, 18)
	set(p)
	p.Frame(k.World)
	p.Draw(s, k.World, true)
	return l, p, s
}

// views are the ways to look at messages.
var views = map[string]func(p *Pane){
	"list":     func(*Pane) {},
	"unfolded": func(p *Pane) { p.ToggleFold() },
	"flow":     func(p *Pane) { p.SetTab(Flow) },
	"filtered": func(p *Pane) { _ = p.SetFilter("endpoint:pong rank:1") },
}

// TestOnlyWhatIsSeenIsFormatted holds that the texts of a frame are those of the rows in sight, however many messages have come
// since the last one.
func TestOnlyWhatIsSeenIsFormatted(t *testing.T) {
	for name, set := range views {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{20, perFrame, 4096, 16384} {
				l, p, s := underLoad(t, 1, set)
				_, rows := s.Size()
				before := p.made
				for range 5 {
					l.b.World.Apply(l.batch(n))
					l.b.Tick(time.Second / 30)
					p.Frame(l.b.World)
					p.Draw(s, l.b.World, true)
				}
				made := p.made - before
				if made > 5*rows {
					t.Errorf("%d texts were made for 5 frames of %d rows, with %d messages in each", made, rows, n)
				}
				if n >= perFrame && name != "unfolded" && made < rows-2 {
					t.Errorf("%d texts were made for %d rows that are new: they are not counted", made, rows)
				}
			}
		})
	}
}

// TestAFrameLooksAtWhatHasComeAndGone holds that what a frame does is as much as has come and gone since the last one, however much
// is kept: of the order, of the rows and of the messages themselves nothing else is looked at, and nothing is allocated for it.
func TestAFrameLooksAtWhatHasComeAndGone(t *testing.T) {
	for name, set := range views {
		for _, ranks := range []int{1, 64, 4096} {
			t.Run(fmt.Sprintf("%s ranks=%d", name, ranks), func(t *testing.T) {
				l, p, s := underLoad(t, ranks, set)
				frame := func() {
					l.b.World.Apply(l.batch(perFrame))
					l.b.Tick(time.Second / 30)
					p.Frame(l.b.World)
					p.Draw(s, l.b.World, true)
				}
				for range 20 { // what may be used again comes with what goes
					frame()
				}
				const frames = 5
				looked, gists, courses, folds := p.ix.looked, p.gists, p.courses, p.ix.pool.made
				for range frames {
					frame()
					if made := len(p.view.Rows) - p.rows.stayed; made > 4*perFrame {
						t.Errorf("%d of %d rows were made anew", made, len(p.view.Rows))
					}
				}
				if n := (p.ix.looked - looked) / frames; n > 7*perFrame { // of all that is kept it would be twelve times
					t.Errorf("a frame has looked at %d messages of the order", n)
				}
				if n := (p.gists - gists) / frames; n > perFrame+2 {
					t.Errorf("a frame has read %d messages", n)
				}
				if n := (p.courses - courses) / frames; n > perFrame/(2*ranks)+3 {
					t.Errorf("a frame has made the courses of %d folds", n)
				}
				if n := p.ix.pool.made - folds; n > perFrame/4 {
					t.Errorf("%d folds and exchanges were made in %d frames", n, frames)
				}
			})
		}
	}
}

// TestAnAnswerOfAnOldCallMakesNoRowOfTheListAnew is about calls that take long: what the flow tells of their handlers, the list does not.
func TestAnAnswerOfAnOldCallMakesNoRowOfTheListAnew(t *testing.T) {
	l, p, _ := underLoad(t, 1, views["list"])
	call := control.Message{Time: l.b.Now, Call: 1 << 50, ID: 1 << 50, Kind: control.MessageCall, From: "main", To: "@ponger[1]", Endpoint: "pong", Ranks: 1}
	l.b.World.Apply(control.Update{Events: []*control.Event{{Message: &call}}})
	for range 9 {
		l.b.World.Apply(l.batch(perFrame))
		l.b.Tick(time.Second / 30)
		p.Frame(l.b.World)
	}
	answer := control.Message{
		Time: l.b.Now, Arrived: call.Time.Add(time.Millisecond), Began: call.Time.Add(5 * time.Millisecond), Took: l.b.Now.Sub(call.Time),
		Call: call.Call, Parent: call.ID, Kind: control.MessageReply, From: call.To, To: "main", Endpoint: "pong",
	}
	l.b.World.Apply(control.Update{Events: []*control.Event{{Message: &answer}}})
	p.Frame(l.b.World)
	if rows := len(p.view.Rows); rows-p.rows.stayed > 10 {
		t.Errorf("%d of %d rows were made anew", rows-p.rows.stayed, rows)
	}
}

// BenchmarkUnderLoad is what a frame costs at 30 frames a second: taking in and drawing. apply-ns is World.Apply alone, which is in
// it. A frame of 76×18 at 50,000 messages a second is what is promised; the others tell that neither more room nor more messages
// make it another thing.
func BenchmarkUnderLoad(b *testing.B) {
	for _, ranks := range []int{1, 64, 4096} {
		for name, set := range views {
			b.Run(fmt.Sprintf("ranks=%d/%s", ranks, name), func(b *testing.B) { benchmarkFrame(b, ranks, perFrame, 76, 18, set) })
		}
	}
	for name, set := range views {
		b.Run("150x50/"+name, func(b *testing.B) { benchmarkFrame(b, 64, perFrame, 150, 50, set) })
		b.Run("fourfold/"+name, func(b *testing.B) { benchmarkFrame(b, 64, 4*perFrame, 76, 18, set) })
	}
}

func benchmarkFrame(b *testing.B, ranks, messages, w, h int, set func(p *Pane)) {
	l, p, _ := underLoad(b, ranks, set)
	s := paint.New(w, h)
	var apply time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		u := l.batch(messages)
		l.b.Tick(time.Second / 30)
		b.StartTimer()
		began := time.Now()
		l.b.World.Apply(u)
		apply += time.Since(began)
		s.Clear()
		p.Frame(l.b.World)
		p.Draw(s, l.b.World, true)
	}
	b.ReportMetric(float64(apply.Nanoseconds())/float64(b.N), "apply-ns/op")
}
