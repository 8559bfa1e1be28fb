package grid

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// extents draws an extent of up to five dimensions and not too many ranks.
func extents(t *rapid.T, most int) shape.Extent {
	e := shape.Extent{}
	n := 1
	for i := range rapid.IntRange(0, 5).Draw(t, "dims") {
		size := rapid.IntRange(1, 12).Draw(t, "size")
		if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
			size = rapid.IntRange(1, 200).Draw(t, "size")
		}
		if n*size > most {
			break
		}
		n *= size
		e = append(e, shape.Dim{Name: []string{"a", "dp", "tp", "hosts", "pipeline_stage"}[i], Size: size})
	}
	return e
}

// worldOf is a world with one mesh of an extent, spread over the states.
func worldOf(e shape.Extent) *world.World {
	w := world.New()
	m := control.Mesh{Ref: control.MeshRef{ID: 7, Name: "m", Home: shape.RegionOf(e), View: shape.RegionOf(e)}, Ranks: make([]control.RankState, e.Len())}
	for i := range m.Ranks {
		m.Ranks[i].State = []string{"idle", "busy", "idle", "failed", "idle", "starting", "gone"}[i*i%7]
	}
	w.Apply(control.Update{Snapshot: &control.Snapshot{Meshes: []control.Mesh{m}}})
	return w
}

func paneOf(w *world.World, width, height int) *Pane {
	p := New(worldtest.Keys)
	p.Show(w, 7)
	p.Draw(paint.New(width, height), w, true)
	return p
}

// TestTextsSelectTheSameRanksINV_ROUNDTRIP holds INV-ROUNDTRIP.
func TestTextsSelectTheSameRanksINV_ROUNDTRIP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := extents(t, 2000)
		p := paneOf(worldOf(e), 60, 20)
		n := e.Len()
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0: // some ranks
			for range rapid.IntRange(1, 20).Draw(t, "ranks") {
				p.at.sel.put(rapid.IntRange(0, n-1).Draw(t, "rank"), true)
			}
		case 1: // a progression
			from, step := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(1, 9).Draw(t, "step")
			for rank := from; rank < n; rank += step {
				p.at.sel.put(rank, true)
			}
		default: // a box with holes
			chosen := make([][]bool, len(e))
			for d, dim := range e {
				chosen[d] = rapid.SliceOfN(rapid.Bool(), dim.Size, dim.Size).Draw(t, "chosen")
			}
			for rank := range n {
				in := true
				for d, c := range e.Point(rank).Coords() {
					in = in && chosen[d][c]
				}
				if in {
					p.at.sel.put(rank, true)
				}
			}
		}
		want := p.Selected()
		if len(want) == 0 {
			return
		}
		p.at.version++
		texts := *p.at.texts()
		for _, text := range []string{texts.inner, texts.display, p.Selector(), strings.ReplaceAll(texts.inner, ",", " , ")} {
			must2(t, p.SetSelection("*"))
			if err := p.SetSelection(text); err != nil {
				t.Fatalf("%q of %v cannot be read: %v", text, want, err)
			}
			if got := p.Selected(); !slices.Equal(got, want) {
				t.Fatalf("%q selects %v, want %v", text, got, want)
			}
		}
		if total := 0; texts.slicesLong != "many slices" {
			for _, r := range p.Slices() {
				total += r.Len()
			}
			if total != len(want) {
				t.Fatalf("the slices of %q hold %d ranks, want %d", texts.inner, total, len(want))
			}
		}
	})
}

