package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// gave ends a command with a result of its own, as its session would.
func gave(t *testing.T, m *Model, e *entry) script.Given {
	t.Helper()
	f := m.conn.base.Fork()
	sc, errs := script.ParseLine("let x = 1")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	f.Run(t.Context(), sc, func(*script.Step) {})
	m.commandEnded(commandDone{e: e, step: &script.Step{}, given: f.Last()})
	return f.Last()
}

// TestACommandThatLooksBackWaitsForThoseBeforeIt holds INV-BACK.
func TestACommandThatLooksBackWaitsForThoseBeforeIt(t *testing.T) {
	for _, line := range []string{"expect value == 1", "let x = results[0]", "echo ${results}", "call @ponger.Pong {n: ${results[0]}}", "save /dev/null"} {
		m := still(t, worldtest.Pingpong(t), 120, 40)
		m.command("call @ponger.Status")
		m.command(line)
		m.command("call @pinger.Run")
		first, back, later := m.commands[0], m.commands[1], m.commands[2]
		if !back.queued || !later.queued {
			t.Fatalf("%s: queued %v, and the call after it %v", line, back.queued, later.queued)
		}
		if got := later.summary(m); got != "waits for "+line {
			t.Errorf("the call after %s says %q", line, got)
		}
		if got := back.summary(m); got != "waits for call @ponger.Status" {
			t.Errorf("%s says %q", line, got)
		}
		want := gave(t, m, first)
		if back.queued || m.serial != back || !later.queued {
			t.Errorf("%s has not begun, or the call after it has", line)
		}
		if m.conn.session.Last() != want {
			t.Errorf("%s looks back at something else than the call above it", line)
		}
		m.commandEnded(commandDone{e: back, step: &script.Step{}})
		if later.queued {
			t.Errorf("the call after %s has not begun", line)
		}
	}
}

func TestACommandThatGaveNothingIsLookedPast(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.command("call @ponger.Status")
	m.command("call @ponger.Status")
	m.command("expect value == 1")
	want := gave(t, m, m.commands[0])
	m.commandEnded(commandDone{e: m.commands[1], step: &script.Step{Code: script.ExitCommand, Err: "refused"}})
	if m.serial != m.commands[2] || m.conn.session.Last() != want {
		t.Error("it does not look back at the last command that gave anything")
	}
}

func TestWhatNobodyLooksBackAtIsForgotten(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for i := range 5 {
		m.command("call @ponger.Status")
		gave(t, m, m.commands[i])
	}
	kept := 0
	for _, e := range m.commands {
		if e.given != (script.Given{}) {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("what %d commands gave is kept, want that of the last", kept)
	}
}

func TestCancellingWhatStandsInTheWayLetsTheNextBegin(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.command("call @ponger.Status")
	m.command("expect value == 1")
	m.command("call @ponger.Status => r")
	m.cancelEntry(m.commands[1])
	if m.serial != m.commands[2] {
		t.Error("the command behind a cancelled one waits for nothing")
	}
}

func TestTheNewestCommandIsTheOneThatIsToldWhenItEnds(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.command("call @ponger.Status")
	m.command("call @pinger.Run")
	m.commandEnded(commandDone{e: m.commands[0], step: &script.Step{Code: script.ExitCommand, Err: "no"}})
	gave(t, m, m.commands[1])
	if m.shownEntry != m.commands[1] {
		t.Errorf("the row tells of %s", m.shownEntry.line)
	}
}

func TestACancelledCommandIsNoError(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.command("call @ponger.Status")
	if got := foot(t, m); !strings.Contains(got, "ctrl+x cancel") {
		t.Errorf("while a call runs the last row is %q", got)
	}
	e := m.commands[0]
	m.cancelEntry(e)
	m.commandEnded(commandDone{e: e, step: &script.Step{Code: script.ExitInterrupt, Err: "interrupted while @ponger.Status was running"}, took: 1200 * time.Millisecond})
	m.toast = toast{}
	got := screen(t, m)
	if m.errors != 0 || !strings.Contains(got, "○ call @ponger.Status  cancelled after 1.2s") || strings.Contains(foot(t, m), "cancel") {
		t.Errorf("%d errors\n%s", m.errors, got)
	}
	if press(t, m, "E"); strings.Contains(screen(t, m), "call @ponger.Status ✕") {
		t.Error("it is listed among the errors")
	}
}

func TestAFailureTellsWhyBeforeWhom(t *testing.T) {
	a := newAnswers()
	for r := range 64 {
		x := script.Answer{Rank: r, Outcome: control.OutcomeReply, Value: "4"}
		if r%3 == 0 {
			x = script.Answer{Rank: r, Outcome: control.OutcomeError, Err: "the disk is full: /var/lib/checkpoints"}
		}
		a.add(x)
	}
	groups, _, _ := a.list()
	if got, want := failuresLine(groups), "the disk is full: /var/lib/checkpoints  [0,3,6,9,12,15,1…] │ 42 → 4"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := reasonFirst("@t.Sleep: no answer from @t[0,2,4,6,8] within 40ms"), "no answer within 40ms from @t[0,2,4,6,8]"; got != want {
		t.Errorf("got %s", got)
	}
}
