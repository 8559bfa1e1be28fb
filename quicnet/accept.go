package quicnet

import (
	"context"
	"fmt"
	"time"

	"github.com/quic-go/quic-go"
)

// acceptLoop takes connections as fast as they come: quic-go refuses what finds 32 waiting.
func (n *Node) acceptLoop(s *gate, ln *quic.Listener) {
	for {
		q, err := ln.Accept(n.ctx)
		if err != nil {
			return
		}
		if !n.spawn(func() { n.serve(s, q) }) {
			return
		}
	}
}

// serve handles one incoming connection until it ends.
func (n *Node) serve(s *gate, q *quic.Conn) {
	c := &conn{q: q, quic: q, gate: s, over: make(chan struct{})}
	id, err := n.handshake(c)
	if err != nil {
		if c.closed.Load() != nil { // who asked to join was told what it may know
			return
		}
		n.refuse(c, id, err)
		return
	}
	c.p.detach(c, c.run())
}

// refuse ends a connection that has not become a link's.
func (n *Node) refuse(c *conn, id ID, err error) {
	why := closeError(err)
	if why == nil {
		why = closeErrorf(CodeSilent, "no hello: %s", linkFault(err))
	}
	n.log.Warn("connection refused", "peer", id.String(), "from", c.from(), "reason", why.Error())
	if !why.Remote {
		c.close(why)
		n.events.push(LinkEvent{Peer: id, State: LinkRefused, Reason: why.Error(), Time: time.Now()}, nil)
	}
}

// from says where a connection comes from.
func (c *conn) from() string {
	if c.quic == nil {
		return "inherited sockets"
	}
	return c.quic.RemoteAddr().String()
}

// handshake finds out who has connected, by its certificate or by its ticket, and attaches the connection to its link.
func (n *Node) handshake(c *conn) (id ID, err error) {
	ctx, cancel := context.WithTimeout(n.ctx, n.limits.HelloDeadline)
	defer cancel()
	st := c.quic.ConnectionState().TLS
	if n.issuer != nil && st.NegotiatedProtocol == alpnJoin {
		id, leaf, err := n.issuer.identify(ctx, c)
		if err != nil {
			n.issuer.refuse(c, id, err)
			return id, err
		}
		return id, n.answer(c, id, leaf)
	}
	if id, err = identityOf(n.session, st); err != nil {
		return id, closeErrorf(CodeIdentity, "%v", err)
	}
	if err := c.acceptControl(ctx, n.limits); err != nil {
		return id, err
	}
	return id, n.answer(c, id, nil)
}

// answer reads Hello, checks it, and answers Welcome; before it leaf, where one was made for who has joined.
func (n *Node) answer(c *conn, id ID, leaf []byte) error {
	if n.issuer != nil {
		if err := n.issuer.mayConnect(id); err != nil {
			return err
		}
	}
	if !dialling(id.Proc, n.id.Proc) {
		return closeErrorf(CodeProtocol, "%s dials %s, not the other way round", n.id, id)
	}
	var h hello
	if err := c.readFrame(linkHello, &h); err != nil {
		return err
	}
	switch {
	case h.Proc != id.Proc || h.Epoch != id.Epoch:
		return closeErrorf(CodeIdentity, "%s says it is %s", id, ID{h.Proc, h.Epoch})
	case h.To != n.id.Proc:
		return closeErrorf(CodeIdentity, "%s meant to reach %s", id, ID{Proc: h.To})
	case h.Nonce == 0:
		return closeErrorf(CodeFrame, "hello without a nonce")
	case len(h.Opaque) > n.limits.HelloBytes:
		return closeErrorf(CodeLimit, "a hello of %d bytes, at most %d", len(h.Opaque), n.limits.HelloBytes)
	}
	if err := c.setPeerLimits(h.WindowFrames, h.WindowBytes, h.FrameBytes); err != nil {
		return err
	}
	p, err := n.incoming(id, &h)
	if err != nil {
		return err
	}
	c.p = p
	return n.welcome(c, p, id, &h, leaf)
}

