package quicnet

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
	"github.com/quic-go/quic-go"
)

// Node is one process's end of all its links.
type Node struct {
	session string
	id      ID
	cfg     Config
	limits  Limits
	timing  Timing
	handler Handler
	log     *slog.Logger
	started time.Time

	pool   *x509.CertPool
	ca     *authority    // controller only
	issuer *ticketIssuer // controller only
	leaf   atomic.Pointer[tls.Certificate]
	born   atomic.Int64 // when leaf was made, as time since started

	resetKey   quic.StatelessResetKey
	first      atomic.Pointer[gate]         // nil: the node has none yet, for its link goes by inherited sockets
	wide       *gate                        // opened later, for what the first cannot reach; guarded by mu, as the next two
	poll       func(*gate)                  // what SetPoll said last, for a socket that is opened later; nil: nothing
	faults     func(*gate)                  // what SetFaults said
	faultPaths atomic.Pointer[[]fault.Path] // the same, for connections
	memories   atomic.Int32                 // connections that share memory
	noPoll     atomic.Bool                  // SetPoll said so last
	admission  admissionLimiter
	ctx        context.Context
	cancel     context.CancelFunc
	events     eventQueue
	alarm      alarm         // of the looks at the links,
	looking    sync.Once     // which have begun
	looks      atomic.Uint64 // so far
	beside     sync.Map      // label → *conn: whose heartbeats beside QUIC come with it
	strange    atomic.Uint64 // datagrams that are neither QUIC's nor such heartbeats
	addrs      []string      // worker: where the controller listens
	entry      *entry        // worker: what it joins with; nil once it has its certificate. For the goroutine of that link

	fast sync.Map // proc → *peer: what Send looks up

	network network // worker: when it has
	moves   moves   // controller: who is to have

	mu      sync.Mutex // comes before peer.mu, which comes before outLane.mu
	peers   map[uint64]*peer
	gone    *recent.Map[uint64, *GoneError]
	least   *recent.Map[uint64, uint32] // epochs that are expected of processes that were started again
	nextKey *ecdsa.PrivateKey           // worker: of the certificate it has asked for
	closing bool

	wg     sync.WaitGroup
	wgMu   sync.Mutex // no other lock is taken under it
	wgDone bool
	done   chan struct{} // closed when Close has finished
}

// newNode opens the socket; listen starts it.
func newNode(session string, id ID, cfg Config) (*Node, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	n := &Node{
		session: session, id: id, cfg: cfg, limits: cfg.Limits, timing: cfg.Timing, handler: cfg.Handler, log: cfg.Logger,
		started: time.Now(), peers: map[uint64]*peer{}, gone: recent.New[uint64, *GoneError](maxGone), least: recent.New[uint64, uint32](maxGone), done: make(chan struct{}),
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.events.wake = make(chan struct{}, 1)
	n.network = network{asked: make(chan struct{}), joined: make(chan struct{})}
	n.admission.init(cfg.Limits)
	_, _ = rand.Read(n.resetKey[:])
	if len(cfg.Sockets) == 0 {
		if err := n.openFirst(); err != nil {
			n.cancel()
			return nil, err
		}
	}
	n.alarm.clock = newGoTimer()
	if cfg.Conn == nil || isUDP(cfg.Conn) { // a simulated network has simulated time
		n.alarm.clock = newWaker()
	}
	n.spawn(n.runEvents)
	return n, nil
}

// openFirst opens the node's socket, if it has none.
func (n *Node) openFirst() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closing:
		return ErrClosed
	case n.first.Load() != nil:
		return nil
	}
	pc := n.cfg.Conn
	if pc == nil {
		var err error
		if pc, _, err = ListenUDP(n.cfg.Listen, n.cfg.Carrier); err != nil {
			return fmt.Errorf("quicnet: listen on %s: %w", n.cfg.Listen, err)
		}
	}
	s := &gate{tr: n.newTransport(pc), pc: pc}
	n.watchBeside(s)
	n.first.Store(s)
	n.added(s)
	return nil
}

