package calls

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func view() shape.Region {
	return shape.RegionOf(shape.Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}})
}

// story has a call of 64 of which some ranks have not answered, for each reason there is, and two others.
func story(t testing.TB) (*worldtest.Builder, *Pane) {
	b := worldtest.Trainers(t)
	p := New(worldtest.Keys)
	call := control.Call{ID: 41, Client: "main", Mesh: "ponger", View: view(), Endpoint: "Pong", Started: b.Now, Ranks: 64}
	for rank := range 64 {
		call.Waiting = append(call.Waiting, rank)
	}
	b.Call(call)
	p.Frame(b.World)
	b.Tick(30 * time.Millisecond)
	call.Waiting = []int{9, 10, 17, 25, 33, 40}
	b.Call(call)
	p.Frame(b.World)
	for _, rank := range []int{9, 10} {
		b.EditRank("ponger", rank, func(r *control.RankState) {
			r.State, r.Running, r.Calls, r.Since = "busy", []string{"Pong"}, []uint64{41}, b.Now
		})
	}
	b.EditProc("trainers", 10, func(p *control.Proc) { p.Held = true })
	b.EditRank("ponger", 17, func(r *control.RankState) {
		r.State, r.Running, r.Calls, r.Queue, r.Next = "busy", []string{"Pong"}, []uint64{39}, 4, []uint64{38, 7, 41, 2}
	})
	b.EditRank("ponger", 25, func(r *control.RankState) {
		r.State, r.Running, r.Calls, r.Queue, r.Next = "busy", []string{"Pong"}, []uint64{39}, 214, make([]uint64, 16)
	})
	b.EditProc("trainers", 40, func(p *control.Proc) {
		p.State, p.Reason = "killed", "worker 40 of procs trainers (pid 5041) was killed by SIGKILL"
	})
	one, err := view().Slice(shape.At("dp", 0), shape.At("tp", 3))
	if err != nil {
		t.Fatal(err)
	}
	b.Call(control.Call{ID: 42, Client: "@pinger[3]", Mesh: "loader", View: one, Endpoint: "Next", Adverb: control.AdverbCallOne, Started: b.Now.Add(time.Second), Ranks: 1, Waiting: []int{3}})
	some, err := view().Slice(shape.Span("dp", 1, 4), shape.At("tp", 1))
	if err != nil {
		t.Fatal(err)
	}
	b.Call(control.Call{ID: 43, Client: "tui ada@laptop", Mesh: "loader", View: some, Endpoint: "Refill", Adverb: control.AdverbStream, Started: b.Now.Add(2 * time.Second), Ranks: 3, Waiting: []int{9, 17}})
	b.Tick(12 * time.Second)
	return b, p
}

func screen(p *Pane, b *worldtest.Builder, w, h int) string { return b.Screen(p, 4, true, w, h) }

func TestAnOpenCallTellsWhoIsHowFar(t *testing.T) {
	for _, size := range [][2]int{{116, 14}, {76, 14}, {52, 14}, {30, 12}, {28, 4}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			b, p := story(t)
			screen(p, b, size[0], size[1])
			p.Enter()
			golden.RequireEqual(t, screen(p, b, size[0], size[1]))
		})
	}
}

func TestTheCursorStaysOnItsCall(t *testing.T) {
	b, p := story(t)
	screen(p, b, 76, 12)
	p.Down(1)
	if sel, ok := p.Selected(); !ok || sel.Call != 42 || sel.Client != "@pinger[3]" || sel.Mesh != "loader" || !slices.Equal(sel.Ranks, []int{3}) {
		t.Fatalf("the cursor is on %+v", sel)
	}
	b.Call(control.Call{ID: 7, Client: "main", Mesh: "ponger", Endpoint: "Old", Started: b.Now.Add(-time.Hour), Ranks: 1, Waiting: []int{1}})
	if sel, _ := p.Selected(); sel.Call != 42 {
		t.Errorf("an older call took the cursor: %+v", sel)
	}
	b.EndCall(42)
	if sel, _ := p.Selected(); sel.Call != 43 {
		t.Errorf("when its call ends the cursor is on %+v", sel)
	}
	b.EndCall(43)
	b.EndCall(41)
	b.EndCall(7)
	if _, ok := p.Selected(); ok || p.Enter() {
		t.Error("there is a cursor and no call")
	}
	if got := screen(p, b, 60, 6); !strings.Contains(got, "No call is open") || !strings.Contains(got, "x  calls an endpoint") {
		t.Error(got)
	}
}

