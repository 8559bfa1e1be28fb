package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

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
