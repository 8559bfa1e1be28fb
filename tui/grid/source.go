package grid

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// nStates is how many states there are; a state's code is its severity.
const nStates = 8

// words are the states by code.
var words = [nStates]string{"idle", "busy", "fault", "starting", "gone", "paused", "warning", "failed"}

// source is a mesh as the world has it.
type source struct {
	name   string
	region shape.Region
	on     shape.HostOf
	n      int
	mesh   *control.Mesh
	procs  *control.ProcMesh
}

// find looks a mesh up. A mesh whose shape does not fit its ranks is shown as a row of ranks: what comes from another
// process may be wrong.
func find(w *world.World, k key) (source, bool) {
	if k.procs {
		for i := range w.ProcMeshes {
			if pm := &w.ProcMeshes[i]; pm.ID == k.id {
				s := source{name: pm.Name, procs: pm, n: pm.Extent.Len()}
				if pm.Extent.Validate(maxRanks) != nil {
					return s, false
				}
				s.region, s.on = shape.RegionOf(pm.Extent), pm.Grid().HostOf()
				return s, true
			}
		}
		return source{}, false
	}
	m, ok := w.MeshByID(k.id)
	if !ok || len(m.Ranks) == 0 || len(m.Ranks) > maxRanks {
		return source{}, false
	}
	s := source{name: m.Ref.Name, mesh: m, n: len(m.Ranks), region: m.Ref.View}
	if v := m.Ref.View; v.Validate() == nil && v.Len() == s.n && v.IsDense() && v.Offset == 0 {
		if m.Ref.Home.Validate() == nil && m.Ref.Home.Len() == s.n {
			s.on = m.Ref.HostOf()
		}
	} else {
		s.region = shape.RegionOf(shape.Extent{{Name: "rank", Size: s.n}})
	}
	return s, true
}

const maxRanks = 1 << 20

// states are the states of all ranks of the mesh that is shown.
type states struct {
	known bool
	rev   uint64
	gone  bool
	codes []uint8
	hints []int32 // where in World.Procs the process of each rank was
	count [nStates]int
	again map[int32]bool  // ranks that are not in their first life
	other map[int32]bool  // ranks on another build than the most
	has   [nMeasures]bool // which measures any rank has a figure of
	hosts []string        // names along the dimension hosts, nil where there are none
	figures
}

// sync reads the states, if the world has changed since, and reports whether there is a mesh to show.
func (p *Pane) sync(w *world.World) bool {
	if p.at == nil {
		return false
	}
	if p.now.known && p.now.rev == w.StateRevision() {
		return true
	}
	s, ok := find(w, p.at.key)
	if !ok || s.n != p.at.n {
		p.now.known = false
		return false
	}
	p.at.name, p.at.on = s.name, s.on
	if len(p.now.codes) != s.n {
		p.now = states{codes: make([]uint8, s.n), hints: make([]int32, s.n)}
	}
	p.now.known, p.now.rev, p.now.count, p.now.again, p.now.other = true, w.StateRevision(), [nStates]int{}, nil, nil
	if hosts := s.hostNames(w); !slices.Equal(hosts, p.now.hosts) {
		p.now.hosts = hosts
		p.at.plan.key = planKey{} // labels have other widths
	}
	p.now.begin(p.measure)
	if s.procs != nil {
		p.now.readProcs(w, s.procs)
	} else {
		p.now.readMesh(w, s.mesh)
	}
	for _, c := range p.now.codes {
		p.now.count[c]++
	}
	if p.now.n == 0 { // no rank has the picked measure
		p.now.measure = States
	}
	return true
}

func (st *states) readProcs(w *world.World, pm *control.ProcMesh) {
	st.gone = pm.Gone
	builds := mixed(w, pm)
	for rank := range st.codes {
		word := world.AbsentWord(pm)
		proc := st.proc(w, rank, pm.FirstProc+uint64(rank))
		if proc != nil {
			word = w.ProcWord(proc)
			st.lived(rank, proc.Restarts)
		}
		st.codes[rank] = uint8(world.Severity(word))
		st.built(rank, proc, builds)
		st.note(rank, proc)
	}
}

// mixed are the builds of processes that run several, nil of others.
func mixed(w *world.World, pm *control.ProcMesh) *world.Builds {
	if b := w.BuildsOf(pm); b.Mixed() {
		return b
	}
	return nil
}

// built notes whether a rank runs another build than the most.
func (st *states) built(rank int, proc *control.Proc, builds *world.Builds) {
	if builds == nil || proc == nil || !builds.Other(proc.Rank) {
		return
	}
	if st.other == nil {
		st.other = map[int32]bool{}
	}
	st.other[int32(rank)] = true
}

// lived notes how often a rank was started anew.
func (st *states) lived(rank, restarts int) {
	if restarts == 0 {
		return
	}
	if st.again == nil {
		st.again = map[int32]bool{}
	}
	st.again[int32(rank)] = true
}

func (st *states) readMesh(w *world.World, m *control.Mesh) {
	st.gone = m.Gone
	home := m.Ref.Home
	placed := home.Validate() == nil && home.Len() == len(st.codes)
	dense := placed && home.IsDense()
	marks := w.MarksOf(m)
	var builds *world.Builds
	if pm, ok := w.ProcMesh(m.Procs); ok && pm.FirstProc == m.Ref.First && !m.Gone {
		builds = mixed(w, pm)
	}
	for rank := range st.codes {
		var proc *control.Proc
		switch {
		case dense:
			proc = st.proc(w, rank, m.Ref.First+uint64(home.Offset+rank))
		case placed:
			proc = st.proc(w, rank, m.Ref.First+uint64(home.RankAt(rank)))
		}
		st.codes[rank] = uint8(world.Severity(world.RankWord(&m.Ranks[rank], proc, marks.At(rank, proc))))
		st.lived(rank, m.Ranks[rank].Restarts)
		st.built(rank, proc, builds)
		st.note(rank, proc)
	}
}

// proc finds a process where it was last time, before it asks.
func (st *states) proc(w *world.World, rank int, id uint64) *control.Proc {
	if at := int(st.hints[rank]); at < len(w.Procs) && w.Procs[at].ID == id {
		return &w.Procs[at]
	}
	if next := int(st.hints[max(0, rank-1)]) + 1; next < len(w.Procs) && w.Procs[next].ID == id {
		st.hints[rank] = int32(next)
		return &w.Procs[next]
	}
	proc, ok := w.Proc(id)
	if !ok {
		return nil
	}
	if rank == 0 {
		st.hints[0] = int32(max(0, slices.IndexFunc(w.Procs, func(o control.Proc) bool { return o.ID == id })))
	}
	return proc
}
