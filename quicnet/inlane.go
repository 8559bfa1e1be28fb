package quicnet

import (
	"sync"
	"sync/atomic"
)

// pair is a sending and a receiving actor: frames of one pair are delivered in order.
type pair struct{ from, to uint64 }

// heldFrame is an envelope that waits for its own body or for one before it in its pair.
type heldFrame struct {
	env  *Envelope
	size int   // bytes it occupies here
	bulk int64 // size of the body still to come, -1 if none
}

// earlyBody is a body that arrives before its header.
type earlyBody struct {
	reader *conn // the connection that brings it: the reader of an older one must not give it back
	size   int64
	body   []byte // nil until it is whole
	large  *Large // what it lies in
}

// inLane is the receiving half of one lane of a link. Its state outlives connections.
type inLane struct {
	p    *peer
	lane Lane

	ack    atomic.Uint64 // everything up to here was received whole
	seen   atomic.Uint64 // last, for those who don't hold mu
	missed atomic.Uint64 // events: how many never came

	mu      sync.Mutex            // held while Handler.Frame runs; comes first in the lock order
	closed  bool                  // nothing is delivered any more
	last    uint64                // highest sequence number seen
	waiting map[uint64]*heldFrame // frames whose body is on its way, by sequence number
	held    map[pair][]*heldFrame // the same frames and those behind them, in order
	lowest  uint64                // lowest key of waiting, 0 if none
	early   map[uint64]*earlyBody // bodies whose header has not come
	bytes   int                   // held here: envelopes, bodies announced and bodies early
	limit   int
	handed  uint64 // delivered since end
}

func (l *inLane) init(p *peer, lane Lane, lim Limits) {
	l.p, l.lane = p, lane
	frames, bytes := lim.window(lane)
	l.limit = bytes + frames*64 + headerBytes // the sender doesn't count prefixes, and may pass its window by one header
}

// inBatch is how many envelopes are taken under one lock, and acknowledged as one. It is not more than ackEvery: who sends counts on that.
const inBatch = ackEvery

// begin locks the lane for the envelopes of a batch. What it does to shared memory is done once for all of them: among processors that
// is a tenth of what a small frame costs its receiver.
func (l *inLane) begin() { l.mu.Lock() }

// end makes what begin has begun known, unless it was in vain, and lets others in.
func (l *inLane) end(ok bool) {
	if ok {
		l.moveAck()
	}
	l.p.framesIn.Add(l.handed)
	l.handed = 0
	l.mu.Unlock()
}

// take handles an envelope that arrived, between begin and end; size is that of its frame, bulk that of its body if it
// travels apart, else -1.
func (l *inLane) take(env *Envelope, size int, bulk int64) *CloseError {
	if l.closed {
		return nil
	}
	if env.Seq <= l.last { // sent again after a new connection
		env.Free()
		return nil
	}
	if gap := env.Seq - l.last - 1; gap > 0 {
		if l.lane.reliable() {
			return closeErrorf(CodeProtocol, "frame %d of the %s lane came after %d", env.Seq, l.lane, l.last)
		}
		l.missed.Add(gap)
	}
	if bulk >= 0 && !l.lane.reliable() {
		return closeErrorf(CodeProtocol, "an event with a body on its own stream")
	}
	l.last = env.Seq
	if bulk < 0 && len(l.held) == 0 { // nothing waits, as nearly always
		l.deliver(env)
		return nil
	}
	key := pair{env.From.Actor, env.To.Actor}
	queue := l.held[key]
	if bulk >= 0 {
		if early := l.early[env.Seq]; early != nil {
			delete(l.early, env.Seq)
			l.bytes -= int(early.size)
			if early.size != bulk {
				return closeErrorf(CodeProtocol, "frame %d has a body of %d bytes, announced were %d", env.Seq, early.size, bulk)
			}
			if early.body != nil {
				env.Body, env.Large, bulk = early.body, early.large, -1
				size += len(early.body)
			}
		}
	}
	if bulk < 0 && len(queue) == 0 {
		l.deliver(env)
	} else if err := l.hold(key, &heldFrame{env, size, bulk}); err != nil {
		return err
	}
	return nil
}

