package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/breaks"
	"github.com/monarch-tui/monarch-tui/tui/calls"
	"github.com/monarch-tui/monarch-tui/tui/charts"
	"github.com/monarch-tui/monarch-tui/tui/grid"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/logs"
	"github.com/monarch-tui/monarch-tui/tui/messages"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/reloads"
	"github.com/monarch-tui/monarch-tui/tui/top"
	"github.com/monarch-tui/monarch-tui/tui/tree"
	"github.com/monarch-tui/monarch-tui/tui/warn"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// slot is a place of the screen that a person jumps to by its number. It shows one of its tabs at a time.
type slot struct {
	name string // its title in help, docs and the row of panes
	tabs []tab
	open int // the tab that is shown
}

// tab is one of the things that a slot shows. Only make is needed, and name where its slot has several.
type tab struct {
	name   string // in the title of its slot
	item   string // what the cursor is on, for "copied the …"
	box    string // the title of the box in which enter shows an item that has nothing to unfold
	filter string // what a filter may say, where it has one
	pages  bool   // the action next.tab turns pages, or tabs, of its own
	other  string // why what works on the first tab of its slot does not work here; "": it does

	make func(m *Model, s *paneSet) body
	body
}

// slots is the table of everything that the panes show. A tab more is one value here; a slot more is one row, a PaneID
// and its place in Arrange.
func slots() [panes]slot {
	const ofMessages = "words  from: to: mesh: endpoint: rank: kind: state: took:>5ms call:41 family:41  !not  /regexp/"
	const ofLogs = "words  mesh: rank: level: stream: text:  !not  /regexp/"
	return [panes]slot{
		Mesh: {name: "Mesh", tabs: []tab{
			{item: "name", filter: "part of a name", make: func(m *Model, s *paneSet) body { return meshTab{s.tree, m} }},
		}},
		Ranks: {name: "Ranks", tabs: []tab{
			{item: "ranks", pages: true, make: func(m *Model, s *paneSet) body { return ranksTab{s.grid, m} }},
		}},
		Inspect: {name: "Inspect", tabs: []tab{
			{item: "row", filter: "part of a name or a value", pages: true, make: func(m *Model, s *paneSet) body { return inspectTab{s.inspect, m} }},
		}},
		Messages: {name: "Messages", tabs: []tab{
			{name: "Messages", item: "message", box: "Message", filter: ofMessages, make: func(m *Model, s *paneSet) body { return messagesTab{s.msgs, m, messages.List} }},
			{name: "Flow", item: "message", box: "Message", filter: ofMessages, make: func(m *Model, s *paneSet) body { return messagesTab{s.msgs, m, messages.Flow} }},
			{name: "Top", item: "row", filter: "words  mesh: rank: state:  !not  /regexp/", make: func(m *Model, s *paneSet) body { return topTab{s.top, m} }},
			{name: "Charts", item: "figure", other: "these are charts of figures", make: func(m *Model, s *paneSet) body { return chartsTab{s.charts, m} }},
			{name: "Calls", item: "call", other: "these are the open calls", make: func(_ *Model, s *paneSet) body { return s.calls }},
		}},
		Logs: {name: "Logs", tabs: []tab{
			{name: "Logs", item: "line", box: "Log", filter: ofLogs, make: func(_ *Model, s *paneSet) body { return s.logs }},
			{name: "Breakpoints", item: "breakpoint", other: "these are the breakpoints", make: func(m *Model, s *paneSet) body { return breaksTab{s.breaks, m} }},
			{name: "Reload", item: "row", other: "this is about reloads", make: func(m *Model, s *paneSet) body { return reloadTab{s.reloads, m} }},
			{name: "Commands", item: "command", other: "these are the commands", make: func(_ *Model, s *paneSet) body { return s.cmds }},
		}},
	}
}

// body is what every tab can do: draw itself, and move a cursor by keys and by the mouse.
type body interface {
	view
	cursor
	pointer
}

type (
	// view is what is drawn. The frame is asked for first.
	view interface {
		Frame(w *world.World) paint.Frame
		Draw(s *paint.Surface, w *world.World, focus bool)
	}
	// cursor moves by keys: by rows, to the ends, by half screens.
	cursor interface {
		Up(n int)
		Down(n int)
		Home()
		End()
		Page(n int)
	}
	// pointer moves by the mouse.
	pointer interface {
		Wheel(lines int)
		Click(x, y int)
	}
)

