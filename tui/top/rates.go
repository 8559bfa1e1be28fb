package top

import (
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Of how long a time figures are: rates of the last window, times of the answers of the last while.
const (
	window = 5 * time.Second
	while  = time.Minute
	shots  = 7                      // one a second, a window long, and one to compare with
	apart  = 900 * time.Millisecond // the least time between two
)

// work is what an actor has done so far.
type work struct {
	handled uint64
	busy    time.Duration
	timed   bool // busy is known
}

func workOf(r *control.RankState, now time.Time) work {
	x := work{handled: r.Handled, busy: r.Worked, timed: r.Worked > 0 || r.Handled == 0}
	if r.State == "busy" {
		x.busy += max(0, now.Sub(r.Since))
	}
	return x
}

// shot is what all actors had done at a time, by mesh and rank.
type shot struct {
	at time.Time
	of map[uint64][]work
}

// rates are the last shots, oldest first.
type rates struct {
	w     *world.World
	shots []shot
}

// look takes a shot, unless the last one is not a second old.
func (x *rates) look(w *world.World) {
	if x.w != w {
		x.w, x.shots = w, nil
	}
	if n := len(x.shots); n > 0 {
		switch d := w.Now.Sub(x.shots[n-1].at); {
		case d < 0: // the clock was set back
			x.shots = nil
		case d < apart:
			return
		}
	}
	s := shot{at: w.Now}
	if len(x.shots) == shots { // its lists are used again
		s.of = x.shots[0].of
		x.shots = append(x.shots[:0], x.shots[1:]...)
	}
	x.shots = append(x.shots, s.fill(w))
}

// fill takes in what lives; meshes that have ended are forgotten.
func (s shot) fill(w *world.World) shot {
	old := s.of
	s.of = make(map[uint64][]work, len(w.Meshes))
	for i := range w.Meshes {
		m := &w.Meshes[i]
		if m.Gone {
			continue
		}
		list := old[m.Ref.ID]
		if cap(list) < len(m.Ranks) {
			list = make([]work, len(m.Ranks))
		}
		list = list[:len(m.Ranks)]
		for rank := range m.Ranks {
			list[rank] = workOf(&m.Ranks[rank], w.Now)
		}
		s.of[m.Ref.ID] = list
	}
	return s
}

// of are the messages a second of an actor, and the share of the time in which it was busy; not known is -1.
func (x *rates) of(mesh uint64, rank int) (rate, busy float64) {
	rate, busy = -1, -1
	if len(x.shots) == 0 {
		return rate, busy
	}
	last := &x.shots[len(x.shots)-1]
	b, ok := last.work(mesh, rank)
	if !ok {
		return rate, busy
	}
	for i := range x.shots[:len(x.shots)-1] {
		s := &x.shots[i]
		a, ok := s.work(mesh, rank)
		took := last.at.Sub(s.at)
		if !ok || took > window+apart || a.handled > b.handled { // of another incarnation
			continue
		}
		rate = float64(b.handled-a.handled) / took.Seconds()
		if a.timed && b.timed {
			busy = max(0, min(1, (b.busy-a.busy).Seconds()/took.Seconds()))
		}
		return rate, busy
	}
	return rate, busy
}

func (s *shot) work(mesh uint64, rank int) (work, bool) {
	list := s.of[mesh]
	if rank >= len(list) {
		return work{}, false
	}
	return list[rank], true
}
