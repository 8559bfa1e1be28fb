package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/messages"
)

// rankActions pick ranks on the grid.
func rankActions() []*Action {
	grid := func(f func(m *Model)) func(m *Model) tea.Cmd {
		return func(m *Model) tea.Cmd { f(m); return m.cursorMoved() }
	}
	choose := func(f func(m *Model)) func(m *Model) tea.Cmd {
		return grid(func(m *Model) { m.panes.grid.Mark(); f(m) })
	}
	extend := func(key string, f func(m *Model)) *Action {
		return &Action{Name: "extend." + key, Keys: []string{"shift+" + key}, Title: "select while moving " + key, run: choose(f)}
	}
	all := []*Action{
		{Name: "rectangle", Keys: []string{"v"}, Title: "select a rectangle: the cursor extends it", Hint: "rectangle", Weight: 35, run: choose(func(m *Model) { m.panes.grid.Rectangle() })},
		extend("up", func(m *Model) { m.panes.grid.ExtendUp(1) }),
		extend("down", func(m *Model) { m.panes.grid.ExtendDown(1) }),
		extend("left", func(m *Model) { m.panes.grid.ExtendLeft(1) }),
		extend("right", func(m *Model) { m.panes.grid.ExtendRight(1) }),
		{Name: "select.row", Keys: []string{"V"}, Title: "select the row", run: choose(func(m *Model) { m.panes.grid.Row() })},
		{Name: "select.column", Keys: []string{"|"}, Title: "select the column", run: choose(func(m *Model) { m.panes.grid.Column() })},
		{Name: "select.plane", Keys: []string{"#"}, Title: "select the tile, or the page", run: choose(func(m *Model) { m.panes.grid.Plane() })},
		{Name: "select.all", Keys: []string{"*"}, Title: "select all", Hint: "all", Weight: 15, run: choose(func(m *Model) { m.panes.grid.All() })},
		{Name: "select.invert", Keys: []string{"!"}, Title: "select the others instead", run: choose(func(m *Model) { m.panes.grid.Invert() })},
		{Name: "select.same", Keys: []string{"="}, Title: "select all in the state of the one under the cursor", run: choose(func(m *Model) { m.panes.grid.Same() })},
		{Name: "select.stride", Keys: []string{"%"}, Title: "select every n-th", run: act((*Model).openStride)},
		{Name: "select.store", Keys: []string{`"`}, Title: "keep the selection under a letter", run: begin(keep)},
		{Name: "select.recall", Keys: []string{"'"}, Title: "select what is kept under a letter", run: begin(recall)},
		{Name: "transpose", Keys: []string{"t"}, Title: "exchange rows and columns", run: grid(func(m *Model) { m.panes.grid.Transpose() })},
		{Name: "axes", Keys: []string{"T"}, Title: "other dimensions for rows and columns", run: grid(func(m *Model) { m.panes.grid.CycleAxes() })},
		{Name: "denser", Keys: []string{"z"}, Title: "denser", run: grid(func(m *Model) { m.panes.grid.Denser(1) })},
		{Name: "sparser", Keys: []string{"Z"}, Title: "less dense", run: grid(func(m *Model) { m.panes.grid.Denser(-1) })},
	}
	all = append(all, &Action{Name: "measure", Keys: []string{"U"}, Title: "show ranks by another measure: GPU memory, load, heat, power; memory", Hint: "measure", Weight: 14, disabledReason: notMeasured, run: act((*Model).nextMeasure)})
	for _, a := range all {
		a.Group, a.Panes = groupRanks, []PaneID{Ranks}
	}
	also := []PaneID{Ranks, Logs} // and on breakpoints
	first := &Action{Name: "select", Keys: []string{"space"}, Title: "select, or not; a breakpoint: on or off", Hint: "select", HintIn: []PaneID{Ranks}, Weight: 80, Group: groupRanks, Panes: also, disabledReason: onBreaks(notLogs), run: func(m *Model) tea.Cmd {
		if m.focus == Logs {
			return m.toggleBreak()
		}
		return choose(func(m *Model) { m.panes.grid.Toggle() })(m)
	}}
	return append(append([]*Action{first}, all...),
		&Action{Name: "slice", Keys: []string{"e"}, Title: "edit the slice as text; the breakpoint", Hint: "edit", Weight: 32, Group: groupRanks, Panes: also, disabledReason: onBreaks(noGridOrBreaks), run: func(m *Model) tea.Cmd {
			if m.focus == Logs {
				return m.editBreak()
			}
			m.openSlice()
			return nil
		}},
		&Action{Name: "undo", Keys: []string{"u"}, Title: "undo the last change of the selection; on breakpoints the last deletion", Group: groupRanks, disabledReason: notUndoable, run: func(m *Model) tea.Cmd {
			if _, ok := m.focused().(breaksTab); ok {
				return m.undeleteBreak()
			}
			return grid((*Model).undo)(m)
		}})
}

