package tui

import (
	"github.com/monarch-tui/monarch-tui/tui/calls"
	"github.com/monarch-tui/monarch-tui/tui/grid"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/logs"
	"github.com/monarch-tui/monarch-tui/tui/messages"
	"github.com/monarch-tui/monarch-tui/tui/tree"
	"github.com/monarch-tui/monarch-tui/tui/warn"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// paneSet is all panes. Those that actions or other panes act on have a field; what is drawn, and where keys go, is found
// through the slots.
type paneSet struct {
	tree    *tree.Pane
	grid    *grid.Pane
	inspect *inspect.Pane
	msgs    *messages.Pane
	calls   *calls.Pane
	logs    *logs.Pane
	warn    *warn.Checker
	cmds    *cmdLog

	slots [panes]slot
}

func newPaneSet(m *Model) paneSet {
	s := paneSet{
		tree: tree.New(m.keyOf), grid: grid.New(m.keyOf), inspect: inspect.New(m.keyOf), msgs: messages.New(m.keyOf), calls: calls.New(m.keyOf), logs: logs.New(m.keyOf),
		warn: warn.New(warn.Config{Off: m.cfg.Settings.Off}), cmds: newCmdLog(m), slots: slots(),
	}
	for p := range s.slots {
		for i := range s.slots[p].tabs {
			t := &s.slots[p].tabs[i]
			t.body = t.make(m, &s)
		}
	}
	return s
}

// tab is the open tab of a slot.
func (s *paneSet) tab(p PaneID) *tab { return s.slots[p].shown() }

// focused is what the open tab of the focused slot shows.
func (m *Model) focused() body { return m.panes.tab(m.focus).body }

// left moves left, or folds.
func (s *paneSet) left(p PaneID) {
	if v, ok := s.tab(p).body.(sideways); ok {
		v.Left()
	}
}

// right moves right, or unfolds.
func (s *paneSet) right(p PaneID) {
	if v, ok := s.tab(p).body.(sideways); ok {
		v.Right()
	}
}

// drag moves the pointer with its button down.
func (s *paneSet) drag(p PaneID, x, y int) {
	if v, ok := s.tab(p).body.(dragger); ok {
		v.Drag(x, y)
	}
}

// freeze holds what is shown.
func (s *paneSet) freeze(p PaneID) {
	if v, ok := s.tab(p).body.(freezer); ok {
		v.Freeze()
	}
}

// fold folds what is alike over ranks, or not.
func (s *paneSet) fold(p PaneID) {
	if v, ok := s.tab(p).body.(folder); ok {
		v.ToggleFold()
	}
}

// warnings is how many there are.
func (s *paneSet) warnings(w *world.World) int { return len(s.warn.List(w)) }

// place is the way to what the cursor is on, for the header.
func (s *paneSet) place(w *world.World) []string {
	t, ok := s.grid.Target()
	if !ok {
		return nil
	}
	if t.Procs {
		return []string{t.Name}
	}
	if m, ok := w.MeshByID(t.Mesh); ok {
		return []string{m.Procs, t.Name}
	}
	return []string{t.Name}
}

// here is the mesh and the rank on the grid.
func (s *paneSet) here() (mesh uint64, rank int) {
	id, procs, ok := s.grid.Mesh()
	if !ok || procs {
		return 0, 0
	}
	return id, s.grid.Cursor()
}

// showMesh puts the cursor of the tree on a mesh, and the mesh on the grid; false where there is none of that name.
func (s *paneSet) showMesh(w *world.World, name string) bool {
	m, ok := w.Mesh(name)
	if ok {
		s.tree.GoMesh(w, m.Ref.ID)
		s.grid.Show(w, m.Ref.ID)
	}
	return ok
}

// showProcs puts the cursor of the tree on a proc mesh.
func (s *paneSet) showProcs(w *world.World, name string) bool {
	p, ok := w.ProcMesh(name)
	if ok {
		s.tree.GoProcs(w, p.ID)
		s.grid.ShowProcs(w, p.ID)
	}
	return ok
}
