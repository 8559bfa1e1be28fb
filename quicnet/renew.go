package quicnet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"time"
)

// renewOwn gives the controller a new leaf.
func (n *Node) renewOwn() error {
	leaf, err := n.ca.newLeaf(n.session, n.id, time.Now())
	if err != nil {
		return fmt.Errorf("quicnet: make the controller's certificate: %w", err)
	}
	n.leaf.Store(leaf)
	n.born.Store(int64(time.Since(n.started)))
	return nil
}

// renewTick replaces a certificate that has used up two thirds of its life: the controller makes its
// own, a worker asks over the live link. Connections that are up don't notice.
func (n *Node) renewTick(now time.Time) {
	age := now.Sub(n.started) - time.Duration(n.born.Load())
	if age < renewAfter {
		return
	}
	if n.ca != nil {
		if err := n.renewOwn(); err != nil {
			n.log.Error("certificate not renewed", "error", err)
		}
		return
	}
	n.mu.Lock()
	p := n.peers[Controller]
	n.mu.Unlock()
	if p == nil {
		return
	}
	p.mu.Lock()
	c := p.conn
	p.mu.Unlock()
	if c == nil {
		return
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return
	}
	n.mu.Lock()
	n.nextKey = key
	n.mu.Unlock()
	n.born.Store(int64(now.Sub(n.started) - renewAfter + time.Minute)) // if no answer comes, ask again on the next connection
	c.postBytes(linkRenew, pub)
}

// renewal handles both frames of a renewal.
func (n *Node) renewal(c *conn, kind uint8, b []byte) error {
	if kind == linkRenew {
		if n.ca == nil {
			return closeErrorf(CodeProtocol, "only the controller renews certificates")
		}
		if c.renewed.Swap(true) {
			return closeErrorf(CodeLimit, "more than one renewal of a certificate on a connection within %s", renewAfter)
		}
		n.after(renewAfter/2, func() { c.renewed.Store(false) })
		key, err := x509.ParsePKIXPublicKey(b)
		if err != nil {
			return closeErrorf(CodeFrame, "renewal: %v", err)
		}
		der, err := n.ca.issue(n.session, c.p.id(), key, time.Now())
		if err != nil {
			return closeErrorf(CodeFrame, "renewal: %v", err)
		}
		c.postBytes(linkCertificate, der)
		return nil
	}
	n.mu.Lock()
	key := n.nextKey
	n.nextKey = nil
	n.mu.Unlock()
	if key == nil || c.p.proc != Controller {
		return closeErrorf(CodeProtocol, "a certificate that was not asked for")
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := checkLeaf(Ticket{Session: n.session, ID: n.id}, b, pub, time.Now()); err != nil {
		return closeErrorf(CodeProtocol, "%v", err)
	}
	n.leaf.Store(&tls.Certificate{Certificate: [][]byte{b}, PrivateKey: key})
	n.born.Store(int64(time.Since(n.started)))
	return nil
}

// postBytes sends a link frame that carries bytes.
func (c *conn) postBytes(kind uint8, data []byte) {
	b, err := Enc().Marshal(bytesFrame{Version: Version, Kind: kind, Bytes: data})
	if err != nil {
		return
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	c.p.out[LaneControl].post(c, func(l *outLane) { l.extra = append(l.extra, frame) })
}
