package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func say(b *worldtest.Builder, mesh string, rank int, text string) {
	b.Log(control.Log{Mesh: mesh, Rank: rank, Proc: uint64(rank + 1), Stream: "out", Text: text})
	b.Tick(100 * time.Microsecond)
}

// story is what a mesh of 64 prints in its first second.
func story(t testing.TB) *worldtest.Builder {
	b := worldtest.Trainers(t)
	b.Log(control.Log{Rank: -1, Stream: "engine", Text: `time=12:04:42 level=INFO msg="session demo listens"`})
	b.Log(control.Log{Rank: -1, Stream: "out", Text: "training starts"})
	for rank := range 64 {
		say(b, "ponger", rank, fmt.Sprintf("Actor %d: Received message", rank))
	}
	for rank := range 64 {
		say(b, "ponger", rank, "ready")
	}
	for _, rank := range []int{8, 9, 10, 11, 12, 13, 14, 15} {
		b.Log(control.Log{Proc: uint64(rank + 1), Rank: rank, Stream: "err", Text: "NCCL WARN Call to ibv_modify_qp failed"})
		b.Tick(time.Millisecond)
	}
	say(b, "loader", 3, "step 12 loss 0.1931")
	say(b, "loader", 5, "step 12 loss 0.1907")
	b.Log(control.Log{Proc: 6, Rank: 5, Stream: "err", Text: "Traceback (most recent call last):"})
	b.Log(control.Log{Proc: 6, Rank: 5, Stream: "err", Text: `  File "train.py", line 3, in <module>`})
	b.Log(control.Log{Proc: 6, Rank: 5, Stream: "err", Text: "ValueError: the loss is not a number"})
	b.Log(control.Log{Rank: -1, Stream: "engine", Text: `time=12:04:43 level=WARN msg="worker 5 is silent"`})
	b.Tick(time.Second)
	return b
}

func screen(p *Pane, b *worldtest.Builder, w, h int) string { return b.Screen(p, 5, true, w, h) }

func TestWhatAllRanksPrintIsOneRow(t *testing.T) {
	for _, size := range [][2]int{{116, 16}, {76, 18}, {52, 14}, {30, 9}, {28, 4}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			golden.RequireEqual(t, screen(New(worldtest.Keys), story(t), size[0], size[1]))
		})
	}
}

func TestLinesAreFoldedOverRanks(t *testing.T) {
	type line struct {
		rank int
		text string
	}
	for _, c := range []struct {
		name  string
		lines []line
		want  string
	}{
		{"the same text", []line{{0, "a"}, {1, "a"}, {2, "a"}}, "a (×3)"},
		{"the rank in it", []line{{0, "gpu 0 of 8"}, {1, "gpu 1 of 8"}, {3, "gpu 3 of 8"}}, "gpu [0-1,3] of 8 (×3)"},
		{"the rank twice, in brackets", []line{{1, "[A:1] to (B:1)"}, {2, "[A:2] to (B:2)"}}, "[A:1-2] to (B:1-2) (×2)"},
		{"with zeros before", []line{{1, "rank01"}, {2, "rank02"}}, "rank[1-2] (×2)"},
		{"a number that is not the rank", []line{{0, "step 12"}, {1, "step 13"}}, "step 12|step 13"},
		{"a fraction", []line{{1, "loss 0.1"}, {2, "loss 0.2"}}, "loss 0.1|loss 0.2"},
		{"a number that happens to be the rank of one", []line{{1, "step 1"}, {2, "step 1"}, {3, "step 1"}}, "step 1 (×3)"},
		{"the same rank again", []line{{0, "a"}, {0, "a"}, {1, "a"}, {1, "a"}}, "a (×2)|a (×2)"},
		{"one rank ahead", []line{{0, "a"}, {0, "b"}, {0, "a"}, {1, "a"}, {1, "b"}}, "a (×2)|b (×2)|a"},
	} {
		b := worldtest.Trainers(t)
		for _, l := range c.lines {
			say(b, "ponger", l.rank, l.text)
		}
		p := New(worldtest.Keys)
		p.sync(b.World)
		var got []string
		for _, r := range p.view.Rows {
			got = append(got, strings.TrimSpace(p.text(r)+" "+p.count(r)))
		}
		if g := strings.Join(got, "|"); g != c.want {
			t.Errorf("%s: %s, want %s", c.name, g, c.want)
		}
	}
}

