package messages

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// maxPast bounds the stops that are remembered after they have ended.
const maxPast = 256

// stood is a frame that stands at a site, or has stood there.
type stood struct {
	control.Stop
	until time.Time // zero: it stands yet
}

// standing is a row of the flow: the frames of one fold that stand at one breakpoint, or stood there.
type standing struct {
	stops []*stood
}

// syncStops takes in who has stopped, and who goes on: the session tells only who stands now.
func (p *Pane) syncStops(w *world.World) {
	list := w.StopList() // another one whenever a stop is told
	if len(list) == len(p.stopList) && (len(list) == 0 || &list[0] == &p.stopList[0]) {
		return
	}
	p.stopList = list
	now := make(map[control.StopRef]bool, len(list))
	for i := range list {
		now[control.StopRef{ID: list[i].ID, Gen: list[i].Gen}] = true
	}
	known := make(map[control.StopRef]bool, len(p.stood))
	changed := false
	for _, s := range p.stood {
		ref := control.StopRef{ID: s.ID, Gen: s.Gen}
		known[ref] = true
		if s.until.IsZero() && !now[ref] {
			s.until, changed = w.Now, true
		}
	}
	for i := range list {
		if st := list[i]; !known[control.StopRef{ID: st.ID, Gen: st.Gen}] {
			p.stood, changed = append(p.stood, &stood{Stop: st}), true
		}
	}
	if !changed {
		return
	}
	p.ix.Version++
	past := 0
	for _, s := range slices.Backward(p.stood) {
		if !s.until.IsZero() {
			past++
		}
	}
	p.stood = slices.DeleteFunc(p.stood, func(s *stood) bool { // the oldest first
		if past > maxPast && !s.until.IsZero() {
			past--
			return true
		}
		return false
	})
}

// restand has all rows made anew when others stand than in the list.
func (p *Pane) restand() {
	v := &p.rows
	if len(p.stood) == 0 && len(v.stands) == 0 {
		return
	}
	v.next = p.standings(v.next[:0])
	same := func(a, b late) bool { return a.at == b.at && a.h == b.h && slices.Equal(a.who.stops, b.who.stops) }
	if !slices.EqualFunc(v.stands, v.next, same) {
		v.stands, v.next = v.next, v.stands
		p.ix.stale.all()
	}
}

// standings adds the rows about who stands: one for the frames of a fold that stand at one breakpoint.
func (p *Pane) standings(out []late) []late {
	type key struct {
		f    *fold
		bp   uint64
		site string
		over bool
	}
	rows := map[key]*standing{}
	for _, s := range p.stood {
		h := p.exchangeOf(s)
		if h == nil || !h.matches {
			continue
		}
		k := key{h.f.now(), s.Break, s.Site, !s.until.IsZero()}
		if row := rows[k]; row != nil {
			row.stops = append(row.stops, s)
			continue
		}
		rows[k] = &standing{[]*stood{s}}
		out = append(out, late{s.Since.UnixNano(), stands, h, rows[k]})
	}
	return out
}

// exchangeOf is the call whose handler stands; nil where it is not kept.
func (p *Pane) exchangeOf(s *stood) *exchange {
	if h := p.ix.byID.get(s.Msg); s.Msg != 0 && h != nil && h.call >= 0 {
		return h
	}
	return nil
}

// word says where frames stand: bp 2, panic.
func (st *standing) word() string {
	s := st.stops[0]
	text := "paused"
	switch {
	case s.Break != 0:
		text = "bp " + strconv.FormatUint(s.Break, 10)
	case s.Site == control.SitePanic, s.Site == control.SiteBreak:
		text = s.Site
	}
	if n := len(st.stops); n > 1 {
		text += " ×" + paint.Exact(n)
	}
	return text
}

// note says how long frames have stood, the longest of them, and how many messages wait behind them.
func (p *Pane) standNote(st *standing, w int) string {
	var most time.Duration
	queued, over := 0, true
	for _, s := range st.stops {
		until := s.until
		if until.IsZero() {
			until, over = p.w.Now, false
		}
		most = max(most, until.Sub(s.Since))
		if m, ok := p.w.Mesh(s.Mesh); ok && s.Rank >= 0 && s.Rank < len(m.Ranks) {
			queued += m.Ranks[s.Rank].Queue
		}
	}
	step := 100 * time.Millisecond // the digits are to be read
	if over || most < time.Second {
		step = time.Microsecond
	}
	long := paint.Duration(most.Truncate(step))
	if over {
		return oneOf(w, "paused "+long+", went on", "paused "+long, long)
	}
	if queued == 0 {
		return oneOf(w, "paused "+long, long)
	}
	return oneOf(w, fmt.Sprintf("paused %s, %s queued behind it", long, paint.Exact(queued)), fmt.Sprintf("paused %s, %s queued", long, paint.Exact(queued)), "paused "+long, long)
}
