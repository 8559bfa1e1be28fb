package messages

import (
	"cmp"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Limits of what the flow tells of the time between two messages.
const (
	slowWay  = 100 * time.Microsecond // under way, while others happen: less of it is no row
	longWait = time.Millisecond       // in the mailbox, and a tenth of the whole: less of it is not told
)

// handling is when a call came into the mailbox of who was called, and when its handler began, as its answer tells: both after
// it was sent and before its answer, in nanoseconds; 0 where that is not known. The two clocks are of two processes, and agree as
// far as hybrid clocks do: what they say is put between what the caller has seen.
func handling(sent int64, answer *control.Message) (arrived, began int64) {
	last := answer.Time.UnixNano() - 1
	if answer.Arrived.IsZero() || last < sent {
		return 0, 0
	}
	arrived = min(max(answer.Arrived.UnixNano(), sent), last)
	if !answer.Began.IsZero() {
		began = min(max(answer.Began.UnixNano(), arrived), last)
	}
	return arrived, began
}

// handled is when a call came and when its handler began, as handling; ok is false where that is not known, or not any more.
func (p *Pane) handled(h *exchange) (arrived, began time.Time, ok bool) {
	if !h.timed() {
		return arrived, began, false
	}
	sent := p.src.At(h.call).Time
	after := func(at int64) time.Time { return sent.Add(time.Duration(at - p.ix.rec(h.call).at)) }
	if arrived = after(h.arrived); h.began != 0 {
		began = after(h.began)
	}
	return arrived, began, true
}

// timed reports whether it is known when the call came, and both of its messages are kept.
func (h *exchange) timed() bool { return h.call >= 0 && h.answer >= 0 && h.arrived != 0 }

// waited is how long a call waited in the mailbox, 0 where that is not known or not worth a word.
func (h *exchange) waited() time.Duration {
	if !h.timed() || h.began == 0 {
		return 0
	}
	if d := time.Duration(h.began - h.arrived); d >= longWait && d >= h.took/10 {
		return d
	}
	return 0
}

// late is a row of the flow that stands between two messages.
type late struct {
	at   int64 // nanoseconds
	part part
	h    *exchange
	who  *standing
}

// between puts what happened between two messages among the rows of the flow, into room: that a call came, and began, where it
// was sent to one rank alone, and who stood at a site.
func (p *Pane) between(rows, room []row) []row {
	extra := p.standings(p.extra[:0])
	for i := range rows {
		r := &rows[i]
		if r.part != whole || r.f.broadcast || r.f.ranks > 1 {
			continue
		}
		h := r.f.one()
		if h.slow = false; !h.matches {
			continue
		}
		if !h.timed() {
			continue
		}
		if time.Duration(h.arrived-p.ix.rec(h.call).at) >= slowWay {
			extra = append(extra, late{at: h.arrived, part: arriving, h: h})
		}
		if h.waited() > 0 {
			extra = append(extra, late{at: h.began, part: beginning, h: h})
		}
	}
	p.extra = extra
	slices.SortStableFunc(extra, func(a, b late) int { return cmp.Compare(a.at, b.at) })
	out := room
	put := func(x late) {
		r := row{part: x.part, f: x.h.f, h: x.h, who: x.who}
		if n := len(out); n > 0 {
			last := &out[n-1]
			r.n = last.n
			if r.part == arriving && last.part == whole && last.f == r.f {
				return // the arrow ends where it begins
			}
		}
		if r.part == arriving {
			r.h.slow = true
		}
		out = append(out, r)
	}
	for _, r := range rows {
		for len(extra) > 0 && extra[0].at < p.at(r) {
			put(extra[0])
			extra = extra[1:]
		}
		out = append(out, r)
	}
	for _, x := range extra {
		put(x)
	}
	return out
}

// at is the time of a row that tells of messages or of a failure, in nanoseconds.
func (p *Pane) at(r row) int64 {
	if r.part == lost {
		return r.fail.Time.UnixNano()
	}
	return p.ix.rec(r.n).at
}
