package tui

import (
	"errors"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestASelectionThatWasLostByEscComesBack(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "u")
	if !strings.Contains(m.toast.text, "has not changed") {
		t.Errorf("u at the beginning says %q", m.toast.text)
	}
	press(t, m, "V", "j", "V")
	before := m.panes.grid.Text()
	press(t, m, "esc")
	if m.panes.grid.Text() != "" {
		t.Fatal("esc keeps the selection")
	}
	press(t, m, "u")
	if got := m.panes.grid.Text(); got != before || before == "" {
		t.Errorf("u selects %q, want %q", got, before)
	}
	press(t, m, "u", "u")
	if got := m.panes.grid.Text(); got != "" {
		t.Errorf("at the beginning %q was selected", got)
	}
	press(t, m, "e")
	typeText(m, "dp=1")
	press(t, m, "enter", "u")
	if got := m.panes.grid.Text(); got != "" {
		t.Errorf("after a slice was typed and undone %q is selected", got)
	}
}

func TestTheSecondKeysOfAChordAreListedAfterAWhile(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "V", `"`, "a", "'")
	if got := screen(t, m); strings.Contains(got, "Select what is kept") {
		t.Error("the list comes at once")
	}
	first := chordWaits{m.chords}
	m.Update(first)
	if got := screen(t, m); !strings.Contains(got, "Select what is kept as") || !strings.Contains(got, "a  "+m.panes.grid.Text()) {
		t.Errorf("the list does not come:\n%s", got)
	}
	press(t, m, "esc", `"`)
	m.Update(first) // of the chord before
	if got := screen(t, m); strings.Contains(got, "Keep the selection as") {
		t.Error("the time of another chord counts")
	}
	press(t, m, "esc")
	if m.Update(chordWaits{m.chords}); m.chordHelp {
		t.Error("the list comes after the chord")
	}
	for _, size := range [][2]int{{120, 40}, {40, 12}, {30, 8}} {
		m := still(t, worldtest.Pingpong(t), size[0], size[1])
		press(t, m, "2")
		for r := 'a'; r <= 'z'; r++ {
			press(t, m, `"`, string(r))
		}
		press(t, m, "'")
		m.Update(chordWaits{m.chords})
		if got := screen(t, m); !strings.Contains(got, "more") && size[1] < 30 {
			t.Errorf("at %v it is not said that there is more:\n%s", size, got)
		}
	}
}

func TestSuspendWorksUnderAnOpenForm(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	ran := 0
	m.reg.named("redraw").run = act(func(*Model) { ran++ })
	press(t, m, "2", "x", "ctrl+l", "esc", ":", "ctrl+l", "esc", "?", "ctrl+l", "esc", "ctrl+l")
	if ran != 4 {
		t.Errorf("ctrl+l came through %d times, want 4", ran)
	}
	if !m.reg.named("suspend").anywhere {
		t.Error("ctrl+z does not work everywhere")
	}
}

func TestSettingsThatChangeApplyAtOnce(t *testing.T) {
	var now rereadMsg
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) {
		c.Reread = func() (Settings, bool, error) { return now.settings, now.changed, now.err }
	})
	second := func() {
		t.Helper()
		cmd := m.reread()
		if cmd == nil || m.reread() != nil {
			t.Fatal("want one look at a time")
		}
		m.Update(cmd())
	}
	second()
	if m.toast.text != "" {
		t.Errorf("settings that have not changed say %q", m.toast.text)
	}
	now.changed = true
	now.settings = Settings{Theme: "light", ASCII: true, NoMouse: true, Off: []string{"lost-proc"}, Keys: map[string][]string{"call": {"ctrl+t"}}}
	second()
	got := screen(t, m)
	if !strings.Contains(got, "# monarch") || m.theme.Name != "light" || m.mouse || m.reg.find("ctrl+t", Ranks) == nil || m.reg.find("x", Ranks) != nil {
		t.Errorf("theme %s, mouse %v:\n%s", m.theme.Name, m.mouse, got)
	}
	now = rereadMsg{err: errors.New("config.toml:3: there is no theme")}
	second()
	if !strings.Contains(m.toast.text, "config.toml:3") || m.theme.Name != "light" {
		t.Errorf("a mistake says %q", m.toast.text)
	}
}
