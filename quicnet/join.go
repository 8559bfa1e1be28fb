package quicnet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Join makes the node of a worker: it gets a certificate with the ticket, dials the controller, and
// returns when it has received Welcome. It tries again until ctx ends, except where it was refused.
// Frames and events may reach the handler before Join returns.
func Join(ctx context.Context, t Ticket, cfg Config) (n *Node, welcome []byte, err error) {
	switch {
	case t.ID.Proc == Controller || t.ID.Epoch == 0 || len(t.Addrs) == 0 || !sessionName.MatchString(t.Session):
		return nil, nil, errors.New("join: the ticket is empty or damaged")
	case time.Now().After(t.Expires):
		return nil, nil, fmt.Errorf("join session %s as %s: the ticket expired at %s", t.Session, t.ID, t.Expires.UTC().Format(time.RFC3339))
	}
	n, err = newNode(t.Session, t.ID, cfg)
	if err != nil {
		return nil, nil, err
	}
	welcome, err = n.join(ctx, t)
	if err != nil {
		_ = n.Close("join failed")
		return nil, nil, fmt.Errorf("join session %s as %s: %w", t.Session, t.ID, err)
	}
	return n, welcome, nil
}

func (n *Node) join(ctx context.Context, t Ticket) ([]byte, error) {
	n.addrs = t.Addrs
	if err := n.certify(ctx, t); err != nil {
		return nil, err
	}
	if err := n.listen(); err != nil {
		return nil, err
	}
	p, err := n.peer(Controller)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.first:
	case <-p.ctx.Done():
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state == LinkUp || p.state == LinkSuspect || p.state == LinkUnreachable:
		return p.welcome, nil
	case p.gone != nil:
		return nil, errors.New(p.gone.Reason)
	case p.fault != "":
		return nil, fmt.Errorf("%w; the last attempt: %s", ctx.Err(), p.fault)
	}
	return nil, ctx.Err()
}

// certify gets the certificate, trying the ticket's addresses in turn with one key: the controller
// answers the same key again if its first answer was lost.
func (n *Node) certify(ctx context.Context, t Ticket) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	pause := n.newBackoff()
	for attempt := 0; ; attempt++ {
		leaf, err := n.askForLeaf(ctx, t, t.Addrs[attempt%len(t.Addrs)], pub)
		if err == nil {
			n.leaf.Store(&tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: key})
			n.born.Store(int64(time.Since(n.started)))
			return nil
		}
		if why := closeError(err); why != nil && why.Code.final() {
			if why.Code == CodeJoin {
				return errors.New("refused: the ticket is unknown, used, revoked or expired there")
			}
			return why
		}
		if errors.Is(err, errPin) {
			return err
		}
		n.log.Debug("join", "attempt", attempt+1, "error", linkFault(err))
		if !pause.wait(ctx) {
			return fmt.Errorf("%w; the last attempt: %s", ctx.Err(), linkFault(err))
		}
	}
}

var errPin = errors.New("whoever answers is not this session's controller (its CA is not the one in the ticket)")

// askForLeaf makes one join connection. The CA is pinned before the proof leaves, and the proof is
// of no use in another TLS session.
func (n *Node) askForLeaf(ctx context.Context, t Ticket, addr string, pub []byte) ([]byte, error) {
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*n.limits.HelloDeadline)
	defer cancel()
	conf := baseTLS(alpnJoin)
	conf.InsecureSkipVerify = true
	var pool *x509.CertPool
	var bad error // quic-go passes on only the text of a verification error
	conf.VerifyConnection = func(cs tls.ConnectionState) error {
		pool, bad = pinned(t, cs)
		return bad
	}
	q, err := n.tr.Dial(ctx, to, conf, n.quicConfig())
	if bad != nil {
		return nil, bad
	}
	if err != nil {
		return nil, err
	}
	c := &conn{q: q}
	defer c.close(&CloseError{Code: CodeJoined})
	stop := context.AfterFunc(ctx, func() { c.close(closeErrorf(CodeSilent, "no answer in time")) })
	defer stop()
	st := q.ConnectionState().TLS
	bound, err := st.ExportKeyingMaterial(exporterLabel, nil, 32)
	if err != nil {
		return nil, err
	}
	req, err := Enc().Marshal(joinRequest{Version: Version, Proc: t.ID.Proc, Epoch: t.ID.Epoch, Key: pub,
		Proof: joinProof(t.secret, t.Session, t.ID, bound, pub)})
	if err != nil {
		return nil, err
	}
	out, err := q.OpenUniStream()
	if err != nil {
		return nil, err
	}
	if _, err := out.Write(req); err != nil {
		return nil, err
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	in, err := q.AcceptUniStream(ctx)
	if err != nil {
		return nil, err
	}
	leaf, err := io.ReadAll(io.LimitReader(in, maxCertSize))
	if err != nil {
		return nil, err
	}
	if err := checkLeaf(t, pool, leaf, pub); err != nil {
		return nil, err
	}
	n.pool = pool
	return leaf, nil
}

// pinned checks that the answering side is the controller of the ticket's session.
func pinned(t Ticket, cs tls.ConnectionState) (*x509.CertPool, error) {
	if len(cs.PeerCertificates) != 2 || sha256.Sum256(cs.PeerCertificates[1].Raw) != t.pin {
		return nil, errPin
	}
	pool := x509.NewCertPool()
	pool.AddCert(cs.PeerCertificates[1])
	id, err := peerIdentity(t.Session, pool, cs, x509.ExtKeyUsageServerAuth)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPin, err)
	}
	if id.Proc != Controller {
		return nil, fmt.Errorf("%w: it is %s", errPin, id)
	}
	return pool, nil
}

// checkLeaf checks that the certificate is for this key and this process.
func checkLeaf(t Ticket, pool *x509.CertPool, der, pub []byte) error {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("the controller's answer is no certificate: %w", err)
	}
	id, err := peerIdentity(t.Session, pool, tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, x509.ExtKeyUsageClientAuth)
	if err != nil {
		return fmt.Errorf("the certificate from the controller: %w", err)
	}
	if id != t.ID || !bytes.Equal(leaf.RawSubjectPublicKeyInfo, pub) {
		return fmt.Errorf("the certificate from the controller is for %s or another key", id)
	}
	return nil
}
