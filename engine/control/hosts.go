package control

import (
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Hosts are the names of the hosts of a proc mesh, so that a selection can choose by them: hosts=n2. It is never written to.
type Hosts struct {
	_      struct{} `cbor:",toarray"`
	Names  []string // by place along the dimension hosts, one where there is no such dimension; "" while a name is not known
	Stride int      // from a rank to the same one of the next host
}

const (
	maxHosts    = 1 << 16
	maxHostName = 255 // bytes, as a name of the DNS has
)

// NewHosts are hosts of a proc mesh; names are by place along its dimension hosts.
func NewHosts(extent shape.Extent, names ...string) *Hosts {
	stride := 1
	if i := slices.Index(extent.Names(), shape.HostsDim); i >= 0 {
		for _, d := range extent[i+1:] {
			stride *= d.Size
		}
	}
	return &Hosts{Names: names, Stride: stride}
}

// Check says what is wrong with hosts that came from elsewhere.
func (h *Hosts) Check() error {
	switch {
	case h == nil:
		return nil
	case len(h.Names) == 0 || len(h.Names) > maxHosts:
		return fmt.Errorf("%d names of hosts: want 1 to %d", len(h.Names), maxHosts)
	case h.Stride < 1:
		return fmt.Errorf("hosts that lie %d ranks apart: want 1 or more", h.Stride)
	}
	for i, name := range h.Names {
		if len(name) > maxHostName {
			return fmt.Errorf("the name of host %d has %d bytes, at most %d", i, len(name), maxHostName)
		}
	}
	return nil
}

// of tells on which host a rank of a mesh is that has the ranks home of the proc mesh; nil where hosts have no names.
func (h *Hosts) of(home shape.Region) shape.HostOf {
	if h == nil || h.Check() != nil {
		return nil
	}
	return func(rank int) string { return h.Names[home.RankAt(rank)/h.Stride%len(h.Names)] }
}

// HostOf tells on which host a rank of the mesh is; nil where hosts have no names.
func (r MeshRef) HostOf() shape.HostOf { return r.Hosts.of(r.Home) }

// Resolve breaks a selection of the reference's slice into regular slices, as shape.Selection.Resolve does. Whoever has read a
// selection asks here: the hosts that it names are those on which the ranks are.
func (r MeshRef) Resolve(sel shape.Selection) ([]shape.Region, error) {
	return sel.ResolveOn(r.View, r.HostOf())
}

// Ranks are the ranks of the mesh that a selection of the reference's slice chooses, sorted.
func (r MeshRef) Ranks(sel shape.Selection) ([]int, error) { return sel.RanksOn(r.View, r.HostOf()) }

// Slice narrows the slice of the reference.
func (r MeshRef) Slice(s ...shape.Sel) (shape.Region, error) {
	return r.View.SliceOn(r.HostOf(), s...)
}

// Grid is the proc mesh as a reference whose ranks are processes: what chooses among them is asked of it.
func (m *ProcMesh) Grid() MeshRef {
	all := shape.RegionOf(m.Extent)
	return MeshRef{Name: m.Name, First: m.FirstProc, Home: all, View: all, Hosts: m.Hosts}
}
