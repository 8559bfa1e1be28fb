package grid

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// drawLabels draws what stands above and beside a tile. The row and the column of the cursor are bold.
func (p *Pane) drawLabels(s *paint.Surface, l *layout, t tile, gx, gy int) {
	here := gx/l.col.n == t.tx && gy/l.row.n == t.ty
	if l.head == 2 {
		p.drawTileName(s, l, t, here)
	}
	if l.head > 0 {
		c := -1
		if gx/l.col.n == t.tx {
			c = gx % l.col.n
		}
		p.drawColumns(s, l, t, c)
	}
	if l.labelText == 0 || t.tx > 0 && !l.ownLabels {
		return
	}
	r := -1
	if gy/l.row.n == t.ty && (!l.ownLabels || here) {
		r = gy % l.row.n
	}
	p.drawRows(s, l, t, r)
}

func label(on bool) paint.Style {
	if on {
		return paint.Style{Fg: paint.Text, Attr: paint.Bold}
	}
	return paint.Style{Fg: paint.Muted}
}

// drawTileName writes pp 1 above a tile, and vp 0  pp 1, as the head names them, where tiles go down too.
func (p *Pane) drawTileName(s *paint.Surface, l *layout, t tile, here bool) {
	at := map[int]int{}
	for _, q := range [...]struct {
		piece
		i int
	}{{l.down, t.ty}, {l.across, t.tx}} {
		if q.dim >= 0 {
			at[q.dim] += q.i * q.div
		}
	}
	var names, places []string
	for _, q := range [...]piece{l.down, l.across} {
		i, ok := at[q.dim]
		if !ok {
			continue
		}
		delete(at, q.dim)
		dim := p.at.view().dims[q.dim]
		if i >= dim.size {
			return
		}
		place := strconv.Itoa(dim.own(i))
		if name := p.hostName(dim, i); name != "" {
			place = name
		}
		names, places = append(names, dim.name), append(places, place)
	}
	pad := 0
	if l.box >= 3 {
		pad = 1
	}
	room := l.tileWidth() + l.gapX - 1 - pad
	s.TextIn(t.x+pad, t.y-2, room, label(here), tileName(names, places, room))
}

// tileName is vp 0  pp 1, or as much of it as there is room for.
func tileName(names, places []string, room int) string {
	var text string
	for _, form := range [...]struct{ between, after string }{{" ", "  "}, {" ", " "}, {"", " "}} {
		text = ""
		for i, name := range names {
			if i > 0 {
				text += form.after
			}
			text += name + form.between + places[i]
		}
		if paint.Width(text)+len(form.after) <= room { // the next tile's name has to stand farther off
			return text
		}
	}
	return strings.Join(places, ",")
}

// drawColumns writes the indices of columns, as many as have room.
func (p *Pane) drawColumns(s *paint.Surface, l *layout, t tile, cursor int) {
	if l.col.dim < 0 {
		return
	}
	dim := p.at.view().dims[l.col.dim]
	if l.row.dim == l.col.dim { // a row's label has the rest of it
		dim.base = 0
	}
	width := len(strconv.Itoa(dim.own((l.col.n - 1) * l.col.div)))
	named := namesWidth(dim, p.now.hosts)
	if named > 0 && named < l.pitch && l.row.dim != l.col.dim { // there is room for each
		width = named
	} else {
		named = 0
	}
	step := 1
	for step*l.pitch < width+1 {
		step *= 2
	}
	if l.pitch == 1 {
		step = max(step, 8)
	}
	x := t.x
	if l.box >= 3 {
		x++
	}
	if name := dim.name; p.w >= wideFrom && l.row.dim != l.col.dim && l.label > 0 && t.tx == 0 && paint.Width(name) <= x-2 {
		s.TextRight(x-1, t.y-1, label(false), name)
	}
	for c := t.left; c < t.left+t.cols; c++ {
		if c != cursor && (c%step != 0 || cursor%step != 0 && max(c-cursor, cursor-c)*l.pitch <= width && cursor >= 0) {
			continue
		}
		text, at := strconv.Itoa(dim.own(c*l.col.div)), x+(c-t.left)*l.pitch
		if named > 0 {
			text = p.hostName(dim, c*l.col.div)
		}
		if l.density == Label {
			at += max(0, l.digits-paint.Width(text))
		}
		s.Text(at, t.y-1, label(c == cursor), text)
	}
}

// drawRows writes the indices of rows.
func (p *Pane) drawRows(s *paint.Surface, l *layout, t tile, cursor int) {
	dim := p.at.view().dims[l.row.dim]
	wide := p.w >= wideFrom
	name := l.rowName(dim.name, wide)
	base := 0
	if l.across.dim == l.row.dim {
		base = t.tx * l.across.div
	}
	for r := 0; r < t.rows; r += l.tall {
		i := base + (t.top+r)*l.row.div
		if i >= dim.size {
			return
		}
		text := rowLabel(name, dim.own(i), wide)
		if l.named {
			text = p.hostName(dim, i)
		}
		text = paint.Pad(text, l.labelText)
		s.Text(t.x-l.label+1, t.y+r/l.tall, label((t.top+r)/l.tall == cursor/l.tall && cursor >= 0), text)
	}
}
