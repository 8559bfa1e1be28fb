package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/filter"
)

// openFilter opens the filter of the focused pane.
func (m *Model) openFilter() {
	t := m.panes.tab(m.focus)
	if v, ok := t.body.(selecter); ok {
		v.EditSelection()
		return
	}
	f, ok := t.body.(filterer)
	if !ok {
		return
	}
	before := f.Filter()
	set := func(_ *Model, text string) (string, int) {
		if err := f.SetFilter(text); err != nil {
			_ = f.SetFilter(before) // what was typed up to the mistake is not what is meant
			return columnOf(err)
		}
		return "", 0
	}
	m.input = &input{
		mark: "/", field: dialog.NewEdit(before), hint: t.filter, changed: set, keys: keepOrBack(),
		done:  func(m *Model, text string) tea.Cmd { set(m, text); return nil },
		leave: func(*Model) { _ = f.SetFilter(before) },
	}
	m.touch()
}

// filterMistake is the text of a filter's error, and its column.
func filterMistake(err error) (string, int) {
	if e, ok := err.(*filter.Error); ok { //nolint:errorlint // it comes as it is
		return e.What, e.Column
	}
	return err.Error(), 0
}
