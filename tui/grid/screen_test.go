package grid

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// screen is the pane in its frame, the inside w×h.
func screen(p *Pane, b *worldtest.Builder, w, h int) string { return b.Screen(p, 2, true, w, h) }

// dims is an extent written as "dp=8 tp=8".
func dims(t testing.TB, text string) shape.Extent {
	t.Helper()
	e := shape.Extent{}
	for f := range strings.FieldsSeq(text) {
		name, size, _ := strings.Cut(f, "=")
		d := shape.Dim{Name: name}
		if _, err := fmt.Sscan(size, &d.Size); err != nil {
			t.Fatal(err)
		}
		e = append(e, d)
	}
	return e
}

// meshOf is a pane with one mesh m of an extent; every seventh rank is busy, and one has failed.
func meshOf(t testing.TB, extent string) (*Pane, *worldtest.Builder) {
	t.Helper()
	b := worldtest.New(t)
	e := dims(t, extent)
	b.Procs("p", e, worldtest.Opts{})
	m := b.Mesh("m", "p", "main.M")
	for rank := 3; rank < e.Len(); rank += 7 {
		b.Rank("m", rank, "busy", 0)
	}
	b.Rank("m", e.Len()*2/3, "failed", 0)
	p := New(worldtest.Keys)
	if !p.Show(b.World, m.Ref.ID) {
		t.Fatal("the mesh is not shown")
	}
	return p, b
}

func pingpong(t testing.TB) (*Pane, *worldtest.Builder) {
	t.Helper()
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	p.Show(b.World, m.Ref.ID)
	return p, b
}

func TestTheScreensOfPingpong(t *testing.T) {
	p, b := pingpong(t)
	must(t, p.SetSelection("dp=1:4,tp=1"))
	for _, size := range [][2]int{{54, 22}, {34, 16}, {116, 36}, {76, 18}, {52, 24}, {30, 9}, {28, 4}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			golden.RequireEqual(t, screen(p, b, size[0], size[1]))
		})
	}
}

func TestTheScreensOfOtherShapes(t *testing.T) {
	for _, c := range []struct {
		name, extent string
		w, h         int
		prepare      func(p *Pane)
	}{
		{"one rank", "", 54, 12, nil},
		{"a row", "gpus=4", 54, 12, nil},
		{"a wrapped row", "gpus=60", 54, 18, nil},
		{"three dimensions in tiles", "pp=4 dp=8 tp=8", 98, 30, nil},
		{"three dimensions in a narrow pane", "pp=4 dp=8 tp=8", 34, 17, nil},
		{"four dimensions in tiles", "vp=2 pp=3 dp=4 tp=4", 54, 21, nil},
		{"pages", "vp=3 pp=4 dp=8 tp=8", 54, 20, func(p *Pane) { p.SetDensity(Dot); p.NextPage(5) }},
		{"many rows folded", "hosts=128 gpus=8", 98, 30, nil},
		{"scrolled", "hosts=64 gpus=8", 34, 17, func(p *Pane) { p.SetDensity(Dot); p.SetCursor(203) }},
		{"half of 4096", "dp=64 tp=64", 98, 42, nil},
		{"heat of 4096", "dp=64 tp=64", 98, 24, nil},
		{"heat of 65536", "vp=4 pp=16 dp=32 tp=32", 76, 18, nil},
		{"zoomed", "vp=4 pp=16 dp=32 tp=32", 76, 24, func(p *Pane) { p.Down(2); p.Right(3); p.Enter(); p.Enter(); p.Right(5) }},
		{"heat in a corner", "dp=64 tp=64", 28, 6, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, b := meshOf(t, c.extent)
			screen(p, b, c.w, c.h)
			if c.prepare != nil {
				c.prepare(p)
			}
			golden.RequireEqual(t, screen(p, b, c.w, c.h))
		})
	}
}

func TestWithoutColourHalfIsLeftOut(t *testing.T) {
	p, b := meshOf(t, "dp=64 tp=32")
	screen(p, b, 98, 40)
	if d, _ := p.Density(); d != Half {
		t.Fatalf("with colours 2,048 ranks are drawn as %s", d)
	}
	p.NoColor = true
	if d, _ := p.Density(); d != Heat {
		t.Fatalf("without colours 2,048 ranks are drawn as %s", d)
	}
	p.SetDensity(Half)
	if d, _ := p.Density(); d != Heat {
		t.Fatalf("without colours a picked HALF is drawn as %s", d)
	}
}

func TestDensitiesChangeOneAfterTheOther(t *testing.T) {
	p, b := pingpong(t)
	screen(p, b, 54, 22)
	var got []string
	for range 6 {
		d, picked := p.Density()
		got = append(got, fmt.Sprint(d, picked))
		p.Denser(1)
	}
	if want := "[dotfalse halftrue heattrue dotfalse halftrue heattrue]"; strings.ReplaceAll(fmt.Sprint(got), " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Fatalf("got %v", got)
	}
	p.SetDensity(Dot)
	p.Denser(-1)
	if d, picked := p.Density(); d != Label || !picked {
		t.Fatalf("before dot is %s", d)
	}
}

func TestNothingToShowSaysWhatFillsIt(t *testing.T) {
	b := worldtest.New(t)
	p := New(worldtest.Keys)
	if got := screen(p, b, 54, 12); !strings.Contains(got, "M creates a proc mesh") {
		t.Fatal(got)
	}
	b.Procs("p", dims(t, "gpus=2"), worldtest.Opts{})
	b.Mesh("m", "p", "main.M")
	if got := screen(p, b, 54, 12); !strings.Contains(got, "Pick an actor mesh in [1]") {
		t.Fatal(got)
	}
}

