package engine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// maxWaits is how many waits of one process are told to front ends.
const maxWaits = 4096

func rankLabel(mesh string, rank int) string { return "@" + mesh + "[" + strconv.Itoa(rank) + "]" }

// nameOf is the name of a sender for front ends; ok is false for code of a worker outside its actors.
func (n *node) nameOf(from *actor, client string) (name string, ok bool) {
	switch {
	case from != nil:
		return from.label(), true
	case client != "":
		return client, true
	}
	return "main", n.hub != nil
}

// waitEdges lists whom this process has waited for, for a while: for answers, and for places in mailboxes that are full
// of its messages. young tells that there are waits that will be on the list if they go on.
func (n *node) waitEdges() (out []control.WaitEdge, young bool) {
	add := func(from *actor, client string, ref *meshRef, i int, e control.WaitEdge) {
		var ok bool
		if e.From, ok = n.nameOf(from, client); ok && len(out) < maxWaits {
			e.Proc, e.To = n.id, rankLabel(ref.Name, ref.View.RankAt(i))
			out = append(out, e)
		}
	}
	for _, c := range n.calls.all() {
		if c.waiters.Load() == 0 {
			continue
		}
		if time.Since(c.started) < slowCall {
			young = true
			continue
		}
		for _, i := range c.sent() {
			add(c.sender, c.client, c.ref, i, control.WaitEdge{Endpoint: c.endpoint, Call: c.id, Since: c.started, State: control.WaitSent})
		}
	}
	for _, s := range n.windows.full() {
		if time.Since(s.since) < slowCall {
			young = true
			continue
		}
		add(s.from, s.client, s.to, s.index, control.WaitEdge{Endpoint: s.endpoint, Call: s.call, Since: s.since, State: control.WaitFull})
	}
	slices.SortFunc(out, compareWaits)
	return out, young
}

func compareWaits(a, b control.WaitEdge) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), a.Since.Compare(b.Since))
}

// sent lists the indices whose message left and whose answer has not come.
func (c *call) sent() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int
	for i, p := range c.ranks {
		if p == phaseSent {
			out = append(out, i)
		}
	}
	return out
}

// takeWaits stores a process's waits and tells front ends when they changed. The caller holds h.mu.
func (h *hub) takeWaits(proc uint64, waits []control.WaitEdge) {
	waits = waits[:min(len(waits), maxWaits)]
	for i := range waits {
		w := &waits[i]
		w.Proc = proc
		if proc != 0 {
			w.From, w.To, w.Endpoint = clean.Line(w.From), clean.Line(w.To), clean.Line(w.Endpoint)
		}
		h.nameWait(w)
	}
	if slices.EqualFunc(waits, h.waits[proc], func(a, b control.WaitEdge) bool {
		return compareWaits(a, b) == 0 && a.Call == b.Call && a.State == b.State && a.Endpoint == b.Endpoint
	}) {
		return
	}
	h.setWaits(proc, waits)
}

// setWaits replaces what a process waits for. The caller holds h.mu.
func (h *hub) setWaits(proc uint64, waits []control.WaitEdge) {
	if len(waits) == 0 && len(h.waits[proc]) == 0 {
		return
	}
	h.waits[proc] = waits
	if len(waits) == 0 {
		delete(h.waits, proc)
	}
	h.publish(control.Event{Waits: &control.Waits{Proc: proc, Edges: waits}})
}

// nameWait says what the message of a wait is doing at its receiver, as last reported. The caller holds h.mu.
func (h *hub) nameWait(w *control.WaitEdge) {
	st := h.rankNamed(w.To)
	if st == nil || w.State == control.WaitFull {
		return
	}
	switch {
	case slices.Contains(st.Calls, w.Call):
		w.State = control.WaitRunning
	case slices.Contains(st.Next, w.Call), st.Queue > len(st.Next):
		w.State = control.WaitQueued
	default:
		w.State = control.WaitSent
	}
}

// rankNamed finds the state behind a label such as @toy[1]. The caller holds h.mu.
func (h *hub) rankNamed(label string) *control.RankState {
	name, rest, ok := strings.Cut(strings.TrimPrefix(label, "@"), "[")
	m := h.meshes[name]
	if rank, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); ok && m != nil && err == nil && rank >= 0 && rank < len(m.rec.Ranks) {
		return &m.rec.Ranks[rank]
	}
	return nil
}
