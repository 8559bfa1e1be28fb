package quicnet

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	batchBytes = 64 << 10 // a batch is written when it has grown to this
	corkFrames = 256      // while the reader dispatches, this many may gather
	ackEvery   = 64       // frames received before an acknowledgement is sent on its own
	poolBytes  = 16 << 10 // larger buffers are not kept
)

// largerFrame is a frame that does not lie in the queue.
type largerFrame struct {
	outFrame // its larger is nil

	pair  pair
	b     []byte // as frameQueue.content says
	body  []byte // where it travels on a stream of its own
	large *Large // what the body lies in; nil: in memory that nobody takes again
}

var framePool = sync.Pool{New: func() any { return new(largerFrame) }}

func (f *largerFrame) size() int { return len(f.b) + len(f.body) }

// fill has a frame be that of an envelope that takes a route, and appends what it says to b.
func (f *outFrame) fill(env *Envelope, b []byte) []byte {
	f.kind = env.Kind
	f.id, f.clock, f.index, f.answers = env.ID, env.Clock, env.Index, env.Parent-SessionID(env.To.Proc, 0)
	b, f.fields = appendRest(b, env)
	return b
}

// free gives a frame back; it does nothing to nil.
func (f *largerFrame) free() {
	if f == nil {
		return
	}
	f.large.Free()
	f.body, f.route, f.large = nil, nil, nil
	if cap(f.b) <= poolBytes {
		f.b = f.b[:0]
		framePool.Put(f)
	}
}

// keep has the frame keep the body of an envelope until the peer has it.
func (f *largerFrame) keep(env *Envelope) {
	if f.body, f.large = env.Body, env.Large.Keep(); env.Given || f.large != nil {
		return
	}
	if f.large = NewLarge(len(env.Body)); f.large == nil {
		f.body = append([]byte(nil), env.Body...)
		return
	}
	f.large.B = append(f.large.B, env.Body...)
	f.body = f.large.B
}

// outLane is the sending half of one lane of a link. The queue is the resend window: frames stay in
// it until they are acknowledged (events: until they are written), across connections.
type outLane struct {
	p        *peer
	lane     Lane
	maxFrame int // frames and bytes that may be kept; lowered to what the peer takes
	maxBytes int

	mu       sync.Mutex
	conn     *conn // carries the lane now; nil while there is none
	queue    frameQueue
	unsent   int    // index in queue of the next frame to write on conn
	waits    bool   // it has a body, which conn cannot carry: the next connection can
	last     uint64 // sequence number given last; numbers begin at 1
	top      uint64 // highest number ever written
	bytes    int
	flushing bool          // someone is in flush, or a writer has a batch: it will see whatever is queued now
	dead     error         // why nothing can be sent any more
	space    chan struct{} // closed when frames leave the queue; nil if nobody waits
	out      []byte        // the batch; belongs to who flushes
	routes   outRoutes     // of conn
	memory   *memoryOut    // calls: the frames of conn go there; nil: to its stream
	onConn   int           // frames written on conn

	deferred   bool          // flushLater will run
	deferredAt time.Duration // since when, and when flush last ended: as time since the node started
	flushedAt  time.Duration
	held       bool        // frames wait for more of their sender
	heldBytes  int         // so many bytes of them
	late       bool        // they have waited for holdTime
	release    *time.Timer // sees to that

	ackDue  bool     // an acknowledgement must be sent, with or without a frame
	beat    uint64   // control: number of the heartbeat to send, 0 = none
	beatAck uint64   // control: number of the heartbeat to answer, 0 = none
	used    uint64   // control: number of the memory-use 0 to answer, 0 = none
	extra   [][]byte // control: encoded link frames to send; a handful at most (ready, renew, certificate)

	ackArmed atomic.Bool
	lastAck  atomic.Uint64 // the acknowledgement written last
	done     atomic.Uint64 // the highest number acknowledged by the peer
	dropped  atomic.Uint64
	resent   atomic.Uint64
}

func (l *outLane) init(p *peer, lane Lane, lim Limits) {
	l.p, l.lane = p, lane
	l.maxFrame, l.maxBytes = lim.window(lane)
}

