package tui

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestAWordOfTheDebuggerCountsOnceItIsSaidOrTheSessionShowsIt(t *testing.T) {
	said := func(line string, ok bool) func(*worldtest.Builder, *Model) {
		return func(_ *worldtest.Builder, m *Model) {
			m.command(line)
			e := m.lastEntry()
			e.done, e.ok = true, ok
		}
	}
	breaks := func(x control.Breakpoint) func(*worldtest.Builder, *Model) {
		return func(b *worldtest.Builder, _ *Model) {
			x.ID = 1
			b.Break(x)
		}
	}
	for _, tt := range []struct {
		name, goal string
		happens    func(*worldtest.Builder, *Model)
		want       bool
	}{
		{"said", "waits", said("waits", true), true},
		{"said by its other name", "list", said("l", true), true},
		{"said, and it failed", "where", said("where", false), false},
		{"another word", "waits", said("deadlocks", true), false},
		{"another expression", "print state.loss over @toy_actor", said("print state.x over @toy_actor", true), true},
		{"over another mesh", "print state.loss over @toy_actor", said("print state.loss over @other", true), false},
		{"over no mesh", "print state.loss over @toy_actor", said("print state.loss", true), false},
		{"a breakpoint, however it was set", "break @toy_actor.HelloWorld if msg == \"x\"", breaks(control.Breakpoint{Mesh: "toy_actor", Endpoint: "HelloWorld", Site: "recv", If: "true"}), true},
		{"one without a condition", "break @toy_actor.HelloWorld if msg == \"x\"", breaks(control.Breakpoint{Mesh: "toy_actor", Endpoint: "HelloWorld"}), false},
		{"one of another endpoint", "break @toy_actor.HelloWorld", breaks(control.Breakpoint{Mesh: "toy_actor", Endpoint: "Bye"}), false},
		{"one at another site", "break @toy_actor.HelloWorld", breaks(control.Breakpoint{Mesh: "toy_actor", Endpoint: "HelloWorld", Site: "reply"}), false},
		{"a step, by a key", "next", func(b *worldtest.Builder, _ *Model) {
			b.Stop(control.Stop{ID: 1, Mesh: "toy_actor", Reason: "step", By: "explorer"})
		}, true},
		{"a stop by itself", "next", func(b *worldtest.Builder, _ *Model) {
			b.Stop(control.Stop{ID: 1, Mesh: "toy_actor", Reason: "breakpoint 1"})
		}, false},
		{"a call", "call @toy_actor.HelloWorld", said("call @toy_actor.HelloWorld hi", true), false}, // its messages count
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tutorial(t)
			m := asked(t, b, tt.goal)
			looks(m)
			if m.story.task.done {
				t.Fatal("it is done before anything has happened")
			}
			tt.happens(b, m)
			looks(m)
			if got := m.story.task.done; got != tt.want {
				t.Errorf("done: %v, want %v", got, tt.want)
			}
		})
	}
}

// TestWhoeverHasToGoOnMustHaveStood: the screen may be behind the words, and must not take that for an end.
func TestWhoeverHasToGoOnMustHaveStood(t *testing.T) {
	b := tutorial(t)
	m := asked(t, b, "continue")
	looks(m)
	if m.story.task.done {
		t.Fatal("nobody has gone on")
	}
	b.Stop(control.Stop{ID: 1, Mesh: "toy_actor", Rank: 2, Site: control.SiteRecv})
	looks(m)
	if m.story.task.done {
		t.Fatal("somebody stands")
	}
	b.GoOn(1)
	looks(m)
	if !m.story.task.done {
		t.Error("nobody is stopped any more")
	}
}

// TestATaskOfWordsThatIsSkippedIsDoneByTheExplorer: once, and the second time it is really skipped.
func TestATaskOfWordsThatIsSkippedIsDoneByTheExplorer(t *testing.T) {
	b := tutorial(t)
	m := asked(t, b, "waits", "deadlocks")
	m.story.now.Await = "len(stops) == 1"
	press(t, m, ";")
	var lines []string
	for _, e := range m.commands {
		lines = append(lines, e.line)
		e.done, e.ok = true, true
	}
	if got := strings.Join(lines, "; "); got != "expect len(stops) == 1 within 5s; waits; deadlocks" {
		t.Errorf("it said %q", got)
	}
	if !m.story.waiting {
		t.Fatal("it has gone on already")
	}
	looks(m)
	if !m.story.task.done {
		t.Error("what it said does not count")
	}

	m = asked(t, b, "waits")
	press(t, m, ";")
	m.lastEntry().done = true // it failed
	looks(m)
	if m.story.task.done || !m.story.waiting {
		t.Fatal("it counts, and has failed")
	}
	said := len(m.commands)
	press(t, m, ";")
	if m.story.waiting || len(m.commands) != said {
		t.Errorf("the second time it waits: %v, and has said %d words", m.story.waiting, len(m.commands)-said)
	}
}

func TestOnlyWhatCanBeSaidIsAWord(t *testing.T) {
	for line, want := range map[string]bool{"print 1": true, "watch @m state.x": false, "call @m.E": false, "focus @m": false, "@a: call @m.E": false, "! one @m.E": false, "nonsense": false} {
		if got := IsWord(line); got != want {
			t.Errorf("IsWord(%q) is %v", line, got)
		}
	}
}
