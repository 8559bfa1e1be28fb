package grid

import (
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Up moves the cursor by n cells.
func (p *Pane) Up(n int) { p.move(0, -n, false) }

// Down moves the cursor by n cells.
func (p *Pane) Down(n int) { p.move(0, n, false) }

// Left moves the cursor by n cells.
func (p *Pane) Left(n int) { p.move(-n, 0, false) }

// Right moves the cursor by n cells.
func (p *Pane) Right(n int) { p.move(n, 0, false) }

// ExtendUp moves the cursor and selects the rectangle from where the first of such moves began, as do its siblings.
func (p *Pane) ExtendUp(n int) { p.move(0, -n, true) }

// ExtendDown is ExtendUp downwards.
func (p *Pane) ExtendDown(n int) { p.move(0, n, true) }

// ExtendLeft is ExtendUp to the left.
func (p *Pane) ExtendLeft(n int) { p.move(-n, 0, true) }

// ExtendRight is ExtendUp to the right.
func (p *Pane) ExtendRight(n int) { p.move(n, 0, true) }

// Home moves to the first rank that is shown.
func (p *Pane) Home() { p.jump(0) }

// End moves to the last rank that is shown.
func (p *Pane) End() {
	if p.at != nil {
		p.jump(p.at.view().len() - 1)
	}
}

// Page moves the cursor by n half heights of the grid.
func (p *Pane) Page(n int) {
	if p.at != nil {
		l := &p.fit(p.w, p.h).layout
		p.move(0, n*max(1, l.rowsShown/2), false)
	}
}

func (p *Pane) jump(index int) {
	if p.at == nil {
		return
	}
	p.at.cursor = int(p.at.view().ranks[index])
	p.moved()
}

func (p *Pane) move(dx, dy int, extend bool) {
	if p.at == nil {
		return
	}
	pl, v := p.at, p.at.view()
	switch {
	case extend && pl.span == nil:
		p.beginSpan(false)
	case !extend && pl.span != nil && !pl.span.sticky:
		pl.span = nil
	}
	l := &p.fit(p.w, p.h).layout
	near := v.index(pl.cursor)
	gx, gy := l.cell(v, near)
	if index, ok := l.near(v, near, gx+dx, gy+dy, dy != 0); ok {
		pl.cursor = int(v.ranks[index])
	}
	p.moved()
}

// near is the index of a cell, or of the closest one where the grid ends before it.
func (l *layout) near(v *view, at, gx, gy int, down bool) (int, bool) {
	gx, gy = max(0, min(gx, l.cols()-1)), max(0, min(gy, l.rows()-1))
	for {
		if index, ok := l.index(v, at, gx, gy); ok {
			return index, true
		}
		switch { // the last row and the last block of a wrapped dimension may be short
		case down && gx%l.col.n > 0:
			gx--
		case down && gy > 0:
			gy--
		case gx > 0:
			gx--
		default:
			return 0, false
		}
	}
}

// moved brings what follows the cursor up to date.
func (p *Pane) moved() {
	p.fit(p.w, p.h)
	p.at.reveal()
	if p.at.span != nil {
		p.applySpan()
	}
}

// reveal scrolls until the cursor is shown.
func (pl *place) reveal() {
	l, v := &pl.plan.layout, pl.view()
	if l.tiled() || l.col.n == 0 {
		pl.top, pl.left = 0, 0
		return
	}
	gx, gy := l.cell(v, v.index(pl.cursor))
	pl.left = into(pl.left, gx, l.colsShown, l.col.n)
	pl.top = into(pl.top, gy, l.rowsShown, l.row.n)
	pl.top -= pl.top % l.tall
	if pl.top+l.rowsShown <= gy && l.rowsShown > 0 {
		pl.top += l.tall
	}
}

// into scrolls a window of size cells from the first one until it holds at.
func into(first, at, size, total int) int {
	if at >= first+size {
		first = at - size + 1
	}
	return max(0, min(first, at, total-size))
}

// NextPage turns n pages of the dimensions that are shown one index at a time.
func (p *Pane) NextPage(n int) {
	if p.at == nil {
		return
	}
	pl, v := p.at, p.at.view()
	l := &p.fit(p.w, p.h).layout
	index := v.index(pl.cursor)
	total, at := 1, 0
	for _, dim := range slices.Backward(l.pages) {
		at = at*v.dims[dim].size + v.coord(index, dim)
		total *= v.dims[dim].size
	}
	to := max(0, min(at+n, total-1))
	for _, dim := range l.pages {
		a := v.dims[dim]
		index += (to%a.size - v.coord(index, dim)) * a.stride
		to /= a.size
	}
	pl.cursor = int(v.ranks[index])
	p.moved()
}

// Transpose exchanges the axes.
func (p *Pane) Transpose() {
	if row, col, ok := p.Axes(); ok {
		p.axes(col, row)
	}
}

// Axes are the dimensions of rows and columns; a mesh with less than two dimensions has none.
func (p *Pane) Axes() (row, col string, ok bool) {
	if p.at == nil {
		return "", "", false
	}
	v := p.at.view()
	l := &p.fit(p.w, p.h).layout
	if l.row.dim < 0 || l.row.dim == l.col.dim {
		return "", "", false
	}
	return v.dims[l.row.dim].name, v.dims[l.col.dim].name, true
}

// SetAxes picks the dimensions of rows and columns.
func (p *Pane) SetAxes(row, col string) error {
	if p.at == nil {
		return fmt.Errorf("no mesh is open")
	}
	e := p.at.view().region.Extent()
	for _, name := range []string{row, col} {
		if _, ok := e.Size(name); !ok {
			return fmt.Errorf("no dimension %s in %s", name, e)
		}
	}
	if row == col {
		return fmt.Errorf("rows and columns cannot both be %s", row)
	}
	p.axes(row, col)
	return nil
}

// CycleAxes picks the next two dimensions for rows and columns.
func (p *Pane) CycleAxes() {
	row, col, ok := p.Axes()
	if !ok {
		return
	}
	var pairs [][2]string
	dims := p.at.view().dims
	for i := range dims {
		for j := i + 1; j < len(dims); j++ {
			if dims[i].size > 1 && dims[j].size > 1 {
				pairs = append(pairs, [2]string{dims[i].name, dims[j].name})
			}
		}
	}
	at := slices.IndexFunc(pairs, func(q [2]string) bool { return q == [2]string{row, col} || q == [2]string{col, row} })
	if len(pairs) > 0 {
		next := pairs[(at+1)%len(pairs)]
		p.axes(next[0], next[1])
	}
}

func (p *Pane) axes(row, col string) {
	p.EndRectangle()
	p.at.row, p.at.col = row, col
	p.moved()
}

// Enter zooms into the group under the cursor, and reports whether there was one to zoom into.
func (p *Pane) Enter() bool {
	if p.at == nil {
		return false
	}
	l := &p.fit(p.w, p.h).layout
	if l.density != Heat || l.group < 2 {
		return false
	}
	pl, v := p.at, p.at.view()
	near := v.index(pl.cursor)
	var sel []shape.Sel
	for d, a := range v.dims {
		switch from, to := l.inGroup(v, near, d); {
		case to-from == a.size:
		case to-from == 1 && l.row.dim != l.col.dim:
			sel = append(sel, shape.At(a.name, from))
		default:
			sel = append(sel, shape.Span(a.name, from, to))
		}
	}
	region, err := v.region.Slice(sel...)
	if err != nil || region.Len() == v.len() {
		return false
	}
	p.push(region)
	return true
}

// Narrow shows a part of the mesh, such as the slice that a reference stands for. Ranks keep their own numbers.
func (p *Pane) Narrow(part shape.Region) error {
	if p.at == nil {
		return fmt.Errorf("no mesh is open")
	}
	if err := part.Validate(); err != nil {
		return fmt.Errorf("show a part of %s: %w", p.at.name, err)
	}
	if n := part.Len(); n > p.at.n || part.RankAt(n-1) >= p.at.n {
		return fmt.Errorf("show a part of %s: it has ranks that %s has not", p.at.name, p.at.name)
	}
	p.push(part)
	return nil
}

func (p *Pane) push(region shape.Region) {
	p.EndRectangle()
	pl := p.at
	pl.views = append(pl.views, newView(region, pl.region))
	if !pl.view().holds(pl.cursor) {
		pl.cursor = int(pl.view().ranks[0])
	}
	p.moved()
}

// Back zooms out by one step, and reports whether there was one.
func (p *Pane) Back() bool {
	if p.at == nil || len(p.at.views) < 2 {
		return false
	}
	p.EndRectangle()
	p.at.pop()
	p.moved()
	return true
}
