package tui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestAWordAloneGoesToItsPlace(t *testing.T) {
	for word, want := range map[string]string{
		"procs": "┏[1]", "actors": "┏[1]", "ranks": "┏[2]", "inspect": "┏[3]", "messages": "┏[4] ‹Messages›", "calls": "┏[4] Messages Flow ‹Calls›",
		"flow": "‹Flow›", "logs": "┏[5] ‹Logs›", "commands": "┏[5] Logs ‹Commands›", "warnings": "┏ Warnings", "config": "# Settings of monarch-tui",
	} {
		m := still(t, worldtest.Pingpong(t), 120, 40)
		press(t, m, ":")
		typeText(m, word)
		press(t, m, "enter")
		if got := screen(t, m); !strings.Contains(got, want) || len(m.commands) != 0 {
			t.Errorf(":%s shows no %q, or runs a command:\n%s", word, want, got)
		}
	}
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, ":")
	typeText(m, "procs q gpus=1")
	press(t, m, "enter")
	if len(m.commands) != 1 {
		t.Error("procs with arguments is no command any more")
	}
}

func TestHabitsOfOtherProgramsAreMetOrAnswered(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"2", "d"}, "┏[3] Inspect"}, {[]string{"2", "c"}, "y copies what the cursor is on"}, {[]string{"1", "t"}, "t exchanges rows and columns, on the grid"},
		{[]string{"2", "w"}, "w wraps lines, in the logs"}, {[]string{"2", "s"}, ":save"}, {[]string{"esc", "5", "t"}, "alt+t shows the times of lines, or hides them"}, {[]string{"esc", "f1"}, "Help · "},
	} {
		if got := screen(t, press(t, m, c.keys...)); !strings.Contains(got, c.want) {
			t.Errorf("%v: no %q in\n%s", c.keys, c.want, got)
		}
	}
}

func TestTheInspectorFollowsTheMessages(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	seen := map[string]bool{}
	press(t, m, "2", "4", "g")
	for range 3 {
		lines := strings.Split(screen(t, m), "\n")
		seen[lines[2][strings.LastIndex(lines[2], "││"):]] = true
		press(t, m, "j")
	}
	if len(seen) < 2 {
		t.Errorf("the inspector shows the same for each message: %v", seen)
	}
}

func TestTheLinesOfTheLogsAreWrittenToAFile(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	file := filepath.Join(t.TempDir(), "lines.log")
	for range 2 {
		press(t, m, "5", "s", "ctrl+u")
		typeText(m, file)
		press(t, m, "enter")
	}
	b, err := os.ReadFile(file)
	if err != nil || string(b) != m.panes.logs.PageText() || !strings.Contains(m.toast.text, "is there already") {
		t.Errorf("%v, %q, told %q", err, b, m.toast.text)
	}
}
