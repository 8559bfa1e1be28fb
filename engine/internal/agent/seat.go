package agent

import (
	"os"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

// Seat is the place of a rank on its machine.
type Seat struct {
	CPUs   []int // CPU set; nil: left to the kernel
	Device string
	GPU    *control.GPU // nil: the slot is virtual, or there is none
}

// SeatOf gives a rank its place: the device of its slot, with the CPUs of the device's NUMA node that this process may use, or,
// without a device, the CPUs of its slot. Without a slot (-1) it has none of its own.
func SeatOf(slots *gpu.Slots, slot, threads int) Seat {
	d, real := slots.Device(slot)
	if !real {
		return Seat{CPUs: cpuSet(launch.AllowedCPUs(), slot, threads)}
	}
	sharing, foreign := slots.Sharing(slot)
	return Seat{
		CPUs: d.Near(launch.AllowedCPUs()), Device: d.Label(),
		GPU: &control.GPU{
			UUID: d.UUID, Index: d.Index, Parent: d.Parent, Bus: d.Bus, Node: d.Node, Sharing: sharing, Foreign: foreign,
			Total: d.Memory, Busy: -1, Celsius: -1, Watts: -1,
		},
	}
}

// cpuSet is the CPU set of a rank with a slot and no device: slots take the CPUs in turn. Where the machine has fewer CPUs than a
// rank wants, or the rank has no slot, it is left to the kernel.
func cpuSet(cpus []int, slot, want int) []int {
	if slot < 0 || want >= len(cpus) {
		return nil
	}
	var set []int
	for k := range want {
		set = append(set, cpus[(slot*want+k)%len(cpus)])
	}
	return set
}

// WithSample puts a measurement into what front ends know of a device.
func WithSample(g control.GPU, s gpu.Sample) control.GPU {
	g.Used, g.Busy, g.Celsius, g.Watts, g.ECC, g.Xid, g.Problem = s.Used, s.Busy, s.Celsius, s.Watts, s.ECC, s.Xid, s.Problem
	if s.Total > 0 {
		g.Total = s.Total
	}
	return g
}

// withheld says why a job of a scheduler has no GPUs, though its machine may have: a list that it does not set is not "all of
// them". "" where it set one, or where there is no such scheduler.
func withheld(lookup func(string) (string, bool)) string {
	_, slurm := lookup("SLURM_STEP_ID")
	_, listed := lookup(gpu.VisibleEnv)
	if slurm && !listed {
		return "Slurm gave this step no GPUs: ask for them with gpus=N, where the partition has any"
	}
	return ""
}

// Environment is this process's environment for a worker, without what is for the agent only.
func Environment(hidden ...string) []string {
	var out []string
	for _, v := range os.Environ() {
		k, _, _ := strings.Cut(v, "=")
		keep := true
		for _, h := range hidden {
			keep = keep && k != h
		}
		if keep {
			out = append(out, v)
		}
	}
	return out
}
