package tree

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// slots is what the processes of a host are called.
func (p *Pane) slots(r *row) string {
	pm := &p.model.procs[r.pm]
	if at := pm.procs[pm.hosts[r.host].ranks[0]]; at >= 0 && p.model.w.Procs[at].Slot >= 0 {
		return "slot"
	}
	return "proc"
}

// absent is what there is to say of processes that are not there.
func (p *Pane) absent(r *row) (long, short string, role paint.Role) {
	switch {
	case words[p.model.procs[r.pm].own[r.rank]] != "starting":
		return "not there", "", paint.Muted
	case r.kind == KindRun:
		return "wait for their host", "wait", paint.Muted
	}
	return "waits for its host", "waits", paint.Muted
}

// lossy is from which share of lost packets on a link is told of.
const lossy = 0.01

// hostValue is how a host is that a launcher was asked for: what it has and how far away it is, else its state and why.
func (p *Pane) hostValue(r *row, room int) []paint.Seg {
	h := &p.model.procs[r.pm].hosts[r.host]
	word := world.HostWord(h.rec)
	switch {
	case word == "failed":
		return failing(room, world.HostSays(h.rec), h.rec.State)
	case h.rec.State == "shipping" && h.rec.Shipped > 0:
		return fitting(room, text(h.rec.State+" "+paint.Bytes(uint64(h.rec.Shipped)), paint.Starting), text(h.rec.State, paint.Starting))
	case word != "idle":
		role := paint.State(word)
		return fitting(room, text(world.HostSays(h.rec), role), text(h.rec.State, role))
	}
	n := len(h.ranks)
	count := paint.Exact(n)
	if n == 0 {
		return fitting(room, text(h.rec.State, paint.Muted))
	}
	named := text(paint.Plural(n, p.slots(r)), paint.Muted)
	far := distance(h.rec)
	if h.rec.Loss >= lossy { // it is worth more than the round trip
		return fitting(room, append(named[:1:1], far...), append(named[:1:1], far[len(far)-1]), append(text(count, paint.Muted), far[len(far)-1]), text(count, paint.Warning))
	}
	return fitting(room, append(named[:1:1], far...), named, text(count, paint.Muted))
}

// distance is how far away a host is: its round trip, and the share of packets that are lost where that is worth telling.
func distance(h *control.Host) (out []paint.Seg) {
	if h.RTT > 0 {
		out = append(out, text(" · "+paint.Duration(h.RTT), paint.Muted)...)
	}
	if h.Loss >= lossy {
		out = append(out, text(fmt.Sprintf(" · %.0f%% lost", 100*h.Loss), paint.Warning)...)
	}
	return out
}

// waitsFor is which hosts a proc mesh that starts waits for, "" where all are ready.
func (p *procMesh) waitsFor() string {
	ready, state, same := 0, "", true
	for i := range p.hosts {
		rec := p.hosts[i].rec
		switch {
		case rec == nil:
			continue
		case rec.State == "ready":
			ready++
		}
		same = same && (state == "" || state == rec.State)
		state = rec.State
	}
	switch {
	case ready == len(p.hosts):
		return ""
	case same:
		return paint.Plural(len(p.hosts), "host") + " " + state
	}
	return fmt.Sprintf("%d of %s ready", ready, paint.Plural(len(p.hosts), "host"))
}