// incoming finds or makes the link that a hello belongs to.
func (n *Node) incoming(id ID, h *hello) (*peer, error) {
	n.mu.Lock()
	p := n.peers[id.Proc]
	gone, _ := n.gone.Get(id.Proc)
	least, _ := n.least.Get(id.Proc)
	switch {
	case n.closing:
		n.mu.Unlock()
		return nil, closeErrorf(CodeShutdown, "%s is closing", n.id)
	case gone != nil && id.Epoch <= gone.Peer.Epoch || gone != nil && gone.Peer.Epoch == 0:
		n.mu.Unlock()
		return nil, closeErrorf(CodeGone, "%s", gone.Reason)
	case id.Epoch < least || p != nil && id.Epoch < max(p.epoch.Load(), p.least):
		n.mu.Unlock()
		if p != nil {
			least = max(least, p.epoch.Load(), p.least)
		}
		return nil, closeErrorf(CodeStaleEpoch, "epoch %d of proc %d came, epoch %d is known", id.Epoch, id.Proc, least)
	}
	n.mu.Unlock()
	if p != nil && p.epoch.Load() != 0 {
		if p.moves(id) { // what it is has become more
			if _, err := n.admit(id, h); err != nil {
				return nil, err
			}
		}
		reason := fmt.Sprintf("epoch %d of it has joined", id.Epoch)
		if p.epoch.Load() == id.Epoch {
			if !p.anew(h) {
				return p, p.sameState(h)
			}
			reason = "it has given up the link for silence, and makes another"
		}
		n.terminate(p, LinkLost, reason, closeErrorf(CodeStaleEpoch, "%s", reason))
		p = nil
	}
	if h.Peer != 0 {
		return nil, closeErrorf(CodeState, "%s no longer knows what it sent and received", n.id)
	}
	answer, err := n.admit(id, h)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch known := n.peers[id.Proc]; {
	case n.closing:
		return nil, closeErrorf(CodeShutdown, "%s is closing", n.id)
	case known != p:
		return nil, closeErrorf(CodeBusy, "%s said hello twice at once", id)
	case p == nil:
		n.gone.Delete(id.Proc)
		p = newPeer(n, id.Proc, id.Epoch)
		n.add(p)
	case !p.epoch.CompareAndSwap(0, id.Epoch): // we waited for it to dial
		return nil, closeErrorf(CodeBusy, "%s said hello twice at once", id)
	}
	p.mu.Lock()
	p.welcome = answer
	p.mu.Unlock()
	return p, nil
}

// admit asks the controller's owner about a process that says hello for the first time.
func (n *Node) admit(id ID, h *hello) ([]byte, error) {
	if n.issuer == nil || n.cfg.Admit == nil {
		return nil, nil
	}
	answer, err := n.cfg.Admit(id, h.Opaque)
	if err != nil {
		return nil, closeErrorf(CodeRefused, "%v", err)
	}
	if len(answer) > n.limits.HelloBytes {
		return nil, closeErrorf(CodeRefused, "the controller's welcome is %d bytes, at most %d", len(answer), n.limits.HelloBytes)
	}
	return answer, nil
}

// anew reports whether the dialler makes another link in place of this one, which it has lost. The controller and a worker never
// do: who is lost there is to end.
func (p *peer) anew(h *hello) bool {
	if p.proc == Controller || p.n.id.Proc == Controller || h.Peer != 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.peerNonce != 0 && p.peerNonce != h.Nonce
}

// sameState checks that the dialler has not lost the state of this link, by the nonces in hello.
func (p *peer) sameState(h *hello) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.Peer != 0 && h.Peer != p.nonce {
		return closeErrorf(CodeState, "%s no longer knows what it sent and received", p.n.id)
	}
	return nil
}

// welcome answers hello and attaches the connection.
func (n *Node) welcome(c *conn, p *peer, id ID, h *hello, leaf []byte) error {
	if err := c.openLanes(); err != nil {
		return err
	}
	p.mu.Lock()
	opaque := p.welcome
	p.mu.Unlock()
	var err error
	if c.beside, err = newBeside(c); err != nil {
		return err
	}
	w := welcome{Version: Version, Kind: linkWelcome, Speak: Version, Proc: n.id.Proc, Epoch: n.id.Epoch, Nonce: p.nonce,
		Received: p.received(), WindowFrames: uint32(n.limits.WindowFrames), WindowBytes: uint64(n.limits.WindowBytes),
		FrameBytes: uint64(n.limits.FrameBytes), Place: notNull(c.place()), Opaque: notNull(opaque)}
	if leaf != nil {
		err = c.sendFrames(bytesFrame{Version: Version, Kind: linkCertificate, Bytes: leaf}, w)
	} else {
		err = c.sendFrame(w)
	}
	if err != nil {
		return err
	}
	if c.quic != nil {
		n.admission.identified(c.quic)
	}
	c.memory.begin(c, h.Place)
	if why := p.attach(c, id.Epoch, h.Nonce, h.Received, time.Now(), bootTime()); why != nil {
		return why
	}
	c.memory.heedFaults()
	p.kick()
	return nil
}
