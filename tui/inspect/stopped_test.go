package inspect

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// halted is the inspector on a rank that a breakpoint has stopped.
func halted(t testing.TB) (*Pane, *worldtest.Builder) {
	t.Helper()
	b := worldtest.Stopped(t)
	m, _ := b.World.Mesh("ponger")
	p := New(worldtest.Keys)
	p.ShowActor(m.Ref.ID, 9)
	return p, b
}

// answerLooks answers what the pane asks of a stop, and counts what it asked.
func answerLooks(p *Pane, b *worldtest.Builder, of func(ask Look) Seen) map[string]int {
	n := map[string]int{}
	for range 50 {
		ask, ok := p.WantLook(b.World)
		if !ok {
			break
		}
		n[ask.What]++
		p.SetLook(b.World, ask, of(ask))
	}
	return n
}

func ballFrame(n string) control.FrameView {
	return control.FrameView{Args: []control.StateNode{{Name: "ball", Path: "args.ball", Kind: "struct", Text: "{…}", Len: 2, Nodes: []control.StateNode{
		{Name: "n", Path: "args.ball.n", Kind: "int", Text: n}, {Name: "tag", Path: "args.ball.tag", Kind: "string", Text: `"warm"`},
	}}}, Stack: "goroutine 7 [running]:\nmain.f()\n\t/src/f.go:3\n", Chain: []control.Waiting{{Actor: "@pinger[9]", Msg: 12}}}
}

func frames(Look) Seen { return Seen{Frame: ballFrame("3")} }

// again has the frame stop once more, by a step.
func again(b *worldtest.Builder, gen uint64) {
	st, _ := b.StopAt("ponger", 9)
	st.Gen, st.Break, st.Reason = gen, 0, "step"
	b.Stop(st)
}

func TestTheTabsOfAStopAreThereWhileItStands(t *testing.T) {
	p, b := halted(t)
	tabs := func() string {
		f := p.Frame(b.World)
		return strings.Join(f.Tabs, " ") + ": " + f.Tabs[f.Tab]
	}
	if got := tabs(); got != "State Frame Stack Mailbox Env Calls: State" {
		t.Errorf("a stopped actor has %s", got)
	}
	p.NextTab(1)
	p.NextTab(1)
	if got := tabs(); got != "State Frame Stack Mailbox Env Calls: Stack" {
		t.Errorf("two further it is %s", got)
	}
	b.GoOn(7)
	if got := tabs(); got != "State Mailbox Calls: State" {
		t.Errorf("after it went on it has %s", got)
	}
	p.NextTab(-1)
	p.NextTab(1)
	p.NextTab(2)
	if got := tabs(); got != "State Mailbox Calls: Calls" {
		t.Errorf("the tabs turn to %s", got)
	}
	p.SetTab(tabStack)
	b.Stop(control.Stop{ID: 30, Gen: 1, Mesh: "ponger", Rank: 9, Site: control.SiteRecv, Endpoint: "Pong"})
	if got := tabs(); !strings.HasSuffix(got, ": Stack") {
		t.Errorf("when it stops again it is %s: the tab that was open before is open again", got)
	}
}

func TestWhatIsAskedOfAStopIsAskedOnceUntilItStopsAgain(t *testing.T) {
	p, b := halted(t)
	p.SetTab(tabFrame)
	if n := answerLooks(p, b, frames); n[control.ProbeFrame] != 1 || len(n) != 1 {
		t.Fatalf("it asked for %v", n)
	}
	b.Tick(time.Minute)
	if n := answerLooks(p, b, frames); len(n) != 0 {
		t.Errorf("of the same stop it asks again: %v", n)
	}
	again(b, 2)
	if n := answerLooks(p, b, func(Look) Seen { return Seen{Frame: ballFrame("4")} }); n[control.ProbeFrame] != 1 {
		t.Errorf("of the next stop it asked for %v", n)
	}
	worldtest.Has(t, screen(p, b, 60, 20), "n    3 → 4")
	p.LookAgain()
	if n := answerLooks(p, b, frames); n[control.ProbeFrame] != 1 {
		t.Errorf("after a change by hand it asked for %v", n)
	}
	again(b, 3)
	failed := func(Look) Seen { return Seen{Err: errors.New("the worker is gone\nfor good")} }
	if ask, ok := p.WantLook(b.World); ok {
		p.SetLook(b.World, ask, failed(ask))
	}
	worldtest.Has(t, screen(p, b, 60, 20), "could not be read: the worker is gone for good")
	if _, ok := p.WantLook(b.World); ok {
		t.Error("it asks at once again for what could not be told")
	}
	b.Tick(tryAgain)
	if _, ok := p.WantLook(b.World); !ok {
		t.Error("it never asks again")
	}
}

