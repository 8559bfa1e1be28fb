package world_test

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestWhoStandsAtASiteIsPausedEverywhere(t *testing.T) {
	b := worldtest.Trainers(t)
	ponger, _ := b.World.Mesh("ponger")
	if w := b.Word(ponger, 9); w != "idle" || b.PausedActors() != 0 {
		t.Fatalf("before any stop it is %q", w)
	}
	b.EditRank("ponger", 9, func(r *control.RankState) { r.State, r.Queue = "busy", 500 })
	b.Stop(control.Stop{ID: 4, Mesh: "ponger", Rank: 9})
	b.Stop(control.Stop{ID: 3, Mesh: "ponger", Rank: 9})
	b.Stop(control.Stop{ID: 5, Mesh: "loader", Rank: 2})
	b.Stop(control.Stop{ID: 6, Mesh: "ponger", Rank: 63})
	ponger, _ = b.World.Mesh("ponger")
	loader, _ := b.World.Mesh("loader")
	if got := []string{b.Word(ponger, 9), b.Word(loader, 2), b.Word(ponger, 63), b.Word(ponger, 2)}; got[0] != "paused" || got[1] != "paused" || got[2] != "paused" || got[3] != "idle" {
		t.Errorf("they are %v", got)
	}
	if n := b.PausedActors(); n != 3 {
		t.Errorf("%d actors are paused, want 3: two frames of one stand", n)
	}
	if st, ok := b.StopAt("ponger", 9); !ok || st.ID != 3 {
		t.Errorf("the one that has stood the longest is 3, got %+v", st)
	}
	if st, ok := b.StopAt("ponger", 10); ok {
		t.Errorf("ponger[10] is not stopped: %+v", st)
	}
	if !b.IsStopped("ponger", nil) || !b.IsStopped("ponger", []int{1, 63}) || b.IsStopped("ponger", []int{1}) || b.IsStopped("nobody", nil) {
		t.Error("IsStopped is wrong")
	}
	if got := b.StopsIn("ponger", []int{63, 9}); len(got) != 3 || got[0].ID != 3 || got[1].ID != 4 || got[2].ID != 6 {
		t.Errorf("the stops of [9,63] are %+v", got)
	}

	b.EditRank("ponger", 63, func(r *control.RankState) { r.State = "failed" })
	ponger, _ = b.World.Mesh("ponger")
	if w := b.Word(ponger, 63); w != "failed" {
		t.Errorf("one that has failed is %q, whatever stood there", w)
	}
	b.EditMesh("loader", func(m *control.Mesh) { m.Gone = true })
	loader, _ = b.World.Mesh("loader")
	if b.StoppedRanks(loader) != nil {
		t.Error("a mesh that has ended has stops: they are those of another one of its name")
	}
	for _, id := range []uint64{3, 4, 5, 6} {
		b.GoOn(id)
	}
	if len(b.StopList()) != 0 || b.PausedActors() != 0 || b.Word(ponger, 9) == "paused" || b.Debug.Held {
		t.Errorf("after all went on: %+v, held %v", b.StopList(), b.Debug.Held)
	}
}

func TestTheWalkThroughThePausedComesRound(t *testing.T) {
	b := worldtest.Trainers(t)
	if _, ok := b.NextStop("ponger", 0, 0, false); ok {
		t.Error("there is a next one where nobody is stopped")
	}
	for id, rank := range map[uint64]int{1: 9, 2: 3, 3: 40} {
		b.Stop(control.Stop{ID: id, Mesh: "ponger", Rank: rank})
	}
	b.Stop(control.Stop{ID: 4, Mesh: "ponger", Rank: 9})
	at, id, order := 0, uint64(0), []uint64{2, 1, 4, 3, 2}
	for i, want := range order {
		st, ok := b.NextStop("ponger", at, id, false)
		if !ok || st.ID != want {
			t.Fatalf("step %d leads to %d, want %d", i, st.ID, want)
		}
		at, id = st.Rank, st.ID
	}
	for i, want := range []uint64{3, 4, 1, 2, 3} {
		st, _ := b.NextStop("ponger", at, id, true)
		if st.ID != want {
			t.Fatalf("step back %d leads to %d, want %d", i, st.ID, want)
		}
		at, id = st.Rank, st.ID
	}
}
