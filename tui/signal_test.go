package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// A process that a signal has stopped is shown as paused: the keys of the debugger say why they do nothing about it.
func TestWhoStandsByASignalIsNoMatterOfTheDebugger(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2")
	mesh, rank, ok := m.thisActor()
	if !ok {
		t.Fatal("the cursor is on no actor")
	}
	if why := nobodyPaused(m); !strings.HasPrefix(why, "nobody is paused") {
		t.Errorf("where nobody stands: %q", why)
	}
	x, _ := m.world.Mesh(mesh)
	p, ok := m.world.ProcOf(x, rank)
	if !ok {
		t.Fatal("it has no process")
	}
	p.Paused, p.PID = true, 4711
	if why := nobodyPaused(m); !strings.HasSuffix(why, "a signal has stopped its process, 4711: SIGCONT has it go on") {
		t.Errorf("where a signal has stopped it: %q", why)
	}
}

// What was wrong with a text is not said of the one that was taken after it.
func TestWhatWasWrongIsNotSaidOfWhatIsRight(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "e", "ctrl+u")
	typeText(m, "abc")
	press(t, m, "enter")
	if !strings.Contains(m.toast.text, "abc") {
		t.Fatalf("it takes abc: %q", m.toast.text)
	}
	press(t, m, "ctrl+u")
	typeText(m, "ranks(0:3)")
	press(t, m, "enter")
	if m.input != nil || m.toast.text != "" {
		t.Errorf("it says %q", m.toast.text)
	}
}

// An action is called by its name where it cannot be done, also if it has a hint for one case.
func TestStopIsNotCalledACancellationOfALaunch(t *testing.T) {
	m := still(t, worldtest.New(t), 120, 40)
	press(t, m, "delete")
	if !strings.HasPrefix(m.toast.text, "stop: ") {
		t.Errorf("it says %q", m.toast.text)
	}
}

// Once more takes a pause back that has not stopped anybody yet, and the inspector tells of it.
func TestAPauseThatWaitsIsShownAndTakenBack(t *testing.T) {
	b := worldtest.Pingpong(t)
	b.EditRank("ponger", 0, func(r *control.RankState) { r.Pause = "tui ada@laptop" })
	m := still(t, b, 120, 40)
	press(t, m, "2")
	if mesh, rank, ok := m.thisActor(); !ok || mesh != "ponger" || rank != 0 {
		t.Fatalf("the cursor is on %s[%d]", mesh, rank)
	}
	if got := ansi.Strip(m.View().Content); !strings.Contains(got, "to stop   at its next site") {
		t.Errorf("the inspector does not tell:\n%s", got)
	}
	if w := m.world; !w.ToStop("ponger", []int{0}) || w.ToStop("ponger", []int{0, 1}) || w.ToStop("ponger", nil) || w.ToStop("nobody", nil) {
		t.Error("it is not told apart who is to stop")
	}
	press(t, m, "P")
	if want := "continue @ponger[0]"; m.shownEntry == nil || m.shownEntry.line != want {
		t.Errorf("P does %+v, want %s", m.shownEntry, want)
	}
}
