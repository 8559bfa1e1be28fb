package control

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// CallHandle follows one call.
type CallHandle struct {
	id     uint64
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	replies []Reply
	more    chan struct{} // closed and replaced when something changed
	ended   bool
	done    CallDone
	err     error
}

// Call sends a call and returns without waiting for its end; mistakes in the request come from Wait. Calls that one
// goroutine makes reach the engine in their order. Ending ctx, or Cancel, cancels the call. An ID of 0 is replaced by
// one that is free.
func (c *Client) Call(ctx context.Context, req CallReq) (*CallHandle, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	id, err := c.track(req.ID, cancel)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	req.ID = id
	h := &CallHandle{id: id, cancel: cancel, more: make(chan struct{})}
	wait := c.t.call(ctx, req, h.add)
	go func() { // ends with the transport's call, which ends with ctx or the connection; Wait waits for it
		defer cancel(nil)
		done, err := wait()
		c.untrack(id)
		h.end(done, err)
	}()
	return h, nil
}

// Cancel gives up on a call of this client by its CallReq.ID and cancels its handlers; a call that has ended is no error.
func (c *Client) Cancel(id uint64) {
	c.mu.Lock()
	cancel := c.calls[id]
	c.mu.Unlock()
	if cancel != nil {
		cancel(nil)
	}
}

func (c *Client) track(id uint64, cancel context.CancelCauseFunc) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id != 0 && c.calls[id] != nil {
		return 0, errorf(CodeBadRequest, "call: this client already has a call with id %d", id)
	}
	for id == 0 || c.calls[id] != nil {
		c.nextID++
		id = c.nextID
	}
	c.calls[id] = cancel
	return id, nil
}

func (c *Client) untrack(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, id)
}

// ID is the CallReq.ID, for Cancel.
func (h *CallHandle) ID() uint64 { return h.id }

// Cancel gives up on the call and cancels its handlers. Wait returns soon after.
func (h *CallHandle) Cancel() { h.cancel(nil) }

// Expire is Cancel because the time for the call is over: the outcome of ranks that have not answered is OutcomeDeadline,
// and the contexts of their handlers end with context.DeadlineExceeded. The deadline of the context that Call was given
// does the same.
func (h *CallHandle) Expire() { h.cancel(context.DeadlineExceeded) }

// Replies yields the replies in the order in which they arrive, and ends when the call does. Every loop sees all.
func (h *CallHandle) Replies() iter.Seq[Reply] {
	return func(yield func(Reply) bool) {
		for i := 0; ; {
			replies, ended, more := h.peek()
			for ; i < len(replies); i++ {
				if !yield(replies[i]) {
					return
				}
			}
			if ended {
				return
			}
			<-more
		}
	}
}

// Wait returns when the call has ended. The error is nil when every rank's part has an outcome, good or bad; the
// outcomes are in the replies.
func (h *CallHandle) Wait() (CallDone, error) {
	for {
		_, ended, more := h.peek()
		if ended {
			return h.done, h.err
		}
		<-more
	}
}

// Got returns the replies that have arrived so far.
func (h *CallHandle) Got() []Reply {
	replies, _, _ := h.peek()
	return replies
}

func (h *CallHandle) peek() ([]Reply, bool, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clip(h.replies), h.ended, h.more
}

func (h *CallHandle) add(r Reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.replies = append(h.replies, r)
	h.change()
}

func (h *CallHandle) end(done CallDone, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done, h.err, h.ended = done, err, true
	h.change()
}

func (h *CallHandle) change() {
	close(h.more)
	h.more = make(chan struct{})
}
