package engine

import (
	"context"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// reportEvery is how often a process tells what its ranks are doing, when that changed.
const reportEvery = 100 * time.Millisecond

// slowCall is how long an actor must have waited for a call before the wait is told: the wait-for graph shows what
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
	n.mu.Lock()
	actors := make([]*actor, 0, len(n.actors))
	for _, a := range n.actors {
		actors = append(actors, a)
	}
	n.mu.Unlock()
	var r report
	for _, a := range actors {
		r.Ranks = append(r.Ranks, rankReport{Mesh: a.id, Rank: a.rank, State: a.state()})
	}
	var open bool
	r.Waits, open = n.waitEdges()
	if open { // a wait grows older without an event: look again
		n.touch()
	}
	if n.local != nil && n.hub == nil {
		n.local.takeReport(n.id, r)
		return
	}
	_ = n.notice(context.Background(), quicnet.LaneEvents, nil, quicnet.Addr{}, sysReport, r) // may be dropped
}

// waitEdges lists whom actors of this process have waited for, for a while, and says whether any call is open at all.
func (n *node) waitEdges() (out []control.WaitEdge, open bool) {
	n.mu.Lock()
	var calls []*call
	for _, c := range n.calls {
		calls = append(calls, c)
	}
	n.mu.Unlock()
	for _, c := range calls {
		if c.caller == nil && n.hub == nil {
			continue
		}
		open = true
		if time.Since(c.started) < slowCall {
			continue
		}
		from := c.client
		if c.caller != nil {
			from = c.caller.actor.label()
		} else if from == "" {
			from = "main"
		}
		for _, i := range c.open() {
			rank := c.ref.View.RankAt(i)
			out = append(out, control.WaitEdge{From: from, To: rankLabel(c.ref.Name, rank), Endpoint: c.endpoint, Call: c.id, Since: c.started, State: "sent"})
		}
	}
	return out, open
}

// takeReport puts what a process told into the books; it may speak only for its own ranks.
func (h *hub) takeReport(proc uint64, r report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[proc]; p == nil || p.over() {
		return
	}
	h.waits[proc] = r.Waits
	for _, x := range r.Ranks {
		m := h.meshByID[x.Mesh]
		if m == nil || x.Rank < 0 || x.Rank >= len(m.rec.Ranks) || m.rec.Ref.First+uint64(m.rec.Ref.Home.RankAt(x.Rank)) != proc {
			continue
		}
		old := &m.rec.Ranks[x.Rank]
		if old.State == x.State.State && old.Queue == x.State.Queue && old.Handled == x.State.Handled && slices.Equal(old.Running, x.State.Running) {
			continue
		}
		if m.rec.State == "starting" && x.State.State == "idle" {
			continue // startMesh says when all are
		}
		*old = x.State
		h.publish(control.Event{Rank: &control.RankEvent{Mesh: m.rec.Ref.Name, Rank: x.Rank, State: x.State}})
	}
}

func rankLabel(mesh string, rank int) string {
	a := actor{name: mesh, rank: rank}
	return a.label()
}
