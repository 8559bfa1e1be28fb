package world

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func TestAnEndThatNobodyOrderedIsAFailure(t *testing.T) {
	for _, c := range []struct {
		state   string
		ordered bool
		want    string
	}{
		{"exited", false, "failed"}, {"killed", false, "failed"}, {"oom", false, "failed"}, {"lost", false, "failed"},
		{"exited", true, "gone"}, {"killed", true, "gone"}, {"stopping", false, "busy"},
	} {
		p := &control.Proc{State: c.state, Ordered: c.ordered}
		if got := ProcWord(p); got != c.want {
			t.Errorf("%s, ordered %v: %s, want %s", c.state, c.ordered, got, c.want)
		}
		if got := RankWord(&control.RankState{State: "gone"}, p, Mark{}); got != c.want && p.Over() {
			t.Errorf("an actor of one %s, ordered %v: %s, want %s", c.state, c.ordered, got, c.want)
		}
	}
}

func TestAGroupIsGoneWhenAllOfItIs(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"gone", "gone", "gone"}, {"gone", "idle", "idle"}, {"gone", "busy", "busy"}, {"gone", "failed", "failed"},
		{"idle", "busy", "busy"}, {"paused", "warning", "warning"},
	} {
		a, b := uint8(Severity(c.a)), uint8(Severity(c.b))
		if x, y := Graver(a, b), Graver(b, a); x != y || Severities()[x] != c.want {
			t.Errorf("of %s and %s: %s and %s, want %s", c.a, c.b, Severities()[x], Severities()[y], c.want)
		}
	}
	if Severity("gone") != Gone {
		t.Error("Gone is not its code")
	}
}

// TestWhatStopsIsThereUntilItHasEnded holds words and counts together: while a proc mesh stops, what has not ended is told, and
// counted, as there.
func TestWhatStopsIsThereUntilItHasEnded(t *testing.T) {
	w := New()
	extent := shape.Extent{{Name: "gpus", Size: 4}}
	region := shape.RegionOf(extent)
	pm := control.ProcMesh{ID: 1, Name: "p", Extent: extent, FirstProc: 1, State: "running"}
	mesh := control.Mesh{Ref: control.MeshRef{ID: 2, Name: "m", First: 1, Home: region, View: region}, Procs: "p", State: "running", Ranks: make([]control.RankState, 4)}
	for i := range mesh.Ranks {
		mesh.Ranks[i].State = "idle"
	}
	apply := func(events ...*control.Event) { w.Apply(control.Update{Events: events}) }
	apply(&control.Event{ProcMesh: &pm}, &control.Event{Mesh: &mesh})
	procs := make([]control.Proc, 4)
	set := func(rank int, state string, ordered bool) {
		procs[rank] = control.Proc{ID: uint64(1 + rank), Mesh: "p", Rank: rank, State: state, Ordered: ordered}
		apply(&control.Event{Proc: &procs[rank]})
	}
	check := func(what string, procs, actors int, words ...string) {
		t.Helper()
		if p, a := w.Alive(); p != procs || a != actors {
			t.Errorf("%s: %d procs and %d actors live, want %d and %d", what, p, a, procs, actors)
		}
		for rank, want := range words {
			if p, _ := w.Proc(uint64(1 + rank)); ProcWord(p) != want {
				t.Errorf("%s: process %d is %s, want %s", what, rank, ProcWord(p), want)
			}
		}
	}
	for rank := range 4 {
		set(rank, "ready", false)
	}
	check("at rest", 4, 4, "idle", "idle", "idle", "idle")
	pm.State = "stopping"
	apply(&control.Event{ProcMesh: &pm})
	for rank := range 4 {
		set(rank, "stopping", false)
	}
	check("stopping", 4, 4, "busy", "busy", "busy", "busy")
	if MeshWord("stopping", false) != "busy" || MeshWord("stopped", false) != "gone" {
		t.Error("a mesh that stops is there, one that has stopped is not")
	}
	set(0, "exited", true)
	w.Apply(control.Update{Events: []*control.Event{{Rank: &control.RankEvent{Mesh: "m", Rank: 0, State: control.RankState{State: "gone"}}}}})
	check("one has ended", 3, 3, "gone", "busy", "busy", "busy")
	pm.State, pm.Gone = "stopped", true
	apply(&control.Event{ProcMesh: &pm})
	if p, _ := w.Alive(); p != 0 {
		t.Errorf("of a mesh that has ended %d procs live", p)
	}
}
