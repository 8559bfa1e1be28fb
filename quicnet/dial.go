package quicnet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/quic-go/quic-go"
)

// backoff is the pause between attempts: doubled from least to most, each time a random half of it
// less, so that peers who lost the same network don't come back in step.
type backoff struct{ next, least, most time.Duration }

func (n *Node) newBackoff() backoff {
	return backoff{least: n.timing.RedialMin, most: n.timing.RedialMax}
}

// wait pauses; false if ctx ended.
func (b *backoff) wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, b.least), b.most)
	t := time.NewTimer(b.next/2 + rand.N(b.next/2+1)) //nolint:gosec // jitter is no secret
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// run is the goroutine of a link from our side: on the side that dials it keeps the link up, on the
// other it asks once for the peer to dial.
func (p *peer) run() {
	switch {
	case p.proc == Controller && len(p.n.cfg.Sockets) > 0:
		if !p.joinBySockets() || !p.openNetwork() {
			return
		}
	case p.n.issuer == nil && p.proc != Controller && !p.n.awaitNetwork(p.ctx):
		return
	}
	pause := p.n.newBackoff()
	for attempt := 0; p.ctx.Err() == nil; attempt++ {
		addr, err := p.resolve(attempt)
		switch {
		case err != nil && p.ctx.Err() != nil:
			return
		case err != nil && !retry(err):
			p.n.terminate(p, LinkLost, clean.OneLine(err.Error(), maxReason), nil)
			return
		case err != nil:
			p.failed(err)
		case !p.dials:
			return
		case addr == nil:
			p.n.terminate(p, LinkLost, fmt.Sprintf("no address of %s is known, and it is for us to dial it", p.id()), nil)
			return
		default:
			if up, final := p.dial(addr, attempt); final {
				return
			} else if up {
				pause = p.n.newBackoff()
			}
		}
		if !pause.wait(p.ctx) {
			return
		}
	}
}

// retry reports an error that may pass: that of a context.
func retry(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// resolve finds where to dial.
func (p *peer) resolve(attempt int) (net.Addr, error) {
	if p.proc == Controller && len(p.n.addrs) > 0 {
		return net.ResolveUDPAddr("udp", p.n.addrs[attempt%len(p.n.addrs)])
	}
	if p.n.cfg.Resolve == nil {
		if !p.dials {
			return nil, nil
		}
		return nil, fmt.Errorf("no way to find %s: Config.Resolve is nil", p.id())
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.n.timing.Lost)
	defer cancel()
	return p.n.cfg.Resolve(ctx, p.proc)
}

func (p *peer) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = linkFault(err)
}

// dial makes one connection and serves it until it ends. up reports that the link was up, final that
// it is over for good.
func (p *peer) dial(addr net.Addr, attempt int) (up, final bool) {
	if attempt > 0 {
		p.redials.Add(1)
	}
	joins := p.joins()
	limit := 2 * p.n.limits.HelloDeadline
	if joins == nil {
		limit = min(2*time.Second<<min(attempt/4, 4), limit) // short first: one that began during a cut finds late that it is over, the next one finds it at once
	}
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	c, err := p.connect(ctx, addr)
	if err != nil {
		p.failed(err)
		p.n.log.Debug("dial", "peer", p.id().String(), "addr", addr.String(), "error", linkFault(err))
		if joins != nil && p.joins() != nil {
			return false, joins.final(err)
		}
		if end := closeError(err); end != nil && end.Code.final() {
			p.n.terminate(p, LinkClosed, end.Error(), end)
			return false, true
		}
		return false, false
	}
	cancel()
	err = c.run()
	p.detach(c, err)
	return true, p.ctx.Err() != nil
}

// connect dials and says hello; the connection it returns is attached.
func (p *peer) connect(ctx context.Context, addr net.Addr) (*conn, error) {
	n := p.n
	p.mu.Lock()
	least, known := max(p.least, p.epoch.Load()), p.peerNonce
	p.mu.Unlock()
	var q *quic.Conn
	var err error
	from := n.gateTo(addr) // who joins has one
	if e := p.joins(); e != nil {
		q, err = e.dial(ctx, n, addr)
	} else {
		q, err = from.tr.Dial(ctx, addr, n.clientTLS(p.proc, least), n.quicConfigAt(from))
	}
	if err != nil {
		return nil, err
	}
	c := &conn{p: p, q: q, quic: q, gate: from, dialled: true, over: make(chan struct{})}
	if err := p.greet(ctx, c, known); err != nil {
		why := closeError(err)
		if why == nil {
			why = closeErrorf(CodeSilent, "no welcome: %s", linkFault(err))
		}
		if !why.Remote {
			c.close(why)
		}
		return nil, err
	}
	return c, nil
}

