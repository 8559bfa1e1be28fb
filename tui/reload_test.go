package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// r asks once where actors work, and does what the command line does.
func TestReloadIsForTheProcMeshOrWhatIsSelectedOfIt(t *testing.T) {
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"2"}, "reload workers"},
		{[]string{"2", "l", "space", "l", "space"}, "reload workers[1-2]"},
		{[]string{"2", "*"}, "reload workers"},
		{[]string{"1", "g", "j"}, "reload workers"},
		{[]string{"1", "G"}, "reload workers"}, // a process
	} {
		m := still(t, worldtest.Reloadable(t), 120, 40)
		press(t, m, c.keys...)
		press(t, m, "r")
		q, ok := m.top().(*dialog.Confirm)
		if !ok || q.Title != c.want+"?" {
			t.Errorf("%v: it asks %+v, want %q", c.keys, m.top(), c.want)
			continue
		}
		if _, errs := script.ParseLine(c.want); len(errs) > 0 {
			t.Errorf("%s is no command: %v", c.want, errs)
		}
		press(t, m, "y")
		if n := len(m.commands); n != 1 || m.commands[0].line != c.want {
			t.Errorf("%v: it runs %d commands, want %q", c.keys, n, c.want)
		}
	}
}

func TestReloadDoesNotAskWhereNobodyWorks(t *testing.T) {
	b := worldtest.Reloadable(t)
	for rank := range 8 {
		b.Rank("counter", rank, "failed", 0)
	}
	m := still(t, b, 120, 40)
	if press(t, m, "2", "r"); m.top() != nil || len(m.commands) != 1 || m.commands[0].line != "reload workers" {
		t.Errorf("it asks %v, and runs %v", m.top(), m.commands)
	}
}

func TestWhyNothingIsReloaded(t *testing.T) {
	b := worldtest.Rolling(t)
	if got := nothingToReload(still(t, b, 120, 40)); got != "a reload is going on already: rolling 3 of 8" {
		t.Errorf("while one goes on: %q", got)
	}
	b = worldtest.Reloadable(t)
	b.EditProcs("workers", func(p *control.ProcMesh) { p.InProcess = true })
	if got := nothingToReload(press(t, still(t, b, 120, 40), "2")); !strings.Contains(got, "goroutines of the controller") {
		t.Errorf("in the controller: %q", got)
	}
}

// ends tells an explorer of a reload.
func ends(m *Model, r control.Reload) {
	m.updated(updateMsg{update: control.Update{Events: []*control.Event{{Time: m.now(), Reload: &r}}}})
}

var unbuilt = control.Reload{ID: 7, State: control.ReloadFailed, Reason: "it does not compile", Errors: []control.CompileError{{File: "a.go", Line: 3, Col: 1, Text: "undefined: x"}}}

// A build that fails is seen at once, but no key means anything else because of it; when it is repaired the screen is as before.
func TestAReloadThatFailsComesToTheFrontWithoutTheFocus(t *testing.T) {
	b := worldtest.Reloadable(t)
	m := still(t, b, 120, 40)
	press(t, m, "2")
	ends(m, unbuilt)
	got := screen(t, m)
	for _, want := range []string{"‹Reload›", "a.go:3:1  undefined: x", "✕ reload: a.go:3:1: undefined: x"} {
		worldtest.Has(t, got, want)
	}
	if m.focus != Ranks || m.top() != nil {
		t.Errorf("it takes the focus: %v", m.focus)
	}
	ends(m, control.Reload{ID: 8, State: control.ReloadBuilding})
	if got := screen(t, m); !strings.Contains(got, "‹Reload›") || !strings.Contains(got, "building 0.0s") {
		t.Errorf("while it is built again it is\n%s", got)
	}
	ends(m, control.Reload{ID: 8, State: control.ReloadDone})
	if got := screen(t, m); !strings.Contains(got, "‹Logs›") || strings.Contains(got, "Reload ✕") {
		t.Errorf("when it is repaired it is\n%s", got)
	}
}

