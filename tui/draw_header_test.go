package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestOneOfAKindIsNotMany(t *testing.T) {
	for n, want := range map[int]string{0: "0 procs", 1: "1 proc", 2: "2 procs", 65536: "65.5k procs"} {
		if got := counted(n, "proc"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// TestAScreenHasNoMoreColoursThanItsTerminal looks for the sequences that another terminal would be given: what makes them into nearest
// colours knows nothing of what stands on what.
func TestAScreenHasNoMoreColoursThanItsTerminal(t *testing.T) {
	for _, c := range []struct {
		profile colorprofile.Profile
		has     string
		not     []string
	}{
		{colorprofile.TrueColor, "38;2;", nil},
		{colorprofile.ANSI256, "38;5;", []string{"8;2;"}},
		{colorprofile.ANSI, "\x1b[", []string{"8;2;", "8;5;"}},
		{colorprofile.ASCII, "\x1b[", []string{"8;2;", "8;5;", "[3", "[9"}},
	} {
		m := still(t, worldtest.Pingpong(t), 80, 24)
		m.Update(tea.ColorProfileMsg{Profile: c.profile})
		got := m.View().Content
		if !strings.Contains(got, c.has) {
			t.Errorf("%v: there is no %q in %q", c.profile, c.has, got)
		}
		for _, not := range c.not {
			if strings.Contains(got, not) {
				t.Errorf("%v: there is %q in %q", c.profile, not, got)
			}
		}
	}
}
