package quicnet

import (
	"errors"
	"time"

	"github.com/quic-go/quic-go"
)

// kick flushes unless someone does. l.mu is held, and released in between.
func (l *outLane) kick() {
	if l.conn != nil && !l.flushing && l.work() {
		l.flushing = true
		l.flush()
	}
}

// work reports whether there is anything to write.
func (l *outLane) work() bool {
	return l.unsent < l.queue.n && !l.waits || l.ackDue || l.beat != 0 || l.beatAck != 0 || l.used != 0 || len(l.extra) > 0
}

// flush writes until nothing is left, as one batch after the other. The caller holds l.mu and has set
// flushing; flush never waits for the network: where the stream takes no more, a writer goroutine of
// the connection goes on, and flushing stays set until it is done.
func (l *outLane) flush() {
	l.held, l.heldBytes = false, 0
	for l.conn != nil && l.work() {
		c := l.conn
		w, turns := l.way(c)
		if turns {
			l.out = appendCounter(l.out[:0], linkTurn, inMemory(l.memory))
		} else {
			l.fill(c)
		}
		l.mu.Unlock()
		err := w.TryWriteAll(l.out)
		if errors.Is(err, quic.ErrWouldBlock) && l.p.n.spawn(func() { l.flushBlocking(c, w) }) {
			l.mu.Lock()
			return
		}
		l.mu.Lock()
		if err != nil && l.failed(c) {
			return
		}
	}
	l.flushing = false
	l.flushedAt = time.Since(l.p.n.started)
}

// laneWriter is where a lane is written to: a stream of QUIC, or one in memory.
type laneWriter interface {
	TryWriteAll(b []byte) error // errors: quic.ErrWouldBlock where there is no room
	Write(b []byte) (int, error)
}

// way is where the next batch is written. Where the lane turns to the other way that is the turn alone, still the old way.
func (l *outLane) way(c *conn) (w laneWriter, turns bool) {
	if l.lane != LaneCalls {
		return c.streams[l.lane], false
	}
	now := l.memory
	l.memory = c.memory.writer(streamCalls)
	turns = now != l.memory
	if now != nil {
		return now, turns
	}
	return c.streams[l.lane], turns
}

// inMemory is the content of linkTurn.
func inMemory(o *memoryOut) uint64 {
	if o != nil {
		return 1
	}
	return 0
}

// flushBlocking writes the batch that c had no room for, then goes on flushing.
func (l *outLane) flushBlocking(c *conn, w laneWriter) {
	_, err := w.Write(l.out)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.failed(c) {
		return
	}
	l.flush()
}

// failed notes that c has not taken the batch, for it is closed: attach begins anew with what was not acknowledged. Of events nothing is
// acknowledged: where another connection has taken over meanwhile, that gets the batch, and a goroutine goes on with it, which is reported.
func (l *outLane) failed(c *conn) (goesOn bool) {
	now := l.conn
	switch {
	case now == c:
		l.conn = nil
	case now != nil && !l.lane.reliable():
		return l.p.n.spawn(func() { l.flushBlocking(now, now.streams[l.lane]) })
	}
	return false
}

// fill builds the next batch in l.out: the link's own frames, then envelopes.
func (l *outLane) fill(c *conn) {
	if cap(l.out) > 2*batchBytes+lengthBytes+l.p.n.limits.frameCap(l.lane) {
		l.out = nil
	}
	out := l.out[:0]
	for _, b := range l.extra {
		out = append(out, b...)
	}
	l.extra = nil
	if l.beat != 0 {
		out = appendCounter(out, linkHeartbeat, l.beat)
	}
	if l.beatAck != 0 {
		out = appendCounter(out, linkHeartbeatAck, l.beatAck)
	}
	if l.used != 0 {
		out = appendCounter(out, linkMemoryUsed, l.used)
	}
	l.beat, l.beatAck, l.used = 0, 0, 0
	epoch := l.p.n.id.Epoch
	ack := l.p.in[l.lane].ack.Load()
	if l.ackDue && (l.unsent == l.queue.n || l.waits) {
		out = appendCounter(out, linkAck, ack)
	}
	if l.ackDue || l.unsent < l.queue.n {
		l.lastAck.Store(ack)
	}
	l.ackDue = false
	frames := uint64(0)
	for l.unsent < l.queue.n && len(out) < batchBytes && !l.waits {
		f, content := l.queue.at(l.unsent), l.queue.content(l.unsent)
		bulk := f.larger != nil && f.larger.body != nil
		if bulk && c.sockets != nil {
			l.waits = true
			c.needNetwork()
			break
		}
		if f.route != nil {
			out = l.routes.frame(out, f, content, ack)
		} else {
			at := len(out)
			out = append(out, 0, 0, 0, 0)
			out = appendPrefix(out, f.kind, epoch, f.seq, ack)
			out = append(out, content...)
			out = setLength(out, at)
			l.routes.base.ack = ack
		}
		if bulk {
			c.queueBulk(bulkOut{l.lane, f.seq, f.larger.pair, f.larger.body, f.larger.large.Keep()})
		} else if l.lane.reliable() {
			c.way.small(f, l.p.n.started)
		}
		if f.seq <= l.top {
			l.resent.Add(1)
		}
		l.top = max(l.top, f.seq)
		if l.onConn++; l.onConn%memoryAfter == 0 && l.lane == LaneCalls {
			c.memory.offer(streamCalls) // again where it was not the time for it
			c.outgrown()
		}
		frames++
		if l.lane.reliable() {
			l.unsent++
		} else {
			l.drop()
		}
	}
	if !l.lane.reliable() {
		l.madeSpace()
	}
	l.p.framesOut.Add(frames)
	l.out = out
}
