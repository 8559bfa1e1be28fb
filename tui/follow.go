package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/logs"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/tree"
)

// cursorMoved brings the panes together: what the cursor is on is on the grid, in the inspector, and first in the flow.
func (m *Model) cursorMoved() tea.Cmd {
	m.touch()
	if m.focus == Mesh {
		switch sel := m.panes.tree.Selected(m.world); sel.Kind {
		case tree.KindMesh:
			m.panes.grid.Show(m.world, sel.Mesh)
		case tree.KindActor:
			m.panes.grid.Show(m.world, sel.Mesh)
			m.panes.grid.SetCursor(sel.Rank)
		case tree.KindState:
			m.panes.grid.Show(m.world, sel.Mesh)
			m.panes.grid.SetCursor(sel.Ranks[0])
		case tree.KindProcs:
			m.panes.grid.ShowProcs(m.world, sel.Procs)
		case tree.KindProc:
			m.panes.grid.ShowProcs(m.world, sel.Procs)
			m.panes.grid.SetCursor(sel.Rank)
		default:
		}
	}
	m.inspectHere()
	if t, ok := m.panes.grid.Target(); ok && !t.Procs {
		m.panes.msgs.SetFocus(t.Name, t.Ranks)
	}
	return m.wantState()
}

// inspectHere tells the inspector what to show.
func (m *Model) inspectHere() {
	if m.focus == Mesh {
		switch sel := m.panes.tree.Selected(m.world); sel.Kind {
		case tree.KindMesh:
			m.panes.inspect.ShowMesh(sel.Mesh)
			return
		case tree.KindProcs:
			m.panes.inspect.ShowProcs(sel.Procs)
			return
		case tree.KindProc:
			m.panes.inspect.ShowProc(sel.Proc)
			return
		case tree.KindActor:
			m.panes.inspect.ShowActor(sel.Mesh, sel.Rank)
			return
		case tree.KindState:
			m.panes.inspect.ShowActor(sel.Mesh, sel.Ranks[0])
			return
		default:
		}
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
func (m *Model) worldChanged() tea.Cmd { return tea.Batch(m.showNew(), m.refreshOverlays()) }

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

// stateMsg is the state of an actor as it was asked for.
type stateMsg struct {
	gen   int
	ask   inspect.Ask
	nodes []control.StateNode
	err   error
}

// stateTime is how long an actor may take until it is between two messages; then the inspector says that it is busy.
const stateTime = 2 * time.Second

// wantState asks for the state that the inspector shows, one question at a time.
func (m *Model) wantState() tea.Cmd {
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
	return m.wantState()
}

// layoutHides reports whether a pane is not on the screen.
func (m *Model) layoutHides(p PaneID) bool { return m.layout.Panes[p].Empty() }

// target is what a verb is about.
func (m *Model) target() target {
	if m.focus == Mesh {
		switch sel := m.panes.tree.Selected(m.world); sel.Kind {
		case tree.KindProcs:
			return target{procs: sel.Name}
		case tree.KindProc:
			return target{procs: sel.Name, ranks: []int{sel.Rank}}
		case tree.KindHost, tree.KindRun:
			return target{procs: sel.Name, ranks: sel.Ranks}
		case tree.KindState:
			return target{mesh: sel.Name, ranks: sel.Ranks}
		case tree.KindMesh:
			return target{mesh: sel.Name}
		case tree.KindActor:
			return target{mesh: sel.Name, ranks: []int{sel.Rank}}
		default:
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

// activate opens what the cursor is on.
func (m *Model) activate() tea.Cmd {
	switch m.focus {
	case Mesh:
		if m.panes.tree.Enter() {
			break
		}
		switch sel := m.panes.tree.Selected(m.world); sel.Kind {
		case tree.KindHint:
			return m.do(m.reg.named(sel.Name))
		case tree.KindState:
			_ = m.panes.grid.SetSelection(ranksText(sel.Ranks))
			m.setFocus(Ranks)
		case tree.KindNone:
		default:
			m.setFocus(Ranks)
		}
	case Ranks:
		if !m.panes.grid.Enter() {
			m.setFocus(Inspect)
		}
	case Inspect:
		m.panes.inspect.Enter()
		return m.wantState()
	case Messages:
		if m.panes.callsTab {
			m.panes.calls.Enter()
			break
		}
		if !m.panes.msgs.Enter() {
			m.openLines("Message", m.panes.msgs.Open(m.world))
		}
	case Logs:
		if m.panes.cmdsTab {
			if e := m.panes.cmds.current(); e != nil {
				m.openEntry(e)
			}
			break
		}
		if !m.panes.logs.Enter() {
			m.openLines("Log", m.panes.logs.Open(m.world))
		}
	default:
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

// escape goes one step back.
func (m *Model) escape() tea.Cmd {
	m.panes.grid.Mark()
	switch {
	case m.focus == Ranks && (m.panes.grid.CancelRectangle() || m.panes.grid.Back()):
	case m.focus == Messages && !m.panes.callsTab && m.panes.msgs.ClearLast():
	case m.focus == Logs && !m.panes.cmdsTab && m.panes.logs.ClearLast():
	case m.focus == Mesh && m.panes.tree.Filter() != "":
		m.panes.tree.SetFilter("")
	case m.focus == Inspect && m.panes.inspect.ClearLast():
	case m.zoom != Normal:
		m.zoom = Normal
	case m.focus == Ranks && m.panes.grid.None():
	case m.dialing != nil && !m.dialing.again && m.conn != nil:
		m.say(sayWarn, "gave up attaching to "+m.dialing.name)
		m.dialing = nil // what it leads to comes too late
	default:
		m.toast, m.shownEntry = toast{}, nil
	}
	return m.cursorMoved()
}

// paneFilter is the filter of a pane.
type paneFilter struct {
	get  func() string
	set  func(text string) error
	hint string
}

// filterOf is the filter of a pane, nil where it has none.
func (m *Model) filterOf(p PaneID) *paneFilter {
	s := &m.panes
	switch {
	case p == Mesh:
		return &paneFilter{s.tree.Filter, func(t string) error { s.tree.SetFilter(t); return nil }, "part of a name"}
	case p == Inspect:
		return &paneFilter{s.inspect.Filter, s.inspect.SetFilter, "part of a name or a value"}
	case p == Messages && !s.callsTab:
		return &paneFilter{s.msgs.Filter, s.msgs.SetFilter, "words  from: to: mesh: endpoint: rank: kind: state: took:>5ms call:41 family:41  !not  /regexp/"}
	case p == Logs && !s.cmdsTab:
		return &paneFilter{s.logs.Filter, s.logs.SetFilter, "words  mesh: rank: level: stream: text:  !not  /regexp/"}
	}
	return nil
}

// filterMistake is the text of a filter's error, and its column.
func filterMistake(err error) (string, int) {
	if e, ok := err.(*filter.Error); ok { //nolint:errorlint // it comes as it is
		return e.What, e.Column
	}
	return err.Error(), 0
}

// clicked is a click inside a pane.
func (m *Model) clicked(p PaneID, x, y int, mod tea.KeyMod) tea.Cmd {
	m.panes.grid.Mark()
	switch {
	case p == Ranks && m.panes.grid.OnSlice(x, y):
		m.openSlice()
		return nil
	case p == Ranks && mod&(tea.ModCtrl|tea.ModShift) != 0:
		m.panes.grid.ClickToggle(x, y)
	default:
		m.panes.of(p).Click(x, y)
	}
	return m.cursorMoved()
}

// copyHere copies what the cursor is on.
func (m *Model) copyHere() tea.Cmd {
	switch p := &m.panes; m.focus {
	case Ranks:
		if t, ok := p.grid.Target(); ok {
			return m.copy("the ranks", t.Selector)
		}
	case Mesh:
		if t := m.target(); !t.none() {
			return m.copy("the name", t.String())
		}
	case Inspect:
		return m.copy("the row", p.inspect.Text())
	case Messages:
		if p.callsTab {
			return m.copy("the call", p.calls.Text())
		}
		return m.copy("the message", p.msgs.Text(m.world))
	case Logs:
		if p.cmdsTab {
			if e := p.cmds.current(); e != nil {
				return m.copy("the command", e.line)
			}
			break
		}
		return m.copy("the line", p.logs.Text())
	default:
	}
	m.say(sayWarn, "there is nothing to copy here")
	return nil
}

// pageHere shows the pane as text in a pager.
func (m *Model) pageHere() tea.Cmd {
	if m.focus == Logs && m.panes.cmdsTab {
		var b strings.Builder
		for _, e := range m.commands {
			fmt.Fprintf(&b, "%s  %s\n", e.began.Format(time.TimeOnly), e.line)
		}
		return m.pager(b.String())
	}
	w := max(80, m.w)
	s := paint.New(w, 2000)
	m.panes.draw(m.focus, s, m.world, false)
	return m.pager(strings.TrimRight(s.Plain(), "\n") + "\n")
}

// tellLog tells where the log file is.
func (m *Model) tellLog() {
	if f := logs.File(m.world); f != "" {
		m.say(sayGood, "the session's log: "+f)
		return
	}
	m.say(sayWarn, "this session has no run folder, so no log file")
}

// openWarnings lists the warnings; enter goes to whom one is about.
func (m *Model) openWarnings() {
	reload := func() []dialog.Choice {
		var rows []dialog.Choice
		for _, f := range m.panes.warn.List(m.world) {
			key := fmt.Sprint(f.Name, " ", f.Mesh, " ", f.Procs, " ", f.Call)
			rows = append(rows, dialog.Choice{Text: f.Line, Right: f.Name, Key: key, Do: func() tea.Cmd {
				if m.panes.showMesh(m.world, f.Mesh) || m.panes.showProcs(m.world, f.Procs) {
					m.setFocus(Ranks)
					if len(f.Ranks) > 0 {
						m.panes.grid.SetCursor(f.Ranks[0])
						_ = m.panes.grid.SetSelection(ranksText(f.Ranks))
					}
				}
				m.pushText(&dialog.TextBox{Title: f.Name, Lines: func() []paint.Seg {
					return []paint.Seg{{Style: paint.Style{Fg: paint.Text}, Text: f.Detail}}
				}})
				return m.cursorMoved()
			}})
		}
		return rows
	}
	p := dialog.NewPicker("Warnings", reload())
	p.Empty = "no warnings. " + strings.Join(warningNames(), ", ") + " are looked for; settings switch them off by name"
	p.Reload = reload
	p.Enter = "show whom"
	m.push(p)
}
