package messages

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// arrow is a line from one lifeline to others.
type arrow struct {
	from, to []int
	body     string // what the shaft is made of
	style    paint.Style
	label    []paint.Seg
	back     bool    // an answer: the heads are at from
	open     bool    // it does not end here: it comes in a later row
	does     []doing // what goes on at the lifelines
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
	ends, heads := a.from, a.to
	if a.back {
		ends, heads = a.to, a.from
	}
	if a.open { // it comes later: the shaft ends beside the lifeline
		if g.x(heads[0]) == right {
			right -= 2
		} else {
			left += 2
		}
	}
	for x := left + 1; x < right; x++ {
		s.Text(x, y, a.style, a.body)
	}
	for _, l := range ends {
		if l >= 0 {
			s.Text(g.x(l), y, a.style, a.tail(l, g.x(l) == left, g.x(l) == right))
		}
	}
	for _, l := range heads {
		if l < 0 {
			continue
		}
		x := g.x(l)
		sign, st := lifelineSign(a.doing(l), false)
		s.Text(x, y, st, sign)
		switch {
		case a.open && x > right:
			s.Text(right, y, a.style, "╮")
			continue
		case a.open:
			s.Text(left, y, a.style, "╭")
			continue
		}
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
	if a.open {
		room--
	}
	a.write(s, at+1, y, room-2, f)
}

// doing is what goes on at a lifeline.
func (a *arrow) doing(line int) doing {
	if line < len(a.does) {
		return a.does[line]
	}
	return idle
}

// tail is how a shaft begins at a lifeline: heavy where a handler runs there.
func (a *arrow) tail(line int, left, right bool) string {
	signs := [3]string{"├", "┤", "┼"}
	if a.doing(line) == handles {
		signs = [3]string{"┠", "┨", "╂"}
	}
	switch {
	case left:
		return signs[0]
	case right:
		return signs[1]
	}
	return signs[2]
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
	s.Text(x, y, a.style, a.tail(line, true, false))
	x = s.Text(x+1, y, a.style, sign) + 1
	end := min(x+g.wide[line]-4, g.note.x-1)
	for _, seg := range a.label {
		x = s.Line(x, y, f.Segs(filter.Endpoint, paint.Fit(seg.Text, end-x), seg.Style)...)
	}
}
