package calls

import (
	"cmp"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/warn"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// lostOf are the ranks of an open call, sorted, that ended before they answered. A call waits for them no more, as for
// those that have answered; the messages tell which of them had.
func lostOf(w *world.World, c *control.Call) []int {
	m, ok := w.Mesh(c.Mesh)
	if !ok || !countable(c) {
		return nil
	}
	var lost []int
	waiting := waitingOf(c)
	for rank := range c.View.Ranks() {
		if rank >= len(m.Ranks) || !ended(&m.Ranks[rank]) {
			continue
		}
		if _, open := slices.BinarySearch(waiting, rank); !open {
			lost = append(lost, rank)
		}
	}
	if lost == nil {
		return nil
	}
	answered := map[int]bool{}
	for at := w.Messages.First(); at < w.Messages.Total(); at++ {
		msg := w.Messages.At(at)
		if msg.Call != c.ID || !msg.IsAnswer() || msg.Outcome == control.OutcomeLost || msg.Outcome == control.OutcomeNotSent {
			continue
		}
		if mesh, rank, ok := world.SplitName(msg.From); ok && mesh == c.Mesh {
			answered[rank] = true
		}
	}
	lost = slices.DeleteFunc(lost, func(rank int) bool { return answered[rank] })
	slices.Sort(lost)
	return lost
}

func ended(r *control.RankState) bool { return r.State == "gone" || r.State == "stopped" }

// lostOf remembers what it found until the world changes.
func (p *Pane) lostOf(c *control.Call) []int {
	lost, ok := p.lost[c.ID]
	if !ok {
		lost = lostOf(p.w, c)
		p.lost[c.ID] = lost
	}
	return lost
}

// progress is how many ranks have answered.
func (p *Pane) progress(c *control.Call) string {
	return paint.Exact(max(0, warn.Answered(c)-len(p.lostOf(c)))) + " of " + paint.Exact(c.Ranks)
}

// mostCauses is how many causes are told of the ranks that a call has lost.
const mostCauses = 3

// causesOf tells why ranks have ended, each cause once.
func causesOf(w *world.World, m *control.Mesh, ranks []int) string {
	var causes []string
	for _, rank := range ranks {
		proc, _ := w.ProcOf(m, rank)
		cause := cmp.Or(world.RankCause(&m.Ranks[rank], proc), world.RankWhy(&m.Ranks[rank], proc))
		switch {
		case cause == "" || slices.Contains(causes, cause):
		case len(causes) == mostCauses:
			return strings.Join(append(causes, "…"), ", ")
		default:
			causes = append(causes, cause)
		}
	}
	return strings.Join(causes, ", ")
}
