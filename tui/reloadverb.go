package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/reloads"
)

// reloadTarget is the proc mesh that the cursor is on, or that has the actors that it is on. Ranks of it are meant only where they
// are selected: one rank on another build than its neighbours is seldom what is wanted.
func (m *Model) reloadTarget() (*control.ProcMesh, target) {
	t := m.target()
	if len(m.panes.grid.Selected()) == 0 || m.focus == Mesh {
		t.ranks = nil
	}
	if t.mesh == "" {
		pm, ok := m.world.ProcMesh(t.procs)
		if !ok || pm.Gone {
			return nil, target{}
		}
		return pm, t
	}
	x, ok := m.world.Mesh(t.mesh)
	if !ok {
		return nil, target{}
	}
	pm, ok := m.world.ProcMesh(x.Procs)
	home := x.Ref.Home
	if !ok || pm.Gone || pm.FirstProc != x.Ref.First || home.Validate() != nil {
		return nil, target{}
	}
	out := target{procs: pm.Name}
	if len(t.ranks) == 0 {
		return pm, out
	}
	for rank := range home.Len() {
		if slices.Contains(t.ranks, rank) {
			out.ranks = append(out.ranks, home.RankAt(rank))
		}
	}
	slices.Sort(out.ranks)
	if len(out.ranks) == pm.Extent.Len() {
		out.ranks = nil
	}
	return pm, out
}

// askReload moves what the cursor is on to a new build, after a word about what will happen; at once where nobody works there.
func (m *Model) askReload() tea.Cmd {
	pm, t := m.reloadTarget()
	line := "reload"
	if pm != nil {
		line += " " + t.String()
	}
	ranks, actors := m.toMove(pm, t)
	if actors == 0 {
		return m.command(line)
	}
	who := paint.Plural(ranks, "rank") + " with " + paint.Plural(actors, "actor")
	text := fmt.Sprintf("%s is built anew. Then %s move to the new build, the first alone: each handles what it has, keeps its state and goes on; who calls it meanwhile waits. If it does not build, or the first does not begin, all stay as they are.", m.programName(), who)
	if ranks == 1 {
		text = fmt.Sprintf("%s is built anew. Then %s moves to the new build: it handles what it has, keeps its state and goes on; who calls it meanwhile waits. If it does not build, or does not begin, it stays as it is.", m.programName(), who)
	}
	m.push(&dialog.Confirm{Title: line + "?", Text: text, Do: func() tea.Cmd { return m.command(line) }})
	return nil
}

// programName is what is built.
func (m *Model) programName() string {
	if pkg := m.cfg.Package; pkg != "" && m.dialer.own {
		return "Package " + pkg
	}
	if name := m.world.Session.Program; name != "" {
		return "The package of " + name
	}
	return "The program"
}

// toMove is how many ranks a reload moves, and how many actors live on them; of all proc meshes where there is no target.
func (m *Model) toMove(pm *control.ProcMesh, t target) (ranks, actors int) {
	procs, meshes := m.world.Live()
	moves := map[uint64]bool{}
	for _, p := range procs {
		if p.InProcess || pm != nil && p.ID != pm.ID {
			continue
		}
		for rank := range p.Extent.Len() {
			proc, ok := m.world.Proc(p.FirstProc + uint64(rank))
			if ok && !proc.Over() && (pm == nil || len(t.ranks) == 0 || slices.Contains(t.ranks, rank)) {
				moves[proc.ID] = true
			}
		}
	}
	for _, x := range meshes {
		home := x.Ref.Home
		for rank := range x.Ranks {
			if home.Validate() == nil && rank < home.Len() && !x.Ranks[rank].Over() && moves[x.Ref.First+uint64(home.RankAt(rank))] {
				actors++
			}
		}
	}
	return len(moves), actors
}

// nothingToReload is why nothing can be reloaded.
func nothingToReload(m *Model) string {
	if why := noProcs(m); why != "" {
		return why
	}
	if r, ok := m.world.Reloading(); ok {
		return "a reload is going on already: " + reloads.Progress(r)
	}
	pm, t := m.reloadTarget()
	if pm != nil && pm.InProcess {
		return "the ranks of " + pm.Name + " are goroutines of the controller, which goes on with its build"
	}
	if ranks, _ := m.toMove(pm, t); ranks == 0 {
		return "there are no worker processes to move"
	}
	return ""
}

// offersReload reports whether a reload is worth a hint: monarch-tui itself, which has the demos, is seldom built anew.
func (m *Model) offersReload() bool {
	if _, ok := m.focused().(reloadTab); m.focus == Logs && !ok {
		return false
	}
	return len(m.cfg.Demos) == 0 || !m.dialer.own || len(m.world.Reloads) > 0
}

// reloadState is the part of the header about the reload that goes on.
func (m *Model) reloadState(w int) []paint.Seg {
	r, ok := m.world.Reloading()
	if !ok {
		return nil
	}
	text := m.spinner() + " "
	switch {
	case w >= squashWidth:
		text += reloads.Progress(r)
		if w >= wideWidth {
			text += " " + reloads.Took(m.world.ReloadTook(r))
		}
	case r.State == control.ReloadRolling:
		text += fmt.Sprintf("%d/%d", r.Moved, len(r.Ranks))
	default:
		text += "build"
	}
	return []paint.Seg{{Style: paint.Style{Fg: paint.Starting, Attr: paint.Bold}, Text: text}}
}

// reloading reports whether a reload goes on.
func (m *Model) reloading() bool {
	_, ok := m.world.Reloading()
	return ok
}