func TestAPartIsSelectedByItsRanks(t *testing.T) {
	b, p := story(t)
	screen(p, b, 76, 12)
	p.Right()
	p.Down(2)
	if sel, _ := p.Selected(); sel.Call != 41 || !slices.Equal(sel.Ranks, []int{9}) {
		t.Errorf("the running part is %+v", sel)
	}
	if got := p.Text(); got != `call 41  main → ponger[*].Pong  call  58 of 64  open for 12.0s
  answered  58  0-8,11-16,18-24,26-32,34-39,41-63
  running  1  9  for 12.0s
  paused  1  10  for 12.0s
  queued  1  17  behind 2 messages
  not begun  1  25  214 messages in the mailbox
  not received  1  33
  lost  1  40  SIGKILL
` {
		t.Errorf("it is copied as\n%s", got)
	}
	p.Left()
	if sel, _ := p.Selected(); len(sel.Ranks) != 6 || len(p.rows) != 3 {
		t.Errorf("left does not close the call: %+v", sel)
	}
	p.Click(0, p.bodyY)
	if !p.open[41] {
		t.Error("a click on the sign of a call does not open it")
	}
}

// TestThePartsHoldEachRankOnce_INV_PARTS holds INV-PARTS.
func TestThePartsHoldEachRankOnce_INV_PARTS(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := worldtest.Trainers(t)
		waiting := rapid.SliceOfDistinct(rapid.IntRange(0, 63), rapid.ID[int]).Draw(rt, "waiting")
		for _, rank := range waiting {
			b.EditRank("ponger", rank, func(r *control.RankState) {
				r.State = rapid.SampledFrom([]string{"idle", "busy", "failed", "gone", ""}).Draw(rt, "state")
				r.Calls = rapid.SliceOfN(rapid.Uint64Range(0, 2), 0, 2).Draw(rt, "calls")
				r.Next = rapid.SliceOfN(rapid.Uint64Range(0, 2), 0, 3).Draw(rt, "next")
				r.Queue = rapid.IntRange(0, 5).Draw(rt, "queue")
			})
		}
		call := &control.Call{ID: 1, Mesh: "ponger", View: view(), Ranks: 64, Waiting: waiting}
		var all []int
		for _, part := range partsOf(b.World, call, lostOf(b.World, call)) {
			all = append(all, part.ranks...)
		}
		slices.Sort(all)
		if len(all) != 64 || len(slices.Compact(all)) != 64 {
			rt.Fatalf("the parts hold %v", all)
		}
	})
}

func TestAnythingDoneAtAnySizeKeepsTheCursorOnARow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, p := worldtest.Trainers(t), New(worldtest.Keys)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			n := rapid.IntRange(0, 20).Draw(rt, "n")
			actions := []func(){
				func() { p.Up(n) }, func() { p.Down(n) }, func() { p.Page(n - 10) }, p.Home, p.End, func() { p.Enter() }, p.Left, p.Right,
				func() { p.Click(n, n/2) }, func() { p.Wheel(n - 10) }, func() { p.Selected(); p.Text() }, func() { b.EndCall(uint64(n)) },
				func() {
					b.Call(control.Call{ID: uint64(n), Mesh: []string{"ponger", "none"}[n%2], View: view(), Ranks: n - 3, Waiting: []int{n, -1, 70}, Started: b.Now})
				},
			}
			actions[rapid.IntRange(0, len(actions)-1).Draw(rt, "action")]()
			w, h := rapid.IntRange(0, 130).Draw(rt, "w"), rapid.IntRange(0, 40).Draw(rt, "h")
			p.Frame(b.World)
			p.Draw(paint.New(w, h), b.World, n%2 == 0)
			if len(p.rows) > 0 && (p.win.Cursor < 0 || p.win.Cursor >= len(p.rows)) {
				rt.Fatalf("the cursor is on row %d of %d", p.win.Cursor, len(p.rows))
			}
		}
	})
}

