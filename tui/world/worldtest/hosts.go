package worldtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Launched creates a proc mesh that a launcher was asked for, with a host for each place along the dimension hosts. The hosts are
// requested, and have no names and no processes yet: HostIs and Arrived give them.
func (b *Builder) Launched(name, via, handle string, extent shape.Extent) control.ProcMesh {
	b.t.Helper()
	pm := control.ProcMesh{ID: b.id(), Name: name, Extent: extent, FirstProc: b.proc, State: "starting", Via: via, Handle: handle}
	b.proc += uint64(extent.Len())
	events := []*control.Event{{ProcMesh: &pm}}
	hosts, _ := extent.Size("hosts")
	pm.Hosts = control.NewHosts(extent, make([]string, hosts)...)
	for i := range hosts {
		events = append(events, &control.Event{Host: &control.Host{ID: b.proc, Mesh: name, MeshID: pm.ID, Index: i, Launcher: via, Handle: handle, State: "requested", Since: b.Now}})
		b.proc++
	}
	b.Apply(events...)
	return pm
}

// Host changes whatever a test wants of a host, by its place.
func (b *Builder) Host(procs string, index int, edit func(*control.Host)) {
	b.t.Helper()
	for _, h := range b.HostsOf(b.procMesh(procs)) {
		if h.Index == index {
			c := *h
			edit(&c)
			b.Apply(&control.Event{Host: &c})
			b.rename(procs, index, c.Name)
			return
		}
	}
	b.t.Fatalf("worldtest: no host %d of procs %s", index, procs)
}

// rename has those who choose by the names of hosts know one.
func (b *Builder) rename(procs string, index int, name string) {
	pm := b.procMesh(procs)
	names := slices.Clone(pm.Hosts.Names)
	if names[index] == name {
		return
	}
	names[index] = name
	b.EditProcs(procs, func(pm *control.ProcMesh) { pm.Hosts = control.NewHosts(pm.Extent, names...) })
}

// HostIs gives a host a name, a state and a reason.
func (b *Builder) HostIs(procs string, index int, name, state, reason string) {
	b.t.Helper()
	b.Host(procs, index, func(h *control.Host) { h.Name, h.State, h.Reason, h.Since = name, state, reason, b.Now })
}

// Arrived has a host join, and its processes with it, in a state.
func (b *Builder) Arrived(procs string, index int, name, state string) {
	b.t.Helper()
	b.Host(procs, index, func(h *control.Host) {
		h.Name, h.State, h.Reason, h.Since = name, "ready", "", b.Now.Add(-42*time.Second)
		h.Addr, h.PID, h.Build = fmt.Sprintf("10.0.0.%d:41234", 11+index), 3100+index, "b1"
		h.System, h.GPUs = "linux/amd64, 64 CPUs, "+h.Handle, "8 × NVIDIA H100 80GB HBM3"
		h.RTT = 180*time.Microsecond + time.Duration(index)*20*time.Microsecond
	})
	pm := b.procMesh(procs)
	var id uint64
	for _, h := range b.HostsOf(pm) {
		if h.Index == index {
			id = h.ID
		}
	}
	var events []*control.Event
	for rank := range pm.Extent.Len() {
		at := pm.Extent.Point(rank)
		if on, ok := at.Coord("hosts"); !ok || on != index {
			continue
		}
		p := &control.Proc{
			ID: pm.FirstProc + uint64(rank), Mesh: procs, Rank: rank, Host: name, HostID: id, PID: 7001 + rank, Slot: -1, Procs: 1, State: state,
			Since: b.Now.Add(-30 * time.Second), Build: "b1", RSS: 48<<20 + uint64(rank)<<16,
		}
		if slot, ok := at.Coord("gpus"); ok {
			p.Slot, p.Device = slot, "NVIDIA H100 80GB HBM3"
		}
		events = append(events, &control.Event{Proc: p})
	}
	b.Apply(events...)
}

