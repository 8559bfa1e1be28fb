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

// What failed by itself stands first, whatever its rank; what failed because of that is folded behind it.
func TestTheRootCauseStandsFirst(t *testing.T) {
	failed := func(rank int, o control.Outcome, msg string, code error) *RankError {
		return &RankError{Endpoint: "Step", Mesh: "t", Rank: rank, Outcome: o, Err: (&wireError{Outcome: o, Msg: msg, Codes: codesOf(code)}).remote()}
	}
	cut := failed(2, control.OutcomeLost, "worker 2 was killed", ErrLost)
	for want, list := range map[string][]*RankError{
		"Step failed on 4 of 4 ranks of @t: [2] worker 2 was killed; then [0-1,3] context canceled": {
			failed(0, control.OutcomeCancelled, "context canceled", ErrCancelled), failed(1, control.OutcomeCancelled, "context canceled", ErrCancelled), cut, failed(3, control.OutcomeCancelled, "context canceled", ErrCancelled),
		},
		"Step failed on 3 of 4 ranks of @t: [2] worker 2 was killed; then [0-1]: send on a port: worker 2 was killed, or the like": {
			failed(0, control.OutcomeError, "send on a port: worker 2 was killed", ErrLost), failed(1, control.OutcomeDeadline, "no answer", ErrDeadline), cut,
		},
		"Step failed on 2 of 4 ranks of @t: [1] no data; [2] worker 2 was killed": {failed(1, control.OutcomeError, "no data", nil), cut},
		"Step failed on 2 of 4 ranks of @t: [0-1] no answer":                      {failed(0, control.OutcomeDeadline, "no answer", ErrDeadline), failed(1, control.OutcomeDeadline, "no answer", ErrDeadline)},
	} {
		if got := (&MeshError{Endpoint: "Step", Mesh: "t", Ranks: 4, Failed: list}).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
