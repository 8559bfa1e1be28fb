package quicnet

import "sync"

// eventQueue hands link events to the handler one after the other, without any lock held. It is
// bounded by what happens: a few events per peer and change of state.
type eventQueue struct {
	mu     sync.Mutex
	list   []queuedEvent
	wake   chan struct{}
	closed bool
}

type queuedEvent struct {
	ev LinkEvent
	p  *peer // its lanes are closed before a final event is told; may be nil
}

func (q *eventQueue) push(ev LinkEvent, p *peer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.list = append(q.list, queuedEvent{ev, p})
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *eventQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.wake)
}

// runEvents is the goroutine that calls Handler.Link.
func (n *Node) runEvents() {
	q := &n.events
	for range q.wake {
		q.mu.Lock()
		list := q.list
		q.list = nil
		q.mu.Unlock()
		for _, e := range list {
			if e.ev.State.final() && e.p != nil {
				for lane := range lanes {
					e.p.in[lane].close() // waits for a Frame that runs: no frame comes after this event
				}
			}
			n.log.Debug("link", "peer", e.ev.Peer.String(), "state", e.ev.State.String(), "reason", e.ev.Reason)
			n.handler.Link(e.ev)
		}
	}
}
