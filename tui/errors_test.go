package tui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// TestTheErrorsAreListedTheNewestFirst mixes what a person did and what the session tells.
func TestTheErrorsAreListedTheNewestFirst(t *testing.T) {
	now := worldtest.Start()
	b := worldtest.Pingpong(t)
	for i, what := range []string{"second thing", "fourth thing"} {
		b.Failure(control.Failure{Time: now.Add(time.Duration(2*i+2) * time.Minute), What: what})
	}
	m := still(t, b, 120, 40, func(c *Config) { c.Now = func() time.Time { return now } })
	for _, minute := range []int{1, 3, 5} {
		now = worldtest.Start().Add(time.Duration(minute) * time.Minute)
		m.failed(m.logCommand([]string{"first", "third", "fifth"}[minute/2]+" thing"), "no")
	}
	press(t, m, "E")
	got, from := screen(t, m), 0
	got = got[strings.Index(got, "Errors"):]
	for _, name := range []string{"fifth", "fourth", "third", "second", "first"} {
		at := strings.Index(got, name+" thing")
		if at < from {
			t.Fatalf("%s stands too high, or not at all:\n%s", name, got)
		}
		from = at
	}
}

// TestASessionThatCannotBeHadIsAnErrorThatStays looks at it on the status line, after any toast would be gone, and among the errors.
func TestASessionThatCannotBeHadIsAnErrorThatStays(t *testing.T) {
	now := worldtest.Start()
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Now = func() time.Time { return now } })
	m.command("attach nobody")
	m.connectedNow(connected{m.dialing.gen, nil, errors.New("attach nobody: no running session has this name")})
	const want = "attach nobody"
	for _, later := range []time.Duration{0, time.Minute} {
		now = now.Add(later)
		if got := screen(t, m); !strings.Contains(got, "✕ "+want+"  no running session has this name") || strings.Count(got, "nobody") != 1 || !strings.Contains(got, "1 error") {
			t.Errorf("after %v:\n%s", later, got)
		}
	}
	if got := screen(t, press(t, m, "E")); !strings.Contains(got, want+" ✕ no running session has this name") {
		t.Error(got)
	}
	if len(m.commands) != 1 {
		t.Errorf("%d commands", len(m.commands))
	}
	m.connect(dialer{name: "first"}) // no command has asked for it
	m.connectedNow(connected{m.dialing.gen, nil, errors.New("refused")})
	if got := screen(t, press(t, m, "esc", "E")); len(m.commands) != 1 || !strings.Contains(got, "first: refused") {
		t.Errorf("%d commands\n%s", len(m.commands), got)
	}
}

// TestEnterOnAFailureGoesToTheDead kills a process that is not the first of its mesh.
func TestEnterOnAFailureGoesToTheDead(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "gpus", Size: 4}}, worldtest.Opts{})
	b.EditProc("p", 1, func(p *control.Proc) { p.State, p.Reason, p.PID = "killed", "signal: killed", 4712 })
	b.EditProcs("p", func(pm *control.ProcMesh) { pm.State, pm.Reason = "failed", "SIGKILL: worker 1 of procs p" })
	m := still(t, b, 120, 40)
	press(t, m, "W")
	typeText(m, "procs p failed")
	press(t, m, "enter", "esc")
	if rank := m.panes.grid.Cursor(); rank != 1 || !slices.Equal(m.panes.grid.Selected(), []int{1}) {
		t.Errorf("the cursor is on %d, selected is %v\n%s", rank, m.panes.grid.Selected(), screen(t, m))
	}
}
