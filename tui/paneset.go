package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/calls"
	"github.com/monarch-tui/monarch-tui/tui/grid"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/logs"
	"github.com/monarch-tui/monarch-tui/tui/messages"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/tree"
	"github.com/monarch-tui/monarch-tui/tui/warn"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// paneSet is all panes, and which tabs of them are open.
type paneSet struct {
	tree    *tree.Pane
	grid    *grid.Pane
	inspect *inspect.Pane
	msgs    *messages.Pane
	calls   *calls.Pane
	logs    *logs.Pane
	warn    *warn.Checker
	cmds    *cmdLog

	callsTab bool // pane 4 shows the calls
	cmdsTab  bool // pane 5 shows the commands
}

func newPaneSet(m *Model) paneSet {
	return paneSet{
		tree: tree.New(), grid: grid.New(), inspect: inspect.New(), msgs: messages.New(), calls: calls.New(), logs: logs.New(),
		warn: warn.New(warn.Config{Off: m.cfg.Settings.Off}), cmds: newCmdLog(m),
	}
}

// nav is a pane in which a cursor moves.
type nav interface {
	Up(n int)
	Down(n int)
	Home()
	End()
	Page(n int)
	Wheel(lines int)
	Click(x, y int)
}

var (
	_ nav = (*tree.Pane)(nil)
	_ nav = (*grid.Pane)(nil)
	_ nav = (*inspect.Pane)(nil)
	_ nav = (*messages.Pane)(nil)
	_ nav = (*calls.Pane)(nil)
	_ nav = (*logs.Pane)(nil)
	_ nav = (*cmdLog)(nil)
)

// of is the pane, or the tab of it that is open.
func (s *paneSet) of(p PaneID) nav {
	switch {
	case p == Mesh:
		return s.tree
	case p == Ranks:
		return s.grid
	case p == Inspect:
		return s.inspect
	case p == Messages && s.callsTab:
		return s.calls
	case p == Messages:
		return s.msgs
	case s.cmdsTab:
		return s.cmds
	}
	return s.logs
}

func (s *paneSet) up(p PaneID, n int) {
	if n > 0 {
		s.of(p).Up(n)
	} else {
		s.of(p).Down(-n)
	}
}

func (s *paneSet) home(p PaneID)             { s.of(p).Home() }
func (s *paneSet) end(p PaneID)              { s.of(p).End() }
func (s *paneSet) page(p PaneID, n int)      { s.of(p).Page(n) }
func (s *paneSet) wheel(p PaneID, lines int) { s.of(p).Wheel(lines) }

func (s *paneSet) left(p PaneID) {
	switch v := s.of(p).(type) {
	case *grid.Pane:
		v.Left(1)
	case interface{ Left() }:
		v.Left()
	}
}

func (s *paneSet) right(p PaneID) {
	switch v := s.of(p).(type) {
	case *grid.Pane:
		v.Right(1)
	case interface{ Right() }:
		v.Right()
	}
}

// drag moves the pointer with its button down.
func (s *paneSet) drag(p PaneID, x, y int) {
	if v, ok := s.of(p).(interface{ Drag(x, y int) }); ok {
		v.Drag(x, y)
	}
}

// turn opens the next tab, or turns a page of the grid.
func (s *paneSet) turn(p PaneID, by int) {
	switch p {
	case Ranks:
		s.grid.NextPage(by)
	case Inspect:
		s.inspect.NextTab(by)
	case Messages: // List, Flow, Calls
		at := int(s.msgs.Tab())
		if s.callsTab {
			at = 2
		}
		at = (at + by + 3) % 3
		if s.callsTab = at == 2; !s.callsTab {
			s.msgs.SetTab(messages.Tab(at))
		}
	case Logs:
		s.cmdsTab = !s.cmdsTab
	default:
	}
}

