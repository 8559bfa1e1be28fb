package quicnet

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/quic-go/quic-go"
)

// conn is one connection of a link, by QUIC or by inherited sockets. By QUIC each side opens one unidirectional stream per lane, in the
// order of the lanes, before anything else; every later stream carries one body.
type conn struct {
	p       *peer
	q       carriage
	quic    *quic.Conn // q, where it is that,
	sockets *sockets   // or this; the other one is nil
	gate    *gate      // by which QUIC goes
	dialled bool
	control *frameReader // the peer's control lane
	streams [lanes]laneWriter
	moving  atomic.Bool // in place of the sockets QUIC was asked for,
	busy    atomic.Bool // or is to be, before others
	after   *conn       // by sockets, from which this has taken over
	over    chan struct{}

	peerFrames int // what the peer keeps for us
	peerBytes  [lanes]int
	peerBody   int // largest body it takes

	began  [lanes]atomic.Int64        // when the frame that is half read began, as time since the node started; 0 = none
	closed atomic.Pointer[CloseError] // why we closed it
	reads  sync.WaitGroup

	bulkMu  sync.Mutex
	bulk    []bulkOut // bodies to send, oldest first
	senders int

	way    way
	memory memory
	beside *beside         // nil: heartbeats go by the stream only
	calls  [2]*frameReader // the peer's calls lane: on its stream, and in memory. Each keeps what came behind a turn

	bulkOpen atomic.Int32 // streams of bodies that are being read
	moved    atomic.Int64 // when an envelope or a piece of a body last came, as time since the node started

	renewed atomic.Bool
}

// urgency is a stream's priority in the sense of RFC 9218; bulk goes behind small calls.
func urgency(lane Lane) int8 {
	switch lane {
	case LaneControl:
		return 0
	case LaneCalls:
		return 2
	case LaneEvents, lanes:
	}
	return 5
}

const bulkUrgency = 4

// close ends the connection with a code and a reason that the peer will show. It may be called from
// anywhere, several times: the first reason counts.
func (c *conn) close(why *CloseError) {
	if c.closed.CompareAndSwap(nil, why) {
		_ = c.q.CloseWithError(quic.ApplicationErrorCode(why.Code), clean.OneLine(why.Reason, maxReason))
	}
}

// why says how the connection ended.
func (c *conn) why() error {
	if own := c.closed.Load(); own != nil {
		return own
	}
	return context.Cause(c.q.Context())
}

// openLanes opens our streams.
func (c *conn) openLanes() error {
	for lane := range lanes {
		if c.sockets != nil {
			c.streams[lane] = &c.sockets.lanes[lane]
			continue
		}
		s, err := c.quic.OpenUniStream()
		if err != nil {
			return err
		}
		s.SetPriority(urgency(lane), true)
		c.streams[lane] = s
	}
	return nil
}

// acceptControl waits for the peer's control stream.
func (c *conn) acceptControl(ctx context.Context, lim Limits) error {
	var s deadlineReader
	if c.sockets != nil {
		s = &c.sockets.lanes[LaneControl]
	} else {
		stream, err := c.quic.AcceptUniStream(ctx)
		if err != nil {
			return err
		}
		s = stream
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = s.SetReadDeadline(deadline)
	}
	c.control = newFrameReader(s, lim.frameCap(LaneControl))
	return nil
}

// deadlineReader is what a lane is read from.
type deadlineReader interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// run serves the connection until it ends. The caller has attached it.
func (c *conn) run() error {
	defer close(c.over)
	_ = c.control.s.(deadlineReader).SetReadDeadline(time.Time{})
	if c.sockets != nil {
		c.readSockets()
	} else {
		c.reads.Go(c.acceptStreams)
	}
	c.read(LaneControl, c.control)
	c.await()
	c.memory.close()
	c.reads.Wait()
	return c.why()
}

// acceptStreams takes the peer's other streams: calls, events, then bodies. quic-go bounds how many
// there can be at once, because credit is given back only when a body was dealt with.
func (c *conn) acceptStreams() {
	for lane := LaneCalls; ; lane++ {
		s, err := c.quic.AcceptUniStream(c.q.Context())
		if err != nil {
			return
		}
		if lane < lanes {
			c.readMore(lane, s)
		} else {
			lane = lanes
			c.reads.Go(func() { c.readBulk(s) })
		}
	}
}

// await waits for the end of the connection, which for sockets that were left is when nothing more comes by them.
func (c *conn) await() {
	if c.sockets == nil {
		<-c.q.Context().Done()
		return
	}
	select {
	case <-c.q.Context().Done():
	case <-c.sockets.left:
		c.reads.Wait()
		c.close(&CloseError{Code: CodeReplaced})
	}
}

