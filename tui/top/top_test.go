package top

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// working is a small world in which figures are plain: rank r of ponger handles 10·r messages a second and is busy for a tenth
// of the time more than the one before, and loader tells nothing of how long it was busy.
func working(t testing.TB) (*worldtest.Builder, *Pane) {
	b := worldtest.New(t)
	b.Procs("trainers", shape.Extent{{Name: "dp", Size: 2}, {Name: "tp", Size: 4}}, worldtest.Opts{PerHost: 8})
	b.Mesh("ponger", "trainers", "demo.Ponger")
	b.Mesh("loader", "trainers", "demo.Loader")
	p := New(worldtest.Keys)
	for second := range 7 {
		for rank := range 8 {
			b.EditRank("ponger", rank, func(r *control.RankState) {
				r.Handled, r.Worked = uint64(1000+10*rank*second), time.Duration(second*rank)*100*time.Millisecond+time.Second
			})
		}
		b.EditRank("loader", 0, func(r *control.RankState) { r.Handled = uint64(1 + 3*second) })
		if second > 0 {
			b.Tick(time.Second)
		}
		p.Sample(b.World)
	}
	b.EditRank("ponger", 5, func(r *control.RankState) { r.State, r.Queue = "busy", 214 })
	b.EditRank("ponger", 2, func(r *control.RankState) { r.State = "gone" })
	for i := range 200 {
		b.Message(control.Message{Kind: control.MessageReply, From: "@ponger[3]", To: "main", Took: time.Duration(i+1) * time.Millisecond, Outcome: control.OutcomeReply})
	}
	b.Message(control.Message{Kind: control.MessageError, From: "@ponger[4]", To: "main", Took: 9 * time.Millisecond, Outcome: control.OutcomeError})
	b.Message(control.Message{Kind: control.MessageError, From: "@ponger[6]", To: "main", Took: 9 * time.Second, Outcome: control.OutcomeCancelled})
	b.Message(control.Message{Time: b.Now.Add(-2 * time.Minute), Kind: control.MessageReply, From: "@ponger[7]", To: "main", Took: time.Second, Outcome: control.OutcomeReply})
	return b, p
}

func screen(p *Pane, b *worldtest.Builder, w, h int) string { return b.Screen(p, 4, true, w, h) }

func TestTheTableTellsWhereTheWorkIs(t *testing.T) {
	for _, size := range [][2]int{{130, 19}, {78, 19}, {60, 12}, {38, 8}, {28, 5}, {20, 2}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			b, p := working(t)
			golden.RequireEqual(t, screen(p, b, size[0], size[1]))
		})
	}
	t.Run("by mesh", func(t *testing.T) {
		b, p := working(t)
		p.ToggleFold()
		golden.RequireEqual(t, screen(p, b, 78, 6))
	})
	t.Run("filtered", func(t *testing.T) {
		b, p := working(t)
		if err := p.SetFilter("mesh:pong rank:3-5"); err != nil {
			t.Fatal(err)
		}
		golden.RequireEqual(t, screen(p, b, 78, 8))
	})
}

// figures are the cells of one actor.
func figures(t *testing.T, p *Pane, label string) map[string]string {
	t.Helper()
	for i := range p.rows {
		if r := &p.rows[i]; r.label() == label {
			out := map[string]string{}
			for c := range columns {
				out[c.String()] = r.figure(c)
			}
			return out
		}
	}
	t.Fatalf("there is no row %s", label)
	return nil
}

func TestFiguresThatNothingTellsAreNotInvented(t *testing.T) {
	b, p := working(t)
	p.Frame(b.World)
	for _, c := range []struct{ who, rate, busy, p50, p99 string }{
		{"ponger[3]", "30", "30%", "100ms", "198ms"},
		{"ponger[4]", "40", "40%", "9.0ms", "9.0ms"},
		{"ponger[6]", "60", "60%", "–", "–"}, // its call was given up: that tells nothing of it
		{"ponger[7]", "70", "70%", "–", "–"}, // its answer was long ago
		{"ponger[2]", "–", "–", "–", "–"},    // it is gone
		{"ponger[0]", "0", "0%", "–", "–"},
		{"loader[0]", "3.0", "–", "–", "–"}, // of an engine that does not tell for how long it worked
	} {
		got := figures(t, p, c.who)
		if got["msg/s"] != c.rate || got["busy"] != c.busy || got["p50"] != c.p50 || got["p99"] != c.p99 {
			t.Errorf("%s: %v, want %v", c.who, got, c)
		}
	}
}