// frame is the border of a pane.
func (s *paneSet) frame(p PaneID, w *world.World) paint.Frame {
	switch p {
	case Mesh:
		return s.tree.Frame(w)
	case Ranks:
		return s.grid.Frame(w)
	case Inspect:
		return s.inspect.Frame(w)
	case Messages:
		f := s.msgs.Frame(w)
		if s.callsTab {
			f = s.calls.Frame(w)
		}
		f.Title, f.Tabs, f.Tab = "", []string{"Messages", "Flow", "Calls"}, int(s.msgs.Tab())
		if s.callsTab {
			f.Tab = 2
		}
		return f
	default:
	}
	f := s.logs.Frame(w)
	if s.cmdsTab {
		f = s.cmds.frame()
	}
	f.Title, f.Tabs, f.Tab = "", []string{"Logs", "Commands"}, 0
	if s.cmdsTab {
		f.Tab = 1
	}
	return f
}

// draw draws the inside of a pane.
func (s *paneSet) draw(p PaneID, in *paint.Surface, w *world.World, focus bool) {
	switch v := s.of(p).(type) {
	case *cmdLog:
		v.draw(in, focus)
	case *tree.Pane:
		s.drawMesh(in, w, focus)
	case interface {
		Draw(s *paint.Surface, w *world.World, focus bool)
	}:
		v.Draw(in, w, focus)
	}
}

// drawMesh draws the tree, and the warnings at its foot.
func (s *paneSet) drawMesh(in *paint.Surface, w *world.World, focus bool) {
	width, height := in.Size()
	list := s.warn.List(w)
	rows := min(len(list), height/3)
	if rows == 0 || height < 8 {
		s.tree.Draw(in, w, focus)
		return
	}
	s.tree.Draw(in.In(paint.Rect{W: width, H: height - rows - 1}), w, focus)
	y := height - rows - 1
	x := in.Text(1, y, paint.Style{Fg: paint.Muted}, "Warnings")
	if len(list) > rows {
		in.Text(x+1, y, paint.Style{Fg: paint.Muted}, paint.Exact(len(list)))
	}
	in.TextRight(width-1, y, paint.Style{Fg: paint.Accent}, "W")
	for i, f := range list[:rows] {
		role, sign := paint.Warning, "▲"
		if f.Severe {
			role, sign = paint.Failed, "✕"
		}
		in.Text(1, y+1+i, paint.Style{Fg: role}, sign)
		in.TextIn(3, y+1+i, width-4, paint.Style{Fg: paint.Text}, f.Line)
	}
}

// warnings is how many there are.
func (s *paneSet) warnings(w *world.World) int { return len(s.warn.List(w)) }

// note is a short sign beside the name of a pane that is not seen.
func (s *paneSet) note(p PaneID, w *world.World) (string, paint.Role) {
	if p == Mesh {
		if n := s.warnings(w); n > 0 {
			return "▲" + paint.Count(n), paint.Warning
		}
	}
	if p == Ranks {
		if n := len(s.grid.Selected()); n > 0 {
			return paint.Count(n), paint.Accent
		}
	}
	return "", paint.Default
}

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

// freeze holds what is shown.
func (s *paneSet) freeze(p PaneID) {
	if v, ok := s.of(p).(interface{ Freeze() }); ok {
		v.Freeze()
	}
}

// fold folds what is alike over ranks, or not.
func (s *paneSet) fold(p PaneID) {
	if v, ok := s.of(p).(interface{ ToggleFold() }); ok {
		v.ToggleFold()
	}
}

// Up moves the cursor.
func (c *cmdLog) Up(n int) { c.win.Move(-n) }

// Down moves the cursor.
func (c *cmdLog) Down(n int) { c.win.Move(n) }

// Home goes to the first command.
func (c *cmdLog) Home() { c.win.To(0) }

// End goes to the last command, and follows.
func (c *cmdLog) End() { c.win.End() }

// Page moves by half a page.
func (c *cmdLog) Page(n int) { c.win.Page(n) }

// Wheel scrolls.
func (c *cmdLog) Wheel(lines int) { c.win.Scroll(lines) }

// Click goes to a command.
func (c *cmdLog) Click(_, y int) {
	if row := c.win.RowAt(y); row >= 0 {
		c.win.To(row)
	}
}

var _ tea.Model = (*Model)(nil)