// added has a new socket do what was said of all of them. n.mu is held.
func (n *Node) added(s *gate) {
	for _, set := range []func(*gate){n.poll, n.faults} {
		if set != nil {
			set(s)
		}
	}
}

func isUDP(pc net.PacketConn) bool {
	_, ok := pc.(lossyUDP)
	return ok
}

func (n *Node) newTransport(pc net.PacketConn) *quic.Transport {
	return &quic.Transport{
		Conn: pc, StatelessResetKey: &n.resetKey, DisableVersionNegotiationPackets: true,
		VerifySourceAddress: n.admission.overRate, ConnContext: n.admission.enter,
	}
}

// quicConfig is that of every connection. Liveness is ours, so QUIC's own idle time-out is far away.
func (n *Node) quicConfig() *quic.Config {
	l := &n.limits
	return &quic.Config{
		HandshakeIdleTimeout:       l.HelloDeadline,
		MaxIdleTimeout:             24 * time.Hour,
		InitialPacketSize:          1200, // what any path takes that takes QUIC (RFC 9000, section 14); larger ones are found out
		InitialStreamReceiveWindow: uint64(min(512<<10, l.StreamWindow)), MaxStreamReceiveWindow: uint64(l.StreamWindow),
		InitialConnectionReceiveWindow: uint64(min(1<<20, l.ConnWindow)), MaxConnectionReceiveWindow: uint64(l.ConnWindow),
		MaxIncomingStreams: -1, MaxIncomingUniStreams: int64(lanes) + int64(l.BulkStreams), RequireStreamCreditRelease: true,
	}
}

// nearPacket is the size of packets within a machine: the largest that quic-go makes. A loopback interface takes 64 KiB, unless somebody
// has made it take less.
const (
	nearPacket  = 1452
	nearHeaders = 40 + 8 // of IPv6 and UDP
)

// quicConfigAt is that of connections of one socket. Where it reaches this machine only, nothing is to be found out about the path:
// the probes for that were a quarter of the packets of a worker that starts.
func (n *Node) quicConfigAt(s *gate) *quic.Config {
	c := n.quicConfig()
	if s.near() {
		c.InitialPacketSize, c.DisablePathMTUDiscovery = nearPacket, true
	}
	return c
}

// listen starts accepting connections and looking at links.
func (n *Node) listen() error {
	s := n.first.Load()
	ln, err := s.tr.Listen(n.serverTLS(), n.quicConfigAt(s))
	if err != nil {
		return fmt.Errorf("quicnet: listen on %s: %w", s.pc.LocalAddr(), err)
	}
	n.mu.Lock()
	closing := n.closing
	s.ln.Store(ln)
	n.mu.Unlock()
	if closing {
		_ = ln.Close()
		return ErrClosed
	}
	n.spawn(func() { n.acceptLoop(s, ln) })
	n.look()
	return nil
}

// look begins to look at links, if that has not begun.
func (n *Node) look() { n.looking.Do(func() { n.spawn(n.tickLoop) }) }

// NewController makes the node of a session's controller, with a new CA in memory. session names the
// session in certificates: lower-case letters, digits, '.', '_' and '-', at most 63.
func NewController(session string, cfg Config) (*Node, error) {
	if !isSessionName(session) {
		return nil, fmt.Errorf("quicnet: session name %q: want lower-case letters, digits, '.', '_', '-', at most 63, beginning with a letter or digit", clean.OneLine(session, maxReason))
	}
	n, err := newNode(session, ID{Controller, 1}, cfg)
	if err != nil {
		return nil, err
	}
	if err := n.initCA(); err != nil {
		_ = n.Close("")
		return nil, err
	}
	return n, nil
}