func TestASuccessorHasAnswerTimesOfItsOwn(t *testing.T) {
	b, p := working(t)
	b.EditMesh("ponger", func(m *control.Mesh) { m.Gone, m.State = true, "stopped" })
	b.Tick(time.Second)
	b.Mesh("ponger", "trainers", "demo.Ponger")
	p.Sample(b.World)
	p.Frame(b.World)
	if got := figures(t, p, "ponger[3]"); got["p50"] != "–" || got["p99"] != "–" {
		t.Errorf("nobody has called it, and it shows %v", got)
	}
	b.Tick(time.Second)
	b.Message(control.Message{Kind: control.MessageReply, From: "@ponger[3]", To: "main", Took: 5 * time.Millisecond, Outcome: control.OutcomeReply})
	p.Frame(b.World)
	if got := figures(t, p, "ponger[3]"); got["p50"] != "5.0ms" {
		t.Errorf("its one answer took 5 ms, and it shows %v", got)
	}
}

func TestTheFilterKnowsTheStatesThatAreShown(t *testing.T) {
	b, p := working(t)
	p.Frame(b.World)
	state := figures(t, p, "ponger[5]")["state"]
	if err := p.SetFilter("state:" + state); err != nil {
		t.Fatal(err)
	}
	p.Frame(b.World)
	if len(p.rows) != 1 || p.rows[0].label() != "ponger[5]" {
		t.Errorf("state:%s shows %d rows", state, len(p.rows))
	}
}

func TestTheFirstLookKnowsNoRates(t *testing.T) {
	b := worldtest.Trainers(t)
	p := New(worldtest.Keys)
	b.EditRank("ponger", 3, func(r *control.RankState) { r.Handled, r.Worked = 100, time.Second })
	p.Frame(b.World)
	if got := figures(t, p, "ponger[3]"); got["msg/s"] != "–" || got["busy"] != "–" || got["handled"] != "100" {
		t.Errorf("%v", got)
	}
	b.Tick(time.Second)
	b.EditRank("ponger", 3, func(r *control.RankState) {
		r.State, r.Handled, r.Worked, r.Since = "busy", 104, 1500*time.Millisecond, b.Now
	})
	p.Frame(b.World)
	if got := figures(t, p, "ponger[3]"); got["msg/s"] != "4.0" || got["busy"] != "50%" {
		t.Errorf("%v", got)
	}
	b.Tick(time.Second) // it goes on with one message, and nothing is told
	p.Frame(b.World)
	if got := figures(t, p, "ponger[3]"); got["msg/s"] != "2.0" || got["busy"] != "75%" {
		t.Errorf("%v", got)
	}
	b.Tick(time.Second)
	b.EditRank("ponger", 3, func(r *control.RankState) { r.State, r.Handled, r.Worked = "idle", 0, 0 }) // started anew
	p.Frame(b.World)
	if got := figures(t, p, "ponger[3]"); got["msg/s"] != "–" {
		t.Errorf("of another incarnation: %v", got)
	}
}

func TestWhatIsNotKnownComesLastInEveryOrder(t *testing.T) {
	b, p := working(t)
	p.Frame(b.World)
	first := map[Column]string{Name: "loader[0]", State: "ponger[5]", Rate: "ponger[7]", Busy: "ponger[7]", Queue: "ponger[5]", P50: "ponger[3]", P99: "ponger[3]", Handled: "ponger[7]"}
	for range columns {
		p.CycleSort()
		if got := p.rows[0].label(); got != first[p.by] {
			t.Errorf("by %s %s comes first, want %s", p.by, got, first[p.by])
		}
		if last := &p.rows[len(p.rows)-1]; p.by != Name && p.by != State && last.figure(p.by) != "–" && last.figure(p.by) != "0" {
			t.Errorf("by %s %s comes last, with %s", p.by, last.label(), last.figure(p.by))
		}
	}
	p.Sort(Busy)
	if p.Left(); p.by != Rate {
		t.Errorf("left of busy is %s", p.by)
	}
}

func TestAClickOnAHeadOrdersByItsColumn(t *testing.T) {
	b, p := working(t)
	got := screen(p, b, 78, 12)
	line := strings.Split(got, "\n")[1]
	x := strings.Index(string([]rune(line)), "queue")
	p.Click(len([]rune(line[:x]))-1, 0)
	if p.by != Queue || p.rows[0].label() != "ponger[5]" {
		t.Errorf("by %s, %s first", p.by, p.rows[0].label())
	}
	if got := screen(p, b, 78, 12); !strings.Contains(got, "▼queue") {
		t.Error(got)
	}
}

