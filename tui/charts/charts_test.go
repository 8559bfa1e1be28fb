package charts

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// falling is a figure that halves with each step, a little different on each rank.
func falling(mesh, name string, ranks, steps int) (out []control.Series) {
	for rank := range ranks {
		s := control.Series{Mesh: mesh, Rank: rank, Name: name}
		for x := range steps {
			s.X = append(s.X, float64(x))
			s.Y = append(s.Y, math.Pow(2, -float64(x))+float64(rank)/100)
		}
		out = append(out, s)
	}
	return out
}

func screen(t *testing.T, p *Pane, w, h int) string {
	t.Helper()
	return worldtest.New(t).Screen(p, 4, true, w, h)
}

func TestAFigureIsTheMeanOverItsRanks(t *testing.T) {
	p := New(worldtest.Keys)
	p.Set(falling("learner", "loss", 3, 5), nil)
	got := screen(t, p, 100, 14)
	for _, want := range []string{"loss @learner", "at 4  mean 0.0725  min 0.0625 [0]  max 0.0825 [2]  3 ranks", "1.01 ┼", "loss of @learner"} {
		worldtest.Has(t, got, want)
	}
	if text := p.Text(); !strings.HasPrefix(text, "# loss of @learner, mean of 3 ranks\n0\t1.01\n") || strings.Count(text, "\n") != 6 {
		t.Errorf("copied:\n%s", text)
	}
}

// Ranks that have come to different steps, one that has none, and figures of one point, of equal ones, or huge are drawn too, in any room.
func TestWhateverIsReportedIsDrawnInAnyRoom(t *testing.T) {
	late := falling("m", "loss", 3, 9)
	late[1].X, late[1].Y = late[1].X[:4], late[1].Y[:4]
	late[2].X, late[2].Y = nil, nil
	for name, list := range map[string][]control.Series{
		"late": late, "one point": falling("m", "x", 1, 1), "flat": {{Mesh: "m", Name: "flat", X: []float64{1, 2, 3}, Y: []float64{7, 7, 7}}},
		"zero": {{Mesh: "m", Name: "zero", X: []float64{0}, Y: []float64{0}}}, "huge": {{Name: "huge", Rank: -1, X: []float64{-1e300, 1e300}, Y: []float64{-1e308, 1e307}}},
		"many": append(append(falling("a", "x", 1, 3), falling("b", "y", 2, 3)...), falling("c", "z", 2, 700)...), "none": nil,
		"lengths that differ": {{Mesh: "m", Name: "x", X: []float64{1, 2, 3}, Y: []float64{1}}},
	} {
		p := New(worldtest.Keys)
		p.Set(list, nil)
		for _, size := range [][2]int{{120, 20}, {80, 8}, {40, 5}, {20, 3}, {12, 2}, {4, 1}} {
			t.Run(fmt.Sprintf("%s %v", name, size), func(t *testing.T) { _ = screen(t, p, size[0]+2, size[1]+2) })
		}
	}
}

// TestTheCursorStaysOnItsFigure holds INV-ROW.
func TestTheCursorStaysOnItsFigure(t *testing.T) {
	p := New(worldtest.Keys)
	p.Set(append(falling("a", "loss", 1, 3), falling("b", "loss", 1, 3)...), nil)
	p.Down(1)
	if f := p.current(); f == nil || f.mesh != "b" {
		t.Fatalf("the cursor is on %+v", f)
	}
	p.Set(append(append(falling("a", "loss", 1, 4), falling("a", "rate", 1, 4)...), falling("b", "loss", 1, 4)...), nil)
	if f := p.current(); f == nil || f.mesh != "b" || len(f.x) != 4 {
		t.Errorf("the cursor went to %+v", f)
	}
	p.Set(nil, errors.New("this program was built with engine v0.1"))
	worldtest.Has(t, screen(t, p, 60, 6), "this program was built with engine v0.1")
}
