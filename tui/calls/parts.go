package calls

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// part is some ranks of a call that are equally far.
type part struct {
	kind  kind
	ranks []int // of the mesh, sorted
	since time.Time
	ahead int    // messages that are handled before it: the most
	cause string // of the end of those that are lost
}

// kind is how far a rank is with a call.
type kind uint8

// From the furthest to the nearest.
const (
	answered kind = iota
	running
	paused
	queued
	behind // its mailbox is longer than what is told of it
	onTheWay
	lost // it ended before it answered
	kinds
)

// look is the word, the sign and the colour of a kind.
func (k kind) look() (word, sign string, role paint.Role) {
	switch k {
	case answered:
		return "answered", "✓", paint.Muted
	case running:
		return "running", paint.Glyph("busy"), paint.State("busy")
	case paused:
		return "paused", paint.Glyph("paused"), paint.State("paused")
	case queued:
		return "queued", "┊", paint.Text
	case behind:
		return "not begun", "┊", paint.Text
	case lost:
		return "lost", paint.Glyph("failed"), paint.State("failed")
	default:
		return "not received", paint.Glyph("starting"), paint.Text
	}
}

// waitingOf are the ranks that have not answered, sorted.
func waitingOf(c *control.Call) []int {
	waiting := slices.Clone(c.Waiting)
	slices.Sort(waiting)
	return slices.Compact(waiting)
}

// maxRanks bounds the ranks of a call that are gone through: no mesh has more, but a session may say anything.
const maxRanks = 1 << 16

func countable(c *control.Call) bool { return c.View.Validate() == nil && c.View.Len() <= maxRanks }

// partsOf tells how far each rank of a call is; gone are those that it has lost and waits for no more.
func partsOf(w *world.World, c *control.Call, gone []int) []part {
	waiting := waitingOf(c)
	var list [kinds]part
	put := func(k kind, rank int) *part {
		p := &list[k]
		p.kind = k
		p.ranks = append(p.ranks, rank)
		return p
	}
	if countable(c) {
		for rank := range c.View.Ranks() {
			if _, open := slices.BinarySearch(waiting, rank); open {
				continue
			}
			k := answered
			if _, ok := slices.BinarySearch(gone, rank); ok {
				k = lost
			}
			put(k, rank)
		}
	}
	m, known := w.Mesh(c.Mesh)
	for _, rank := range waiting {
		if !known || rank < 0 || rank >= len(m.Ranks) {
			put(onTheWay, rank)
			continue
		}
		r := &m.Ranks[rank]
		k, ahead := howFar(w, m, rank, c.ID)
		p := put(k, rank)
		if (k == running || k == paused) && (p.since.IsZero() || r.Since.Before(p.since)) {
			p.since = r.Since
		}
		p.ahead = max(p.ahead, ahead)
	}
	if l := &list[lost]; known && len(l.ranks) > 0 {
		slices.Sort(l.ranks)
		l.cause = causesOf(w, m, l.ranks)
	}
	var out []part
	for _, p := range list {
		if len(p.ranks) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// howFar is how far a rank is that has not answered, and how many messages are before the call in its mailbox.
func howFar(w *world.World, m *control.Mesh, rank int, call uint64) (kind, int) {
	r := &m.Ranks[rank]
	word := w.Word(m, rank)
	at := slices.Index(r.Next, call)
	switch {
	case word == "gone" || word == "failed":
		return lost, 0
	case slices.Contains(r.Calls, call) && word == "paused":
		return paused, 0
	case slices.Contains(r.Calls, call):
		return running, 0
	case at >= 0:
		return queued, at
	case r.Queue > len(r.Next):
		return behind, r.Queue
	}
	return onTheWay, 0
}

// note says more of a part: for how long, behind how many, why.
func (p part) note(now time.Time) string {
	switch p.kind {
	case running, paused:
		if !p.since.IsZero() {
			return "for " + duration(now.Sub(p.since))
		}
	case queued:
		if p.ahead > 0 {
			return "behind " + paint.Plural(p.ahead, "message")
		}
		return "next"
	case behind:
		return paint.Plural(p.ahead, "message") + " in the mailbox"
	case lost:
		return p.cause
	default: // there is nothing more to say
	}
	return ""
}

// duration is a time that does not jump from frame to frame.
func duration(d time.Duration) string {
	d = max(0, d)
	if d < time.Minute {
		return strconv.FormatFloat(d.Truncate(100*time.Millisecond).Seconds(), 'f', 1, 64) + "s"
	}
	return paint.Duration(d)
}

// target is who was called: @mesh with the ranks where they are not all.
func target(w *world.World, c *control.Call) string {
	m, ok := w.Mesh(c.Mesh)
	if ok && c.Ranks == len(m.Ranks) && c.Ranks > 1 {
		return c.Mesh + "[*]." + c.Endpoint
	}
	if !countable(c) {
		return c.Mesh + "." + c.Endpoint
	}
	return w.RanksName(c.Mesh, slices.Collect(c.View.Ranks())) + "." + c.Endpoint
}

// client is who called.
func client(c *control.Call) string { return strings.TrimPrefix(c.Client, "@") }
