package messages

import (
	"slices"
	"time"
)

// Limits of what the flow tells of the time between two messages.
const (
	slowWay  = 100 * time.Microsecond // under way, while others happen: less of it is no row
	longWait = time.Millisecond       // in the mailbox, and a tenth of the whole: less of it is not told
)

// handled is when a call came into the mailbox of who was called, and when its handler began, as the answer tells: both after it
// was sent and before its answer. ok is false where that is not known. The two clocks are of two processes, and agree as far as
// hybrid clocks do: what they say is put between what the caller has seen.
func (p *Pane) handled(h *exchange) (arrived, began time.Time, ok bool) {
	if h.call < 0 || h.answer < 0 {
		return arrived, began, false
	}
	a := p.src.At(h.answer)
	sent, last := p.src.At(h.call).Time, a.Time.Add(-time.Nanosecond)
	if a.Arrived.IsZero() || last.Before(sent) {
		return arrived, began, false
	}
	within := func(t, from time.Time) time.Time {
		switch {
		case t.Before(from):
			return from
		case t.After(last):
			return last
		}
		return t
	}
	arrived = within(a.Arrived, sent)
	if !a.Began.IsZero() {
		began = within(a.Began, arrived)
	}
	return arrived, began, true
}

// waited is how long a call waited in the mailbox, 0 where that is not known or not worth a word.
func (p *Pane) waited(h *exchange) time.Duration {
	arrived, began, ok := p.handled(h)
	if !ok || began.IsZero() {
		return 0
	}
	if d := began.Sub(arrived); d >= longWait && d >= h.took/10 {
		return d
	}
	return 0
}

// late is a row of the flow that stands between two messages.
type late struct {
	at  time.Time
	row row
}

// between puts what happened between two messages among the rows of the flow: that a call came, and began, where it was sent
// to one rank alone, and who stood at a site.
func (p *Pane) between(rows []row) []row {
	extra := p.standings()
	for _, r := range rows {
		if r.part != whole || r.f.broadcast || r.f.ranks > 1 {
			continue
		}
		h := r.f.one()
		if h.slow = false; !h.matches {
			continue
		}
		arrived, _, ok := p.handled(h)
		if !ok {
			continue
		}
		extra = append(extra, late{arrived, row{part: arriving, f: r.f, h: h}})
		if d := p.waited(h); d > 0 {
			extra = append(extra, late{arrived.Add(d), row{part: beginning, f: r.f, h: h}})
		}
	}
	if len(extra) == 0 {
		return rows
	}
	slices.SortStableFunc(extra, func(a, b late) int { return a.at.Compare(b.at) })
	out := make([]row, 0, len(rows)+len(extra))
	put := func(r row, at time.Time) {
		if n := len(out); n > 0 {
			last := out[n-1]
			r.n = last.n
			if r.part == arriving && (last.part == whole && last.f == r.f || at.Sub(p.src.At(r.h.call).Time) < slowWay) {
				return // the arrow ends where it begins
			}
		}
		if r.part == arriving {
			r.h.slow = true
		}
		out = append(out, r)
	}
	for _, r := range rows {
		for t := p.when(r); len(extra) > 0 && extra[0].at.Before(t); extra = extra[1:] {
			put(extra[0].row, extra[0].at)
		}
		out = append(out, r)
	}
	for _, x := range extra {
		put(x.row, x.at)
	}
	return out
}
