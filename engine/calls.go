package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// progressEvery is how often front ends are told of the progress of one call: a cast to thousands of ranks has thousands
// of answers, and each word on it names the ranks that are missing.
const progressEvery = 20 * time.Millisecond

// callBegan tells front ends about a call of this process.
func (h *hub) callBegan(c *call) { h.tellCall(c, false) }

// callAnswered tells of the first answers at once, of the others now and then (the reporter sees to what is left), and
// of the end.
func (h *hub) callAnswered(c *call, last bool) {
	if !last && time.Now().UnixNano()-c.toldAt.Load() < int64(progressEvery) {
		c.behind.Store(true)
		return
	}
	h.tellCall(c, last)
}

func (h *hub) tellCall(c *call, done bool) {
	if !h.watched.Load() {
		return
	}
	c.behind.Store(false)
	c.toldAt.Store(time.Now().UnixNano())
	c.telling.Lock() // a record that is older than what was told is not told after it
	defer c.telling.Unlock()
	if c.over {
		return
	}
	c.over = done
	rec := h.callRecord(c)
	h.mu.Lock()
	h.publish(control.Event{Call: &control.CallEvent{Call: rec, Done: done}})
	h.mu.Unlock()
}

// tellCalls is the reporter's part.
func (h *hub) tellCalls() {
	for _, c := range h.node.calls.all() {
		if c.behind.Load() {
			h.tellCall(c, false)
		}
	}
}

func (h *hub) callRecord(c *call) control.Call {
	rec := control.Call{ID: c.id, Client: c.client, Mesh: c.ref.Name, View: c.ref.View, Endpoint: c.endpoint, Adverb: c.adverb, Started: c.started, Ranks: c.n}
	if rec.Client == "" {
		rec.Client = "main"
	}
	for _, i := range c.open() {
		rec.Waiting = append(rec.Waiting, c.ref.View.RankAt(i))
	}
	slices.Sort(rec.Waiting)
	return rec
}

// openCalls lists this process's calls for front ends.
func (h *hub) openCalls() []control.Call {
	var out []control.Call
	for _, c := range h.node.calls.all() {
		out = append(out, h.callRecord(c))
	}
	slices.SortFunc(out, func(a, b control.Call) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