// nextMeasure shows ranks by the next measure that the mesh has.
func (m *Model) nextMeasure() {
	if by, ok := m.panes.grid.NextMeasure(); ok {
		m.say(sayGood, "ranks by "+by.String())
	}
}

// notMeasured says why ranks are shown by what they do only.
func notMeasured(m *Model) string {
	if !m.panes.grid.Measured() {
		return "nothing is measured of these ranks"
	}
	return noGrid(m)
}

func notUndoable(m *Model) string {
	_, breaks := m.focused().(breaksTab)
	switch {
	case breaks && len(m.removed) == 0:
		return "no breakpoint was deleted"
	case !breaks && !m.panes.grid.CanUndo():
		return "the selection has not changed"
	}
	return ""
}

// notLogs says why lines and commands cannot be selected.
func notLogs(m *Model) string {
	if m.focus == Logs {
		return "lines are not selected; " + "breakpoints are on or off"
	}
	return ""
}

func noGridOrBreaks(m *Model) string {
	if m.focus == Logs {
		return "only breakpoints can be edited here"
	}
	return noGrid(m)
}

// lookActions change what is shown.
func lookActions() []*Action {
	flow := []PaneID{Messages, Logs}
	turning := slotsWith(slot.turns)
	follow := func(f func(p *messages.Pane) bool) func(m *Model) tea.Cmd {
		return act(func(m *Model) {
			if !f(m.panes.msgs) {
				m.say(sayWarn, m.panes.msgs.Why())
			}
		})
	}
	all := []*Action{
		{Name: "filter", Keys: []string{"/"}, Title: "filter; on the grid: which ranks are selected", Hint: "filter", Weight: 31, disabledReason: noStream, run: act((*Model).openFilter)},
		{Name: "freeze", Keys: []string{"f"}, Title: "freeze what is shown, and let it go on", Hint: "freeze", Weight: 34, Panes: flow, disabledReason: noStream, run: act(func(m *Model) { m.panes.freeze(m.focus) })},
		{Name: "next.tab", Keys: []string{"]"}, Title: "next tab, or page of the grid", Hint: "tab", Weight: 28, Panes: turning, run: act(func(m *Model) { m.panes.slots[m.focus].turn(1) })},
		{Name: "prev.tab", Keys: []string{"["}, Title: "tab, or page, before", Panes: turning, run: act(func(m *Model) { m.panes.slots[m.focus].turn(-1) })},
		{Name: "cause", Keys: []string{"<"}, Title: "the message that caused this one", Panes: []PaneID{Messages}, disabledReason: noMessages, run: follow((*messages.Pane).Cause)},
		{Name: "effect", Keys: []string{">"}, Title: "what this message caused", Panes: []PaneID{Messages}, disabledReason: noMessages, run: follow((*messages.Pane).Effect)},
		{Name: "family", Keys: []string{"F"}, Title: "only this call and what it caused", Panes: []PaneID{Messages}, disabledReason: noMessages, run: follow((*messages.Pane).Family)},
		{Name: "fold", Keys: []string{"ctrl+f"}, Title: "fold what is alike over ranks, or not", Panes: flow, disabledReason: noStream, run: act(func(m *Model) { m.panes.fold(m.focus) })},
		{Name: "types", Keys: []string{"I"}, Title: "types of the fields", Panes: []PaneID{Inspect}, run: act(func(m *Model) { m.panes.inspect.ToggleTypes() })},
		{Name: "hidden", Keys: []string{"H"}, Title: "what has ended, too", Panes: []PaneID{Mesh}, run: act(func(m *Model) { m.panes.tree.ToggleHidden() })},
		{Name: "sort", Keys: []string{"O"}, Title: "sort otherwise; in Top by the next column", Hint: "sort", HintIn: []PaneID{Messages}, Weight: 33, Panes: []PaneID{Mesh, Messages}, disabledReason: noSort, run: act(func(m *Model) {
			if v, ok := m.focused().(sorter); ok {
				v.CycleSort()
			}
		})},
		{Name: "wrap", Keys: []string{"w"}, Title: "wrap lines, or cut them; in the inspector: watch a value, or not", Hint: "wrap", HintIn: []PaneID{Logs}, Weight: 33, Panes: []PaneID{Inspect, Logs}, disabledReason: noStream, run: (*Model).wrapOrWatch},
		{Name: "beside", Keys: []string{"&"}, Title: "show other ranks beside this one", Panes: []PaneID{Ranks, Inspect}, run: func(m *Model) tea.Cmd {
			text, ok := m.panes.inspect.Beside(m.world)
			m.say(map[bool]sayKind{true: sayGood, false: sayWarn}[ok], text)
			return m.wantState()
		}},
		{Name: "times", Keys: []string{"alt+t"}, Title: "times of the lines on or off", Panes: []PaneID{Logs}, disabledReason: noStream, run: act(func(m *Model) { m.panes.logs.ToggleTimes() })},
		{Name: "log.path", Keys: []string{"L"}, Title: "where the session's log file is", Panes: []PaneID{Logs}, run: act((*Model).tellLog)},
		{Name: "describe", Keys: []string{"d"}, Title: "describe what the cursor is on, in the inspector; delete the breakpoint", run: (*Model).describe},
		{Name: "warnings", Keys: []string{"W"}, Title: "warnings: each with its evidence", Hint: "warnings", Weight: 29, run: act((*Model).openWarnings)},
		{Name: "copy", Keys: []string{"y"}, Title: "copy what the cursor is on; a value of an actor as JSON", run: func(m *Model) tea.Cmd { return m.copyHere() }},
		{Name: "pager", Keys: []string{"o"}, Title: "the pane in a pager; a place in the source in the editor", run: func(m *Model) tea.Cmd { return m.pageHere() }},
	}
	for _, a := range all {
		a.Group = groupLook
	}
	return all
}

