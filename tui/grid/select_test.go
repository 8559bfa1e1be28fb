package grid

import (
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

type controlMesh = control.Mesh

func TestRanksAreSelectedInManyWays(t *testing.T) {
	for _, c := range []struct {
		name, extent string
		do           func(p *Pane)
		want         string
	}{
		{"toggle", "dp=8 tp=8", func(p *Pane) { p.SetCursor(9); p.Toggle() }, "9"},
		{"toggle twice", "dp=8 tp=8", func(p *Pane) { p.Toggle(); p.Toggle() }, ""},
		{"a rectangle", "dp=8 tp=8", func(p *Pane) { p.SetCursor(9); p.Rectangle(); p.Down(2); p.Right(3); p.Rectangle() }, "dp=1:4,tp=1:5"},
		{"a rectangle that shrinks", "dp=8 tp=8", func(p *Pane) { p.Rectangle(); p.Down(5); p.Up(4); p.Right(1) }, "dp=0:2,tp=0:2"},
		{"a rectangle beside others", "dp=8 tp=8", func(p *Pane) { p.Toggle(); p.SetCursor(63); p.Rectangle(); p.Left(1) }, "0,62-63"},
		{"a rectangle given up", "dp=8 tp=8", func(p *Pane) { p.Toggle(); p.Rectangle(); p.Down(5); p.CancelRectangle() }, "0"},
		{"a rectangle across tiles", "pp=3 dp=4 tp=4", func(p *Pane) { p.SetCursor(6); p.Rectangle(); p.Right(4); p.Down(1) }, "6-7,10-11,20-22,24-26"},
		{"shift and arrows", "dp=8 tp=8", func(p *Pane) { p.ExtendDown(2); p.ExtendRight(1); p.Right(3) }, "dp=0:3,tp=0:2"},
		{"shift and arrows twice", "dp=8 tp=8", func(p *Pane) { p.ExtendDown(1); p.Right(3); p.ExtendDown(1) }, "0,8,11,19"},
		{"a row", "dp=8 tp=8", func(p *Pane) { p.SetCursor(9); p.Row() }, "dp=1"},
		{"a column", "dp=8 tp=8", func(p *Pane) { p.SetCursor(9); p.Column() }, "tp=1"},
		{"row and column", "dp=8 tp=8", func(p *Pane) { p.SetCursor(9); p.Row(); p.Row(); p.Column() }, "tp=1"},
		{"a plane", "pp=4 dp=8 tp=8", func(p *Pane) { p.SetCursor(70); p.Plane() }, "pp=1"},
		{"a row of a wrapped mesh", "gpus=64", func(p *Pane) { p.SetCursor(9); p.Row() }, "gpus=8:16"},
		{"a column of a wrapped mesh", "gpus=64", func(p *Pane) { p.SetCursor(9); p.Column() }, "gpus=1:58:8"},
		{"all", "dp=8 tp=8", func(p *Pane) { p.All() }, "*"},
		{"none", "dp=8 tp=8", func(p *Pane) { p.All(); p.None() }, ""},
		{"inverted", "dp=8 tp=8", func(p *Pane) { p.Row(); p.Invert() }, "dp=1:8"},
		{"the same state", "dp=8 tp=8", func(p *Pane) { p.SetCursor(3); p.Same() }, "3:60:7"},
		{"a stride", "dp=8 tp=8", func(p *Pane) { p.SetCursor(1); _ = p.Stride(8) }, "tp=1"},
		{"a stride across rows", "dp=8 tp=8", func(p *Pane) { p.SetCursor(2); _ = p.Stride(9) }, "2:57:9"},
		{"a stored one", "dp=8 tp=8", func(p *Pane) { p.Row(); _ = p.Store('a'); p.None(); p.Toggle(); _ = p.Recall('a') }, "dp=0"},
		{"all in a state", "dp=8 tp=8", func(p *Pane) { p.SelectState("failed") }, "42"},
		{"a group", "dp=64 tp=64", func(p *Pane) { p.Right(1); p.Toggle() }, "dp=0:8,tp=8:16"},
		{"groups in a rectangle", "dp=64 tp=64", func(p *Pane) { p.Rectangle(); p.Right(1); p.Down(1) }, "dp=0:16,tp=0:16"},
		{"a group zoomed into", "dp=64 tp=64", func(p *Pane) { p.Right(1); p.Enter(); p.All() }, "dp=0:8,tp=8:16"},
		{"pages in a rectangle", "pp=4 dp=8 tp=8", func(p *Pane) {
			p.SetDensity(Label)
			p.SetCursor(9)
			p.Rectangle()
			p.Right(1)
			p.NextPage(2)
		}, "pp=0:3,dp=1,tp=1:3"},
		{"a slice that is narrowed to", "dp=8 tp=8", func(p *Pane) {
			part, _ := shape.RegionOf(shape.Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}}).Slice(shape.At("tp", 1))
			_ = p.Narrow(part)
			p.Right(1)
			p.Toggle()
			p.Right(1)
			p.Toggle()
		}, "dp=1:3,tp=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, b := meshOf(t, c.extent)
			screen(p, b, 54, 22)
			c.do(p)
			if got := p.Text(); got != c.want {
				t.Errorf("selected %q, want %q", got, c.want)
			}
		})
	}
}

