package tui_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
	"github.com/monarch-tui/monarch-tui/tui/tuitest"
)

// debugging is a session with four greeters, a second front end of it, and an explorer that looks at rank 1.
// later lets the time pass in which the keys of a stop that has just come do nothing.
func debugging(t *testing.T, w, h int) (app *tuitest.App, other *control.Client, later func()) {
	t.Helper()
	var ahead atomic.Int64
	e := start(t)
	other = control.InProcess(e.Backend(), control.ClientInfo{Name: "other"})
	t.Cleanup(func() { _ = other.Close() })
	app = greeters(t, w, h, func(c *tui.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		c.Connect = func(context.Context) (*control.Client, error) {
			return control.InProcess(e.Backend(), control.ClientInfo{Name: "explorer"}), nil
		}
	})
	app.Press("2", "l").See("rank 1 ")
	return app, other, func() { ahead.Add(int64(time.Second)) }
}

// TestAnActorIsStoppedLookedAtAndLetGo walks the debugger on a real engine: one rank stops, the others answer.
func TestAnActorIsStoppedLookedAtAndLetGo(t *testing.T) {
	app, _, later := debugging(t, 120, 40)
	app.Press("b").See("New breakpoint", "break @g[1].Add").Type("note.By == 3").Press("enter")
	app.See("✓ break @g[1].Add if note.By == 3", "breakpoint 1 at @g[1].Add, on 1 actor", "‹Breakpoints›")
	app.Press(":").Type("call @g.Add {By: 3}").Press("enter")
	app.See("◆ 1 paused", "3 running", "g[1] before Add", "paused at bp 1", "clock held", "[1◆]")
	later()
	app.Press("c").See("✓ continue @g[1]", "↩ 3").SeeNot("◆ 1 paused")
	app.Press("c").See("nobody is paused")

	app.Press("P").See("✓ pause @g[1]")
	app.Press(":").Type("call @g.Greet bob").Press("enter").See("◆ 1 paused", "g[1] before Greet")
	later()
	app.ClickOn("continue all").See("✓ continue  ").SeeNot("◆ 1 paused")

	app.Press("5").See("┏[5] Logs ‹Breakpoints›").Press("space").See("✓ disable 1", "○ 1").Press("space").See("✓ enable 1", "● 1")
	app.Press("D").See("✓ disable 1", "○ 1").Press("D").See("✓ enable 1", "● 1")
	app.Press("d").See("✓ delete 1", "No breakpoints").Press("u").See("✓ break @g[1].Add if note.By == 3", "● 2")
	app.Press("e").See("Breakpoint 2", "change it")
}

// TestAConditionThatIsWrongIsToldAtItsPlace lets the session judge a condition: the form stays, with what is wrong.
func TestAConditionThatIsWrongIsToldAtItsPlace(t *testing.T) {
	app, other, _ := debugging(t, 120, 40)
	app.Press("b").See("New breakpoint").Press("shift+tab", "shift+tab", "shift+tab", "ctrl+u").Type("g.Greet").Press("tab", "tab", "tab").Type("who == ").Press("enter").See("✕", "^", "New breakpoint")
	app.Press("ctrl+u").Type(`who == "bob"`).SeeNot("✕ if").Press("enter").See(`✓ break @g[1].Greet if who == "bob"`).SeeNot("New breakpoint")
	if b, err := other.Snapshot(t.Context()); err != nil || len(b.Breaks) != 1 || b.Breaks[0].If != `who == "bob"` {
		t.Errorf("the session has %+v, %v", b, err)
	}
}

// TestTwoFrontEndsSeeTheSameStops has another front end set a breakpoint, and let one of two stops go.
func TestTwoFrontEndsSeeTheSameStops(t *testing.T) {
	app, other, later := debugging(t, 120, 40)
	if _, err := other.Breaks(t.Context(), control.BreaksReq{Set: &control.Breakpoint{Mesh: "g", Endpoint: "Greet", Ranks: "0,2"}}); err != nil {
		t.Fatal(err)
	}
	app.See("‹Breakpoints›", "g.Greet").Press(":").Type("call @g.Greet bob").Press("enter").See("◆ 2 paused", "g[0,2] · the others go on")
	app.Press("s").See("@g[1] is not paused; n goes to one that is")
	app.Press("n").See("rank 2 ").Press("n").See("rank 0 ").Press("N").See("rank 2 ")
	snap, err := other.Snapshot(t.Context())
	if err != nil || len(snap.Stops) != 2 {
		t.Fatal(snap, err)
	}
	for _, st := range snap.Stops {
		if st.Rank == 2 {
			if _, err := other.Resume(t.Context(), control.ResumeReq{Stops: []control.StopRef{{ID: st.ID, Gen: st.Gen}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	later()
	app.See("◆ 1 paused").Press("C").See("✓ continue").SeeNot("◆ 1 paused")
}

// TestAStoppedFrameIsLookedAtAndChanged reads and changes what stands on a real engine: arguments, state, what waits.
func TestAStoppedFrameIsLookedAtAndChanged(t *testing.T) {
	app, other, later := debugging(t, 120, 40)
	if _, err := other.Breaks(t.Context(), control.BreaksReq{Set: &control.Breakpoint{Mesh: "g", Endpoint: "Add", Ranks: "1"}}); err != nil {
		t.Fatal(err)
	}
	app.See("‹Breakpoints›").Press(":").Type("broadcast @g.Add {By: 1}").Press("enter").See("◆ 1 paused")
	app.Press(":").Type("broadcast @g.Greet ann").Press("enter").See("✓ broadcast @g.Greet")
	app.Press(":").Type("broadcast @g.Add {By: 5}").Press("enter").See("✓ broadcast @g.Add {By: 5}")
	later()
	app.Press("3", "+", "+").See("▾ Greeter", `"ann"`)
	app.Press("]").See("‹Frame›", "▾ note", "By", "Who waits")
	app.Press("i").See("What g[1] gets in Add", "note.By").Press("tab", "backspace").Type("x").Press("enter").See("✕")
	app.Press("backspace").Type("7").Press("enter").See("✓ on @g[1] set args.note.By 7", "1 → 7").SeeNot("What g[1] gets").See("By    1 → 7", "something of it was changed by hand")
	app.Press("]").See("‹Stack›", "goroutine", "invoke")
	app.Press("]").See("‹Mailbox›", "Waiting", `Greet("ann")`).Press("g", "X").See("the cursor is on no message")
	app.Press("G", "X").See("discard Add?").Press("y").See("✓ discard").SeeNot("By: 5")
	app.Press("]").See("‹Env›", "PATH=")
	app.Press("[", "[", "[", "[").See("‹State›", "▾ Greeter")
	app.Press("s").See("✓ step @g[1]")
	app.See("stands    before Greet", "· step", "~ since last stop", "0 → 7").Press("c").SeeNot("◆ 1 paused")
}

// TestWhoIsAttachedIsLookedAt has the keys and the words of the debugger speak of the same actor.
func TestWhoIsAttachedIsLookedAt(t *testing.T) {
	app, _, later := debugging(t, 120, 40)
	app.Press(":").Type("break @g.Greet").Press("enter").See("✓ break @g.Greet")
	app.Press(":").Type("call @g.Greet bob &c").Press("enter").See("◆ 4 paused", "g[1] before Greet")
	app.Press(":").Type("attach g 3").Press("enter").See("attached to debug session for g 3").Press("esc").See("g[3] before Greet", "rank 3 ")
	later()
	app.Press("c").See("✓ continue @g[3]")
}

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
