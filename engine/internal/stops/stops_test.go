package stops

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func stopped(b *Book, proc, number, gen uint64) control.Stop {
	st, _ := b.Stopped(Frame{proc, number}, control.Stop{Proc: proc, Gen: gen, Mesh: "toy", Site: "recv"})
	return st
}

// TestOfTwoClientsOneLetsAStopGoOn holds INV-RACE.
func TestOfTwoClientsOneLetsAStopGoOn(t *testing.T) {
	b := New()
	st := stopped(b, 3, 1, 1)
	ref := control.StopRef{ID: st.ID, Gen: st.Gen}
	if _, _, err := b.Reserve(ref, "ada"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Reserve(ref, "bob"); err == nil || err.Error() != "ada is letting stop 1 go on already" {
		t.Errorf("the second: %v", err)
	}
	b.Settle(st, "", "ada") // its process refused
	if _, _, err := b.Reserve(ref, "bob"); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
	if !b.Settle(st, "step", "bob") || b.Len() != 0 {
		t.Error("it is still there")
	}
	if _, _, err := b.Reserve(ref, "ada"); err == nil || err.Error() != "stop 1 is over: bob let it go on (step)" {
		t.Errorf("too late: %v", err)
	}
}

// TestTheTableHoldsWhatStandsNow holds INV-FRESH.
func TestTheTableHoldsWhatStandsNow(t *testing.T) {
	b := New()
	first := stopped(b, 3, 1, 1)
	if _, _, err := b.Reserve(control.StopRef{ID: first.ID}, "ada"); err != nil {
		t.Fatal(err)
	}
	again := stopped(b, 3, 1, 2) // the next stop of the frame is told before the answer about the first comes
	if again.ID != first.ID {
		t.Errorf("the frame was stop %d and is %d", first.ID, again.ID)
	}
	if b.Settle(first, "step", "ada") || b.Len() != 1 {
		t.Error("the answer about the first took the second off")
	}
	if _, _, err := b.Find(control.StopRef{ID: 1, Gen: 1}); err == nil || !strings.Contains(err.Error(), "stopped again at recv") {
		t.Errorf("an earlier generation: %v", err)
	}
	if _, ok := b.Ended(Frame{3, 1}, 1, "late"); ok {
		t.Error("a late word about the first took the second off")
	}
	if st, ok := b.Ended(Frame{3, 1}, 2, "killed"); !ok || st.Gen != 2 || b.Len() != 0 {
		t.Errorf("%+v, %v", st, ok)
	}
	if _, ok := b.Ended(Frame{3, 1}, 2, "killed"); ok {
		t.Error("it ended twice")
	}
	stopped(b, 4, 1, 1)
	if gone := b.Drop(func(st *control.Stop) bool { return st.Proc == 4 }, "lost"); len(gone) != 1 || b.Len() != 0 {
		t.Errorf("dropped %v", gone)
	}
	for _, id := range []uint64{0, 9} {
		if _, _, err := b.Find(control.StopRef{ID: id}); err == nil || !strings.Contains(err.Error(), "nobody is stopped") {
			t.Errorf("stop %d: %v", id, err)
		}
	}
}

func TestHitsOverAllRanksAreCountedHere(t *testing.T) {
	b := New()
	spec := control.Breakpoint{Mesh: "toy", Total: true, Hit: ">=3"}
	if err := Check(&spec); err != nil {
		t.Fatal(err)
	}
	set, err := b.Set(spec, "ada")
	if err != nil {
		t.Fatal(err)
	}
	var went []bool
	for i := range uint64(4) {
		_, goOn := b.Stopped(Frame{i, 1}, control.Stop{Gen: 1, Break: set.ID})
		went = append(went, goOn)
	}
	if p, _ := b.Break(set.ID); !went[0] || !went[1] || went[2] || went[3] || p.Hits != 2 || p.Skipped != 2 {
		t.Errorf("%v, %+v", went, p)
	}
	if _, err := b.Remove(set.ID); err != nil {
		t.Fatal(err)
	}
	if _, goOn := b.Stopped(Frame{9, 1}, control.Stop{Gen: 1, Break: set.ID}); !goOn {
		t.Error("a breakpoint that is gone stopped somebody")
	}
}

func TestABreakpointThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []struct {
		b    control.Breakpoint
		want string
	}{
		{control.Breakpoint{Site: "receive"}, `site "receive": want recv, send, result, reply, error, panic, break`},
		{control.Breakpoint{Then: "stop"}, `action "stop": want pause, print, count`},
		{control.Breakpoint{Scope: "world"}, `scope "world": want actor, rank, mesh`},
		{control.Breakpoint{Hit: "often"}, `hit "often": want a number from 1, or >=N, >N, %N`},
		{control.Breakpoint{Hit: "0"}, `hit "0": want`},
		{control.Breakpoint{Hit: "%0"}, `want a number from 1`},
		{control.Breakpoint{Ranks: "gpus="}, `ranks "gpus="`},
		{control.Breakpoint{Once: true, Then: "print"}, "once, are for breakpoints that pause"},
		{control.Breakpoint{Limit: -1}, "want numbers from 1"},
		{control.Breakpoint{If: strings.Repeat("x", maxText+1)}, "over the limit"},
	} {
		if err := Check(&c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.b, err, c.want)
		}
	}
	b := New()
	for range MaxBreaks {
		if _, err := b.Set(control.Breakpoint{}, "ada"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Set(control.Breakpoint{}, "ada"); err == nil || !strings.Contains(err.Error(), "there are 1000 breakpoints already") {
		t.Errorf("one more: %v", err)
	}
	if _, err := b.Set(control.Breakpoint{ID: 7777}, "ada"); err == nil || !strings.Contains(err.Error(), "there is no breakpoint 7777: there are 1000, from 1 to 1000") {
		t.Errorf("changing one that is not there: %v", err)
	}
}
