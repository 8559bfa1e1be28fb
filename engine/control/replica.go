package control

import (
	"maps"
	"slices"
)

// Replica is a session as a front end knows it: a snapshot that updates are applied to. It is for one goroutine.
type Replica struct {
	Snapshot // lists in no particular order; read it, change it only by Apply
	Failures []Failure
	Dropped  Dropped // counts since the start: what this client missed

	procMeshes, meshes map[string]int // newest by name
	procs, calls       map[uint64]int
	hosts              map[uint64]int // there may be thousands, and each tells its round trip
}

// maxFailures bounds Replica.Failures; the newest are kept.
const maxFailures = 256

// Apply brings the replica up to date.
func (r *Replica) Apply(u Update) {
	for _, ev := range u.Events {
		if ev.Dropped != nil {
			r.Dropped.State += ev.Dropped.State
			r.Dropped.Data += ev.Dropped.Data
		}
	}
	if u.Snapshot != nil {
		r.reset(u.Snapshot)
	}
	for _, ev := range u.Events {
		if !ev.IsData() && ev.Dropped == nil {
			r.event(ev)
		}
		r.Seq = max(r.Seq, ev.Seq)
	}
}

func (r *Replica) reset(s *Snapshot) {
	r.Snapshot = *s
	r.ProcMeshes, r.Procs, r.Meshes = slices.Clone(s.ProcMeshes), slices.Clone(s.Procs), slices.Clone(s.Meshes)
	r.Types, r.Hosts, r.Calls, r.Clients = slices.Clone(s.Types), slices.Clone(s.Hosts), slices.Clone(s.Calls), slices.Clone(s.Clients)
	r.Waits, r.Stops, r.Breaks = slices.Clone(s.Waits), slices.Clone(s.Stops), slices.Clone(s.Breaks)
	r.Restarts, r.Faults, r.Reloads = slices.Clone(s.Restarts), slices.Clone(s.Faults), slices.Clone(s.Reloads)
	r.procMeshes, r.meshes = make(map[string]int), make(map[string]int)
	r.procs, r.calls = make(map[uint64]int, len(r.Procs)), make(map[uint64]int)
	r.hosts = make(map[uint64]int, len(r.Hosts))
	for i := range r.ProcMeshes {
		r.procMeshes[r.ProcMeshes[i].Name] = i
	}
	for i := range r.Meshes {
		r.Meshes[i].Ranks = slices.Clone(r.Meshes[i].Ranks)
		r.meshes[r.Meshes[i].Ref.Name] = i
	}
	for i := range r.Procs {
		r.procs[r.Procs[i].ID] = i
	}
	for i := range r.Calls {
		r.calls[r.Calls[i].ID] = i
	}
	for i := range r.Hosts {
		r.hosts[r.Hosts[i].ID] = i
	}
}

