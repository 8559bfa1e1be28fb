package quicnet

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// The join exchange: one frame each way, before Hello and before Welcome.
const (
	proofLabel    = "mtui-join-v2"
	exporterLabel = "EXPORTER-mtui-join"
	maxJoinBytes  = 2 << 10
)

// ticketIssuer is the controller's part of a join: it issues tickets and certificates, and verifies who asks for one.
type ticketIssuer struct {
	n     *Node
	dummy [secretSize]byte // what an unknown ticket is compared with, so that it takes as long

	mu      sync.Mutex // no other lock is taken under it
	issued  map[ID]*issuedTicket
	revoked map[ID]bool
}

// issuedTicket is what the issuer keeps of a ticket.
type issuedTicket struct {
	secret  [secretSize]byte
	expires time.Time
	key     []byte // the first key that came with a good proof: until its holder has joined it may ask again, and nobody else
	joined  bool
	kept    bool // its holder's link is by sockets that it has inherited: it may join by QUIC as late as it likes
	wrong   int  // good proofs for another key: somebody else knows the secret
}

func newTicketIssuer(n *Node) *ticketIssuer {
	i := &ticketIssuer{n: n, issued: map[ID]*issuedTicket{}, revoked: map[ID]bool{}}
	_, _ = rand.Read(i.dummy[:])
	return i
}

// Ticket returns a new one-time ticket with which the process id can join until validFor has passed.
// It replaces an earlier one of the same id. It names the addresses at which the controller can be reached: at, else those of
// Config.Advertise, else that of the socket. Only the controller gives tickets.
func (n *Node) Ticket(id ID, validFor time.Duration, at ...string) (Ticket, error) {
	switch {
	case n.issuer == nil:
		return Ticket{}, errors.New("quicnet: only the controller gives tickets")
	case id.Proc == Controller:
		return Ticket{}, errors.New("quicnet: no ticket can make a process the controller")
	case id.Epoch == 0:
		return Ticket{}, errors.New("quicnet: epochs begin at 1")
	case validFor <= 0:
		return Ticket{}, fmt.Errorf("quicnet: a ticket valid for %s", validFor)
	}
	t := Ticket{Addrs: at, Session: n.session, ID: id, Expires: time.Now().Add(validFor + time.Second).Truncate(time.Second), pin: sha256.Sum256(n.ca.cert.Raw)}
	if len(t.Addrs) == 0 {
		t.Addrs = n.cfg.Advertise
	}
	if len(t.Addrs) == 0 {
		t.Addrs = []string{n.Addr().String()}
	}
	if _, err := rand.Read(t.secret[:]); err != nil {
		return Ticket{}, err
	}
	i := n.issuer
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.revoked[id] {
		return Ticket{}, fmt.Errorf("quicnet: %s was revoked; give it the next epoch", id)
	}
	i.issued[id] = &issuedTicket{secret: t.secret, expires: t.Expires}
	return t, nil
}

// Revoke refuses the ticket and the certificate of id from now on, and closes its link.
func (n *Node) Revoke(id ID) {
	if n.issuer == nil {
		return
	}
	n.issuer.mu.Lock()
	n.issuer.revoked[id] = true
	delete(n.issuer.issued, id)
	n.issuer.mu.Unlock()
	n.mu.Lock()
	p := n.peers[id.Proc]
	n.mu.Unlock()
	if p != nil && p.id() == id {
		n.terminate(p, LinkClosed, "revoked", closeErrorf(CodeStaleEpoch, "%s was revoked", id))
	}
}

// mayConnect refuses the certificate of a process that was revoked.
func (i *ticketIssuer) mayConnect(id ID) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.revoked[id] {
		return closeErrorf(CodeStaleEpoch, "%s was revoked", id)
	}
	return nil
}

// joined marks a ticket as used: its process has its certificate, and says so.
func (i *ticketIssuer) joined(id ID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if s := i.issued[id]; s != nil {
		s.joined = true
	}
}

// keep has a ticket not expire: its process is connected by sockets.
func (i *ticketIssuer) keep(id ID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if s := i.issued[id]; s != nil {
		s.kept = true
	}
}

var (
	errJoinRefused = &CloseError{Code: CodeJoin} // one text for every cause: the other side learns nothing
	errJoinLate    = &CloseError{Code: CodeSilent, Reason: "the join took too long"}
)