func must2(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryRankIsOnTheScreenINV_SEEN holds INV-SEEN.
func TestEveryRankIsOnTheScreenINV_SEEN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := extents(t, 5000)
		w := worldOf(e)
		p := paneOf(w, rapid.IntRange(28, 130).Draw(t, "w"), rapid.IntRange(6, 45).Draw(t, "h"))
		p.NoColor = rapid.Bool().Draw(t, "mono")
		plan, v := p.fit(p.w, p.h), p.at.view()
		l := &plan.layout
		if len(l.pages) > 0 || !l.tiled() && (l.colsShown < l.col.n || l.rowsShown < l.row.n) {
			t.Fatalf("%v in %d×%d: %d pages, %d of %d columns, %d of %d rows", e, p.w, p.h, len(l.pages), l.colsShown, l.col.n, l.rowsShown, l.row.n)
		}
		if plan.around.lines()+l.stepY()*l.down.n-l.gapY > p.h && l.density != Half && l.head > 0 {
			t.Fatalf("%v in %d×%d: the layout is %d high", e, p.w, p.h, plan.around.lines()+l.stepY()*l.down.n)
		}
		if l.density == Heat {
			total := 0
			for _, g := range p.count(l) {
				total += int(g.n)
			}
			if total != v.len() {
				t.Fatalf("%v: %d ranks are in groups, want %d", e, total, v.len())
			}
		}
		for index := range v.len() {
			gx, gy := l.cell(v, index)
			got, ok := l.index(v, index, gx, gy)
			if !ok || got != index {
				t.Fatalf("%v %s: index %d is in cell %d,%d, which holds %d (%v)", e, l.density, index, gx, gy, got, ok)
			}
			if x, y, ok := p.place(l, gx, gy); !ok || x+1 > p.w || y+1 > p.h {
				t.Fatalf("%v %s in %d×%d: index %d is drawn at %d,%d (%v)", e, l.density, p.w, p.h, index, x, y, ok)
			}
		}
	})
}

// TestTheCursorIsOnARankAndVisibleINV_CURSOR holds INV-CURSOR.
func TestTheCursorIsOnARankAndVisibleINV_CURSOR(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := extents(t, 3000)
		w := worldOf(e)
		width, height := rapid.IntRange(0, 120).Draw(t, "w"), rapid.IntRange(0, 40).Draw(t, "h")
		p := paneOf(w, width, height)
		n := func() int { return rapid.IntRange(-3, 5).Draw(t, "n") }
		xy := func() int { return rapid.IntRange(-2, 60).Draw(t, "at") }
		acts := map[string]func(){
			"up": func() { p.Up(n()) }, "down": func() { p.Down(n()) }, "left": func() { p.Left(n()) }, "right": func() { p.Right(n()) },
			"extend": func() { p.ExtendDown(n()); p.ExtendRight(n()) }, "home": p.Home, "end": p.End, "page": func() { p.Page(n()) }, "next": func() { p.NextPage(n()) },
			"transpose": p.Transpose, "axes": p.CycleAxes, "denser": func() { p.Denser(n()) }, "enter": func() { p.Enter() }, "back": func() { p.Back() },
			"toggle": p.Toggle, "rect": p.Rectangle, "cancel": func() { p.CancelRectangle() }, "row": p.Row, "col": p.Column, "plane": p.Plane, "all": p.All, "none": func() { p.None() },
			"invert": p.Invert, "same": p.Same, "stride": func() { _ = p.Stride(n()) }, "store": func() { _ = p.Store('a') }, "recall": func() { _ = p.Recall('a') },
			"click": func() { p.Click(xy(), xy()) }, "drag": func() { p.Drag(xy(), xy()) }, "toggle click": func() { p.ClickToggle(xy(), xy()) }, "wheel": func() { p.Wheel(n()) },
			"mono":    func() { p.NoColor = !p.NoColor },
			"cursor":  func() { p.SetCursor(xy()) },
			"setAxes": func() { _ = p.SetAxes("dp", "a") },
			"text": func() {
				_ = p.SetSelection(rapid.SampledFrom([]string{"*", "0", "dp=0", "state=failed", "1:9:2", ""}).Draw(t, "text"))
			},
			"resize": func() { width, height = rapid.IntRange(0, 120).Draw(t, "w"), rapid.IntRange(0, 40).Draw(t, "h") },
		}
		names := make([]string, 0, len(acts))
		for name := range acts {
			names = append(names, name)
		}
		slices.Sort(names)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			acts[rapid.SampledFrom(names).Draw(t, "act")]()
			p.Frame(w)
			p.Draw(paint.New(width, height), w, true)
			if c := p.Cursor(); c < 0 || c >= e.Len() || !p.at.view().holds(c) {
				t.Fatalf("the cursor is on %d of %v", c, e)
			}
			l := &p.fit(p.w, p.h).layout
			gx, gy := l.cell(p.at.view(), p.at.view().index(p.Cursor()))
			if _, _, ok := p.place(l, gx, gy); !ok && l.colsShown > 0 && l.rowsShown > 0 {
				t.Fatalf("the cursor on %d is not shown", p.Cursor())
			}
			count := 0
			p.at.sel.each(func(int) { count++ })
			if count != p.at.sel.n {
				t.Fatalf("%d ranks are selected, %d counted", count, p.at.sel.n)
			}
		}
	})
}

