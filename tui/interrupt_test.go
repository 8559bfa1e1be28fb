package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// leaves presses ctrl+c and reports whether that ends the program.
func leaves(t *testing.T, m *Model) bool {
	t.Helper()
	cmd := m.key(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	return m.quitting && cmd != nil && cmd() == tea.QuitMsg{}
}

func TestCtrlCUndoesTheInnermostThing(t *testing.T) {
	now := time.Unix(1000, 0)
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Own, c.Now = true, func() time.Time { return now } })
	m.dialer.own = true
	step := func(what string, good func() bool) {
		t.Helper()
		now = now.Add(2 * time.Second)
		if leaves(t, m) || !good() {
			t.Fatalf("%s:\n%s", what, screen(t, m))
		}
	}
	m.command("call @ponger.Status")
	press(t, m, "2", "x")
	typeText(m, "4")
	press(t, m, ":")
	step("it does not leave the form", func() bool { return m.top() == nil && len(m.drafts["ponger.Pong"].args) > 0 })
	press(t, m, ":")
	typeText(m, "procs")
	step("it does not leave the line", func() bool { return m.input == nil && len(m.running()) == 1 })
	press(t, m, `"`)
	step("it does not leave the chord", func() bool { return m.pending == "" && len(m.running()) == 1 })
	cancelled := false
	m.running()[0].cancel = func() { cancelled = true }
	step("it does not cancel what runs", func() bool { return cancelled })
	m.commands[0].done = true
	step("it does not ask before meshes end", func() bool { return strings.Contains(screen(t, m), "Leave monarch-tui?") })
	step("it does not leave the question", func() bool { return m.top() == nil })
}

func TestCtrlCTwiceWithinASecondLeavesWhateverIsOpen(t *testing.T) {
	now := time.Unix(1000, 0)
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Now = func() time.Time { return now } })
	press(t, m, ":")
	if leaves(t, m) {
		t.Fatal("the first leaves the line, and the program")
	}
	now = now.Add(900 * time.Millisecond)
	press(t, m, "x")
	if !leaves(t, m) {
		t.Error("the second does not leave")
	}
}

func TestCtrlCLeavesABareScreenAtOnceWhereNothingEnds(t *testing.T) {
	if !leaves(t, still(t, worldtest.Pingpong(t), 80, 24)) {
		t.Error("attached, nothing ends with the explorer")
	}
}

func TestCtrlCCannotBeTakenAway(t *testing.T) {
	for _, remap := range []map[string][]string{{"interrupt": {"f5"}}, {"interrupt": nil}, {"quit": {"ctrl+c"}}} {
		if _, err := newRegistry(actions(), remap); err == nil {
			t.Errorf("%v is taken", remap)
		}
	}
}