// refuse ends a connection whose join request was not good. Why is for us, not for the other side.
func (i *ticketIssuer) refuse(c *conn, id ID, err error) {
	i.n.log.Warn("join refused", "peer", id.String(), "from", c.from(), "reason", err.Error())
	i.n.events.push(LinkEvent{Peer: id, State: LinkRefused, Reason: err.Error(), Time: time.Now()}, nil)
	if errors.Is(err, errJoinLate) { // packets were lost: that the ticket is good is still to be seen
		c.close(errJoinLate)
		return
	}
	c.close(errJoinRefused)
}

// identify reads and verifies the join request on a connection whose peer shows a certificate that nobody has signed, and makes the
// certificate of the session for its key. Until the proof is good no more than maxJoinBytes of it are held.
func (i *ticketIssuer) identify(ctx context.Context, c *conn) (id ID, leaf []byte, err error) {
	if err := c.acceptControl(ctx, i.n.limits); err != nil {
		return id, nil, fmt.Errorf("%w: no request: %s", errJoinLate, linkFault(err))
	}
	most := c.control.cap
	c.control.cap = maxJoinBytes
	b, err := c.control.one()
	c.control.cap = most
	switch {
	case err != nil && c.control.partial() && !timedOut(err) && c.q.Context().Err() == nil:
		return id, nil, fmt.Errorf("malformed request: %w", err)
	case err != nil:
		return id, nil, fmt.Errorf("%w: no request: %s", errJoinLate, linkFault(err))
	}
	var r joinRequest
	if err := StrictDec().Unmarshal(b, &r); err != nil {
		return id, nil, fmt.Errorf("malformed request: %w", err)
	}
	id = ID{r.Proc, r.Epoch}
	if r.Version != Version || r.Kind != linkJoin {
		return id, nil, fmt.Errorf("join version %d kind %d, this program speaks %d and %d", r.Version, r.Kind, Version, linkJoin)
	}
	st := c.quic.ConnectionState().TLS
	key, err := joinKey(st)
	if err != nil {
		return id, nil, err
	}
	bound, err := st.ExportKeyingMaterial(exporterLabel, nil, 32)
	if err != nil {
		return id, nil, err
	}
	if err := i.verify(id, r.Proof, st.PeerCertificates[0].RawSubjectPublicKeyInfo, bound, time.Now()); err != nil {
		return id, nil, err
	}
	leaf, err = i.n.ca.issue(i.n.session, id, key, time.Now())
	return id, leaf, err
}

func timedOut(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// verify compares the proof. A wrong proof says nothing about the ticket's holder and changes nothing;
// a good proof for a second key means that the secret has leaked, and JoinFailures of them void it.
func (i *ticketIssuer) verify(id ID, proof, key, bound []byte, now time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.issued[id]
	secret := i.dummy
	if s != nil {
		secret = s.secret
	}
	good := hmac.Equal(proof, joinProof(secret, i.n.session, id, bound, key))
	switch {
	case s == nil:
		return fmt.Errorf("no ticket of %s is valid", id)
	case !good:
		return fmt.Errorf("wrong proof for %s", id)
	case now.After(s.expires) && !s.kept:
		return fmt.Errorf("the ticket of %s expired at %s", id, s.expires.UTC().Format(time.RFC3339))
	case s.wrong >= i.n.limits.JoinFailures:
		return fmt.Errorf("the ticket of %s is void: it was used %d times by others", id, s.wrong)
	case s.key != nil && !bytes.Equal(s.key, key), s.joined:
		s.wrong++
		return fmt.Errorf("the ticket of %s was used already: somebody else knows its secret", id)
	}
	s.key = bytes.Clone(key)
	return nil
}

// joinProof binds a ticket to a TLS session and a key: a relay or a replay has another exporter.
func joinProof(secret [secretSize]byte, session string, id ID, bound, key []byte) []byte {
	m := hmac.New(sha256.New, secret[:])
	b := append([]byte(proofLabel), byte(len(session)))
	b = append(b, session...)
	b = binary.BigEndian.AppendUint64(b, id.Proc)
	b = binary.BigEndian.AppendUint32(b, id.Epoch)
	b = append(b, bound...)
	m.Write(append(b, key...))
	return m.Sum(nil)
}