func TestFrozenFiguresStayAndCanBeOrdered(t *testing.T) {
	b, p := working(t)
	p.Frame(b.World)
	p.Freeze()
	b.Tick(2 * time.Second)
	b.EditRank("ponger", 7, func(r *control.RankState) { r.Handled = 5000 })
	p.Frame(b.World)
	p.Sort(Handled)
	if got := figures(t, p, "ponger[7]"); got["handled"] != "1,420" {
		t.Errorf("frozen it shows %v", got)
	}
	p.Freeze()
	p.Frame(b.World)
	if got := figures(t, p, "ponger[7]"); got["handled"] != "5,000" {
		t.Errorf("it does not go on: %v", got)
	}
}

// TestTheCursorStaysOnItsActor_INV_ROW holds INV-ROW.
func TestTheCursorStaysOnItsActor_INV_ROW(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, p := worldtest.Trainers(t), New(worldtest.Keys)
		p.Frame(b.World)
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			n := rapid.IntRange(0, 63).Draw(rt, "n")
			w, h := rapid.IntRange(0, 130).Draw(rt, "w"), rapid.IntRange(0, 40).Draw(rt, "h")
			p.Draw(paint.New(w, h), b.World, n%2 == 0)
			switch rapid.IntRange(0, 6).Draw(rt, "move") {
			case 0:
				p.Up(n)
			case 1:
				p.Down(n)
			case 2:
				p.Page(n - 30)
			case 3:
				p.Wheel(n - 30)
			case 4:
				p.End()
			case 5:
				p.Click(n, n/3)
			case 6:
				p.move(func() { p.win.To(n) })
			}
			was, ok := p.Selected()
			moved := p.moved
			b.Tick(time.Second)
			b.EditRank("ponger", n, func(r *control.RankState) { r.Handled += uint64(n); r.Queue = n })
			if rapid.Bool().Draw(rt, "sort") {
				p.CycleSort()
			}
			p.Frame(b.World)
			if now, _ := p.Selected(); ok && moved && now != was {
				rt.Fatalf("the cursor was on %v, and is on %v", was, now)
			}
			if p.win.Cursor < 0 || p.win.Cursor >= len(p.rows) {
				rt.Fatalf("the cursor is on row %d of %d", p.win.Cursor, len(p.rows))
			}
		}
	})
}

func TestATableWithoutActorsTellsHowTheyCome(t *testing.T) {
	b := worldtest.New(t)
	got := screen(New(worldtest.Keys), b, 60, 6)
	worldtest.Has(t, got, "No actor runs.")
	worldtest.Has(t, got, "a  spawns actors")
	b, p := working(t)
	if err := p.SetFilter("nobody"); err != nil {
		t.Fatal(err)
	}
	worldtest.Has(t, screen(p, b, 60, 6), "no actor gets through the filter")
	if err := p.SetFilter("from:main"); err == nil || p.Filter() != "nobody" {
		t.Errorf("a table of actors has no from: %v, the filter is %s", err, p.Filter())
	}
	if !p.ClearLast() || p.ClearLast() || len(p.rows) != 16 {
		t.Errorf("%d rows after the filter", len(p.rows))
	}
}

func TestTheTableIsCopiedAsItIsShown(t *testing.T) {
	b, p := working(t)
	p.Frame(b.World)
	if got := p.Text(); got != "ponger[7]  idle  msg/s 70  busy 70%  queue 0  p50 –  p99 –  handled 1,420" {
		t.Error(got)
	}
	lines := strings.Split(p.PageText(), "\n")
	if len(lines) != 18 || !strings.HasPrefix(lines[0], "actor      state      msg/s   busy") || !strings.HasPrefix(lines[1], "ponger[7]  idle          70    70%") {
		t.Error(p.PageText())
	}
}

func BenchmarkTable(b *testing.B) {
	w := worldtest.New(b)
	w.Procs("p", shape.Extent{{Name: "gpus", Size: 65_536}}, worldtest.Opts{InProcess: true})
	w.Mesh("toy", "p", "demo.Toy")
	p, s := New(worldtest.Keys), paint.New(78, 20)
	for b.Loop() {
		w.Tick(time.Second)
		p.Frame(w.World)
		p.Draw(s, w.World, true)
	}
}