func TestWhatIsLongAgoIsNotFolded(t *testing.T) {
	b := worldtest.Trainers(t)
	say(b, "ponger", 0, "ready")
	b.Tick(time.Minute)
	say(b, "ponger", 1, "ready")
	say(b, "loader", 2, "ready")
	p := New(worldtest.Keys)
	p.sync(b.World)
	if len(p.view.Rows) != 3 {
		t.Errorf("%d rows: lines a minute apart, and of two meshes", len(p.view.Rows))
	}
}

func TestALineHasALevel(t *testing.T) {
	for text, want := range map[string]Level{
		"hello": Info, "ERROR disk full": Error, "time=1 level=WARN msg=x": Warn, `{"ts":1,"level":"error"}`: Error, `{"level": "debug"}`: Debug,
		"E1124 12:04:42.1 x.cc:3] no": Error, "I1124 12:04:42.1 x.cc:3] yes": Info, "panic: nil map": Error, "an error was expected": Info,
		"Traceback (most recent call last):": Error, "[WARNING] old": Warn, "the warning: sign": Warn, "2026-11-24 DEBUG x": Debug, "error": Info,
		"ValueError: nan": Error, "a ValueError": Info,
	} {
		if got := LevelOf(&control.Log{Stream: "out", Text: text}); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	if LevelOf(&control.Log{Stream: "err", Text: "hello"}) != Warn || LevelOf(&control.Log{Stream: "err", Text: "INFO hello"}) != Info {
		t.Error("stderr is a warning unless it says otherwise")
	}
}

// TestALevelIsReadWithoutMemory is about what happens 50,000 times a second.
func TestALevelIsReadWithoutMemory(t *testing.T) {
	l := &control.Log{Stream: "out", Text: "the Actor 3: error of no step is Warning, level=info ends it"}
	if n := testing.AllocsPerRun(100, func() { LevelOf(l) }); n != 0 {
		t.Errorf("the level of a line takes %v allocations", n)
	}
}

func TestAFilterOfLines(t *testing.T) {
	b := story(t)
	for text, want := range map[string]string{
		"level:error":          "2 of 144 shown",
		"level:>=warn":         "12 of 144 shown",
		"stream:engine":        "2 of 144 shown",
		"from:trainers rank:5": "3 of 144 shown",
		"mesh:ponger rank:0-3": "8 of 144 shown",
		"nccl !rank:8":         "7 of 144 shown",
		"loss":                 "3 of 144 shown",
	} {
		p := New(worldtest.Keys)
		if err := p.SetFilter(text); err != nil {
			t.Fatal(err)
		}
		worldtest.Has(t, screen(p, b, 80, 12), want)
	}
	p := New(worldtest.Keys)
	if err := p.SetFilter("took:>1s"); err == nil {
		t.Error("took: means something for lines")
	}
	if err := p.SetFilter("rank:0-3 received"); err != nil {
		t.Fatal(err)
	}
	golden.RequireEqual(t, screen(p, b, 80, 6))
	if !p.ClearLast() || p.Filter() != "rank:0-3" || !p.ClearLast() || p.ClearLast() {
		t.Error("esc does not take the filter away term by term")
	}
}

func TestAFoldOpensIntoItsLines(t *testing.T) {
	b := story(t)
	p := New(worldtest.Keys)
	screen(p, b, 90, 10)
	p.Home()
	p.Down(4)
	if !p.Enter() {
		t.Fatal("the fold does not open")
	}
	golden.RequireEqual(t, screen(p, b, 90, 12))
	if sel, ok := p.Selected(); !ok || sel.Procs != "trainers" || len(sel.Ranks) != 8 || sel.Proc != 9 {
		t.Errorf("the fold is of %+v", sel)
	}
	p.Down(2)
	if sel, _ := p.Selected(); len(sel.Ranks) != 1 || sel.Ranks[0] != 9 {
		t.Errorf("the line is of %+v", sel)
	}
	if p.Enter() || p.Text() != "NCCL WARN Call to ibv_modify_qp failed" {
		t.Errorf("a line opens, or is copied as %q", p.Text())
	}
	p.Left()
	if n := strings.Count(p.Text(), "\n"); n != 8 {
		t.Errorf("a fold is copied as %d lines", n)
	}
	lines := p.Open(b.World)
	var text strings.Builder
	for _, l := range lines {
		for _, s := range l {
			text.WriteString(s.Text)
		}
		text.WriteString("\n")
	}
	worldtest.Has(t, text.String(), "stream    stderr, warn")
	worldtest.Has(t, text.String(), "process   gpu-0@host-1  pid 5009")
	p.ToggleFold()
	worldtest.Has(t, screen(p, b, 90, 10), "unfolded")
}

func TestALineOfAFoldHasItsRankAtAnyWidth(t *testing.T) {
	for _, w := range []int{20, 38, 60} {
		b := worldtest.Trainers(t)
		for _, rank := range []int{2, 3, 11} {
			say(b, "ponger", rank, "hello")
		}
		p := New(worldtest.Keys)
		screen(p, b, w, 8)
		p.Home()
		if !p.Enter() {
			t.Fatal("the fold does not open")
		}
		got := screen(p, b, w, 8)
		for _, rank := range []string{"[2]", "[3]", "[11]"} {
			worldtest.Has(t, got, rank)
		}
	}
}

func TestAnEmptyPaneSaysWhatFillsIt(t *testing.T) {
	b := worldtest.Trainers(t)
	got := screen(New(worldtest.Keys), b, 60, 6)
	worldtest.Has(t, got, "Nothing was printed yet.")
	worldtest.Has(t, got, "L  shows where the engine's log is")
	if f := File(b.World); f != "/run/user/1000/monarch/demo/engine.log" {
		t.Errorf("the log file is %s", f)
	}
	p := New(worldtest.Keys)
	if err := p.SetFilter("level:error"); err != nil {
		t.Fatal(err)
	}
	say(b, "ponger", 0, "hello")
	worldtest.Has(t, screen(p, b, 60, 6), "no line gets through the filter")
}

// TestThatLinesMayBeMissingIsTold_INV_COUNT holds INV-COUNT.
func TestThatLinesMayBeMissingIsTold_INV_COUNT(t *testing.T) {
	b := worldtest.Trainers(t)
	b.Dropped(1234)
	for n := range world.MaxLogs + 10 {
		b.Logs.Add(control.Log{Mesh: "ponger", Rank: n % 64, Stream: "out", Text: fmt.Sprint("line ", n), Time: b.Now})
	}
	got := screen(New(worldtest.Keys), b, 76, 6)
	worldtest.Has(t, got, "may have gaps · 10 older let go")
	worldtest.Has(t, got, "following ▼")
	worldtest.Has(t, screen(New(worldtest.Keys), b, 40, 6), "may have gaps")
	if strings.Contains(got, "1,234") {
		t.Error("the count of the messages is told as that of the lines")
	}
}

// check holds INV-ONCE and INV-BOUND.
func check(t interface{ Fatalf(string, ...any) }, ix *index, src *ring) {
	live, shown := map[*fold]int{}, 0
	for n := ix.First; n < ix.Next; n++ {
		r := ix.rec(n)
		live[r.f]++
		if r.matches {
			shown++
		}
	}
	if ix.First != src.First() || ix.Next != src.Total() || shown != ix.shown || len(live) != ix.live {
		t.Fatalf("%d lines shown and %d folds; counted %d and %d", shown, len(live), ix.shown, ix.live)
	}
	for f, n := range live {
		if len(f.lines) != n || f.count < n || len(f.ranks) > f.count {
			t.Fatalf("fold %+v has %d lines", *f, n)
		}
	}
	waiting := 0
	for _, list := range ix.waiting {
		for _, f := range list {
			if live[f] == 0 {
				t.Fatalf("a fold that is gone waits: %+v", *f)
			}
		}
		waiting += len(list)
	}
	if waiting > 2*len(live) {
		t.Fatalf("%d entries for %d folds", waiting, len(live))
	}
}

// TestTheIndexFollowsTheRingINV_ONCE_INV_BOUND holds INV-ONCE and INV-BOUND, and of INV-COUNT that what is shown is counted.
func TestTheIndexFollowsTheRingINV_ONCE_INV_BOUND(t *testing.T) {
	b := worldtest.Trainers(t)
	rapid.Check(t, func(t *rapid.T) {
		r := world.NewRing[control.Log](rapid.IntRange(1, 40).Draw(t, "size"))
		ix := newIndex()
		now := b.Now
		for range rapid.IntRange(1, 12).Draw(t, "looks") {
			for range rapid.IntRange(0, 30).Draw(t, "lines") {
				now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
				rank := rapid.IntRange(-1, 4).Draw(t, "rank")
				r.Add(control.Log{
					Time: now, Rank: rank, Mesh: rapid.SampledFrom([]string{"", "ponger"}).Draw(t, "mesh"), Stream: "out",
					Text: rapid.SampledFrom([]string{"", "a", fmt.Sprint("gpu ", rank), "1", "2 2"}).Draw(t, "text"),
				})
			}
			ix.sync(b.World, &r)
			check(t, ix, &r)
		}
	})
}

func TestAnythingDoneAtAnySizeKeepsTheCursorOnARow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := worldtest.Trainers(t)
		p := New(worldtest.Keys)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			n := rapid.IntRange(0, 30).Draw(rt, "n")
			actions := []func(){
				func() { p.Up(n) }, func() { p.Down(n) }, func() { p.Page(n - 15) }, p.Home, p.End, func() { p.Enter() }, p.Left, p.Right,
				p.Freeze, p.ToggleFold, func() { p.Click(n, n/2) }, func() { p.Wheel(n - 15) }, func() { p.ClearLast() },
				func() { p.Selected(); p.Text(); p.Open(b.World) },
				func() {
					_ = p.SetFilter(rapid.SampledFrom([]string{"", "ready", "rank:3", "level:warn"}).Draw(rt, "filter"))
				},
				func() { say(b, "ponger", n, "ready") }, func() { say(b, "", n, fmt.Sprint("rank ", n)) },
			}
			actions[rapid.IntRange(0, len(actions)-1).Draw(rt, "action")]()
			w, h := rapid.IntRange(0, 130).Draw(rt, "w"), rapid.IntRange(0, 40).Draw(rt, "h")
			p.Frame(b.World)
			p.Draw(paint.New(w, h), b.World, n%2 == 0)
			if rows := len(p.view.Rows); rows > 0 && (p.view.Cursor() < 0 || p.view.Cursor() >= rows) {
				rt.Fatalf("the cursor is on row %d of %d", p.view.Cursor(), rows)
			}
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add("Actor 3: got 3 of 30, 0.3 at 12:03", 3)
	f.Add("[A:1] \xff 1", 1)
	f.Fuzz(func(t *testing.T, text string, rank int) {
		if rank < 0 || rank > 1<<20 {
			return
		}
		var k keyer
		one, two := k.of("m", "out", text, rank), k.of("m", "out", text, rank)
		if one != two || one.equal == 0 {
			t.Fatalf("%q has keys %v and %v", text, one, two)
		}
		if got := folded(text, rank, []int{rank}); k.of("m", "out", got, rank).byRanks != 0 != (one.byRanks != 0) {
			t.Fatalf("%q of rank %d is folded as %q", text, rank, got)
		}
		LevelOf(&control.Log{Text: text})
	})
}

