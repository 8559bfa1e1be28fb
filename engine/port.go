package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// portBuffer is how many values may wait in a receiver. Past it a sender's values are dropped at the receiver and
// counted: a port has no reply that could hold the sender back.
const (
	portBuffer = 65_536
	portBytes  = 64 << 20 // the same, in bytes
)

// Port is the sending end of a channel between processes. It is a value and travels in arguments, fields and replies.
type Port[V any] struct{ addr portAddr }

type portAddr struct {
	_    struct{} `cbor:",toarray"`
	Proc uint64
	ID   uint64
}

// Receiver is the end that stays.
type Receiver[V any] struct {
	node *node
	st   *channelState
}

// channelState is a receiver's queue.
type channelState struct {
	id      uint64
	mu      sync.Mutex
	queue   [][]byte
	size    int // bytes in queue
	dropped int
	closed  bool
	onClose func() // of a monitor: takes that back; nil: nothing
	wake    chan struct{}
}

// portTable holds the channels whose receivers are in this process.
type portTable struct {
	mu   sync.Mutex
	byID map[uint64]*channelState
}

func (t *portTable) add(st *channelState) {
	t.mu.Lock()
	put(&t.byID, st.id, st)
	t.mu.Unlock()
}

func (t *portTable) get(id uint64) *channelState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

func (t *portTable) remove(id uint64) {
	t.mu.Lock()
	delete(t.byID, id)
	t.mu.Unlock()
}

// Channel opens a channel: send the port away, keep the receiver and close it when done. It is an error where a V cannot
// travel between processes, by the rule that Register has for arguments.
func Channel[V any](ctx context.Context) (Port[V], *Receiver[V], error) {
	n, err := nodeOf(ctx)
	if err != nil {
		return Port[V]{}, nil, fmt.Errorf("open a channel: %w", err)
	}
	if err := bodies.Type(reflect.TypeFor[V]()); err != nil {
		return Port[V]{}, nil, fmt.Errorf("open a channel: %w", err)
	}
	st := &channelState{id: n.nextMsg.Add(1), wake: make(chan struct{}, 1)}
	n.ports.add(st)
	return Port[V]{portAddr{Proc: n.id, ID: st.id}}, &Receiver[V]{n, st}, nil
}

// IsZero reports whether the port was never assigned: nobody waits at the other end.
func (p Port[V]) IsZero() bool { return p.addr.ID == 0 }

// Send delivers v to the receiver, in order with this actor's other sends to it. It does not wait for the receiver; a
// receiver that is closed drops the value.
func (p Port[V]) Send(ctx context.Context, v V) error {
	if p.IsZero() {
		return errors.New("send on an empty engine.Port: it was never assigned")
	}
	n, err := nodeOf(ctx)
	if err != nil {
		return fmt.Errorf("send on a port: %w", err)
	}
	b, err := bodies.Encode(v, reflect.TypeFor[V]())
	if err != nil {
		return fmt.Errorf("send on a port: %T does not encode: %w", v, err)
	}
	act := activationOf(ctx)
	if v := act.at(probe.Send, "a port", nil); v != nil {
		return v
	}
	env := quicnet.Envelope{Kind: quicnet.KindPort, ID: n.nextMsg.Add(1), From: n.addrOf(act), To: quicnet.Addr{Proc: p.addr.Proc}, Index: p.addr.ID, Body: b}
	act.stamp(&env)
	if err := n.send(ctx, quicnet.LaneCalls, &env); err != nil {
		if why := n.orderedEnd(control.MeshRef{}, env.To.Proc); why != nil {
			err = why.remote()
		}
		return fmt.Errorf("send on a port: %w", err)
	}
	return nil
}

// MarshalCBOR makes a port travel.
func (p Port[V]) MarshalCBOR() ([]byte, error) { return quicnet.Enc().Marshal(p.addr) }

// UnmarshalCBOR reads a port.
func (p *Port[V]) UnmarshalCBOR(b []byte) error {
	if err := quicnet.Dec().Unmarshal(b, &p.addr); err != nil {
		return fmt.Errorf("port: %w", err)
	}
	return nil
}

// SchemaKind tells engine/schema that a person cannot type a port.
func (Port[V]) SchemaKind() (kind, mesh string) { return "port", reflect.TypeFor[V]().String() }

// StateText is how a debugger shows it.
func (p Port[V]) StateText() string {
	return fmt.Sprintf("port %d of process %d", p.addr.ID, p.addr.Proc)
}

// takePort queues a value. It runs on a link's reader and does not block.
func (n *node) takePort(env *quicnet.Envelope) {
	st := n.ports.get(env.Index)
	if st == nil {
		return
	}
	st.mu.Lock()
	if len(st.queue) < portBuffer && st.size+len(env.Body) <= portBytes {
		st.queue = append(st.queue, append([]byte(nil), env.Body...)) // the frame has room to spare
		st.size += len(env.Body)
	} else {
		st.dropped++
	}
	st.mu.Unlock()
	env.Free()
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// Recv waits for the next value. It is for one goroutine at a time. After values were dropped because nobody received
// for too long, it says so once.
func (r *Receiver[V]) Recv(ctx context.Context) (V, error) {
	var v V
	for {
		r.st.mu.Lock()
		switch {
		case len(r.st.queue) > 0:
			b := r.st.queue[0]
			r.st.queue[0] = nil
			r.st.queue = r.st.queue[1:]
			r.st.size -= len(b)
			r.st.mu.Unlock()
			if err := bodies.Decode(b, &v); err != nil {
				return v, fmt.Errorf("receive %T: %w", v, err)
			}
			return v, nil
		case r.st.dropped > 0:
			n := r.st.dropped
			r.st.dropped = 0
			r.st.mu.Unlock()
			return v, fmt.Errorf("%d values were dropped: more than %d, or %d MiB, waited here", n, portBuffer, portBytes>>20)
		case r.st.closed:
			r.st.mu.Unlock()
			return v, errors.New("receive on a closed channel")
		}
		r.st.mu.Unlock()
		select {
		case <-r.st.wake:
		case <-r.node.closing:
			return v, fmt.Errorf("receive: %w", ErrStopped)
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}

// Close forgets the channel; values that still arrive are dropped.
func (r *Receiver[V]) Close() {
	r.node.ports.remove(r.st.id)
	r.st.mu.Lock()
	r.st.closed = true
	onClose := r.st.onClose
	r.st.onClose = nil
	r.st.mu.Unlock()
	if onClose != nil {
		onClose()
	}
	select {
	case r.st.wake <- struct{}{}:
	default:
	}
}