func TestProcsAreShownAsAGridToo(t *testing.T) {
	b := worldtest.New(t)
	pm := b.Procs("p", dims(t, "hosts=2 gpus=4"), worldtest.Opts{})
	b.Proc("p", 5, "suspect", "")
	b.Proc("p", 6, "killed", "signal: killed")
	p := New(worldtest.Keys)
	if !p.ShowProcs(b.World, pm.ID) {
		t.Fatal("not shown")
	}
	must(t, p.SetSelection("state=(warning,failed)"))
	golden.RequireEqual(t, screen(p, b, 54, 16))
	if target, _ := p.Target(); target.Selector != "p[hosts=1,gpus=1:3]" || !target.Procs {
		t.Fatalf("%+v", target)
	}
}

func TestTheStatesAreThoseOfTheWorld(t *testing.T) {
	p, b := pingpong(t)
	home, _ := shape.RegionOf(dims(t, "dp=8 tp=8")).Slice(shape.Range("tp", 1, 8, 3))
	b.MeshOn("part", "trainers", "main.M", home)
	for _, name := range []string{"ponger", "part"} {
		m, _ := b.Replica.Mesh(name)
		p.Show(b.World, m.Ref.ID)
		screen(p, b, 54, 22)
		for rank := range m.Ranks {
			if got, want := words[p.now.codes[rank]], b.Word(m, rank); got != want {
				t.Fatalf("%s[%d] is %s, want %s", name, rank, got, want)
			}
		}
	}
	for code, word := range words {
		if world.Severity(word) != code || paint.State(word) != roles[code] {
			t.Fatalf("%s", word)
		}
	}
}

func TestAMeshThatIsWrongIsShownAsARow(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", dims(t, "gpus=4"), worldtest.Opts{})
	m := b.Mesh("m", "p", "main.M")
	b.EditMesh("m", func(m *controlMesh) {
		m.Ref.View = shape.Region{Labels: []string{"a"}, Sizes: []int{1 << 40}, Strides: []int{-1}}
	})
	p := New(worldtest.Keys)
	if !p.Show(b.World, m.Ref.ID) {
		t.Fatal("not shown")
	}
	b.EditMesh("m", func(m *controlMesh) { m.Ref.Home = shape.Region{} })
	if got := screen(p, b, 54, 12); !strings.Contains(got, "rank=4") {
		t.Fatal(got)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheLineOfALostRankTellsTheCause(t *testing.T) {
	b := worldtest.New(t)
	pm := b.Procs("p", dims(t, "gpus=4"), worldtest.Opts{})
	m := b.Mesh("m", "p", "main.M")
	b.Proc("p", 2, "killed", "worker 2 of procs p (pid 5003) was killed by SIGKILL")
	p := New(worldtest.Keys)
	for _, show := range []func() bool{
		func() bool { return p.ShowProcs(b.World, pm.ID) }, func() bool { return p.Show(b.World, m.Ref.ID) },
	} {
		if !show() {
			t.Fatal("not shown")
		}
		p.SetCursor(2)
		if got := screen(p, b, 76, 12); !strings.Contains(got, "✕ SIGKILL") {
			t.Error(got)
		}
		if got := screen(p, b, 26, 12); !strings.Contains(got, "rank 2") || !strings.Contains(got, "✕ SIGKILL") {
			t.Error(got)
		}
	}
}

func TestWhatIsSaidOfNoSelectionIsNotCut(t *testing.T) {
	p, b := meshOf(t, "gpus=4")
	for w := 18; w <= 38; w++ {
		_, got, _ := strings.Cut(screen(p, b, w, 12), "\n")
		if !strings.Contains(got, "nothing selected") || strings.Contains(got, "…") {
			t.Error(got)
		}
	}
}

func TestTheLargestDensityThatFitsWins(t *testing.T) {
	for _, c := range []struct {
		extent string
		w, h   int
		want   Density
	}{
		{"gpus=2", 38, 2, Label}, {"gpus=2", 38, 1, Label}, {"gpus=4", 38, 3, Label}, {"dp=8 tp=8", 28, 4, Half}, {"dp=64 tp=64", 28, 4, Heat},
	} {
		p, got := meshOf(t, c.extent)
		text := screen(p, got, c.w, c.h)
		if d, _ := p.Density(); d != c.want {
			t.Errorf("%s in %d×%d is drawn as %s, want %s:\n%s", c.extent, c.w, c.h, d, c.want, text)
		}
	}
}

func TestNarrowTilesAreNamedToo(t *testing.T) {
	p, b := meshOf(t, "a=4 b=4 c=4 d=8")
	p.SetDensity(Half)
	got := screen(p, b, 60, 30)
	worldtest.Has(t, got, "tiles a=4 b=4")
	worldtest.Has(t, got, "a 1 b 0")
	worldtest.Has(t, got, "a 3 b 3")
}

func TestALongSelectionSaysHowMuchOfItIsNotShown(t *testing.T) {
	p, b := meshOf(t, "gpus=400")
	var runs []string
	for rank := 0; rank < 400; rank += 40 {
		runs = append(runs, fmt.Sprintf("%d-%d", rank, rank+7+rank/40%2))
	}
	must(t, p.SetSelection(strings.Join(runs, ",")))
	worldtest.Has(t, screen(p, b, 54, 22), "@m[0-7,40-48,80-87,120-128, … 6 more runs ")
	worldtest.Has(t, screen(p, b, 100, 22), "@m[0-7,40-48,80-87,120-128,160-167,200-208,240-247,280-288,320-327,360-368]")
}
