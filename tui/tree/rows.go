package tree

import (
	"slices"
	"strconv"

	"github.com/monarch-tui/monarch-tui/tui/world"
)

// row is one line. What it says is made when it is drawn.
type row struct {
	key
	depth    int8
	last     bool
	foldable bool
	open     bool
	hit      bool   // a filter found it
	guides   uint16 // bit d: a line of depth d follows that belongs to the same one
	pm       int32  // place in model.procs; -1: the mesh is a stray
	mesh     int32  // place in the meshes of pm, or in model.stray
	host     int32  // place in the hosts of pm
	to       int32  // of a run: the last rank
}

// worst is the worst state of what a line stands for.
func (p *Pane) worst(r *row) uint8 {
	switch r.kind {
	case KindSession:
		return p.model.worst
	case KindProcs:
		return p.model.procs[r.pm].all
	case KindMesh:
		return p.meshAt(r.pm, r.mesh).worst
	case KindState:
		return uint8(r.rank)
	case KindHost:
		return p.model.procs[r.pm].hosts[r.host].worst
	case KindRun:
		worst := uint8(world.Gone)
		for _, code := range p.model.procs[r.pm].worst[r.rank : r.to+1] {
			worst = world.Graver(worst, code)
		}
		return worst
	case KindProc:
		return p.model.procs[r.pm].worst[r.rank]
	case KindActor:
		return p.meshAt(r.pm, r.mesh).codes[r.rank]
	case KindNone, KindEnded, KindHint:
	}
	return 0
}

// signAt is the column of the sign that tells whether a line is open.
func (r *row) signAt() int { return 1 + 2*max(0, int(r.depth)-1) + min(1, int(r.depth)) }

// build makes the lines.
func (p *Pane) build() {
	p.model.find(&p.filter)
	p.seen = 0
	p.rows, p.live = p.rows[:0], !p.filter.empty() || p.order == ByState
	if p.model.first {
		for i, h := range hints {
			if h.action == demoHint && p.noDemos {
				continue
			}
			p.rows = append(p.rows, row{key: key{kind: KindHint, rank: int32(i)}})
		}
	} else {
		p.buildSession()
	}
	if p.model.ended > 0 || p.hidden && !p.model.first {
		p.rows = append(p.rows, row{key: key{kind: KindEnded}, depth: int8(min(1, len(p.rows)))})
	}
	p.guide()
}

// guide finds which lines have others of their depth below them.
func (p *Pane) guide() {
	var more uint16
	for i := range slices.Backward(p.rows) {
		r := &p.rows[i]
		bit := uint16(1) << r.depth
		r.last = more&bit == 0
		more |= bit
		more &= bit<<1 - 1
		r.guides = more
	}
}

// add appends a line and what is in it. While a filter is on, a line stays if it matches or holds one that does; one
// that matches can be opened and then holds all.
func (p *Pane) add(r row, all, open bool, children func(all bool)) {
	at := len(p.rows)
	p.seen++
	r.foldable = children != nil
	var turned, ok bool
	if r.foldable {
		if turned, ok = p.turned[r.key]; ok {
			open = turned
		}
	}
	matched := all || p.filter.empty()
	if !matched {
		p.label = p.appendNames(p.label[:0], &r)
		matched = p.filter.match(p.label)
		r.hit = matched
		if !matched || !open || !ok { // look for matches inside
			r.open = children != nil
			p.rows = append(p.rows, r)
			if children != nil {
				children(false)
			}
			if len(p.rows) == at+1 {
				p.rows[at].open = false
				if !matched {
					p.rows = p.rows[:at]
				}
			}
			return
		}
		all = true
	}
	r.open = open && children != nil
	p.rows = append(p.rows, r)
	if r.open {
		children(all)
	}
}

func (p *Pane) buildSession() {
	p.add(row{key: key{kind: KindSession}}, false, true, func(all bool) {
		for i := range p.model.procs {
			p.buildProcs(int32(i), all)
		}
		for i := range p.model.stray {
			p.buildMesh(-1, int32(i), 1, all)
		}
	})
}

// fewProcs is how many processes are listed without being asked for.
const fewProcs = 16

func (p *Pane) buildProcs(at int32, all bool) {
	pm := &p.model.procs[at]
	p.add(row{key: key{kind: KindProcs, id: pm.ID}, depth: 1, pm: at}, all, !pm.Gone, func(all bool) {
		for i := range pm.meshes {
			p.buildMesh(at, int32(i), 2, all)
		}
		if len(pm.hosts) == 1 && pm.hosts[0].rec == nil {
			p.buildRanks(at, 0, 2, all)
			return
		}
		for i := range pm.hosts {
			p.buildHost(at, int32(i), all)
		}
	})
}