// send queues an envelope and sees that it is written. On the events lane a full queue drops it; on the others it waits. routed says that
// its frame takes a route. larger is that frame; nil: it is a small one, and is encoded straight into the queue.
func (l *outLane) send(ctx context.Context, env *Envelope, larger *largerFrame, routed bool) error {
	size := smallFrame
	if larger != nil {
		size = larger.size()
	}
	waited := false
	l.mu.Lock()
	for l.dead == nil && l.full(size) {
		waited = true
		if !l.lane.reliable() {
			if l.kick(); !l.full(size) || l.dead != nil {
				continue
			}
			l.last++ // the gap tells the peer
			l.mu.Unlock()
			l.dropped.Add(1)
			larger.free()
			return nil
		}
		if err := l.await(ctx); err != nil {
			l.mu.Unlock()
			larger.free()
			return err
		}
	}
	if err := l.dead; err != nil {
		l.mu.Unlock()
		larger.free()
		return err
	}
	l.last++
	var f *outFrame
	if larger != nil {
		f = l.queue.take(larger)
	} else {
		var room []byte
		f, room = l.queue.push()
		size = len(f.fill(env, room))
		f.bytes = uint8(size)
	}
	f.seq = l.last
	f.route = nil
	if routed {
		f.route = l.routes.known(env)
	}
	l.bytes += size
	if l.conn == nil || l.flushing || l.queue.n-l.unsent < corkFrames && (l.p.corked(env.At) || env.More && l.hold(size)) {
		l.mu.Unlock() // whoever flushes, attaches, uncorks or sends the last of its frames sees it
		if routed {
			env.Queued = !waited
		}
		return nil
	}
	if !l.held && l.wait() {
		l.mu.Unlock()
		return nil
	}
	l.flushing = true
	if env.Alone {
		l.flush()
		l.mu.Unlock()
		return nil
	}
	l.mu.Unlock()
	runtime.Gosched() // whoever can send now joins this batch: two to four times the throughput, measured
	l.mu.Lock()
	l.flush()
	l.mu.Unlock()
	return nil
}

const (
	burstGap  = 4 * time.Microsecond  // a frame this soon after a flush belongs to a burst
	burstTime = 50 * time.Microsecond // and waits this long at most for the next one to be sent
	holdTime  = time.Millisecond      // a frame waits this long at most for more of its sender
)

// hold leaves the frame just queued, of so many bytes, to the flush of a later one of its sender, which has said that there
// will be one. What it holds is bounded by corkFrames, batchBytes and holdTime: a sender that is kept from going on holds back
// nobody's frames for longer.
func (l *outLane) hold(size int) bool {
	l.heldBytes += size
	if l.held || l.heldBytes >= batchBytes {
		return !l.late && l.heldBytes < batchBytes
	}
	l.held, l.late = true, false
	if l.release == nil {
		l.release = time.AfterFunc(holdTime, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.late = l.held; l.late {
				l.kick()
			}
		})
	} else {
		l.release.Reset(holdTime)
	}
	return true
}

// wait reports whether the frame just queued is left to a later flush. A single sender that does not say that it has more
// to send, such as a program that starts many calls, would otherwise pay for a packet with each frame: within a
// burst it writes once in burstTime, and a goroutine writes what is left when the sender rests.
func (l *outLane) wait() bool {
	now := time.Since(l.p.n.started)
	if l.deferred {
		return now-l.deferredAt < burstTime
	}
	if now-l.flushedAt >= burstGap || !l.p.n.spawn(l.flushLater) {
		return false
	}
	l.deferred, l.deferredAt = true, now
	return true
}

// flushLater is the goroutine behind wait.
func (l *outLane) flushLater() {
	runtime.Gosched() // behind everybody who may send
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deferred = false
	l.kick()
}

func (l *outLane) full(size int) bool {
	return l.queue.n > 0 && (l.queue.n >= l.maxFrame || l.bytes+size > l.maxBytes)
}

// await waits, unlocked, until frames left the queue or ctx ends.
func (l *outLane) await(ctx context.Context) error {
	if l.space == nil { // before the kick: it lets go of l.mu, and room that is made meanwhile counts
		l.space = make(chan struct{})
	}
	space := l.space
	l.kick() // what a cork holds back would never leave
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-space:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rest gives back what a lane does not need while nobody sends.
func (l *outLane) rest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue.rest()
}

