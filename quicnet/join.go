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
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// Join makes the node of a worker: it gets a certificate with the ticket, dials the controller, and
// returns when it has received Welcome. It tries again until ctx ends, except where it was refused.
// Frames and events may reach the handler before Join returns.
func Join(ctx context.Context, t Ticket, cfg Config) (n *Node, welcome []byte, err error) {
	switch {
	case t.ID.Proc == Controller || t.ID.Epoch == 0 || len(t.Addrs) == 0 || !isSessionName(t.Session):
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
	e := newEntry(t)
	n.entry = e
	p, err := n.peer(Controller)
	if err != nil {
		return nil, err
	}
	select {
	case err := <-e.refused:
		return nil, err
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

// entry is what a worker joins with: its ticket, and the key that its certificate will be for. Until it has that it shows one that
// nobody has signed.
type entry struct {
	ticket  Ticket
	key     *ecdsa.PrivateKey // nil until it dials; with it the next two
	pub     []byte            // PKIX
	shown   tls.Certificate
	pool    *x509.CertPool // with the CA of the ticket, once the controller has shown it
	refused chan error     // why there is no use in asking again
}

// joins is what we join with on this link; nil where we have joined, or only dial a peer.
func (p *peer) joins() *entry {
	if p.proc != Controller {
		return nil
	}
	return p.n.entry
}

func newEntry(t Ticket) *entry { return &entry{ticket: t, refused: make(chan error, 1)} }

// makeKey makes the key before the first dial.
func (e *entry) makeKey() error {
	if e.key != nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	e.key, e.pub, e.shown = key, pub, tls.Certificate{Certificate: [][]byte{blankCertificate(pub)}, PrivateKey: key}
	return nil
}

// blankCertificate is a certificate that says nothing but a key (PKIX), with no signature: that its holder has the key is proven by
// TLS, and who it is by the ticket. x509.CreateCertificate would sign it and verify the signature, for nobody.
func blankCertificate(pub []byte) []byte {
	const sequence, integer, bits, utc = 0x30, 0x02, 0x03, 0x17                        // tags of X.690
	algorithm := der(sequence, []byte{0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}) // ecdsa-with-SHA256, RFC 5758
	nobody, never := der(sequence), der(utc, []byte("000101000000Z"))
	body := der(sequence, der(integer, []byte{1}), algorithm, nobody, der(sequence, never, never), nobody, pub)
	return der(sequence, body, algorithm, der(bits, []byte{0}))
}

// der is an element of DER whose content is less than 256 bytes long.
func der(tag byte, content ...[]byte) []byte {
	all := bytes.Join(content, nil)
	if len(all) < 0x80 {
		return append([]byte{tag, byte(len(all))}, all...)
	}
	return append([]byte{tag, 0x81, byte(len(all))}, all...)
}

var errPin = errors.New("whoever answers is not this session's controller (its CA is not the one in the ticket)")

// verdict is what one attempt to join has found out about the other side. A handshake may go on for a moment after it was given up.
type verdict struct {
	mu   sync.Mutex
	pool *x509.CertPool // with the CA of the ticket
	err  error          // why the other side is not believed: quic-go passes on only the text of a verification error
}

func (v *verdict) get() (*x509.CertPool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pool, v.err
}

// joinTLS is the configuration for joining: the CA is pinned before anything is said.
func (e *entry) joinTLS(v *verdict) *tls.Config {
	conf := baseTLS(alpnJoin)
	conf.Certificates = []tls.Certificate{e.shown}
	conf.InsecureSkipVerify = true
	conf.VerifyConnection = func(cs tls.ConnectionState) error {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.pool, v.err = pinned(e.ticket, cs)
		return v.err
	}
	return conf
}

// dial dials the controller to join, at all its addresses at once; it is the first that answered from then on.
func (e *entry) dial(ctx context.Context, n *Node, addr net.Addr) (*quic.Conn, error) {
	if err := e.makeKey(); err != nil {
		return nil, err
	}
	addrs := n.addrs
	if len(addrs) == 1 {
		addrs = []string{addr.String()}
	}
	verdicts := make(map[string]*verdict, len(addrs))
	for _, a := range addrs {
		verdicts[a] = &verdict{}
	}
	at, q, err := reach(ctx, addrs, func(ctx context.Context, a string, to net.Addr) (*quic.Conn, error) {
		v := verdicts[a]
		s := n.gateTo(to)
		q, err := s.tr.Dial(ctx, to, e.joinTLS(v), n.quicConfigAt(s))
		if _, bad := v.get(); bad != nil {
			return nil, bad
		}
		return q, err
	})
	if err != nil {
		return nil, err
	}
	e.pool, _ = verdicts[at].get()
	n.addrs = []string{at}
	return q, nil
}

// joinKey is the key of who wants to join, which TLS has seen it hold: in the one certificate that it shows, ECDSA P-256.
func joinKey(cs tls.ConnectionState) (*ecdsa.PublicKey, error) {
	if len(cs.PeerCertificates) != 1 {
		return nil, fmt.Errorf("who joins shows %d certificates, want 1", len(cs.PeerCertificates))
	}
	key, ok := cs.PeerCertificates[0].PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("who joins shows a key that is not ECDSA P-256")
	}
	return key, nil
}

// request is the join request for a connection: its proof is of no use on another one.
func (e *entry) request(c *conn) (joinRequest, error) {
	st := c.quic.ConnectionState().TLS
	bound, err := st.ExportKeyingMaterial(exporterLabel, nil, 32)
	if err != nil {
		return joinRequest{}, err
	}
	t := &e.ticket
	return joinRequest{Version: Version, Kind: linkJoin, Proc: t.ID.Proc, Epoch: t.ID.Epoch, Proof: joinProof(t.secret, t.Session, t.ID, bound, e.pub)}, nil
}

// certified takes the certificate that the controller has made for us, and lets others connect: they may as soon as the
// controller knows that we have it.
func (n *Node) certified(e *entry, leaf []byte) error {
	if err := checkLeaf(e.ticket, leaf, e.pub, time.Now()); err != nil {
		return closeErrorf(CodeProtocol, "%v", err)
	}
	n.pool, n.entry = e.pool, nil
	n.leaf.Store(&tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: e.key})
	n.born.Store(int64(time.Since(n.started)))
	if err := n.listen(); err != nil {
		return err
	}
	close(n.network.joined)
	return nil
}

// final reports whether there is no use in trying to join again, and says why.
func (e *entry) final(err error) bool {
	end := closeError(err)
	switch {
	case errors.Is(err, errPin):
	case end == nil || !end.Code.final():
		return false
	case end.Code == CodeJoin:
		err = errors.New("refused: the ticket is unknown, used, revoked or expired there")
	default:
		err = end
	}
	e.refused <- err
	return true
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

// checkLeaf checks that the certificate is for this key and this process, and good by this clock. That the session's CA has signed it
// is for those to check whom it is shown to: we have it from the controller, on a connection on which that has proven who it is.
func checkLeaf(t Ticket, der, pub []byte, now time.Time) error {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("the controller's answer is no certificate: %w", err)
	}
	id, err := identityOf(t.Session, tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}})
	switch {
	case err != nil:
		return fmt.Errorf("the certificate from the controller: %w", err)
	case id != t.ID || !bytes.Equal(leaf.RawSubjectPublicKeyInfo, pub):
		return fmt.Errorf("the certificate from the controller is for %s or another key", id)
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate from the controller is good from %s to %s, and here it is %s",
			leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}
