package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// book has a cut between p[0-1] and p[2-3], a pause of p[1] and a delay of @m[0-1], whose ranks are in the processes 10 to 13.
func book() *Book {
	b := &Book{}
	now := time.Unix(100, 0)
	b.Enter(control.Fault{Kind: control.FaultPartition, Procs: "p", To: "p", Ranks: []int{0, 1}, ToRanks: []int{2, 3}}, Aim{Procs: []uint64{10, 11}, To: []uint64{12, 13}}, now)
	b.Enter(control.Fault{Kind: control.FaultPause, Procs: "p", Ranks: []int{1}, For: time.Minute}, Aim{Procs: []uint64{11}}, now)
	b.Enter(control.Fault{Kind: control.FaultDelay, Mesh: "m", Of: 5, Ranks: []int{0, 1}, Delay: 1}, Aim{Procs: []uint64{10, 11}}, now)
	return b
}

// texts are the faults as commands.
func (b *Book) texts() (out []string) {
	for _, f := range b.Faults() {
		out = append(out, f.String())
	}
	return out
}

func told(changes []Change) (out []string) {
	for _, c := range changes {
		text := fmt.Sprintf("%d %s", c.ID, c.String())
		if c.Gone {
			text = fmt.Sprintf("%d gone: %s", c.ID, c.Why)
		}
		out = append(out, text)
	}
	return out
}

func same(t *testing.T, what string, have []string, want ...string) {
	t.Helper()
	if !slices.Equal(have, want) {
		t.Errorf("%s:\nhave %q\nwant %q", what, have, want)
	}
}

func TestHealingTakesOutWhatIsNamed(t *testing.T) {
	heal := func(r control.HealReq) (changes, left []string) {
		b := book()
		c, err := b.Heal(r, "healed by ada")
		if err != nil {
			t.Errorf("%+v: %v", r, err)
		}
		return told(c), b.texts()
	}
	changes, left := heal(control.HealReq{All: true})
	same(t, "all", changes, "1 gone: healed by ada", "2 gone: healed by ada", "3 gone: healed by ada")
	same(t, "all", left)
	changes, left = heal(control.HealReq{IDs: []uint64{2}})
	same(t, "by number", changes, "2 gone: healed by ada")
	same(t, "by number", left, "partition p[0-1] p[2-3]", "delay @m[0-1] 1ns")
	changes, left = heal(control.HealReq{Procs: "p", Ranks: []int{1}})
	same(t, "a rank", changes, "1 partition p[0] p[2-3]", "2 gone: healed by ada")
	same(t, "a rank", left, "partition p[0] p[2-3]", "delay @m[0-1] 1ns")
	changes, left = heal(control.HealReq{Procs: "p", Ranks: []int{2, 3}})
	same(t, "the other end", changes, "1 gone: healed by ada")
	same(t, "the other end", left, "pause p[1] for 1m0s", "delay @m[0-1] 1ns")
	changes, left = heal(control.HealReq{Mesh: "m", Ranks: []int{0}})
	same(t, "actors", changes, "3 delay @m[1] 1ns")
	same(t, "actors", left, "partition p[0-1] p[2-3]", "pause p[1] for 1m0s", "delay @m[1] 1ns")
	changes, _ = heal(control.HealReq{Mesh: "other"})
	same(t, "another mesh", changes)
	for _, r := range []control.HealReq{{}, {All: true, Mesh: "m"}, {All: true, Ranks: []int{1}}, {IDs: []uint64{4}}, {IDs: []uint64{0}}} {
		if _, err := book().Heal(r, ""); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
}

func TestFaultsEndWithWhomTheyAreOn(t *testing.T) {
	b := book()
	same(t, "one ends", told(b.Gone(func(p uint64) bool { return p == 11 }, "ended")), "1 partition p[0] p[2-3]", "2 gone: ended", "3 delay @m[0] 1ns")
	same(t, "the other ends", told(b.Gone(func(p uint64) bool { return p >= 12 }, "ended")), "1 gone: ended")
	same(t, "left", b.texts(), "delay @m[0] 1ns")
	if len(b.Paused()) != 0 || !book().Paused()[11] {
		t.Error("who is paused is wrong")
	}
}

// TestWhoHadOrdersIsToldThatTheyAreOver: else a process would go on for ever.
func TestWhoHadOrdersIsToldThatTheyAreOver(t *testing.T) {
	b := &Book{}
	if o := b.Orders([]uint64{0, 10}, anywhere); o != nil {
		t.Errorf("without any fault ever: %v", o)
	}
	b = book()
	first := b.Orders([]uint64{0, 10, 11, 12, 13}, anywhere)
	if len(first) != 4 || len(first[10].Messages) != 1 || len(first[12].Links) != 2 {
		t.Errorf("orders %+v", first)
	}
	b.Drop(func(*control.Fault) bool { return true }, "")
	second := b.Orders([]uint64{0, 10, 11, 12, 13}, anywhere)
	for id, o := range second {
		if len(o.Links)+len(o.Messages) != 0 || o.Turn <= first[id].Turn {
			t.Errorf("%d goes on: %+v", id, o)
		}
	}
	if len(second) != 4 {
		t.Errorf("%d processes are told, want the 4 that had orders", len(second))
	}
	if third := b.Orders(nil, anywhere); len(third) != 0 {
		t.Errorf("they are told again: %v", third)
	}
}

func TestCountsOfProcessesAreAddedUp(t *testing.T) {
	b := book()
	if !b.Count(10, []fault.Count{{ID: 1, Seen: 5, Dropped: 5}}) || !b.Count(11, []fault.Count{{ID: 1, Seen: 2, Dropped: 2}, {ID: 99, Seen: 1}}) {
		t.Error("nothing to tell")
	}
	c := b.Counted()
	if len(c) != 1 || c[0].Seen != 7 || c[0].Dropped != 7 || len(b.Counted()) != 0 {
		t.Errorf("told %+v", c)
	}
	if b.Count(10, []fault.Count{{ID: 1, Seen: 5, Dropped: 5}}) {
		t.Error("the same counts are news")
	}
}

func TestAFaultIsOnWhatRuns(t *testing.T) {
	live := func(rank int) (uint64, bool) { return uint64(10 + rank), rank != 1 && rank != 2 }
	ranks, procs, err := Left("p", nil, 4, live)
	if err != nil || !slices.Equal(ranks, []int{0, 3}) || !slices.Equal(procs, []uint64{10, 13}) {
		t.Errorf("all: %v %v %v", ranks, procs, err)
	}
	ranks, _, err = Left("p", []int{3, 0, 3}, 4, live)
	if err != nil || !slices.Equal(ranks, []int{0, 3}) {
		t.Errorf("in any order: %v %v", ranks, err)
	}
	for want, ranks := range map[string][]int{"p has no rank 4: its ranks are 0 to 3": {4}, "p[1-2]: not running": {0, 1, 2}} {
		if _, _, err := Left("p", ranks, 4, live); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", ranks, err, want)
		}
	}
	if _, _, err := Left("p", nil, 4, func(int) (uint64, bool) { return 0, false }); err == nil {
		t.Error("a mesh of which nothing runs was taken")
	}
}
