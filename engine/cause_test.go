package engine

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

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
