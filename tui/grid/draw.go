package grid

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// drawn is where things were drawn, for clicks.
type drawn struct {
	place  *place
	layout layout
	y      int // line of the grid
	slice  int // line of the slice's text, -1 without
	legend int // first line of the legend
	states []legendSpot
}

type legendSpot struct {
	paint.Rect
	word string
}

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	p.w, p.h = s.Size()
	p.shown = drawn{slice: -1}
	if p.w <= 0 || p.h <= 0 {
		return
	}
	if !p.sync(w) {
		p.drawNothing(s, w)
		return
	}
	plan := p.fit(p.w, p.h)
	a, l := plan.around, &plan.layout
	p.shown.place, p.shown.layout = p.at, *l
	y := 0
	if a.head {
		p.drawHead(s, l)
		y++
	}
	p.shown.y = y
	height := min(p.h-a.lines(), l.stepY()*l.down.n-l.gapY)
	if !l.tiled() {
		height = min(p.h-a.lines(), l.head+(l.rowsShown+l.tall-1)/l.tall)
	}
	grid := s.In(paint.Rect{X: 0, Y: y, W: p.w, H: max(0, height)})
	if l.density == Heat {
		p.drawHeat(grid, l, focus)
	} else {
		p.drawCells(grid, l, focus)
	}
	p.drawFoot(s, w, a, y+height)
}

func (p *Pane) drawNothing(s *paint.Surface, w *world.World) {
	lines := []string{"No mesh is open here."}
	switch {
	case p.at != nil:
		lines = []string{p.at.name + " is no longer known to this session."}
	case len(w.Meshes) == 0:
		if how := strings.TrimPrefix(p.keys.Hint(", %s creates a proc mesh", "procs")+p.keys.Hint(", %s spawns actors on it", "spawn"), ", "); how != "" {
			lines = append(lines, "", how+".")
		}
		if !p.NoDemos {
			lines = append(lines, ":demo pingpong shows some at work.")
		}
	default:
		lines = append(lines, "", "Pick an actor mesh"+p.keys.Hint(" in [%s]", "pane.1")+p.keys.Hint(" and press %s", "open")+".")
	}
	y := max(0, (p.h-len(lines))/3)
	for _, text := range lines {
		for _, line := range paint.Wrap(text, max(1, p.w-2)) {
			s.Text(1, y, paint.Style{Fg: paint.Muted}, line)
			y++
		}
	}
}

// tile is one tile of the grid on the screen.
type tile struct {
	tx, ty     int
	x, y       int // of the first cell
	left, top  int // first cell that is shown
	cols, rows int // cells that are shown
}

// tiles yields the tiles, with the place of their first cells.
func (l *layout) tiles(pl *place, yield func(tile)) {
	for ty := range l.down.n {
		for tx := range l.across.n {
			t := tile{tx: tx, ty: ty, x: l.label + tx*l.stepX(), y: l.head + ty*l.stepY(), cols: l.col.n, rows: l.row.n}
			if !l.tiled() {
				t.left, t.top, t.cols, t.rows = pl.left, pl.top, l.colsShown, l.rowsShown
			}
			yield(t)
		}
	}
}

// drawCells draws LABEL, DOT and HALF.
func (p *Pane) drawCells(s *paint.Surface, l *layout, focus bool) {
	pl, v := p.at, p.at.view()
	near := v.index(pl.cursor)
	gx, gy := l.cell(v, near)
	l.tiles(pl, func(t tile) {
		p.drawLabels(s, l, t, gx, gy)
		for r := 0; r < t.rows; r += l.tall {
			line := t.ty*l.row.n + t.top + r
			at := l.run(v, near, t.tx, line)
			y := t.y + r/l.tall
			switch l.density {
			case Half:
				var low run
				if r+1 < t.rows {
					low = l.run(v, near, t.tx, line+1)
				}
				p.drawHalf(s, t, at, low, y)
			case Label:
				p.drawLabelRow(s, l, t, at, y)
			case Auto, Dot, Heat:
				p.drawDots(s, l, t, at, y)
			}
		}
	})
	p.drawCursor(s, l, gx, gy, focus)
}

// cellStyle is how a rank looks.
func (p *Pane) cellStyle(rank int32) (look uint8, st paint.Style) {
	look = p.look(rank)
	st.Fg = roles[look]
	if p.at.sel.has(int(rank)) {
		st.Bg = paint.Selection
	}
	if look != lookOther && p.now.other[rank] { // what it does is told by the sign
		st.Attr |= paint.Underline
	}
	return look, st
}

