package messages

import (
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	p.w0, p.h0 = s.Size()
	width, height := p.w0, p.h0
	if width <= 0 || height <= 0 {
		return
	}
	head, foot := 0, 0
	if height >= 5 || p.tab == Flow && height >= 2 {
		head = 1
	}
	if !p.Through().Empty() && height >= 2 {
		foot = 1
	}
	p.bodyY = head
	size := max(0, height-head-foot)
	p.view.Fit(size)
	p.sync(w)
	if foot > 0 {
		p.drawFilter(s.In(paint.Rect{Y: height - 1, W: width, H: 1}))
	}
	body := s.In(paint.Rect{Y: head, W: width, H: size})
	if len(p.view.Rows) == 0 {
		p.empty(body)
		return
	}
	if p.tab == Flow {
		p.drawFlow(s, body, focus)
		return
	}
	p.drawList(s, body, head > 0, focus)
}

// empty says what would be here, and how it comes.
func (p *Pane) empty(s *paint.Surface) {
	if kept := p.src.Total() - p.src.First() + len(p.failures); kept > 0 {
		text := "no message gets through the filter"
		if kept == 1 {
			text = "the one message does not get through the filter"
		}
		stream.DrawNothing(s, p.keys, stream.Hint{Text: text}, stream.Hint{Action: "back", Text: "clears its last term"})
		return
	}
	text := "Nothing was called yet."
	if p.w.Late {
		text = "Nothing was called since you attached. Calls from before are kept only where somebody watched."
	}
	stream.DrawNothing(s, p.keys, stream.Hint{Text: text}, stream.Hint{Action: "call", Text: "calls an endpoint of the selected ranks"})
}

// drawFilter draws the terms of the filter, and how much gets through.
func (p *Pane) drawFilter(s *paint.Surface) {
	shown, total := p.ix.shown, p.ix.Next-p.ix.First
	for _, f := range p.failures {
		total++
		if f.matches {
			shown++
		}
	}
	p.Through().Draw(s, shown, total)
}

