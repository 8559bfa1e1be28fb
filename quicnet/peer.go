package quicnet

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// peer is a link: what this node knows about one incarnation of another process. It outlives its
// connections, which is what lets a dialled-again link go on where the old one stopped.
type peer struct {
	n     *Node
	proc  uint64
	dials bool // we dial, the peer accepts
	nonce uint64

	in   [lanes]inLane
	out  [lanes]outLane
	cork [lanes]atomic.Int64 // when each lane's reader began to dispatch, in microseconds since 1970; 0 = it doesn't

	epoch     atomic.Uint32 // 0 until the first contact
	least     uint32        // an epoch below this is stale
	framesIn  atomic.Uint64
	framesOut atomic.Uint64
	redials   atomic.Uint64
	bytesIn   atomic.Uint64 // of connections that ended
	bytesOut  atomic.Uint64
	peerBody  atomic.Int64 // largest body the peer takes; 0 until the first contact

	ctx    context.Context // ends with the link
	cancel context.CancelFunc
	first  chan struct{} // closed at first contact

	network chan struct{} // closed with the first connection by QUIC

	mu        sync.Mutex
	conn      *conn
	state     LinkState // 0 until first contact
	since     time.Time // of state
	peerNonce uint64
	welcome   []byte
	moved     bool  // network is closed
	overlaps  bool  // QUIC has not taken over from sockets on both sides: what these bring goes on until it has
	leaving   *conn // controller: by sockets, until the dialler says by QUIC that it is ready
	bySockets bool  // controller: the link came up by sockets, and QUIC has not taken over
	addr      net.Addr
	gone      *GoneError
	fault     string // why the last connection or dial failed
	live      liveness
}

func newPeer(n *Node, proc uint64, epoch uint32) *peer {
	var nonce [8]byte
	_, _ = rand.Read(nonce[:]) // never fails (crypto/rand)
	now := time.Now()
	p := &peer{n: n, proc: proc, dials: dialling(n.id.Proc, proc), nonce: binary.BigEndian.Uint64(nonce[:]) | 1, first: make(chan struct{}), network: make(chan struct{}), since: now}
	p.ctx, p.cancel = context.WithCancel(n.ctx)
	p.epoch.Store(epoch)
	p.live.contact = now
	for lane := range lanes {
		p.in[lane].init(p, lane, n.limits)
		p.out[lane].init(p, lane, n.limits)
	}
	return p
}

// dialling reports which of two processes dials the other: a worker the controller, else the lower
// Proc the higher, so that a pair has one connection.
func dialling(self, other uint64) bool {
	if self == Controller || other == Controller {
		return other == Controller
	}
	return self < other
}

func (p *peer) id() ID { return ID{p.proc, p.epoch.Load()} }

// corkTime is how long a cork holds: a handler that blocks must not hold back what others send.
const corkTime = 200 * time.Microsecond

// corkLane begins to gather what is sent while the reader of a lane dispatches, which is from now on, in microseconds since 1970.
func (p *peer) corkLane(lane Lane, now int64) { p.cork[lane].Store(now) }

// corked reports whether whoever dispatches will flush soon. at is when the frame was stamped that is to be sent: mostly this moment, so
// that the clock need not be read for each.
func (p *peer) corked(at int64) bool {
	for lane := range lanes {
		since := p.cork[lane].Load()
		if since == 0 {
			continue
		}
		if at < since { // it was stamped before, or not at all
			at = time.Now().UnixMicro()
		}
		if held := at - since; held >= 0 && held < corkTime.Microseconds() { // less where the clock was set back
			return true
		}
	}
	return false
}

// uncork lets what gathered go out.
func (p *peer) uncork(lane Lane) {
	p.cork[lane].Store(0)
	p.kick()
}

// kick writes whatever is queued and not being written.
func (p *peer) kick() {
	for lane := range lanes {
		l := &p.out[lane]
		l.mu.Lock()
		l.kick()
		l.mu.Unlock()
	}
}

// attach makes c the link's connection: hello and welcome were exchanged, the peer has received what
// got says, and at is when contact is certain. A connection before it is closed.
func (p *peer) attach(c *conn, epoch uint32, nonce uint64, got [2]uint64, at time.Time, boot time.Duration) (why *CloseError) {
	p.n.openBeside(c)
	defer func() {
		if why != nil {
			p.n.closeBeside(c)
		}
	}()
	p.mu.Lock()
	if p.gone != nil {
		p.mu.Unlock()
		return closeErrorf(CodeGone, "%s", p.gone.Reason)
	}
	if p.peerNonce != 0 && p.peerNonce != nonce {
		p.mu.Unlock()
		return closeErrorf(CodeState, "%s no longer knows what it sent and received", p.id())
	}
	old := p.conn
	c.progress() // from here on it is looked at, and a body of the connection before may be missing
	for lane := range lanes {
		var received uint64
		if lane.reliable() {
			received = got[lane]
		}
		if !p.out[lane].attach(c, received, p.overlaps) {
			p.mu.Unlock()
			return closeErrorf(CodeState, "%s says it has received frame %d of the %s lane last, which cannot be", p.id(), received, lane)
		}
	}
	p.epoch.Store(epoch)
	p.peerBody.Store(int64(c.peerBody))
	p.peerNonce, p.conn, p.addr = nonce, c, c.q.RemoteAddr()
	if c.sockets != nil || c.dialled {
		p.overlaps = c.sockets != nil
	}
	if c.quic != nil && !p.moved {
		p.moved = true
		close(p.network)
	}
	p.live.attached(at, boot)
	if old != nil && old.sockets != nil && !c.dialled { // the other side goes on with them until it has the welcome
		c.after, p.leaving, old = old, old, nil
	}
	p.mu.Unlock()
	p.n.alarm.changed(time.Now(), p.n.timing.Tick)
	if old != nil {
		old.close(&CloseError{Code: CodeReplaced})
	}
	return nil
}

