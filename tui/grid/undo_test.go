package grid

import "testing"

func TestUndoGoesBackThroughTheSelections(t *testing.T) {
	p, b := meshOf(t, "dp=8 tp=8")
	screen(p, b, 54, 22)
	if p.CanUndo() || p.Undo() {
		t.Error("nothing was selected, and can be undone")
	}
	for _, do := range []func(){p.Row, p.Column, func() { p.None() }} {
		p.Mark()
		p.Mark() // of what has not changed there is one
		do()
	}
	p.Mark()
	p.Rectangle()
	p.Down(2)
	for _, want := range []string{"", "0-8,16,24,32,40,48,56", "dp=0", ""} {
		if !p.CanUndo() || !p.Undo() {
			t.Fatalf("cannot go back to %q", want)
		}
		if got := p.Text(); got != want {
			t.Errorf("selected %q, want %q", got, want)
		}
	}
	if p.InRectangle() {
		t.Error("the rectangle goes on")
	}
	if p.CanUndo() || p.Undo() {
		t.Error("there is more to undo than was done")
	}
	for range 3 * maxPast {
		p.Mark()
		p.Toggle()
	}
	if n := len(p.at.past); n > maxPast {
		t.Errorf("%d selections are kept", n)
	}
}

func TestWhatIsKeptUnderLettersIsListed(t *testing.T) {
	p, b := meshOf(t, "dp=8 tp=8")
	screen(p, b, 54, 22)
	if got := p.Kept(); len(got) != 0 {
		t.Errorf("%v is kept", got)
	}
	p.Row()
	if err := p.Store('z'); err != nil {
		t.Fatal(err)
	}
	p.None()
	if err := p.Store('B'); err != nil {
		t.Fatal(err)
	}
	got := p.Kept()
	if len(got) != 2 || got[0] != (Kept{'B', "", 0}) || got[1] != (Kept{'z', "dp=0", 8}) {
		t.Errorf("%v", got)
	}
}
