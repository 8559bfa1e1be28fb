package messages

import (
	"fmt"
	"strings"

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
	under := map[*exchange]bool{} // on their way
	for _, r := range p.view.Rows[before:from] {
		p.wait(waits, r)
		if r.part != whole || r.f.ranks > 1 || r.f.one().arrived >= p.at(&p.view.Rows[from]) { // others came above the screen
			p.track(under, r)
		}
	}
	ends := p.untils(from, to)
	var spans []span
	if len(ends) > 0 {
		spans = p.spansOf(p.view.Rows[before:to], p.when(p.view.Rows[from]).UnixNano(), max(ends[len(ends)-1], p.w.Now.UnixNano()))
	}
	last := ""
	lifelines := func(y int, does []doing) {
		for line, n := range waits {
			sign, st := lifelineSign(does[line], n > 0)
			body.Text(g.x(line), y, st, sign)
		}
		for h := range under {
			if x, _, ok := p.way(g, h); ok {
				body.Text(x, y, paint.Style{Fg: paint.Text}, "╎")
			}
		}
	}
	for i, r := range p.view.Rows[from:to] {
		if r.part == arriving {
			p.track(under, r)
		}
		does := doingIn(spans, len(p.flow.lines), p.when(r).UnixNano(), ends[i])
		p.flow.does = does
		lifelines(i, does)
		if now := clock(p.when(r), 6); g.time > 0 && now != last {
			body.Text(1, i, paint.Style{Fg: paint.Muted}, now)
			last = now
		}
		p.wait(waits, r)
		p.drawArrow(body, g, i, r)
		p.track(under, r)
		if from+i == p.view.Cursor() && focus {
			body.Restyle(paint.Rect{Y: i, W: w, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
	now := p.w.Now.UnixNano()
	does := doingIn(spans, len(p.flow.lines), now, now)
	for y := to - from; y < h; y++ {
		lifelines(y, does)
	}
}

// track keeps which calls are on their way, as of below a row.
func (p *Pane) track(under map[*exchange]bool, r row) {
	switch {
	case r.part == whole && r.f.ranks <= 1:
		if h := r.f.one(); h.slow {
			under[h] = true
		}
	case r.part == arriving:
		delete(under, r.h)
	}
}

// way is the column in which a call that is on its way is drawn, beside the lifeline that it goes to; ok is false where it
// has none.
func (p *Pane) way(g grid, h *exchange) (x int, right, ok bool) {
	a, b := p.linesOf(h)
	if a < 0 || b < 0 || a == b {
		return 0, false, false
	}
	if a < b {
		return g.x(b) - 2, true, true
	}
	return g.x(b) + 2, false, true
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
	if line, _ := p.linesOf(r.f.one()); line >= 0 {
		waits[line] = max(0, waits[line]+by)
	}
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
	case stands:
		p.drawStands(s, g, y, r.who)
		return
	case arriving, beginning:
		p.drawLate(s, g, y, r)
		return
	case oneExchange:
		a, note = p.exchangeArrow(r, g.note.w)
	default:
		a, note, st = p.foldArrow(r, g.note.w)
	}
	a.does = p.flow.does
	a.open = r.part == whole && r.f.ranks <= 1 && r.f.one().slow
	a.draw(s, g, y, p.Through())
	s.TextIn(g.note.x, y, g.note.w, st, note)
}

// drawLate draws that a call comes, or begins.
func (p *Pane) drawLate(s *paint.Surface, g grid, y int, r row) {
	call := p.src.At(r.h.call)
	_, target := ends(call)
	line := p.flow.lineOf(target)
	if line < 0 {
		return
	}
	muted := paint.Style{Fg: paint.Muted}
	arrived, began, _ := p.handled(r.h)
	if r.part == beginning {
		at := g.beside(line)
		s.TextIn(at.x, y, at.w, muted, oneOf(at.w, call.Endpoint+" begins", "begins", ""))
		d := paint.Duration(began.Sub(arrived))
		s.TextIn(g.note.x, y, g.note.w, muted, oneOf(g.note.w, d+" in the mailbox", "waited "+d, d))
		return
	}
	if x, right, ok := p.way(g, r.h); ok {
		text := "╰▶"
		if !right {
			x, text = x-1, "◀╯"
		}
		s.Text(x, y, paint.Style{Fg: paint.Text}, text)
	}
	d := paint.Duration(arrived.Sub(call.Time))
	s.TextIn(g.note.x, y, g.note.w, muted, oneOf(g.note.w, call.Endpoint+" comes after "+d, "comes after "+d, d))
}

// drawStands draws who stands at a site, where, and for how long.
func (p *Pane) drawStands(s *paint.Surface, g grid, y int, who *standing) {
	st := paint.Style{Fg: paint.Paused}
	last := -1 // the right-most lifeline
	for _, stop := range who.stops {
		line := p.flow.lineOf(fmt.Sprintf("@%s[%d]", stop.Mesh, stop.Rank))
		if line < 0 {
			continue
		}
		s.Text(g.x(line), y, st, paint.Glyph("paused"))
		if line > last {
			last = line
		}
	}
	note := p.standNote(who, g.note.w)
	if last >= 0 {
		if at := g.beside(last); paint.Width(who.word()) <= at.w {
			s.Text(at.x, y, st, who.word())
		} else {
			note = oneOf(g.note.w, who.word()+" "+note, note)
		}
	}
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
func (p *Pane) exchangeArrow(r row, w int) (a arrow, note string) {
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
	note = paint.Duration(r.h.took)
	if d := r.h.waited(); d > 0 {
		note = oneOf(w, note+", "+paint.Duration(d)+" in the mailbox", note)
	}
	return a, note
}

// foldArrow is the arrow of a fold: that it was sent, its replies, or its errors.
func (p *Pane) foldArrow(r row, noteRoom int) (a arrow, note string, st paint.Style) {
	m := p.texts(r.f)
	sender, target := ends(r.f.one().message(p.src))
	a = arrow{from: []int{p.flow.lineOf(sender)}, to: p.flow.linesOfRanks(target, m.ranks), body: "─", style: paint.Style{Fg: paint.Text}}
	if r.f.senders {
		a.from = p.flow.linesOfRanks(sender, m.senders)
	}
	if r.f.ranks > 1 {
		a.body = "═"
	}
	if r.part == good || r.part == bad {
		a.body, a.back = "╌", true
		if n := r.f.failed + r.f.cancelled; r.f.answered < r.f.ranks || n > 0 && n < r.f.answered {
			c := p.courseOf(r.f)
			a.from, a.to = c.from[r.part-good], c.to[r.part-good]
		}
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