// BenchmarkFrame is a frame of the screen, 76×18, at 30 frames and 50,000 lines a second: 1,667 new ones in a ring of
// 20,000. World.Apply is not in it.
func BenchmarkFrame(b *testing.B) {
	w := worldtest.Trainers(b)
	var all []control.Log
	for step := range 64 {
		for rank := range 64 {
			all = append(all, control.Log{Mesh: "ponger", Rank: rank, Stream: "out", Text: fmt.Sprintf("Actor %d: step %d done", rank, step), Time: w.Now})
			if rank%4 == 0 {
				all = append(all, control.Log{Proc: uint64(rank + 1), Rank: rank, Stream: "err", Text: fmt.Sprintf("loss 0.%d", step*64+rank), Time: w.Now})
			}
		}
	}
	for name, text := range map[string]string{"all": "", "filtered": "step !rank:3"} {
		b.Run(name, func(b *testing.B) {
			p := New(worldtest.Keys)
			screen(p, w, 76, 18)
			if err := p.SetFilter(text); err != nil {
				b.Fatal(err)
			}
			at := 0
			var spent time.Duration
			for range b.N {
				for range 1667 {
					w.Logs.Add(all[at])
					at = (at + 1) % len(all)
				}
				begin := time.Now()
				screen(p, w, 76, 18)
				spent += time.Since(begin)
			}
			b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "µs/frame")
		})
	}
}

