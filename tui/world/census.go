package world

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// census is which ranks of an actor mesh have ended. It is made when somebody first asks, and then follows the updates: to
// look at 65,536 ranks anew takes longer than a frame may.
type census struct {
	ended   []bool // by rank
	count   int    // of them
	version uint64 // another number whenever a rank ends, or comes back
	placed  bool   // the mesh says where its ranks stand
	stale   bool   // all ranks have to be looked at anew
}

// Ended is how many ranks of an actor mesh have ended or failed, and a number that is another one whenever other ranks
// have: what was counted of some of them at an equal number still holds.
func (w *World) Ended(m *control.Mesh) (ranks int, version uint64) {
	c := w.census(m)
	return c.count, c.version
}

// HasEnded reports whether a rank of an actor mesh, one of those in m.Ranks, has ended or failed.
func (w *World) HasEnded(m *control.Mesh, rank int) bool { return w.census(m).ended[rank] }

// census is the census of a mesh, up to date.
func (w *World) census(m *control.Mesh) *census {
	c := w.censuses[m.Ref.ID]
	if c == nil {
		c = &census{stale: true}
		if w.censuses == nil {
			w.censuses = map[uint64]*census{}
		}
		w.censuses[m.Ref.ID] = c
	}
	if !c.stale && len(c.ended) == len(m.Ranks) {
		return c
	}
	c.ended = make([]bool, len(m.Ranks))
	c.placed = m.Ref.Home.Validate() == nil && m.Ref.Home.Len() == len(m.Ranks)
	c.stale, c.count = false, 0
	w.versions++
	c.version = w.versions
	for rank := range m.Ranks {
		w.recount(m, c, rank)
	}
	return c
}

// recount brings the census of a rank up to date.
func (w *World) recount(m *control.Mesh, c *census, rank int) {
	if c.stale || rank < 0 || rank >= min(len(c.ended), len(m.Ranks)) {
		return
	}
	w.looked++
	var p *control.Proc
	if c.placed {
		p, _ = w.ProcOf(m, rank)
	}
	word := RankWord(&m.Ranks[rank], p, Mark{}) // who stands at a site lives
	ended := word == "failed" || word == "gone"
	if ended == c.ended[rank] {
		return
	}
	w.versions++
	c.version, c.ended[rank] = w.versions, ended
	if ended {
		c.count++
	} else {
		c.count--
	}
}

// noteStates lets the censuses follow an update that has been applied.
func (w *World) noteStates(u control.Update) {
	if u.Snapshot != nil {
		w.censuses, w.aliveOf = nil, nil
	}
	if slices.ContainsFunc(u.Events, func(ev *control.Event) bool { return ev.Proc != nil || ev.ProcMesh != nil }) {
		w.aliveOf = nil
	}
	if len(w.censuses) == 0 {
		return
	}
	for _, ev := range u.Events {
		switch {
		case ev.Mesh != nil:
			if c := w.censuses[ev.Mesh.Ref.ID]; c != nil {
				c.stale = true
			}
		case ev.Rank != nil:
			if m, ok := w.Mesh(ev.Rank.Mesh); ok && w.censuses[m.Ref.ID] != nil {
				w.recount(m, w.censuses[m.Ref.ID], ev.Rank.Rank)
			}
		case ev.Proc != nil:
			w.recountOn(ev.Proc.ID)
		}
	}
}

// recountOn brings the censuses of the actors on a process up to date.
func (w *World) recountOn(proc uint64) {
	for i := range w.Meshes {
		m := &w.Meshes[i]
		c := w.censuses[m.Ref.ID]
		if c == nil || !c.placed || proc < m.Ref.First {
			continue
		}
		if rank, ok := m.Ref.Home.IndexOf(int(proc - m.Ref.First)); ok {
			w.recount(m, c, rank)
		}
	}
}
