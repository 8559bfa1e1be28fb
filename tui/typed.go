package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
)

// showTyped shows what a command has given that was typed at the ':' line: it goes to the mesh that was made, as the
// forms do (INV-SAME), and opens what is longer than the status row. A person who has gone on is left alone.
func (m *Model) showTyped(e *entry) tea.Cmd {
	if !e.typed || !e.ok || m.top() != nil || m.commands[len(m.commands)-1] != e {
		return nil
	}
	if _, n, _ := e.answers.list(); n == 0 && len(e.text) > 1 && m.input == nil && m.keys == e.keys {
		m.openEntry(e)
		return nil
	}
	if m.moves != e.moves || m.input != nil && m.input.mark != ":" { // a slice or a filter is of what is shown
		return nil
	}
	switch a := e.args.(type) {
	case script.ProcsArgs:
		m.goToProcs(a.Name)
	case script.SpawnArgs:
		m.goToActors(a.Mesh)
	default:
		return nil
	}
	return m.worldChanged()
}

// goToProcs goes to a proc mesh that was made, as soon as it is seen.
func (m *Model) goToProcs(name string) {
	m.setFocus(Mesh)
	m.show = target{procs: name}
}

// goToActors goes to an actor mesh that was spawned, as soon as it is seen.
func (m *Model) goToActors(name string) {
	m.setFocus(Ranks)
	m.show = target{mesh: name}
}
