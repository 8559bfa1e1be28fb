package grid

import (
	"fmt"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// colourless is a screen without its colours: texts and attributes.
func colourless(p *Pane, w *world.World, width, height int) string {
	s := paint.New(width, height)
	p.Draw(s, w, true)
	var out strings.Builder
	out.WriteString(s.Plain())
	for y := range height {
		for x := range width {
			s.Restyle(paint.Rect{X: x, Y: y, W: 1, H: 1}, func(st paint.Style) paint.Style {
				fmt.Fprint(&out, st.Attr, " ")
				return st
			})
		}
	}
	return out.String()
}

// TestWithoutColoursStatesAndSelectionsDiffer holds INV-SHAPE: two ranks exchange their states, so that the counts stay, and
// a rank is selected.
func TestWithoutColoursStatesAndSelectionsDiffer(t *testing.T) {
	states := map[string]func(r *control.RankState){
		"idle": func(r *control.RankState) { r.State = "idle" }, "busy": func(r *control.RankState) { r.State = "busy" },
		"starting": func(r *control.RankState) { r.State = "starting" }, "failed": func(r *control.RankState) { r.State = "failed" },
		"stopped": func(r *control.RankState) { r.State = "stopped" }, "backlog": func(r *control.RankState) { r.State, r.Queue = "busy", 214 },
	}
	drawn := func(d Density, sel bool, a, b string) string {
		w := worldtest.New(t)
		w.Procs("p", dims(t, "dp=2 tp=8"), worldtest.Opts{})
		m := w.Mesh("m", "p", "main.M")
		w.EditRank("m", 9, states[a])
		w.EditRank("m", 12, states[b])
		p := New(worldtest.Keys)
		p.Show(w.World, m.Ref.ID)
		if d != Heat { // of groups it is by itself
			p.SetDensity(d)
		}
		if sel {
			p.SetCursor(4)
			p.Toggle()
			p.SetCursor(0)
		}
		return colourless(p, w.World, 70, 24)
	}
	for _, d := range []Density{Label, Dot} {
		for a := range states {
			for b := range states {
				if a < b && drawn(d, false, a, b) == drawn(d, false, b, a) {
					t.Errorf("%s: %s and %s look alike without colours", d, a, b)
				}
			}
		}
		if drawn(d, false, "idle", "busy") == drawn(d, true, "idle", "busy") {
			t.Errorf("%s: a selected rank looks like another without colours", d)
		}
	}
}
