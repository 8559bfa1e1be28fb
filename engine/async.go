package engine

import "context"

// async runs fn, which sends something to a process, after what was given for that process before, on a goroutine that
// is not a link's reader: a reader that waited for a link could wait for itself. A process that takes nothing holds up
// only what is for it.
func (n *node) async(to uint64, fn func()) {
	n.amu.Lock()
	n.later[to] = append(n.later[to], fn)
	first := len(n.later[to]) == 1
	n.amu.Unlock()
	if first {
		go n.runLater(to)
	}
}

func (n *node) runLater(to uint64) {
	for {
		n.amu.Lock()
		fn := n.later[to][0]
		n.amu.Unlock()
		fn()
		n.amu.Lock()
		n.later[to][0] = nil
		n.later[to] = n.later[to][1:]
		empty := len(n.later[to]) == 0
		if empty {
			delete(n.later, to)
		}
		n.amu.Unlock()
		if empty {
			return
		}
	}
}

// settle waits until what was given to async for these processes, or for all of them, has run.
func (n *node) settle(ctx context.Context, procs ...uint64) {
	if len(procs) == 0 {
		n.amu.Lock()
		for to := range n.later {
			procs = append(procs, to)
		}
		n.amu.Unlock()
	}
	for _, to := range procs {
		ran := make(chan struct{})
		n.async(to, func() { close(ran) })
		select {
		case <-ran:
		case <-ctx.Done():
			return
		}
	}
}
