package relay

import (
	"context"
	"sync"
)

// Ways says which way a worker's next frame to the controller takes: its own link, or the one to its agent, who passes it on. What
// is on its way at once is on one of them, so nothing overtakes what was sent before it (INV-ONEWAY).
type Ways struct {
	settled func() bool // the controller has all that went by the own link
	ask     func()      // sends a frame to the agent that does nothing but ask

	mu    sync.Mutex
	agent way
	own   way

	whole   bool          // of the own link what the controller has is known only once it has all: large bodies may come late
	near    bool          // frames go to the agent
	handing int           // frames that are being handed to the own link
	asking  bool          // a frame to the agent asks, and was not answered
	waiting int           // who is to have the own link
	change  chan struct{} // closed and replaced when that may be possible; nil: nobody waits
}

// way counts the frames that went one way.
type way struct {
	sent uint64
	have uint64 // of these the controller has so many
}

// NewWays makes the ways of a worker. settled is called under a lock; ask is not.
func NewWays(settled func() bool, ask func()) *Ways { return &Ways{settled: settled, ask: ask} }

// Way is what Take says of a frame.
type Way struct {
	Agent bool // it goes to the agent, else to the own link: then Handed is called when it is in the queue there
	Ask   bool // the agent, or the controller, is to be asked how much has come
}

// Take chooses the way of the next frame. near says that it had better go to the agent; large, that it had better not, and waits
// until it need not, or ctx ends.
func (w *Ways) Take(ctx context.Context, near, large bool) (Way, error) {
	near = near && !large
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case w.near && w.agent.have == w.agent.sent && (!near || w.waiting > 0):
			w.near, w.whole = false, large
			w.handing++
			return Way{}, nil
		case w.near && !large && w.waiting == 0:
			w.agent.sent++
			ask := !near && !w.asking
			w.asking = w.asking || ask
			return Way{Agent: true, Ask: ask}, nil
		case w.near:
			if err := w.await(ctx); err != nil {
				return Way{}, err
			}
		case near && w.waiting == 0 && w.handing == 0 && (!w.whole && w.own.have == w.own.sent || w.settled()):
			w.near, w.whole = true, false
			w.agent.sent++
			return Way{Agent: true}, nil
		default:
			w.whole = w.whole || large
			w.handing++
			return Way{Ask: near}, nil
		}
	}
}

// await waits, unlocked, until something has changed. Meanwhile nobody else sends to the agent, so that what is on its way gets there.
// What asks may overtake what was counted before it and is only being sent: then it is asked again.
func (w *Ways) await(ctx context.Context) error {
	if w.change == nil {
		w.change = make(chan struct{})
	}
	change, ask := w.change, !w.asking
	if ask {
		w.agent.sent++
		w.asking = true
	}
	w.waiting++
	w.mu.Unlock()
	if ask {
		w.ask()
	}
	var err error
	select {
	case <-change:
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.mu.Lock()
	w.waiting--
	return err
}

// Handed is told when a frame is in the queue of the own link. It gives how many have been until now.
func (w *Ways) Handed() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handing--
	w.own.sent++
	return w.own.sent
}

// Settle is told that the controller has the first n frames that were handed to the own link.
func (w *Ways) Settle(n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.own.have = min(max(w.own.have, n), w.own.sent)
}

// Confirm is told that the controller has the first n frames that went to the agent.
func (w *Ways) Confirm(n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asking = false
	if n > w.agent.have && n <= w.agent.sent {
		w.agent.have = n
	}
	w.changed()
}

// Failed is told that a frame that was to go to the agent did not: nobody waits for it.
func (w *Ways) Failed(way Way) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.agent.sent--
	w.asking = w.asking && !way.Ask
	w.changed()
}

// changed lets those who wait look again. The caller holds w.mu.
func (w *Ways) changed() {
	if w.change != nil {
		close(w.change)
		w.change = nil
	}
}