// noStream says why what works on the first tab of a slot does not work on the tab that is open, and how to get there.
func noStream(m *Model) string {
	s := &m.panes.slots[m.focus]
	if why := s.shown().other; why != "" {
		if turn := s.toFirst(); turn != "" {
			why += m.keyHint("; %s goes to the "+strings.ToLower(s.name), turn)
		}
		return why
	}
	if m.focus == Ranks {
		return noGrid(m)
	}
	return ""
}

// noMessages says why what follows messages does not work here.
func noMessages(m *Model) string {
	if _, ok := m.focused().(messagesTab); !ok && noStream(m) == "" {
		return "a row of this table is no message"
	}
	return noStream(m)
}

func noSort(m *Model) string {
	if _, ok := m.focused().(sorter); !ok {
		return "these rows are in the order in which they came"
	}
	return ""
}

func noGrid(m *Model) string {
	if _, ok := m.panes.grid.Target(); !ok {
		return "no mesh is shown"
	}
	return ""
}

// wrapOrWatch wraps the lines of the logs; in the inspector it watches the value under the cursor.
func (m *Model) wrapOrWatch() tea.Cmd {
	if m.focus == Logs {
		m.panes.logs.ToggleWrap()
		return nil
	}
	text, ok := m.panes.inspect.Watch()
	m.say(map[bool]sayKind{true: sayGood, false: sayWarn}[ok], text)
	return m.wantState()
}
