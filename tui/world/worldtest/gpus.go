package worldtest

import (
	"fmt"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// GPUs is a world of 32 trainers with a GPU each, warmer and busier from rank to rank. Rank 6 has memory errors, the GPU of rank
// 21 has fallen off its bus, rank 30 was killed, and rank 31 has an instance of a GPU, which does not tell how busy it is.
func GPUs(t testing.TB) *Builder {
	t.Helper()
	b := New(t)
	b.Procs("workers", shape.Extent{{Name: "hosts", Size: 4}, {Name: "gpus", Size: 8}}, Opts{})
	b.EditProcs("workers", func(pm *control.ProcMesh) {
		pm.Slots = "32 × NVIDIA H100 80GB HBM3 by nvidia-smi; NVML: built without the tag nvml"
	})
	b.Mesh("trainer", "workers", "train.Trainer")
	for rank := range 32 {
		b.GPU("workers", rank, func(g *control.GPU) {
			g.Index, g.Bus, g.Node = rank%8, fmt.Sprintf("00000000:%02X:00.0", 0x19+rank%8), rank%8/4
			g.Used, g.Busy, g.Celsius, g.Watts = uint64(rank)*g.Total/31, 3*rank, 28+rank*2, 70+20*float64(rank)
		})
		b.Rank("trainer", rank, "busy", 0)
	}
	b.GPU("workers", 6, func(g *control.GPU) { g.ECC = 2 })
	b.GPU("workers", 21, func(g *control.GPU) { g.Xid, g.Problem, g.Busy, g.Celsius, g.Watts = 79, "GPU is lost", -1, -1, -1 })
	b.Proc("workers", 30, "killed", "signal: killed")
	b.EditRank("trainer", 30, func(r *control.RankState) { r.State, r.Reason = "gone", "signal: killed" })
	b.GPU("workers", 31, func(g *control.GPU) {
		g.Parent, g.UUID, g.Busy, g.Total, g.Used = g.UUID, "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", -1, 20<<30, 19<<30
	})
	b.EditProc("workers", 31, func(p *control.Proc) { p.Device = "NVIDIA H100 80GB HBM3 MIG 2g.20gb MIG-c6d4f1ef" })
	return b
}
