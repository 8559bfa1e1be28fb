package tui_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
	"github.com/monarch-tui/monarch-tui/tui/tuitest"
)

// another is an explorer on a new session of the same program, which keeps its breakpoints in dir.
func another(t *testing.T, dir, role string, change ...func(*tui.Config)) (*tuitest.App, *control.Client) {
	t.Helper()
	e := start(t)
	c := control.InProcess(e.Backend(), control.ClientInfo{Name: "other"})
	t.Cleanup(func() { _ = c.Close() })
	return session(t, 120, 40, append(change, func(cfg *tui.Config) {
		cfg.Own, cfg.Kept = false, kept.In(dir)
		cfg.Connect = func(context.Context) (*control.Client, error) {
			return control.InProcess(e.Backend(), control.ClientInfo{Name: "explorer", Role: role}), nil
		}
	})...), c
}

// breaksOf are the breakpoints of a session by their meshes.
func breaksOf(t *testing.T, c *control.Client) string {
	t.Helper()
	s, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, b := range s.Breaks {
		out = append(out, b.Mesh+" "+b.If)
	}
	return strings.Join(out, ", ")
}

func TestBreakpointsAreThereAgainInTheNextSessionOfTheirProgram(t *testing.T) {
	dir := t.TempDir()
	app, _ := another(t, dir, control.RoleControl)
	app.See("live").Press(":").Type("break @g[1].Add if note.By == 3").Press("enter").See("✓ break @g[1].Add")
	app.Press(":").Type("break @later").Press("enter").See("✓ break @later", "◌ 2")

	app, c := another(t, dir, control.RoleControl)
	app.See("2 breakpoints are kept from last time (5 goes there)", "◌ 1", "g.Add", "◌ 2", "not bound").Press("5").See("kept from last time; d forgets it")
	if got := breaksOf(t, c); got != "g note.By == 3, later " {
		t.Errorf("the session has %q", got)
	}
	app.Press(":").Type("procs p gpus=4 in-process").Press("enter").See("✓ procs p gpus=4")
	app.Press(":").Type("spawn @g on p Greeter {Name: ann}").Press("enter").See("● 1", "armed", "bound to 1 actor")

	for _, role := range []string{control.RoleViewer, control.RoleControl} { // who may only look sets none
		app, c = another(t, dir, role, func(cfg *tui.Config) { cfg.Settings.ForgetBreaks = role == control.RoleControl })
		if app.See("● ").Press(":").Type("breakpoints").Press("enter").See("No breakpoints"); breaksOf(t, c) != "" {
			t.Errorf("%s: the session has %q", role, breaksOf(t, c))
		}
	}

	app, _ = another(t, dir, control.RoleControl)
	app.See("2 breakpoints are kept").Press("5").See("not bound").Press("d").See("✓ delete 1").SeeNot("◌ 1")
	app, c = another(t, dir, control.RoleControl)
	if app.See("1 breakpoint is kept", "◌ 1"); breaksOf(t, c) != "later " {
		t.Errorf("after one was deleted the session has %q", breaksOf(t, c))
	}
	app.Press(":").Type("clear").Press("enter").See("✓ clear", "No breakpoints")
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
		b, _ := os.ReadFile(files[0])
		t.Errorf("all are cleared, and %v is there: %s", files, b)
	}
}

func TestKeptBreakpointsThatCannotBeUsedAreTold(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, filepath.Base(os.Args[0])+".json")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(`{"version": 7}`)
	app, _ := another(t, dir, control.RoleControl)
	app.See("it is of version 7")
	put(`{"version": 1, "breaks": [{"mesh": "a", "site": "nowhere"}, {"mesh": "b"}]}`)
	app, _ = another(t, dir, control.RoleControl)
	app.See("1 of 2 kept breakpoints cannot be set", "◌ 1", "b.*")
}
