package grid

import "testing"

// TestAJumpEndsARectangleAndKeepsWhatItHolds is of the cursor that something else than its keys puts somewhere.
func TestAJumpEndsARectangleAndKeepsWhatItHolds(t *testing.T) {
	for _, by := range []struct {
		name  string
		begin func(p *Pane)
	}{
		{"begun by v", func(p *Pane) { p.Rectangle(); p.Right(2) }},
		{"of moves that extend", func(p *Pane) { p.ExtendRight(2) }},
	} {
		p, b := meshOf(t, "dp=8 tp=8")
		screen(p, b, 54, 22)
		by.begin(p)
		if got := p.Text(); got != "0-2" && got != "dp=0,tp=0:3" {
			t.Fatalf("a rectangle %s has %q", by.name, got)
		}
		want := p.Text()
		p.SetCursor(20)
		if p.InRectangle() || p.Text() != want || p.Cursor() != 20 {
			t.Errorf("a rectangle %s: still on %v, %q is selected and not %q, the cursor on %d", by.name, p.InRectangle(), p.Text(), want, p.Cursor())
		}
		if p.Down(1); p.Text() != want {
			t.Errorf("a rectangle %s grows after the jump: %q", by.name, p.Text())
		}
	}
}
