package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// mouseEvent goes to the topmost overlay, else to what is under the pointer.
func (m *Model) mouseEvent(msg tea.MouseMsg) tea.Cmd {
	ev := msg.Mouse()
	if _, up := msg.(tea.MouseReleaseMsg); up {
		m.dragging = None
	}
	if o := m.top(); o != nil {
		return m.mouseOver(o, msg)
	}
	switch msg.(type) {
	case tea.MouseWheelMsg:
		lines := wheelLines(ev.Button)
		if p := m.layout.At(ev.X, ev.Y); p != None && !m.layout.Panes[p].Empty() {
			m.panes.tab(p).Wheel(lines)
		}
	case tea.MouseClickMsg:
		m.keys++
		m.pending = ""
		if ev.Button != tea.MouseLeft {
			return nil
		}
		for _, s := range m.clickable {
			if s.rect.Contains(ev.X, ev.Y) {
				return s.do()
			}
		}
		p := m.layout.At(ev.X, ev.Y)
		if p == None {
			return nil
		}
		m.setFocus(p)
		if in := m.inside(p); in.Contains(ev.X, ev.Y) {
			m.dragging = p
			return m.clicked(p, ev.X-in.X, ev.Y-in.Y, ev.Mod)
		}
	case tea.MouseMotionMsg:
		if m.dragging != None && ev.Button == tea.MouseLeft {
			in := m.inside(m.dragging)
			m.panes.drag(m.dragging, clamp(ev.X-in.X, 0, in.W-1), clamp(ev.Y-in.Y, 0, in.H-1))
			return m.cursorMoved()
		}
	}
	return nil
}

// wheelLines is how far a turn of the wheel goes; sideways it goes nowhere.
func wheelLines(b tea.MouseButton) int {
	switch b {
	case tea.MouseWheelUp:
		return -3
	case tea.MouseWheelDown:
		return 3
	default:
		return 0
	}
}

// inside is where a pane's content is.
func (m *Model) inside(p PaneID) paint.Rect { return m.layout.Panes[p].Inset(1) }

func (m *Model) mouseOver(o dialog.Dialog, msg tea.MouseMsg) tea.Cmd {
	ev := msg.Mouse()
	r := m.overlayRect(o)
	switch msg.(type) {
	case tea.MouseWheelMsg:
		if w, ok := o.(dialog.Wheeler); ok {
			w.Wheel(wheelLines(ev.Button))
		}
	case tea.MouseClickMsg:
		if ev.Button != tea.MouseLeft {
			return nil
		}
		if c, ok := o.(dialog.Clicker); ok && r.Contains(ev.X, ev.Y) {
			return c.Click(host{m}, ev.X-r.X, ev.Y-r.Y)
		}
		if !r.Contains(ev.X, ev.Y) { // beside it: as esc
			return o.Key(host{m}, tea.KeyPressMsg{Code: tea.KeyEscape})
		}
	}
	return nil
}
