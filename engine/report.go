package engine

import (
	"context"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// reportEvery is how often a process tells what its ranks are doing, when that changed.
const reportEvery = 50 * time.Millisecond

// slowCall is how long somebody must have waited for a call before the wait is told: the wait-for graph shows what
// hangs, not what flows.
const slowCall = 250 * time.Millisecond

// report is what a process tells front ends about its actors.
type report struct {
	Ranks []rankReport
	Waits []control.WaitEdge
}

type rankReport struct {
	Mesh  uint64
	Rank  int
	State control.RankState
}

// touch notes that something changed that front ends show.
func (n *node) touch() {
	select {
	case n.dirty <- struct{}{}:
	default:
	}
}

// startReporter runs the goroutine that reports.
func (n *node) startReporter() {
	n.wg.Go(func() {
		for {
			select {
			case <-n.dirty:
			case <-n.closing:
				return
			}
			n.sendReport()
			t := time.NewTimer(reportEvery)
			select {
			case <-t.C:
			case <-n.closing:
				t.Stop()
				return
			}
		}
	})
}

func (n *node) sendReport() {
	var r report
	for _, a := range n.actors.all() {
		r.Ranks = append(r.Ranks, rankReport{Mesh: a.id, Rank: a.rank, State: a.state()})
	}
	var young bool
	r.Waits, young = n.waitEdges()
	if young { // a wait grows old without an event: look again
		n.touch()
	}
	switch {
	case n.hub != nil:
		n.hub.tellCalls()
		n.hub.takeReport(0, r)
	case n.local != nil:
		n.local.takeReport(n.id, r)
	default:
		_ = n.notice(context.Background(), quicnet.LaneEvents, nil, quicnet.Addr{}, sysReport, r) // may be dropped
	}
}

// takeReport puts what a process told into the books; it may speak only for its own ranks.
func (h *hub) takeReport(proc uint64, r report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[proc]; proc != 0 && (p == nil || p.over()) {
		return
	}
	for _, x := range r.Ranks {
		m := h.meshByID[x.Mesh]
		if m == nil || x.Rank < 0 || x.Rank >= len(m.rec.Ranks) || m.rec.Ref.First+uint64(m.rec.Ref.Home.RankAt(x.Rank)) != proc {
			continue
		}
		old := &m.rec.Ranks[x.Rank]
		if sameState(old, &x.State) {
			continue
		}
		if m.rec.State == "starting" && x.State.State == "idle" {
			continue // startMesh says when all are
		}
		*old = x.State
		h.publish(control.Event{Rank: &control.RankEvent{Mesh: m.rec.Ref.Name, Rank: x.Rank, State: x.State}})
	}
	h.takeWaits(proc, r.Waits)
}

func sameState(a, b *control.RankState) bool {
	return a.State == b.State && a.Queue == b.Queue && a.Handled == b.Handled &&
		slices.Equal(a.Running, b.Running) && slices.Equal(a.Calls, b.Calls) && slices.Equal(a.Next, b.Next)
}
