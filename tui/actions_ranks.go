package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/messages"
)

// rankActions pick ranks on the grid.
func rankActions() []*Action {
	grid := func(f func(m *Model)) func(m *Model) tea.Cmd {
		return func(m *Model) tea.Cmd { f(m); return m.cursorMoved() }
	}
	extend := func(key string, f func(m *Model)) *Action {
		return &Action{Name: "extend." + key, Keys: []string{"shift+" + key}, Title: "select while moving " + key, run: grid(f)}
	}
	all := []*Action{
		{Name: "select", Keys: []string{"space"}, Title: "select, or not", Hint: "select", Weight: 80, run: grid(func(m *Model) { m.panes.grid.Toggle() })},
		{Name: "rectangle", Keys: []string{"v"}, Title: "select a rectangle: the cursor extends it", Hint: "rectangle", Weight: 35, run: grid(func(m *Model) { m.panes.grid.Rectangle() })},
		extend("up", func(m *Model) { m.panes.grid.ExtendUp(1) }),
		extend("down", func(m *Model) { m.panes.grid.ExtendDown(1) }),
		extend("left", func(m *Model) { m.panes.grid.ExtendLeft(1) }),
		extend("right", func(m *Model) { m.panes.grid.ExtendRight(1) }),
		{Name: "select.row", Keys: []string{"V"}, Title: "select the row", run: grid(func(m *Model) { m.panes.grid.Row() })},
		{Name: "select.column", Keys: []string{"|"}, Title: "select the column", run: grid(func(m *Model) { m.panes.grid.Column() })},
		{Name: "select.plane", Keys: []string{"#"}, Title: "select the tile, or the page", run: grid(func(m *Model) { m.panes.grid.Plane() })},
		{Name: "select.all", Keys: []string{"*"}, Title: "select all", Hint: "all", Weight: 15, run: grid(func(m *Model) { m.panes.grid.All() })},
		{Name: "select.invert", Keys: []string{"!"}, Title: "select the others instead", run: grid(func(m *Model) { m.panes.grid.Invert() })},
		{Name: "select.same", Keys: []string{"="}, Title: "select all in the state of the one under the cursor", run: grid(func(m *Model) { m.panes.grid.Same() })},
		{Name: "select.stride", Keys: []string{"%"}, Title: "select every n-th", run: act((*Model).openStride)},
		{Name: "select.store", Keys: []string{`"`}, Title: "keep the selection under a letter", run: act(func(m *Model) { m.pending = `"` })},
		{Name: "select.recall", Keys: []string{"'"}, Title: "select what is kept under a letter", run: act(func(m *Model) { m.pending = "'" })},
		{Name: "slice", Keys: []string{"e"}, Title: "edit the slice as text", Hint: "edit slice", Weight: 32, off: noGrid, run: act((*Model).openSlice)},
		{Name: "transpose", Keys: []string{"t"}, Title: "exchange rows and columns", run: grid(func(m *Model) { m.panes.grid.Transpose() })},
		{Name: "axes", Keys: []string{"T"}, Title: "other dimensions for rows and columns", run: grid(func(m *Model) { m.panes.grid.CycleAxes() })},
		{Name: "denser", Keys: []string{"z"}, Title: "denser", run: grid(func(m *Model) { m.panes.grid.Denser(1) })},
		{Name: "sparser", Keys: []string{"Z"}, Title: "less dense", run: grid(func(m *Model) { m.panes.grid.Denser(-1) })},
	}
	for _, a := range all {
		a.Group, a.Panes = groupRanks, []PaneID{Ranks}
	}
	return all
}

