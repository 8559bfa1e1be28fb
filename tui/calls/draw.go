package calls

import (
	"time"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/warn"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// sign is the room for the sign of a row.
const sign = 2

// Widths at which columns come in.
const (
	withAdverb = 84
	withID     = 60
	withClient = 44
)

// idWide is the room for the number of a call.
const idWide = 7

// late is from when on the age of a call is drawn as one that is noticed.
const late = 5 * time.Second

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	width, height := s.Size()
	if width != p.w0 {
		p.w0, p.from, p.to = width, 0, 0
	}
	if width <= 0 || height <= 0 {
		return
	}
	p.bodyY = 0
	if height >= 5 {
		p.bodyY = 1
	}
	p.win.Size = height - p.bodyY
	p.sync(w)
	p.win.Fit(len(p.rows), p.win.Size)
	if len(p.rows) == 0 {
		stream.DrawNothing(s, p.keys, stream.Hint{Text: "No call is open: all have been answered."}, stream.Hint{Action: "call", Text: "calls an endpoint of the selected ranks"})
		return
	}
	from, to := p.win.Visible()
	rows := p.rows[from:to]
	for _, r := range rows {
		p.from = max(p.from, min(paint.Width(client(r.call)), max(9, width*22/100)))
		p.to = max(p.to, paint.Width(target(w, r.call)))
	}
	c := p.columns(width)
	if p.bodyY > 0 {
		c.header(s)
	}
	body := s.In(paint.Rect{Y: p.bodyY, W: width, H: height - p.bodyY})
	for i, r := range rows {
		if r.part < 0 {
			p.drawCall(body, c, i, r)
		} else {
			p.drawPart(body, width, i, r)
		}
		if from+i == p.win.Cursor && focus {
			body.Restyle(paint.Rect{Y: i, W: width, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
}

// columns are where the columns begin and how wide they are; one without width is not shown.
type columns struct{ id, from, to, adverb, done, age [2]int }

func (p *Pane) columns(w int) columns {
	var c columns
	x := sign
	put := func(at *[2]int, width int) {
		*at = [2]int{x, width}
		x += width + 2
	}
	c.age = [2]int{max(0, w-7), 7}
	done := 12
	if w < withClient {
		done = 0
	}
	right := w - 7 - 2
	if done > 0 {
		right -= done + 2
	}
	if w >= withID {
		put(&c.id, idWide)
	}
	if w >= withClient {
		put(&c.from, p.from)
	}
	adverb := 0
	if w >= withAdverb {
		adverb = 9
	}
	room := right - x
	if adverb > 0 {
		room -= adverb + 2
	}
	put(&c.to, max(0, min(room, p.to)))
	if w < withClient {
		c.to[1] = max(0, room)
	}
	if adverb > 0 {
		put(&c.adverb, adverb)
	}
	if done > 0 {
		put(&c.done, done)
	}
	c.age[0] = min(c.age[0], x)
	if w < withClient {
		c.age[0] = w - 7
	}
	return c
}

func (c columns) header(s *paint.Surface) {
	st := paint.Style{Fg: paint.Muted}
	for _, h := range []struct {
		at   [2]int
		name string
	}{{c.id, "   call"}, {c.from, "from"}, {c.to, "to"}, {c.adverb, "how"}, {c.done, "answered"}, {c.age, "   open"}} {
		s.TextIn(h.at[0], 0, h.at[1], st, h.name)
	}
}

func (p *Pane) drawCall(s *paint.Surface, c columns, y int, r row) {
	text, muted := paint.Style{Fg: paint.Text}, paint.Style{Fg: paint.Muted}
	mark := "▸"
	if p.open[r.id] {
		mark = "▾"
	}
	s.Text(0, y, muted, mark)
	put := func(at [2]int, st paint.Style, t string) { s.TextIn(at[0], y, at[1], st, t) }
	put(c.id, muted, paint.PadLeft(world.CallName(r.id), idWide))
	put(c.from, text, paint.FitMiddle(client(r.call), c.from[1]))
	put(c.to, text, paint.FitMiddle(target(p.w, r.call), c.to[1]))
	put(c.adverb, muted, r.call.Adverb.String())
	age := p.w.Now.Sub(r.call.Started)
	st := muted
	if p.pace.Straggles(r.call, p.w.Now, warn.Config{}) {
		put(c.done, paint.Style{Fg: paint.Warning}, "▲ "+p.progress(r.call))
		st.Fg = paint.Warning
	} else {
		put(c.done, text, p.progress(r.call))
	}
	if age > late {
		st.Fg = paint.Warning
	}
	put(c.age, st, paint.PadLeft(duration(age), 7))
}

func (p *Pane) drawPart(s *paint.Surface, width, y int, r row) {
	word, glyph, role := r.of.kind.look()
	x := sign + 2
	x = s.Text(x, y, paint.Style{Fg: role}, glyph) + 1
	wide := 13
	if width < withClient {
		wide = 9
	}
	s.TextIn(x, y, wide, paint.Style{Fg: paint.Text}, word)
	x += wide + 1
	x = s.Text(x, y, paint.Style{Fg: paint.Muted}, paint.PadLeft(paint.Exact(len(r.of.ranks)), 5)) + 2
	note := r.of.note(p.w.Now)
	room := width - x
	if n := paint.Width(note); n > 0 && room > n+8 {
		room -= n + 2
	} else {
		note = ""
	}
	x = s.TextIn(x, y, room, paint.Style{Fg: paint.Text}, shape.FormatRanks(r.of.ranks))
	s.Text(x+2, y, paint.Style{Fg: paint.Muted}, note)
}
