package quicnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/quic-go/quic-go"
)

// A process that this one has started itself needs no proof of who it is: it has inherited sockets from it, one for each lane, which
// nobody else has. Its link begins on these. The certificate, TLS and QUIC, which take most of the time from a process's start to its
// first answer, come when that is over, by the join that every other process begins with: the connection by QUIC takes over from the
// sockets as one that is dialled again takes over from one that broke.
//
// Until then the link has no address, no packets that could be lost, no shared memory and no large bodies: what needs one of these has
// the process connect by QUIC at once.

// carriage is what carries a connection: QUIC, or inherited sockets. Both tell by Context when the connection has ended, and why.
type carriage interface {
	Context() context.Context
	CloseWithError(code quic.ApplicationErrorCode, reason string) error
	RemoteAddr() net.Addr // nil where there is none
	ConnectionStats() quic.ConnectionStats
}

// sockets carry a connection between a process and one that it has started.
type sockets struct {
	lanes  [lanes]laneSocket
	ctx    context.Context
	cancel context.CancelCauseFunc
	once   sync.Once

	left    chan struct{} // closed: QUIC has taken over on both sides, and what has come is all that comes
	leaving sync.Once
}

// laneSocket is one lane of it.
type laneSocket struct {
	of  *sockets
	f   *os.File
	raw syscall.RawConn
	up  atomic.Bool // the link is up: that the peer writes no more says nothing, as a network that is silent

	mu   sync.Mutex // of who writes
	part int        // bytes of the batch that TryWriteAll could write of it, and Write goes on with

	sent, taken atomic.Uint64
}

var errLeft = errors.New("QUIC has taken over")

var errSockets = errors.New("the peer has closed the sockets that it shares with this process")

// newSockets takes over the ends of a process, one for each lane. ctx is what the connection lives in.
func newSockets(ctx context.Context, files []*os.File) (*sockets, error) {
	if len(files) != int(lanes) {
		return nil, fmt.Errorf("quicnet: %d sockets, want %d: one for each lane", len(files), lanes)
	}
	s := &sockets{left: make(chan struct{})}
	for i, f := range files {
		raw, err := f.SyscallConn()
		if err != nil {
			return nil, fmt.Errorf("quicnet: socket of the %s lane: %w", Lane(i), err)
		}
		l := &s.lanes[i]
		l.of, l.f, l.raw = s, f, raw
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	context.AfterFunc(s.ctx, s.close)
	return s, nil
}

func (s *sockets) close() {
	s.once.Do(func() {
		for i := range s.lanes {
			_ = s.lanes[i].f.Close()
		}
	})
}

// Context implements carriage.
func (s *sockets) Context() context.Context { return s.ctx }

// RemoteAddr implements carriage: there is none.
func (s *sockets) RemoteAddr() net.Addr { return nil }

// ConnectionStats implements carriage. There are no packets.
func (s *sockets) ConnectionStats() (st quic.ConnectionStats) {
	for i := range s.lanes {
		st.BytesSent += s.lanes[i].sent.Load()
		st.BytesReceived += s.lanes[i].taken.Load()
	}
	return st
}

// CloseWithError implements carriage. The peer is told where that takes no wait; else the silence tells it.
func (s *sockets) CloseWithError(code quic.ApplicationErrorCode, reason string) error {
	b, err := Enc().Marshal(closeFrame{Version: Version, Kind: linkClose, Code: uint64(code), Reason: reason})
	if l := &s.lanes[LaneControl]; err == nil && s.ctx.Err() == nil && l.mu.TryLock() {
		if l.part == 0 {
			_, _ = l.try(setLength(append(make([]byte, lengthBytes), b...), 0))
		}
		l.mu.Unlock()
	}
	s.cancel(&quic.ApplicationError{ErrorCode: code, ErrorMessage: reason})
	s.close()
	return nil
}

// leave has the lanes read to their ends: events that are lost are not sent again. The peer has closed its sockets, or is about to.
func (s *sockets) leave() { s.leaving.Do(func() { close(s.left) }) }

// ended takes the peer's word that it has closed the connection.
func (s *sockets) ended(b []byte) error {
	var f closeFrame
	if err := StrictDec().Unmarshal(b, &f); err != nil {
		return closeErrorf(CodeFrame, "close: %v", err)
	}
	end := &quic.ApplicationError{Remote: true, ErrorCode: quic.ApplicationErrorCode(f.Code), ErrorMessage: clean.OneLine(f.Reason, maxReason)}
	if Code(f.Code) == CodeReplaced {
		s.leave()
		return end
	}
	s.cancel(end)
	s.close()
	return end
}

// try writes what there is room for now.
func (l *laneSocket) try(b []byte) (n int, err error) {
	bad := l.raw.Write(func(fd uintptr) bool {
		for {
			if n, err = writeFD(fd, b); !errors.Is(err, syscall.EINTR) {
				return true
			}
		}
	})
	n = max(n, 0)
	l.sent.Add(uint64(n))
	if bad != nil {
		err = bad
	}
	return n, err
}

// TryWriteAll implements laneWriter. Where there is room for a part only, that part has gone, and Write of the same bytes, which
// follows each quic.ErrWouldBlock, writes the rest.
func (l *laneSocket) TryWriteAll(b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.try(b)
	switch {
	case err == nil && n == len(b):
		return nil
	case err == nil, errors.Is(err, syscall.EAGAIN):
		l.part = n
		return quic.ErrWouldBlock
	}
	return err
}

// Write implements laneWriter.
func (l *laneSocket) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.f.Write(b[l.part:])
	n, l.part = n+l.part, 0
	l.sent.Add(uint64(n))
	return n, err
}