// lookActions change what is shown.
func lookActions() []*Action {
	flow := []PaneID{Messages, Logs}
	follow := func(f func(p *messages.Pane) bool) func(m *Model) tea.Cmd {
		return act(func(m *Model) {
			if !f(m.panes.msgs) {
				m.say(sayWarn, m.panes.msgs.Why())
			}
		})
	}
	all := []*Action{
		{Name: "filter", Keys: []string{"/"}, Title: "filter", Hint: "filter", Weight: 60, Panes: []PaneID{Mesh, Messages, Logs}, off: noStream, run: act((*Model).openFilter)},
		{Name: "freeze", Keys: []string{"f"}, Title: "freeze what is shown, and let it go on", Hint: "freeze", Weight: 34, Panes: flow, off: noStream, run: act(func(m *Model) { m.panes.freeze(m.focus) })},
		{Name: "next.tab", Keys: []string{"]"}, Title: "next tab, or page of the grid", Hint: "tab", Weight: 28, Panes: []PaneID{Ranks, Inspect, Messages, Logs}, run: act(func(m *Model) { m.panes.turn(m.focus, 1) })},
		{Name: "prev.tab", Keys: []string{"["}, Title: "tab, or page, before", Panes: []PaneID{Ranks, Inspect, Messages, Logs}, run: act(func(m *Model) { m.panes.turn(m.focus, -1) })},
		{Name: "cause", Keys: []string{"<"}, Title: "the message that caused this one", Panes: []PaneID{Messages}, off: noStream, run: follow((*messages.Pane).Cause)},
		{Name: "effect", Keys: []string{">"}, Title: "what this message caused", Panes: []PaneID{Messages}, off: noStream, run: follow((*messages.Pane).Effect)},
		{Name: "family", Keys: []string{"F"}, Title: "only this call and what it caused", Panes: []PaneID{Messages}, off: noStream, run: follow((*messages.Pane).Family)},
		{Name: "fold", Keys: []string{"ctrl+f"}, Title: "fold what is alike over ranks, or not", Panes: flow, off: noStream, run: act(func(m *Model) { m.panes.fold(m.focus) })},
		{Name: "types", Keys: []string{"I"}, Title: "types of the fields", Panes: []PaneID{Inspect}, run: act(func(m *Model) { m.panes.inspect.ToggleTypes() })},
		{Name: "hidden", Keys: []string{"H"}, Title: "what has ended, too", Panes: []PaneID{Mesh}, run: act(func(m *Model) { m.panes.tree.ToggleHidden() })},
		{Name: "sort", Keys: []string{"O"}, Title: "sort otherwise", Panes: []PaneID{Mesh}, run: act(func(m *Model) { m.panes.tree.CycleSort() })},
		{Name: "log.path", Keys: []string{"L"}, Title: "where the session's log file is", Panes: []PaneID{Logs}, run: act((*Model).tellLog)},
		{Name: "warnings", Keys: []string{"W"}, Title: "warnings: each with its evidence", Hint: "warnings", Weight: 22, run: act((*Model).openWarnings)},
		{Name: "copy", Keys: []string{"y"}, Title: "copy what the cursor is on", run: func(m *Model) tea.Cmd { return m.copyHere() }},
		{Name: "pager", Keys: []string{"o"}, Title: "the pane in a pager", run: func(m *Model) tea.Cmd { return m.pageHere() }},
	}
	for _, a := range all {
		a.Group = groupLook
	}
	return all
}

// noStream says why what works on messages and lines does not work on the tab that is open.
func noStream(m *Model) string {
	switch {
	case m.focus == Messages && m.panes.callsTab:
		return "these are the open calls; ] goes to the messages"
	case m.focus == Logs && m.panes.cmdsTab:
		return "these are the commands; ] goes to the logs"
	}
	return ""
}

func noGrid(m *Model) string {
	if _, ok := m.panes.grid.Target(); !ok {
		return "no mesh is shown"
	}
	return ""
}

// chord is the second key after one that waits for it.
func (m *Model) chord(first, key string) tea.Cmd {
	r := []rune(key)
	if key == "esc" {
		return nil
	}
	if len(r) != 1 {
		m.say(sayWarn, "want a letter after "+first)
		return nil
	}
	var err error
	switch first {
	case `"`:
		if err = m.panes.grid.Store(r[0]); err == nil {
			m.say(sayGood, "kept as "+key+"; '"+key+" selects it again")
		}
	case "'":
		err = m.panes.grid.Recall(r[0])
	}
	if err != nil {
		m.say(sayWarn, err.Error())
	}
	return m.cursorMoved()
}

// openStride asks for the n of "every n-th".
func (m *Model) openStride() {
	m.input = &input{mark: "every", field: newField("2"), hint: "n: every n-th rank from the cursor on", keys: []boxKey{{key: "enter", hint: "select"}, {key: "esc", hint: "back"}},
		changed: func(_ *Model, text string) (string, int) {
			if n, err := strconv.Atoi(strings.TrimSpace(text)); err != nil || n < 1 {
				return "want a whole number from 1 on", 1
			}
			return "", 0
		},
		done: func(m *Model, text string) tea.Cmd {
			n, _ := strconv.Atoi(strings.TrimSpace(text))
			if err := m.panes.grid.Stride(n); err != nil {
				m.say(sayWarn, err.Error())
			}
			return m.cursorMoved()
		}}
}

// openSlice edits the selection as text: the grid follows while it is typed.
func (m *Model) openSlice() {
	g := m.panes.grid
	before := g.Text()
	set := func(m *Model, text string) (string, int) {
		if err := g.SetSelection(text); err != nil {
			return columnOf(err)
		}
		return "", 0
	}
	m.input = &input{mark: "slice", field: newField(before), hint: "dp=1:4, tp=(1,2)   0,2-5   state=paused   empty: nothing", changed: set, keys: keepOrBack(),
		done:  func(m *Model, text string) tea.Cmd { set(m, text); return m.cursorMoved() },
		leave: func(*Model) { _ = g.SetSelection(before) }}
	m.touch()
}