// buildHost lists a host and its processes. One that was asked for is itself whatever processes it has; those are on their way while
// it is, and not listed unless somebody wants to see that.
func (p *Pane) buildHost(at, i int32, all bool) {
	pm := &p.model.procs[at]
	h := &pm.hosts[i]
	r := row{key: key{kind: KindHost, id: pm.ID}, depth: 2, pm: at, host: i}
	open := len(pm.procs) <= fewProcs
	if h.rec != nil {
		r.key = key{kind: KindHost, id: h.rec.ID, via: true}
		open = open && slices.ContainsFunc(h.ranks, func(rank int32) bool { return pm.procs[rank] >= 0 })
	} else {
		r.rank = h.ranks[0]
	}
	if len(h.ranks) == 0 {
		p.add(r, all, false, nil)
		return
	}
	p.add(r, all, open, func(all bool) { p.buildRanks(at, i, 3, all) })
}

func (p *Pane) meshAt(pm, at int32) *mesh {
	if pm < 0 {
		return &p.model.stray[at]
	}
	return &p.model.procs[pm].meshes[at]
}

// buildMesh lists the states of an actor mesh, the worst first, and in each the ranks.
func (p *Pane) buildMesh(pm, at int32, depth int8, all bool) {
	m := p.meshAt(pm, at)
	p.add(row{key: key{kind: KindMesh, id: m.Ref.ID}, depth: depth, pm: pm, mesh: at}, all, false, func(all bool) {
		if !all && !p.filter.empty() { // actors are found in their processes
			return
		}
		for code := states - 1; code >= 0; code-- {
			if m.count[code] == 0 {
				continue
			}
			r := row{key: key{kind: KindState, id: m.Ref.ID, rank: int32(code)}, depth: depth + 1, pm: pm, mesh: at}
			p.add(r, all, false, func(all bool) {
				p.live = true
				for rank, c := range m.codes {
					if int(c) == code {
						p.add(row{key: key{KindActor, m.Ref.ID, int32(rank), true}, depth: depth + 2, pm: pm, mesh: at}, all, false, nil)
					}
				}
			})
		}
	})
}

// manyProcs is from how many processes on those of one state are folded, and fewFolded the fewest that are.
const (
	manyProcs = 8
	fewFolded = 4
)

// buildRanks lists processes; of many those side by side in one state are one line.
func (p *Pane) buildRanks(at, hostAt int32, depth int8, all bool) {
	pm := &p.model.procs[at]
	ranks := pm.hosts[hostAt].ranks
	if p.order == ByState {
		ranks = slices.Clone(ranks)
		slices.SortStableFunc(ranks, func(a, b int32) int { return int(pm.worst[b]) - int(pm.worst[a]) })
	}
	for i := 0; i < len(ranks); {
		j := i + 1
		absent := pm.procs[ranks[i]] < 0
		for j < len(ranks) && ranks[j] == ranks[j-1]+1 && pm.own[ranks[j]] == pm.own[ranks[i]] && (pm.procs[ranks[j]] < 0) == absent {
			j++
		}
		few := len(ranks) <= manyProcs || j-i < fewFolded
		if absent && pm.hosts[hostAt].rec != nil { // each would say the same
			few = j-i == 1
		}
		if few || !p.filter.empty() && !all {
			for _, rank := range ranks[i:j] {
				p.buildProc(at, rank, depth, all)
			}
			i = j
			continue
		}
		run := ranks[i:j]
		r := row{key: key{kind: KindRun, id: pm.ID, rank: run[0]}, depth: depth, to: run[len(run)-1], pm: at, host: hostAt}
		p.add(r, all, false, func(all bool) {
			for _, rank := range run {
				p.buildProc(at, rank, depth+1, all)
			}
		})
		i = j
	}
}

func (p *Pane) buildProc(at, rank int32, depth int8, all bool) {
	pm := &p.model.procs[at]
	r := row{key: key{kind: KindProc, id: pm.ID, rank: rank}, depth: depth, pm: at}
	if len(pm.meshes) == 0 {
		p.add(r, all, false, nil)
		return
	}
	p.add(r, all, false, func(all bool) {
		for i := range pm.meshes {
			m := &pm.meshes[i]
			if !m.placed || m.named && !all { // the mesh itself was found
				continue
			}
			actor, ok := m.Ref.Home.IndexOf(int(rank))
			if !ok {
				continue
			}
			p.add(row{key: key{kind: KindActor, id: m.Ref.ID, rank: int32(actor)}, depth: depth + 1, pm: at, mesh: int32(i)}, all, false, nil)
		}
	})
}