// What some tabs can do besides. The pane of a tab has such a method, or a small type of this package adds it, where it
// needs more than the pane knows.
type (
	// sideways moves left and right, or folds and unfolds.
	sideways interface {
		Left()
		Right()
	}
	// dragger follows the mouse while its button is down.
	dragger interface{ Drag(x, y int) }
	// freezer holds what is shown, and lets it go on.
	freezer interface{ Freeze() }
	// sorter has rows in an order that can be another one.
	sorter interface{ CycleSort() }
	// folder folds what is alike over ranks, or not.
	folder interface{ ToggleFold() }
	// turner has tabs or pages of its own.
	turner interface{ NextTab(by int) }
	// opened is told that its tab was opened.
	opened interface{ Opened() }
	// enterer opens what the cursor is on; false where there is nothing to unfold.
	enterer interface{ Enter() bool }
	// opener tells all that is known of what the cursor is on, for a box of text.
	opener interface {
		Open(w *world.World) [][]paint.Seg
	}
	// activator does for enter more than a pane can do by itself.
	activator interface{ Activate() tea.Cmd }
	// texter is what the cursor is on as text, for copying; "" where it is on nothing.
	texter interface{ Text() string }
	// pageTexter is all of it as text, for the pager, where that is more than what is drawn.
	pageTexter interface{ PageText() string }
	// filterer shows only what a filter lets through.
	filterer interface {
		Filter() string
		SetFilter(text string) error
	}
	// selecter edits a selection where others have a filter.
	selecter interface{ EditSelection() }
	// clearer goes one step back: it takes the last term of its filter away, or leaves what it has zoomed into; false
	// where there is nothing to go back from.
	clearer interface{ ClearLast() bool }
	// deselecter selects nothing; false where nothing was selected.
	deselecter interface{ None() bool }
	// noter has a short sign beside its name where it is not seen.
	noter interface {
		Note(w *world.World) (string, paint.Role)
	}
	// marker has a sign beside its name while another tab of its slot is open.
	marker interface {
		Mark(w *world.World) (string, paint.Role)
	}
	// modClicker takes a click with what was held down, before Click; done false leaves it to Click.
	modClicker interface {
		ClickWith(x, y int, mod tea.KeyMod) (cmd tea.Cmd, done bool)
	}
	// leader is a tab whose cursor the grid and the inspector follow, and whose row commands are about.
	leader interface {
		Lead()
		Inspect() bool
		Target() (target, bool)
	}
)

// shown is the tab of a slot that is open.
func (s *slot) shown() *tab { return &s.tabs[s.open] }

// turn opens the tab that is so many further, or lets the open one turn its pages.
func (s *slot) turn(by int) {
	if n := len(s.tabs); n > 1 {
		s.open = ((s.open+by)%n + n) % n
		if v, ok := s.shown().body.(opened); ok {
			v.Opened()
		}
	} else if v, ok := s.shown().body.(turner); ok {
		v.NextTab(by)
	}
}

// toFirst is the action that turns from the open tab to the first one, "" where one turn does not do.
func (s *slot) toFirst() string {
	switch {
	case s.open == len(s.tabs)-1:
		return "next.tab"
	case s.open == 1:
		return "prev.tab"
	}
	return ""
}

// frame is its border, with the names of its tabs where there are several.
func (s *slot) frame(w *world.World) paint.Frame {
	f := s.shown().Frame(w)
	if len(s.tabs) > 1 {
		f.Title, f.Tabs, f.Tab = "", make([]string, 0, len(s.tabs)), s.open
		for i := range s.tabs {
			f.Tabs = append(f.Tabs, s.tabs[i].marked(w, i == s.open))
		}
	}
	return f
}

// marked is the name of a tab, with its mark while another one is open.
func (t *tab) marked(w *world.World, open bool) string {
	if v, ok := t.body.(marker); ok && !open {
		if mark, _ := v.Mark(w); mark != "" {
			return t.name + " " + mark
		}
	}
	return t.name
}

// note is a short sign beside its name where it is not seen: of the open tab, else of one that has a mark.
func (s *slot) note(w *world.World) (text string, role paint.Role) {
	if v, ok := s.shown().body.(noter); ok {
		text, role = v.Note(w)
	}
	for i := range s.tabs {
		if v, ok := s.tabs[i].body.(marker); ok && text == "" {
			text, role = v.Mark(w)
		}
	}
	return text, role
}

// slotsWith are the slots that have a tab of some kind.
func slotsWith(is func(s slot) bool) (out []PaneID) {
	for p, s := range slots() {
		if is(s) {
			out = append(out, PaneID(p))
		}
	}
	return out
}

// turns reports whether a slot has tabs, or a tab pages.
func (s slot) turns() bool { return len(s.tabs) > 1 || len(s.tabs) == 1 && s.tabs[0].pages }

// paneSet is all panes. Those that actions or other panes act on have a field; what is drawn, and where keys go, is found
// through the slots.
type paneSet struct {
	tree    *tree.Pane
	grid    *grid.Pane
	inspect *inspect.Pane
	msgs    *messages.Pane
	top     *top.Pane
	calls   *calls.Pane
	charts  *charts.Pane
	reloads *reloads.Pane
	logs    *logs.Pane
	breaks  *breaks.Pane
	warn    *warn.Checker
	cmds    *cmdLog

	slots [panes]slot
}

func newPaneSet(m *Model) paneSet {
	s := paneSet{
		tree: tree.New(m.keyOf), grid: grid.New(m.keyOf), inspect: inspect.New(m.keyOf), msgs: messages.New(m.keyOf), top: top.New(m.keyOf), calls: calls.New(m.keyOf), charts: charts.New(m.keyOf), logs: logs.New(m.keyOf), breaks: breaks.New(m.keyOf), reloads: reloads.New(m.keyOf),
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
