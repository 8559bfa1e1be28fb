package quicnet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTicketsWorkOnceForOneProcess(t *testing.T) { // cases 9-12
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	attempt := func(ticket Ticket) error {
		n, _, err := Join(t.Context(), ticket, Config{Handler: newRecorder()})
		if err == nil {
			t.Cleanup(func() { _ = n.Close("") })
		}
		return err
	}
	ticket := func(proc uint64) Ticket {
		t.Helper()
		ticket, err := ctl.Ticket(ID{proc, 1}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	t.Run("9 used again", func(t *testing.T) {
		first := ticket(1)
		if err := attempt(first); err != nil {
			t.Fatal(err)
		}
		rec.until(t, 5*time.Second, "up", func() bool { return rec.saw(1, LinkUp) })
		ctl.issuer.mu.Lock()
		if !ctl.issuer.issued[first.ID].joined {
			t.Error("its process is up, and the ticket does not count as used")
		}
		ctl.issuer.mu.Unlock()
		for range 4 {
			if err := attempt(first); err == nil || !strings.Contains(err.Error(), "refused") {
				t.Fatalf("used again: %v", err)
			}
		}
		rec.until(t, 5*time.Second, "alarm", func() bool {
			ev := rec.find(1, LinkRefused)
			return ev != nil && strings.Contains(ev.Reason, "somebody else knows its secret")
		})
		rec.until(t, 5*time.Second, "void", func() bool {
			return strings.Contains(rec.events[len(rec.events)-1].Reason, "void")
		})
	})
	t.Run("10 another process", func(t *testing.T) {
		other := ticket(2)
		ticket(3)
		other.ID.Proc = 3
		if err := attempt(other); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%v", err)
		}
	})
	t.Run("11 replayed in another TLS session", func(t *testing.T) {
		tk := ticket(4)
		e := entryFor(t, tk)
		proof := joinProof(tk.secret, "test", tk.ID, make([]byte, 32), e.pub) // of some session
		refusedBlindly(t, ctl, e, func(*conn) joinRequest {
			return joinRequest{Version: Version, Kind: linkJoin, Proc: 4, Epoch: 1, Proof: proof}
		})
	})
	t.Run("11 for another key than the one that is shown", func(t *testing.T) {
		tk := ticket(8)
		owner, thief := entryFor(t, tk), entryFor(t, tk)
		thief.pub = owner.pub // what it says, not what it shows
		refusedBlindly(t, ctl, thief, func(c *conn) joinRequest { return requestOf(t, thief, c) })
	})
	t.Run("9 by who holds the same key, after it has joined", func(t *testing.T) {
		e := entryFor(t, ticket(9))
		for range 3 { // the answer may be lost
			if _, err := joinByHand(t, ctl, e, func(c *conn) joinRequest { return requestOf(t, e, c) }); err != nil {
				t.Fatalf("asking again: %v", err)
			}
		}
		ctl.issuer.joined(e.ticket.ID)
		refusedBlindly(t, ctl, e, func(c *conn) joinRequest { return requestOf(t, e, c) })
	})
	t.Run("11 broken requests", func(t *testing.T) {
		e := entryFor(t, ticket(10))
		for name, change := range map[string]func(*joinRequest){
			"of another version": func(r *joinRequest) { r.Version++ }, "of another kind": func(r *joinRequest) { r.Kind = linkHello },
			"without a proof": func(r *joinRequest) { r.Proof = []byte{} }, "of 64 KiB": func(r *joinRequest) { r.Proof = make([]byte, 64<<10-64) },
			"of the controller": func(r *joinRequest) { r.Proc = Controller }, "of epoch 0": func(r *joinRequest) { r.Epoch = 0 },
		} {
			t.Run(name, func(t *testing.T) {
				refusedBlindly(t, ctl, e, func(c *conn) joinRequest {
					r := requestOf(t, e, c)
					change(&r)
					return r
				})
			})
		}
		rec.until(t, 5*time.Second, "that no more is read than a request may have", func() bool {
			return slices.ContainsFunc(rec.events, func(ev LinkEvent) bool { return strings.Contains(ev.Reason, "at most 2048 here") })
		})
	})
	t.Run("12 unknown, revoked, expired", func(t *testing.T) {
		unknown := ticket(5)
		unknown.ID.Proc = 500
		revoked := ticket(6)
		ctl.Revoke(revoked.ID)
		expired := ticket(7)
		ctl.issuer.issued[expired.ID].expires = time.Now().Add(-time.Second)
		var texts []string
		for _, tk := range []Ticket{unknown, revoked, expired} {
			err := attempt(tk)
			if err == nil {
				t.Fatal("joined")
			}
			texts = append(texts, strings.ReplaceAll(strings.ReplaceAll(err.Error(), "proc 500", "P"), tk.ID.String(), "P"))
		}
		if texts[0] != texts[1] || texts[0] != texts[2] {
			t.Errorf("the refusals differ: %q", texts)
		}
		if _, err := ctl.Ticket(revoked.ID, time.Minute); err == nil {
			t.Error("a ticket for a revoked epoch")
		}
		expired.Expires = time.Now().Add(-time.Second)
		if err := attempt(expired); err == nil || !strings.Contains(err.Error(), "the ticket expired at") {
			t.Errorf("%v", err)
		}
	})
}

func entryFor(t *testing.T, tk Ticket) *entry {
	t.Helper()
	e := newEntry(tk)
	if err := e.makeKey(); err != nil {
		t.Fatal(err)
	}
	return e
}

func requestOf(t *testing.T, e *entry, c *conn) joinRequest {
	t.Helper()
	r, err := e.request(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// joinByHand sends a join request and nothing after it but a hello, and gives what the controller answers first.
func joinByHand(t *testing.T, ctl *Node, e *entry, request func(*conn) joinRequest) ([]byte, error) {
	t.Helper()
	q, err := socket(t).Dial(t.Context(), ctl.Addr(), tlsFor(&e.shown, alpnJoin), ctl.quicConfig())
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{q: q, quic: q}
	defer c.close(&CloseError{Code: CodeReplaced})
	if err := c.openLanes(); err != nil {
		t.Fatal(err)
	}
	l, id := ctl.limits, e.ticket.ID
	h := hello{Version: Version, Kind: linkHello, Least: Version, Most: Version, Proc: id.Proc, Epoch: id.Epoch, Nonce: 77, Opaque: []byte{},
		WindowFrames: uint32(l.WindowFrames), WindowBytes: uint64(l.WindowBytes), FrameBytes: uint64(l.FrameBytes)}
	if err := c.sendFrames(request(c), h); err != nil { // it was not read to its end
		return nil, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := c.acceptControl(ctx, l); err != nil {
		return nil, err
	}
	return c.control.one()
}

// refusedBlindly checks that who sends such a request learns nothing but that it is refused.
func refusedBlindly(t *testing.T, ctl *Node, e *entry, request func(*conn) joinRequest) {
	t.Helper()
	b, err := joinByHand(t, ctl, e, request)
	if why := closeError(err); why == nil || why.Code != CodeJoin || why.Reason != "" {
		t.Errorf("it was answered with %x, %v", b, err)
	}
}

// TestASessionsNameIsWhatTheRuleSays compares with the rule as a regular expression.
func TestASessionsNameIsWhatTheRuleSays(t *testing.T) {
	rule := regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	names := []string{"", "a", "0", "-", ".", "_", "a.", "a-b_c.d", "A", "aB", "a b", "a\n", "é", "aé", strings.Repeat("x", 63), strings.Repeat("x", 64)}
	for c := range 256 {
		names = append(names, string([]byte{byte(c)}), string([]byte{'a', byte(c)}), string([]byte{'a', byte(c), 'b'}))
	}
	for _, name := range names {
		if got, want := isSessionName(name), rule.MatchString(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

// TestACertificateFromTheControllerIsTheOneAskedFor: it names this process and this key, and is good now.
func TestACertificateFromTheControllerIsTheOneAskedFor(t *testing.T) {
	now := time.Now()
	ca, err := newAuthority("s", now)
	if err != nil {
		t.Fatal(err)
	}
	tk := Ticket{Session: "s", ID: ID{7, 2}}
	own, other := entryFor(t, tk), entryFor(t, tk)
	leaf := func(session string, id ID, e *entry) []byte {
		der, err := ca.issue(session, id, e.key.Public(), now)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	good := leaf("s", tk.ID, own)
	for _, c := range []struct {
		what string
		der  []byte
		now  time.Time
		want string
	}{
		{"good", good, now, ""},
		{"good, by a clock that is a little behind", good, now.Add(-clockSkew / 2), ""},
		{"too early", good, now.Add(-time.Hour), "is good from "},
		{"too late", good, now.Add(leafLife + time.Minute), "is good from "},
		{"of another key", leaf("s", tk.ID, other), now, "or another key"},
		{"of another epoch", leaf("s", ID{7, 1}, own), now, "is for proc 7"},
		{"of the controller", leaf("s", ID{Controller, 1}, own), now, "is for controller"},
		{"of another session", leaf("else", tk.ID, own), now, "is not a process of session"},
		{"of nobody", blankCertificate(own.pub), now, "names 0 identities"},
		{"noise", []byte("noise"), now, "is no certificate"},
	} {
		err := checkLeaf(tk, c.der, own.pub, c.now)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// TestABlankCertificateSaysNothingButItsKey: the other side reads it as any other.
func TestABlankCertificateSaysNothingButItsKey(t *testing.T) {
	e := entryFor(t, Ticket{ID: ID{7, 2}})
	cert, err := x509.ParseCertificate(e.shown.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(cert.RawSubjectPublicKeyInfo, e.pub) || len(cert.Signature) != 0 || len(cert.URIs) != 0 || len(cert.Subject.Names) != 0 {
		t.Errorf("it says more than its key, or another one: %+v", cert)
	}
	key, err := joinKey(tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}})
	if err != nil || !key.Equal(e.key.Public()) {
		t.Errorf("its key is read as %v: %v", key, err)
	}
}
