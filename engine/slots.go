package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// slots are the devices of a mesh's ranks. Without any, its slots are virtual; why says where they come from, or why there are
// none.
type slots struct {
	*gpu.Slots

	why string
}

// takeSlots claims a device for each rank of a mesh that is to have them. Claims belong to the mesh: a rank that is started
// again has the device it had.
func (h *hub) takeSlots(ctx context.Context, req control.ProcsReq) (slots, error) {
	switch _, has := req.Dims.Size("gpus"); {
	case !has || req.InProcess:
		return slots{}, nil
	case req.Via != "":
		return slots{why: "each host's agent finds its own"}, nil
	case req.Virtual:
		return slots{why: "virtual was asked for"}, nil
	case setsDevices(req.Env):
		return slots{why: "the mesh was given a " + gpu.VisibleEnv + " of its own"}, nil
	}
	found, err := h.gpus.Find(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return slots{}, ctx.Err()
	case err != nil && h.opts.virtualIfShort:
		return slots{why: err.Error()}, nil
	case err != nil:
		return slots{}, fmt.Errorf("the GPUs of this machine cannot be listed: %w; virtual slots need none", err)
	case found.None != "":
		return slots{why: found.None}, nil
	}
	have, err := h.gpus.Take(found, req.Dims.Len(), req.Oversubscribe, h.deviceOf)
	if _, short := errors.AsType[*gpu.ShortError](err); short && h.opts.virtualIfShort {
		return slots{why: err.Error()}, nil
	}
	return slots{have, found.String()}, err
}

// setsDevices reports whether a mesh brings a list of devices of its own.
func setsDevices(env []string) bool {
	return slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, gpu.VisibleEnv+"=") })
}

// deviceOf names the proc mesh of this session that has a device.
func (h *hub) deviceOf(uuid string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.procs {
		if p.rec.GPU != nil && p.rec.GPU.UUID == uuid {
			return "procs " + p.rec.Mesh
		}
	}
	return "this program"
}

// seat gives the rank's record its device, and the rank its CPUs: those of the device's NUMA node that this process may use, or,
// without a device, those of its slot.
func (p *proc) seat(req control.ProcsReq) {
	if req.InProcess || req.Via != "" { // an agent knows its machine
		return
	}
	seat := agent.SeatOf(p.pm.slots.Slots, p.rec.Slot, p.rec.Procs)
	p.cpus = seat.CPUs
	if seat.GPU != nil {
		p.rec.Device, p.rec.GPU = seat.Device, seat.GPU
	}
	p.rec.CPUs = gpu.FormatCPUs(p.cpus)
}

// sampleGPUs measures the devices of all ranks.
func (h *hub) sampleGPUs(ctx context.Context) {
	h.mu.Lock()
	var ranks []*proc
	for _, p := range h.procs {
		if p.rec.GPU != nil && !p.over() && p.on == nil {
			ranks = append(ranks, p)
		}
	}
	h.mu.Unlock()
	if len(ranks) == 0 {
		return
	}
	samples, err := h.gpus.Samples(ctx)
	if ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range ranks {
		if p.over() {
			continue
		}
		g := *p.rec.GPU                                                   // what was published is not written to
		g.Used, g.Busy, g.Celsius, g.Watts, g.Problem = 0, -1, -1, -1, "" // old figures would be taken for new ones
		switch s, ok := samples[g.UUID]; {
		case err != nil:
			g.Problem = err.Error()
		case !ok:
			g.Problem = "it is gone from the machine"
		default:
			g = agent.WithSample(g, s)
		}
		if g != *p.rec.GPU {
			p.rec.GPU = &g
			rec := p.rec
			h.publish(control.Event{Proc: &rec})
		}
	}
}

// GPUs says in one line which GPUs a mesh could have here, who told, and what is hidden; or why there are none and slots are
// virtual. It takes a few seconds at most.
func GPUs(ctx context.Context) string {
	f := gpu.NewFinder(gpu.System{Lookup: os.LookupEnv, Sys: "/sys"})
	defer f.Close(ctx)
	found, err := f.Find(ctx)
	if err != nil {
		return "cannot be listed: " + err.Error()
	}
	return found.String()
}

// slotOf is the GPU slot of a rank: its index along the dimension gpus. All ranks are on one host, so an extent with
// further dimensions numbers its slots across them.
func slotOf(e shape.Extent, rank int) int {
	if _, ok := e.Size("gpus"); !ok {
		return -1
	}
	return rank
}