// Who saves a file does not look at the tab of a reload that went well: state that did not move is told where he looks.
func TestAReloadThatLostStateSaysSo(t *testing.T) {
	lost := "@counter[%d] began anew from its prototype: Counter had no Snapshot, and fields that are not exported"
	ranks := make([]control.ReloadRank, 8)
	for i := range ranks {
		ranks[i] = control.ReloadRank{Procs: "workers", Rank: i, State: control.RankMoved, Notes: []string{fmt.Sprintf(lost, i)}}
	}
	ranks[3].Notes = append(ranks[3].Notes, "@counter[3] Level did not fit")
	m := still(t, worldtest.Reloadable(t), 120, 40)
	ends(m, control.Reload{ID: 9, State: control.ReloadDone, Took: time.Second, Moved: 8, Ranks: ranks})
	worldtest.Has(t, screen(t, m), "▲ reloaded: 8 ranks in 1.0s, but counter[*] began anew from its prototype: Counter had no Snapshot")
	ends(m, control.Reload{ID: 10, State: control.ReloadDone, Took: time.Second, Moved: 8, Ranks: ranks[3:4]})
	worldtest.Has(t, screen(t, m), "▲ reloaded: 1 rank in 1.0s, but counter[3] began anew from its prototype:")
	ranks[2].From, ranks[2].Notes = "b2", []string{"workers[2] runs this build already"}
	ends(m, control.Reload{ID: 12, Build: "b2", State: control.ReloadDone, Took: time.Second, Moved: 1, Ranks: ranks[2:3]})
	worldtest.Has(t, screen(t, m), "✓ nothing to reload: the build is the same")
	ranks[1].Notes = nil
	ends(m, control.Reload{ID: 13, Build: "b2", State: control.ReloadDone, Took: time.Second, Moved: 2, Ranks: ranks[1:3]})
	worldtest.Has(t, screen(t, m), "✓ reloaded: 2 ranks in 1.0s")
	for i := range ranks {
		ranks[i].Notes = nil
	}
	ends(m, control.Reload{ID: 14, State: control.ReloadDone, Took: time.Second, Moved: 8, Ranks: ranks})
	worldtest.Has(t, screen(t, m), "✓ reloaded: 8 ranks in 1.0s")
}

func TestAReloadThatFailsLeavesTheTabOfAPersonAlone(t *testing.T) {
	m := still(t, worldtest.Reloadable(t), 120, 40)
	press(t, m, "5")
	ends(m, unbuilt)
	if got := screen(t, m); !strings.Contains(got, "‹Logs› Breakpoints Reload ✕1") {
		t.Errorf("under the cursor of a person it turns, or has no mark:\n%s", got)
	}
	press(t, m, "2")
	ends(m, control.Reload{ID: 8, State: control.ReloadFailed, Reason: "x"})
	press(t, m, "5", "[", "]", "2") // a person has turned to it
	ends(m, control.Reload{ID: 9, State: control.ReloadDone})
	if got := screen(t, m); !strings.Contains(got, "‹Reload›") {
		t.Errorf("it goes although a person has opened it:\n%s", got)
	}
	if m := still(t, worldtest.Uncompiled(t), 120, 40); strings.Contains(screen(t, m), "‹Reload›") {
		t.Error("what failed before somebody came is news")
	}
}