// ready records that both sides use c: the dialler has got Welcome, the acceptor the dialler's Ready.
func (p *peer) ready(c *conn) {
	if old := p.leaves(c); old != nil {
		old.sockets.leave()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != c || p.gone != nil {
		return
	}
	switch {
	case p.n.issuer == nil:
	case c.sockets != nil:
		p.bySockets = true
		p.n.move(p)
	default:
		p.overlaps = false
		p.n.issuer.joined(p.id())
		if p.bySockets {
			p.bySockets = false
			p.event(LinkMoved, "")
		}
	}
	p.contact("the link is back")
}

// leaves gives, once, the connection by sockets from which another one has taken over.
func (p *peer) leaves(now *conn) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.leaving
	if old == now {
		return nil
	}
	p.leaving = nil
	return old
}

// contact records that the peer answers: the link becomes Up or Recovered. p.mu is held.
func (p *peer) contact(how string) {
	switch p.state { //nolint:exhaustive // the others cannot follow
	case LinkUp:
		return
	case 0:
		close(p.first)
		p.set(LinkUp, "")
	case LinkSuspect, LinkUnreachable:
		p.state = LinkUp
		p.event(LinkRecovered, how)
	}
}

// set changes the state and tells the handler. p.mu is held.
func (p *peer) set(s LinkState, reason string) {
	p.state, p.since = s, time.Now()
	p.event(s, reason)
}

func (p *peer) event(s LinkState, reason string) {
	p.n.events.push(LinkEvent{Peer: p.id(), State: s, Reason: reason, Time: time.Now()}, p)
}

// detach records that c ended. After a final close code the link is terminated too.
func (p *peer) detach(c *conn, why error) {
	p.n.closeBeside(c)
	stats := c.q.ConnectionStats()
	p.bytesIn.Add(stats.BytesReceived + c.memory.taken.Load())
	p.bytesOut.Add(stats.BytesSent + c.memory.sent.Load())
	end := closeError(why)
	if end != nil && end.Code == CodeReplaced && c.sockets != nil {
		return // by the one that is about to be attached here; if that fails, silence tells
	}
	if end != nil && end.Code.final() {
		p.mu.Lock()
		current := p.conn == c
		p.mu.Unlock()
		if current {
			p.n.terminate(p, LinkClosed, end.Error(), end)
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == c {
		p.down(linkFault(why))
	}
}

// down leaves the link without a connection. p.mu is held.
func (p *peer) down(fault string) {
	c := p.conn
	p.conn, p.fault = nil, fault
	for lane := range lanes {
		p.out[lane].detach(c)
	}
	if p.state == LinkUp || p.state == LinkSuspect {
		p.set(LinkUnreachable, fault)
	}
}

// send encodes env and queues it.
func (p *peer) send(ctx context.Context, lane Lane, env *Envelope) error {
	out, lim := &p.out[lane], &p.n.limits
	routed := len(env.Body) <= lim.InlineBytes && routable(lane, env)
	if routed && len(env.Body) <= smallBody && len(env.Chain) == 0 {
		return out.send(ctx, env, nil, true)
	}
	f := framePool.Get().(*largerFrame)
	f.pair = pair{env.From.Actor, env.To.Actor}
	if routed {
		if f.b = f.fill(env, f.b[:0]); len(f.b) <= lim.InlineBytes+headerBytes-64 {
			return out.send(ctx, env, f, true)
		}
	}
	f.kind = env.Kind
	f.b = appendFields(f.b[:0], env)
	if len(f.b) > headerBytes-64 {
		size := len(f.b)
		f.free()
		return &FrameTooLargeError{lane, "header", size, headerBytes - 64}
	}
	most := lim.FrameBytes
	if n := p.peerBody.Load(); n != 0 {
		most = min(most, int(n))
	}
	bulk := len(env.Body) > lim.InlineBytes || lane == LaneControl && maxPrefix+len(f.b)+5+len(env.Body) > lim.ControlBytes
	switch {
	case bulk && !lane.reliable():
		f.free()
		return &FrameTooLargeError{lane, "body", len(env.Body), lim.InlineBytes}
	case len(env.Body) > most:
		f.free()
		return &FrameTooLargeError{lane, "body", len(env.Body), most}
	case lane == LaneControl && maxPrefix+len(f.b)+5 > lim.ControlBytes:
		size := len(f.b)
		f.free()
		return &FrameTooLargeError{lane, "header", size, lim.ControlBytes - maxPrefix - 5}
	case bulk:
		f.b = appendUint(f.b, uint64(len(env.Body)))
		f.keep(env)
	default:
		f.b = append(appendHead(f.b, majorBytes, uint64(len(env.Body))), env.Body...)
	}
	return out.send(ctx, env, f, false)
}