// Read implements io.Reader. Errors: io.EOF where the peer has gone before the link was up, those of a deadline; afterwards only the
// end of the connection.
func (l *laneSocket) Read(b []byte) (int, error) {
	n, err := l.f.Read(b)
	l.taken.Add(uint64(max(n, 0)))
	switch {
	case n > 0:
		return n, nil
	case l.of.ctx.Err() != nil:
		return 0, context.Cause(l.of.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, err
	case !l.up.Load():
		return 0, fmt.Errorf("%w: %w", errSockets, io.EOF)
	}
	select {
	case <-l.of.ctx.Done():
		return 0, context.Cause(l.of.ctx)
	case <-l.of.left:
		return 0, errLeft
	}
}

// SetReadDeadline is that of net.Conn.
func (l *laneSocket) SetReadDeadline(t time.Time) error { return l.f.SetReadDeadline(t) }

// Sockets makes the sockets by which the process id, which the caller is about to start, has its link to this one at first: it is to
// inherit them and hand them to Join (Config.Sockets). The caller closes these once that process has them, or has not been started. No
// sockets and no error: this system has none, and the process joins by its ticket alone.
func (n *Node) Sockets(id ID) (theirs []*os.File, err error) {
	if n.issuer == nil || id.Proc == Controller || id.Epoch == 0 {
		return nil, fmt.Errorf("quicnet: sockets for %s: only the controller makes some, for another process", id)
	}
	var ours []*os.File
	closeBoth := func() {
		for _, f := range append(ours, theirs...) {
			_ = f.Close()
		}
	}
	for range lanes {
		a, b, err := socketPair()
		if a == nil {
			closeBoth()
			return nil, err
		}
		ours, theirs = append(ours, a), append(theirs, b)
	}
	s, err := newSockets(n.ctx, ours)
	if err != nil {
		closeBoth()
		return nil, err
	}
	if !n.spawn(func() { n.serveSockets(id, s) }) {
		closeBoth()
		return nil, ErrClosed
	}
	return theirs, nil
}

// serveSockets serves the link of a process that has inherited sockets until QUIC has it.
func (n *Node) serveSockets(id ID, s *sockets) {
	c := &conn{q: s, sockets: s, control: newFrameReader(&s.lanes[LaneControl], n.limits.frameCap(LaneControl)), over: make(chan struct{})}
	if err := n.answer(c, id, nil); err != nil {
		if errors.Is(err, io.EOF) || n.ctx.Err() != nil { // it has ended, or does not know of them and joins otherwise; or we end
			_ = s.CloseWithError(quic.ApplicationErrorCode(CodeSilent), "")
			return
		}
		n.refuse(c, id, err)
		return
	}
	n.issuer.keep(id)
	c.p.detach(c, c.run())
}

// joinBySockets says hello by inherited sockets. It returns when the process is to connect by QUIC; false: the link has ended.
func (p *peer) joinBySockets() bool {
	n := p.n
	s, err := newSockets(n.ctx, n.cfg.Sockets)
	if err != nil {
		p.failed(err)
		return true
	}
	c := &conn{p: p, q: s, sockets: s, dialled: true, over: make(chan struct{})}
	n.look()
	ctx, cancel := context.WithTimeout(p.ctx, n.timing.Lost)
	err = p.greet(ctx, c, 0)
	cancel()
	if err != nil {
		p.failed(err)
		if why := closeError(err); why == nil || !why.Remote {
			c.close(closeErrorf(CodeSilent, "no welcome: %s", linkFault(err)))
		}
		return !p.n.entry.final(err)
	}
	n.spawn(func() { p.detach(c, c.run()) })
	select {
	case <-n.network.asked:
	case <-s.ctx.Done():
	case <-p.ctx.Done():
	}
	return p.ctx.Err() == nil
}

// openNetwork opens the socket for QUIC. Where there is none to be had, for want of descriptors for one, the link stays on its inherited
// sockets, and there is another attempt soon; the links that wait for it know why. false: the link, or the node, has ended.
func (p *peer) openNetwork() bool {
	n := p.n
	for pause, told := n.newBackoff(), false; ; {
		err := n.openFirst()
		if err == nil || errors.Is(err, ErrClosed) {
			return err == nil
		}
		if !told {
			n.log.Warn("no socket for QUIC yet", "error", err)
		}
		told = true
		n.mu.Lock()
		waiting := slices.Collect(maps.Values(n.peers))
		n.mu.Unlock()
		for _, w := range waiting {
			w.failed(err)
		}
		if !pause.wait(p.ctx) {
			return false
		}
	}
}

// network is when a process that has inherited sockets connects by QUIC.
type network struct {
	asked  chan struct{} // closed: now
	joined chan struct{} // closed: it has its certificate, and others can connect to it
	once   sync.Once
}

// needNetwork has the process connect by QUIC, where it has not yet.
func (n *Node) needNetwork() { n.network.once.Do(func() { close(n.network.asked) }) }

// awaitNetwork waits until the process has its certificate, which its links to others need; false: ctx ended before.
func (n *Node) awaitNetwork(ctx context.Context) bool {
	if n.issuer != nil {
		return true
	}
	n.needNetwork()
	select {
	case <-n.network.joined:
		return true
	case <-ctx.Done():
		return false
	}
}

// needNetwork has the other side, or this one, connect by QUIC in place of the sockets. It returns at once.
func (c *conn) needNetwork() {
	switch {
	case c.sockets == nil || c.moving.Swap(true):
	case c.dialled:
		c.p.n.needNetwork()
	default:
		c.p.n.spawn(func() { c.postCounter(linkDial, 0) }) // the locks of the lane may be held
	}
}

// outgrown says that there is much to do on the calls lane, so that memory is worth the certificate: the worker is asked before others. It
// returns at once.
func (c *conn) outgrown() {
	if c.sockets != nil && !c.dialled && !c.busy.Swap(true) {
		c.p.n.spawn(func() { c.p.n.moveFirst(c.p) })
	}
}

// Reach gives the address at which a process is connected, or was last. It has one connect by QUIC that has not yet, and waits for that.
// nil: the process is not known, or has ended meanwhile. Error: that of ctx.
func (n *Node) Reach(ctx context.Context, proc uint64) (net.Addr, error) {
	n.mu.Lock()
	p := n.peers[proc]
	n.mu.Unlock()
	if p == nil {
		return nil, nil
	}
	p.mu.Lock()
	c := p.conn
	p.mu.Unlock()
	if c != nil {
		c.needNetwork()
	}
	select {
	case <-p.network:
	case <-p.ctx.Done():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return n.PeerAddr(proc), nil
}

// When workers that have joined by sockets connect by QUIC, unless they are needed there before: once no other has joined for a while,
// one after the other and with pauses, so that neither the start of a mesh nor its first work waits for certificates.
const (
	moveRest  = 250 * time.Millisecond
	moveLate  = 4 * moveRest // no worker waits longer for others that join
	moveTime  = time.Second  // then the next one is asked, whatever has become of this
	movePause = 4            // times as long as the last one took, moveRest at most
)

// moves are the workers that are still to connect by QUIC.
type moves struct {
	mu     sync.Mutex
	queue  []moving
	last   time.Time // when one was added last
	next   time.Time // not before that
	due    time.Time // when a timer goes on; zero: none does
	asking bool
}

// moving is one of them.
type moving struct {
	p     *peer
	since time.Time // zero: it waits for nobody else
}

// move puts a worker that has joined by sockets behind the others.
func (n *Node) move(p *peer) {
	m := &n.moves
	m.mu.Lock()
	m.last = time.Now()
	m.queue = append(m.queue, moving{p, m.last})
	m.mu.Unlock()
	n.moveOn()
}

// moveFirst puts one of them before the others.
func (n *Node) moveFirst(p *peer) {
	m := &n.moves
	m.mu.Lock()
	if i := slices.IndexFunc(m.queue, func(x moving) bool { return x.p == p && !x.since.IsZero() }); i >= 0 { // else it was asked already
		to := slices.IndexFunc(m.queue, func(x moving) bool { return !x.since.IsZero() })
		m.queue = slices.Insert(slices.Delete(m.queue, i, i+1), to, moving{p: p})
	}
	m.mu.Unlock()
	n.moveOn()
}

// moveOn asks the next worker, or sets a timer for that.
func (n *Node) moveOn() {
	m := &n.moves
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 || m.asking {
		return
	}
	now := time.Now()
	at := later(m.next, earlier(m.last.Add(moveRest), m.queue[0].since.Add(moveLate)))
	if rest := at.Sub(now); rest > 0 {
		if m.due.IsZero() || at.Before(m.due) {
			m.due = at
			n.after(rest, func() {
				m.mu.Lock()
				m.due = time.Time{}
				m.mu.Unlock()
				n.moveOn()
			})
		}
		return
	}
	p := m.queue[0].p
	m.queue = m.queue[1:]
	m.asking = true
	n.spawn(func() {
		ctx, cancel := context.WithTimeout(p.ctx, moveTime)
		defer cancel()
		_, _ = n.Reach(ctx, p.proc)
		m.mu.Lock()
		m.asking, m.next = false, time.Now().Add(min(movePause*time.Since(now), moveRest))
		m.mu.Unlock()
		n.moveOn()
	})
}

// hello is what the node says of itself.
func (n *Node) hello() []byte {
	if n.cfg.Hello == nil {
		return nil
	}
	return n.cfg.Hello(n.Way())
}

// moves reports whether the process is connected by sockets, and this is it.
func (p *peer) moves(id ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bySockets && p.epoch.Load() == id.Epoch
}
