package grid

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// heated shows the trainers of a world with GPUs, by a measure.
func heated(t testing.TB, m Measure) (*Pane, *worldtest.Builder) {
	t.Helper()
	b := worldtest.GPUs(t)
	mesh, _ := b.Replica.Mesh("trainer")
	p := New(worldtest.Keys)
	p.Show(b.World, mesh.Ref.ID)
	for range m {
		p.NextMeasure()
		p.sync(b.World)
	}
	return p, b
}

func TestTheScreensOfMeasures(t *testing.T) {
	for _, c := range []struct {
		m       Measure
		w, h    int
		density Density
		noColor bool
	}{
		{Memory, 54, 14, Auto, false}, {Load, 54, 14, Dot, false}, {Temperature, 54, 14, Heat, false}, {Power, 54, 14, Heat, true},
		{Resident, 54, 14, Label, false}, {Load, 34, 12, Auto, true}, {Load, 30, 4, Auto, true},
	} {
		t.Run(fmt.Sprintf("%s %dx%d %s %v", c.m, c.w, c.h, c.density, c.noColor), func(t *testing.T) {
			p, b := heated(t, c.m)
			p.NoColor = c.noColor
			p.SetDensity(c.density)
			p.SetCursor(31)
			must(t, p.SetSelection("8:16"))
			golden.RequireEqual(t, screen(p, b, c.w, c.h))
		})
	}
}

func TestMeasuresFollowEachOtherAndOnlyThoseThatThereAre(t *testing.T) {
	p, b := heated(t, States)
	var seen []string
	for range 7 {
		m, ok := p.NextMeasure()
		if p.sync(b.World); !ok || p.now.measure != m {
			t.Fatalf("%s, %v; %s is shown", m, ok, p.now.measure)
		}
		seen = append(seen, m.String())
	}
	if got, want := strings.Join(seen, ", "), "GPU memory, GPU load, GPU temperature, GPU power, process memory, state, GPU memory"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.Procs("plain", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{Virtual: true})
	plain := b.Mesh("plain", "plain", "main.M")
	p.Show(b.World, plain.Ref.ID)
	if p.now.measure != States {
		t.Errorf("a mesh without GPUs is shown by %s", p.now.measure)
	}
	if m, ok := p.NextMeasure(); m != Resident || !ok {
		t.Errorf("%s, %v: its processes have memory and nothing else", m, ok)
	}
	b.Procs("local", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{InProcess: true})
	local := b.Mesh("local", "local", "main.M")
	p.Show(b.World, local.Ref.ID)
	if _, ok := p.NextMeasure(); ok || p.Measured() {
		t.Error("goroutines are measured")
	}
	mesh, _ := b.Replica.Mesh("trainer")
	p.Show(b.World, mesh.Ref.ID)
	if p.now.measure != Resident {
		t.Errorf("what was picked is forgotten: %s", p.now.measure)
	}
}

func TestAFigureIsAtItsLevel(t *testing.T) {
	for _, c := range []struct {
		m             Measure
		figure, large float64
		want          int
	}{
		{Load, 0, 0, 0}, {Load, 12, 12, 0}, {Load, 13, 13, 1}, {Load, 50, 50, 4}, {Load, 99, 99, 7}, {Load, 100, 100, 7}, {Temperature, 250, 250, 7},
		{Power, 350, 700, 4}, {Power, 700, 700, 7}, {Power, 0, 0, 0}, {Resident, 1, 1 << 40, 0},
	} {
		f := figures{measure: c.m, high: c.large}
		if got := int(f.level(float32(c.figure))) - lookLevel; got != c.want {
			t.Errorf("%s %v of %v: level %d, want %d", c.m, c.figure, c.large, got, c.want)
		}
	}
}

func TestARankThatDoesNotRunShowsThat(t *testing.T) {
	p, b := heated(t, Load)
	b.Proc("workers", 3, "launching", "")
	b.EditRank("trainer", 3, func(r *control.RankState) { r.State = "starting" })
	p.sync(b.World)
	for rank, want := range map[int32]string{3: "◌", 4: "▁", 21: "·", 29: "▇", 30: "✕", 31: "·"} {
		if got := p.signs[p.look(rank)]; got != want {
			t.Errorf("rank %d shows %s, want %s", rank, got, want)
		}
	}
}
