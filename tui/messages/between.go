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

// alone reports whether a fold is a call to one rank, of which the flow tells when it came and began.
func (f *fold) alone() bool { return !f.broadcast && f.ranks <= 1 }

// comesLate reports whether a call comes so long after it was sent that the flow tells of it.
func (h *exchange) comesLate() bool {
	return h.timed() && h.matches && time.Duration(h.arrived-h.sentAt) >= slowWay
}

// beginsLate reports whether a handler begins so long after its call came that the flow tells of it.
func (h *exchange) beginsLate() bool { return h.matches && h.waited() > 0 }

// between puts what happened between two messages, in the times from since to until, among rows of the flow, and appends them
// to out: that a call came, and began, where it was sent to one rank alone, and who stood at a site. carried is what belongs to
// rows of before.
func (p *Pane) between(rows, out []row, since, until int64, carried []late) []row {
	extra := p.rows.extra[:0]
	for _, x := range p.rows.stands {
		if x.at >= since && x.at <= until {
			extra = append(extra, x)
		}
	}
	extra = append(extra, carried...)
	for i := range rows {
		if r := &rows[i]; r.part == whole && r.f.alone() {
			extra = r.f.one().lates(extra, until, p.ix.stale.since)
		}
	}
	p.rows.extra = extra
	slices.SortStableFunc(extra, p.compareLate)
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
	for i := range rows {
		for len(extra) > 0 && extra[0].at < p.at(&rows[i]) {
			put(extra[0])
			extra = extra[1:]
		}
		out = append(out, rows[i])
	}
	for _, x := range extra {
		put(x)
	}
	return out
}

// lates adds when a call came, and when its handler began, where that is told in the rows up to a time; those of later stay as
// they are, from since on they are made anew.
func (h *exchange) lates(out []late, until, since int64) []late {
	if !h.comesLate() {
		h.slow = false
	} else if h.arrived <= until || !h.slow && h.arrived < since { // the arrow ended where it began, and may do so no longer
		h.slow = false
		out = append(out, late{at: h.arrived, part: arriving, h: h})
	}
	if h.beginsLate() && h.began <= until {
		out = append(out, late{at: h.began, part: beginning, h: h})
	}
	return out
}

// compareLate puts in order what happened between two messages: at one time as the calls are that it belongs to.
func (p *Pane) compareLate(a, b late) int {
	switch {
	case a.at != b.at:
		return cmp.Compare(a.at, b.at)
	case a.part == stands || b.part == stands:
		return cmp.Compare(b.part, a.part)
	case a.h.f != b.h.f:
		x, y := a.h.f.stands, b.h.f.stands
		return stamp{p.ix.rec(x).at, x}.compare(stamp{p.ix.rec(y).at, y})
	}
	return cmp.Compare(a.part, b.part)
}

// at is the time of a row, in nanoseconds.
func (p *Pane) at(r *row) int64 {
	switch r.part { //nolint:exhaustive // the others stand where a message does
	case lost:
		return r.fail.Time.UnixNano()
	case arriving:
		return r.h.arrived
	case beginning:
		return r.h.began
	case stands:
		return r.who.stops[0].Since.UnixNano()
	}
	return p.ix.rec(r.n).at
}
