package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// screenRow is one row of a screen.
func screenRow(t *testing.T, m *Model, have string) string {
	t.Helper()
	for line := range strings.SplitSeq(screen(t, m), "\n") {
		if strings.Contains(line, have) {
			return line
		}
	}
	t.Fatalf("no row has %q:\n%s", have, screen(t, m))
	return ""
}

func TestTheHeaderTellsWhoHoldsTheClockAndThatBreakpointsSleep(t *testing.T) {
	bp := func(b *worldtest.Builder) *worldtest.Builder {
		b.Break(control.Breakpoint{ID: 1, Mesh: "ponger", State: control.BreakArmed})
		return b
	}
	for _, c := range []struct {
		w     int
		state control.DebugState
		want  string
		not   string
	}{
		{120, control.DebugState{Held: true}, "◌ clock held by a client", "paused"},
		{80, control.DebugState{Held: true}, "◌ clock held", "by a client"},
		{60, control.DebugState{Held: true}, "◌ clock held", "by a client"},
		{120, control.DebugState{Asleep: true}, "○ breakpoints sleep until a front end comes", "clock"},
		{80, control.DebugState{Asleep: true}, "○ breakpoints sleep", "until"},
		{80, control.DebugState{}, "live", "clock"},
	} {
		m := still(t, bp(worldtest.Pingpong(t)), c.w, 24)
		stopping(m, &control.Event{Debug: &c.state})
		if got := strings.SplitN(screen(t, m), "\n", 2)[0]; !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%d columns, %+v: the header is\n%s", c.w, c.state, got)
		}
	}
	m := still(t, bp(worldtest.Pingpong(t)), 120, 40)
	stopping(m, &control.Event{Debug: &control.DebugState{Asleep: true}})
	press(t, m, "5")
	m.panes.slots[Logs].open = tabBreaks
	if got := screen(t, m); !strings.Contains(got, "○ 1 ponger.*") || !strings.Contains(got, "○ asleep until a front end") {
		t.Errorf("the table says\n%s", got)
	}
}

// TestTheBarCountsDownWhileNobodyIsThere is what a viewer sees: the session waits for somebody who may act.
func TestTheBarCountsDownWhileNobodyIsThere(t *testing.T) {
	now := worldtest.Start()
	for policy, want := range map[string][3]string{
		control.PolicyContinue: {"nobody is here who may act: they go on in 21s (policy continue)", "they go on in 21s", "they go on in 0s"},
		control.PolicyAbort:    {"nobody is here who may act: their calls fail in 21s (policy abort)", "their calls fail in 21s", "their calls fail in 0s"},
		control.PolicyStay:     {"nobody is here who may act: they stay paused (policy stay)", "they stay paused", "they stay paused"},
	} {
		at := now
		m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Now = func() time.Time { return at } })
		stopping(m, stopEvent(1, 0), &control.Event{Debug: &control.DebugState{Held: true, Policy: policy, Grace: 30 * time.Second, Alone: now.Add(-9 * time.Second)}})
		if got := screenRow(t, m, "111 running"); !strings.Contains(got, want[0]) {
			t.Errorf("%s: the bar is\n%s", policy, got)
		}
		m.update(tea.WindowSizeMsg{Width: 80, Height: 40})
		if got := screenRow(t, m, "111 running"); !strings.Contains(got, want[1]) || strings.Contains(got, "nobody is") {
			t.Errorf("%s: the bar of 80 columns is\n%s", policy, got)
		}
		at = now.Add(time.Hour) // the session's clock, or ours, is wrong
		m.touch()
		if got := screenRow(t, m, "111 running"); !strings.Contains(got, want[2]) {
			t.Errorf("%s: later the bar is\n%s", policy, got)
		}
		stopping(m, &control.Event{Debug: &control.DebugState{Held: true, Policy: policy, Grace: 30 * time.Second}})
		if got := screenRow(t, m, "111 running"); strings.Contains(got, "they ") || strings.Contains(got, "their ") {
			t.Errorf("%s: somebody has come, and the bar is\n%s", policy, got)
		}
	}
}
