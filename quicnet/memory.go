package quicnet

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
	"github.com/monarch-tui/monarch-tui/quicnet/shm"
)

// Between two processes of one machine, user and namespace the frames of the calls lane, and its large bodies, leave QUIC for memory that
// both have (package shm), once there are enough of them: there, packets, their acknowledgements and the kernel cost more than all the
// rest of a call. Everything else stays as it is: who is who, the life of the connection, heartbeats and control go by QUIC, and what is
// sent and not acknowledged is sent again by the next connection. The lane is in one way at a time; linkTurn says from where on it is
// in the other one, so that frames keep their order. Where faults are injected into a peer's packets, its frames go by packets.
//
// What goes by memory is not encrypted. Until an offer is answered, processes of the same user that may look into this one under /proc can
// open it as the peer does, even where they may not trace it.
const (
	memoryAfter  = 16        // frames of the calls lane of a connection
	memoryCalls  = 256 << 10 // bytes of the ring of the calls lane,
	memoryBodies = 256 << 10 // and of that for bodies
	memoryMost   = 256       // connections of a node that use it, at most: each needs up to eight descriptors
)

// What a stream in memory carries.
const (
	streamCalls = iota
	streamBodies
	memoryStreams
)

var memorySizes = [memoryStreams]int{memoryCalls, memoryBodies}

// memoryOffer is the content of linkMemory.
type memoryOffer struct {
	_      struct{} `cbor:",toarray"`
	Stream uint8
	Offer  shm.Offer
}

// memory is what a connection has of it. mu comes after outLane.mu, and only Node.wgMu and the locks of a stream are taken under it; say comes
// before both.
type memory struct {
	c    *conn
	same bool // the peer is in the same place, and wants it too

	use   atomic.Bool // there may be written to memory: neither side has a reason against it
	sent  atomic.Uint64
	taken atomic.Uint64

	pausedAt atomic.Int64 // when pause was made, as time since the node started; 0 = there is none

	say sync.Mutex // held while the peer is told something, so that it hears the last last

	mu       sync.Mutex
	out      [memoryStreams]*memoryOut
	in       [memoryStreams]*memoryIn
	asked    [memoryStreams]bool // an offer was made: there is no second one
	offers   [memoryStreams]bool // the same of the peer
	counted  bool                // among Node.memories
	closed   bool
	faultOut bool          // packets to the peer are judged by injected faults
	faultIn  bool          // those from it
	stopped  bool          // the peer was told not to write to memory
	stops    uint64        // how often so far
	unwanted bool          // the peer has told us so
	heard    uint64        // how often so far
	pause    chan struct{} // what comes by memory waits until it is closed; nil: it does not
	ending   sync.Once
	bodies   sync.Mutex // of who writes a body; before all others
}

// place is what Hello and Welcome say of where this node is; empty where it does without memory. The network counts, although memory
// needs none: who keeps two processes of a machine in two networks wants that what they say to each other goes by these.
func (n *Node) place() []byte {
	at, err := placeOf(n.packets())
	if err != nil {
		return nil
	}
	return at
}

// place is that of the node for a connection by QUIC; none for one by sockets, which shares no memory.
func (c *conn) place() []byte {
	if c.quic == nil {
		return nil
	}
	return c.p.n.place()
}

func placeOf(c net.PacketConn) ([]byte, error) {
	pc, ok := c.(lossyUDP)
	switch {
	case !ok:
		return nil, errors.New("packets travel by Config.Conn")
	case pc.Options().Plain || pc.Options().NoMemory:
		return nil, errors.New(cmp.Or(pc.Options().Why, "it was not asked for"))
	}
	here, err := shm.Here()
	if err != nil {
		return nil, err
	}
	network, err := pc.Network()
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint64(here, network), nil
}

// SharesMemory says why a node whose packets travel by pc (ListenUDP) shares no memory with processes of its machine; nil: it does.
func SharesMemory(pc net.PacketConn) error {
	_, err := placeOf(pc)
	return err
}

// Way names the ways of frames of a node whose packets travel by pc as how says: shared memory first, where there is such.
func Way(pc net.PacketConn, how carrier.Info) string {
	if SharesMemory(pc) != nil {
		return how.String()
	}
	return "shm, " + how.String()
}

// Way names the ways of the node's frames; "" while its only one is by inherited sockets.
func (n *Node) Way() string {
	pc := n.packets()
	if pc == nil {
		return ""
	}
	return Way(pc, n.Carrier())
}

