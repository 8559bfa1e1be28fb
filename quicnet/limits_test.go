package quicnet

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func TestWhatIsBegunMustEnd(t *testing.T) { // cases 20, 21
	short := Limits{FrameDeadline: 500 * time.Millisecond}
	quick := Timing{Tick: 50 * time.Millisecond}
	t.Run("20 a dribbled frame", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder(), Limits: short, Timing: quick})
		r := newRogue(t, ctl, ID{1, 1})
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			b := r.env(LaneCalls, nil)
			for _, c := range b {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
					_, _ = r.out[LaneCalls].Write([]byte{c})
				}
			}
		}()
		if why := r.ends(5 * time.Second); why.Code != CodeSlow {
			t.Errorf("%v", why)
		}
	})
	t.Run("20 a dribbled body", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder(), Limits: short, Timing: quick})
		r := newRogue(t, ctl, ID{1, 1})
		s, _ := r.q.OpenUniStream()
		_, _ = s.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0})
		go func() {
			for r.q.Context().Err() == nil {
				_, _ = s.Write([]byte{0})
				time.Sleep(50 * time.Millisecond)
			}
		}()
		if why := r.ends(5 * time.Second); why.Code != CodeSlow {
			t.Errorf("%v", why)
		}
	})
	t.Run("21 streams that never say anything", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder(), Limits: short, Timing: quick})
		r := newRogue(t, ctl, ID{1, 1})
		before := runtime.NumGoroutine()
		opened := 0
		for range 1000 {
			s, err := r.q.OpenUniStream()
			if err != nil {
				break
			}
			_, _ = s.Write([]byte{1})
			opened++
		}
		if opened > 16 {
			t.Errorf("%d streams", opened)
		}
		if grown := runtime.NumGoroutine() - before; grown > 64 {
			t.Errorf("%d goroutines", grown)
		}
		if why := r.ends(5 * time.Second); why.Code != CodeSlow {
			t.Errorf("%v", why)
		}
	})
	t.Run("a connection that never says hello", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder(), Limits: Limits{HelloDeadline: 300 * time.Millisecond}})
		leaf, _ := ctl.ca.newLeaf("test", ID{1, 1}, time.Now())
		for _, conf := range []*tls.Config{tlsFor(leaf, alpnMesh), tlsFor(&entryFor(t, Ticket{}).shown, alpnJoin)} {
			if err := use(t, ctl.Addr(), conf); closeError(err) == nil {
				t.Errorf("%v", err)
			}
		}
		nobodyWaits(t, ctl)
	})
}

func TestJunkCostsLittleAndAnHonestWorkerJoinsAfterIt(t *testing.T) { // cases 23
	ctl := newSession(t, Config{Handler: newRecorder()})
	before := heap()
	u, err := net.Dial("udp", ctl.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	p := make([]byte, 1200)
	for i := range 20000 {
		_, _ = rand.Read(p)
		switch i % 3 {
		case 0: // an Initial with a random connection id
			p[0] = 0xc3
			copy(p[1:], []byte{0, 0, 0, 1, 8})
			p[14], p[23], p[24], p[25] = 8, 0, 0x44, 0x94
		case 1: // an unknown version
			p[0] = 0xc3
			copy(p[1:], []byte{0xba, 0xba, 0xba, 0xba, 8})
			p[14] = 8
		}
		_, _ = u.Write(p)
	}
	start := time.Now()
	join(t, ctl, ID{1, 1}, Config{Handler: newRecorder()})
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("an honest join took %v", took)
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the heap grew by %d", grown)
	}
}

func TestThereIsNoZeroRTT(t *testing.T) { // cases 25
	ctl := newSession(t, Config{Handler: newRecorder()})
	leaf, _ := ctl.ca.newLeaf("test", ID{1, 1}, time.Now())
	conf := tlsFor(leaf, alpnMesh)
	conf.SessionTicketsDisabled = false
	conf.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	tr := socket(t)
	for range 2 {
		q, err := tr.DialEarly(t.Context(), ctl.Addr(), conf, &quic.Config{Allow0RTT: true})
		if err != nil {
			t.Fatal(err)
		}
		<-q.HandshakeComplete()
		if st := q.ConnectionState(); st.Used0RTT || st.TLS.DidResume {
			t.Error("a session was resumed")
		}
		_ = q.CloseWithError(0, "")
	}
}

func TestWhoIsRefusedReadsWhy(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec, Admit: func(ID, []byte) ([]byte, error) {
		return nil, errors.New("built from another source (build id abc, want def)")
	}})
	ticket, _ := ctl.Ticket(ID{1, 1}, time.Minute)
	_, _, err := Join(t.Context(), ticket, Config{Handler: newRecorder()})
	if err == nil || !strings.Contains(err.Error(), "build id abc, want def") {
		t.Errorf("%v", err)
	}
	rec.until(t, 5*time.Second, "refusal", func() bool { return rec.saw(1, LinkRefused) })
}

