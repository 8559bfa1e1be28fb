package engine

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// What a process told of a rank before its end may come after that. Taken for the truth it had a restart say that the rank lives.
func TestALateStatusDoesNotRaiseTheDead(t *testing.T) {
	registerTarget()
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	p, err := SpawnProcs(ctx, Dim("gpus", 2))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Spawn(ctx, p, "m", Target{})
	if err != nil {
		t.Fatal(err)
	}
	victim := m.Slice(At("gpus", 1))
	if err := victim.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	rank := func() control.RankState {
		e.hub.mu.Lock()
		defer e.hub.mu.Unlock()
		return e.hub.meshByID[m.r.ID].rec.Ranks[1]
	}
	late := status{Ranks: []rankStatus{{Mesh: m.r.ID, Rank: 1, State: control.RankState{State: "busy", Running: []string{"Add"}}}}}
	e.hub.takeStatus(m.r.First+1, late)
	if s := rank(); s.State != "stopped" || s.Reason != "killed" {
		t.Errorf("the rank that was killed is %s (%s)", s.State, s.Reason)
	}
	if _, err := victim.Restart(ctx); err != nil {
		t.Error(err)
	}
	e.hub.takeStatus(m.r.First+1, late) // of the life before
	if s := rank(); s.State != "idle" {
		t.Errorf("the rank in its next life is %s", s.State)
	}
}