func TestWhereNothingIsShownNoWordIsCut(t *testing.T) {
	for w := 18; w <= 38; w++ {
		b, p := worldtest.Trainers(t), New(worldtest.Keys)
		if got := screen(p, b, w, 9); strings.Contains(got, "…") || !strings.Contains(got, "Nothing was") {
			t.Error(got)
		}
		say(b, "ponger", 1, "x")
		if err := p.SetFilter("-"); err != nil {
			t.Fatal(err)
		}
		if got := screen(p, b, w, 9); strings.Contains(got, "…") || !strings.Contains(got, "esc  clears") {
			t.Error(got)
		}
	}
}

func TestLinesAreWrappedAndTheirTimesShownOnDemand(t *testing.T) {
	b := worldtest.New(t)
	w := b.World
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, text := range []string{"first", strings.Repeat("word ", 30) + "END", "last"} {
		w.Apply(control.Update{Events: []*control.Event{{Log: &control.Log{Time: at.Add(time.Duration(i) * time.Second), Rank: -1, Stream: "out", Text: text}}}})
	}
	p := New(worldtest.Keys)
	draw := func() string {
		s := paint.New(50, 10)
		p.Draw(s, w, true)
		return s.Plain()
	}
	if got := draw(); strings.Contains(got, "END") || strings.Contains(got, "03:04:05") {
		t.Errorf("cut, without times:\n%s", got)
	}
	if !p.ToggleWrap() {
		t.Error("it is not wrapped")
	}
	if got := draw(); !strings.Contains(got, "END") || !strings.Contains(got, "first") || !strings.Contains(got, "last") {
		t.Errorf("wrapped:\n%s", got)
	}
	p.Click(10, 3) // inside the long line
	if !strings.HasSuffix(p.Text(), "END") {
		t.Errorf("a click on a part of a line is on %q", p.Text())
	}
	if p.ToggleTimes(); !strings.Contains(draw(), "03:04:06") {
		t.Errorf("with times:\n%s", draw())
	}
	if p.ToggleTimes(); strings.Contains(draw(), "03:04:06") {
		t.Error("the times are not hidden")
	}
	s := paint.New(50, 3) // the line under the cursor does not fit: its beginning is seen
	p.End()
	if p.Draw(s, w, true); !strings.Contains(s.Plain(), "last") {
		t.Errorf("the last line is not seen:\n%s", s.Plain())
	}
	if got := p.PageText(); strings.Count(got, "\n") != 3 || !strings.Contains(got, "END\n") || !strings.HasPrefix(got, "2026-01-02 03:04:05.000  ") {
		t.Errorf("all of it:\n%s", got)
	}
}