func TestEachMeshKeepsItsSelectionAndCursor(t *testing.T) {
	p, b := pingpong(t)
	pinger, _ := b.Replica.Mesh("pinger")
	ponger, _ := b.Replica.Mesh("ponger")
	screen(p, b, 54, 22)
	p.SetCursor(9)
	p.Row()
	p.Show(b.World, pinger.Ref.ID)
	if p.Text() != "" || p.Cursor() != 0 {
		t.Fatalf("pinger begins with %q at %d", p.Text(), p.Cursor())
	}
	p.All()
	p.Show(b.World, ponger.Ref.ID)
	if p.Text() != "dp=1" || p.Cursor() != 9 || p.Selector() != "@ponger[dp=1]" {
		t.Fatalf("ponger came back with %q at %d", p.Text(), p.Cursor())
	}
	if err := p.Recall('x'); err == nil || !strings.Contains(err.Error(), `store a selection with "x first`) {
		t.Fatal(err)
	}
}

func TestATargetIsTheSelectionElseTheCursor(t *testing.T) {
	p, b := pingpong(t)
	screen(p, b, 54, 22)
	p.SetCursor(9)
	if target, ok := p.Target(); !ok || target.Selector != "@ponger[9]" || target.Selected || !slices.Equal(target.Ranks, []int{9}) {
		t.Fatalf("%+v", target)
	}
	must(t, p.SetSelection("dp=1:4,tp=1"))
	if target, _ := p.Target(); target.Selector != "@ponger[dp=1:4,tp=1]" || !target.Selected || !slices.Equal(target.Ranks, []int{9, 17, 25}) {
		t.Fatalf("%+v", target)
	}
	if s := p.Slices(); len(s) != 1 || s[0].Offset != 9 {
		t.Fatalf("%v", s)
	}
}

func TestASliceShowsBothNumbersOfARank(t *testing.T) {
	p, b := pingpong(t)
	part, err := shape.RegionOf(dims(t, "dp=8 tp=8")).Slice(shape.At("tp", 1))
	must(t, err)
	must(t, p.Narrow(part))
	got := screen(p, b, 76, 18)
	if p.Cursor() != 1 || !strings.Contains(got, "rank 1, in the slice 0") || !strings.Contains(got, "ponger[tp=1] · 8 of 64") {
		t.Fatal(got)
	}
	if !p.Back() || p.Back() {
		t.Fatal("one step leads back to the whole mesh")
	}
}

func TestTheMouseMovesDragsAndToggles(t *testing.T) {
	p, b := pingpong(t)
	screen(p, b, 54, 22)
	p.Click(12, 3) // the sign of rank 9
	if p.Cursor() != 9 || p.Text() != "" {
		t.Fatalf("a click moves to %d and selects %q", p.Cursor(), p.Text())
	}
	p.Drag(20, 5)
	if p.Text() != "dp=1:4,tp=1:4" {
		t.Fatalf("a drag selects %q", p.Text())
	}
	p.Drag(12, 5)
	if p.Text() != "dp=1:4,tp=1" {
		t.Fatalf("a drag back selects %q", p.Text())
	}
	p.ClickToggle(8, 2)
	if p.Text() != "0,9,17,25" || p.Cursor() != 0 {
		t.Fatalf("a click with ctrl selects %q", p.Text())
	}
	p.Drag(12, 2)
	p.DragAdd(12, 3)
	if p.Text() != "dp=0:2,tp=0:2" {
		t.Fatalf("a second drag selects %q", p.Text())
	}
	p.None()
	p.Click(2, 4) // the label of a row
	if p.Text() != "dp=2" {
		t.Fatalf("a click on dp 2 selects %q", p.Text())
	}
	p.None()
	p.Click(12, 1)
	if p.Text() != "tp=1" {
		t.Fatalf("a click on tp 1 selects %q", p.Text())
	}
	p.Click(20, 14) // paused, in the legend
	if p.Text() != "dp=1:4,tp=1" {
		t.Fatalf("a click on the legend's paused selects %q", p.Text())
	}
	if !p.OnSlice(10, 11) || p.OnSlice(10, 12) {
		t.Fatal("the slice's text is not where it is drawn")
	}
}

func TestEveryCellIsFoundUnderThePointer(t *testing.T) {
	for _, c := range []struct {
		extent string
		w, h   int
		d      Density
	}{
		{"dp=8 tp=8", 54, 22, Auto}, {"dp=8 tp=8", 54, 22, Label}, {"vp=2 pp=3 dp=4 tp=4", 54, 21, Auto}, {"gpus=100", 54, 22, Auto}, {"hosts=128 gpus=8", 98, 30, Auto}, {"gpus=60", 54, 18, Auto},
		{"pp=4 dp=8 tp=8", 34, 17, Auto},
	} {
		p, b := meshOf(t, c.extent)
		p.SetDensity(c.d)
		screen(p, b, c.w, c.h)
		l, v := p.shown.layout, p.at.view()
		for index := range v.len() {
			gx, gy := l.cell(v, index)
			x, y, ok := p.place(&l, gx, gy)
			if l.box >= 3 {
				x++
			}
			hx, hy, where := p.hit(x, y+p.shown.y)
			if !ok || hx != gx || hy/l.tall != gy/l.tall || where != onCell {
				t.Fatalf("%s: rank %d is at %d,%d (%v), where %d,%d (%d) is found", c.extent, index, gx, gy, ok, hx, hy, where)
			}
		}
	}
}

func TestManyMeshesAreNotRememberedForever(t *testing.T) {
	b := worldtest.New(t)
	p := New(worldtest.Keys)
	b.Procs("p", dims(t, "gpus=2"), worldtest.Opts{})
	for range 3 * maxPlaces {
		m := b.Mesh("m", "p", "main.M")
		p.Show(b.World, m.Ref.ID)
	}
	if len(p.places) > maxPlaces {
		t.Fatalf("%d meshes are remembered", len(p.places))
	}
}