// FuzzSelection reads what people type.
func FuzzSelection(f *testing.F) {
	for _, s := range []string{"", "*", "0,2-5", "1:10:2", "dp=1:4,tp=(1,2)", "ranks(dp=1:4, tp=1)", "ranks(:)", "@m[dp=1]", "m[3]", "[3]", "@m", "state=failed", "state=(idle,busy),dp=1", "ranks(state=busy, tp=2)", "state=", "dp=9", "@x[1]", "@m[1", "state=(idle"} {
		f.Add(s)
	}
	w := worldOf(shape.Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}})
	p := paneOf(w, 60, 20)
	f.Fuzz(func(t *testing.T, text string) {
		err := p.SetSelection(text)
		if err == nil {
			return
		}
		at, ok := Column(err)
		if !ok || at < 0 || at > len(text) {
			t.Fatalf("%q: the error %q points to %d", text, err, at)
		}
	})
}

func TestSelectionsAreReadAsPeopleTypeThem(t *testing.T) {
	p, _ := pingpong(t)
	for _, c := range []struct{ text, want string }{
		{"3", "3"}, {"1,3,5", "dp=0,tp=1:6:2"}, {"ranks(1:10:2)", "1:10:2"}, {"0-7", "dp=0"}, {"ranks(dp=1:4, tp=1)", "dp=1:4,tp=1"}, {"@ponger[dp=1:4,tp=1]", "dp=1:4,tp=1"},
		{"ponger[9]", "9"}, {"@ponger", "*"}, {"[dp=7]", "dp=7"}, {"state=paused", "dp=1:4,tp=1"}, {"state=failed", "dp=5"}, {"state=(paused,backlog)", "9,17-18,25"},
		{"dp=1,state=idle", "dp=1,tp=(0,4,5,6,7)"}, {" state=idle , dp=1 ", "dp=1,tp=(0,4,5,6,7)"}, {"ranks(state=idle, dp=1)", "dp=1,tp=(0,4,5,6,7)"}, {"ranks(state=failed)", "dp=5"}, {"  ", ""}, {"ranks(:)", "*"},
		{"dp=(0,1,2,4,7),tp=0", "dp=(0,1,2,4,7),tp=0"}, {"tp=(3)", "tp=3"}, {"tp=(0,3)", "tp=(0,3)"},
	} {
		if err := p.SetSelection(c.text); err != nil || p.Text() != c.want {
			t.Errorf("%q selects %q (%v), want %q", c.text, p.Text(), err, c.want)
		}
	}
	for _, c := range []struct {
		text, want string
		column     int
	}{
		{"dp=1:4,tq=1", "no dimension tq in {dp: 8, tp: 8} (did you mean tp?)", 7},
		{"dp=9", "dp=9 is out of range: dp has 0 to 7", 0},
		{"64", "rank 64: ponger has ranks 0-63", 0},
		{"ranks(1,99)", "rank 99: ponger has ranks 0-63", 8},
		{"1,70-80", "ranks 70-80: ponger has ranks 0-63", 2},
		{"ranks(dp=1, tp=9)", "tp=9 is out of range: tp has 0 to 7", 12},
		{"@ponger[dp=1,tp=x]", "want an index, not 'x'", 16},
		{"@pinger[1]", "this is ponger, not pinger", 0},
		{"@ponger[1", "want the ] of [, but the text ends", 9},
		{"dp=1, state=asleep", `"asleep" is no state: want idle, busy, paused, backlog, failed, gone or starting`, 12},
		{"state=gone", "no rank is in that state now", 0},
		{"1,,2", "want a rank, not ','", 2},
	} {
		err := p.SetSelection(c.text)
		if err == nil {
			t.Errorf("%q is read", c.text)
			continue
		}
		if at, _ := Column(err); at != c.column || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v at %d, want %s at %d", c.text, err, at, c.want, c.column)
		}
	}
}
