package world

import (
	"cmp"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// hostIndex is which hosts belong to which proc mesh. It is made when somebody first asks, and again after hosts have
// changed: there may be thousands.
type hostIndex struct {
	byMesh map[uint64][]*control.Host // by place, of a proc mesh by its id
}

// HostsOf are the machines of a proc mesh that a launcher was asked for, by place; none where it runs on the controller's own.
func (w *World) HostsOf(pm *control.ProcMesh) []*control.Host {
	if len(w.Hosts) == 0 {
		return nil
	}
	if w.hosts == nil {
		w.hosts = w.indexHosts()
	}
	return w.hosts.byMesh[pm.ID]
}

// indexHosts sorts hosts by their proc meshes. Of one place the newest host counts.
func (w *World) indexHosts() *hostIndex {
	x := &hostIndex{byMesh: map[uint64][]*control.Host{}}
	for i := range w.Hosts {
		h := &w.Hosts[i]
		x.byMesh[h.MeshID] = append(x.byMesh[h.MeshID], h)
	}
	for mesh, list := range x.byMesh {
		slices.SortFunc(list, func(a, b *control.Host) int { return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(b.ID, a.ID)) })
		x.byMesh[mesh] = slices.CompactFunc(list, func(a, b *control.Host) bool { return a.Index == b.Index })
	}
	return x
}

// noteHosts forgets which hosts belong where, when an update may have changed it.
func (w *World) noteHosts(u control.Update) {
	if u.Snapshot != nil || slices.ContainsFunc(u.Events, func(ev *control.Event) bool { return ev.Host != nil }) {
		w.hosts = nil
	}
}

// HostOf is the machine of a process, nil where that is the controller's own, or is not known.
func (w *World) HostOf(p *control.Proc) *control.Host {
	if p.HostID == 0 {
		return nil
	}
	h, _ := w.Host(p.HostID)
	return h
}

// Along is the place of a rank of a proc mesh along its dimension hosts, -1 where it has none.
func Along(pm *control.ProcMesh) func(rank int) int {
	stride := 1
	for _, d := range slices.Backward(pm.Extent) {
		if d.Name == "hosts" {
			return func(rank int) int { return rank / stride % max(1, d.Size) }
		}
		stride *= max(1, d.Size)
	}
	return func(int) int { return -1 }
}

// RanksOn are the ranks of a proc mesh on one of its hosts: those whose processes say so and, of those that are not there yet, those
// that will be.
func (w *World) RanksOn(pm *control.ProcMesh, h *control.Host) (ranks []int) {
	along := Along(pm)
	for rank := range max(0, pm.Extent.Len()) {
		p, ok := w.Proc(pm.FirstProc + uint64(rank))
		if ok && p.HostID != 0 {
			ok = p.HostID == h.ID
		} else {
			ok = along(rank) == h.Index
		}
		if ok {
			ranks = append(ranks, rank)
		}
	}
	return ranks
}

// AbsentWord is the state of a process of a proc mesh that is not known: it is on its way while the mesh starts on machines that have
// to be found first.
func AbsentWord(pm *control.ProcMesh) string {
	if pm.Via != "" && pm.State == "starting" && !pm.Gone {
		return "starting"
	}
	return "gone"
}

// HostWord is the state of a host in the screens' vocabulary.
func HostWord(h *control.Host) string {
	switch h.State {
	case "requested", "queued", "shipping", "launching", "joining":
		return "starting"
	case "ready":
		return "idle"
	case "suspect", "unreachable":
		return "warning"
	case "exited":
		return "gone"
	}
	return "failed" // lost, failed
}

// HostSays is the state of a host with what there is to say of it: queued: 3rd, Priority.
func HostSays(h *control.Host) string {
	if why := Why(h.Reason); why != "" {
		return h.State + ": " + why
	}
	return h.State
}