// begin is called when the connection is attached.
func (m *memory) begin(c *conn, peersPlace []byte) {
	m.c = c
	if c.quic == nil {
		return
	}
	here := c.p.n.place()
	m.same = len(here) > 0 && string(here) == string(peersPlace)
	if !m.same {
		return
	}
	out, in := c.p.n.faulted(c.q.RemoteAddr())
	m.faultOut, m.faultIn = out, in
	m.decide()
	context.AfterFunc(c.q.Context(), m.close)
}

// offer makes a stream and offers it to the peer, once for each kind. It returns at once.
func (m *memory) offer(stream int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.same || m.closed || m.asked[stream] || m.faultOut || m.faultIn || m.unwanted {
		return
	}
	m.asked[stream] = true
	if m.count() {
		m.c.p.n.spawn(func() { m.make(stream) })
	}
}

// count has the connection be among those that use memory; false if there are too many. m.mu is held, and the connection has not ended.
func (m *memory) count() bool {
	if !m.counted {
		m.counted = m.c.p.n.memories.Add(1) <= memoryMost
		if !m.counted {
			m.c.p.n.memories.Add(-1)
		}
	}
	return m.counted
}

// make is the rest of offer.
func (m *memory) make(stream int) {
	w, o, err := shm.New(memorySizes[stream])
	if err != nil {
		m.c.p.n.log.Debug("no memory is shared", "peer", m.c.p.id().String(), "error", err)
		return
	}
	b, err := Enc().Marshal(memoryOffer{Stream: uint8(stream), Offer: o})
	m.mu.Lock()
	if err != nil || m.closed {
		m.mu.Unlock()
		_ = w.Close()
		return
	}
	m.out[stream] = &memoryOut{m: m, w: w}
	m.mu.Unlock()
	m.c.postFrame(bytesFrame{Version: Version, Kind: linkMemory, Bytes: b})
}

// postFrame sends one of the link's frames on control.
func (c *conn) postFrame(v any) {
	b, err := Enc().Marshal(v)
	if err != nil {
		return
	}
	f := append(make([]byte, lengthBytes), b...)
	c.p.out[LaneControl].post(c, func(l *outLane) { l.extra = append(l.extra, setLength(f, 0)) })
}

// postCounter does so with one that is a number.
func (c *conn) postCounter(kind uint8, n uint64) {
	c.p.out[LaneControl].post(c, func(l *outLane) { l.extra = append(l.extra, appendCounter(nil, kind, n)) })
}

// offered takes an offer of the peer, and answers it.
func (m *memory) offered(b []byte) error {
	var o memoryOffer
	if err := StrictDec().Unmarshal(b, &o); err != nil {
		return closeErrorf(CodeFrame, "an offer of memory: %v", err)
	}
	if o.Stream >= memoryStreams {
		return closeErrorf(CodeProtocol, "an offer of memory for stream %d", o.Stream)
	}
	taken := uint64(1)
	if err := m.open(int(o.Stream), o.Offer); err != nil {
		if own, ok := errors.AsType[*CloseError](err); ok {
			return own
		}
		m.c.p.n.log.Debug("an offer of memory is not taken", "peer", m.c.p.id().String(), "error", err)
		taken = 0
	}
	m.c.postCounter(linkMemoryAnswer, uint64(o.Stream)<<1|taken)
	return nil
}

// open opens what was offered. A CloseError ends the connection; for another error the offer is declined.
func (m *memory) open(stream int, o shm.Offer) error {
	i := &memoryIn{m: m}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.offers[stream]:
		return closeErrorf(CodeProtocol, "a second offer of memory for stream %d", stream)
	case m.closed:
		return ErrClosed
	}
	m.offers[stream] = true
	switch {
	case !m.same:
		return errors.New("the peer is in another place")
	case !m.count():
		return errors.New("too many connections share memory")
	}
	if stream == streamCalls {
		i.poll = m.c.p.n.poller() // under mu: SetPoll finds it, or has been heeded
	}
	var err error
	if i.r, err = shm.Open(o, i.poll); err != nil {
		return err
	}
	m.in[stream] = i
	if stream == streamBodies {
		m.c.reads.Go(func() { m.c.readBodies(i) })
	}
	return nil
}

// poller is that of a reader of memory; nil: it does not poll.
func (n *Node) poller() *carrier.Poller {
	pc, ok := n.packets().(lossyUDP)
	if !ok {
		return nil
	}
	p := carrier.NewPoller(pc.Options().Poll)
	if p != nil {
		p.SetPoll(!n.noPoll.Load())
	}
	return p
}

// answered takes the answer to an offer.
func (m *memory) answered(n uint64) error {
	stream, taken := n>>1, n&1 != 0
	m.mu.Lock()
	defer m.mu.Unlock()
	if stream >= memoryStreams || m.out[stream] == nil || m.out[stream].ready {
		if m.closed {
			return nil
		}
		return closeErrorf(CodeProtocol, "an answer to an offer of memory that was not made")
	}
	o := m.out[stream]
	if !taken {
		m.out[stream] = nil
		_ = o.w.Close()
		return nil
	}
	o.w.Opened()
	o.ready = true
	return nil
}

