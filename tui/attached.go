package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger"
)

// followAttached looks at the stopped actor that a command has attached somebody to: the keys and the words are about the
// same one then.
func (m *Model) followAttached() tea.Cmd {
	at := m.conn.session.Attached()
	if at == m.conn.attached {
		return nil
	}
	m.conn.attached = at
	if at.Mesh == "" {
		return nil
	}
	st, err := debugger.Which(m.world.StopList(), at)
	if err != nil { // it runs
		return nil
	}
	return m.goStop(&st)
}
