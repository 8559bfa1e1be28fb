package tree

import "testing"

// TestAFrameLooksOnlyAtTheLinesOnTheScreen holds INV-LAZY: lines out of sight that cannot be drawn do no harm while the
// world stands still.
func TestAFrameLooksOnlyAtTheLinesOnTheScreen(t *testing.T) {
	p, w, s := large(t)
	p.Draw(s, w.World, true)
	_, height := s.Size()
	for i := p.win.Top + 2*height; i < len(p.rows); i++ {
		p.rows[i] = row{key: key{kind: KindProc}, pm: 1 << 30}
	}
	for range height / 2 {
		p.Down(1)
		p.Frame(w.World)
		p.Draw(s, w.World, true)
		p.Selected(w.World)
	}
	defer func() {
		if recover() == nil {
			t.Error("a line that cannot be drawn was drawn: the test shows nothing")
		}
	}()
	p.End()
	p.Draw(s, w.World, true)
}