func TestAnAnswerOfAnotherStopIsThrownAway(t *testing.T) {
	p, b := halted(t)
	p.SetTab(tabFrame)
	ask, _ := p.WantLook(b.World)
	m, _ := b.World.Mesh("ponger")
	p.ShowActor(m.Ref.ID, 17)
	p.SetLook(b.World, ask, frames(ask))
	if strings.Contains(screen(p, b, 60, 20), "ball") {
		t.Error("rank 17 shows the frame of rank 9")
	}
	b.GoOn(8)
	b.Stop(control.Stop{ID: 31, Gen: 1, Mesh: "ponger", Rank: 17, Site: control.SiteRecv, Endpoint: "Pong"})
	ask.Rank = 17
	screen(p, b, 60, 20) // it knows of stop 31
	p.SetLook(b.World, ask, frames(ask))
	if strings.Contains(screen(p, b, 60, 20), "ball") {
		t.Error("stop 31 shows the frame of stop 7")
	}
}

// TestMarksAreSinceTheLastStop reads the state again at one stop, as it is when the actor's counts come late: what changed
// since the stop before stays marked.
func TestMarksAreSinceTheLastStop(t *testing.T) {
	p, b := halted(t)
	answer(t, p, b, ponger(1181))
	again(b, 2)
	answer(t, p, b, ponger(1182))
	worldtest.Has(t, screen(p, b, 60, 30), "1181 → 1182")
	b.EditRank("ponger", 9, func(r *control.RankState) { r.Handled++ })
	b.Tick(time.Second)
	answer(t, p, b, ponger(1182))
	worldtest.Has(t, screen(p, b, 60, 30), "1181 → 1182")
	worldtest.Has(t, screen(p, b, 60, 30), "~ since last stop")
	again(b, 3)
	answer(t, p, b, ponger(1182))
	if strings.Contains(screen(p, b, 60, 30), "→ 1182") {
		t.Error("what has not changed since the stop before is marked")
	}
}

func TestAWatchedValueIsReadAtEveryStop(t *testing.T) {
	p, b := halted(t)
	answer(t, p, b, ponger(1181))
	if text, ok := p.Watch(); ok {
		t.Errorf("nothing is under the cursor, and it says %q", text)
	}
	at(t, p, b, "state count")
	if text, ok := p.Watch(); !ok || text != "watched at every stop: state.count" {
		t.Errorf("it says %q", text)
	}
	value := "1181"
	eval := func(ask Look) Seen {
		if ask.What == control.ProbeEval && ask.Expr != "state.count" {
			t.Errorf("it asks for %q", ask.Expr)
		}
		return Seen{Frame: ballFrame("3"), Value: control.Value{Text: value}}
	}
	if n := answerLooks(p, b, eval); n[control.ProbeEval] != 1 {
		t.Fatalf("it asked for %v", n)
	}
	value = "1182"
	again(b, 2)
	if n := answerLooks(p, b, eval); n[control.ProbeEval] != 1 {
		t.Fatalf("at the next stop it asked for %v", n)
	}
	worldtest.Has(t, screen(p, b, 60, 30), "state.count  1181 → 1182")
	b.GoOn(7)
	worldtest.Has(t, screen(p, b, 60, 30), "state.count  1182  at the last stop")
	m, _ := b.World.Mesh("ponger")
	p.ShowActor(m.Ref.ID, 3)
	worldtest.Has(t, screen(p, b, 60, 30), "state.count  read at the next stop")
	p.ShowActor(m.Ref.ID, 9)
	at(t, p, b, "watch state.count")
	if text, ok := p.Watch(); !ok || text != "not watched any more: state.count" {
		t.Errorf("it says %q", text)
	}
	if strings.Contains(screen(p, b, 60, 30), "Watched") {
		t.Error("it is still there")
	}
	for i := range maxWatched + 5 {
		p.watch = append(p.watch[:min(i, maxWatched)], watched{mesh: p.thing.id, expr: fmt.Sprint(i)})
	}
	at(t, p, b, "state count")
	if text, ok := p.Watch(); ok {
		t.Errorf("more than %d are watched: %q", maxWatched, text)
	}
}

