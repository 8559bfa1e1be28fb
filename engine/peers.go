package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// link carries envelopes to other processes, in order per peer and lane. *quicnet.Node is one, memLink the other.
type link interface {
	Send(ctx context.Context, to uint64, lane quicnet.Lane, env *quicnet.Envelope) error
	Forget(proc uint64, reason string)
	Close(reason string) error
}

// peers is what a process knows of the others: the link to them, and which have ended.
type peers struct {
	linked chan struct{} // closed when there is a link

	mu   sync.Mutex
	link link
	gone map[uint64]string // processes that ended, with the reason
}

func newPeers() *peers { return &peers{linked: make(chan struct{}), gone: map[uint64]string{}} }

// connect sets the link, once.
func (p *peers) connect(l link) {
	p.mu.Lock()
	p.link = l
	p.mu.Unlock()
	close(p.linked)
}

// current is the link; nil before connect.
func (p *peers) current() link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// linkTo is the link to a process that has not ended, as far as is known. Before connect it waits: the controller may
// talk to a worker before Join has returned there.
func (p *peers) linkTo(proc uint64, closing <-chan struct{}) (link, error) {
	p.mu.Lock()
	reason, gone := p.gone[proc]
	lk := p.link
	p.mu.Unlock()
	switch {
	case gone:
		return nil, fmt.Errorf("%s: %w", reason, ErrLost)
	case lk != nil:
		return lk, nil
	}
	select {
	case <-p.linked:
		return p.current(), nil
	case <-closing:
		return nil, ErrStopped
	}
}

// noteGone keeps why a process has ended.
func (p *peers) noteGone(proc uint64, reason string) {
	p.mu.Lock()
	p.gone[proc] = reason
	p.mu.Unlock()
}

// lostError is what a request to a process that has ended returns.
func (p *peers) lostError(proc uint64) error {
	p.mu.Lock()
	reason, ok := p.gone[proc]
	p.mu.Unlock()
	if !ok {
		reason = fmt.Sprintf("process %d is gone", proc)
	}
	return fmt.Errorf("%s: %w", reason, ErrLost)
}