// initCA makes the session's CA and the issuer of tickets, and starts listening.
func (n *Node) initCA() (err error) {
	if n.ca, err = newAuthority(n.session, time.Now()); err != nil {
		return fmt.Errorf("quicnet: make the session's CA: %w", err)
	}
	n.pool = n.ca.pool
	if err := n.renewOwn(); err != nil {
		return err
	}
	n.issuer = newTicketIssuer(n)
	return n.listen()
}

// ID returns who this node is.
func (n *Node) ID() ID { return n.id }

// Session returns the session's name.
func (n *Node) Session() string { return n.session }

// Addr returns the address of the node's socket; nil while it has none.
func (n *Node) Addr() net.Addr {
	if s := n.first.Load(); s != nil {
		return s.pc.LocalAddr()
	}
	return nil
}

// packets is what the node's packets travel by; nil while none do.
func (n *Node) packets() net.PacketConn {
	if s := n.first.Load(); s != nil {
		return s.pc
	}
	return nil
}

// PeerAddr returns where proc is, or was last, connected from, or nil. The controller answers it to those who ask for an address.
func (n *Node) PeerAddr(proc uint64) net.Addr {
	n.mu.Lock()
	p := n.peers[proc]
	n.mu.Unlock()
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		return p.conn.q.RemoteAddr() // which may have changed since it connected
	}
	return p.addr
}

// Send queues env for proc to and returns when it is in the queue; env may be used again then. It
// dials the peer on first use. While the queue is over its limit it waits until ctx ends; with a ctx
// that has ended it doesn't wait, which is what a Handler needs. On LaneEvents it never waits: a full
// queue drops the event and counts it.
//
// A body over Limits.InlineBytes goes on a stream of its own, so that it holds up only frames of its
// own (From, To) pair. Frames are kept until the peer acknowledged them, and sent again, once, if the
// connection has to be dialled anew.
//
// Errors: *GoneError (ErrGone), *FrameTooLargeError (ErrFrameTooLarge), ErrClosed, those of ctx.
func (n *Node) Send(ctx context.Context, to uint64, lane Lane, env *Envelope) error {
	if err := n.judge(to, lane, env); err != nil {
		return err
	}
	p, err := n.Sender(to)
	if err != nil {
		return err
	}
	return p.(*peer).send(ctx, lane, env)
}

// Sender is Send to one process, for who sends there often. It is good as long as that process lives. Errors: *GoneError,
// ErrClosed.
func (n *Node) Sender(to uint64) (Sender, error) {
	if v, ok := n.fast.Load(to); ok {
		return v.(*peer), nil
	}
	return n.peer(to)
}

// Settled reports whether a peer has all that was sent to it on a lane: its Handler has been called for each frame.
func (n *Node) Settled(proc uint64, lane Lane) bool {
	v, ok := n.fast.Load(proc)
	if !ok {
		return true
	}
	frames, _ := v.(*peer).out[lane].depth()
	return frames == 0
}

// Send implements Sender.
func (p *peer) Send(ctx context.Context, lane Lane, env *Envelope) error {
	if err := p.n.judge(p.proc, lane, env); err != nil {
		return err
	}
	return p.send(ctx, lane, env)
}

// judge refuses what is no envelope of this process for to.
func (n *Node) judge(to uint64, lane Lane, env *Envelope) error {
	if lane >= lanes || env.Kind == 0 || env.Kind >= kindEnd {
		return fmt.Errorf("quicnet: send: %s on %s", env.Kind, lane)
	}
	if env.From.Proc != n.id.Proc || env.To.Proc != to {
		return fmt.Errorf("quicnet: send: from %s to %s handed to %s for %s", ID{Proc: env.From.Proc}, ID{Proc: env.To.Proc}, n.id, ID{Proc: to})
	}
	return nil
}

