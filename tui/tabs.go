package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/grid"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/messages"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/top"
	"github.com/monarch-tui/monarch-tui/tui/tree"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// meshTab is the tree, with the warnings at its foot. The other panes follow its cursor.
type meshTab struct {
	*tree.Pane
	m *Model
}

var (
	_ activator  = meshTab{}
	_ leader     = meshTab{}
	_ filterer   = meshTab{}
	_ clearer    = meshTab{}
	_ noter      = meshTab{}
	_ texter     = meshTab{}
	_ modClicker = ranksTab{}
	_ activator  = ranksTab{}
	_ deselecter = ranksTab{}
	_ clearer    = ranksTab{}
	_ selecter   = ranksTab{}
	_ turner     = ranksTab{}
	_ sideways   = ranksTab{}
	_ noter      = ranksTab{}
	_ texter     = ranksTab{}
	_ activator  = inspectTab{}
	_ turner     = inspectTab{}
	_ texter     = inspectTab{}
	_ opened     = messagesTab{}
	_ leader     = messagesTab{}
	_ opener     = messagesTab{}
	_ texter     = messagesTab{}
	_ activator  = topTab{}
	_ leader     = topTab{}
	_ sorter     = topTab{}
	_ freezer    = topTab{}
	_ folder     = topTab{}
	_ filterer   = topTab{}
	_ pageTexter = topTab{}
)

// Draw draws the tree, and the warnings at its foot.
func (t meshTab) Draw(in *paint.Surface, w *world.World, focus bool) {
	width, height := in.Size()
	list := t.m.panes.warn.List(w)
	rows := min(len(list), height/3)
	if rows == 0 || height < 8 {
		t.Pane.Draw(in, w, focus)
		return
	}
	t.Pane.Draw(in.In(paint.Rect{W: width, H: height - rows - 1}), w, focus)
	y := height - rows - 1
	x := in.Text(1, y, paint.Style{Fg: paint.Muted}, "Warnings")
	if len(list) > rows {
		in.Text(x+1, y, paint.Style{Fg: paint.Muted}, paint.Exact(len(list)))
	}
	in.TextRight(width-1, y, paint.Style{Fg: paint.Accent}, t.m.keyOf("warnings"))
	for i, f := range list[:rows] {
		role, sign := paint.Warning, "▲"
		if f.Severe {
			role, sign = paint.Failed, "✕"
		}
		in.Text(1, y+1+i, paint.Style{Fg: role}, sign)
		in.TextIn(3, y+1+i, width-4, paint.Style{Fg: paint.Text}, f.Line)
	}
}

// Need is what the tree needs, and the warnings.
func (t meshTab) Need(wide, tall int) (cols, rows int) {
	cols, rows = t.Pane.Need(wide, tall)
	if n := t.m.panes.warnings(t.m.world); n > 0 && rows > 0 {
		rows += n + 2
	}
	return cols, rows
}

// Note is how many warnings there are.
func (t meshTab) Note(w *world.World) (string, paint.Role) {
	if n := t.m.panes.warnings(w); n > 0 {
		return "▲" + paint.Count(n), paint.Warning
	}
	return "", paint.Default
}

// SetFilter shows only what has a text in its name.
func (t meshTab) SetFilter(text string) error {
	t.Pane.SetFilter(text)
	return nil
}

// ClearLast takes the filter away.
func (t meshTab) ClearLast() bool {
	if t.Filter() == "" {
		return false
	}
	t.Pane.SetFilter("")
	return true
}

// Text is the name of what commands are about.
func (t meshTab) Text() string {
	if at := t.m.target(); !at.none() {
		return at.String()
	}
	return ""
}

// Activate unfolds what the cursor is on, or goes to the ranks of it.
func (t meshTab) Activate() tea.Cmd {
	m := t.m
	if t.Enter() {
		return m.cursorMoved()
	}
	switch sel := t.Selected(m.world); sel.Kind {
	case tree.KindHint:
		return m.do(m.reg.named(sel.Name))
	case tree.KindState:
		_ = m.panes.grid.SetSelection(ranksText(sel.Ranks))
		m.setFocus(Ranks)
	case tree.KindNone:
	default:
		m.setFocus(Ranks)
	}
	return m.cursorMoved()
}

// Lead puts what the cursor is on onto the grid.
func (t meshTab) Lead() {
	w, g := t.m.world, t.m.panes.grid
	switch sel := t.Selected(w); sel.Kind {
	case tree.KindMesh:
		g.Show(w, sel.Mesh)
	case tree.KindActor:
		g.Show(w, sel.Mesh)
		g.SetCursor(sel.Rank)
	case tree.KindState:
		g.Show(w, sel.Mesh)
		g.SetCursor(sel.Ranks[0])
	case tree.KindProcs:
		g.ShowProcs(w, sel.Procs)
	case tree.KindProc:
		g.ShowProcs(w, sel.Procs)
		g.SetCursor(sel.Rank)
	default:
	}
}

// Inspect puts what the cursor is on into the inspector; false where it is on nothing that can be inspected.
func (t meshTab) Inspect() bool {
	p := t.m.panes.inspect
	switch sel := t.Selected(t.m.world); sel.Kind {
	case tree.KindMesh:
		p.ShowMesh(sel.Mesh)
	case tree.KindProcs:
		p.ShowProcs(sel.Procs)
	case tree.KindProc:
		p.ShowProc(sel.Proc)
	case tree.KindActor:
		p.ShowActor(sel.Mesh, sel.Rank)
	case tree.KindState:
		p.ShowActor(sel.Mesh, sel.Ranks[0])
	case tree.KindHost:
		if sel.HostID == 0 {
			return false
		}
		p.ShowHost(sel.HostID)
	default:
		return false
	}
	return true
}

