package quicnet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Certificates. The CA lives as long as the controller's memory, not a date; leaves are renewed over
// the live link after two thirds of their life.
const (
	caLife      = 10 * 365 * 24 * time.Hour
	leafLife    = 12 * time.Hour
	renewAfter  = 8 * time.Hour
	clockSkew   = 15 * time.Minute
	alpnMesh    = "mtui/1"
	alpnJoin    = "mtui-join/2"
	serverName  = "mtui"
	maxCertSize = 4 << 10
)

// maxSessionName is the longest name of a session, in bytes.
const maxSessionName = 63

// isSessionName reports whether a session may be called so: lower-case letters, digits, '.', '_' and '-', the first a letter or a
// digit. It is no regular expression: to compile one for this takes 50 KiB in every process.
func isSessionName(name string) bool {
	if len(name) == 0 || len(name) > maxSessionName {
		return false
	}
	for i, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// authority is a session's CA.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(session string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "monarch-tui session " + session},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{cert, key, pool}, nil
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}

// issue signs a leaf for id. Workers dial each other, so every leaf may be both client and server;
// what tells the controller from a worker is proc/0 in its name.
func (a *authority) issue(session string, id ID, pub any, now time.Time) ([]byte, error) {
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("the key is not ECDSA P-256")
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	return x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, URIs: []*url.URL{identityURI(session, id)},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, a.cert, key, a.key)
}

// newLeaf makes a key here and a leaf for it.
func (a *authority) newLeaf(session string, id ID, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := a.issue(session, id, key.Public(), now)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}, nil
}

func identityURI(session string, id ID) *url.URL {
	return &url.URL{Scheme: "spiffe", Host: session, Path: fmt.Sprintf("/proc/%d/epoch/%d", id.Proc, id.Epoch)}
}

// parseIdentity reads spiffe://<session>/proc/<id>/epoch/<e>, in exactly that form.
func parseIdentity(session string, u *url.URL) (ID, error) {
	var id ID
	if parts := strings.Split(u.Path, "/"); len(parts) == 5 {
		proc, err1 := strconv.ParseUint(parts[2], 10, 64)
		epoch, err2 := strconv.ParseUint(parts[4], 10, 32)
		if err1 == nil && err2 == nil {
			id = ID{proc, uint32(epoch)}
		}
	}
	if id.Epoch == 0 || u.String() != identityURI(session, id).String() {
		return ID{}, fmt.Errorf("%q is not a process of session %q", clean.OneLine(u.String(), maxReason), session)
	}
	return id, nil
}

// peerIdentity checks a peer's certificate and returns whose it is.
func peerIdentity(session string, pool *x509.CertPool, cs tls.ConnectionState, usage x509.ExtKeyUsage) (ID, error) {
	if len(cs.PeerCertificates) == 0 {
		return ID{}, errors.New("the peer has no certificate")
	}
	leaf := cs.PeerCertificates[0]
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
		return ID{}, err
	}
	return identityOf(session, cs)
}

// identityOf reads whose certificate a peer has shown. That it may be believed has been checked, by peerIdentity in VerifyConnection:
// without that there is no connection.
func identityOf(session string, cs tls.ConnectionState) (ID, error) {
	if len(cs.PeerCertificates) == 0 {
		return ID{}, errors.New("the peer has no certificate")
	}
	leaf := cs.PeerCertificates[0]
	if len(leaf.URIs) != 1 {
		return ID{}, fmt.Errorf("the peer's certificate names %d identities, want exactly 1", len(leaf.URIs))
	}
	return parseIdentity(session, leaf.URIs[0])
}

// baseTLS is what all configurations share: TLS 1.3, no session tickets and so no 0-RTT.
func baseTLS(alpn ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: alpn, ServerName: serverName,
		SessionTicketsDisabled: true, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}, // a hello of one packet
	}
}

// serverTLS is the listener's configuration. On the controller a client that offers exactly the join
// protocol may show a certificate that nobody has signed; everything else needs one of the session.
func (n *Node) serverTLS() *tls.Config {
	own := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return n.leaf.Load(), nil }
	mesh := baseTLS(alpnMesh)
	mesh.GetCertificate = own
	mesh.ClientAuth = tls.RequireAnyClientCert
	mesh.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := peerIdentity(n.session, n.pool, cs, x509.ExtKeyUsageClientAuth)
		return err
	}
	if n.issuer == nil {
		return mesh
	}
	join := baseTLS(alpnJoin)
	join.GetCertificate = own
	join.ClientAuth = tls.RequireAnyClientCert
	join.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := joinKey(cs)
		return err
	}
	both := baseTLS(alpnMesh, alpnJoin)
	both.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if len(h.SupportedProtos) == 1 && h.SupportedProtos[0] == alpnJoin {
			return join, nil
		}
		return mesh, nil
	}
	return both
}

// clientTLS is the configuration for dialling proc: the peer must be that process, at epoch least or
// later. InsecureSkipVerify only turns off the check of a DNS name, which VerifyConnection replaces.
func (n *Node) clientTLS(proc uint64, least uint32) *tls.Config {
	c := baseTLS(alpnMesh)
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return n.leaf.Load(), nil }
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		id, err := peerIdentity(n.session, n.pool, cs, x509.ExtKeyUsageServerAuth)
		if err != nil {
			return err
		}
		if id.Proc != proc {
			return fmt.Errorf("dialled %s, reached %s", ID{Proc: proc}, id)
		}
		if id.Epoch < least {
			return fmt.Errorf("dialled %s, reached its stale epoch %d", ID{proc, least}, id.Epoch)
		}
		return nil
	}
	return c
}
