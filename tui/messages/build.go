package messages

import (
	"math"
	"slices"
)

// rows are the rows of all that is kept, in the order of their times, with room to make more.
type rows struct {
	list []row
	of   *ring // they are of

	stayed int // rows that were not made anew, the last time

	room, head, bare []row // to be used again, as
	extra, carried   []late
	stands, next     []late // those who stand, as in the list, and as they do now
}

// mostRows is how many rows a message has, but for rare ones.
const mostRows = 2

// build brings the rows up to date. Those between the times that are stale stay as they are.
func (p *Pane) build([]row) []row {
	v, ix := &p.rows, p.ix
	if v.of != p.src {
		v.of = p.src
		ix.stale.all()
	}
	if p.tab == Flow {
		p.restand()
	}
	p.replace()
	from := p.cutHead()
	to := from
	v.head = v.head[:0]
	if ix.stale.until < ix.stale.since {
		v.head = p.make(v.head, math.MinInt64, ix.stale.until, nil)
		to = p.cutTail(from)
	}
	if v.stayed = to - from; v.stayed == 0 {
		for _, rows := range [2][]row{v.head, v.list[from:]} {
			for i := range rows {
				rows[i].leaves()
			}
		}
		v.list = p.make(v.room[:0], math.MinInt64, math.MaxInt64, nil)
		v.room = v.list
	} else {
		v.list = v.list[:to]
		if n := len(v.head); n <= from {
			copy(v.list[from-n:], v.head)
			v.list = v.list[from-n:]
		} else {
			v.list = slices.Replace(v.list, 0, from, v.head...)
		}
		v.list = slide(&v.room, v.list, mostRows*(len(ix.order)-ix.since(ix.stale.since)))
		v.list = p.make(v.list, ix.stale.since, math.MaxInt64, v.carried)
	}
	ix.stale.none()
	ix.told = ix.told[:0]
	return v.list
}

// replace has rows of folds whose row stood at a message that has gone made anew up to the message where it stands now.
func (p *Pane) replace() {
	ix, open := p.ix, 0
	for _, f := range ix.moved {
		if f.into == nil && f.stands < 0 && f.matched > 0 && (p.tab != Flow || f.kept > 0) {
			f.displaced = true
			open++
		}
	}
	ix.moved = ix.moved[:0]
	for i := 0; open > 0 && i < len(ix.order); i++ {
		s := ix.order[i]
		ix.looked++
		if h := ix.rec(s.n).h; h.f.displaced && (p.tab != Flow || h.call == s.n) {
			h.f.displaced = false
			open--
			ix.stale.head(s.at)
		}
	}
}

// leaves says that a row is no longer in the list.
func (r *row) leaves() {
	switch {
	case r.part == whole && r.f.stands == r.n:
		r.f.stands = -1
	case r.part == arriving:
		r.h.slow = false
	}
}

// cutHead is how many rows at the beginning are to be made anew. What stands between two messages is made with the one before it.
func (p *Pane) cutHead() int {
	for i := range p.rows.list {
		r, stale := &p.rows.list[i], &p.ix.stale
		switch {
		case r.part >= arriving:
			stale.head(p.at(r))
		case r.n >= p.ix.First && p.at(r) > stale.until:
			return i
		}
		r.leaves()
	}
	return len(p.rows.list)
}

// cutTail is where the rows begin that are to be made anew at the end, after those from which the rows stay. Of them, carried are
// those that stand between two messages and belong to a row of before.
func (p *Pane) cutTail(from int) int {
	v, since := &p.rows, p.ix.stale.since
	to := len(v.list)
	v.carried = v.carried[:0]
	for ; to > from && p.at(&v.list[to-1]) >= since; to-- {
		r := &v.list[to-1]
		if (r.part == arriving || r.part == beginning) && p.before(r.f, since) {
			v.carried = append(v.carried, late{p.at(r), r.part, r.h, nil})
		}
		r.leaves()
	}
	if p.tab != Flow {
		return to
	}
	for _, h := range p.ix.told {
		if h.f.alone() && p.before(h.f, since) && h.f.one() == h {
			p.tell(h, since)
		}
	}
	if to > from && v.list[to-1].part == whole && v.list[to-1].f.alone() { // its arrow may end where it began
		h := v.list[to-1].f.one()
		known := slices.ContainsFunc(v.carried, func(x late) bool { return x.h == h && x.part == arriving })
		if h.comesLate() && !h.slow && h.arrived >= since && !known {
			v.carried = append(v.carried, late{h.arrived, arriving, h, nil})
		}
	}
	return to
}

// tell adds to what is carried what is told of a call from a time on.
func (p *Pane) tell(h *exchange, since int64) {
	v := &p.rows
	if h.comesLate() && h.arrived >= since {
		v.carried = append(v.carried, late{h.arrived, arriving, h, nil})
	}
	if h.beginsLate() && h.began >= since {
		v.carried = append(v.carried, late{h.began, beginning, h, nil})
	}
}

// before reports whether the row of a fold stays, before those of a time and later.
func (p *Pane) before(f *fold, since int64) bool {
	return f.stands >= 0 && p.ix.rec(f.stands).at < since
}
