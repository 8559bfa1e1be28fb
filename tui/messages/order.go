package messages

import (
	"cmp"
	"slices"
)

// latest notes the last answer of each kind, by time.
func (ix *index) latest(h *exchange, number int) {
	last := &h.f.lastGood
	if h.failed || h.cancelled {
		last = &h.f.lastBad
	}
	if *last < ix.First || ix.rec(*last).at <= ix.rec(number).at {
		*last = number
	}
}

// last is the number of the last answer of a fold, by time.
func (ix *index) last(f *fold) int {
	if f.lastGood < ix.First || f.lastBad >= ix.First && ix.rec(f.lastBad).at > ix.rec(f.lastGood).at {
		return f.lastBad
	}
	return f.lastGood
}

// arrange brings the order up to date: numbers from fresh on are new.
func (ix *index) arrange(fresh int) {
	if len(ix.order) > 0 {
		ix.order = slices.DeleteFunc(ix.order, func(n int) bool { return n < ix.First })
	}
	more := ix.room[:0]
	for n := max(fresh, ix.First); n < ix.Next; n++ {
		more = append(more, n)
	}
	slices.SortFunc(more, func(a, b int) int { return cmp.Or(cmp.Compare(ix.rec(a).at, ix.rec(b).at), a-b) })
	ix.room = more
	// both are sorted: merge from the end, where the new ones belong
	i, j := len(ix.order)-1, len(more)-1
	ix.order = append(ix.order, more...)
	for k := len(ix.order) - 1; j >= 0; k-- {
		if i >= 0 && ix.rec(ix.order[i]).at > ix.rec(more[j]).at {
			ix.order[k] = ix.order[i]
			i--
			continue
		}
		ix.order[k] = more[j]
		j--
	}
}
