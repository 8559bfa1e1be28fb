package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/warn"
)

// rereadMsg is settings that have changed since they were last read, or why they cannot be used.
type rereadMsg struct {
	changed  bool
	settings Settings
	err      error
}

// reread looks, beside the screen, whether the settings have changed.
func (m *Model) reread() tea.Cmd {
	if m.cfg.Reread == nil || m.rereading {
		return nil
	}
	m.rereading = true
	look := m.cfg.Reread
	return m.task(func() tea.Msg {
		set, changed, err := look()
		return rereadMsg{changed, set, err}
	})
}

func (r rereadMsg) apply(m *Model) tea.Cmd {
	m.rereading = false
	switch {
	case r.err != nil:
		m.say(sayError, "the settings stay as they were: "+r.err.Error())
	case r.changed:
		if err := m.settle(r.settings); err != nil {
			m.say(sayError, "the settings stay as they were: "+err.Error())
			return nil
		}
		m.say(sayGood, "the settings were read again")
	}
	return nil
}

// settle applies other settings while the program runs.
func (m *Model) settle(set Settings) error {
	reg, err := newRegistry(actions(), set.Keys)
	if err != nil {
		return err
	}
	was := m.cfg.Settings
	m.cfg.Settings, m.reg = set, reg
	if set.Theme != was.Theme || set.ASCII != was.ASCII {
		m.themeFixed = set.Theme != ""
		m.pickTheme()
	}
	if set.NoMouse != was.NoMouse {
		m.mouse = !set.NoMouse
	}
	if !slices.Equal(set.Off, was.Off) {
		m.panes.warn = warn.New(warn.Config{Off: set.Off})
	}
	m.touch()
	return nil
}
