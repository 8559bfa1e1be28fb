package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// restartEnded begins new lives of what has ended of what the cursor is on. Nothing that lives is touched, so it does not ask.
func (m *Model) restartEnded() tea.Cmd {
	t := m.target()
	t.ranks = m.endedOf(t)
	if n, _ := m.ranksOf(t); len(t.ranks) == n {
		t.ranks = nil
	}
	return m.command("restart " + t.String())
}

// endedOf are the ranks of a target that have ended.
func (m *Model) endedOf(t target) (ended []int) {
	n, over := m.ranksOf(t)
	for r := range n {
		if (len(t.ranks) == 0 || slices.Contains(t.ranks, r)) && over(r) {
			ended = append(ended, r)
		}
	}
	return ended
}

// ranksOf is how many ranks the mesh of a target has, and which of them have ended.
func (m *Model) ranksOf(t target) (n int, over func(rank int) bool) {
	procs, meshes := m.world.Live()
	for _, x := range meshes {
		if t.mesh != "" && x.Ref.Name == t.mesh {
			return len(x.Ranks), func(r int) bool { return x.Ranks[r].Over() }
		}
	}
	for _, p := range procs {
		if t.mesh == "" && p.Name == t.procs && p.Extent.Validate(0) == nil {
			return p.Extent.Len(), func(r int) bool {
				pr, ok := m.world.Proc(p.FirstProc + uint64(r))
				return ok && pr.Over()
			}
		}
	}
	return 0, nil
}

// nothingEnded is why there is nothing to restart.
func nothingEnded(m *Model) string {
	if why := nothingToEnd(m); why != "" {
		return why
	}
	if t := m.target(); len(m.endedOf(t)) == 0 {
		return t.String() + " lives: only what has ended begins anew" + m.keyHint(" (%s kills it)", "kill")
	}
	return ""
}