// Target is what the cursor is on, as commands name it; false where it is on nothing that can be named.
func (t meshTab) Target() (target, bool) {
	switch sel := t.Selected(t.m.world); sel.Kind {
	case tree.KindProcs:
		return target{procs: sel.Name}, true
	case tree.KindProc:
		return target{procs: sel.Name, ranks: []int{sel.Rank}}, true
	case tree.KindHost, tree.KindRun:
		return target{procs: sel.Name, ranks: sel.Ranks}, len(sel.Ranks) > 0 // without any it would be all of them
	case tree.KindState:
		return target{mesh: sel.Name, ranks: sel.Ranks}, true
	case tree.KindMesh:
		return target{mesh: sel.Name}, true
	case tree.KindActor:
		return target{mesh: sel.Name, ranks: []int{sel.Rank}}, true
	default:
		return target{}, false
	}
}

// ranksTab is the grid.
type ranksTab struct {
	*grid.Pane
	m *Model
}

// Left moves the cursor by one rank.
func (t ranksTab) Left() { t.Pane.Left(1) }

// Right moves the cursor by one rank.
func (t ranksTab) Right() { t.Pane.Right(1) }

// NextTab turns a page.
func (t ranksTab) NextTab(by int) { t.NextPage(by) }

// EditSelection edits the selection as text.
func (t ranksTab) EditSelection() { t.m.openSlice() }

// Text is the selection as commands write it.
func (t ranksTab) Text() string {
	at, _ := t.Target()
	return at.Selector
}

// Note is how many ranks are selected.
func (t ranksTab) Note(*world.World) (string, paint.Role) {
	if n := len(t.Selected()); n > 0 {
		return paint.Count(n), paint.Accent
	}
	return "", paint.Default
}

// ClearLast gives the rectangle up, or leaves the tile that was zoomed into.
func (t ranksTab) ClearLast() bool { return t.CancelRectangle() || t.Back() }

// Activate zooms into the tile under the cursor, or goes to the inspector.
func (t ranksTab) Activate() tea.Cmd {
	if !t.Enter() {
		t.m.setFocus(Inspect)
	}
	return t.m.cursorMoved()
}

// ClickWith edits the slice that is written at the foot, and selects with ctrl or shift.
func (t ranksTab) ClickWith(x, y int, mod tea.KeyMod) (tea.Cmd, bool) {
	switch {
	case t.OnSlice(x, y):
		t.m.openSlice()
		return nil, true
	case mod&(tea.ModCtrl|tea.ModShift) != 0:
		t.ClickToggle(x, y)
		return t.m.cursorMoved(), true
	}
	return nil, false
}

// inspectTab is the inspector, which asks for the state of actors.
type inspectTab struct {
	*inspect.Pane
	m *Model
}

// Activate opens what the cursor is on.
func (t inspectTab) Activate() tea.Cmd {
	t.Enter()
	return t.m.wantState()
}

// Text is the value under the cursor as JSON, else the line.
func (t inspectTab) Text() string {
	if text := t.JSON(); text != "" {
		return strings.TrimSpace(text)
	}
	return t.Pane.Text()
}

// messagesTab is one of the two looks of the messages.
type messagesTab struct {
	*messages.Pane
	m    *Model
	look messages.Tab
}

// Lead leaves the grid alone: only the inspector follows the messages.
func (t messagesTab) Lead() {}

// Inspect shows the actor that the message under the cursor went to, or that was lost.
func (t messagesTab) Inspect() bool {
	sel, ok := t.Selected()
	if !ok || sel.Mesh == "" || len(sel.Ranks) == 0 {
		return false
	}
	mesh, ok := t.m.world.Mesh(sel.Mesh)
	if ok {
		t.m.panes.inspect.ShowActor(mesh.Ref.ID, sel.Ranks[0])
	}
	return ok
}

// Target is what the grid has.
func (t messagesTab) Target() (target, bool) { return target{}, false }

// Opened changes the look.
func (t messagesTab) Opened() { t.SetTab(t.look) }

// Text is the message under the cursor.
func (t messagesTab) Text() string { return t.Pane.Text(t.m.world) }

// topTab is the table of what each actor does. The inspector follows its cursor, and commands are about its row.
type topTab struct {
	*top.Pane
	m *Model
}

// Activate goes to the ranks of the row, with the cursor on its actor.
func (t topTab) Activate() tea.Cmd {
	if sel, ok := t.Selected(); ok {
		g := t.m.panes.grid
		if g.Show(t.m.world, sel.Mesh); sel.Rank >= 0 {
			g.SetCursor(sel.Rank)
		}
		t.m.setFocus(Ranks)
	}
	return t.m.cursorMoved()
}

// Lead leaves the grid alone: only the inspector follows.
func (t topTab) Lead() {}

// Inspect shows what the row is about.
func (t topTab) Inspect() bool {
	sel, ok := t.Selected()
	switch {
	case ok && sel.Rank >= 0:
		t.m.panes.inspect.ShowActor(sel.Mesh, sel.Rank)
	case ok:
		t.m.panes.inspect.ShowMesh(sel.Mesh)
	}
	return ok
}

// Target is what the row is about.
func (t topTab) Target() (target, bool) {
	sel, ok := t.Selected()
	if !ok || sel.Rank < 0 {
		return target{mesh: sel.Name}, ok
	}
	return target{mesh: sel.Name, ranks: []int{sel.Rank}}, true
}