// greet exchanges Hello and Welcome and attaches the connection.
func (p *peer) greet(ctx context.Context, c *conn, known uint64) error {
	n := p.n
	stop := context.AfterFunc(ctx, func() { c.close(closeErrorf(CodeSilent, "no welcome in time")) })
	defer stop()
	id, err := ID{Controller, 1}, error(nil)
	if c.quic != nil {
		id, err = identityOf(n.session, c.quic.ConnectionState().TLS)
	}
	if err != nil {
		return err
	}
	if known := p.epoch.Load(); known != 0 && id.Epoch != known {
		return closeErrorf(CodeStaleEpoch, "%s has taken its place", id)
	}
	if err := c.openLanes(); err != nil {
		return err
	}
	if c.beside, err = newBeside(c); err != nil {
		return err
	}
	h := hello{Version: Version, Kind: linkHello, Least: Version, Most: Version, Proc: n.id.Proc, Epoch: n.id.Epoch, To: p.proc,
		Nonce: p.nonce, Peer: known, Received: p.received(), WindowFrames: uint32(n.limits.WindowFrames),
		WindowBytes: uint64(n.limits.WindowBytes), FrameBytes: uint64(n.limits.FrameBytes), Place: notNull(c.place()), Opaque: notNull(n.hello())}
	at, boot := time.Now(), bootTime()
	if err := p.say(c, h); err != nil {
		return err
	}
	if err := c.acceptControl(ctx, n.limits); err != nil {
		return err
	}
	if e := p.joins(); e != nil && c.quic != nil {
		var f bytesFrame
		if err := c.readFrame(linkCertificate, &f); err != nil {
			return err
		}
		if err := n.certified(e, f.Bytes); err != nil {
			return err
		}
	}
	var w welcome
	if err := c.readFrame(linkWelcome, &w); err != nil {
		return err
	}
	switch {
	case w.Speak != Version:
		return closeErrorf(CodeVersion, "%s chose version %d, this program speaks %d", id, w.Speak, Version)
	case w.Proc != id.Proc || w.Epoch != id.Epoch:
		return closeErrorf(CodeIdentity, "%s says it is %s", id, ID{w.Proc, w.Epoch})
	case len(w.Opaque) > n.limits.HelloBytes:
		return closeErrorf(CodeLimit, "a welcome of %d bytes, at most %d", len(w.Opaque), n.limits.HelloBytes)
	}
	if err := c.setPeerLimits(w.WindowFrames, w.WindowBytes, w.FrameBytes); err != nil {
		return err
	}
	if !stop() {
		return ctx.Err()
	}
	p.mu.Lock()
	if p.welcome == nil {
		p.welcome = append([]byte{}, w.Opaque...)
	}
	p.mu.Unlock()
	c.memory.begin(c, w.Place)
	if why := p.attach(c, id.Epoch, w.Nonce, w.Received, at, boot); why != nil {
		return why
	}
	p.out[LaneControl].post(c, func(l *outLane) { l.extra = append(l.extra, appendCounter(nil, linkReady, 0)) })
	c.memory.heedFaults()
	p.kick()
	p.ready(c)
	return nil
}

// say sends Hello, and before it who we are and the proof of that, where no certificate says so.
func (p *peer) say(c *conn, h hello) error {
	e := p.joins()
	if e == nil || c.quic == nil {
		return c.sendFrame(h)
	}
	r, err := e.request(c)
	if err != nil {
		return err
	}
	return c.sendFrames(r, h)
}

// received is what arrived on the reliable lanes.
func (p *peer) received() [2]uint64 {
	return [2]uint64{p.in[LaneControl].ack.Load(), p.in[LaneCalls].ack.Load()}
}
