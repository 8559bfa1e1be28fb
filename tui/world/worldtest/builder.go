package worldtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Builder is a world and the means to change it. Whatever a test names that is not there fails the test.
type Builder struct {
	*world.World
	t      testing.TB
	seq    uint64
	nextID uint64
	proc   uint64 // first id of the next proc mesh
}

// Start is what the clock of a new world shows.
func Start() time.Time { return time.Date(2026, time.March, 5, 12, 4, 42, 107_000_000, time.UTC) }

// New makes the world of a session named demo in which nothing was created yet.
func New(t testing.TB) *Builder {
	t.Helper()
	b := &Builder{World: world.New(), t: t, nextID: 100, proc: 1}
	b.Now = Start()
	b.World.Apply(control.Update{Snapshot: &control.Snapshot{
		Time: b.Now,
		Session: control.Session{
			Name: "demo", Program: "monarch-tui", PID: 4711, Build: "b1", Engine: "v0.1.0", State: "running",
			Started: b.Now.Add(-42 * time.Second), Dir: "/run/user/1000/monarch/demo",
		},
	}})
	return b
}

// Tick moves the clock.
func (b *Builder) Tick(d time.Duration) { b.Now = b.Now.Add(d) }

// Apply applies events as one update, with sequence numbers and times where they have none.
func (b *Builder) Apply(events ...*control.Event) {
	for _, ev := range events {
		b.seq++
		ev.Seq = b.seq
		if ev.Time.IsZero() {
			ev.Time = b.Now
		}
	}
	b.World.Apply(control.Update{Events: events})
}

// Opts are what a proc mesh may be besides its extent.
type Opts struct {
	InProcess bool
	Virtual   bool   // GPU slots without devices
	Owner     string // an actor, e.g. "@trainer[0]"
	State     string // of all procs; ready when empty
	PerHost   int    // procs on one host; 0: along a dimension "hosts", or all on "local"
}

// Procs creates a proc mesh. Ranks have pids from 5001 on, GPU slots along a dimension "gpus" or within a host.
func (b *Builder) Procs(name string, extent shape.Extent, o Opts) control.ProcMesh {
	b.t.Helper()
	n := extent.Len()
	if o.State == "" {
		o.State = "ready"
	}
	pm := control.ProcMesh{
		ID: b.id(), Name: name, Extent: extent, FirstProc: b.proc, Owner: o.Owner, InProcess: o.InProcess, Virtual: o.Virtual, State: "running",
	}
	b.proc += uint64(n)
	events := []*control.Event{{ProcMesh: &pm}}
	hosts, named := extent.Size("hosts")
	if o.PerHost == 0 && named {
		o.PerHost = max(1, n/hosts)
	}
	for rank := range n {
		p := &control.Proc{
			ID: pm.FirstProc + uint64(rank), Mesh: name, Rank: rank, Host: "local", PID: 5001 + int(pm.FirstProc) + rank - 1, Slot: -1, CPUs: fmt.Sprint(rank % 8),
			Procs: 1, State: o.State, Since: b.Now.Add(-30 * time.Second), Build: "b1", RSS: 48<<20 + uint64(rank)<<16,
		}
		if o.PerHost > 0 {
			p.Host, p.Slot, p.Device = fmt.Sprintf("host-%d", rank/o.PerHost), rank%o.PerHost, "NVIDIA H100 80GB HBM3"
		} else if c, ok := extent.Point(rank).Coord("gpus"); ok {
			p.Slot, p.Device = c, "NVIDIA H100 80GB HBM3"
		}
		if o.Virtual && p.Slot >= 0 {
			p.Device = "virtual"
		}
		if o.InProcess {
			p.PID, p.RSS = 0, 0
		}
		events = append(events, &control.Event{Proc: p})
	}
	b.Apply(events...)
	return pm
}

// Mesh spawns an actor mesh on a whole proc mesh, all ranks idle.
func (b *Builder) Mesh(name, procs, typ string) control.Mesh {
	b.t.Helper()
	return b.MeshOn(name, procs, typ, shape.RegionOf(b.procMesh(procs).Extent))
}

// MeshOn spawns an actor mesh on a slice of a proc mesh, all ranks idle.
func (b *Builder) MeshOn(name, procs, typ string, home shape.Region) control.Mesh {
	b.t.Helper()
	pm := b.procMesh(procs)
	m := control.Mesh{
		Ref:   control.MeshRef{ID: b.id(), Name: name, Type: typ, First: pm.FirstProc, Home: home, View: shape.RegionOf(home.Extent()), Hosts: pm.Hosts},
		Procs: procs, State: "running", Ranks: make([]control.RankState, home.Len()),
	}
	for i := range m.Ranks {
		m.Ranks[i] = control.RankState{State: "idle", Since: b.Now.Add(-20 * time.Second)}
	}
	began := b.Now
	if _, successor := b.Replica.Mesh(name); !successor {
		began = b.Now.Add(-time.Hour) // its messages come later, with times of before
	}
	b.Apply(&control.Event{Mesh: &m, Time: began})
	return m
}

// Rank changes the state and the mailbox of one actor.
func (b *Builder) Rank(mesh string, rank int, state string, queue int) {
	b.t.Helper()
	b.EditRank(mesh, rank, func(r *control.RankState) { r.State, r.Queue, r.Since = state, queue, b.Now })
}

