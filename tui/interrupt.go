package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
)

// interruptAction is the name of what its key does, which settings cannot move: whatever else they break, it leads out.
const (
	interruptAction = "interrupt"
	interruptKey    = "ctrl+c"
)

// twice is the time within which a second ctrl+c quits whatever the first one did. A hand that wants out presses it
// again within half a second; one that has read what the first one did takes longer.
const twice = time.Second

// interrupt is ctrl+c: it undoes the innermost thing that is under way, as shells do. What is typed or open is left,
// else what runs is cancelled, else the person wants to leave the program, which asks where something would end with it.
func (m *Model) interrupt() tea.Cmd {
	again := m.now().Sub(m.stopped) < twice
	m.stopped = m.now()
	switch o := m.top(); {
	case again:
		return m.leaveProgram()
	case o != nil:
		m.drop(o)
		if l, ok := o.(dialog.Leaver); ok {
			l.Leave()
		}
	case m.input != nil:
		m.leaveInput()
	case m.pending != "":
		m.pending = ""
	case len(m.running()) > 0:
		r := m.running()
		return m.cancelEntry(r[len(r)-1])
	default:
		return m.quit()
	}
	return nil
}

// leaveProgram ends the program.
func (m *Model) leaveProgram() tea.Cmd {
	m.quitting = true
	return tea.Quit
}
