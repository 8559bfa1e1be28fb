package messages

import (
	"maps"
	"slices"

	"github.com/monarch-tui/monarch-tui/tui/world"
)

// course is where the exchanges of a fold went, and what goes on for them, as the lifelines are. It is made anew when more of the
// fold has come or gone, or when the lifelines are others.
type course struct {
	changes  uint64
	layout   uint64
	spans    []span   // in sight or not; those of one lifeline that overlap are one
	from, to [2][]int // the lifelines of who called and of who was called, of the good answers and of the bad ones
}

// courseOf is the course of a fold.
func (p *Pane) courseOf(f *fold) *course {
	c := f.course
	if c == nil {
		c = new(course)
		f.course = c
	} else if c.changes == f.changes && c.layout == p.flow.layout {
		return c
	}
	*c = course{changes: f.changes, layout: p.flow.layout, spans: c.spans[:0]}
	p.courses++
	var last [maxLines + 2][halted + 1]int // the last span of each lifeline and doing, from 1 on
	var senders, targets *lanes
	known := false // f has groups when one of its exchanges was read
	for _, h := range f.exchanges {
		if h.messages() == 0 {
			continue
		}
		var sender, target int
		if g := p.read(h); g.apart {
			sender, target = p.linesOf(h)
		} else {
			if !known {
				senders, targets, known = p.flow.lanes(f.from), p.flow.lanes(f.to), true
			}
			sender, target = p.flow.rank(senders, g.from), p.flow.rank(targets, g.to)
		}
		if h.answer >= 0 {
			n := btoi(h.failed || h.cancelled)
			c.from[n], c.to[n] = put(c.from[n], sender), put(c.to[n], target)
		}
		if !h.timed() || !h.matches || target < 0 {
			continue
		}
		h.doings(func(a, b int64, d doing) {
			if at := &last[target][d]; *at == 0 || c.spans[*at-1].to < a || a < c.spans[*at-1].from {
				c.spans = append(c.spans, span{target, a, b, d})
				*at = len(c.spans)
			} else {
				c.spans[*at-1].to = max(c.spans[*at-1].to, b)
			}
		})
	}
	return c
}

// put adds a lifeline to others.
func put(list []int, line int) []int {
	if line < 0 || slices.Contains(list, line) {
		return list
	}
	return append(list, line)
}

// doings tells what goes on for an exchange at who was called.
func (h *exchange) doings(tell func(from, to int64, d doing)) {
	begins := h.ended
	if h.began != 0 {
		begins = h.began
	}
	if h.arrived < begins {
		tell(h.arrived, begins, queued)
	}
	if begins < h.ended {
		tell(begins, h.ended, handles)
	}
}

// linesOf are the lifelines of who called and of who was called, -1 where one has none.
func (p *Pane) linesOf(h *exchange) (from, to int) {
	g, f := p.read(h), h.f
	if g.apart {
		a, b := ends(h.message(p.src))
		return p.flow.lineOf(a), p.flow.lineOf(b)
	}
	return p.flow.rank(p.flow.lanes(f.from), g.from), p.flow.rank(p.flow.lanes(f.to), g.to)
}

// lanes are the lifelines of a group, nil where it has none.
func (f *flow) lanes(group string) *lanes { return f.of[world.Name(group)] }

// rank is the lifeline of a rank of a group, or of a group without ranks (-1); -1 where it has none.
func (f *flow) rank(l *lanes, rank int32) int {
	if l == nil {
		return f.other
	}
	if rank >= 0 && len(l.own) > 0 {
		if i, ok := l.own[int(rank)]; ok {
			return i
		}
	}
	if l.rest < 0 {
		return f.other
	}
	return l.rest
}

// lineOf is the lifeline of a party, -1 where it has none.
func (f *flow) lineOf(name string) int { return f.rank(f.lanes(group(name)), rankOf(name)) }

// sameLines reports whether the lifelines are where they were.
func sameLines(a, b map[string]*lanes) bool {
	return maps.EqualFunc(a, b, func(a, b *lanes) bool { return a.rest == b.rest && maps.Equal(a.own, b.own) })
}
