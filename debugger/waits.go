package debugger

import (
	"context"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/waitfor"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Edges are who waits for whom in a session, with who is held by a stop.
func Edges(snap *control.Snapshot) []waitfor.Edge {
	held := make(map[string]*control.Stop, len(snap.Stops))
	for i := range snap.Stops {
		st := &snap.Stops[i]
		held[Actor(st)] = st
	}
	out := waitfor.FromControl(snap.Waits)
	for i := range out {
		if st := held[out[i].To]; st != nil {
			out[i].Held, out[i].Break = st.ID, st.Break
		}
	}
	return out
}

// Looks is how long Verdict waits between its two looks. It is longer than it takes a process to report a wait.
const Looks = 300 * time.Millisecond

// Verdict looks twice at who waits for whom, and says what can be said of it. It gives the second look too.
func Verdict(ctx context.Context, c *control.Client) (*waitfor.Report, *control.Snapshot, error) {
	first, err := c.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	again := time.NewTimer(Looks)
	defer again.Stop()
	select {
	case <-again.C:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	second, err := c.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	return waitfor.Judge(Edges(first), Edges(second)), second, nil
}