// readSockets reads all lanes but control.
func (c *conn) readSockets() {
	for lane := range lanes {
		c.sockets.lanes[lane].up.Store(true)
		if lane != LaneControl {
			c.readMore(lane, &c.sockets.lanes[lane])
		}
	}
}

// readMore has a goroutine read another lane than control.
func (c *conn) readMore(lane Lane, s io.Reader) {
	r := newFrameReader(s, c.p.n.limits.frameCap(lane))
	if lane == LaneCalls {
		c.calls[0] = r
	}
	c.reads.Go(func() { c.read(lane, r) })
}

// read serves one lane.
func (c *conn) read(lane Lane, r *frameReader) {
	if lane == LaneEvents && c.after != nil { // those of the sockets come first: what is overtaken is lost
		select {
		case <-c.after.over:
		case <-c.q.Context().Done():
		}
	}
	err := c.readLane(lane, r)
	if own, ok := errors.AsType[*CloseError](err); ok {
		c.close(own)
	} else if brokenOff(err) {
		c.close(closeErrorf(CodeProtocol, "the %s lane ended", lane))
	}
}

// brokenOff reports that the peer has ended or reset a stream where it must not. Any other error of a stream is the end
// of the connection itself.
func brokenOff(err error) bool {
	_, reset := errors.AsType[*quic.StreamError](err)
	return reset || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// readLane reads until an error, which it returns.
func (c *conn) readLane(lane Lane, r *frameReader) error {
	in, out := &c.p.in[lane], &c.p.out[lane]
	var routes inRoutes
	for {
		routes.at = time.Now().UnixMicro()
		c.p.corkLane(lane, routes.at) // what the handler sends while we dispatch goes out in one batch
		var err error
		r, err = c.dispatchAll(lane, r, &routes)
		runtime.Gosched() // whom the answers have woken send in that batch, too
		c.p.uncork(lane)
		if err != nil {
			return err
		}
		if lane.reliable() {
			out.needAck(in.ack.Load())
		}
		if r.partial() {
			c.began[lane].CompareAndSwap(0, int64(time.Since(c.p.n.started)))
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// dispatchAll handles every whole frame that r holds, and gives the reader by which the lane goes on.
func (c *conn) dispatchAll(lane Lane, r *frameReader, routes *inRoutes) (*frameReader, error) {
	in := &c.p.in[lane]
	batch := 0 // envelopes since in.begin
	end := func(ok bool) {
		if batch > 0 {
			in.end(ok)
			batch = 0
		}
	}
	for {
		f, err := r.next()
		if err != nil || f == nil || batch == inBatch || frameKind(f) >= linkHello {
			end(true)
		}
		if err != nil {
			return r, closeErrorf(CodeFrame, "%s lane: %v", lane, err)
		}
		if f == nil {
			return r, nil
		}
		if c.began[lane].Load() != 0 {
			c.began[lane].Store(0)
		}
		switch kind := frameKind(f); {
		case kind == linkRoute && lane == LaneCalls:
			if err := routes.declare(f); err != nil {
				return r, err
			}
		case kind == linkTurn && lane == LaneCalls:
			if r, err = c.turn(r, f); err != nil {
				return r, err
			}
		case kind >= linkHello:
			if err := c.linkFrame(lane, f); err != nil {
				return r, err
			}
		default:
			if batch++; batch == 1 {
				in.begin()
			}
			if err := c.envelope(lane, f, kind, routes); err != nil {
				end(false)
				return r, err
			}
		}
	}
}

// envelope checks and delivers one envelope, on a lane that has begun a batch. It gets memory of its own, which the handler may give back with it.
func (c *conn) envelope(lane Lane, b []byte, kind uint8, routes *inRoutes) error {
	p := c.p
	id := p.id()
	env := NewEnvelope()
	env.memory, env.At, env.Back = append(env.memory, b...), routes.at, p
	bulk := int64(-1)
	var err error
	if kind >= routedCall && kind < routedEnd && lane == LaneCalls {
		err = routes.decode(env.memory, kind, env, id, p.n.id.Proc)
	} else if bulk, err = decodeEnvelope(env.memory, env); err == nil {
		routes.whole(env)
	}
	if err != nil {
		return closeErrorf(CodeFrame, "%s lane: %v", lane, err)
	}
	switch {
	case env.Epoch != id.Epoch:
		return closeErrorf(CodeStaleEpoch, "a frame of epoch %d on a connection of epoch %d", env.Epoch, id.Epoch)
	case env.From.Proc != id.Proc:
		return closeErrorf(CodeIdentity, "%s sent a frame in the name of %s", id, ID{Proc: env.From.Proc})
	case env.To.Proc != p.n.id.Proc:
		return closeErrorf(CodeIdentity, "%s sent a frame for %s to %s", id, ID{Proc: env.To.Proc}, p.n.id)
	case bulk > int64(p.n.limits.FrameBytes):
		return closeErrorf(CodeFrame, "a body of %d bytes, at most %d", bulk, p.n.limits.FrameBytes)
	}
	if lane.reliable() && !p.out[lane].acked(env.Ack) {
		return closeErrorf(CodeProtocol, "frame %d of the %s lane was acknowledged and never sent", env.Ack, lane)
	}
	if bulk >= 0 || c.bulkOpen.Load() > 0 {
		c.progress()
	}
	if err := p.in[lane].take(env, len(b), bulk); err != nil {
		return err
	}
	return nil
}

// linkFrame handles one of the link's own frames.
func (c *conn) linkFrame(lane Lane, f []byte) error {
	kind := frameKind(f)
	if lane != LaneControl && kind != linkAck {
		return closeErrorf(CodeProtocol, "link frame %d on the %s lane", kind, lane)
	}
	switch kind {
	case linkRenew, linkCertificate:
		var w bytesFrame
		if err := StrictDec().Unmarshal(f, &w); err != nil {
			return closeErrorf(CodeFrame, "%s: %v", ID{Proc: c.p.proc}, err)
		}
		return c.p.n.renewal(c, kind, w.Bytes)
	case linkMemory:
		var w bytesFrame
		if err := StrictDec().Unmarshal(f, &w); err != nil {
			return closeErrorf(CodeFrame, "%s: %v", ID{Proc: c.p.proc}, err)
		}
		return c.memory.offered(w.Bytes)
	case linkClose:
		if c.sockets == nil {
			break
		}
		return c.sockets.ended(f)
	case linkReady, linkHeartbeat, linkHeartbeatAck, linkAck, linkMemoryAnswer, linkMemoryUse, linkMemoryUsed, linkDial:
	default:
		return closeErrorf(CodeProtocol, "link frame %d out of place", kind)
	}
	n, err := decodeCounter(f)
	if err != nil {
		return closeErrorf(CodeFrame, "%v", err)
	}
	switch kind {
	case linkReady:
		c.p.ready(c)
	case linkDial:
		if c.sockets == nil || !c.dialled {
			return closeErrorf(CodeProtocol, "it asks to be dialled, which nobody is to do")
		}
		c.needNetwork()
	case linkMemoryAnswer:
		return c.memory.answered(n)
	case linkMemoryUse:
		c.memory.wanted(n)
	case linkMemoryUsed:
		return c.memory.used(n)
	case linkHeartbeat:
		c.p.beaten(c, n)
	case linkHeartbeatAck:
		c.p.beatAcked(c, n, false)
	case linkAck:
		if !lane.reliable() || !c.p.out[lane].acked(n) {
			return closeErrorf(CodeProtocol, "frame %d of the %s lane was acknowledged and never sent", n, lane)
		}
	}
	return nil
}

// sendFrame writes one length-prefixed CBOR frame during the handshake.
func (c *conn) sendFrame(v any) error {
	b, err := Enc().Marshal(v)
	if err != nil {
		return err
	}
	_, err = c.streams[LaneControl].Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

// readFrame reads one frame of the handshake into v.
func (c *conn) readFrame(kind uint8, v any) error {
	b, err := c.control.one()
	if err != nil {
		return err
	}
	switch k := frameKind(b); {
	case k == linkClose && c.sockets != nil:
		return c.sockets.ended(b)
	case k != kind:
		return closeErrorf(CodeProtocol, "link frame %d, want %d first", k, kind)
	}
	if kind == linkHello {
		if least, most := helloVersions(b); least > Version || most < Version {
			return closeErrorf(CodeVersion, "the dialling side speaks versions %d to %d, this one speaks %d", least, most, Version)
		}
	}
	if err := StrictDec().Unmarshal(b, v); err != nil {
		return closeErrorf(CodeFrame, "%v", err)
	}
	return nil
}

// setPeerLimits takes over what the peer said it can hold.
func (c *conn) setPeerLimits(frames uint32, bytes, body uint64) error {
	if frames == 0 || body == 0 || bytes < body {
		return closeErrorf(CodeProtocol, "limits of %d frames, %d bytes, %d per frame cannot work", frames, bytes, body)
	}
	const most = 1 << 40
	l := Limits{WindowFrames: int(min(frames, 1<<30)), WindowBytes: int(min(bytes, most)), FrameBytes: int(min(body, most))}
	c.peerFrames, c.peerBody = l.WindowFrames, l.FrameBytes
	for lane := range lanes {
		_, c.peerBytes[lane] = l.window(lane)
	}
	c.peerBytes[LaneEvents] = most // the receiver keeps none
	return nil
}
