package tui

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestAWordAloneGoesToItsPlace(t *testing.T) {
	for word, want := range map[string]string{
		"procs": "┏[1]", "actors": "┏[1]", "ranks": "┏[2]", "inspect": "┏[3]", "messages": "┏[4] ‹Messages›", "top": "┏[4] Messages Flow ‹Top›", "charts": "┏[4] Messages Flow Top ‹Charts›", "calls": "┏[4] Messages Flow Top Charts ‹Calls›",
		"flow": "‹Flow›", "logs": "┏[5] ‹Logs›", "breakpoints": "┏[5] Logs ‹Breakpoints›", "reloads": "┏[5] Logs Breakpoints ‹Reload›", "commands": "Breakpoints Reload ‹Commands›", "warnings": "┏ Warnings", "config": "# Settings of monarch-tui",
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

func TestTheWordOfAPlaceIsCompleted(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, ":")
	typeText(m, "to")
	press(t, m, "tab")
	if got := m.input.field.Value(); got != "top" {
		t.Errorf("it is completed to %q", got)
	}
}

// TestTheTableOfWorkIsOrderedAndLeadsToItsActors walks through :top as a person does.
func TestTheTableOfWorkIsOrderedAndLeadsToItsActors(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	worked(m)
	press(t, m, ":")
	typeText(m, "top")
	press(t, m, "enter")
	if got := screen(t, m); !strings.Contains(got, "▼msg/s") || !strings.Contains(got, "O sort") {
		t.Errorf("it is not ordered by messages, or no key tells how to order it:\n%s", got)
	}
	press(t, m, "O", "O")
	if got := screen(t, m); !strings.Contains(got, "▼queue") {
		t.Error(got)
	}
	if at := m.target(); at.String() != "@ponger[18]" {
		t.Errorf("commands are about %s, want the actor with the longest queue", at)
	}
	if press(t, m, ">"); !strings.Contains(m.toast.text, "a row of this table is no message") {
		t.Errorf("> says %q", m.toast.text)
	}
	press(t, m, "ctrl+f")
	if got := screen(t, m); !strings.Contains(got, "mesh") || m.target().String() != "@ponger" {
		t.Errorf("by mesh, commands are about %s:\n%s", m.target(), got)
	}
	press(t, m, "ctrl+f", "/")
	typeText(m, "mesh:pinger")
	press(t, m, "enter", "enter")
	if mesh, _ := m.panes.here(); m.focus != Ranks || mesh == 0 {
		t.Error("enter does not go to the ranks")
	}
	if press(t, m, "4", "[", "[", "O"); !strings.Contains(m.toast.text, "in the order in which they came") {
		t.Errorf("messages cannot be ordered, and O says %q", m.toast.text)
	}
}

func TestThePaletteTellsOfWhatThisBuildLacks(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "ctrl+p")
	typeText(m, "/profi")
	if got := screen(t, m); !strings.Contains(got, "this build has no profiles yet") {
		t.Errorf("who looks for profiles is told nothing:\n%s", got)
	}
	if press(t, m, "enter"); m.top() == nil || !strings.Contains(m.toast.text, "this build has no profiles yet") {
		t.Errorf("enter says %q", m.toast.text)
	}
}

func TestHabitsOfOtherProgramsAreMetOrAnswered(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"2", "d"}, "┏[3] Inspect"}, {[]string{"2", "c"}, "nobody is paused (b sets a breakpoint)"}, {[]string{"1", "t"}, "t exchanges rows and columns, on the grid"},
		{[]string{"2", "w"}, "w wraps lines, in the logs"}, {[]string{"2", "ctrl+s"}, ":save"}, {[]string{"esc", "5", "t"}, "alt+t shows the times of lines, or hides them"}, {[]string{"esc", "f1"}, "Help · "},
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
		press(t, m, "5", "ctrl+s", "ctrl+u")
		typeText(m, file)
		press(t, m, "enter")
	}
	b, err := os.ReadFile(file)
	if err != nil || string(b) != m.panes.logs.PageText() || !strings.Contains(m.toast.text, "is there already") {
		t.Errorf("%v, %q, told %q", err, b, m.toast.text)
	}
}

func TestTheInspectorIsWrittenAndCopiedAsJSON(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "j", "l", "3")
	ask, ok := m.panes.inspect.Want(m.world)
	if !ok {
		t.Fatal("it asks for no state")
	}
	m.panes.inspect.SetState(m.world, ask, ballState("1182"), nil)
	m.View()
	file := filepath.Join(t.TempDir(), "ponger.json")
	press(t, m, "ctrl+s", "ctrl+u")
	typeText(m, file)
	press(t, m, "enter")
	b, err := os.ReadFile(file)
	if err != nil || !json.Valid(b) || !strings.Contains(string(b), `"count": 1182`) {
		t.Errorf("%v: %s", err, b)
	}
	for range 40 {
		if press(t, m, "j"); m.panes.inspect.JSON() == "1182\n" {
			break
		}
	}
	if got := (inspectTab{m.panes.inspect, m}).Text(); got != "1182" {
		t.Errorf("a value is copied as %q", got)
	}
}

// Terminals differ in what they do with an alternate screen that has grown since it began: an empty one they cannot get wrong.
func TestTheLastFrameIsEmpty(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	if before := m.View(); before.Content == "" || !before.AltScreen {
		t.Fatalf("while it runs: %q", before.Content)
	}
	press(t, m, "ctrl+c", "y")
	if last := m.View(); !m.quitting || last.Content != "" || last.Cursor != nil || !last.AltScreen {
		t.Errorf("quitting: %v, and the last frame is %q", m.quitting, last.Content)
	}
}

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