func TestEnterOnAnErrorOpensTheEditorAtItsPlace(t *testing.T) {
	b, dir := worldtest.Reloadable(t), t.TempDir()
	t.Setenv("VISUAL", "true")
	m := still(t, b, 120, 40)
	press(t, m, "5", "]", "]")
	r := unbuilt
	r.Folder = dir
	ends(m, r)
	m.View()
	if cmd := m.activate(); cmd != nil || !strings.Contains(m.toast.text, "a.go is not on this machine") {
		t.Errorf("of a file that is not there it says %q", m.toast.text)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() tea.Cmd{"enter": m.activate, "o": m.pageHere} {
		if cmd := do(); cmd == nil {
			t.Errorf("%s opens nothing: %q", name, m.toast.text)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a.go")); err != nil {
		t.Error("the source has gone")
	}
	if m.copyHere(); m.toast.text != "copied the row, 22 B" {
		t.Errorf("y says %q", m.toast.text)
	}
}

func TestEachEditorIsGivenThePlaceAsItWantsIt(t *testing.T) {
	for words, want := range map[string]string{
		"vim": "vim +call cursor(3,7) a.go", "/usr/bin/nvim -R": "/usr/bin/nvim -R +call cursor(3,7) a.go", "code --wait": "code --wait --goto a.go:3:7", "hx": "hx a.go:3:7",
		"nano": "nano +3,7 a.go", "emacs -nw": "emacs -nw +3:7 a.go", "ed": "ed +3 a.go", "goland": "goland --line 3 --column 7 a.go", "micro": "micro +3:7 a.go",
	} {
		if got := strings.Join(atPlace(strings.Fields(words), "a.go", 3, 7), " "); got != want {
			t.Errorf("%s: %s, want %s", words, got, want)
		}
	}
	if got := atPlace([]string{"vi"}, "a.go", 0, 0); !slices.Equal(got, []string{"vi", "a.go"}) {
		t.Errorf("without a line: %v", got)
	}
	if got := editor(func(name string) string { return map[string]string{"EDITOR": "code --wait"}[name] }); !slices.Equal(got, []string{"code", "--wait"}) {
		t.Errorf("the editor is %v", got)
	}
}

func TestTheExplorerTellsOfTheWatching(t *testing.T) {
	told := make(chan Watch, 1)
	m := still(t, worldtest.Reloadable(t), 120, 40, func(c *Config) { c.Watching = told })
	told <- Watch{Files: 12}
	m.Update(m.watching()())
	press(t, m, "5", "]", "]")
	worldtest.Has(t, screen(t, m), "watching 12 files")
	told <- Watch{Files: 12, Why: "not reloaded: there are no worker processes"}
	m.Update(m.watching()())
	worldtest.Has(t, screen(t, m), "▲ watch: not reloaded: there are no worker processes")
	m.dialer.own = false // another session is shown
	m.worldChanged()
	if got := screen(t, m); strings.Contains(got, "watching 12 files") {
		t.Errorf("of another session it tells\n%s", got)
	}
	close(told)
	if msg := m.watching()(); msg != nil {
		t.Errorf("after the watching it tells %v", msg)
	}
}

func TestTheTimeOfAReloadGoesOnBetweenTwoWords(t *testing.T) {
	b := worldtest.Building(t)
	m := still(t, b, 120, 40)
	b.Tick(1500 * time.Millisecond)
	m.touch()
	worldtest.Has(t, screen(t, m), "building 2.3s")
}

func TestReloadsAreSeenWithoutColoursAndInASCII(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"ascii": func(c *Config) { c.Settings.ASCII = true }, "mono": func(c *Config) { c.Settings.Theme = "mono" },
		"light": func(c *Config) { c.Settings.Theme = "light" }, "dark": func(*Config) {},
	} {
		for what, world := range map[string]func(testing.TB) *worldtest.Builder{"rolling": worldtest.Rolling, "half-way": worldtest.HalfReloaded} {
			t.Run(what+" "+name, func(t *testing.T) {
				m := still(t, world(t), 120, 40, change)
				press(t, m, "5", "]", "]")
				text := screen(t, m)
				if i := strings.IndexFunc(text, func(r rune) bool { return r > 0x7e }); m.theme.ASCII && i >= 0 {
					t.Errorf("%q is not ASCII in\n%s", text[i:i+4], text)
				}
				golden.RequireEqual(t, m.View().Content+"\n")
			})
		}
	}
}
