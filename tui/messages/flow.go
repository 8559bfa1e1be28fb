package messages

import (
	"fmt"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// drawFlow draws the lifelines and, on them, the rows in sight.
func (p *Pane) drawFlow(s, body *paint.Surface, focus bool) {
	w, h := body.Size()
	from, to := p.view.Visible()
	before := max(0, from-lookBack)
	p.lay(p.view.Rows[before:to], linesIn(w))
	g := gridOf(w, p.flow.lines)
	if p.bodyY > 0 {
		p.heads(s, g)
	}
	waits := make([]int, len(p.flow.lines))
	for _, r := range p.view.Rows[before:from] {
		p.wait(waits, r)
	}
	last := ""
	lifelines := func(y int) {
		for line, n := range waits {
			if n > 0 {
				body.Text(g.x(line), y, paint.Style{Fg: paint.Muted}, "┊")
			} else {
				body.Text(g.x(line), y, paint.Style{Fg: paint.Faint}, "│")
			}
		}
	}
	for i, r := range p.view.Rows[from:to] {
		lifelines(i)
		if now := clock(p.when(r), 6); g.time > 0 && now != last {
			body.Text(1, i, paint.Style{Fg: paint.Muted}, now)
			last = now
		}
		p.wait(waits, r)
		p.drawArrow(body, g, i, r)
		if from+i == p.view.Cursor() && focus {
			body.Restyle(paint.Rect{Y: i, W: w, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
	for y := to - from; y < h; y++ {
		lifelines(y)
	}
}

// wait keeps count of how many answers each lifeline waits for, as of below a row.
func (p *Pane) wait(waits []int, r row) {
	if r.f == nil || r.f.broadcast {
		return
	}
	by := 1
	if r.part == good || r.part == bad {
		by = -1
		if r.f.answered < r.f.ranks || r.n != p.ix.last(r.f) { // more answers follow
			return
		}
	} else if r.part != whole {
		return
	}
	from, _ := ends(r.f.one().message(p.src))
	if line := p.flow.lineOf(from); line >= 0 {
		waits[line] = max(0, waits[line]+by)
	}
}

// arrow is a line from one lifeline to others.
type arrow struct {
	from, to []int
	body     string // what the shaft is made of
	style    paint.Style
	label    []paint.Seg
	back     bool // an answer: the heads are at from
}

// drawArrow draws what a row tells.
func (p *Pane) drawArrow(s *paint.Surface, g grid, y int, r row) {
	var a arrow
	var note string
	st := paint.Style{Fg: paint.Muted}
	switch r.part {
	case lost:
		p.drawLost(s, g, y, r.fail)
		return
	case oneExchange:
		a, note = p.exchangeArrow(r)
	default:
		a, note, st = p.foldArrow(r, g.note.w)
	}
	a.draw(s, g, y, p.Through())
	s.TextIn(g.note.x, y, g.note.w, st, note)
}

func (p *Pane) drawLost(s *paint.Surface, g grid, y int, fail *failure) {
	failed := paint.Style{Fg: paint.Failed}
	if fail.Mesh != "" {
		if line := p.flow.lineOf(fmt.Sprintf("%s[%d]", fail.Mesh, fail.Rank)); line >= 0 {
			s.Text(g.x(line), y, failed, "✕")
		}
	}
	label := "✕ " + fail.who + " " + fail.word
	if g.note.w < leastLine {
		s.TextIn(g.time, y, g.note.x-g.time, failed, label)
		return
	}
	x := s.TextIn(g.note.x, y, g.note.w, failed, label)
	s.TextIn(x+2, y, g.note.x+g.note.w-x-2, paint.Style{Fg: paint.Text}, fail.why)
}

// exchangeArrow is the arrow of one exchange: its answer, or the call while there is none.
func (p *Pane) exchangeArrow(r row) (a arrow, note string) {
	sender, target := ends(r.h.message(p.src))
	a = arrow{from: []int{p.flow.lineOf(sender)}, to: []int{p.flow.lineOf(target)}, body: "─", style: paint.Style{Fg: paint.Text}}
	name := world.Name(target)
	if r.f.senders {
		name = world.Name(sender)
	}
	if open := strings.LastIndexByte(name, '['); open > 0 {
		name = name[open:] // the lifeline names the mesh
	}
	a.label = []paint.Seg{{Style: paint.Style{Fg: paint.Muted}, Text: name}}
	if !r.h.answered {
		return a, p.waiting(r.h)
	}
	a.body, a.back = "╌", true
	switch {
	case r.h.failed:
		a.style.Fg = paint.Failed
	case r.h.cancelled:
		a.style.Fg = paint.Gone
	}
	if r.h.answer >= 0 {
		a.label = append(a.label, paint.Seg{Style: a.style, Text: " " + Answer(p.w, p.src.At(r.h.answer))})
	}
	return a, paint.Duration(r.h.took)
}

// foldArrow is the arrow of a fold: that it was sent, its replies, or its errors.
func (p *Pane) foldArrow(r row, noteRoom int) (a arrow, note string, st paint.Style) {
	m := p.texts(r.f)
	sender, target := ends(r.f.one().message(p.src))
	a = arrow{from: []int{p.flow.lineOf(sender)}, to: p.flow.linesOf(target, m.ranks), body: "─", style: paint.Style{Fg: paint.Text}}
	if r.f.senders {
		a.from = p.flow.linesOf(sender, m.senders)
	}
	if r.f.ranks > 1 {
		a.body = "═"
	}
	if r.part == good || r.part == bad {
		a.body, a.back = "╌", true
	}
	if r.part == bad {
		a.style.Fg = r.f.badRole()
	}
	a.label, note, st = p.flowLabel(r, m, noteRoom)
	return a, note, st
}

// badRole is the colour of the answers of a fold that are none.
func (f *fold) badRole() paint.Role {
	if f.failed == 0 {
		return paint.Gone
	}
	return paint.Failed
}

// flowLabel is what stands on the arrow of a fold, and beside it.
func (p *Pane) flowLabel(r row, m *memo, w int) (label []paint.Seg, note string, st paint.Style) {
	f := r.f
	text, muted := paint.Style{Fg: paint.Text}, paint.Style{Fg: paint.Muted}
	times := ""
	if f.ranks > 1 {
		times = fmt.Sprintf(" ×%s", paint.Exact(f.ranks))
	}
	switch r.part { //nolint:exhaustive // the other parts are not of a fold
	case good:
		label = append(label, paint.Seg{Style: text, Text: m.result})
		if n := f.answered - f.failed - f.cancelled; f.ranks > 1 {
			label = append(label, paint.Seg{Style: muted, Text: fmt.Sprintf(" ×%s", paint.Exact(n))})
		}
		note = paint.Duration(m.median)
		if f.ranks > 1 {
			median := note
			note = oneOf(w, fmt.Sprintf("p50 %s, max %s (rank %d)", median, paint.Duration(f.max), m.slowest),
				fmt.Sprintf("p50 %s, max %s", median, paint.Duration(f.max)), median+" max "+paint.Duration(f.max), median)
		}
		return label, note, muted
	case bad:
		if f.failed == 0 {
			return append(label, paint.Seg{Style: paint.Style{Fg: paint.Gone}, Text: m.gaveUp}), paint.Duration(m.median), muted
		}
		label = append(label, paint.Seg{Style: paint.Style{Fg: paint.Failed}, Text: "✕"})
		if f.failed > 1 {
			label[0].Text = fmt.Sprintf("✕ %s", paint.Exact(f.failed))
		}
		note = m.err
		if m.gaveUp != "" {
			note = m.gaveUp + "  " + note
		}
		return label, note, paint.Style{Fg: paint.Failed}
	}
	msg := f.one().message(p.src)
	call := msg.Endpoint
	if !msg.IsAnswer() {
		call = msg.Endpoint + "(" + argument(p.w, msg, false) + ")"
		if m.call == msg.Endpoint+"(…)" {
			call = m.call
		}
	}
	label = append(label, paint.Seg{Style: text, Text: call}, paint.Seg{Style: muted, Text: times})
	note = "call " + world.CallName(f.calls[0])
	if len(f.calls) > 1 {
		note = paint.Plural(len(f.calls), "call")
	}
	if !f.broadcast && f.answered < f.ranks {
		wait, _ := p.times(f, m, 22)
		note = oneOf(w, note+"  "+wait, wait)
	}
	return label, note, muted
}

// draw draws the arrow: a shaft over all lifelines that it touches, heads where it ends, and its label where there is
// most room.
func (a *arrow) draw(s *paint.Surface, g grid, y int, f *filter.Filter) {
	all := slices.DeleteFunc(slices.Concat(a.from, a.to), func(l int) bool { return l < 0 })
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	all = slices.Compact(all)
	left, right := g.x(all[0]), g.x(all[len(all)-1])
	if left == right {
		a.self(s, g, y, all[0], f)
		return
	}
	for x := left + 1; x < right; x++ {
		s.Text(x, y, a.style, a.body)
	}
	ends, heads := a.from, a.to
	if a.back {
		ends, heads = a.to, a.from
	}
	for _, l := range ends {
		if l < 0 {
			continue
		}
		switch x := g.x(l); x {
		case left:
			s.Text(x, y, a.style, "├")
		case right:
			s.Text(x, y, a.style, "┤")
		default:
			s.Text(x, y, a.style, "┼")
		}
	}
	for _, l := range heads {
		if l < 0 {
			continue
		}
		x := g.x(l)
		s.Text(x, y, paint.Style{Fg: paint.Faint}, "│")
		if slices.ContainsFunc(ends, func(e int) bool { return e >= 0 && e < l }) {
			s.Text(x-1, y, a.style, "▶")
		}
		if slices.ContainsFunc(ends, func(e int) bool { return e > l }) {
			s.Text(x+1, y, a.style, "◀")
		}
	}
	at, room := 0, 0
	for i := range len(all) - 1 {
		if x, next := g.x(all[i]), g.x(all[i+1]); next-x-1 > room {
			at, room = x+1, next-x-1
		}
	}
	a.write(s, at+1, y, room-2, f)
}

// write writes the label into the middle of w cells from x on, with a blank at each side.
func (a *arrow) write(s *paint.Surface, x, y, w int, f *filter.Filter) {
	wide := 0
	for _, seg := range a.label {
		wide += paint.Width(seg.Text)
	}
	if wide == 0 || w < 3 {
		return
	}
	room := w - 2
	if n := len(a.label) - 1; wide > room && n > 0 && a.label[n].Style.Fg == paint.Muted { // the shaft tells that there are several
		wide -= paint.Width(a.label[n].Text)
		a.label = a.label[:n]
	}
	x += max(0, (room-wide)/2)
	end := x + 1 + min(room, wide)
	s.Text(x, y, paint.Style{}, " ")
	x++
	for _, seg := range a.label {
		x = s.Line(x, y, f.Segs(filter.Endpoint, paint.Fit(seg.Text, end-x), seg.Style)...)
	}
	s.Text(end, y, paint.Style{}, " ")
}

// self draws what a lifeline says to itself, or to another of those it stands for.
func (a *arrow) self(s *paint.Surface, g grid, y, line int, f *filter.Filter) {
	sign := "╮"
	if a.back {
		sign = "◀"
	}
	x := g.x(line)
	s.Text(x, y, a.style, "├")
	x = s.Text(x+1, y, a.style, sign) + 1
	end := min(x+g.wide[line]-4, g.note.x-1)
	for _, seg := range a.label {
		x = s.Line(x, y, f.Segs(filter.Endpoint, paint.Fit(seg.Text, end-x), seg.Style)...)
	}
}
