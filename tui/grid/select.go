package grid

import (
	"fmt"
)

// span is a rectangle between where it began and the cursor; what was selected before stays.
type span struct {
	anchor int  // own rank
	sticky bool // plain moves extend it too
	before set
}

func (p *Pane) beginSpan(sticky bool) {
	p.at.span = &span{anchor: p.at.cursor, sticky: sticky, before: p.at.sel.clone()}
	p.applySpan()
}

// Rectangle begins a rectangle at the cursor, or ends the one there is: what it holds stays selected.
func (p *Pane) Rectangle() {
	switch {
	case p.at == nil:
	case p.at.span != nil && p.at.span.sticky:
		p.at.span = nil
	case p.at.span != nil:
		p.at.span.sticky = true
	default:
		p.beginSpan(true)
	}
}

// EndRectangle ends a rectangle; what it holds stays selected.
func (p *Pane) EndRectangle() {
	if p.at != nil {
		p.at.span = nil
	}
}

// InRectangle tells whether the cursor extends a rectangle.
func (p *Pane) InRectangle() bool { return p.at != nil && p.at.span != nil && p.at.span.sticky }

// CancelRectangle gives a rectangle up: what was selected before is selected again. It reports whether there was one.
func (p *Pane) CancelRectangle() bool {
	if !p.InRectangle() {
		return false
	}
	p.set(p.at.span.before)
	p.at.span = nil
	return true
}

// applySpan selects the cells between the two corners, on all pages between them.
func (p *Pane) applySpan() {
	pl, v := p.at, p.at.view()
	if !v.holds(pl.span.anchor) {
		pl.span = nil
		return
	}
	l := &p.fit(p.w, p.h).layout
	near, anchor := v.index(pl.cursor), v.index(pl.span.anchor)
	x0, y0 := l.cell(v, anchor)
	x1, y1 := l.cell(v, near)
	sel := pl.span.before.clone()
	p.pagesBetween(l, anchor, near, 0, near, func(on int) {
		for gy := min(y0, y1); gy <= max(y0, y1); gy++ {
			for gx := min(x0, x1); gx <= max(x0, x1); gx++ {
				l.each(v, on, gx, gy, func(index int) { sel.put(int(v.ranks[index]), true) })
			}
		}
	})
	p.set(sel)
}

// pagesBetween calls f with an index on each page between those of a and b.
func (p *Pane) pagesBetween(l *layout, a, b, i, on int, f func(on int)) {
	if i == len(l.pages) {
		f(on)
		return
	}
	v, dim := p.at.view(), l.pages[i]
	from, to := v.coord(a, dim), v.coord(b, dim)
	for c := min(from, to); c <= max(from, to); c++ {
		p.pagesBetween(l, a, b, i+1, on+(c-v.coord(on, dim))*v.dims[dim].stride, f)
	}
}

// set replaces the selection.
func (p *Pane) set(s set) {
	p.at.sel = s
	p.at.version++
}

// underCursor calls f with the rank under the cursor; in HEAT with those of its group.
func (p *Pane) underCursor(f func(rank int)) {
	pl, v := p.at, p.at.view()
	l := &p.fit(p.w, p.h).layout
	near := v.index(pl.cursor)
	gx, gy := l.cell(v, near)
	l.each(v, near, gx, gy, func(index int) { f(int(v.ranks[index])) })
}

// flip selects the ranks that each yields, or deselects them where all are selected.
func (p *Pane) flip(each func(f func(rank int))) {
	if p.at == nil {
		return
	}
	p.EndRectangle()
	all := true
	each(func(rank int) { all = all && p.at.sel.has(rank) })
	each(func(rank int) { p.at.sel.put(rank, !all) })
	p.at.version++
}

// Toggle selects what is under the cursor, or deselects it; in HEAT the group.
func (p *Pane) Toggle() { p.flip(p.underCursor) }

