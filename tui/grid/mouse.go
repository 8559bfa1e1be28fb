package grid

// Click moves the cursor to what is under the pointer. On the label of a row or a column it selects that, on a state of
// the legend all ranks in it.
func (p *Pane) Click(x, y int) { p.click(x, y, false) }

// ClickToggle moves the cursor and selects or deselects what is under the pointer.
func (p *Pane) ClickToggle(x, y int) { p.click(x, y, true) }

func (p *Pane) click(x, y int, toggle bool) {
	if p.at == nil || p.shown.place != p.at {
		return
	}
	p.EndRectangle()
	l := &p.shown.layout
	switch gx, gy, where := p.hit(x, y); where {
	case onCell, onRow, onColumn:
		v := p.at.view()
		index, ok := l.index(v, v.index(p.at.cursor), gx, gy)
		if !ok {
			return
		}
		p.at.cursor = int(v.ranks[index])
		p.moved()
		switch {
		case where == onRow:
			p.Row()
		case where == onColumn:
			p.Column()
		case toggle:
			p.Toggle()
		}
	case nowhere:
		for _, spot := range p.shown.states {
			if spot.Contains(x, y) {
				p.SelectState(spot.word)
			}
		}
	}
}

// SelectState selects all ranks shown that are in a state of the screens' vocabulary.
func (p *Pane) SelectState(word string) {
	if p.at == nil || !p.now.known {
		return
	}
	p.selectWhere(func(rank int) bool { return words[p.now.codes[rank]] == word })
}

// Drag selects the rectangle from the last click to the pointer, in place of what was selected.
func (p *Pane) Drag(x, y int) { p.drag(x, y, false) }

// DragAdd is Drag that keeps what was selected.
func (p *Pane) DragAdd(x, y int) { p.drag(x, y, true) }

func (p *Pane) drag(x, y int, add bool) {
	if p.at == nil || p.shown.place != p.at {
		return
	}
	gx, gy, where := p.hit(x, y)
	if where != onCell {
		return
	}
	pl, v := p.at, p.at.view()
	l := &p.shown.layout
	index, ok := l.index(v, v.index(pl.cursor), gx, gy)
	if !ok || pl.span == nil && int(v.ranks[index]) == pl.cursor {
		return
	}
	if pl.span == nil {
		if !add {
			pl.sel.clear()
		}
		p.beginSpan(false)
	}
	pl.cursor = int(v.ranks[index])
	p.moved()
}

// Wheel scrolls by lines where the grid is higher than the pane; the cursor goes along where it would be lost.
func (p *Pane) Wheel(lines int) {
	if p.at == nil {
		return
	}
	l, v := &p.fit(p.w, p.h).layout, p.at.view()
	if l.tiled() || l.rowsShown >= l.row.n || l.rowsShown == 0 {
		return
	}
	p.at.top = max(0, min(p.at.top+lines*l.tall, l.row.n-l.rowsShown))
	near := v.index(p.at.cursor)
	gx, gy := l.cell(v, near)
	gy = max(p.at.top, min(gy, p.at.top+l.rowsShown-1))
	if index, ok := l.near(v, near, gx, gy, true); ok {
		p.at.cursor = int(v.ranks[index])
	}
	p.moved()
}

// OnSlice tells whether the text of the selection is under the pointer: a click there edits it.
func (p *Pane) OnSlice(_, y int) bool { return p.at != nil && p.shown.slice >= 0 && y == p.shown.slice }

type hit int

const (
	nowhere hit = iota
	onCell
	onRow
	onColumn
)

// hit is the cell under a place of the pane, or the one whose label is there.
func (p *Pane) hit(x, y int) (gx, gy int, where hit) {
	l := &p.shown.layout
	y -= p.shown.y
	l.tiles(p.at, func(t tile) {
		cx, cy := x-t.x, y-t.y
		col, row := t.left+cx/max(1, l.pitch), t.top+cy*l.tall // a blank between two cells belongs to the one before
		inX := cx >= 0 && cx < (t.cols-1)*l.pitch+l.box && col < t.left+t.cols
		inY := cy >= 0 && row < t.top+t.rows
		switch {
		case inX && inY:
			gx, gy, where = t.tx*l.col.n+col, t.ty*l.row.n+row, onCell
			if l.density == Half { // of the two ranks in the cell the cursor moves to the upper, then to the lower one
				if cgx, cgy := l.cell(p.at.view(), p.at.view().index(p.at.cursor)); cgx == gx && cgy == gy && row+1 < t.top+t.rows {
					gy++
				}
			}
		case inX && cy == -1 && l.head > 0:
			gx, gy, where = t.tx*l.col.n+col, t.ty*l.row.n+t.top, onColumn
		case inY && l.labelText > 0 && cx < 0 && cx >= -l.label && (t.tx == 0 || l.ownLabels):
			gx, gy, where = t.tx*l.col.n+t.left, t.ty*l.row.n+row, onRow
		}
	})
	return gx, gy, where
}
