package quicnet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"math/big"
	"net"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// The numbers in the names of attacks count the cases of the threat model that these tests were written from; cases of one
// number are variants.

// rogue is a connection that speaks the protocol by hand.
type rogue struct {
	t   *testing.T
	q   *quic.Conn
	in  *frameReader
	out [lanes]*quic.SendStream
	id  ID
	seq [lanes]uint64
}

// socket is a transport of an attacker.
func socket(t testing.TB) *quic.Transport {
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	tr := &quic.Transport{Conn: pc}
	t.Cleanup(func() { _ = tr.Close(); _ = pc.Close() })
	return tr
}

// tlsFor is a client that shows leaf, if any, and trusts everybody.
func tlsFor(leaf *tls.Certificate, alpn ...string) *tls.Config {
	c := baseTLS(alpn...)
	c.InsecureSkipVerify = true
	if leaf != nil {
		c.Certificates = []tls.Certificate{*leaf}
	}
	return c
}

// use dials and waits for how the other side takes it.
func use(t *testing.T, at net.Addr, conf *tls.Config) error {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	q, err := socket(t).Dial(ctx, at, conf, &quic.Config{})
	if err != nil {
		return err
	}
	select {
	case <-q.Context().Done():
		return context.Cause(q.Context())
	case <-ctx.Done():
		return nil
	}
}

// leafWith makes a leaf of authority a after change has had its way with the template.
func leafWith(t *testing.T, a *authority, change func(*x509.Certificate), uris ...string) *tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{SerialNumber: big.NewInt(9), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	for _, s := range uris {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		tpl.URIs = append(tpl.URIs, u)
	}
	if change != nil {
		change(tpl)
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
}

// edLeaf is a certificate for a key of another kind, signed by itself.
func edLeaf(t *testing.T) *tls.Certificate {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	blank := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, blank, blank, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// chained shows two certificates.
func chained(c *tls.Certificate) *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{c.Certificate[0], c.Certificate[0]}, PrivateKey: c.PrivateKey}
}

// TestStrangersNeverGetAConnection holds INV-4 before a connection is up: nobody gets one without a certificate of the session.
func TestStrangersNeverGetAConnection(t *testing.T) { // cases 1-6, 13
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	evil, err := newAuthority("test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	good := "spiffe://test/proc/1/epoch/1"
	inner := leafWith(t, ctl.ca, nil, good)
	parsed, err := x509.ParseCertificate(inner.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	below := leafWith(t, &authority{cert: parsed, key: inner.PrivateKey.(*ecdsa.PrivateKey)}, nil, good)
	for name, c := range map[string]struct {
		conf *tls.Config
		want string
	}{
		"1 no certificate": {tlsFor(nil, alpnMesh), "certificate required"},
		"2 another CA":     {tlsFor(leafWith(t, evil, nil, good), alpnMesh), "certificate"},
		"3 expired": {tlsFor(leafWith(t, ctl.ca, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = c.NotBefore.Add(-48*time.Hour), c.NotBefore.Add(-time.Hour)
		}, good), alpnMesh), "certificate"},
		"3 not yet valid":        {tlsFor(leafWith(t, ctl.ca, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }, good), alpnMesh), "certificate"},
		"4 wrong protocol":       {tlsFor(inner, "h3"), "no application protocol"},
		"4 no protocol":          {tlsFor(inner), "no application protocol"},
		"5 a leaf signs a leaf":  {tlsFor(below, alpnMesh), "certificate"},
		"6 two names":            {tlsFor(leafWith(t, ctl.ca, nil, good, "spiffe://test/proc/0/epoch/1"), alpnMesh), "certificate"},
		"6 no name":              {tlsFor(leafWith(t, ctl.ca, nil), alpnMesh), "certificate"},
		"6 another session":      {tlsFor(leafWith(t, ctl.ca, nil, "spiffe://other/proc/1/epoch/1"), alpnMesh), "certificate"},
		"6 a name that is close": {tlsFor(leafWith(t, ctl.ca, nil, "spiffe://test/proc/01/epoch/1"), alpnMesh), "certificate"},
		"6 epoch 0":              {tlsFor(leafWith(t, ctl.ca, nil, "spiffe://test/proc/1/epoch/0"), alpnMesh), "certificate"},
		"6 server usage only":    {tlsFor(leafWith(t, ctl.ca, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }, good), alpnMesh), "certificate"},
		"13 both protocols":      {tlsFor(nil, alpnJoin, alpnMesh), "certificate required"},
		"13 joins without a key": {tlsFor(nil, alpnJoin), "certificate required"},
		"13 joins by Ed25519":    {tlsFor(edLeaf(t), alpnJoin), "bad certificate"},
		"13 joins with a chain":  {tlsFor(chained(below), alpnJoin), "bad certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			err := use(t, ctl.Addr(), c.conf)
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "_", " "), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	if len(ctl.Peers()) != 0 || len(rec.told()) != 0 {
		t.Errorf("peers %v, events %v", ctl.Peers(), rec.told())
	}
}