// item is what a line stands for.
func (p *Pane) item(r *row) Item {
	it := Item{Kind: r.kind, Rank: -1}
	if r.kind == KindNone || r.kind == KindSession || r.kind == KindEnded {
		return it
	}
	if r.kind == KindHint {
		it.Name = hints[r.rank].action
		return it
	}
	if r.pm >= 0 {
		pm := &p.model.procs[r.pm]
		it.Procs, it.Name = pm.ID, pm.Name
		switch r.kind {
		case KindHost:
			it.Host = pm.hosts[r.host].name
			if rec := pm.hosts[r.host].rec; rec != nil {
				it.HostID = rec.ID
			}
			for _, rank := range pm.hosts[r.host].ranks {
				it.Ranks = append(it.Ranks, int(rank))
			}
		case KindRun:
			for rank := r.rank; rank <= r.to; rank++ {
				it.Ranks = append(it.Ranks, int(rank))
			}
		case KindProc:
			it.Proc, it.Rank = pm.FirstProc+uint64(r.rank), int(r.rank)
		case KindNone, KindSession, KindProcs, KindMesh, KindState, KindActor, KindEnded, KindHint:
		}
	}
	if r.kind != KindMesh && r.kind != KindState && r.kind != KindActor {
		return it
	}
	m := p.meshAt(r.pm, r.mesh)
	it.Mesh, it.Name = m.Ref.ID, m.Ref.Name
	switch r.kind {
	case KindState:
		it.State = words[r.rank]
		for rank, c := range m.codes {
			if int32(c) == r.rank {
				it.Ranks = append(it.Ranks, rank)
			}
		}
	case KindActor:
		it.Rank = int(r.rank)
		if m.placed {
			it.Proc = m.Ref.First + uint64(m.Ref.Home.RankAt(int(r.rank)))
		}
	case KindNone, KindSession, KindProcs, KindMesh, KindHost, KindRun, KindProc, KindEnded, KindHint:
	}
	return it
}

// appendLabel writes the name of a line.
func (p *Pane) appendLabel(b []byte, r *row) []byte {
	switch r.kind {
	case KindSession:
		return append(b, p.model.w.Session.Name...)
	case KindProcs:
		return append(b, p.model.procs[r.pm].Name...)
	case KindMesh:
		return append(b, p.meshAt(r.pm, r.mesh).Ref.Name...)
	case KindState:
		m := p.meshAt(r.pm, r.mesh)
		b = strconv.AppendInt(b, int64(m.count[r.rank]), 10)
		return append(append(b, ' '), called(int(r.rank))...)
	case KindHost:
		if name := p.model.procs[r.pm].hosts[r.host].name; name != "" {
			return append(b, name...)
		}
		return append(b, "no host yet"...)
	case KindRun, KindProc:
		return p.appendProc(b, r)
	case KindActor:
		b = append(b, p.meshAt(r.pm, r.mesh).Ref.Name...)
		b = strconv.AppendInt(append(b, '['), int64(r.rank), 10)
		return append(b, ']')
	case KindEnded:
		if p.hidden {
			return append(b, "ended"...)
		}
		return append(strconv.AppendInt(b, int64(p.model.ended), 10), " ended"...)
	case KindNone, KindHint:
	}
	return b
}

// appendProc writes gpu-3, rank 3 where there are no GPU slots, and gpu-3…7 for a run.
func (p *Pane) appendProc(b []byte, r *row) []byte {
	pm := &p.model.procs[r.pm]
	n, name := int64(r.rank), "rank "
	if at := pm.procs[r.rank]; at >= 0 && p.model.w.Procs[at].Slot >= 0 {
		n, name = int64(p.model.w.Procs[at].Slot), "gpu-"
	}
	b = strconv.AppendInt(append(b, name...), n, 10)
	if r.kind == KindRun {
		b = strconv.AppendInt(append(b, "…"...), n+int64(r.to-r.rank), 10)
	}
	return b
}

// appendNames writes what a filter finds a line by: its name, and the type of a mesh. Counts and states come and go, and
// so would the line.
func (p *Pane) appendNames(b []byte, r *row) []byte {
	switch r.kind {
	case KindMesh:
		return append(append(p.appendLabel(b, r), ' '), shortType(p.meshAt(r.pm, r.mesh).Ref.Type)...)
	case KindHost:
		return append(b, p.model.procs[r.pm].hosts[r.host].name...)
	case KindSession, KindProcs, KindRun, KindProc, KindActor:
		return p.appendLabel(b, r)
	case KindNone, KindState, KindEnded, KindHint:
	}
	return b
}

// called is what a state is called of actors.
func called(code int) string {
	if words[code] == "warning" {
		return "backlog"
	}
	return words[code]
}