// EditRank changes whatever a test wants of one actor.
func (b *Builder) EditRank(mesh string, rank int, edit func(*control.RankState)) {
	b.t.Helper()
	m, ok := b.Replica.Mesh(mesh)
	if !ok || rank < 0 || rank >= len(m.Ranks) {
		b.t.Fatalf("worldtest: no rank %d of a mesh %s", rank, mesh)
	}
	r := m.Ranks[rank]
	edit(&r)
	b.Apply(&control.Event{Rank: &control.RankEvent{Mesh: mesh, Rank: rank, State: r}})
}

// EditMesh changes whatever a test wants of an actor mesh.
func (b *Builder) EditMesh(mesh string, edit func(*control.Mesh)) {
	b.t.Helper()
	m, ok := b.Replica.Mesh(mesh)
	if !ok {
		b.t.Fatalf("worldtest: no mesh %s", mesh)
	}
	c := *m
	edit(&c)
	b.Apply(&control.Event{Mesh: &c})
}

// EditProcs changes whatever a test wants of a proc mesh.
func (b *Builder) EditProcs(name string, edit func(*control.ProcMesh)) {
	b.t.Helper()
	c := *b.procMesh(name)
	edit(&c)
	b.Apply(&control.Event{ProcMesh: &c})
}

// Proc changes the state of one process.
func (b *Builder) Proc(procs string, rank int, state, reason string) {
	b.t.Helper()
	b.EditProc(procs, rank, func(p *control.Proc) { p.State, p.Reason, p.Since = state, reason, b.Now })
}

// EditProc changes whatever a test wants of one process.
func (b *Builder) EditProc(procs string, rank int, edit func(*control.Proc)) {
	b.t.Helper()
	p, ok := b.Replica.Proc(b.procMesh(procs).FirstProc + uint64(rank))
	if !ok {
		b.t.Fatalf("worldtest: no rank %d of procs %s", rank, procs)
	}
	c := *p
	edit(&c)
	b.Apply(&control.Event{Proc: &c})
}

// GPU gives a process a device, or changes the one it has.
func (b *Builder) GPU(procs string, rank int, edit func(*control.GPU)) {
	b.t.Helper()
	b.EditProc(procs, rank, func(p *control.Proc) {
		g := control.GPU{
			UUID: fmt.Sprintf("GPU-%08x-e184-4047-9e28-0c7c3d2b9b7e", 0x8a56a4bc+rank), Index: rank, Bus: fmt.Sprintf("00000000:%02X:00.0", 0x19+rank), Node: 0, Sharing: 1,
			Total: 80 << 30, Busy: -1, Celsius: -1, Watts: -1,
		}
		if p.GPU != nil {
			g = *p.GPU
		}
		edit(&g)
		p.GPU, p.Device = &g, "NVIDIA H100 80GB HBM3 "+g.UUID[:12]
	})
}

// Message adds telemetry; a message without a time is of now.
func (b *Builder) Message(m control.Message) {
	if m.Time.IsZero() {
		m.Time = b.Now
	}
	b.Apply(&control.Event{Message: &m})
}

// Log adds a line that a rank printed; a line without a time is of now.
func (b *Builder) Log(l control.Log) {
	if l.Time.IsZero() {
		l.Time = b.Now
	}
	b.Apply(&control.Event{Log: &l})
}

// Type registers an actor type.
func (b *Builder) Type(t control.Type) { b.Apply(&control.Event{Type: &t}) }

// Call opens a call, or changes it.
func (b *Builder) Call(c control.Call) { b.Apply(&control.Event{Call: &control.CallEvent{Call: c}}) }

// EndCall ends a call.
func (b *Builder) EndCall(id uint64) {
	b.Apply(&control.Event{Call: &control.CallEvent{Call: control.Call{ID: id}, Done: true}})
}

// Failure adds what supervision was told; one without a time is of now.
func (b *Builder) Failure(f control.Failure) {
	if f.Time.IsZero() {
		f.Time = b.Now
	}
	b.Apply(&control.Event{Failure: &f})
}

// Dropped tells that data events were lost.
func (b *Builder) Dropped(n uint64) { b.Apply(&control.Event{Dropped: &control.Dropped{Data: n}}) }

// Break sets a breakpoint, or changes the one with its id.
func (b *Builder) Break(x control.Breakpoint) {
	b.Apply(&control.Event{Break: &control.BreakEvent{Break: x}})
}

// Stop has a frame stand at a site, and the clock with it; a stop without a time is of now.
func (b *Builder) Stop(st control.Stop) {
	if st.Since.IsZero() {
		st.Since = b.Now
	}
	b.Apply(&control.Event{Stop: &control.StopEvent{Stop: st}}, b.held(true))
}

// GoOn lets a frame go on; the clock does when it was the last.
func (b *Builder) GoOn(id uint64) {
	b.Apply(&control.Event{Stop: &control.StopEvent{Stop: control.Stop{ID: id}, Gone: true, How: control.GoContinue}})
	b.Apply(b.held(len(b.Stops) > 0))
}

func (b *Builder) held(is bool) *control.Event {
	return &control.Event{Debug: &control.DebugState{Held: is, Policy: control.PolicyContinue, Grace: 30 * time.Second}}
}

func (b *Builder) id() uint64 {
	b.nextID++
	return b.nextID
}

func (b *Builder) procMesh(name string) *control.ProcMesh {
	b.t.Helper()
	pm, ok := b.ProcMesh(name)
	if !ok {
		b.t.Fatalf("worldtest: no procs %s", name)
	}
	return pm
}
