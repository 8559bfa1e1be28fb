package tree

import (
	"cmp"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// words are the states by severity; a code is a place in it.
var words = [states]string{"idle", "busy", "fault", "starting", "gone", "paused", "warning", "failed"}

const states = 8

// model is the world by proc mesh, with the worst states of what may be folded.
type model struct {
	w     *world.World
	procs []procMesh
	stray []mesh // actor meshes whose proc mesh is not known
	ended int    // things that are hidden
	first bool   // there is nothing at all
	live  int    // processes that have not ended
	worst uint8
}

// procMesh is a proc mesh with what lives on it.
type procMesh struct {
	*control.ProcMesh
	procs  []int32 // places in World.Procs by rank, -1 where there is none
	worst  []uint8 // by rank, of the process and its actors
	own    []uint8 // by rank, of the process alone
	hosts  []host
	meshes []mesh
	all    uint8 // the worst of all
	live   int   // processes that have not ended
}

type host struct {
	name  string
	ranks []int32
	worst uint8
	rec   *control.Host // nil: of the controller's own machine, or of none yet
}

// mesh is an actor mesh with the states of its ranks.
type mesh struct {
	*control.Mesh
	codes  []uint8
	count  [states]int
	worst  uint8
	named  bool // a filter finds its name
	placed bool // Ref.Home tells the process of each rank
}

// read reads the world. What it held before is used again: a world of a hundred thousand ranks changes many times a
// second.
func (m *model) read(w *world.World, hidden bool) {
	old := m.procs[:cap(m.procs)]
	*m = model{w: w, procs: m.procs[:0], worst: world.Gone, first: len(w.ProcMeshes) == 0 && len(w.Meshes) == 0}
	place := map[string]int{}
	for i := range w.ProcMeshes {
		pm := &w.ProcMeshes[i]
		if pm.Gone && !hidden {
			m.ended++
			continue
		}
		n := pm.Extent.Len()
		if n <= 0 || n > maxRanks {
			n = 0
		}
		var p procMesh
		if at := len(m.procs); at < len(old) {
			p = old[at]
		}
		m.procs = append(m.procs, procMesh{
			ProcMesh: pm, procs: sized(p.procs, n), worst: sized(p.worst, n), own: sized(p.own, n), hosts: p.hosts[:0], meshes: p.meshes[:0],
		})
		place[pm.Name] = len(m.procs) - 1 // of one name the newest comes last
	}
	m.readProcs()
	for i := range w.Meshes {
		am := &w.Meshes[i]
		if am.Gone && !hidden {
			m.ended++
			continue
		}
		at, ok := place[am.Procs]
		if ok && !m.procs[at].holds(am) {
			at = slices.IndexFunc(m.procs, func(p procMesh) bool { return p.holds(am) })
			ok = at >= 0
		}
		if !ok {
			m.stray = append(m.stray, m.readMesh(am, nil, nil))
			continue
		}
		pm := &m.procs[at]
		var codes []uint8
		if next := len(pm.meshes); next < cap(pm.meshes) {
			codes = pm.meshes[:next+1][next].codes
		}
		pm.meshes = append(pm.meshes, m.readMesh(am, pm, codes))
	}
	for i := range m.procs {
		m.procs[i].sum()
		m.worst = world.Graver(m.worst, m.procs[i].all)
	}
	if len(m.procs) == 0 {
		m.worst = 0
	}
	if m.ended > 0 && len(m.procs) == 0 && len(m.stray) == 0 {
		m.first = !hidden
	}
}

// sized is a buffer of n elements, the old one where it is large enough.
func sized[T any](old []T, n int) []T {
	if cap(old) >= n {
		return old[:n]
	}
	return make([]T, n)
}

// signature changes when there are other lines, or in another order, as long as no filter is on, none is open that lists
// actors by state, and none are ordered by it.
func (m *model) signature() uint64 {
	h := uint64(14695981039346656037) // FNV-1a, a number at a time
	mix := func(x uint64) { h = (h ^ x) * 1099511628211 }
	flag := func(b bool) {
		if b {
			mix(1)
		} else {
			mix(2)
		}
	}
	flag(m.first)
	mix(uint64(m.ended))
	meshes := func(list []mesh) {
		mix(uint64(len(list)))
		for i := range list {
			mix(list[i].Ref.ID)
			flag(list[i].placed)
			for _, n := range list[i].count {
				flag(n > 0)
			}
		}
	}
	meshes(m.stray)
	for i := range m.procs {
		pm := &m.procs[i]
		mix(pm.ID)
		flag(pm.Gone)
		meshes(pm.meshes)
		mix(uint64(len(pm.hosts)))
		for i := range pm.hosts {
			if rec := pm.hosts[i].rec; rec != nil {
				mix(rec.ID)
			}
			for _, rank := range pm.hosts[i].ranks {
				mix(uint64(rank)<<8 | uint64(pm.own[rank]))
				flag(pm.procs[rank] < 0)
			}
		}
	}
	return h
}

const maxRanks = 1 << 20

// holds reports whether an actor mesh lives on these processes: names may be used again.
func (p *procMesh) holds(am *control.Mesh) bool {
	return p.Name == am.Procs && p.FirstProc == am.Ref.First
}

// readProcs finds the processes of the proc meshes: their ids are in a row.
func (m *model) readProcs() {
	for i := range m.procs {
		absent := uint8(world.Severity(world.AbsentWord(m.procs[i].ProcMesh)))
		for rank := range m.procs[i].procs {
			m.procs[i].procs[rank] = -1
			m.procs[i].own[rank] = absent
		}
	}
	if len(m.procs) == 0 {
		return
	}
	order := make([]int, len(m.procs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(m.procs[a].FirstProc, m.procs[b].FirstProc) })
	pm := &m.procs[order[0]]
	for i := range m.w.Procs {
		proc := &m.w.Procs[i]
		if proc.ID < pm.FirstProc || proc.ID-pm.FirstProc >= uint64(len(pm.procs)) {
			at, exact := slices.BinarySearchFunc(order, proc.ID, func(i int, id uint64) int { return cmp.Compare(m.procs[i].FirstProc, id) })
			if !exact {
				at--
			}
			if at < 0 {
				continue
			}
			pm = &m.procs[order[at]]
			if proc.ID-pm.FirstProc >= uint64(len(pm.procs)) {
				continue
			}
		}
		rank := proc.ID - pm.FirstProc
		pm.procs[rank], pm.own[rank] = int32(i), uint8(world.Severity(m.w.ProcWord(proc)))
	}
	for i := range m.procs {
		pm := &m.procs[i]
		pm.live = 0
		for _, at := range pm.procs {
			if !pm.Gone && (at < 0 || !m.w.Procs[at].Over()) { // as World.AliveOf
				pm.live++
			}
		}
		m.live += pm.live
		copy(m.procs[i].worst, m.procs[i].own)
		m.procs[i].findHosts(m.w)
	}
}

// findHosts groups the processes by host. There may be thousands of hosts, and the processes of one may stand apart. Those that a
// launcher was asked for are there before their processes, by place.
func (p *procMesh) findHosts(w *world.World) {
	type hostKey struct {
		id   uint64 // 0: of the controller's own machine
		name string
	}
	at := map[hostKey]int{}
	add := func(k hostKey, h host) int {
		if next := len(p.hosts); next < cap(p.hosts) {
			h.ranks = p.hosts[:next+1][next].ranks[:0]
		}
		h.worst = world.Gone
		p.hosts = append(p.hosts, h)
		at[k] = len(p.hosts) - 1
		return at[k]
	}
	recs := w.HostsOf(p.ProcMesh)
	byIndex := make(map[int]hostKey, len(recs))
	for _, rec := range recs {
		k := hostKey{id: rec.ID}
		byIndex[rec.Index] = k
		add(k, host{name: rec.Called(), rec: rec})
	}
	along := world.Along(p.ProcMesh)
	last := -1
	var was hostKey
	for rank, proc := range p.procs {
		k := hostKey{}
		if proc >= 0 {
			if k.id = w.Procs[proc].HostID; k.id == 0 {
				k.name = w.Procs[proc].Host
			}
		}
		if k == (hostKey{}) && len(recs) > 0 { // it is not there yet
			k = byIndex[along(rank)]
		}
		if last < 0 || was != k {
			place, known := at[k]
			if !known {
				name := k.name
				if proc >= 0 {
					name = w.Procs[proc].Host
				}
				place = add(k, host{name: name})
			}
			last, was = place, k
		}
		p.hosts[last].ranks = append(p.hosts[last].ranks, int32(rank))
		if rec := p.hosts[last].rec; proc < 0 && rec != nil && rec.Over() { // nor will it be
			p.own[rank], p.worst[rank] = world.Gone, world.Gone
		}
	}
}

// readMesh reads the states of an actor mesh, and tells its processes.
func (m *model) readMesh(am *control.Mesh, pm *procMesh, codes []uint8) mesh {
	out := mesh{Mesh: am, codes: sized(codes, len(am.Ranks)), worst: world.Gone}
	home := am.Ref.Home
	placed := pm != nil && home.Validate() == nil && home.Len() == len(am.Ranks)
	dense := placed && home.IsDense()
	out.placed = placed
	marks := m.w.MarksOf(am)
	for rank := range am.Ranks {
		at := -1
		switch {
		case dense:
			at = home.Offset + rank
		case placed:
			at = home.RankAt(rank)
		}
		var proc *control.Proc
		if at >= 0 && at < len(pm.procs) && pm.procs[at] >= 0 {
			proc = &m.w.Procs[pm.procs[at]]
		}
		code := uint8(world.Severity(world.RankWord(&am.Ranks[rank], proc, marks.At(rank, proc))))
		out.codes[rank] = code
		out.count[code]++
		out.worst = world.Graver(out.worst, code)
		if proc != nil && !am.Gone {
			pm.worst[at] = world.Graver(pm.worst[at], code)
		}
	}
	out.worst = whole(out.worst, am.State, am.Gone)
	return out
}

// whole is the state of a mesh by the worst of its ranks and by its own record.
func whole(worst uint8, state string, gone bool) uint8 {
	if word := world.MeshWord(state, gone); gone || word == "failed" {
		return max(worst, uint8(world.Severity(word)))
	}
	return worst
}

// sum finds the worst of hosts and of all.
func (p *procMesh) sum() {
	p.all = world.Gone
	for i := range p.hosts {
		if rec := p.hosts[i].rec; rec != nil {
			p.hosts[i].worst = uint8(world.Severity(world.HostWord(rec)))
		}
		for _, rank := range p.hosts[i].ranks {
			p.hosts[i].worst = world.Graver(p.hosts[i].worst, p.worst[rank])
		}
		p.all = world.Graver(p.all, p.hosts[i].worst)
	}
	for _, m := range p.meshes {
		if !m.Gone {
			p.all = world.Graver(p.all, m.worst)
		}
	}
	p.all = whole(p.all, p.State, p.Gone)
}

// sort brings proc meshes, actor meshes and hosts into an order.
func (m *model) sort(o Order) {
	compare := func(a, b string, x, y uint8, i, j uint64) int {
		switch {
		case o == ByName && a != b:
			return strings.Compare(a, b)
		case o == ByState && x != y:
			return cmp.Compare(y, x)
		}
		return cmp.Compare(i, j)
	}
	slices.SortFunc(m.procs, func(a, b procMesh) int { return compare(a.Name, b.Name, a.all, b.all, a.ID, b.ID) })
	meshes := func(list []mesh) {
		slices.SortFunc(list, func(a, b mesh) int {
			return compare(a.Ref.Name, b.Ref.Name, a.worst, b.worst, a.Ref.ID, b.Ref.ID)
		})
	}
	meshes(m.stray)
	for i := range m.procs {
		meshes(m.procs[i].meshes)
		if o == ByState {
			slices.SortStableFunc(m.procs[i].hosts, func(a, b host) int { return cmp.Compare(b.worst, a.worst) })
		}
	}
}

// find marks the actor meshes whose names a filter finds: their actors need not be found one by one.
func (m *model) find(f *filter) {
	if f.empty() {
		return
	}
	mark := func(list []mesh) {
		for i := range list {
			list[i].named = f.match([]byte(list[i].Ref.Name + " " + shortType(list[i].Ref.Type)))
		}
	}
	mark(m.stray)
	for i := range m.procs {
		mark(m.procs[i].meshes)
	}
}