func TestPathsOfTreesAreExpressions(t *testing.T) {
	for path, want := range map[string]string{
		"count": "state.count", "opts.lr": "state.opts.lr", "[3]": "state[3]", "args.ball.n": "ball.n", "result": "result", "result.x": "result.x", "state.count": "state.count", "": "",
	} {
		if got := exprOf(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestTwoRanksAreShownBesideEachOther(t *testing.T) {
	p, b := halted(t)
	m, _ := b.World.Mesh("ponger")
	if text, ok := p.Beside(b.World); ok || text != "its state is not known" {
		t.Errorf("before it was read it says %q", text)
	}
	answer(t, p, b, ponger(1181))
	if text, ok := p.Beside(b.World); !ok || text != "other ranks are shown beside ponger[9] now" {
		t.Errorf("it says %q", text)
	}
	worldtest.Has(t, screen(p, b, 60, 40), "This is the one that the others are shown beside")
	p.ShowActor(m.Ref.ID, 17)
	answer(t, p, b, ponger(1179))
	b.Tick(9 * time.Second)
	got := screen(p, b, 60, 40)
	worldtest.Has(t, got, "count")
	worldtest.Has(t, got, "1179 │ 1181")
	worldtest.Has(t, got, "ponger[9] as of 9.0s ago")
	p.ShowActor(m.Ref.ID, 25)
	answer(t, p, b, ponger(1181))
	if got := screen(p, b, 60, 40); !strings.Contains(got, "What was read is the same") && !strings.Contains(got, "All of it is the same") {
		t.Errorf("of one that is the same it says\n%s", got)
	}
	p.ShowActor(m.Ref.ID, 9)
	if text, ok := p.Beside(b.World); !ok || text != "not compared any more" || strings.Contains(screen(p, b, 60, 40), "Beside") {
		t.Errorf("it says %q", text)
	}
}

func TestTheMailboxListsWhatWaits(t *testing.T) {
	p, b := halted(t)
	p.SetTab(tabMailbox)
	waits := control.Mailbox{Total: 4, Messages: []control.Queued{{Msg: 11, Endpoint: "Pong", Arg: "{n: 4}", Sender: "@pinger[1]"}, {Msg: 12, Endpoint: "Status", Sender: "main", Edited: true}}}
	n := answerLooks(p, b, func(Look) Seen { return Seen{Mailbox: waits} })
	if n[control.ProbeMailbox] != 1 {
		t.Fatalf("it asked for %v", n)
	}
	golden.RequireEqual(t, screen(p, b, 60, 16))
	if q, ok := p.Queued(); ok {
		t.Errorf("the cursor is on message %d, and was not moved there", q.Msg)
	}
	at(t, p, b, "queued 12")
	if q, ok := p.Queued(); !ok || q.Msg != 12 {
		t.Errorf("the cursor is on %+v", q)
	}
	b.EditRank("ponger", 9, func(r *control.RankState) { r.Queue = 3 })
	if _, ok := p.WantLook(b.World); ok {
		t.Error("it asks for each change at once")
	}
	b.Tick(readAgain)
	waits.Total, waits.Messages = 3, waits.Messages[:1]
	if n := answerLooks(p, b, func(Look) Seen { return Seen{Mailbox: waits} }); n[control.ProbeMailbox] != 1 {
		t.Errorf("after a change it asked for %v", n)
	}
	screen(p, b, 60, 16)
	if q, ok := p.Queued(); ok && q.Msg == 12 {
		t.Error("the cursor is on a message that has gone")
	}
	b.EditRank("ponger", 9, func(r *control.RankState) { r.Queue = 0 })
	b.Tick(time.Second)
	if _, ok := p.WantLook(b.World); ok {
		t.Error("it asks for an empty mailbox")
	}
	worldtest.Has(t, screen(p, b, 60, 16), "The mailbox is empty")
}

func TestWhatWorkersSayOfAStopIsDrawnWithoutWhatATerminalActsOn(t *testing.T) {
	p, b := halted(t)
	bad := "x\x1b[31m\r\n\x07" + strings.Repeat("世", 4000)
	st, _ := b.StopAt("ponger", 9)
	st.Arg, st.Sender, st.Reason, st.Endpoint, st.File = bad, bad, bad, bad, bad
	b.Stop(st)
	v := ballFrame(bad)
	v.Stack, v.Error, v.Chain = strings.Repeat(bad+"\n", 500), bad, []control.Waiting{{Actor: bad}}
	for tab := range tabEnv + 1 {
		p.SetTab(tab)
		answerLooks(p, b, func(Look) Seen {
			return Seen{Frame: v, Env: []string{bad, "A=" + bad}, Mailbox: control.Mailbox{Total: -1, Messages: []control.Queued{{Msg: 1, Endpoint: bad, Arg: bad, Sender: bad}}}}
		})
		for _, size := range [][2]int{{34, 24}, {90, 40}, {8, 3}} {
			if got := screen(p, b, size[0], size[1]); strings.ContainsAny(got, "\x1b\x07\r") {
				t.Errorf("tab %d draws %q", tab, got)
			}
		}
	}
}
