package tui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// cursorMoved brings the panes together: what the cursor is on is on the grid, in the inspector, and first in the flow.
func (m *Model) cursorMoved() tea.Cmd {
	m.touch()
	if v, ok := m.focused().(leader); ok {
		v.Lead()
	}
	m.inspectHere()
	if t, ok := m.panes.grid.Target(); ok && !t.Procs {
		m.panes.msgs.SetFocus(t.Name, t.Ranks)
	}
	return m.wantState()
}

// moved brings the panes together after the cursor of the focused one has moved. That of the inspector moves in what is shown
// there, and does not change what that is.
func (m *Model) moved() tea.Cmd {
	if m.focus == Inspect {
		m.touch()
		return m.wantState()
	}
	return m.cursorMoved()
}

// inspectHere tells the inspector what to show: what the leading cursor is on, else the rank under that of the grid.
func (m *Model) inspectHere() {
	if v, ok := m.focused().(leader); ok && v.Inspect() {
		return
	}
	t, ok := m.panes.grid.Target()
	if !ok {
		return
	}
	rank := m.panes.grid.Cursor()
	if !t.Procs {
		m.panes.inspect.ShowActor(t.Mesh, rank)
		return
	}
	for i := range m.world.ProcMeshes {
		if p := &m.world.ProcMeshes[i]; p.ID == t.Mesh {
			m.panes.inspect.ShowProc(p.FirstProc + uint64(rank))
		}
	}
}

// worldChanged lets the panes follow the world.
func (m *Model) worldChanged() tea.Cmd {
	if len(m.world.Breaks) > 0 {
		m.showBreaks()
	}
	cmds := []tea.Cmd{m.showNew(), m.noteReloads()}
	if rev := m.world.StateRevision(); rev != m.refreshed { // dialogs tell nothing of messages and lines
		m.refreshed = rev
		cmds = append(cmds, m.refreshOverlays())
	}
	if m.isPaused() { // what stands is looked at at once
		cmds = append(cmds, m.wantState())
	}
	return tea.Batch(cmds...)
}

// showNew shows what was asked for as soon as it is there; else, where no actors are on the grid, the newest.
func (m *Model) showNew() tea.Cmd {
	procs, meshes := m.world.Live()
	if w := m.show; !w.none() {
		if x, ok := m.world.Mesh(w.mesh); ok && !x.Gone {
			m.panes.showMesh(m.world, w.mesh)
			m.show = target{}
		} else if p, ok := m.world.ProcMesh(w.procs); ok && !p.Gone {
			m.panes.showProcs(m.world, w.procs)
			m.show = target{}
		}
		if m.show.none() {
			return m.cursorMoved()
		}
	}
	var newest *control.Mesh
	for _, x := range meshes {
		if newest == nil || x.Ref.ID > newest.Ref.ID {
			newest = x
		}
	}
	fresh := newest != nil && newest.Ref.ID > m.newest
	if fresh {
		m.newest = newest.Ref.ID
	}
	_, onProcs, shown := m.panes.grid.Mesh()
	switch {
	case newest != nil && (!shown || m.gridGone() || onProcs && fresh):
		m.panes.showMesh(m.world, newest.Ref.Name)
	case !shown && len(procs) > 0:
		m.panes.showProcs(m.world, procs[len(procs)-1].Name)
	default:
		return nil
	}
	return m.cursorMoved()
}

// gridGone reports whether the mesh on the grid has ended.
func (m *Model) gridGone() bool {
	id, procs, ok := m.panes.grid.Mesh()
	if !ok {
		return true
	}
	if procs {
		i := slices.IndexFunc(m.world.ProcMeshes, func(p control.ProcMesh) bool { return p.ID == id })
		return i < 0 || m.world.ProcMeshes[i].Gone
	}
	mesh, ok := m.world.MeshByID(id)
	return !ok || mesh.Gone
}

