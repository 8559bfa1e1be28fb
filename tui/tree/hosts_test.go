package tree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestTheScreensOfHosts(t *testing.T) {
	for name, make := range map[string]func(testing.TB) *worldtest.Builder{"cluster": worldtest.Cluster, "queued": worldtest.Queued} {
		for _, size := range [][2]int{{28, 20}, {44, 22}, {70, 22}} {
			t.Run(fmt.Sprintf("%s %dx%d", name, size[0], size[1]), func(t *testing.T) {
				b := make(t)
				p := New(worldtest.Keys)
				if name == "queued" {
					open(t, p, b, "host 1")
				} else {
					open(t, p, b, "n6")
				}
				golden.RequireEqual(t, screen(p, b, size[0], size[1]))
			})
		}
	}
}

// TestTheCursorStaysOnAHostThatArrives_INV_CURSOR: it gets a name, a state and processes, and others come before it.
func TestTheCursorStaysOnAHostThatArrives_INV_CURSOR(t *testing.T) {
	b := worldtest.Queued(t)
	p := New(worldtest.Keys)
	screen(p, b, 52, 24)
	at(t, p, "host 2")
	id := p.Selected(b.World).HostID
	if it := p.Selected(b.World); it.Kind != KindHost || id == 0 || len(it.Ranks) != 8 || it.Ranks[0] != 16 || it.Host != "host 2" {
		t.Fatalf("%+v", it)
	}
	for i := range 4 {
		b.Arrived("big", i, fmt.Sprintf("node%d", i), "ready")
	}
	b.Mesh("late", "big", "main.M")
	screen(p, b, 52, 24)
	if it := p.Selected(b.World); it.HostID != id || it.Host != "node2" || len(it.Ranks) != 8 {
		t.Fatalf("%+v", it)
	}
	p.Home()
	p.GoHost(b.World, id)
	if it := p.Selected(b.World); it.HostID != id {
		t.Fatalf("%+v", it)
	}
}

// TestAHostShowsTheWorstOfItAndWhatItHas_INV_WORST holds INV-WORST for hosts: their own state counts as well.
func TestAHostShowsTheWorstOfItAndWhatItHas_INV_WORST(t *testing.T) {
	b := worldtest.Cluster(t)
	p := New(worldtest.Keys)
	signs := func() map[string]string {
		screen(p, b, 60, 30)
		out := map[string]string{}
		for i := range p.rows {
			out[string(p.appendLabel(nil, &p.rows[i]))] = words[p.worst(&p.rows[i])]
		}
		return out
	}
	got := signs()
	for name, want := range map[string]string{"n1": "busy", "n3": "warning", "n6": "failed", "a1": "starting", "a5": "warning", "a6": "failed", "a7": "gone", "more": "failed", "train": "failed"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %s", name, got[name], want)
		}
	}
	b.Proc("train", 0, "killed", "signal: killed")
	if got := signs(); got["n1"] != "failed" {
		t.Errorf("n1 is %s, and a rank of it was killed", got["n1"])
	}
}

func TestAHostIsFoundByItsName(t *testing.T) {
	b := worldtest.Cluster(t)
	p := New(worldtest.Keys)
	p.SetFilter("n6")
	got := screen(p, b, 60, 12)
	if !strings.Contains(got, "n6") || strings.Contains(got, "n5") || p.Selected(b.World).Host != "n6" {
		t.Error(got)
	}
}

// TestOneMachineLooksAsItDid: hosts are for what a launcher was asked for.
func TestOneMachineLooksAsItDid(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	if got := screen(New(worldtest.Keys), b, 40, 6); strings.Contains(got, "local") || !strings.Contains(got, "gpu-1") {
		t.Error(got)
	}
	b.Launched("q", "ssh", "ssh to a", shape.Extent{{Name: "hosts", Size: 1}}) // one, and it is worth a line
	if got := screen(New(worldtest.Keys), b, 40, 10); !strings.Contains(got, "host 0") {
		t.Error(got)
	}
}

func TestThousandsOfHostsAreLines(t *testing.T) {
	b := worldtest.New(t)
	pm := b.Launched("p", "slurm", "job 1", shape.Extent{{Name: "hosts", Size: 4096}, {Name: "gpus", Size: 8}})
	p := New(worldtest.Keys)
	open(t, p, b, "p")
	if n := len(p.rows); n != 4098 {
		t.Errorf("%d lines", n)
	}
	seen := map[key]bool{}
	for i := range p.rows {
		if seen[p.rows[i].key] {
			t.Fatalf("two lines are %+v", p.rows[i].key)
		}
		seen[p.rows[i].key] = true
	}
	b.Apply(&control.Event{Host: &control.Host{ID: 1 << 50, Mesh: "p", MeshID: pm.ID, Index: 1 << 30, State: world.Severities()[0]}})
	screen(p, b, 60, 20)
}
