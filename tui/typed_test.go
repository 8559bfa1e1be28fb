package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func foot(t *testing.T, m *Model) string {
	t.Helper()
	lines := strings.Split(strings.TrimRight(screen(t, m), "\n"), "\n")
	return lines[len(lines)-1]
}

func TestALineWithAMistakeStaysOpenAndTakesItsKeys(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, ":")
	typeText(m, "  cal @ponger.Ping")
	press(t, m, "enter")
	if m.input == nil || m.input.field.Value() != "  cal @ponger.Ping" || !strings.Contains(m.input.err, "did you mean call?") {
		t.Fatalf("after enter:\n%s", screen(t, m))
	}
	if m.input.errAt != 3 {
		t.Errorf("the mistake is at column %d, want 3", m.input.errAt)
	}
	if len(m.commands) != 0 || len(m.history) != 0 {
		t.Errorf("a line that was not taken is logged: %d, %d", len(m.commands), len(m.history))
	}
	typeText(m, "q") // must not leave the program
	if len(m.overlays) != 0 || m.input == nil || m.input.err != "" {
		t.Error("a key after a mistake did not go on with the line")
	}
}

func TestTheLastRowHasTheKeysOfTheOpenLine(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for _, c := range []struct{ key, want string }{{":", "tab complete"}, {"/", "enter keep"}, {"e", "enter keep"}} {
		press(t, m, "2", c.key)
		if c.key == "/" {
			press(t, m, "esc", "4", c.key)
		}
		if m.input == nil {
			t.Fatalf("%s opens no line", c.key)
		}
		if got := foot(t, m); !strings.Contains(got, c.want) || strings.Contains(got, "? help") {
			t.Errorf("while %s is open the last row is %q", c.key, got)
		}
		press(t, m, "esc")
	}
}

func TestOfAPasteEachLineComesWhenTheOneBeforeWasTaken(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.Update(tea.PasteMsg{Content: "# what was saved\nlet a = 1\n\n  all value == 1\nlet b = 2\r\nlet c = 3\n"})
	for i, want := range []string{"let a = 1", "expect all value == 1", "let b = 2", "let c = 3"} {
		if m.input == nil || m.input.field.Value() != want {
			t.Fatalf("line %d of the paste is not %q:\n%s", i+1, want, screen(t, m))
		}
		if len(m.commands) != i {
			t.Fatalf("%d commands run before line %d was taken", len(m.commands), i+1)
		}
		if got, want := m.input.pasted.note(120), fmt.Sprintf("%d of 4 pasted", i+1); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		press(t, m, "enter")
	}
	if m.input != nil {
		t.Error("after the last line there is another")
	}
	m.Update(tea.PasteMsg{Content: "let d = 1\nlet e = 2\nlet f = 3"})
	press(t, m, "enter", "esc")
	if m.input != nil || !strings.Contains(m.toast.text, "2 lines") {
		t.Errorf("esc in a paste says %q", m.toast.text)
	}
	m.Update(tea.PasteMsg{Content: strings.Repeat("let a = 1\n", maxPasted+1)})
	if !strings.Contains(m.toast.text, "source FILE") {
		t.Errorf("a paste that is too long says %q", m.toast.text)
	}
}

