package script

import (
	"cmp"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// machineValues are how the machines of the proc meshes are that have not ended, as the name machines has it.
func machineValues(p *control.Replica) []any {
	place := map[string]uint64{}
	for i := range p.ProcMeshes {
		if pm := &p.ProcMeshes[i]; !pm.Gone && pm.Via != "" {
			place[pm.Name] = pm.ID
		}
	}
	newest := map[[2]uint64]*control.Host{} // an earlier mesh may have had that name
	for i := range p.Hosts {
		h := &p.Hosts[i]
		at := [2]uint64{place[h.Mesh], uint64(h.Index)}
		if at[0] != 0 && (newest[at] == nil || newest[at].ID < h.ID) {
			newest[at] = h
		}
	}
	list := make([]*control.Host, 0, len(newest))
	for _, h := range newest {
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b *control.Host) int {
		return cmp.Or(cmp.Compare(place[a.Mesh], place[b.Mesh]), cmp.Compare(a.Index, b.Index))
	})
	out := make([]any, 0, len(list))
	for _, h := range list {
		out = append(out, h.Called()+" "+h.State)
	}
	return out
}