// drawList draws the rows in sight.
func (p *Pane) drawList(s, body *paint.Surface, head, focus bool) {
	w, _ := body.Size()
	from, to := p.view.Visible()
	wideFrom, wideTo := 0, 0
	for _, r := range p.view.Rows[from:to] {
		a, b := p.names(r)
		wideFrom, wideTo = max(wideFrom, paint.Width(a)), max(wideTo, paint.Width(b))
	}
	p.cols.fit(w, wideFrom, wideTo)
	if head {
		p.cols.header(s, 0)
	}
	p.wants = 0
	for i, r := range p.view.Rows[from:to] {
		p.drawRow(body, i, r)
		if from+i == p.view.Cursor() && focus {
			body.Restyle(paint.Rect{Y: i, W: w, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
}

// Need is the room in which the rows in sight are shown whole, as far as the columns leave it; of the flow it is not known.
func (p *Pane) Need(_, _ int) (cols, rows int) {
	switch {
	case p.tab == Flow:
		return 0, 0
	case len(p.view.Rows) == 0:
		return emptyWide, 0
	}
	return min(p.wants, mostNeeded), len(p.view.Rows) + p.bodyY
}

// mostNeeded is the widest that the list asks to be; without messages it takes as much to say so.
const (
	mostNeeded = 132
	emptyWide  = 48
)

// names are the texts of the two columns of names.
func (p *Pane) names(r row) (from, to string) {
	switch r.part {
	case lost:
		return "·", r.fail.who
	case oneExchange:
		a, b := ends(r.h.message(p.src))
		if !r.f.senders {
			return "", "├ " + world.Name(b)
		}
		return "├ " + world.Name(a), world.Name(b)
	case sending, coming:
		m := p.src.At(r.n)
		return world.Name(m.From), world.Name(m.To)
	default:
		m := p.texts(r.f)
		return m.from, m.to
	}
}

func (p *Pane) drawRow(s *paint.Surface, y int, r row) {
	c := &p.cols
	text, muted := paint.Style{Fg: paint.Text}, paint.Style{Fg: paint.Muted}
	if r.part == whole && r.f.opens() {
		mark := "▸"
		if r.f.open {
			mark = "▾"
		}
		s.Text(0, y, muted, mark)
	}
	if c.time.w > 0 && (r.part != oneExchange || r.h.answer >= 0) {
		s.TextIn(c.time.x, y, c.time.w, muted, clock(p.when(r), c.time.w))
	}
	from, to := p.names(r)
	p.put(s, c.from, y, filter.From, text, paint.FitMiddle(from, c.from.w))
	p.put(s, c.to, y, filter.To, text, paint.FitMiddle(to, c.to.w))
	segs, end, role := p.content(r)
	msg := c.msg
	p.wants = max(p.wants, msg.x+paint.SegsWidth(segs)+min(1, len(end))*(c.end.w+2))
	if end == "" && c.end.w > 0 { // nothing stands at the end: the room is for the message
		msg.w = c.end.x + c.end.w - msg.x
	}
	p.segs(s, msg, y, segs)
	s.TextIn(c.end.x, y, c.end.w, paint.Style{Fg: role}, end)
}

// when is the time of a row.
func (p *Pane) when(r row) time.Time {
	switch r.part {
	case lost:
		return r.fail.Time
	case stands:
		return r.who.stops[0].Since
	case arriving, beginning:
		arrived, began, _ := p.handled(r.h)
		if r.part == beginning {
			return began
		}
		return arrived
	case oneExchange:
		if r.h.answer >= 0 {
			return p.src.At(r.h.answer).Time
		}
		return r.h.message(p.src).Time
	default:
		return p.src.At(r.n).Time
	}
}

// clock is a time of day in w cells.
func clock(t time.Time, w int) string {
	switch {
	case w >= 12:
		return t.Format("15:04:05.000")
	case w >= 10:
		micros := t.Format("05.000000")
		return micros[:6] + "." + micros[6:]
	}
	return t.Format("05.000")
}

// content is the message of a row, and what stands at its end.
func (p *Pane) content(r row) (segs []paint.Seg, end string, role paint.Role) {
	text, muted, failed := paint.Style{Fg: paint.Text}, paint.Style{Fg: paint.Muted}, paint.Style{Fg: paint.Failed}
	add := func(st paint.Style, t string) {
		if t == "" {
			return
		}
		if len(segs) > 0 {
			t = "  " + t
		}
		segs = append(segs, paint.Seg{Style: st, Text: t})
	}
	answer := func(h *exchange) {
		if h.answer >= 0 {
			m := p.src.At(h.answer)
			add(paint.Style{Fg: AnswerRole(m)}, Answer(p.w, m))
		}
	}
	w := p.cols.end.w
	switch r.part {
	case lost:
		add(failed, "✕ "+r.fail.word)
		add(text, r.fail.why)
		if r.fail.Handled != "" {
			add(muted, "· handled by "+r.fail.Handled)
		}
	case sending:
		add(text, Call(p.w, p.src.At(r.n)))
		if r.h.answered {
			return segs, "", paint.Muted
		}
		return segs, p.waiting(r.h), paint.Muted
	case coming:
		m := p.src.At(r.n)
		answer(r.h)
		add(muted, m.Endpoint)
		return segs, paint.PadLeft(paint.Duration(m.Took), 6), took(r.h.failed)
	case oneExchange:
		if r.f.memo != nil && r.f.memo.call == r.h.endpointOf(p.src)+"(…)" && r.h.call >= 0 {
			add(text, Call(p.w, p.src.At(r.h.call)))
		}
		answer(r.h)
		if r.h.answered {
			return segs, paint.PadLeft(paint.Duration(r.h.took), 6), took(r.h.failed)
		}
		if len(segs) == 0 && !r.f.broadcast {
			add(muted, "no answer yet")
		}
		return segs, p.waiting(r.h), paint.Muted
	default:
		m := p.texts(r.f)
		add(text, m.call)
		if n := r.f.ranks; n > 1 {
			count := fmt.Sprintf("×%s", paint.Exact(n))
			if !p.Through().Empty() && r.f.matched < len(r.f.exchanges)-r.f.gone {
				count = fmt.Sprintf("×%s of %s", paint.Exact(r.f.matched), paint.Exact(n))
			}
			add(muted, count)
		}
		add(text, m.result)
		add(paint.Style{Fg: paint.Gone}, m.gaveUp)
		add(failed, m.err)
		end, role = p.times(r.f, m, w)
		return segs, end, role
	}
	return segs, "", paint.Muted
}

func (h *exchange) endpointOf(src *ring) string { return h.message(src).Endpoint }

// put writes a text of the column k with what the filter found in it.
func (p *Pane) put(s *paint.Surface, at column, y int, k filter.Key, st paint.Style, text string) {
	if at.w > 0 {
		s.Line(at.x, y, p.Through().Segs(k, paint.Fit(text, at.w), st)...)
	}
}

// Least widths of parts of a message.
const (
	leastCall = 12 // what is left of a call to make room for what follows it
	leastPart = 5  // of what follows
)

// segs writes pieces of text into a column, with what the filter found in them. Where they are too long the first one
// gives way; an error matters more than what was called.
func (p *Pane) segs(s *paint.Surface, at column, y int, segs []paint.Seg) {
	x, end := at.x, at.x+at.w
	if len(segs) > 1 {
		all := 0
		for _, g := range segs {
			all += paint.Width(g.Text)
		}
		own, least := paint.Width(segs[0].Text), leastCall
		if at.w-least < leastPart {
			if least = at.w / 2; segs[len(segs)-1].Style.Fg != paint.Failed {
				segs, all = segs[:1], own
			}
		}
		segs[0].Text = paint.Fit(segs[0].Text, max(min(own, least), own-max(0, all-at.w)))
	}
	for _, g := range segs {
		fit := paint.Fit(g.Text, end-x)
		x = s.Line(x, y, p.Through().Segs(filter.Endpoint, fit, g.Style)...)
		if fit != g.Text {
			return
		}
	}
}