func TestARankThatWasKilledBeforeItAnsweredIsLost(t *testing.T) {
	b := worldtest.Trainers(t)
	p := New(worldtest.Keys)
	call := control.Call{ID: 41, Client: "main", Mesh: "ponger", View: view(), Endpoint: "Pong", Started: b.Now, Ranks: 64, Waiting: []int{9}}
	b.Tick(time.Second)
	kill := func(rank int, cause string) {
		why := fmt.Sprintf("worker %d of procs trainers (pid %d) %s", rank, 5001+rank, cause)
		b.Proc("trainers", rank, "killed", why)
		b.EditRank("ponger", rank, func(r *control.RankState) { r.State, r.Reason, r.Since = "gone", why, b.Now })
	}
	// Whatever ends a rank takes it off the list of those that are waited for: only its answer tells that it had answered.
	for _, rank := range []int{3, 4, 5, 6} {
		kill(rank, "was killed by SIGKILL")
	}
	b.Message(control.Message{Call: 41, Kind: control.MessageReply, From: "@ponger[3]", To: "main", Outcome: control.OutcomeReply})
	b.Message(control.Message{Call: 41, Kind: control.MessageError, From: "@ponger[4]", To: "main", Outcome: control.OutcomeError, Error: "no"})
	b.Message(control.Message{Call: 41, Kind: control.MessageError, From: "@ponger[5]", To: "main", Outcome: control.OutcomeLost, Error: "lost"})
	b.Message(control.Message{Call: 40, Kind: control.MessageReply, From: "@ponger[6]", To: "main", Outcome: control.OutcomeReply})
	b.Call(call)
	got := screen(p, b, 116, 8)
	if !strings.Contains(got, "61 of 64") {
		t.Errorf("those that are lost are counted as answered:\n%s", got)
	}
	p.Frame(b.World)
	if got := p.Text(); !strings.Contains(got, "  lost  2  5-6  SIGKILL\n") || !strings.Contains(got, "  answered  61  0-4,7-8,10-63\n") {
		t.Error(got)
	}
	kill(8, "exited with code 3")
	if got := p.Text(); !strings.Contains(got, "  lost  3  5-6,8  SIGKILL, exit 3\n") {
		t.Error(got)
	}
	p.Right()
	if got := screen(p, b, 52, 8); !strings.Contains(got, "✕ lost") || !strings.Contains(got, "60 of 64") {
		t.Error(got)
	}
}

func TestWhereNoCallIsOpenNoWordIsCut(t *testing.T) {
	b := worldtest.Trainers(t)
	for w := 18; w <= 38; w++ {
		if got := screen(New(worldtest.Keys), b, w, 9); strings.Contains(got, "…") || !strings.Contains(got, "x  calls") {
			t.Error(got)
		}
	}
}

// TestACallOfMoreRanksThanItsMeshHasIsNotCounted shows what a hostile session may say: counting to 2⁵⁰ would never end.
func TestACallOfMoreRanksThanItsMeshHasIsNotCounted(t *testing.T) {
	b := worldtest.Pingpong(t)
	view := shape.RegionOf(shape.Extent{{Name: "dp", Size: 1 << 50}})
	call := control.Call{ID: 99, Client: "main", Mesh: "ponger", View: view, Endpoint: "Pong", Ranks: 64}
	if lost := lostOf(b.World, &call); lost != nil {
		t.Errorf("lost %v", lost)
	}
	if parts := partsOf(b.World, &call, nil); len(parts) != 0 {
		t.Errorf("parts %v", parts)
	}
	b.Call(call)
	if got := screen(New(worldtest.Keys), b, 80, 10); !strings.Contains(got, "ponger") {
		t.Error(got)
	}
}
