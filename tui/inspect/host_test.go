package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// hostAt is the id of a host by its place.
func hostAt(t *testing.T, b *worldtest.Builder, procs string, index int) uint64 {
	t.Helper()
	pm, _ := b.ProcMesh(procs)
	for _, h := range b.HostsOf(pm) {
		if h.Index == index {
			return h.ID
		}
	}
	t.Fatalf("no host %d of %s", index, procs)
	return 0
}

func TestTheScreensOfHosts(t *testing.T) {
	b := worldtest.Cluster(t)
	train, _ := b.ProcMesh("train")
	for _, c := range []struct {
		name string
		show func(p *Pane)
	}{
		{"ready", func(p *Pane) { p.ShowHost(hostAt(t, b, "train", 0)) }},
		{"lossy", func(p *Pane) { p.ShowHost(hostAt(t, b, "train", 1)) }},
		{"unreachable", func(p *Pane) { p.ShowHost(hostAt(t, b, "train", 2)) }},
		{"lost", func(p *Pane) { p.ShowHost(hostAt(t, b, "train", 5)) }},
		{"joining", func(p *Pane) { p.ShowHost(hostAt(t, b, "more", 3)) }},
		{"failed", func(p *Pane) { p.ShowHost(hostAt(t, b, "more", 5)) }},
		{"procs", func(p *Pane) { p.ShowProcs(train.ID) }},
		{"a process", func(p *Pane) { p.ShowProc(train.FirstProc + 4) }},
		{"a process that is silent", func(p *Pane) { p.ShowProc(train.FirstProc + 8) }},
	} {
		for _, size := range [][2]int{{34, 24}, {76, 22}} {
			t.Run(fmt.Sprintf("%s %dx%d", c.name, size[0], size[1]), func(t *testing.T) {
				p := New(worldtest.Keys)
				c.show(p)
				golden.RequireEqual(t, screen(p, b, size[0], size[1]))
			})
		}
	}
	t.Run("queued", func(t *testing.T) {
		b := worldtest.Queued(t)
		p := New(worldtest.Keys)
		p.ShowHost(hostAt(t, b, "big", 1))
		golden.RequireEqual(t, screen(p, b, 50, 16))
	})
}

// TestOfManyHostsThoseThatNeedSomebodyAreTold: a thousand that are well are one line.
func TestOfManyHostsThoseThatNeedSomebodyAreTold(t *testing.T) {
	b := worldtest.New(t)
	pm := b.Launched("p", "slurm", "Slurm job 9", shape.Extent{{Name: "hosts", Size: 1000}})
	for i := range 1000 {
		b.HostIs("p", i, fmt.Sprintf("n%d", i), map[bool]string{true: "lost", false: "ready"}[i%40 == 7], "")
	}
	p := New(worldtest.Keys)
	p.ShowProcs(pm.ID)
	got := screen(p, b, 60, 60)
	if strings.Count(got, "lost") != 16 || !strings.Contains(got, "and 9 more that are not well") || !strings.Contains(got, "975 ready") || !strings.Contains(got, "hosts     1000") {
		t.Error(got)
	}
}

func TestAHostIsCopiedAsJSON(t *testing.T) {
	b := worldtest.Cluster(t)
	p := New(worldtest.Keys)
	p.ShowHost(hostAt(t, b, "train", 5))
	text, name := p.All(b.World)
	if !strings.Contains(text, `"Name": "n6"`) || name != "train-host-5" {
		t.Error(name, text)
	}
	b.Apply(&control.Event{}) // one that is not known changes nothing
	p.ShowHost(1 << 40)
	if got := screen(p, b, 40, 6); !strings.Contains(got, "Nothing is under the cursor") {
		t.Error(got)
	}
}

// What waits at an agent is told while it does, also where there is little room.
func TestTheBacklogOfAnAgentIsSeenWhileThereIsOne(t *testing.T) {
	b := worldtest.Cluster(t)
	p := New(worldtest.Keys)
	p.ShowHost(hostAt(t, b, "train", 1))
	if got := screen(p, b, 34, 24); strings.Contains(got, "backlog") {
		t.Error(got)
	}
	b.Host("train", 1, func(h *control.Host) { h.Backlog = 12 << 20 })
	if got := screen(p, b, 34, 24); !strings.Contains(got, "backlog   12.0 MiB at its agent") {
		t.Error(got)
	}
}