// TestALineThatMadeAMeshGoesThereINV_SAME ends commands as the engine would.
// It holds INV-SAME.
func TestALineThatMadeAMeshGoesThereINV_SAME(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	run := func(line string) *entry {
		press(t, m, ":")
		typeText(m, line)
		press(t, m, "enter")
		return m.commands[len(m.commands)-1]
	}
	done := func(e *entry, text ...string) { m.commandEnded(commandDone{e: e, step: &script.Step{Text: text}}) }

	press(t, m, "4")
	e := run("procs more gpus=2 in-process")
	b.Procs("more", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	done(e)
	m.worldChanged()
	if m.focus != Mesh || !strings.Contains(screen(t, m), "more") || m.target().procs != "more" {
		t.Errorf("after :procs more the focus is on %v, at %+v", m.focus, m.target())
	}
	press(t, m, "4")
	e = run("spawn @new on more Ponger")
	b.Mesh("new", "more", "Ponger")
	done(e)
	m.worldChanged()
	if on, _ := m.panes.grid.Target(); m.focus != Ranks || on.Name != "new" {
		t.Errorf("after :spawn @new the focus is on %v", m.focus)
	}
	press(t, m, "4")
	e = run("procs other gpus=2 in-process")
	press(t, m, "5") // the person has gone on
	b.Procs("other", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	done(e)
	m.worldChanged()
	if m.focus != Logs {
		t.Errorf("a person in pane 5 was taken to pane %v", m.focus)
	}
	e = run("ls")
	done(e, "one", "two", "three")
	if m.top() == nil || !strings.Contains(screen(t, m), "three") {
		t.Error("what ls lists is not opened")
	}
	press(t, m, "esc")
	e = run("ls")
	press(t, m, "j")
	done(e, "one", "two", "three")
	if m.top() != nil {
		t.Error("a box opened under the fingers of a person who had gone on")
	}
}

func TestOnlyTheLivingAreCounted(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	before := m.alive()
	b.Proc("trainers", 0, "killed", "worker 0 was killed by SIGKILL")
	after := m.alive()
	if before.procs == 0 || after.procs != before.procs-1 {
		t.Errorf("%d procs before one was killed, %d after", before.procs, after.procs)
	}
	if got := screen(t, m); !strings.Contains(got, fmt.Sprintf("%d procs", after.procs)) {
		t.Errorf("the header does not say %d procs:\n%s", after.procs, got)
	}
}

func TestACallFromAProcMeshIsOnTheActorsThere(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	m.goToProcs("trainers")
	m.worldChanged()
	press(t, m, "x")
	if m.top() == nil || !strings.Contains(screen(t, m), "Call ") {
		t.Errorf("x on a proc mesh opens nothing: %q", m.toast.text)
	}
	press(t, m, "esc", "esc")
	b.Procs("bare", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	m.worldChanged()
	m.show = target{procs: "bare"}
	m.worldChanged()
	press(t, m, "x")
	if m.top() != nil || !strings.Contains(m.toast.text, "no actors stand on") {
		t.Errorf("x on empty procs says %q", m.toast.text)
	}
}

func TestAFieldIsNotRedBeforeAnybodyWasThere(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "x")
	if got := screen(t, m); strings.Contains(got, "✕ want") || strings.Contains(got, "✕ n:") {
		t.Errorf("an untouched form complains:\n%s", got)
	}
	press(t, m, "enter")
	if got := screen(t, m); !strings.Contains(got, "✕") || m.top() == nil {
		t.Errorf("sending it does not say what is missing:\n%s", got)
	}
}

func TestAnswersOfOneRankNameItAndComeInOrder(t *testing.T) {
	a := newAnswers()
	for _, r := range []int{3, 0, 2, 1} {
		a.add(script.Answer{Rank: r, Outcome: control.OutcomeReply, Value: fmt.Sprint(r * 10)})
	}
	a.add(script.Answer{Rank: 7, Outcome: control.OutcomeReply, Value: "x"})
	a.add(script.Answer{Rank: 5, Outcome: control.OutcomeReply, Value: "x"})
	groups, _, _ := a.list()
	if got, want := groupsLine(groups[:4]), "2 → x │ [0] → 0 │ [1] → 10 │ [2] → 20"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheCommandsOpenAtTheNewest(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for i := range 60 {
		e := m.logCommand(fmt.Sprintf("let n%d = 1", i))
		e.done, e.ok = true, true
	}
	press(t, m, "5", "[")
	if got := screen(t, m); !strings.Contains(got, "let n59 = 1") || strings.Contains(got, "let n0 = 1") {
		t.Errorf("the tab does not show the newest:\n%s", got)
	}
}

func TestInASCIITheSignIsNotALetterOfAState(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Settings.ASCII = true })
	if got, _, _ := strings.Cut(screen(t, m), "\n"); !strings.HasPrefix(strings.TrimSpace(got), "# monarch") {
		t.Errorf("the header is %q", got)
	}
}

func TestTheHelpNamesEachGroupOnce(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for p := Mesh; p <= Logs; p++ {
		m.setFocus(p)
		m.openHelp()
		seen := map[string]bool{}
		for _, r := range m.top().(*dialog.Picker).Rows() {
			if r.Head != "" && seen[r.Head] {
				t.Errorf("pane %v: %q is a group twice", p, r.Head)
			}
			seen[r.Head] = true
		}
		press(t, m, "esc")
	}
}

func TestThePaletteBeginsWithWhatDoesSomething(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.openPalette()
	rows := m.top().(*dialog.Picker).Rows()
	if a := m.reg.named("call"); len(rows) == 0 || rows[0].Text != a.Title {
		t.Errorf("the first row is %+v", rows[0])
	}
}

func TestRanksThatWereLostAlikeAreOneAnswer(t *testing.T) {
	a := newAnswers()
	for rank := range 3 {
		a.add(script.Answer{Rank: rank, Outcome: control.OutcomeLost, Err: fmt.Sprintf("worker %d of procs p (pid %d) exited with code 7", rank, 40+rank)})
	}
	a.add(script.Answer{Rank: 3, Outcome: control.OutcomeLost, Err: "no heartbeat for 10s"})
	groups, _, _ := a.list()
	if got, want := groupsLine(groups), "3 ✕ lost: exit 7 │ [3] ✕ lost: no heartbeat for 10s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if !strings.Contains(groups[0].more, "worker 0 of procs p") {
		t.Errorf("of the first %q is known", groups[0].more)
	}
}

