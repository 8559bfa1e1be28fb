package tui_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

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
	app.Press("[", "[", "[", "[").See("‹State›")
	app.Press("s").See("✓ step @g[1]")
	app.See("stands    before Greet", "· step", "~ since last stop", "0 → 7").Press("c").SeeNot("◆ 1 paused")
}
