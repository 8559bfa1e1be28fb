package grid

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// group is what the ranks of one cell do.
type group struct {
	n, selected int32
	count       [nStates]int32
	figure      float32 // the largest; NaN where none is measured
}

// groups are the groups of a layout, counted once per change.
type groups struct {
	key   groupKey
	cells []group
}

type groupKey struct {
	view    *view
	rev     uint64
	sel     int
	col     piece
	row     piece
	codesOf *uint8
	measure Measure
}

// count counts the groups, where anything has changed since the last time.
func (p *Pane) count(l *layout) []group {
	pl, v := p.at, p.at.view()
	k := groupKey{view: v, rev: p.now.rev, sel: pl.version, col: l.col, row: l.row, codesOf: &p.now.codes[0], measure: p.now.measure}
	if p.groups.key == k {
		return p.groups.cells
	}
	n := l.cols() * l.rows()
	if cap(p.groups.cells) < n {
		p.groups.cells = make([]group, n)
	}
	cells := p.groups.cells[:n]
	clear(cells)
	for index, rank := range v.ranks {
		gx, gy := l.cell(v, index)
		g := &cells[gy*l.cols()+gx]
		if g.n++; p.now.measure != States {
			g.measure(p.now.of[rank], g.n == 1)
		}
		g.count[p.now.codes[rank]]++
		if pl.sel.has(int(rank)) {
			g.selected++
		}
	}
	p.groups = groups{k, cells}
	return cells
}

// measure takes the figure of one more rank.
func (g *group) measure(v float32, first bool) {
	if first || isNone(g.figure) || v > g.figure {
		g.figure = v
	}
}

// states are the state that most of a group have and the one that it shows as a whole, if that is another.
func (g *group) states() (most, worst int) {
	whole := uint8(world.Gone)
	for code, n := range g.count {
		if n > 0 {
			whole = world.Graver(whole, uint8(code))
		}
	}
	worst = int(whole)
	most = worst
	for code, n := range g.count {
		if code != worst && n > 0 && (most == worst || n > g.count[most]) {
			most = code
		}
	}
	return most, worst
}

// drawHeat draws a cell per group: 62· where all are alike, 60●2✕ where some are worse than the most.
func (p *Pane) drawHeat(s *paint.Surface, l *layout, focus bool) {
	pl, v := p.at, p.at.view()
	cells := p.count(l)
	gx, gy := l.cell(v, v.index(pl.cursor))
	l.tiles(pl, func(t tile) {
		p.drawLabels(s, l, t, gx, gy)
		for r := range t.rows {
			for c := range t.cols {
				at := (t.top+r)*l.cols() + t.left + c
				if cells[at].n > 0 {
					p.drawGroup(s, l, &cells[at], t.x+c*l.pitch, t.y+r, focus, t.left+c == gx && t.top+r == gy)
				}
			}
		}
	})
}

func (p *Pane) drawGroup(s *paint.Surface, l *layout, g *group, x, y int, focus, cursor bool) {
	most, worst := g.states()
	base := paint.Style{}
	switch g.selected {
	case 0:
	case g.n:
		base.Bg = paint.Selection
	default:
		base.Attr = paint.Underline
	}
	end := x + 1
	put := func(code int) {
		st := base
		st.Fg = roles[code]
		end = s.Text(end, y, st, paint.Count(int(g.count[code]))+paint.Glyph(words[code]))
	}
	if p.now.measure != States && !isNone(g.figure) {
		end = p.drawFigure(s, l, g, end, y, base, worst)
		p.drawGroupCursor(s, x, y, end, base, focus, cursor)
		return
	}
	if l.pair && most == world.Gone && worst != most { // what lives comes first
		most, worst = worst, most
	}
	if l.pair && most != worst {
		put(most)
	}
	put(worst)
	p.drawGroupCursor(s, x, y, end, base, focus, cursor)
}

// drawFigure draws the largest figure of a group, its number where there is room for it, and the sign of those that do not run.
func (p *Pane) drawFigure(s *paint.Surface, l *layout, g *group, x, y int, st paint.Style, worst int) (end int) {
	look := p.now.level(g.figure)
	number, sign := paint.Count(int(g.figure+0.5)), ""
	if notRunning(worst) {
		sign = paint.Glyph(words[worst])
	}
	st.Fg = roles[look]
	if len(number)+1+paint.Width(sign) <= l.box-2 {
		x = s.Text(x, y, st, number)
	}
	x = s.Text(x, y, st, p.signs[look])
	st.Fg = roles[worst]
	return s.Text(x, y, st, sign)
}

func (p *Pane) drawGroupCursor(s *paint.Surface, x, y, end int, base paint.Style, focus, cursor bool) {
	if !cursor {
		return
	}
	mark := paint.Style{Fg: paint.Muted, Bg: base.Bg, Attr: paint.Bold}
	if focus {
		mark.Fg = paint.Accent
	}
	s.Text(x, y, mark, "[")
	s.Text(end, y, mark, "]")
}

// groupStates is what the ranks of a group do: 1 failed, 9 busy, 54 idle.
func (p *Pane) groupStates(g *group) string {
	var parts []string
	for code := nStates - 1; code >= 0; code-- {
		if n := g.count[code]; n > 0 {
			parts = append(parts, paint.Exact(int(n))+" "+p.called(code))
		}
	}
	if p.now.measure != States && !isNone(g.figure) {
		parts = append(parts, "at most "+p.now.measure.text(float64(g.figure)))
	}
	return strings.Join(parts, ", ")
}

// groupText tells which ranks are in the group under the cursor: dp=0:8 tp=3.
func (l *layout) groupText(v *view, index int) string {
	var parts []string
	for d, a := range v.dims {
		from, to := l.inGroup(v, index, d)
		switch to - from {
		case a.size:
			continue
		case 1:
			parts = append(parts, a.name+"="+strconv.Itoa(a.own(from)))
		default:
			parts = append(parts, a.name+"="+strconv.Itoa(a.own(from))+":"+strconv.Itoa(a.own(to-1)+1))
		}
	}
	return strings.Join(parts, " ")
}
