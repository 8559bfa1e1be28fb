package messages

import (
	"cmp"
	"slices"
)

// stamp is a message in the order of their times.
type stamp struct {
	at int64 // nanoseconds
	n  int
}

func (a stamp) compare(b stamp) int {
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	return cmp.Compare(a.n, b.n)
}

// latest notes the last answer of each kind, by time.
func (ix *index) latest(h *exchange, number int) {
	last := &h.f.lastGood
	if h.failed || h.cancelled {
		last = &h.f.lastBad
	}
	if *last < ix.First || ix.rec(*last).at <= ix.rec(number).at {
		if ix.flow && *last >= ix.First {
			ix.stale.tail(ix.rec(*last).at)
		}
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

// arrange brings the order up to date: numbers from fresh on are new. Those that have gone are the oldest but for a few, and
// those that come are the newest but for a few, so what is between is not looked at.
func (ix *index) arrange(fresh int) {
	gone := len(ix.order) - (max(fresh, ix.First) - ix.First)
	kept, i := 0, 0
	for ; gone > 0; i++ {
		if ix.order[i].n < ix.First {
			gone--
			continue
		}
		ix.order[kept] = ix.order[i] // one that has stayed stands before one that has gone
		kept++
	}
	copy(ix.order[i-kept:i], ix.order[:kept])
	ix.looked += i
	more := ix.room[:0]
	for n := max(fresh, ix.First); n < ix.Next; n++ {
		more = append(more, stamp{ix.rec(n).at, n})
	}
	slices.SortFunc(more, stamp.compare)
	ix.room = more
	ix.order = slide(&ix.tape, ix.order[i-kept:], len(more))
	// both are sorted: merge from the end, where the new ones belong
	i, j := len(ix.order)-1, len(more)-1
	ix.order = append(ix.order, more...)
	for k := len(ix.order) - 1; j >= 0; k-- {
		ix.looked++
		if i >= 0 && ix.order[i].at > more[j].at {
			ix.order[k] = ix.order[i]
			i--
			continue
		}
		ix.order[k] = more[j]
		j--
	}
}

// since is where the messages of a time and later begin in the order.
func (ix *index) since(at int64) int {
	n, _ := slices.BinarySearchFunc(ix.order, at, func(s stamp, at int64) int { return cmp.Compare(s.at, at) })
	return n
}

// slide makes room for so many more behind the values that are left of a list from whose front others have gone: where its
// room is used up, they move to the beginning of it.
func slide[T any](room *[]T, left []T, more int) []T {
	if cap(left)-len(left) >= more {
		return left
	}
	if need := 2*len(left) + more; cap(*room) < need {
		*room = make([]T, 0, need)
	}
	return append((*room)[:0], left...)
}
