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
	gone map[uint64]goneBody // processes that ended
}

func newPeers() *peers { return &peers{linked: make(chan struct{}), gone: map[uint64]goneBody{}} }

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
	why, gone := p.gone[proc]
	lk := p.link
	p.mu.Unlock()
	switch {
	case gone:
		return nil, fmt.Errorf("%s: %w", why.Reason, ErrLost)
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

// whyGone says why a process has ended, if it is known to.
func (p *peers) whyGone(proc uint64) (goneBody, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.gone[proc]
	return g, ok
}

// noteGone keeps why a process has ended.
func (p *peers) noteGone(g goneBody) {
	p.mu.Lock()
	if !p.gone[g.Proc].Ordered || g.Ordered { // the link tells of its end too, and knows no more than that
		p.gone[g.Proc] = g
	}
	p.mu.Unlock()
}

// lostError is what a request to a process that has ended returns.
func (p *peers) lostError(proc uint64) error {
	g, ok := p.whyGone(proc)
	if !ok {
		g.Reason = fmt.Sprintf("process %d is gone", proc)
	}
	return fmt.Errorf("%s: %w", g.Reason, ErrLost)
}

// memQueueBytes bounds the frames on their way to one in-process rank; a sender past it waits.
const memQueueBytes = 32 << 20

// frameOverhead is what an ordinary envelope needs beside its region, endpoint and body.
const frameOverhead = 128

// maxFrame is the bound that quicnet has by default, so that in-process meshes refuse what real ones would.
const maxFrame = 16 << 20

// memLink connects the in-process ranks of a controller with each other and with the controller: encoded frames through
// bounded queues, no sockets, no TLS. What is for a real worker goes out over the controller's own link.
type memLink struct {
	mu    sync.Mutex
	ends  map[uint64]*memEnd
	gone  map[uint64]string // ranks and processes that ended, with the reason
	wire  link              // to real workers; nil until there are any
	wg    sync.WaitGroup
	limit int // bytes of one frame
}

// memEnd is one rank's inbound queue.
type memEnd struct {
	proc uint64
	node *node
	mu   sync.Mutex
	high [][]byte // control: never waits behind calls
	low  [][]byte
	size int
	kick chan struct{}
	room chan struct{} // closed and replaced when there is room again
	stop chan struct{}
}

func newMemLink() *memLink {
	return &memLink{ends: map[uint64]*memEnd{}, gone: map[uint64]string{}, limit: maxFrame}
}

// attach makes a node reachable.
func (l *memLink) attach(n *node) {
	e := &memEnd{proc: n.id, node: n, kick: make(chan struct{}, 1), stop: make(chan struct{})}
	l.mu.Lock()
	l.ends[n.id] = e
	l.mu.Unlock()
	l.wg.Go(func() {
		e.read()
	})
}

// reach connects the ranks with worker processes.
func (l *memLink) reach(wire link) {
	l.mu.Lock()
	l.wire = wire
	l.mu.Unlock()
}

// Send encodes the frame at once and waits while the receiver's queue is full.
func (l *memLink) Send(ctx context.Context, to uint64, lane quicnet.Lane, env *quicnet.Envelope) error {
	l.mu.Lock()
	e, wire := l.ends[to], l.wire
	reason, gone := l.gone[to]
	l.mu.Unlock()
	if gone {
		return fmt.Errorf("%s: %w", reason, ErrLost)
	}
	if e == nil {
		if to&inProcessBit == 0 && wire != nil {
			return wire.Send(ctx, to, lane, env)
		}
		return fmt.Errorf("process %d has ended: %w", to, ErrLost)
	}
	b := quicnet.AppendEnvelope(make([]byte, 0, frameOverhead+len(env.Region)+len(env.Endpoint)+len(env.Body)), env)
	if len(b) > l.limit {
		return fmt.Errorf("a message of %d bytes is over the limit of %d; send it in parts", len(b), l.limit)
	}
	return e.put(ctx, lane, b)
}

func (e *memEnd) put(ctx context.Context, lane quicnet.Lane, b []byte) error {
	for {
		e.mu.Lock()
		if e.size < memQueueBytes || lane == quicnet.LaneControl {
			e.size += len(b)
			if lane == quicnet.LaneControl {
				e.high = append(e.high, b)
			} else {
				e.low = append(e.low, b)
			}
			e.mu.Unlock()
			select {
			case e.kick <- struct{}{}:
			default:
			}
			return nil
		}
		if e.room == nil {
			e.room = make(chan struct{})
		}
		room := e.room
		e.mu.Unlock()
		select {
		case <-room:
		case <-e.stop:
			return fmt.Errorf("process %d has ended: %w", e.proc, ErrLost)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read hands frames to the node until the end is detached.
func (e *memEnd) read() {
	var batch [][]byte
	for {
		e.mu.Lock()
		batch = append(append(batch[:0], e.high...), e.low...)
		clear(e.high)
		clear(e.low)
		e.high, e.low, e.size = e.high[:0], e.low[:0], 0
		if e.room != nil {
			close(e.room)
			e.room = nil
		}
		e.mu.Unlock()
		for _, b := range batch {
			env := new(quicnet.Envelope)
			if err := quicnet.DecodeEnvelope(b, env); err != nil {
				e.node.log.Error("a frame of this process does not decode", "err", err)
				continue
			}
			e.node.Frame(quicnet.ID{Proc: env.From.Proc}, quicnet.LaneCalls, env)
		}
		if len(batch) > 0 {
			clear(batch)
			continue
		}
		select {
		case <-e.kick:
		case <-e.stop:
			return
		}
	}
}

// Forget detaches a rank; messages to it fail from now on.
func (l *memLink) Forget(proc uint64, reason string) {
	l.mu.Lock()
	e, wire := l.ends[proc], l.wire
	delete(l.ends, proc)
	if _, known := l.gone[proc]; !known {
		l.gone[proc] = reason
	}
	l.mu.Unlock()
	if e != nil {
		close(e.stop)
	} else if wire != nil {
		wire.Forget(proc, reason)
	}
}

// Close detaches everybody, closes the wire and waits for the readers.
func (l *memLink) Close(reason string) error {
	l.mu.Lock()
	ends, wire := l.ends, l.wire
	l.ends, l.wire = map[uint64]*memEnd{}, nil
	l.mu.Unlock()
	for _, e := range ends {
		close(e.stop)
	}
	var err error
	if wire != nil {
		err = wire.Close(reason)
	}
	l.wg.Wait()
	return err
}

// shared is the memLink as one rank sees it: closing a rank must not close the others' network.
type shared struct{ *memLink }

// Forget does nothing: the controller detaches ranks for everybody.
func (shared) Forget(uint64, string) {}

// Close does nothing: the controller closes the network.
func (shared) Close(string) error { return nil }

var (
	_ link = (*memLink)(nil)
	_ link = shared{}
	_ link = (*quicnet.Node)(nil)
)
