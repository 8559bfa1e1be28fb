package messages

import "math"

// stale is which rows have to be made anew: those of a time up to until, and those of since and later. Messages go at one end
// and come at the other, so most rows are between the two.
type stale struct{ until, since int64 } // nanoseconds

// none says that all rows are right.
func (s *stale) none() { *s = stale{math.MinInt64, math.MaxInt64} }

func (s *stale) all() { s.until = math.MaxInt64 }

// head says that rows up to a time have to be made anew.
func (s *stale) head(until int64) { s.until = max(s.until, until) }

// tail says that rows of a time and later have to be made anew.
func (s *stale) tail(since int64) { s.since = min(s.since, since) }

// came notes which rows a message of an exchange, that has come, changes.
func (ix *index) came(h *exchange, at int64) {
	f := h.f
	ix.stale.tail(at)
	if f.open {
		ix.stale.tail(f.oldest)
	}
	if !ix.flow || !f.alone() || !h.timed() {
		return
	}
	if h.comesLate() {
		ix.stale.tail(h.arrived)
	}
	if h.beginsLate() {
		ix.stale.tail(h.began)
	}
	ix.told = append(ix.told, h)
}

// went notes which rows a message of an exchange, that has gone, changes.
func (ix *index) went(h *exchange, number int, at int64) {
	f := h.f
	ix.stale.head(at)
	if f.stands == number {
		f.stands = -1
		ix.moved = append(ix.moved, f)
	}
	if f.matched == 0 {
		for _, n := range [3]int{f.stands, f.lastGood, f.lastBad} {
			if n > number {
				ix.stale.head(ix.rec(n).at)
			}
		}
	}
	if f.open || ix.flow && f.ranks <= 1 && len(f.exchanges)-f.gone > 1 {
		ix.stale.head(f.newest)
	}
	if ix.flow && f.ranks <= 1 {
		ix.stale.head(max(h.arrived, h.began))
	}
}

// judged notes which rows change because the filter judges an exchange otherwise than before.
func (ix *index) judged(h *exchange) {
	f := h.f
	if h.call >= 0 {
		ix.stale.tail(ix.rec(h.call).at)
	}
	if h.matches && f.matched == 1 || f.matched == 0 { // the first one, or the last one
		ix.stale.tail(f.oldest)
	}
}