// Cluster is the world of a training on machines that Slurm found: of eight nodes six work, n3 has fallen silent, and n6 was lost with
// its four processes. More machines are on their way over ssh, in every state that one can be in before it is ready.
func Cluster(t testing.TB) *Builder {
	t.Helper()
	b := New(t)
	b.Launched("train", "slurm", "Slurm job 4711", shape.Extent{{Name: "hosts", Size: 8}, {Name: "gpus", Size: 4}})
	for i := range 8 {
		b.Arrived("train", i, fmt.Sprintf("n%d", i+1), "ready")
	}
	b.EditProcs("train", func(pm *control.ProcMesh) {
		pm.State, pm.Slots = "running", "32 × NVIDIA H100 80GB HBM3 by nvidia-smi"
	})
	b.Mesh("trainer", "train", "train.Trainer")
	for rank := range 32 {
		if rank%3 != 0 {
			b.Rank("trainer", rank, "busy", 0)
		}
	}
	b.Host("train", 1, func(h *control.Host) { h.RTT, h.Loss = 2100*time.Microsecond, 0.031 })
	b.Host("train", 2, func(h *control.Host) {
		h.State, h.Reason, h.Since, h.RTT, h.Loss = "unreachable", "nothing heard for 5.2s", b.Now.Add(-5200*time.Millisecond), 940*time.Microsecond, 0.42
	})
	for rank := 8; rank < 12; rank++ {
		b.Proc("train", rank, "unreachable", "")
	}
	b.Host("train", 5, func(h *control.Host) {
		h.State, h.Reason, h.Since = "lost", "Slurm: NODE_FAIL on n6", b.Now.Add(-31*time.Second)
		h.Tail = []string{"slurmstepd: error: *** STEP 4711.0 ON n6 CANCELLED AT 12:04:11 DUE TO NODE FAILURE ***", "srun: error: Node failure on n6"}
	})
	for rank := 20; rank < 24; rank++ {
		b.Proc("train", rank, "lost", "its host n6 was lost")
		b.EditRank("trainer", rank, func(r *control.RankState) { r.State, r.Reason = "gone", "its host n6 was lost" })
	}
	b.Launching()
	return b
}

// Launching adds procs more, of seven machines, each as far on its way as no other.
func (b *Builder) Launching() {
	b.t.Helper()
	b.Launched("more", "ssh", "ssh to a1 … a7", shape.Extent{{Name: "hosts", Size: 7}, {Name: "gpus", Size: 2}})
	for i, h := range []control.Host{
		{Name: "a1", State: "requested"},
		{Name: "a2", State: "shipping", Shipped: 31 << 20},
		{Name: "a3", State: "launching"},
		{Name: "a4", State: "joining", PID: 811, System: "linux/arm64, 72 CPUs"},
		{Name: "a5", State: "suspect", Addr: "10.0.1.5:40001", RTT: 12 * time.Millisecond},
		{Name: "a6", State: "failed", Reason: "ada@a6: Permission denied (publickey).", Tail: []string{"ada@a6: Permission denied (publickey)."}},
		{Name: "a7", State: "exited", Reason: "the agent was told to end"},
	} {
		b.Host("more", i, func(x *control.Host) {
			x.Name, x.State, x.Reason, x.Tail, x.Shipped, x.PID, x.System, x.Addr, x.RTT = h.Name, h.State, h.Reason, h.Tail, h.Shipped, h.PID, h.System, h.Addr, h.RTT
			x.Since = b.Now.Add(-time.Duration(i+1) * 700 * time.Millisecond)
		})
	}
}

// Queued is the world of procs that wait for machines: four of a cluster that nobody knows yet.
func Queued(t testing.TB) *Builder {
	t.Helper()
	b := New(t)
	b.Procs("local", shape.Extent{{Name: "gpus", Size: 2}}, Opts{})
	b.Mesh("loader", "local", "demo.Loader")
	b.Launched("big", "slurm", "Slurm job 4712", shape.Extent{{Name: "hosts", Size: 4}, {Name: "gpus", Size: 8}})
	for i := range 4 {
		b.Host("big", i, func(h *control.Host) {
			h.State, h.Reason, h.Since = "queued", "3rd, Priority", b.Now.Add(-134*time.Second)
		})
	}
	return b
}