// TestAPeerCannotMakeALaneHoldMoreThanItsWindow holds INV-6: bodies that are announced, and bodies that come before their
// headers, count for the window before any room is made for them.
func TestAPeerCannotMakeALaneHoldMoreThanItsWindow(t *testing.T) {
	limits := Limits{FrameBytes: 1 << 20, WindowBytes: 2 << 20}
	t.Run("announced", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder(), Limits: limits})
		r := newRogue(t, ctl, ID{1, 1})
		for range 2 {
			r.seq[LaneCalls]++
			b := appendPrefix(nil, KindCall, r.id.Epoch, r.seq[LaneCalls], 0)
			b = appendFields(b, call(r.id.Proc, 0, 1, nil))
			r.write(LaneCalls, framed(appendUint(b, 1<<20)))
		}
		if why := r.ends(5 * time.Second); why.Code != CodeLimit || !strings.Contains(why.Reason, "bytes in flight") {
			t.Errorf("%v", why)
		}
	})
	t.Run("early", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder(), Limits: limits})
		r := newRogue(t, ctl, ID{1, 1})
		for seq := range byte(2) {
			s, err := r.q.OpenUniStream()
			if err != nil {
				t.Fatal(err)
			}
			_, _ = s.Write([]byte{byte(LaneCalls), 0, 0, 0, 0, 0, 0, 0, seq + 1, 0, 0x10, 0, 0}) // 1 MiB
		}
		if why := r.ends(5 * time.Second); why.Code != CodeLimit || !strings.Contains(why.Reason, "bytes held") {
			t.Errorf("%v", why)
		}
	})
}

// TestTicketsPrintWithoutTheirSecret holds INV-8.
func TestTicketsPrintWithoutTheirSecret(t *testing.T) { // cases 34 in part
	ctl := newSession(t, Config{Handler: newRecorder()})
	ticket, err := ctl.Ticket(ID{1, 1}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	plain := ticket.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, ticket); got != plain {
			t.Errorf("%s prints %s", verb, got)
		}
		if got := fmt.Sprintf(verb, &ticket); got != plain {
			t.Errorf("%s of a pointer prints %s", verb, got)
		}
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "ticket", ticket)
	if !strings.Contains(logged.String(), "secret redacted") {
		t.Errorf("a log line prints %s", &logged)
	}
	if b, err := json.Marshal(ticket); err == nil {
		t.Errorf("JSON takes it: %s", b)
	}
	b, err := ticket.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back Ticket
	if err := back.UnmarshalBinary(b); err != nil || back.secret != ticket.secret || back.pin != ticket.pin || !back.Expires.Equal(ticket.Expires) {
		t.Errorf("%v %v", err, back)
	}
	old, err := Enc().Marshal(ticketWire{Version: ticketVersion - 1, Addrs: ticket.Addrs, Session: "test", Proc: 1, Epoch: 1, Secret: make([]byte, secretSize), Pin: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	if err := back.UnmarshalBinary(old); err == nil || err.Error() != "join ticket: version 2, this program speaks 3" {
		t.Errorf("a ticket of a program that joins in another way: %v", err)
	}
	for i := range b {
		_ = back.UnmarshalBinary(b[:i]) // no panic
	}
	key, err := ctl.ca.key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ctl.ca.newLeaf("test", ID{1, 1}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, sent := range append(leaf.Certificate, b) {
		if bytes.Contains(sent, key) {
			t.Error("the CA's key goes to another process")
		}
	}
}

func TestProgramsWithoutACommonVersionSayWhich(t *testing.T) { // cases 35
	ctl := newSession(t, Config{Handler: newRecorder()})
	leaf, err := ctl.ca.newLeaf("test", ID{1, 1}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for want, hello := range map[string][]any{
		"speaks versions 7 to 8, this one speaks 6": {8, linkHello, 7, 8, "a form", "of the future"},
		"speaks versions 1 to 1, this one speaks 6": {1, linkHello, 1, 1, 1, 1, 0, 77, 0, []uint64{0, 0}, 4096, 64 << 20, 64 << 20, []byte{}},
	} {
		q, err := socket(t).Dial(t.Context(), ctl.Addr(), tlsFor(leaf, alpnMesh), ctl.quicConfig())
		if err != nil {
			t.Fatal(err)
		}
		s, err := q.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		b, _ := Enc().Marshal(hello)
		_, _ = s.Write(framed(b))
		<-q.Context().Done()
		if why := closeError(context.Cause(q.Context())); why == nil || why.Code != CodeVersion || !strings.Contains(why.Reason, want) {
			t.Errorf("%v, want %q", why, want)
		}
	}
	if len(ctl.Peers()) != 0 {
		t.Error("one joined in part")
	}
}

// nobodyWaits waits until every connection has said hello or is no longer counted as unidentified: quic-go
// tells of an end on a goroutine of its own.
func nobodyWaits(t *testing.T, ctl *Node) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); ctl.admission.pending.Load() != 0; runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("%d connections still count as unknown", ctl.admission.pending.Load())
		}
	}
}