// drawDots draws one row of signs. Blanks have the style of the sign before them, so that equal ranks are one run.
func (p *Pane) drawDots(s *paint.Surface, l *layout, t tile, at run, y int) {
	v := p.at.view()
	index, x := at.first+t.left*at.step, t.x
	for c := t.left; c < min(t.left+t.cols, at.n); c++ {
		look, st := p.cellStyle(v.ranks[index])
		word := p.cells[l.pitch][look]
		index += at.step
		if last := c+1 == min(t.left+t.cols, at.n); st.Bg != paint.Default && l.pitch != 3 &&
			(last || !p.at.sel.has(int(v.ranks[index]))) { // the bar of a selection ends with its last rank
			word = word[:len(word)-1]
		}
		s.Word(x, y, st, word)
		x += l.pitch
	}
}

// drawHalf draws two rows of ranks on one line.
func (p *Pane) drawHalf(s *paint.Surface, t tile, high, low run, y int) {
	v := p.at.view()
	for c := t.left; c < t.left+t.cols; c++ {
		st, word := paint.Style{}, p.half[0]
		if c < high.n {
			word = p.half[1]
			st.Fg, st.Attr = p.halfRole(v.ranks[high.first+c*high.step], st.Attr)
		}
		if c < low.n {
			st.Bg, st.Attr = p.halfRole(v.ranks[low.first+c*low.step], st.Attr)
		}
		s.Word(t.x+c-t.left, y, st, word)
	}
}

// halfRole is the colour of a rank in HALF: idle ranks step back, and shine where they are selected; of selected ones
// that are not idle the state stays, and a line tells.
func (p *Pane) halfRole(rank int32, attr paint.Attr) (paint.Role, paint.Attr) {
	look, selected := p.look(rank), p.at.sel.has(int(rank))
	switch {
	case look != 0 && look != lookUnknown && selected:
		return roles[look], attr | paint.Underline
	case look != 0 && look != lookUnknown:
		return roles[look], attr
	case selected:
		return paint.Accent, attr
	}
	return paint.Faint, attr
}

// drawLabelRow draws one row of numbers, with the signs of those that are not idle.
func (p *Pane) drawLabelRow(s *paint.Surface, l *layout, t tile, at run, y int) {
	v := p.at.view()
	for c := t.left; c < min(t.left+t.cols, at.n); c++ {
		rank := v.ranks[at.first+c*at.step]
		look, st := p.cellStyle(rank)
		text := paint.PadLeft(strconv.Itoa(int(rank)), l.digits+1)
		if look != 0 {
			text += p.signs[look]
		} else {
			text += " "
		}
		s.Text(t.x+(c-t.left)*l.pitch, y, st, text)
	}
}

// drawCursor marks the cell of the cursor: with brackets where there is room for them.
func (p *Pane) drawCursor(s *paint.Surface, l *layout, gx, gy int, focus bool) {
	x, y, ok := p.place(l, gx, gy)
	if !ok {
		return
	}
	rank := p.at.cursor
	mark := paint.Style{Fg: paint.Muted, Attr: paint.Bold}
	if focus {
		mark.Fg = paint.Accent
	}
	if p.at.sel.has(rank) {
		mark.Bg = paint.Selection
	}
	width := 3
	switch l.density {
	case Half:
		s.Restyle(paint.Rect{X: x, Y: y, W: 1, H: 1}, func(st paint.Style) paint.Style {
			if gy%l.row.n%2 == 0 {
				st.Fg = paint.Text
			} else {
				st.Bg = paint.Text
			}
			return st.With(paint.Underline)
		})
		return
	case Label:
		n := len(strconv.Itoa(rank))
		x += l.digits - n
		width = n + 2
		if p.look(int32(rank)) != 0 {
			width++
		}
	case Heat:
		return
	case Auto, Dot:
		if l.pitch < 3 {
			s.Restyle(paint.Rect{X: x, Y: y, W: 1, H: 1}, func(st paint.Style) paint.Style {
				if st.Bg == paint.Default {
					st.Bg = paint.Cursor
				}
				return st.With(paint.Underline | paint.Bold)
			})
			return
		}
	}
	s.Text(x, y, mark, "[")
	s.Text(x+width-1, y, mark, "]")
}

// place is where a cell is on the surface of the grid, and whether it is shown.
func (p *Pane) place(l *layout, gx, gy int) (x, y int, ok bool) {
	c, r := gx%l.col.n, gy%l.row.n
	if !l.tiled() {
		c, r = c-p.at.left, r-p.at.top
		if c < 0 || r < 0 || c >= l.colsShown || r >= l.rowsShown {
			return 0, 0, false
		}
	}
	return l.label + gx/l.col.n*l.stepX() + c*l.pitch, l.head + gy/l.row.n*l.stepY() + r/l.tall, true
}