// peer returns the link to proc and starts one if there is none.
func (n *Node) peer(proc uint64) (*peer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	gone, _ := n.gone.Get(proc)
	switch {
	case n.closing:
		return nil, ErrClosed
	case proc == n.id.Proc:
		return nil, fmt.Errorf("quicnet: %s has no link to itself", n.id)
	case gone != nil:
		return nil, gone
	case n.peers[proc] != nil:
		return n.peers[proc], nil
	}
	p := newPeer(n, proc, 0)
	p.least, _ = n.least.Get(proc)
	n.add(p)
	n.spawn(p.run)
	return p, nil
}

// add makes p known. n.mu is held.
func (n *Node) add(p *peer) {
	n.peers[p.proc] = p
	n.fast.Store(p.proc, p)
	n.alarm.changed(time.Now(), n.timing.Tick)
}

// spawn starts a goroutine that Close waits for; false if the node is closed.
func (n *Node) spawn(f func()) bool {
	n.wgMu.Lock()
	defer n.wgMu.Unlock()
	if n.wgDone {
		return false
	}
	n.wg.Go(f)
	return true
}

// after runs f, briefly, after d unless the node is closed by then.
func (n *Node) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		n.wgMu.Lock()
		if n.wgDone {
			n.wgMu.Unlock()
			return
		}
		n.wg.Add(1)
		n.wgMu.Unlock()
		defer n.wg.Done()
		f()
	})
}

// tickLoop looks at every link each Timing.Tick; while all rest, when a heartbeat is due or should have come.
func (n *Node) tickLoop() {
	n.alarm.set(time.Now(), n.timing.Tick, false)
	for {
		due, ok := n.alarm.wait()
		if !ok || n.ctx.Err() != nil {
			return
		}
		now := time.Now()
		lag := now.Sub(due)
		if lag < n.timing.OwnLag {
			lag = 0
		}
		n.looks.Add(1)
		peers := n.allPeers()
		next := longestRest
		for _, p := range peers {
			next = min(next, p.tick(now, lag))
		}
		n.renewTick(now)
		if len(peers) == 0 {
			next = n.timing.Tick
		}
		n.alarm.set(time.Now(), next, len(peers) == 1 && next > n.timing.Tick)
	}
}

func (n *Node) allPeers() []*peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]*peer, 0, len(n.peers))
	for _, p := range n.peers {
		list = append(list, p)
	}
	return list
}

// Close waits up to Timing.Linger for what was sent to be acknowledged, closes every link with the
// reason, and returns when all goroutines have ended. The handler hears nothing of it. It must not be
// called from a Handler method. Calling it again waits for the first call.
func (n *Node) Close(reason string) error {
	n.mu.Lock()
	again := n.closing
	n.closing = true
	n.mu.Unlock()
	if again {
		<-n.done
		return nil
	}
	defer close(n.done)
	if reason == "" {
		reason = "closed"
	}
	n.linger()
	n.events.close()
	why := closeErrorf(CodeShutdown, "%s", reason)
	for _, p := range n.allPeers() {
		n.terminate(p, LinkClosed, reason, why)
		for lane := range lanes {
			p.in[lane].close()
		}
	}
	n.cancel()
	n.alarm.clock.close()
	var errs []error
	n.mu.Lock()
	gates := n.gates()
	n.mu.Unlock()
	for _, s := range gates {
		errs = append(errs, s.close())
	}
	n.wgMu.Lock()
	n.wgDone = true
	n.wgMu.Unlock()
	n.wg.Wait()
	return errors.Join(errs...)
}

// linger waits until the lanes of links that are up are empty.
func (n *Node) linger() {
	if n.timing.Linger <= 0 {
		return
	}
	late := time.NewTimer(n.timing.Linger)
	defer late.Stop()
	for _, p := range n.allPeers() {
		for lane := range lanes {
			for {
				left := p.out[lane].drained()
				if left == nil {
					break
				}
				select {
				case <-left:
				case <-late.C:
					return
				}
			}
		}
	}
}
