package messages

import (
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// doing is what goes on at a lifeline.
type doing uint8

const (
	idle    doing = iota
	queued        // a message waits in a mailbox
	handles       // a handler runs
	halted        // a handler stands at a site
)

// span is a time during which something goes on at a lifeline.
type span struct {
	line     int
	from, to int64 // nanoseconds; to is after it
	doing    doing
}

// spansOf are the spans of some rows' calls that reach into a time, until the next call of spansOf.
func (p *Pane) spansOf(rows []row, from, to int64) []span {
	out := p.spans[:0]
	add := func(line int, a, b int64, d doing) {
		if line >= 0 && a < b && a <= to && b > from {
			out = append(out, span{line, a, b, d})
		}
	}
	for _, r := range rows {
		switch r.part { //nolint:exhaustive // the others tell of the same calls, or of none
		case stands:
			for _, s := range r.who.stops {
				until := s.until
				if until.IsZero() {
					until = p.w.Now.Add(time.Nanosecond)
				}
				add(p.flow.lineOf(fmt.Sprintf("@%s[%d]", s.Mesh, s.Rank)), s.Since.UnixNano(), until.UnixNano(), halted)
			}
		case whole:
			if len(r.f.exchanges) > 1 {
				for _, s := range p.courseOf(r.f).spans {
					add(s.line, s.from, s.to, s.doing)
				}
			} else if h := r.f.one(); h.timed() && h.matches && h.ended > from && h.arrived <= to {
				_, line := p.linesOf(h)
				h.doings(func(a, b int64, d doing) { add(line, a, b, d) })
			}
		}
	}
	p.spans = out
	return out
}

// doingIn is what goes on at the lifelines in a time, both ends of which belong to it; of several things the one that matters
// most.
func doingIn(spans []span, lines int, from, to int64) []doing {
	out := make([]doing, lines)
	for _, s := range spans {
		if s.from <= to && from < s.to {
			out[s.line] = max(out[s.line], s.doing)
		}
	}
	return out
}

// untils are the times at which the rows from one to another end: just before the next row; the last row's is now.
func (p *Pane) untils(from, to int) []int64 {
	out := make([]int64, 0, to-from)
	for i := from; i < to; i++ {
		end := p.w.Now.UnixNano()
		if i+1 < len(p.view.Rows) {
			end = p.when(p.view.Rows[i+1]).UnixNano() - 1
		}
		out = append(out, max(end, p.when(p.view.Rows[i]).UnixNano()))
	}
	return out
}

// lifelineSign is how a lifeline looks: what goes on there, and whether somebody there waits for an answer.
func lifelineSign(d doing, waits bool) (string, paint.Style) {
	switch {
	case d == halted:
		return "┊", paint.Style{Fg: paint.Paused}
	case d == handles:
		return "┃", paint.Style{Fg: paint.Busy}
	case d == queued || waits:
		return "┊", paint.Style{Fg: paint.Muted}
	}
	return "│", paint.Style{Fg: paint.Faint}
}