func (l *outLane) madeSpace() {
	if l.space != nil {
		close(l.space)
		l.space = nil
	}
}

// drop takes the oldest frame out of the queue.
func (l *outLane) drop() {
	l.bytes -= l.queue.pop()
}

// acked takes every frame up to seq out of the queue. An acknowledgement of something never written
// is reported as false.
func (l *outLane) acked(seq uint64) bool {
	if seq <= l.done.Load() { // most frames say nothing new
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ackedLocked(seq)
}

func (l *outLane) ackedLocked(seq uint64) bool {
	if seq > l.top {
		return false
	}
	l.done.Store(max(seq, l.done.Load()))
	if l.queue.n == 0 || l.queue.at(0).seq > seq {
		return true
	}
	for l.queue.n > 0 && l.queue.at(0).seq <= seq {
		l.drop()
		if l.unsent > 0 {
			l.unsent--
		}
	}
	l.madeSpace()
	return true
}

// attach moves the lane to connection c, whose peer has received everything up to received: exactly
// the rest is written again. False if the peer claims what it cannot have. overlaps says that the connection before goes on meanwhile:
// over that one the peer may have acknowledged more since it said so.
func (l *outLane) attach(c *conn, received uint64, overlaps bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lane.reliable() {
		if overlaps {
			received = max(received, l.done.Load())
		}
		if !l.ackedLocked(received) {
			return false
		}
		next := l.last + 1
		if l.queue.n > 0 {
			next = l.queue.at(0).seq
		}
		if next != received+1 { // what it acknowledged once is gone here
			return false
		}
	}
	l.conn, l.unsent, l.waits, l.beat, l.beatAck, l.extra, l.routes = c, 0, false, 0, 0, nil, outRoutes{}
	l.memory, l.onConn, l.used = nil, 0, 0
	l.maxFrame, l.maxBytes = min(l.maxFrame, c.peerFrames), min(l.maxBytes, c.peerBytes[l.lane])
	return true
}

// detach leaves the lane without a connection if c carried it.
func (l *outLane) detach(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == c {
		l.conn = nil
	}
}

// end fails everybody who waits or sends from now on, and forgets what is queued.
func (l *outLane) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead, l.conn = err, nil
	for l.queue.n > 0 {
		l.drop()
	}
	l.unsent = 0
	l.madeSpace()
}

// needAck arranges for an acknowledgement: at once after ackEvery frames, else within AckDelay, so
// that usually a frame of our own carries it.
func (l *outLane) needAck(received uint64) {
	behind := received - l.lastAck.Load()
	if received <= l.lastAck.Load() {
		return
	}
	if behind >= ackEvery {
		l.ackNow()
		return
	}
	if l.ackArmed.CompareAndSwap(false, true) {
		l.ackLater(l.lastAck.Load())
	}
}

// ackLater acknowledges after AckDelay what was received by then, unless frames take acknowledgements along: sent is the last one. They
// will take the next one, too.
func (l *outLane) ackLater(sent uint64) {
	l.p.n.after(l.p.n.timing.AckDelay, func() {
		received, last := l.p.in[l.lane].ack.Load(), l.lastAck.Load()
		if received > last && last != sent {
			l.ackLater(last)
			return
		}
		l.ackArmed.Store(false)
		if l.p.in[l.lane].ack.Load() > l.lastAck.Load() {
			l.ackNow()
		}
	})
}

func (l *outLane) ackNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.ackDue = true
		l.kick()
	}
}

// post sends a link frame on the control lane, ahead of envelopes.
func (l *outLane) post(c *conn, set func(*outLane)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == c {
		set(l)
		l.kick()
	}
}

// depth reports what is queued.
func (l *outLane) depth() (frames, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.n, l.bytes
}

// drained returns a channel that is closed when frames leave the queue, or nil if it is empty or
// nothing carries it.
func (l *outLane) drained() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue.n == 0 || l.conn == nil {
		return nil
	}
	if l.space == nil {
		l.space = make(chan struct{})
	}
	return l.space
}
