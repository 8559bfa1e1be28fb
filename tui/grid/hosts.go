package grid

import (
	"cmp"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// hostsDim is the dimension whose coordinates are machines.
const hostsDim = "hosts"

// maxHostName bounds the name of a host in a label, in columns.
const maxHostName = 12

// hostNames are the names of the machines along the dimension hosts, nil where there are none that a launcher was asked for. While a
// machine has no name, its number stands for it.
func (s *source) hostNames(w *world.World) []string {
	if len(w.Hosts) == 0 {
		return nil
	}
	at := slices.Index(s.region.Labels, hostsDim)
	if at < 0 || s.region.Sizes[at] > maxRanks {
		return nil
	}
	names := make([]string, s.region.Sizes[at])
	some := false
	for i := range names {
		rank, ok := first(s.region, at, i)
		if !ok {
			continue
		}
		if name := s.hostOf(w, rank, i); name != "" {
			names[i], some = paint.FitMiddle(name, maxHostName), true
		}
	}
	if !some {
		return nil
	}
	return names
}

// first is a rank whose coordinate along a dimension is i.
func first(r shape.Region, dim, i int) (rank int, ok bool) {
	stride := 1
	for _, size := range r.Sizes[dim+1:] {
		stride *= size
	}
	if n := i * stride; n < r.Len() {
		return r.RankAt(n), true
	}
	return 0, false
}

// hostOf is the name of the machine of a rank, "" where it has none.
func (s *source) hostOf(w *world.World, rank, index int) string {
	if s.procs != nil {
		list := w.HostsOf(s.procs)
		if at, ok := slices.BinarySearchFunc(list, index, func(h *control.Host, i int) int { return cmp.Compare(h.Index, i) }); ok {
			return list[at].Name
		}
		return ""
	}
	if s.mesh.Ref.Home.Validate() != nil || rank >= s.mesh.Ref.Home.Len() {
		return ""
	}
	if pr, ok := w.ProcOf(s.mesh, rank); ok {
		if h := w.HostOf(pr); h != nil {
			return h.Name
		}
	}
	return ""
}

// hostName is the name of a coordinate along a dimension, "" where it has none.
func (p *Pane) hostName(a axis, i int) string {
	if own := a.own(i); a.name == hostsDim && own >= 0 && own < len(p.now.hosts) {
		return p.now.hosts[own]
	}
	return ""
}

// namesWidth is the room for the names of all coordinates along a dimension, 0 where one has none.
func namesWidth(a axis, names []string) (width int) {
	if a.name != hostsDim {
		return 0
	}
	for i := range a.size {
		own := a.own(i)
		if own < 0 || own >= len(names) || names[own] == "" {
			return 0
		}
		width = max(width, paint.Width(names[own]))
	}
	return width
}
