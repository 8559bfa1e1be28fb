package control

import (
	"context"
	"sync"
	"time"
)

// laneGrace is how long a watch, a snapshot or a sync waits until the calls before it are sent. A call that takes longer
// waits for a place in a full mailbox; it is in Snapshot.Calls already, and control traffic does not wait for mailboxes.
const laneGrace = 250 * time.Millisecond

// lane sends the calls of one client one after the other, in the order they came (promise P1, ARCHITECTURE.md).
type lane struct {
	calls chan func()

	mu     sync.Mutex
	came   uint64        // calls that were given to send
	sent   uint64        // calls that have been sent
	change chan struct{} // closed and replaced when sent grows; nil while nobody waits
}

func newLane(room int) *lane { return &lane{calls: make(chan func(), room)} }

// send queues a call. There must be room.
func (l *lane) send(call func()) {
	l.mu.Lock()
	l.came++
	l.mu.Unlock()
	l.calls <- call
}

func (l *lane) close() { close(l.calls) }

// run is the lane's goroutine.
func (l *lane) run() {
	for call := range l.calls {
		call()
		l.mu.Lock()
		l.sent++
		if l.change != nil {
			close(l.change)
			l.change = nil
		}
		l.mu.Unlock()
	}
}

// behind returns a function that waits, for laneGrace at most, until the calls that have come by now are sent: a client that
// starts a call and then asks for a snapshot finds the call in it. The connection's reader calls behind, but must not
// call what it returns.
func (l *lane) behind() (wait func(ctx context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	after := l.came
	if l.sent >= after {
		return func(context.Context) {}
	}
	return func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, laneGrace)
		defer cancel()
		for {
			l.mu.Lock()
			if l.sent >= after {
				l.mu.Unlock()
				return
			}
			if l.change == nil {
				l.change = make(chan struct{})
			}
			change := l.change
			l.mu.Unlock()
			select {
			case <-change:
			case <-ctx.Done():
				return
			}
		}
	}
}