// Row selects or deselects the row of the cursor, in its tile.
func (p *Pane) Row() { p.flipTile(true, false) }

// Column selects or deselects the column of the cursor, in its tile.
func (p *Pane) Column() { p.flipTile(false, true) }

// Plane selects or deselects the tile or the page of the cursor.
func (p *Pane) Plane() { p.flipTile(true, true) }

func (p *Pane) flipTile(alongRow, alongColumn bool) {
	if p.at == nil {
		return
	}
	pl, v := p.at, p.at.view()
	l := &p.fit(p.w, p.h).layout
	near := v.index(pl.cursor)
	gx, gy := l.cell(v, near)
	x0, x1, y0, y1 := gx, gx, gy, gy
	if alongRow {
		x0 = gx / l.col.n * l.col.n
		x1 = x0 + l.col.n - 1
	}
	if alongColumn {
		y0 = gy / l.row.n * l.row.n
		y1 = y0 + l.row.n - 1
	}
	p.flip(func(f func(rank int)) {
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				l.each(v, near, x, y, func(index int) { f(int(v.ranks[index])) })
			}
		}
	})
}

// All selects every rank that is shown.
func (p *Pane) All() { p.selectWhere(func(int) bool { return true }) }

// None selects nothing, and reports whether something was selected.
func (p *Pane) None() bool {
	if p.at == nil || p.at.sel.n == 0 {
		return false
	}
	p.EndRectangle()
	p.at.sel.clear()
	p.at.version++
	return true
}

// Invert exchanges what is selected and what is not, of the ranks that are shown.
func (p *Pane) Invert() {
	if p.at == nil {
		return
	}
	p.EndRectangle()
	for _, rank := range p.at.view().ranks {
		p.at.sel.put(int(rank), !p.at.sel.has(int(rank)))
	}
	p.at.version++
}

// Same selects all ranks shown that are in the state of the one under the cursor; in HEAT in the worst of the group's.
func (p *Pane) Same() {
	if p.at == nil || !p.now.known {
		return
	}
	worst := uint8(0)
	p.underCursor(func(rank int) { worst = max(worst, p.now.codes[rank]) })
	p.selectWhere(func(rank int) bool { return p.now.codes[rank] == worst })
}

// selectWhere selects of the ranks that are shown those for which ok holds, and no others.
func (p *Pane) selectWhere(ok func(rank int) bool) {
	if p.at == nil {
		return
	}
	p.EndRectangle()
	p.at.sel.clear()
	for _, rank := range p.at.view().ranks {
		if ok(int(rank)) {
			p.at.sel.put(int(rank), true)
		}
	}
	p.at.version++
}

// Stride selects every n-th rank of those shown, from the cursor on.
func (p *Pane) Stride(n int) error {
	switch {
	case p.at == nil:
		return fmt.Errorf("no mesh is open")
	case n < 1:
		return fmt.Errorf("a stride of %d never moves: want 1 or more", n)
	}
	v := p.at.view()
	from := v.index(p.at.cursor)
	p.selectWhere(func(rank int) bool {
		i := v.index(rank)
		return i >= from && (i-from)%n == 0
	})
	return nil
}

// Store keeps the selection under a letter.
func (p *Pane) Store(letter rune) error {
	switch {
	case p.at == nil:
		return fmt.Errorf("no mesh is open")
	case !isLetter(letter):
		return fmt.Errorf("selections are stored under a letter, a to z or A to Z, not %q", letter)
	}
	p.at.stored[letter] = p.at.sel.clone()
	return nil
}

// Recall selects what was stored under a letter.
func (p *Pane) Recall(letter rune) error {
	if p.at == nil {
		return fmt.Errorf("no mesh is open")
	}
	s, ok := p.at.stored[letter]
	if !ok {
		return fmt.Errorf("nothing of %s is stored under %q: store a selection with \"%c first", p.at.name, letter, letter)
	}
	p.EndRectangle()
	p.set(s.clone())
	return nil
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
