package tui

import (
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// liveCounts is how many processes and actors live: those of meshes that have not ended, less what has ended or failed of
// them.
type liveCounts struct {
	world         *world.World // it was counted of
	rev           uint64
	procs, actors int
}

// alive counts what lives, anew only when something has happened.
func (m *Model) alive() liveCounts {
	w := m.world
	if m.live.world == w && m.live.rev == w.Revision() && w.Revision() > 0 {
		return m.live
	}
	l := liveCounts{world: w, rev: w.Revision()}
	procs, meshes := w.Live()
	for _, p := range procs {
		for r := range p.Extent.Len() {
			if x, ok := w.Proc(p.FirstProc + uint64(r)); !ok || !ended(x) { // one that is not known yet is on its way
				l.procs++
			}
		}
	}
	for _, a := range meshes {
		for r := range a.Ranks {
			if word := w.Word(a, r); word != "failed" && word != "gone" {
				l.actors++
			}
		}
	}
	m.live = l
	return l
}

// ended reports whether a process has ended, in whatever way.
func ended(p *control.Proc) bool {
	switch p.State {
	case "lost", "exited", "killed", "oom", "fenced", "failed":
		return true
	}
	return false
}
