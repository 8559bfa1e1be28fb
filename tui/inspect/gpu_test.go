package inspect

import (
	"fmt"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestTheScreensOfGPUs(t *testing.T) {
	b := worldtest.GPUs(t)
	b.GPU("workers", 12, func(g *control.GPU) { g.Sharing, g.Celsius, g.Used = 3, 91, g.Total })
	b.GPU("workers", 13, func(g *control.GPU) {
		g.Foreign, g.Used, g.Problem, g.Busy, g.Celsius, g.Watts = true, 0, "nvidia-smi did not answer within 3s", -1, -1, -1
	})
	pm, _ := b.ProcMesh("workers")
	mesh, _ := b.Replica.Mesh("trainer")
	p := New(worldtest.Keys)
	for what, rank := range map[string]int{"hot and shared": 12, "a guest's": 13, "fallen off": 21, "of a dead rank": 30, "an instance": 31} {
		t.Run(what, func(t *testing.T) {
			p.ShowProc(pm.FirstProc + uint64(rank))
			golden.RequireEqual(t, screen(p, b, 50, 24))
		})
	}
	for _, rank := range []int{6, 12, 21, 30, 31} {
		t.Run(fmt.Sprint("actor ", rank), func(t *testing.T) {
			p.ShowActor(mesh.Ref.ID, rank)
			golden.RequireEqual(t, screen(p, b, 40, 10))
		})
	}
	t.Run("all", func(t *testing.T) {
		p.ShowProcs(pm.ID)
		golden.RequireEqual(t, screen(p, b, 50, 14))
	})
}
