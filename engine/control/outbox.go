package control

import (
	"net"
	"sync"
)

// outbox holds the bytes that wait to be written to one connection. put never blocks, however slowly the
// other side reads (INV-ISOLATION).
type outbox struct {
	limit int // bytes that may wait
	wake  chan struct{}

	mu     sync.Mutex
	queue  net.Buffers
	bytes  int
	closed bool
}

func newOutbox(limit int) *outbox {
	return &outbox{limit: limit, wake: make(chan struct{}, 1)}
}

// put queues one message. It fails when the other side has not read for so long that the limit is reached.
func (o *outbox) put(f frame) error {
	b, err := appendMessage(nil, f)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	if o.bytes > 0 && o.bytes+len(b) > o.limit {
		return errorf(CodeClosed, "the other side does not read: %d bytes wait for it, the limit is %d", o.bytes, o.limit)
	}
	o.queue, o.bytes = append(o.queue, b), o.bytes+len(b)
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return nil
}

// close lets the writer end once everything is written; what is put later is refused.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// write writes until the outbox is closed and empty, or the connection fails.
func (o *outbox) write(conn net.Conn) error {
	for range o.wake {
		o.mu.Lock()
		batch, n, closed := o.queue, o.bytes, o.closed
		o.queue = nil
		o.mu.Unlock()
		_, err := batch.WriteTo(conn)
		o.mu.Lock()
		o.bytes -= n
		o.mu.Unlock()
		if err != nil || closed {
			return err
		}
	}
	return nil
}