func (r *Replica) event(ev *Event) {
	if r.procs == nil {
		r.reset(&Snapshot{})
	}
	switch {
	case ev.Session != nil:
		r.Session = *ev.Session
	case ev.Host != nil:
		putAt(&r.Hosts, r.hosts, ev.Host.ID, *ev.Host)
	case ev.ProcMesh != nil:
		r.procMeshes[ev.ProcMesh.Name] = put(&r.ProcMeshes, *ev.ProcMesh, func(m *ProcMesh) bool { return m.ID == ev.ProcMesh.ID })
	case ev.Proc != nil:
		putAt(&r.Procs, r.procs, ev.Proc.ID, *ev.Proc)
	case ev.Mesh != nil:
		m := *ev.Mesh
		m.Ranks = slices.Clone(m.Ranks)
		r.meshes[m.Ref.Name] = put(&r.Meshes, m, func(o *Mesh) bool { return o.Ref.ID == m.Ref.ID })
	case ev.Rank != nil:
		if i, ok := r.meshes[ev.Rank.Mesh]; ok && ev.Rank.Rank >= 0 && ev.Rank.Rank < len(r.Meshes[i].Ranks) {
			r.Meshes[i].Ranks[ev.Rank.Rank] = ev.Rank.State
		}
	case ev.Type != nil:
		r.typ(*ev.Type)
	case ev.Call != nil:
		r.call(ev.Call)
	case ev.Client != nil:
		r.client(ev.Client)
	case ev.Waits != nil:
		r.Waits = slices.DeleteFunc(r.Waits, func(w WaitEdge) bool { return w.Proc == ev.Waits.Proc })
		r.Waits = append(r.Waits, ev.Waits.Edges...)
	case ev.Stop != nil:
		same := func(s *Stop) bool { return s.ID == ev.Stop.Stop.ID }
		if !ev.Stop.Gone {
			put(&r.Stops, ev.Stop.Stop, same)
			break
		}
		r.Stops = slices.DeleteFunc(r.Stops, func(s Stop) bool { return same(&s) })
	case ev.Break != nil:
		same := func(b *Breakpoint) bool { return b.ID == ev.Break.Break.ID }
		if !ev.Break.Gone {
			put(&r.Breaks, ev.Break.Break, same)
			break
		}
		r.Breaks = slices.DeleteFunc(r.Breaks, func(b Breakpoint) bool { return same(&b) })
	case ev.Fault != nil:
		same := func(f *Fault) bool { return f.ID == ev.Fault.Fault.ID }
		if !ev.Fault.Gone {
			put(&r.Faults, ev.Fault.Fault, same)
			break
		}
		r.Faults = slices.DeleteFunc(r.Faults, func(f Fault) bool { return same(&f) })
	case ev.Debug != nil:
		r.Debug = *ev.Debug
	case ev.Restart != nil:
		r.Restarts = AddRestart(r.Restarts, *ev.Restart)
	case ev.Reload != nil:
		r.Reloads = AddReload(r.Reloads, *ev.Reload)
	case ev.Failure != nil:
		r.Failures = append(r.Failures, *ev.Failure)
		r.Failures = r.Failures[max(0, len(r.Failures)-maxFailures):]
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

// typ takes a type that is new, or came with another build.
func (r *Replica) typ(t Type) {
	if len(t.Named) > 0 {
		named := maps.Clone(r.Named) // the snapshot's is the server's in the process
		if named == nil {
			named = t.Named
		}
		maps.Copy(named, t.Named)
		r.Named, t.Named = named, nil
	}
	put(&r.Types, t, func(old *Type) bool { return old.Full == t.Full })
}

func (r *Replica) call(ev *CallEvent) {
	if !ev.Done {
		putAt(&r.Calls, r.calls, ev.Call.ID, ev.Call)
		return
	}
	i, ok := r.calls[ev.Call.ID]
	if !ok {
		return
	}
	last := len(r.Calls) - 1
	r.Calls[i] = r.Calls[last]
	r.calls[r.Calls[i].ID] = i
	r.Calls = r.Calls[:last]
	delete(r.calls, ev.Call.ID)
}

func (r *Replica) client(ev *Presence) {
	same := func(c *ClientInfo) bool { return c.ID == ev.Client.ID }
	if !ev.Gone {
		put(&r.Clients, ev.Client, same)
		return
	}
	r.Clients = slices.DeleteFunc(r.Clients, func(c ClientInfo) bool { return same(&c) })
}

// ProcMesh finds the newest proc mesh of a name.
func (r *Replica) ProcMesh(name string) (*ProcMesh, bool) {
	if i, ok := r.procMeshes[name]; ok {
		return &r.ProcMeshes[i], true
	}
	return nil, false
}

// Mesh finds the newest actor mesh of a name.
func (r *Replica) Mesh(name string) (*Mesh, bool) {
	if i, ok := r.meshes[name]; ok {
		return &r.Meshes[i], true
	}
	return nil, false
}

// Proc finds a proc by its id.
func (r *Replica) Proc(id uint64) (*Proc, bool) {
	if i, ok := r.procs[id]; ok {
		return &r.Procs[i], true
	}
	return nil, false
}

// Host finds a host by its id.
func (r *Replica) Host(id uint64) (*Host, bool) {
	if i, ok := r.hosts[id]; ok {
		return &r.Hosts[i], true
	}
	return nil, false
}

// Type finds an actor type by its short or full name.
func (r *Replica) Type(name string) (*Type, bool) {
	for i := range r.Types {
		if r.Types[i].Name == name || r.Types[i].Full == name {
			return &r.Types[i], true
		}
	}
	return nil, false
}