// writer is the stream in memory that is to be written to now; nil: the network is.
func (m *memory) writer(stream int) *memoryOut {
	if !m.use.Load() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if o := m.out[stream]; o != nil && o.ready && m.use.Load() {
		return o
	}
	return nil
}

// reader is the peer's stream in memory; nil if there is none.
func (m *memory) reader(stream int) *memoryIn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.in[stream]
}

// heedFaults looks whether packets to the peer, and from it, are judged by injected faults. Then nothing goes by memory: the peer is asked
// not to write to it, and what it has written until it heard that is held back until its answer came, or the fault is gone. It is called
// when faults were set, and when the connection has become the link's: those that were set meanwhile did not find it.
func (m *memory) heedFaults() {
	if !m.same {
		return
	}
	m.say.Lock()
	defer m.say.Unlock()
	out, in := m.c.p.n.faulted(m.c.q.RemoteAddr()) // under say: who looks last sees what was set last
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return
	}
	m.faultOut, m.faultIn = out, in
	tell, may := in != m.stopped, uint64(1)
	m.stopped = in
	if in && tell {
		may = 0
		m.stops++
		if m.pause == nil {
			m.pause = make(chan struct{})
			m.pausedAt.Store(int64(time.Since(m.c.p.n.started)))
		}
	} else if !in {
		m.resume()
	}
	m.decide()
	m.mu.Unlock()
	if tell {
		m.c.postCounter(linkMemoryUse, may)
	}
}

// wanted takes the peer's word on whether it wants to be written to by memory, and answers it where it does not.
func (m *memory) wanted(n uint64) {
	m.say.Lock()
	defer m.say.Unlock()
	m.mu.Lock()
	if m.unwanted = n == 0; m.unwanted {
		m.heard++
	}
	heard := m.heard
	m.decide()
	m.mu.Unlock()
	if n == 0 {
		m.c.p.out[LaneControl].post(m.c, func(l *outLane) { l.used = heard })
	}
}

// used takes the peer's answer to the n-th time that it was told: it does not write to memory any more. One to an earlier time says
// nothing, because the peer was told that it may again since then.
func (m *memory) used(n uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case n > m.stops:
		return closeErrorf(CodeProtocol, "memory is not written to: that was not asked")
	case n == m.stops:
		m.resume()
	}
	return nil
}

func (m *memory) resume() {
	if m.pause != nil {
		close(m.pause)
		m.pause = nil
		m.pausedAt.Store(0)
	}
}

// decide sets use. m.mu is held.
func (m *memory) decide() {
	m.use.Store(!m.faultOut && !m.faultIn && !m.unwanted && !m.closed)
}

// close gives everything back, and returns when that is done. The connection has ended. It is called by that, because somebody may wait in
// memory, and by who serves the connection, because Node.Close waits for him.
func (m *memory) close() { m.ending.Do(m.giveBack) }

func (m *memory) giveBack() {
	m.mu.Lock()
	m.closed = true
	m.decide()
	m.resume()
	out, in := m.out, m.in
	m.out = [memoryStreams]*memoryOut{}
	if m.counted {
		m.c.p.n.memories.Add(-1)
	}
	m.mu.Unlock()
	for _, o := range out {
		if o != nil {
			_ = o.w.Close()
		}
	}
	for _, i := range in {
		if i != nil {
			_ = i.r.Close()
		}
	}
}

// setPoll switches the polling of readers.
func (m *memory) setPoll(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.in {
		if i != nil && i.poll != nil {
			i.poll.SetPoll(on)
		}
	}
}

// faulted reports whether packets to addr, and from it, are judged by injected faults.
func (n *Node) faulted(addr net.Addr) (out, in bool) {
	paths := n.faultPaths.Load()
	if paths == nil {
		return false, false
	}
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return false, false
	}
	at := udp.AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	for _, p := range *paths {
		if netip.AddrPortFrom(p.Addr.Addr().Unmap().WithZone(""), p.Addr.Port()) == at {
			out, in = out || len(p.Out) > 0, in || len(p.In) > 0
		}
	}
	return out, in
}

// tellMemories has every connection look at the faults that are injected from now on.
func (n *Node) tellMemories(paths []fault.Path) {
	n.faultPaths.Store(&paths)
	for _, p := range n.allPeers() {
		p.mu.Lock()
		c := p.conn
		p.mu.Unlock()
		if c != nil {
			c.memory.heedFaults()
		}
	}
}
