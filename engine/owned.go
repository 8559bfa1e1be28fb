package engine

import (
	"context"
	"fmt"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// endOwned ends what actors of a mesh had created, after their OnStop.
func (h *hub) endOwned(ctx context.Context, m *mesh, ranks func(rank int) bool) {
	owned := func(o owner) bool {
		if o.addr.Actor != m.rec.Ref.ID {
			return false
		}
		base, ok := m.rec.Ref.Home.IndexOf(int(o.addr.Proc - m.rec.Ref.First))
		return ok && ranks(base)
	}
	h.endWhere(ctx, owned, "its owner ended")
}

// endOwnedBy ends what the actors of a process had created, now that the process is gone.
func (h *hub) endOwnedBy(p *proc) {
	ctx, cancel := context.WithTimeout(h.node.root, drainTime+4*stopTime)
	defer cancel()
	h.endWhere(ctx, func(o owner) bool { return o.addr.Proc == p.id }, fmt.Sprintf("its owner was in worker %d of procs %s, which is gone", p.rank, p.rec.Mesh))
}

func (h *hub) endWhere(ctx context.Context, owned func(owner) bool, why string) {
	h.mu.Lock()
	var meshes []*mesh
	var procs []*procMesh
	for _, o := range h.meshes {
		if owned(o.owner) {
			meshes = append(meshes, o)
		}
	}
	for _, o := range h.procMeshes {
		if owned(o.owner) {
			procs = append(procs, o)
		}
	}
	h.mu.Unlock()
	for _, o := range meshes {
		_ = h.endMesh(ctx, o, false, why)
	}
	for _, o := range procs {
		_ = h.endProcs(ctx, o, why)
	}
}

// orphaned reports whether an owner has ended before what it asked for was made. The caller holds h.mu.
func (h *hub) orphaned(own owner) error {
	if p := h.procs[own.addr.Proc]; own.addr.Proc != 0 && (p == nil || p.over()) {
		return fmt.Errorf("the process that asked is gone: %w", ErrLost)
	}
	if own.addr.Actor != 0 && h.meshByID[own.addr.Actor] == nil {
		return fmt.Errorf("%s, who asked, has ended: %w", own.label, ErrStopped)
	}
	return nil
}

// fence waits until what this process has sent to those actors has reached their mailboxes, so that the controller's
// stop, which comes another way, does not overtake it. The controller itself needs none: its stop takes the same way.
func fence(ctx context.Context, to func(quicnet.Addr) bool) {
	n, err := nodeOf(ctx)
	if err != nil || n.hub != nil {
		return
	}
	n.wmu.Lock()
	procs := map[uint64]bool{}
	for addr, w := range n.windows {
		if w.used > 0 && to(addr) {
			procs[addr.Proc] = true
		}
	}
	n.wmu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, stopTime) // a process that is stuck does not keep its mesh from being stopped
	defer cancel()
	passed := make(chan struct{}, len(procs))
	for proc := range procs {
		go func() {
			_ = n.request(ctx, quicnet.Addr{Proc: proc}, sysFence, 0, nil) // one that is gone has nothing to wait for
			passed <- struct{}{}
		}()
	}
	for range procs {
		<-passed
	}
}
