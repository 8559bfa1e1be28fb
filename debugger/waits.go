package debugger

import (
	"context"
	"fmt"
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
	still := Still(snap)
	for i := range out {
		out[i].Still = still[out[i].To]
		if st := held[out[i].To]; st != nil {
			out[i].Held, out[i].Break = st.ID, st.Break
		}
	}
	return out
}

// Still are the actors of processes that a signal has stopped, and the processes, with their hosts where that is another machine.
func Still(snap *control.Snapshot) map[string]string {
	stopped := map[uint64]string{}
	for i := range snap.Procs {
		if p := &snap.Procs[i]; p.Paused && !p.Over() {
			stopped[p.ID] = fmt.Sprintf("process %d", p.PID)
			if p.HostID != 0 {
				stopped[p.ID] += " on host " + p.Host
			}
		}
	}
	if len(stopped) == 0 {
		return nil
	}
	out := map[string]string{}
	for i := range snap.Meshes {
		m := &snap.Meshes[i]
		for rank := range m.Ranks {
			if where := stopped[m.Ref.Proc(rank)]; where != "" && !m.Gone {
				out[fmt.Sprintf("@%s[%d]", m.Ref.Name, rank)] = where
			}
		}
	}
	return out
}

// between is how long Verdict waits between two looks. It is longer than it takes a process to report a wait.
const between = 300 * time.Millisecond

// Verdict looks twice at who waits for whom, and says what can be said of it; once more where the second look has what may be
// a deadlock and is not yet known to be. It gives the last look too.
func Verdict(ctx context.Context, c *control.Client) (*waitfor.Report, *control.Snapshot, error) {
	before, err := c.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	again := time.NewTimer(between)
	defer again.Stop()
	for last := false; ; last = true {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		now, err := c.Snapshot(ctx)
		if err != nil {
			return nil, nil, err
		}
		report := waitfor.Judge(Edges(before), Edges(now))
		if last || len(report.Suspects) == 0 {
			return report, now, nil
		}
		before = now
		again.Reset(between)
	}
}
