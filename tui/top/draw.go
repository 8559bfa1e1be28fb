package top

import (
	"math"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// none stands for a figure that nothing tells.
const none = "–"

// Widths of parts, and of the pane from which on they are there.
const (
	sign      = 2
	nameLeast = 12
	nameMost  = 36
	stateWide = 8
	gapLeast  = 2 // between columns
	gapMost   = 5
	withSpan  = 72 // the frame tells of what time the figures are
)

// wide is the room for a column of figures.
func (c Column) wide() int {
	return [columns]int{Name: nameLeast, State: stateWide, Rate: 6, Busy: 5, Queue: 6, P50: 6, P99: 6, Handled: 8}[min(c, Handled)]
}

// order is in which columns come in as there is room for them.
func order() []Column { return []Column{Rate, Busy, Queue, P50, P99, State, Handled} }

// head is where the head of a column stands.
type head struct {
	col  Column
	x, w int
}

// figure is a cell as text.
func (r *row) figure(c Column) string {
	switch c {
	case Name:
		return r.label()
	case State:
		if r.word == "warning" {
			return "backlog"
		}
		return r.word
	case Rate:
		return rate(r.rate)
	case Busy:
		return share(r.busy)
	case Queue:
		return paint.Count(r.queue)
	case P50:
		return took(r.p50)
	case P99:
		return took(r.p99)
	default:
		return paint.Exact(min(r.handled, math.MaxInt64))
	}
}

func rate(v float64) string {
	switch {
	case v < 0:
		return none
	case v > 0 && v < 9.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return paint.Count(int(math.Round(v)))
}

func share(v float64) string {
	switch {
	case v < 0:
		return none
	case v > 0 && v < 0.01:
		return "<1%"
	}
	return strconv.Itoa(int(math.Round(100*v))) + "%"
}

func took(d time.Duration) string {
	if d < 0 {
		return none
	}
	return paint.Duration(d)
}

// look is the style of a figure: what is nothing steps back, what is too much stands out.
func (r *row) look(c Column, text string) paint.Style {
	switch {
	case text == none, text == "0", text == "0%":
		return paint.Style{Fg: paint.Muted}
	case c == Queue && r.queue >= world.Backlog*r.size:
		return paint.Style{Fg: paint.Warning}
	case c == Busy && r.busy >= 0.5:
		return paint.Style{Fg: paint.Busy}
	case c == State:
		return paint.Style{Fg: paint.Muted}
	}
	return paint.Style{Fg: paint.Text}
}

// layOut finds the columns that there is room for. They stand together at the left, with a little more between them where
// the pane is wide: figures that are far from their name belong to nobody.
func (p *Pane) layOut(width int) {
	name := nameLeast
	for i := range p.rows {
		if name = max(name, paint.Width(p.rows[i].label())); name >= nameMost {
			name = nameMost
			break
		}
	}
	few := 0 // the first figures come before the whole of a long name
	for _, c := range order()[:3] {
		few += c.wide() + gapLeast
	}
	name = min(name, max(nameLeast, width-sign-1-few))
	room, n := width-sign-1-name, 0
	shown := [columns]bool{Name: true}
	for _, c := range order() {
		if c.wide()+gapLeast > room {
			break
		}
		room -= c.wide() + gapLeast
		shown[c] = true
		n++
	}
	gap := gapLeast
	if n > 0 {
		gap += min(gapMost-gapLeast, room/n)
	}
	if n == 0 {
		name = max(0, width-sign)
	}
	p.heads = append(p.heads[:0], head{Name, sign, name})
	x := sign + name + gap
	for c := State; c < columns; c++ {
		if shown[c] {
			p.heads = append(p.heads, head{c, x, c.wide()})
			x += c.wide() + gap
		}
	}
}

// head is what stands over a column.
func (p *Pane) head(c Column) string {
	if c == Name && p.fold {
		return "mesh"
	}
	return c.String()
}

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	width, height := s.Size()
	p.w0 = width
	if width <= 0 || height <= 0 {
		return
	}
	foot := 0
	if !p.filter.Empty() && height >= 2 {
		foot = 1
	}
	p.bodyY = 0
	if height-foot >= 3 {
		p.bodyY = 1
	}
	p.win.Size = height - foot - p.bodyY
	p.sync(w)
	p.win.Fit(len(p.rows), p.win.Size)
	if foot > 0 {
		p.filter.Draw(s.In(paint.Rect{Y: height - 1, W: width, H: 1}), len(p.rows), p.total)
	}
	if len(p.rows) == 0 {
		p.empty(s.In(paint.Rect{W: width, H: height - foot}))
		return
	}
	p.layOut(width)
	if p.bodyY > 0 {
		p.drawHead(s)
	}
	from, to := p.win.Visible()
	body := s.In(paint.Rect{Y: p.bodyY, W: width, H: height - foot - p.bodyY})
	for i := range p.rows[from:to] {
		p.drawRow(body, i, &p.rows[from+i])
		if from+i == p.win.Cursor && focus {
			body.Restyle(paint.Rect{Y: i, W: width, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
}

// drawHead names the columns; the one that the rows are ordered by has a mark.
func (p *Pane) drawHead(s *paint.Surface) {
	for _, h := range p.heads {
		st, text := paint.Style{Fg: paint.Muted}, p.head(h.col)
		if h.col == p.by {
			st = paint.Style{Fg: paint.Accent, Attr: paint.Bold}
			switch h.col {
			case Name:
				text += " ▲"
			case State:
				text += " ▼"
			default:
				text = "▼" + text
			}
		}
		if h.col == Name || h.col == State {
			s.TextIn(h.x, 0, h.w, st, text)
		} else {
			s.TextRight(h.x+h.w, 0, st, text)
		}
	}
}

func (p *Pane) drawRow(s *paint.Surface, y int, r *row) {
	s.Text(0, y, paint.Style{Fg: paint.State(r.word)}, paint.Glyph(r.word))
	for _, h := range p.heads {
		text := r.figure(h.col)
		st := r.look(h.col, text)
		switch h.col {
		case Name:
			s.Line(h.x, y, p.filter.Segs(filter.Mesh, paint.FitMiddle(text, h.w), st)...)
		case State:
			s.TextIn(h.x, y, h.w, st, text)
		default:
			s.TextRight(h.x+h.w, y, st, text)
		}
	}
}

// empty says what would be here, and how it comes.
func (p *Pane) empty(s *paint.Surface) {
	if p.total > 0 {
		stream.DrawNothing(s, p.keys, stream.Hint{Text: "no actor gets through the filter"}, stream.Hint{Action: "back", Text: "clears its last term"})
		return
	}
	stream.DrawNothing(s, p.keys, stream.Hint{Text: "No actor runs."}, stream.Hint{Text: "What each handles, and how busy it is, comes here."}, stream.Hint{Action: "spawn", Text: "spawns actors"})
}

// Need is the room for all columns and rows.
func (p *Pane) Need(_, _ int) (cols, rows int) {
	if len(p.rows) == 0 {
		return 0, 0
	}
	name := nameLeast
	for i := range p.rows {
		name = min(nameMost, max(name, paint.Width(p.rows[i].label())))
	}
	cols = sign + name + 1
	for _, c := range order() {
		cols += c.wide() + gapLeast
	}
	return cols, len(p.rows) + 1
}
