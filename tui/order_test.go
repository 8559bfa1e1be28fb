package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// TestAKeyGoesToTheTopmostThingThatTakesIt holds INV-ORDER: one key, G, at each level.
func TestAKeyGoesToTheTopmostThingThatTakesIt(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	rank := func() int { return m.panes.grid.Cursor() }
	press(t, m, "2", ":", "ctrl+r", "G")
	if p, ok := m.top().(*dialog.Picker); !ok || p.Filter() != "G" || m.input.field.Value() != "" || rank() != 0 {
		t.Errorf("under a dialog: the line has %q, the cursor is on rank %d", m.input.field.Value(), rank())
	}
	press(t, m, "esc", "esc", "G")
	if m.top() != nil || m.input == nil || m.input.field.Value() != "G" || rank() != 0 {
		t.Errorf("with an open line: it has %+v, the cursor is on rank %d", m.input, rank())
	}
	press(t, m, "esc", "4", "G")
	if rank() != 0 {
		t.Errorf("in another pane the cursor of the grid went to rank %d", rank())
	}
	press(t, m, "2", "G")
	if rank() != 63 {
		t.Errorf("in the pane the cursor is on rank %d", rank())
	}
	press(t, m, "E")
	if m.top() == nil {
		t.Error("a key of the program does nothing in a pane that has none of that name")
	}
	// Those that work anywhere: TestSuspendWorksUnderAnOpenForm.
}

// TestWhatIsNotSeenIsTold holds INV-COUNT: of messages that never came, are folded into a row, are hidden by a filter, or
// are of before the connection was lost.
func TestWhatIsNotSeenIsTold(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	press(t, m, "4")
	see := func(what, want string) {
		t.Helper()
		if got := screen(t, m); !strings.Contains(got, want) {
			t.Errorf("%s is not told, as %q:\n%s", what, want, got)
		}
	}
	see("that none was dropped", "0 dropped")
	see("how many are folded", "×64")
	b.Dropped(1234)
	m.touch()
	see("how many were dropped", "1,234 events dropped")
	press(t, m, "/")
	typeText(m, "kind:error")
	press(t, m, "enter")
	see("how many are hidden", "2 of 76 shown")
	m.world.AsOf = m.now()
	m.touch()
	see("how old it is", "as of "+m.now().Format("15:04:05"))
}

// TestEveryWayToAnActionLeadsToTheSameCommand holds INV-SAME for a form that makes something.
func TestEveryWayToAnActionLeadsToTheSameCommand(t *testing.T) {
	ways := map[string]func(m *Model){
		"key":     func(m *Model) { press(t, m, "M") },
		"palette": func(m *Model) { press(t, m, "ctrl+p"); typeText(m, "new proc mesh"); press(t, m, "enter") },
		"help":    func(m *Model) { press(t, m, "?"); typeText(m, "new proc mesh"); press(t, m, "enter") },
		"mouse": func(m *Model) {
			rows := strings.Split(screen(t, m), "\n")
			before, _, _ := strings.Cut(rows[m.h-1], "new mesh")
			m.Update(tea.MouseClickMsg{X: len([]rune(before)), Y: m.h - 1, Button: tea.MouseLeft})
		},
	}
	const want = "procs procs0 gpus=4"
	for name, way := range ways {
		m := still(t, worldtest.Pingpong(t), 120, 40)
		way(m)
		press(t, m, "enter")
		if n := len(m.commands); n != 1 || m.commands[0].line != want {
			t.Errorf("by %s: %d commands, the last toast is %q", name, n, m.toast.text)
		}
	}
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, ":")
	typeText(m, want)
	press(t, m, "enter")
	if len(m.commands) != 1 || m.commands[0].line != want {
		t.Errorf("by the line: %d commands", len(m.commands))
	}
}
