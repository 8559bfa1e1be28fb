package warn

import (
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Pace knows how fast the ranks of open calls answer: after how long half of them had. It learns by looking.
type Pace struct {
	half map[uint64]time.Duration // of a call, 0 while fewer have answered
	rev  uint64
}

// NewPace makes a Pace that has seen nothing.
func NewPace() *Pace { return &Pace{half: map[uint64]time.Duration{}} }

// Look takes in how far the open calls are.
func (p *Pace) Look(w *world.World) {
	if w.StateRevision() == p.rev && len(p.half) == len(w.Calls) {
		return
	}
	p.rev = w.StateRevision()
	seen := make(map[uint64]time.Duration, len(w.Calls))
	for i := range w.Calls {
		c := &w.Calls[i]
		d, known := p.half[c.ID]
		if d == 0 && 2*Answered(c) >= c.Ranks {
			d = max(1, w.Now.Sub(c.Started))
			if !known { // it may have been so for long
				d = 1
			}
		}
		seen[c.ID] = d
	}
	p.half = seen
}

// Answered is how many ranks of a call have answered.
func Answered(c *control.Call) int { return max(0, c.Ranks-len(c.Waiting)) }

// Half is after how long half of the ranks of a call had answered, 0 where that is not known.
func (p *Pace) Half(call uint64) time.Duration {
	if d := p.half[call]; d > 1 {
		return d
	}
	return 0
}

// Straggles reports whether the ranks that have not answered a call lag behind the others.
func (p *Pace) Straggles(c *control.Call, now time.Time, cfg Config) bool {
	cfg = cfg.withDefaults()
	age := now.Sub(c.Started)
	return len(c.Waiting) > 0 && c.Ranks > 1 && float64(Answered(c)) >= cfg.StragglerShare*float64(c.Ranks) &&
		age > cfg.StragglerAfter && float64(age) > cfg.StragglerTimes*float64(p.Half(c.ID))
}

// steady is since when an actor has been at the message that it handles.
type steady struct {
	busy    bool
	handled uint64
	since   time.Time
}

// watch notes which busy actors go on with the message they had at the last look.
func (l *Look) watch() {
	before := l.steady
	l.steady = make(map[uint64][]steady, len(before))
	for i := range l.World.Meshes {
		m := &l.World.Meshes[i]
		if m.Gone {
			continue
		}
		list := before[m.Ref.ID]
		if len(list) != len(m.Ranks) {
			list = make([]steady, len(m.Ranks))
		}
		for rank := range m.Ranks {
			list[rank].look(&m.Ranks[rank], l.World.Now)
		}
		l.steady[m.Ref.ID] = list
	}
}

func (s *steady) look(r *control.RankState, now time.Time) {
	switch {
	case r.State != "busy":
		s.busy = false
		return
	case !s.busy:
		*s = steady{true, r.Handled, r.Since}
	case s.handled != r.Handled:
		s.handled, s.since = r.Handled, now
	}
	if r.Since.After(s.since) {
		s.since = r.Since
	}
}