// hold queues h behind its pair's other frames.
func (l *inLane) hold(key pair, h *heldFrame) *CloseError {
	need := h.size
	if h.bulk >= 0 {
		need += int(h.bulk)
	}
	if l.bytes+need > l.limit {
		return closeErrorf(CodeLimit, "more than %d bytes in flight on the %s lane", l.limit, l.lane)
	}
	l.bytes += need
	if l.held == nil {
		l.held, l.waiting = map[pair][]*heldFrame{}, map[uint64]*heldFrame{}
	}
	l.held[key] = append(l.held[key], h)
	if h.bulk >= 0 {
		l.waiting[h.env.Seq] = h
		if l.lowest == 0 {
			l.lowest = h.env.Seq
		}
	}
	return nil
}

// wants reports whether the body of frame seq, now arriving on c, is of use, and what is wrong if it
// cannot be. What it reserves, body uses or gives back.
func (l *inLane) wants(c *conn, seq uint64, size int64) (bool, *CloseError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, nil
	}
	if h := l.waiting[seq]; h != nil {
		if h.bulk != size {
			return false, closeErrorf(CodeProtocol, "frame %d has a body of %d bytes, announced were %d", seq, size, h.bulk)
		}
		return true, nil
	}
	if early := l.early[seq]; early != nil && early.size == size {
		early.reader = c
		return early.body == nil, nil
	}
	if seq <= l.last {
		return false, nil // sent again, and not needed
	}
	frames, _ := l.p.n.limits.window(l.lane)
	if seq > l.last+uint64(frames) || l.bytes+int(size) > l.limit {
		return false, closeErrorf(CodeLimit, "a body of %d bytes for frame %d of the %s lane, which is at %d with %d bytes held", size, seq, l.lane, l.last, l.bytes)
	}
	if l.early == nil {
		l.early = map[uint64]*earlyBody{}
	}
	l.bytes += int(size)
	l.early[seq] = &earlyBody{reader: c, size: size}
	return true, nil
}

// body delivers the body of frame seq and what waited for it. A nil body is one that broke off.
func (l *inLane) body(c *conn, seq uint64, body []byte, large *Large) {
	l.begin()
	ok := false
	defer func() { l.end(ok) }()
	if early := l.early[seq]; early != nil {
		switch {
		case body != nil:
			early.body, early.large = body, large
		case early.reader == c && early.body == nil:
			l.bytes -= int(early.size)
			delete(l.early, seq)
		}
		return
	}
	h := l.waiting[seq]
	if h == nil || body == nil || l.closed {
		return
	}
	delete(l.waiting, seq)
	h.env.Body, h.env.Large, h.bulk = body, large, -1
	h.size += len(body)
	key := pair{h.env.From.Actor, h.env.To.Actor}
	queue := l.held[key]
	for len(queue) > 0 && queue[0].bulk < 0 {
		first := queue[0]
		queue[0] = nil
		queue = queue[1:]
		l.bytes -= first.size
		l.deliver(first.env)
	}
	if len(queue) == 0 {
		delete(l.held, key)
	} else {
		l.held[key] = queue
	}
	if seq == l.lowest {
		l.lowest = 0
		for other := range l.waiting {
			if l.lowest == 0 || other < l.lowest {
				l.lowest = other
			}
		}
	}
	ok = true
}

// deliver hands an envelope to the handler.
func (l *inLane) deliver(env *Envelope) {
	l.handed++
	l.p.n.handler.Frame(l.p.id(), l.lane, env)
}

// moveAck sets ack to what was received without a hole.
func (l *inLane) moveAck() {
	ack := l.last
	if l.lowest != 0 {
		ack = l.lowest - 1
	}
	l.seen.Store(l.last)
	l.ack.Store(ack)
}

// lacksBody reports whether a frame waits for its body.
func (l *inLane) lacksBody() bool { return l.ack.Load() < l.seen.Load() }

// close ends delivery. It returns when no Frame call is running.
func (l *inLane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.waiting, l.held, l.early, l.bytes = nil, nil, nil, 0
}
