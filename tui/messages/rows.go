package messages

import "math"

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

// build makes the rows by one pass over what is kept.
func (p *Pane) build(rows []row) []row {
	p.pass++
	room := rows
	if p.tab == Flow { // rows come between
		rows = p.bare[:0]
	}
	ix, fails := p.ix, p.failures
	lostUntil := func(at int64) {
		for len(fails) > 0 && fails[0].Time.UnixNano() <= at {
			if fails[0].matches {
				rows = append(rows, row{n: fails[0].at, part: lost, fail: fails[0]})
			}
			fails = fails[1:]
		}
	}
	for _, n := range ix.order {
		r := ix.rec(n)
		lostUntil(r.at)
		switch {
		case p.tab == Flow:
			rows = p.flowRows(rows, n, r)
		case p.Unfolded():
			if r.h.matches {
				pt := sending
				if r.h.answer == n {
					pt = coming
				}
				rows = append(rows, row{n: n, part: pt, f: r.f, h: r.h})
			}
		case r.f.mark != p.pass && r.f.matched > 0:
			r.f.mark = p.pass
			rows = r.f.opened(append(rows, row{n: n, part: whole, f: r.f}), n)
		}
	}
	lostUntil(math.MaxInt64)
	if p.tab == Flow {
		p.bare = rows
		return p.between(rows, room)
	}
	return rows
}

// flowRows adds what the flow shows of a message: the sending of a fold, its last reply, its last error; and of a fold
// that is open each exchange, where its answer is, or its call while there is none, so that time runs down.
func (p *Pane) flowRows(rows []row, n int, r *record) []row {
	f := r.f
	if f.matched == 0 {
		return rows
	}
	if r.h.call == n && f.mark != p.pass {
		f.mark = p.pass
		rows = append(rows, row{n: n, part: whole, f: f})
	}
	if f.open && f.opens() && r.h.matches && n == r.h.stands() {
		rows = append(rows, row{n: n, part: oneExchange, f: f, h: r.h})
	}
	if n == f.lastGood {
		rows = append(rows, row{n: n, part: good, f: f})
	}
	if n == f.lastBad {
		rows = append(rows, row{n: n, part: bad, f: f})
	}
	return rows
}

// stands is the number of the message at which an exchange stands.
func (h *exchange) stands() int {
	if h.answer >= 0 {
		return h.answer
	}
	return h.call
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
