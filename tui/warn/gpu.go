package warn

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

type gpuTrouble struct{}

func (gpuTrouble) Name() string { return "gpu" }
func (gpuTrouble) About() string {
	return "GPUs with uncorrected memory errors, with critical errors of the driver (Xid), or that do not answer"
}

// Check looks at the devices of processes that run. What the driver calls critical is severe.
func (r gpuTrouble) Check(l *Look) (out []Warning) {
	for _, pm := range procMeshes(l.World) {
		if pm.Virtual {
			continue
		}
		var d lines
		var ranks []int
		devices := map[string]bool{} // ranks may share one
		severe := false
		for rank := range pm.Extent.Len() {
			p, ok := l.World.Proc(pm.FirstProc + uint64(rank))
			if !ok || p.Over() || p.GPU == nil || p.GPU.ECC == 0 && p.GPU.Xid == 0 && p.GPU.Problem == "" {
				continue
			}
			ranks = append(ranks, rank)
			devices[p.GPU.UUID] = true
			severe = severe || p.GPU.Xid != 0
			d.add("%s[%d], %s (GPU %d): %s.", pm.Name, rank, p.Device, p.GPU.Index, troubles(p.GPU))
		}
		if ranks == nil {
			continue
		}
		out = append(out, Warning{
			Name: r.Name(), Severe: severe, Count: len(ranks), Procs: pm.Name, Ranks: ranks,
			Line:   fmt.Sprintf("%s of %s in trouble", plural(len(devices), "GPU", "GPUs"), pm.Name),
			Detail: d.end("The threshold is one. What such a GPU computes may be wrong, and it may stop: look into the kernel's log (dmesg) for NVRM, and at nvidia-smi -q."),
		})
	}
	return out
}

// troubles are what is wrong with a GPU.
func troubles(g *control.GPU) string {
	text := ""
	add := func(format string, args ...any) {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf(format, args...)
	}
	if g.Xid != 0 {
		add("its driver reported the critical error Xid %d", g.Xid)
	}
	if g.ECC != 0 {
		add("%s of its memory since the driver was loaded", paint.Plural(int(min(g.ECC, 1<<31)), "uncorrected error"))
	}
	if g.Problem != "" {
		add("%s", g.Problem)
	}
	return text
}