func TestAWorkerCannotPassForTheController(t *testing.T) { // cases 7, 8
	ctl := newSession(t, Config{Handler: newRecorder()})
	ticket, err := ctl.Ticket(ID{2, 1}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for name, cert := range map[string]*tls.Certificate{
		"7 a worker's certificate": leafWith(t, ctl.ca, nil, "spiffe://test/proc/1/epoch/1"),
		"8 another CA": func() *tls.Certificate {
			evil, err := newAuthority("test", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return leafWith(t, evil, nil, "spiffe://test/proc/0/epoch/1")
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			conf := baseTLS(alpnMesh, alpnJoin)
			conf.Certificates = []tls.Certificate{*cert}
			ln, err := socket(t).Listen(conf, &quic.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			got := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				q, err := ln.Accept(ctx)
				if err == nil {
					_, err = q.AcceptUniStream(ctx)
				}
				got <- err
			}()
			fake := ticket
			fake.Addrs = []string{ln.Addr().String()}
			_, _, err = Join(t.Context(), fake, Config{Handler: newRecorder()})
			if !errors.Is(err, errPin) && (err == nil || !strings.Contains(err.Error(), errPin.Error())) {
				t.Errorf("join: %v", err)
			}
			if err := <-got; err == nil {
				t.Error("the proof left for a stranger")
			}
		})
	}
}

// newRogue dials as a worker with a good certificate and says hello.
func newRogue(t *testing.T, ctl *Node, id ID) *rogue {
	t.Helper()
	r, err := dialRogue(t, ctl, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func dialRogue(t *testing.T, ctl *Node, id ID) (*rogue, error) { return dialRogueFrom(t, ctl, id, nil) }

// dialRogueFrom says in Hello that the rogue is in that place.
func dialRogueFrom(t *testing.T, ctl *Node, id ID, place []byte) (*rogue, error) {
	leaf, err := ctl.ca.newLeaf("test", id, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	q, err := socket(t).Dial(t.Context(), ctl.Addr(), tlsFor(leaf, alpnMesh), ctl.quicConfig())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = q.CloseWithError(0, "") })
	r := &rogue{t: t, q: q, id: id}
	for lane := range lanes {
		if r.out[lane], err = q.OpenUniStream(); err != nil {
			return nil, err
		}
	}
	l := ctl.limits
	r.cbor(LaneControl, hello{Version: Version, Kind: linkHello, Least: Version, Most: Version, Proc: id.Proc, Epoch: id.Epoch, Nonce: 77,
		WindowFrames: uint32(l.WindowFrames), WindowBytes: uint64(l.WindowBytes), FrameBytes: uint64(l.FrameBytes), Place: place})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	s, err := q.AcceptUniStream(ctx)
	if err != nil {
		return nil, err
	}
	r.in = newFrameReader(s, 1<<20)
	b, err := r.in.one()
	if err != nil {
		return nil, err
	}
	var w welcome
	if err := StrictDec().Unmarshal(b, &w); err != nil {
		t.Fatal(err)
	}
	r.write(LaneControl, appendCounter(nil, linkReady, 0))
	return r, nil
}

func (r *rogue) write(lane Lane, b []byte) {
	if _, err := r.out[lane].Write(b); err != nil && r.q.Context().Err() == nil {
		r.t.Fatal(err)
	}
}

func framed(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

func (r *rogue) cbor(lane Lane, v any) {
	b, err := Enc().Marshal(v)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(lane, framed(b))
}

// env is a good envelope of the rogue to the controller.
func (r *rogue) env(lane Lane, change func(*Envelope)) []byte {
	r.seq[lane]++
	e := call(r.id.Proc, 0, r.seq[lane], []byte{1})
	e.Epoch, e.Seq = r.id.Epoch, r.seq[lane]
	if change != nil {
		change(e)
	}
	return framed(AppendEnvelope(nil, e))
}

// ends waits for the controller to close the connection.
func (r *rogue) ends(limit time.Duration) *CloseError {
	r.t.Helper()
	select {
	case <-r.q.Context().Done():
		why := closeError(context.Cause(r.q.Context()))
		if why == nil {
			r.t.Fatalf("ended with %v", context.Cause(r.q.Context()))
		}
		return why
	case <-time.After(limit):
		r.t.Fatal("the connection stayed open")
		return nil
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestABadFrameClosesItsLinkAndNothingElse holds INV-4: a frame in another name, or a broken one, is not delivered, ends its
// link with a reason, and nothing else.
func TestABadFrameClosesItsLinkAndNothingElse(t *testing.T) { // cases 14, 17, 18, and the rest of the protocol
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	honest := join(t, ctl, ID{99, 1}, Config{Handler: newRecorder()})
	raw := func(b ...byte) func(*rogue) { return func(r *rogue) { r.write(LaneCalls, framed(b)) } }
	change := func(lane Lane, f func(*Envelope)) func(*rogue) {
		return func(r *rogue) { r.write(lane, r.env(lane, f)) }
	}
	prefix := func(tail ...byte) []byte {
		e := call(0, 0, 1, nil)
		b := AppendEnvelope(nil, e)
		return append(b[:len(b)-1], tail...) // without the body
	}
	cases := []struct {
		name string
		do   func(*rogue)
		code Code
		text string
	}{
		{"14 in the controller's name", change(LaneCalls, func(e *Envelope) { e.From.Proc = 0 }), CodeIdentity, "in the name of controller"},
		{"14 in another worker's name", change(LaneCalls, func(e *Envelope) { e.From.Proc = 99 }), CodeIdentity, "in the name of proc 99"},
		{"14 for another process", change(LaneCalls, func(e *Envelope) { e.To.Proc = 99 }), CodeIdentity, "for proc 99"},
		{"16 of another epoch", change(LaneCalls, func(e *Envelope) { e.Epoch = 9 }), CodeStaleEpoch, "epoch 9"},
		{"17 length of 4 GiB", func(r *rogue) { r.write(LaneCalls, []byte{255, 255, 255, 255}) }, CodeFrame, "4294967295 bytes"},
		{"17 a byte too long", func(r *rogue) { r.write(LaneCalls, binary.BigEndian.AppendUint32(nil, 128<<10+1)) }, CodeFrame, "131073 bytes, at most 131072"},
		{"17 too long for control", func(r *rogue) { r.write(LaneControl, binary.BigEndian.AppendUint32(nil, 64<<10+1)) }, CodeFrame, "at most 65536"},
		{"17 empty", func(r *rogue) { r.write(LaneCalls, make([]byte, 4)) }, CodeFrame, "empty"},
		{"17 body over the limit", func(r *rogue) {
			s, _ := r.q.OpenUniStream()
			_, _ = s.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1})
		}, CodeFrame, "16777217 bytes"},
		{"18 array of 2^63", raw(0x9b, 0x80, 0, 0, 0, 0, 0, 0, 0), CodeFrame, "fields"},
		{"18 nested a thousand times", raw(bytes.Repeat([]byte{0x81}, 1000)...), CodeFrame, "fields"},
		{"18 indefinite", raw(0x9f, 1, 1), CodeFrame, "indefinite"},
		{"18 tags", raw(0xc1, 0xc1, 0xc1), CodeFrame, "major type 6"},
		{"18 map", raw(0xa2, 1, 1, 1, 1), CodeFrame, "major type 5"},
		{"18 bytes follow", func(r *rogue) { r.write(LaneCalls, framed(append(r.env(LaneCalls, nil)[4:], 0))) }, CodeFrame, "follow"},
		{"18 bad UTF-8", change(LaneCalls, func(e *Envelope) { e.Endpoint = "\xff" }), CodeFrame, "UTF-8"},
		{"18 a body that is cut", raw(prefix(0x5a, 0, 1, 0, 0)...), CodeFrame, "announced"},
		{"18 chain of 2^32", change(LaneCalls, nil), 0, ""},
		{"a gap", change(LaneCalls, func(e *Envelope) { e.Seq = 7 }), CodeProtocol, "came after 0"},
		{"an acknowledgement of nothing", change(LaneCalls, func(e *Envelope) { e.Ack = 7 }), CodeProtocol, "never sent"},
		{"a link acknowledgement of nothing", func(r *rogue) { r.write(LaneCalls, appendCounter(nil, linkAck, 9)) }, CodeProtocol, "never sent"},
		{"a second hello", func(r *rogue) { r.cbor(LaneControl, hello{Version: Version, Kind: linkHello}) }, CodeProtocol, "out of place"},
		{"a heartbeat on the calls lane", func(r *rogue) { r.write(LaneCalls, appendCounter(nil, linkHeartbeat, 1)) }, CodeProtocol, "calls lane"},
		{"an unknown link frame", func(r *rogue) { r.write(LaneControl, appendCounter(nil, 200, 1)) }, CodeProtocol, "200"},
		{"an unknown kind", change(LaneCalls, func(e *Envelope) { e.Kind = 20 }), CodeFrame, "unknown kind 20"},
		{"a certificate that was not asked for", func(r *rogue) { r.cbor(LaneControl, bytesFrame{Version: Version, Kind: linkCertificate}) }, CodeProtocol, "not asked for"},
		{"renewal of nonsense", func(r *rogue) { r.cbor(LaneControl, bytesFrame{Version: Version, Kind: linkRenew, Bytes: []byte{1}}) }, CodeFrame, "renewal"},
		{"a lane that ends", func(r *rogue) { _ = r.out[LaneCalls].Close() }, CodeProtocol, "ended"},
		{"a body for no frame", func(r *rogue) {
			s, _ := r.q.OpenUniStream()
			_, _ = s.Write([]byte{1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1})
		}, CodeLimit, "for frame"},
	}
	for i, c := range cases {
		if c.code == 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			before := heap()
			r := newRogue(t, ctl, ID{uint64(i + 1), 1})
			c.do(r)
			why := r.ends(5 * time.Second)
			if why.Code != c.code || !strings.Contains(why.Reason, c.text) {
				t.Errorf("closed with %v %q, want %v %q", why.Code, why.Reason, c.code, c.text)
			}
			rec.until(t, 5*time.Second, "closed", func() bool { return rec.saw(r.id.Proc, LinkClosed) })
			if grown := heap() - before; grown > 2<<20 {
				t.Errorf("the heap grew by %d", grown)
			}
			if _, err := dialRogue(t, ctl, r.id); err == nil {
				t.Error("it may come back")
			}
		})
	}
	for _, f := range rec.frames {
		t.Errorf("delivered: %+v", f.env)
	}
	if err := honest.Send(t.Context(), 0, LaneCalls, call(99, 0, 1, nil)); err != nil {
		t.Fatal(err)
	}
	rec.until(t, 5*time.Second, "the honest worker", func() bool { return len(rec.frames) == 1 })
}

func TestAnOldIncarnationIsToldToEnd(t *testing.T) { // cases 16
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	old := newRogue(t, ctl, ID{1, 1})
	newRogue(t, ctl, ID{1, 2})
	if why := old.ends(5 * time.Second); why.Code != CodeStaleEpoch {
		t.Errorf("the old one was closed with %v", why)
	}
	_, err := dialRogue(t, ctl, ID{1, 1})
	if why := closeError(err); why == nil || why.Code != CodeStaleEpoch {
		t.Errorf("it came back: %v", err)
	}
	ctl.Revoke(ID{1, 2})
	_, err = dialRogue(t, ctl, ID{1, 2})
	if why := closeError(err); why == nil || why.Code != CodeStaleEpoch && why.Code != CodeGone {
		t.Errorf("a revoked one came back: %v", err)
	}
	if rec.count() != 0 {
		t.Error("frames were delivered")
	}
}

// publicKey returns the PKIX form of a leaf's key.
func publicKey(leaf *tls.Certificate) ([]byte, error) {
	c, err := x509.ParseCertificate(leaf.Certificate[0])
	if err != nil {
		return nil, err
	}
	return c.RawSubjectPublicKeyInfo, nil
}
