package grid

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestTheLabelsNameHosts(t *testing.T) {
	for _, size := range [][2]int{{60, 20}, {34, 18}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			b := worldtest.Cluster(t)
			m, _ := b.Replica.Mesh("trainer")
			p := New(worldtest.Keys)
			p.Show(b.World, m.Ref.ID)
			golden.RequireEqual(t, screen(p, b, size[0], size[1]))
		})
	}
}

// TestLabelsFollowTheHosts: numbers until they have names, those of the slice that a mesh lives on, and of names that are long no
// more than there is room for.
func TestLabelsFollowTheHosts(t *testing.T) {
	b := worldtest.New(t)
	pm := b.Launched("p", "slurm", "job 7", dims(t, "hosts=4 gpus=2"))
	p := New(worldtest.Keys)
	if !p.ShowProcs(b.World, pm.ID) {
		t.Fatal("not shown")
	}
	if got := screen(p, b, 60, 16); !strings.Contains(got, "hosts 0") || !strings.Contains(got, "hosts 3") {
		t.Error(got)
	}
	for i := range 3 {
		b.Arrived("p", i, fmt.Sprintf("node%d.cluster.example.com", i), "ready")
	}
	if got := screen(p, b, 60, 16); !strings.Contains(got, "hosts 3") { // one has no name yet
		t.Error(got)
	}
	b.Arrived("p", 3, "node3.cluster.example.com", "ready")
	if got := screen(p, b, 60, 16); !strings.Contains(got, "node3…le.com ") || strings.Contains(got, "hosts 3") {
		t.Error(got)
	}
	sel, err := shape.Parse("hosts=1:3")
	if err != nil {
		t.Fatal(err)
	}
	home, err := shape.RegionOf(pm.Extent).Slice(sel)
	if err != nil {
		t.Fatal(err)
	}
	m := b.MeshOn("half", "p", "main.M", home)
	p.Show(b.World, m.Ref.ID)
	if got := screen(p, b, 60, 16); !strings.Contains(got, "node1") || !strings.Contains(got, "node2") || strings.Contains(got, "node0") || strings.Contains(got, "node3") {
		t.Error(got)
	}
}
