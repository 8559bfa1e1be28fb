package grid

import (
	"maps"
	"slices"
)

// maxPast bounds the selections that Undo can go back to, of each mesh.
const maxPast = 50

// Mark keeps the selection as it is, for Undo to come back to. It is called before a person may change it.
func (p *Pane) Mark() {
	if p.at == nil {
		return
	}
	pl := p.at
	if n := len(pl.past); n > 0 && slices.Equal(pl.past[n-1].words, pl.sel.words) {
		return
	}
	pl.past = append(pl.past[max(0, len(pl.past)+1-maxPast):], pl.sel.clone())
}

// Undo selects again what was selected before the last change, and reports whether there was one.
func (p *Pane) Undo() bool {
	if p.at == nil {
		return false
	}
	pl := p.at
	for len(pl.past) > 0 {
		last := pl.past[len(pl.past)-1]
		pl.past = pl.past[:len(pl.past)-1]
		if !slices.Equal(last.words, pl.sel.words) {
			p.EndRectangle()
			p.set(last)
			return true
		}
	}
	return false
}

// CanUndo reports whether Undo would change something.
func (p *Pane) CanUndo() bool {
	return p.at != nil && slices.ContainsFunc(p.at.past, func(s set) bool { return !slices.Equal(s.words, p.at.sel.words) })
}

// Kept is a selection under a letter.
type Kept struct {
	Letter rune
	Text   string // as Text writes it
	Ranks  int
}

// Kept lists the selections of the mesh that Store keeps, by letter.
func (p *Pane) Kept() (out []Kept) {
	if p.at == nil {
		return nil
	}
	for _, letter := range slices.Sorted(maps.Keys(p.at.stored)) {
		s := p.at.stored[letter]
		out = append(out, Kept{letter, p.at.textOf(s), s.n})
	}
	return out
}
