package grid

import (
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// big is a pane with 4,096 ranks in all states, and a thousand of them selected.
func big(b testing.TB, width, height int) (*Pane, *worldtest.Builder, *paint.Surface, *paint.Theme) {
	w := worldtest.New(b)
	e := shape.Extent{{Name: "dp", Size: 64}, {Name: "tp", Size: 64}}
	w.Procs("p", e, worldtest.Opts{PerHost: 8})
	m := w.Mesh("m", "p", "x.T")
	for rank, state := range []string{"idle", "busy", "failed", "starting", "gone"} {
		for at := rank * 3; at < 4096; at += 17 + rank {
			w.Rank("m", at, state, 0)
		}
	}
	p := New(worldtest.Keys)
	p.Show(w.World, m.Ref.ID)
	if err := p.SetSelection("dp=8:40,tp=16:48"); err != nil {
		b.Fatal(err)
	}
	th, err := paint.NewTheme("dark")
	if err != nil {
		b.Fatal(err)
	}
	return p, w, paint.New(width, height), th
}

// BenchmarkGrid draws and encodes 4,096 ranks, and reports how many times longer lipgloss takes that renders the same
// cells one by one.
func BenchmarkGrid(b *testing.B) {
	for _, c := range []struct {
		name          string
		density       Density
		width, height int
	}{{"half", Half, 116, 42}, {"dot", Dot, 140, 72}} {
		b.Run(c.name, func(b *testing.B) {
			p, w, s, th := big(b, c.width, c.height)
			p.SetDensity(c.density)
			b.ReportAllocs()
			for b.Loop() {
				s.Clear()
				p.Draw(s, w.World, true)
				_ = s.Encode(th)
			}
			ours := b.Elapsed() / time.Duration(b.N)
			start, rounds := time.Now(), 0
			for time.Since(start) < 300*time.Millisecond {
				perCell(p, th)
				rounds++
			}
			b.ReportMetric(float64(time.Since(start)/time.Duration(rounds))/float64(ours), "times-lipgloss")
		})
	}
}

// perCell is the picture of the cells alone, each with a lipgloss style of its own.
func perCell(p *Pane, th *paint.Theme) string {
	var out strings.Builder
	half := p.at.density == Half
	for r := range 64 {
		for c := range 64 {
			rank := int32(r*64 + c)
			if half {
				if r%2 == 0 {
					fg, attr := p.halfRole(rank, 0)
					bg, attr := p.halfRole(rank+64, attr)
					ls := lipgloss.NewStyle().Foreground(th.Color(fg)).Background(th.Color(bg)).Underline(attr != 0)
					out.WriteString(ls.Render("▀"))
				}
				continue
			}
			code, st := p.cellStyle(rank)
			ls := lipgloss.NewStyle().Foreground(th.Color(st.Fg))
			if st.Bg != paint.Default {
				ls = ls.Background(th.Color(st.Bg))
			}
			out.WriteString(ls.Render(paint.Glyph(words[code]) + " "))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// BenchmarkHeat counts and draws 65,536 ranks after one of them has changed.
func BenchmarkHeat(b *testing.B) {
	w := worldtest.New(b)
	e := shape.Extent{{Name: "pp", Size: 16}, {Name: "dp", Size: 64}, {Name: "tp", Size: 64}}
	w.Procs("p", e, worldtest.Opts{PerHost: 8})
	m := w.Mesh("m", "p", "x.T")
	p := New(worldtest.Keys)
	p.Show(w.World, m.Ref.ID)
	s := paint.New(116, 36)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Rank("m", i%65536, "busy", 0)
		i += 77
		s.Clear()
		p.Draw(s, w.World, true)
	}
}

// BenchmarkSelect writes the text of an irregular selection of half of 4,096 ranks, which a drag does per move.
func BenchmarkSelect(b *testing.B) {
	p, _, _, _ := big(b, 116, 42)
	for rank := 0; rank < 4096; rank += 3 {
		p.at.sel.put(rank, !p.at.sel.has(rank))
	}
	for b.Loop() {
		p.at.version++
		_ = p.at.texts()
	}
}
