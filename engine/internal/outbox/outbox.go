// Package outbox sends behind the back of a link's reader: a reader that waited for a link could wait for itself.
package outbox

import (
	"context"
	"sync"
)

// Outbox runs what sends something. What is for one process runs in the order it was given, on a goroutine of its own while
// there is any, so a process that takes nothing holds up only what is for it.
type Outbox struct {
	mu    sync.Mutex
	queue map[uint64][]func() // by process
}

// Add runs fn, which sends something to a process, after what was given for that process before.
func (o *Outbox) Add(to uint64, fn func()) {
	o.mu.Lock()
	if o.queue == nil { // most outboxes of very many ranks stay empty
		o.queue = map[uint64][]func(){}
	}
	o.queue[to] = append(o.queue[to], fn)
	first := len(o.queue[to]) == 1
	o.mu.Unlock()
	if first {
		go o.run(to)
	}
}

func (o *Outbox) run(to uint64) {
	for fn := o.first(to); fn != nil; fn = o.next(to) {
		fn()
	}
}

func (o *Outbox) first(to uint64) func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue[to][0]
}

// next takes what has run off the queue, and gives what is behind it; nil: nothing.
func (o *Outbox) next(to uint64) func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue[to][0] = nil
	o.queue[to] = o.queue[to][1:]
	if len(o.queue[to]) == 0 {
		delete(o.queue, to)
		return nil
	}
	return o.queue[to][0]
}

// Settle waits until what was given for these processes, or for all of them, has run.
func (o *Outbox) Settle(ctx context.Context, procs ...uint64) {
	if len(procs) == 0 {
		procs = o.busy()
	}
	for _, to := range procs {
		if !o.Busy(to) {
			continue
		}
		ran := make(chan struct{})
		o.Add(to, func() { close(ran) })
		select {
		case <-ran:
		case <-ctx.Done():
			return
		}
	}
}

// Busy reports whether something for a process waits or runs.
func (o *Outbox) Busy(to uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.queue[to]) > 0
}

// busy lists the processes for which something waits or runs.
func (o *Outbox) busy() (procs []uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for to := range o.queue {
		procs = append(procs, to)
	}
	return procs
}