// target is what commands from keys act on: what the leading cursor is on, else the selection, else the rank under the
// cursor of the grid.
func (m *Model) target() target {
	if v, ok := m.focused().(leader); ok {
		if t, ok := v.Target(); ok {
			return t
		}
	}
	t, ok := m.panes.grid.Target()
	switch {
	case !ok || m.gridGone():
		return target{}
	case t.Procs:
		return target{procs: t.Name, ranks: t.Ranks}
	}
	return target{mesh: t.Name, ranks: t.Ranks}
}

// stateMsg is the state of an actor as it was asked for.
type stateMsg struct {
	gen   int
	ask   inspect.Ask
	nodes []control.StateNode
	err   error
}

// stateTime is how long an actor may take until it is between two messages; then the inspector says that it is busy.
const stateTime = 2 * time.Second

// wantState asks for what the inspector and the charts show.
func (m *Model) wantState() tea.Cmd { return tea.Batch(m.askState(), m.wantLook(), m.wantFigures()) }

// askState asks for the state that the inspector shows, one question at a time.
func (m *Model) askState() tea.Cmd {
	if m.asking || m.offline() != "" || m.layoutHides(Inspect) {
		return nil
	}
	ask, ok := m.panes.inspect.Want(m.world)
	if !ok {
		return nil
	}
	x, found := m.world.MeshByID(ask.Mesh)
	if !found || x.Gone {
		return nil
	}
	m.asking = true
	c, gen, ctx, name := m.conn.client, m.conn.gen, m.ctx, x.Ref.Name
	return m.task(func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, stateTime)
		defer cancel()
		nodes, err := c.State(ctx, control.StateReq{Mesh: name, Ranks: []int{ask.Rank}, Path: ask.Path, Start: ask.Start})
		return stateMsg{gen, ask, nodes, err}
	})
}

func (s stateMsg) apply(m *Model) tea.Cmd {
	m.asking = false
	if m.conn == nil || s.gen != m.conn.gen {
		return nil
	}
	m.panes.inspect.SetState(m.world, s.ask, s.nodes, s.err)
	return m.askState()
}

// layoutHides reports whether a pane is not on the screen.
func (m *Model) layoutHides(p PaneID) bool { return m.layout.Panes[p].Empty() }

// activate opens what the cursor is on.
func (m *Model) activate() tea.Cmd {
	t := m.panes.tab(m.focus)
	if v, ok := t.body.(activator); ok {
		return v.Activate()
	}
	unfolded := false
	if v, ok := t.body.(enterer); ok {
		unfolded = v.Enter()
	}
	if v, ok := t.body.(opener); ok && !unfolded {
		m.openLines(t.box, v.Open(m.world))
	}
	return m.cursorMoved()
}

// openLines shows text lines.
func (m *Model) openLines(title string, lines [][]paint.Seg) {
	if len(lines) == 0 {
		return
	}
	m.pushText(&dialog.TextBox{Title: title, Lines: func() (out []paint.Seg) {
		for _, l := range lines {
			out = append(append(out, l...), paint.Seg{Text: "\n"})
		}
		return out
	}})
}

// clicked is a click inside a pane.
func (m *Model) clicked(p PaneID, x, y int, mod tea.KeyMod) tea.Cmd {
	m.panes.grid.Mark()
	b := m.panes.tab(p).body
	if v, ok := b.(modClicker); ok {
		if cmd, done := v.ClickWith(x, y, mod); done {
			return cmd
		}
	}
	b.Click(x, y)
	return m.moved()
}

// escape goes one step back.
func (m *Model) escape() tea.Cmd {
	m.panes.grid.Mark()
	b := m.focused()
	filtered, _ := b.(clearer)
	selected, _ := b.(deselecter)
	switch {
	case filtered != nil && filtered.ClearLast():
	case m.zoom != Normal:
		m.zoom = Normal
	case selected != nil && selected.None():
	case m.dialing != nil && !m.dialing.again && m.conn != nil:
		m.say(sayWarn, "gave up attaching to "+m.dialing.name)
		m.dialing = nil // what it leads to comes too late
	default:
		m.toast, m.shownEntry = toast{}, nil
	}
	return m.cursorMoved()
}
