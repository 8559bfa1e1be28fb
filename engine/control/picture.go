package control

import "slices"

// Picture is a session as a front end knows it: a snapshot that updates are applied to. It is for one goroutine.
type Picture struct {
	Snapshot // lists in no particular order; read it, change it only by Apply
	Failures []Failure
	Dropped  Dropped // counts since the start: what this client missed

	procMeshes, meshes map[string]int // newest by name
	procs, calls       map[uint64]int
}

// maxFailures bounds Picture.Failures; the newest are kept.
const maxFailures = 256

// Apply brings the picture up to date.
func (p *Picture) Apply(u Update) {
	for _, ev := range u.Events {
		if ev.Dropped != nil {
			p.Dropped.State += ev.Dropped.State
			p.Dropped.Data += ev.Dropped.Data
		}
	}
	if u.Snapshot != nil {
		p.reset(u.Snapshot)
	}
	for _, ev := range u.Events {
		if !ev.IsData() && ev.Dropped == nil {
			p.event(ev)
		}
		p.Seq = max(p.Seq, ev.Seq)
	}
}

func (p *Picture) reset(s *Snapshot) {
	p.Snapshot = *s
	p.ProcMeshes, p.Procs, p.Meshes = slices.Clone(s.ProcMeshes), slices.Clone(s.Procs), slices.Clone(s.Meshes)
	p.Types, p.Hosts, p.Calls, p.Clients = slices.Clone(s.Types), slices.Clone(s.Hosts), slices.Clone(s.Calls), slices.Clone(s.Clients)
	p.Waits = slices.Clone(s.Waits)
	p.procMeshes, p.meshes = make(map[string]int), make(map[string]int)
	p.procs, p.calls = make(map[uint64]int, len(p.Procs)), make(map[uint64]int)
	for i := range p.ProcMeshes {
		p.procMeshes[p.ProcMeshes[i].Name] = i
	}
	for i := range p.Meshes {
		p.Meshes[i].Ranks = slices.Clone(p.Meshes[i].Ranks)
		p.meshes[p.Meshes[i].Ref.Name] = i
	}
	for i := range p.Procs {
		p.procs[p.Procs[i].ID] = i
	}
	for i := range p.Calls {
		p.calls[p.Calls[i].ID] = i
	}
}

func (p *Picture) event(ev *Event) {
	if p.procs == nil {
		p.reset(&Snapshot{})
	}
	switch {
	case ev.Session != nil:
		p.Session = *ev.Session
	case ev.Host != nil:
		put(&p.Hosts, *ev.Host, func(h *Host) bool { return h.Name == ev.Host.Name })
	case ev.ProcMesh != nil:
		p.procMeshes[ev.ProcMesh.Name] = put(&p.ProcMeshes, *ev.ProcMesh, func(m *ProcMesh) bool { return m.ID == ev.ProcMesh.ID })
	case ev.Proc != nil:
		putAt(&p.Procs, p.procs, ev.Proc.ID, *ev.Proc)
	case ev.Mesh != nil:
		m := *ev.Mesh
		m.Ranks = slices.Clone(m.Ranks)
		p.meshes[m.Ref.Name] = put(&p.Meshes, m, func(o *Mesh) bool { return o.Ref.ID == m.Ref.ID })
	case ev.Rank != nil:
		if i, ok := p.meshes[ev.Rank.Mesh]; ok && ev.Rank.Rank >= 0 && ev.Rank.Rank < len(p.Meshes[i].Ranks) {
			p.Meshes[i].Ranks[ev.Rank.Rank] = ev.Rank.State
		}
	case ev.Type != nil:
		put(&p.Types, *ev.Type, func(t *Type) bool { return t.Full == ev.Type.Full })
	case ev.Call != nil:
		p.call(ev.Call)
	case ev.Client != nil:
		p.client(ev.Client)
	case ev.Waits != nil:
		p.Waits = slices.DeleteFunc(p.Waits, func(w WaitEdge) bool { return w.Proc == ev.Waits.Proc })
		p.Waits = append(p.Waits, ev.Waits.Edges...)
	case ev.Failure != nil:
		p.Failures = append(p.Failures, *ev.Failure)
		p.Failures = p.Failures[max(0, len(p.Failures)-maxFailures):]
	}
}

func put[T any](list *[]T, v T, same func(*T) bool) int {
	for i := range *list {
		if same(&(*list)[i]) {
			(*list)[i] = v
			return i
		}
	}
	*list = append(*list, v)
	return len(*list) - 1
}

func putAt[T any](list *[]T, index map[uint64]int, id uint64, v T) {
	if i, ok := index[id]; ok {
		(*list)[i] = v
		return
	}
	index[id] = len(*list)
	*list = append(*list, v)
}

func (p *Picture) call(ev *CallEvent) {
	if !ev.Done {
		putAt(&p.Calls, p.calls, ev.Call.ID, ev.Call)
		return
	}
	i, ok := p.calls[ev.Call.ID]
	if !ok {
		return
	}
	last := len(p.Calls) - 1
	p.Calls[i] = p.Calls[last]
	p.calls[p.Calls[i].ID] = i
	p.Calls = p.Calls[:last]
	delete(p.calls, ev.Call.ID)
}

func (p *Picture) client(ev *Presence) {
	same := func(c *ClientInfo) bool { return c.ID == ev.Client.ID }
	if !ev.Gone {
		put(&p.Clients, ev.Client, same)
		return
	}
	p.Clients = slices.DeleteFunc(p.Clients, func(c ClientInfo) bool { return same(&c) })
}

// ProcMesh finds the newest proc mesh of a name.
func (p *Picture) ProcMesh(name string) (*ProcMesh, bool) {
	if i, ok := p.procMeshes[name]; ok {
		return &p.ProcMeshes[i], true
	}
	return nil, false
}

// Mesh finds the newest actor mesh of a name.
func (p *Picture) Mesh(name string) (*Mesh, bool) {
	if i, ok := p.meshes[name]; ok {
		return &p.Meshes[i], true
	}
	return nil, false
}

// Proc finds a proc by its id.
func (p *Picture) Proc(id uint64) (*Proc, bool) {
	if i, ok := p.procs[id]; ok {
		return &p.Procs[i], true
	}
	return nil, false
}

// Type finds an actor type by its short or full name.
func (p *Picture) Type(name string) (*Type, bool) {
	for i := range p.Types {
		if p.Types[i].Name == name || p.Types[i].Full == name {
			return &p.Types[i], true
		}
	}
	return nil, false
}