func TestTwoExplorersKeepOneHistory(t *testing.T) {
	dir := t.TempDir()
	explorer := func() *Model {
		m, err := New(t.Context(), Config{Dir: dir, Settings: Settings{Theme: "dark"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		return m
	}
	one, two := explorer(), explorer()
	one.remember("ls")
	two.remember("procs p gpus=2")
	one.remember("stop p")
	two.remember("ls")
	b, err := os.ReadFile(filepath.Join(dir, "history"))
	if want := "procs p gpus=2\nstop p\nls\n"; err != nil || string(b) != want {
		t.Errorf("the file has %q, want %q (%v)", b, want, err)
	}
	if got := strings.Join(one.history, "|"); got != "ls|stop p" {
		t.Errorf("the first one remembers %s", got)
	}
	if got := strings.Join(explorer().history, "|"); got != "procs p gpus=2|stop p|ls" {
		t.Errorf("a new one remembers %s", got)
	}
}

func TestEveryVerbThatNeedsAScreenIsRunByTheExplorer(t *testing.T) {
	have := screenVerbs()
	for _, v := range script.Verbs() {
		if v.Screen && have[v.Name] == nil {
			t.Errorf("%s needs a screen, and the explorer has no code for it", v.Name)
		}
	}
	for name := range have {
		if v, ok := script.VerbNamed(name); !ok || v.Name != name {
			t.Errorf("the explorer runs %s, which is no verb", name)
		}
	}
}

// inputs opens each place where text can be typed.
var inputs = map[string][]string{
	"command": {":"}, "filter": {"4", "/"}, "slice": {"2", "e"}, "stride": {"2", "%"}, "field": {"2", "x"}, "literal": {"2", "x", "ctrl+e"}, "picker": {"?"},
	"name": {"2", "K"}, "mesh": {"M"}, "history": {":", "ctrl+r"},
}

// work is how many bytes a function allocates, as a measure of steps: whoever works a whole text over for each of its
// characters copies it as often.
func work(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAPasteOfAnyLengthIsTakenOrRefusedAtOnce(t *testing.T) {
	const most = 160 << 20 // one copy for each of 20,000 characters would be 800 MB
	for name, keys := range inputs {
		for _, unit := range []string{"x", "é ", "ｶﾞ", "1,", "a\n"} {
			for _, n := range []int{20_000, 1 << 20} {
				if n > 1<<16 && len(unit) > 1 && name != "command" {
					continue // too long is judged before it is looked at, whatever it is
				}
				m := still(t, worldtest.Pingpong(t), 120, 40)
				press(t, m, keys...)
				text := strings.Repeat(unit, n/len([]rune(unit)))
				if got := work(func() {
					m.Update(tea.PasteMsg{Content: text})
					m.View()
					press(t, m, "left", "a", "backspace", "right")
					m.View()
				}); got > most {
					t.Errorf("%s: %d of %q cost %d MB", name, n, unit, got>>20)
				}
			}
		}
	}
}

func TestARefusedPasteNamesTheLimitAndLeavesTheInputAsItWas(t *testing.T) {
	for _, name := range []string{"command", "filter", "field", "picker"} {
		for n, want := range map[int]string{70_000: "a line takes 65,536 characters, and with this it has 70,002", 2 << 20: "a paste may have 1.0 MiB, and this has 2.0 MiB"} {
			m := still(t, worldtest.Pingpong(t), 120, 40)
			press(t, m, inputs[name]...)
			typeText(m, "ab")
			m.Update(tea.PasteMsg{Content: strings.Repeat("x", n)})
			if got := screen(t, m); !strings.Contains(m.toast.text, want) || !strings.Contains(got, "ab") || strings.Contains(got, "xxxx") {
				t.Errorf("%s, %d: %q\n%s", name, n, m.toast.text, got)
			}
		}
	}
}

func TestWhereTheCursorIsInALongLineIsSeen(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 80, 24)
	press(t, m, ":")
	m.Update(tea.PasteMsg{Content: strings.Repeat("日本 ", 2000) + "the end"})
	if got := screen(t, m); !strings.Contains(got, "the end") {
		t.Error(got)
	}
	press(t, m, "home")
	if got := screen(t, m); strings.Contains(got, "the end") || !strings.Contains(got, ":日本 日本") {
		t.Error(got)
	}
}
