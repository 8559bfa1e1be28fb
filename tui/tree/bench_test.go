package tree

import (
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// large is a tree of 100,000 lines: 33,333 processes and two actors in each, all open.
func large(b testing.TB) (*Pane, *worldtest.Builder, *paint.Surface) {
	w := worldtest.New(b)
	w.Procs("p", shape.Extent{{Name: "gpus", Size: 33_333}}, worldtest.Opts{})
	w.Mesh("a", "p", "main.A")
	w.Mesh("b", "p", "main.B")
	for rank := 0; rank < 33_333; rank += 100 {
		w.Rank("a", rank, "busy", 0)
	}
	p := New(worldtest.Keys)
	s := paint.New(60, 40)
	p.Draw(s, w.World, true)
	for i := range p.rows {
		p.turned[p.rows[i].key] = true
	}
	p.changed()
	p.Draw(s, w.World, true)
	for i := range p.rows {
		if p.rows[i].kind == KindProc {
			p.turned[p.rows[i].key] = true
		}
	}
	p.changed()
	p.Draw(s, w.World, true)
	if len(p.rows) < 100_000 {
		b.Fatalf("%d lines", len(p.rows))
	}
	return p, w, s
}

// BenchmarkScroll moves through 100,000 lines, one a frame, while the world stands still.
func BenchmarkScroll(b *testing.B) {
	p, w, s := large(b)
	b.ReportAllocs()
	for b.Loop() {
		s.Clear()
		p.Down(1)
		p.Frame(w.World)
		p.Draw(s, w.World, true)
	}
}

// BenchmarkChange draws 100,000 lines after one actor has changed.
func BenchmarkChange(b *testing.B) {
	p, w, s := large(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Rank("b", i%33_333, "busy", 0)
		i += 7
		s.Clear()
		p.Draw(s, w.World, true)
	}
}

// BenchmarkFilter finds 300 of 100,000 lines after one actor has changed.
func BenchmarkFilter(b *testing.B) {
	p, w, s := large(b)
	p.SetFilter("a[77 busy")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Rank("b", i%33_333, "busy", 0)
		w.Tick(33 * time.Millisecond)
		i += 7
		s.Clear()
		p.Draw(s, w.World, true)
	}
}
