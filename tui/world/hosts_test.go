package world_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func names(list []*control.Host) (out []string) {
	for _, h := range list {
		out = append(out, h.Called())
	}
	return out
}

// TestHostsBelongToTheirMesh: a name is used again.
func TestHostsBelongToTheirMesh(t *testing.T) {
	b := worldtest.New(t)
	extent := shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 2}}
	first := b.Launched("p", "ssh", "ssh to a, b", extent)
	b.Arrived("p", 0, "a", "ready")
	b.HostIs("p", 1, "b", "failed", "no route")
	b.EditProcs("p", func(pm *control.ProcMesh) { pm.Gone, pm.State = true, "stopped" })
	second := b.Launched("p", "ssh", "ssh to c, d", extent)
	b.HostIs("p", 0, "c", "launching", "")
	if got := fmt.Sprint(names(b.HostsOf(&second))); got != "[c host 1]" {
		t.Errorf("the second has %s", got)
	}
	if got := names(b.HostsOf(&first)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the first has %q", got)
	}
	h := b.HostsOf(&second)[1]
	if got := b.RanksOn(&second, h); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("host 1 will have %v", got)
	}
	b.Procs("q", extent, worldtest.Opts{})
	q, _ := b.ProcMesh("q")
	if list := b.HostsOf(q); list != nil {
		t.Errorf("a mesh of this machine has %q", names(list))
	}
	if p, ok := b.Replica.Proc(first.FirstProc); !ok || b.HostOf(p) == nil || b.HostOf(p).Name != "a" {
		t.Error("a process does not know its host")
	}
	if p, ok := b.Replica.Proc(q.FirstProc); !ok || b.HostOf(p) != nil {
		t.Error("a process of this machine has a host")
	}
}

func TestEveryStateOfAHostHasAWord(t *testing.T) {
	for state, want := range map[string]string{
		"requested": "starting", "queued": "starting", "shipping": "starting", "launching": "starting", "joining": "starting", "ready": "idle",
		"suspect": "warning", "unreachable": "warning", "lost": "failed", "failed": "failed", "exited": "gone",
	} {
		h := &control.Host{State: state, Reason: "3rd,\nPriority"}
		if got := world.HostWord(h); got != want {
			t.Errorf("%s is %s, want %s", state, got, want)
		}
		if h.Over() != (want == "failed" || want == "gone") {
			t.Errorf("%s is over: %v", state, h.Over())
		}
		if got := world.HostSays(h); got != state+": 3rd, Priority" {
			t.Error(got)
		}
	}
}

// TestWhatIsHostileAboutHostsDoesNoHarm: places that are none, processes of no mesh, meshes of no extent.
func TestWhatIsHostileAboutHostsDoesNoHarm(t *testing.T) {
	b := worldtest.New(t)
	pm := b.Launched("p", "ssh", "", shape.Extent{{Name: "hosts", Size: 2}})
	b.Apply(
		&control.Event{Host: &control.Host{ID: 900, Mesh: "p", MeshID: pm.ID, Index: -5, State: "no such state"}},
		&control.Event{Host: &control.Host{ID: 901, Mesh: "p", MeshID: pm.ID, Index: 1 << 40, State: "ready"}},
		&control.Event{Host: &control.Host{ID: 902, Mesh: "nowhere", State: "ready"}},
		&control.Event{Host: &control.Host{}},
		&control.Event{Proc: &control.Proc{ID: 1 << 60, HostID: 901}},
		&control.Event{ProcMesh: &control.ProcMesh{ID: 9, Name: "odd", Via: "ssh"}},
	)
	if got := len(b.HostsOf(&pm)); got != 4 {
		t.Errorf("%d hosts", got)
	}
	for _, h := range b.HostsOf(&pm) {
		b.RanksOn(&pm, h)
		world.HostWord(h)
	}
	b.RanksOn(&control.ProcMesh{Via: "ssh"}, &control.Host{Index: -1})
}

// BenchmarkHosts is a thousand hosts of 64 ranks, of which one has told its round trip.
func BenchmarkHosts(b *testing.B) {
	w := worldtest.New(b)
	pm := w.Launched("p", "slurm", "", shape.Extent{{Name: "hosts", Size: 1024}, {Name: "gpus", Size: 64}})
	var events []*control.Event
	for i, h := range slices.Clone(w.HostsOf(&pm)) {
		for r := range 64 {
			events = append(events, &control.Event{Proc: &control.Proc{ID: pm.FirstProc + uint64(i*64+r), Mesh: "p", Rank: i*64 + r, HostID: h.ID, State: "ready"}})
		}
	}
	w.Apply(events...)
	one := *w.HostsOf(&pm)[7]
	for b.Loop() {
		one.RTT++
		h := one
		w.Apply(&control.Event{Host: &h})
		w.HostsOf(&pm)
	}
}
