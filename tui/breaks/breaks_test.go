package breaks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestTheTableTellsWhereActorsStop(t *testing.T) {
	for _, size := range [][2]int{{76, 14}, {38, 11}, {38, 5}, {24, 3}, {12, 1}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			b, p := worldtest.Stopped(t), New(worldtest.Keys)
			b.Screen(p, 5, true, size[0], size[1])
			p.Down(1)
			golden.RequireEqual(t, b.Screen(p, 5, true, size[0], size[1]))
		})
	}
	t.Run("each", func(t *testing.T) {
		b, p := worldtest.Stopped(t), New(worldtest.Keys)
		b.Break(control.Breakpoint{
			ID: 6, Mesh: "ponger", Endpoint: "Status", Site: control.SiteReply, If: "state.cuont > 1", Hit: "%10", Total: true, Once: true, Scope: control.ScopeMesh,
			Off: true, State: control.BreakOff, Errors: 10, LastError: "off after 10 errors: there is no field cuont", Why: "off after 10 errors: there is no field cuont",
		})
		var all strings.Builder
		for range 6 {
			all.WriteString(b.Screen(p, 5, false, 76, 15))
			p.Down(1)
		}
		golden.RequireEqual(t, all.String())
	})
	t.Run("none", func(t *testing.T) {
		golden.RequireEqual(t, worldtest.New(t).Screen(New(worldtest.Keys), 5, true, 50, 8))
	})
}

// TestTheCursorStaysOnItsBreakpoint holds INV-ROW.
func TestTheCursorStaysOnItsBreakpoint(t *testing.T) {
	b, p := worldtest.Stopped(t), New(worldtest.Keys)
	at := func() uint64 {
		x, _ := p.Selected(b.World)
		return x.ID
	}
	b.Screen(p, 5, true, 76, 14)
	p.End()
	p.Up(1)
	if at() != 4 {
		t.Fatalf("the cursor is on %d, want 4", at())
	}
	gone := func(id uint64) {
		b.Apply(&control.Event{Break: &control.BreakEvent{Break: control.Breakpoint{ID: id}, Gone: true}})
	}
	gone(1)
	gone(3)
	b.Break(control.Breakpoint{ID: 9, Mesh: "x"})
	if b.Screen(p, 5, true, 76, 14); at() != 4 {
		t.Errorf("after others came and went it is on %d, want 4", at())
	}
	gone(4)
	if b.Screen(p, 5, true, 76, 14); at() != 5 && at() != 2 {
		t.Errorf("after its own has gone it is on %d, want a neighbour", at())
	}
	was := at()
	p.GoNext()
	if b.Apply(); at() != was {
		t.Errorf("before the next one comes it is on %d", at())
	}
	b.Break(control.Breakpoint{ID: 12, Mesh: "x"})
	if at() != 12 {
		t.Errorf("it was told to go to the next one, 12, and is on %d", at())
	}
	for _, id := range []uint64{2, 5, 9, 12} {
		gone(id)
	}
	if _, ok := p.Selected(b.World); ok || p.Text() != "" {
		t.Error("it is on one, and there is none")
	}
}

func TestABreakpointIsTheCommandThatSetsIt(t *testing.T) {
	for want, b := range map[string]control.Breakpoint{
		`break @ponger.Pong`: {Mesh: "ponger", Endpoint: "Pong", Site: control.SiteRecv, Then: control.ThenPause, Scope: control.ScopeActor},
		`break panic`:        {Site: control.SitePanic},
		`break @p@panic`:     {Mesh: "p", Site: control.SitePanic},
		`break @p.D*`:        {Mesh: "p", Endpoint: "D*"},
		`tbreak @p[0,2].Do if n > 2 hit >=3 total`:      {Mesh: "p", Ranks: "0,2", Endpoint: "Do", If: "n > 2", Hit: ">=3", Total: true, Once: true},
		`tbreak @p.Do@reply stop mesh print "at \"n\""`: {Mesh: "p", Endpoint: "Do", Site: control.SiteReply, Once: true, Scope: control.ScopeMesh, Then: control.ThenPrint, Print: `at "n"`},
		`break @p.Do count`:                             {Mesh: "p", Endpoint: "Do", Then: control.ThenCount},
	} {
		if got := Line(&b); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if _, errs := script.ParseLine(want); len(errs) > 0 {
			t.Errorf("%s is no command: %v", want, errs)
		}
	}
}

func TestManyBreakpointsAndTextsOfAnyKindAreDrawnAtOnce(t *testing.T) {
	b, p := worldtest.New(t), New(worldtest.Keys)
	list, ranks, cond := make([]control.Breakpoint, 100_000), strings.Repeat("9,", 500), strings.Repeat("世", 900)
	for i := range list {
		list[i] = control.Breakpoint{ID: uint64(i + 1), Mesh: "m\x1b[31m\n", Ranks: ranks, If: cond, Why: "a\nb\x07"}
	}
	snap := b.Snapshot
	snap.Breaks = list
	b.World.Apply(control.Update{Snapshot: &snap})
	began := time.Now()
	for range 20 {
		b.Apply() // the world has changed
		text := b.Screen(p, 5, true, 60, 12)
		if strings.ContainsAny(text, "\x1b\x07") {
			t.Fatalf("what a terminal acts on is drawn: %q", text)
		}
		p.Down(1000)
	}
	if took := time.Since(began) / 20; took > 500*time.Millisecond {
		t.Errorf("a drawing of 100,000 breakpoints takes %v", took)
	}
}
