package messages

import (
	"cmp"
	"slices"
)

// part is which part of a fold a row shows.
type part uint8

const (
	whole       part = iota // the fold; in the flow: that it was sent
	oneExchange             // an exchange of an opened fold
	sending                 // one call
	coming                  // one answer
	good                    // in the flow: the replies of a fold
	bad                     // in the flow: its errors
	lost                    // a failure
	arriving                // in the flow: a call comes, long after it was sent
	beginning               // in the flow: a handler begins, long after its call came
	stands                  // in the flow: frames stand at a site, or stood there
)

// row is a line of the list or of the flow.
type row struct {
	n    int // number of the message where it stands
	part part
	f    *fold
	h    *exchange
	fail *failure
	who  *standing
}

// Number is where the row stands.
func (r row) Number() int { return r.n }

// Is reports whether it is the same row, wherever it stands.
func (r row) Is(o row) bool {
	return r.part == o.part && r.f.now() == o.f.now() && r.h == o.h && r.fail == o.fail
}

// opened adds the exchanges of a fold that is open below it, in the list.
func (f *fold) opened(rows []row, n int) []row {
	if !f.open || !f.opens() {
		return rows
	}
	for _, h := range f.exchanges {
		if h.matches && h.messages() > 0 {
			rows = append(rows, row{n: n, part: oneExchange, f: f, h: h})
		}
	}
	return rows
}

// opens reports whether there is more in the fold than its row shows.
func (f *fold) opens() bool { return len(f.exchanges)-f.gone > 1 }

// stands is the number of the message at which an exchange stands.
func (h *exchange) stands() int {
	if h.answer >= 0 {
		return h.answer
	}
	return h.call
}

// make appends the rows of the times from since to until. carried are those that stand between two messages and belong to
// rows of before.
func (p *Pane) make(out []row, since, until int64, carried []late) []row {
	v, ix := &p.rows, p.ix
	rows := out
	if p.tab == Flow { // rows come between
		rows = v.bare[:0]
	}
	fails := p.failures
	from, _ := slices.BinarySearchFunc(fails, since, func(f *failure, at int64) int { return cmp.Compare(f.Time.UnixNano(), at) })
	fails = fails[from:]
	lostUntil := func(at int64) {
		for len(fails) > 0 && fails[0].Time.UnixNano() <= at {
			if fails[0].matches {
				rows = append(rows, row{n: fails[0].at, part: lost, fail: fails[0]})
			}
			fails = fails[1:]
		}
	}
	for _, s := range ix.order[ix.since(since):] {
		if s.at > until {
			break
		}
		ix.looked++
		lostUntil(s.at)
		h := ix.rec(s.n).h
		switch {
		case p.tab == Flow:
			rows = flowRows(rows, s.n, h)
		case p.Unfolded():
			if h.matches {
				pt := sending
				if h.answer == s.n {
					pt = coming
				}
				rows = append(rows, row{n: s.n, part: pt, f: h.f, h: h})
			}
		case h.f.stands < 0 && h.f.matched > 0:
			h.f.stands = s.n
			rows = h.f.opened(append(rows, row{n: s.n, part: whole, f: h.f}), s.n)
		}
	}
	lostUntil(until)
	if p.tab == Flow {
		v.bare = rows
		rows = p.between(rows, out, since, until, carried)
	}
	return rows
}

// flowRows adds what the flow shows of a message: the sending of a fold, its last reply, its last error; and of a fold
// that is open each exchange, where its answer is, or its call while there is none, so that time runs down.
func flowRows(rows []row, n int, h *exchange) []row {
	f := h.f
	if f.matched == 0 {
		return rows
	}
	if h.call == n && f.stands < 0 {
		f.stands = n
		rows = append(rows, row{n: n, part: whole, f: f})
	}
	if f.open && f.opens() && h.matches && n == h.stands() {
		rows = append(rows, row{n: n, part: oneExchange, f: f, h: h})
	}
	if n == f.lastGood {
		rows = append(rows, row{n: n, part: good, f: f})
	}
	if n == f.lastBad {
		rows = append(rows, row{n: n, part: bad, f: f})
	}
	return rows
}
