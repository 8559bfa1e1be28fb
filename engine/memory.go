package engine

import (
	"context"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
)

// Workers' memory is measured while somebody watches, and told when it changed by as much as a person would see.
const (
	memoryEvery = 2 * time.Second
	memoryStep  = 1 << 20 // bytes; and a twentieth of what it was
)

// switchSampler starts or ends the goroutine that measures. The caller holds h.mu.
func (h *hub) switchSampler(on bool) {
	if h.endSampler != nil {
		h.endSampler()
		h.endSampler = nil
	}
	if on {
		ctx, end := context.WithCancel(h.node.root)
		h.endSampler = end
		h.wg.Go(func() { h.sampleMemory(ctx) })
	}
}

func (h *hub) sampleMemory(ctx context.Context) {
	for {
		h.mu.Lock()
		wait := memoryEvery - time.Since(h.sampled)
		h.mu.Unlock()
		if wait > 0 { // who looks often and briefly does not measure more often
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
		}
		h.sampleOnce()
	}
}

// sampleOnce measures every worker.
func (h *hub) sampleOnce() {
	h.mu.Lock()
	h.sampled = time.Now()
	pids := map[*proc]int{}
	for _, p := range h.procs {
		if p.child != nil && !p.over() {
			pids[p] = p.rec.PID
		}
	}
	h.mu.Unlock()
	for p, pid := range pids {
		rss, ok := host.ResidentBytes(pid)
		h.mu.Lock()
		if ok && !p.over() && worthTelling(p.rec.RSS, rss) {
			p.rec.RSS = rss
			rec := p.rec
			h.publish(control.Event{Proc: &rec})
		}
		h.mu.Unlock()
	}
}

// worthTelling compares what front ends know with what was measured.
func worthTelling(old, now uint64) bool {
	d := max(old, now) - min(old, now)
	return d > memoryStep && d > old/20
}
