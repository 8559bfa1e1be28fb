package quicnet

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// socketsFor makes the sockets for a process, as that has them after it has inherited them.
func socketsFor(t *testing.T, ctl *Node, id ID) []*os.File {
	t.Helper()
	theirs, err := ctl.Sockets(id)
	if err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	for _, f := range theirs {
		fd, err := syscall.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		_ = syscall.SetNonblock(fd, true)
		n := os.NewFile(uintptr(fd), "socket")
		t.Cleanup(func() { _ = n.Close() })
		files = append(files, n)
	}
	return files
}

// newInherited is newNear with a link that begins by sockets.
func newInherited(t *testing.T, change func(proc int, c *Config)) *near {
	t.Helper()
	return nearBy(t, change, func(ctl *Node, c *Config) { c.Sockets = socketsFor(t, ctl, ID{1, 1}) })
}

// joinInherited adds a worker whose link begins by sockets.
func joinInherited(t *testing.T, ctl *Node, id ID) (*Node, error) {
	t.Helper()
	ticket, err := ctl.Ticket(id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := Join(t.Context(), ticket, Config{Handler: newRecorder(), Sockets: socketsFor(t, ctl, id)})
	if err == nil {
		t.Cleanup(func() { _ = w.Close("") })
	}
	return w, err
}

// states are the states of a link that a flow was told, in order.
func states(f *flow) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, e := range f.ends {
		all = append(all, e.State.String())
	}
	return strings.Join(all, ", ")
}

func TestALinkBeginsBySocketsAndGoesOnByQUIC(t *testing.T) {
	var hellos []string
	n := newInherited(t, func(proc int, c *Config) {
		if proc == 1 {
			c.Hello = func(way string) []byte { return []byte(way) }
		} else {
			c.Admit = func(_ ID, b []byte) ([]byte, error) {
				hellos = append(hellos, string(b))
				return nil, nil
			}
		}
	})
	ctl := n.nodes[0]
	n.flows[0].until(t, "the link", func() bool { return len(n.flows[0].ends) == 1 })
	if at := ctl.PeerAddr(1); at != nil {
		t.Errorf("it has an address, %s, before it has a socket", at)
	}
	if at := n.nodes[1].Addr(); at != nil {
		t.Errorf("it has opened %s", at)
	}
	up, down := &sender{n: n, from: 1, pair: pair{1, 2}}, &sender{n: n, from: 0, pair: pair{3, 4}}
	up.send(5)
	down.send(5)
	n.flows[0].until(t, "5 frames", func() bool { return n.flows[0].next[up.pair] == 5 })
	if got := ctl.Peers()[0]; got.PacketsSent != 0 || got.BytesSent == 0 || got.BytesReceived == 0 {
		t.Errorf("%+v: that went by sockets", got)
	}
	n.flows[0].until(t, "QUIC", func() bool { return len(n.flows[0].ends) == 2 }) // by itself
	if ctl.PeerAddr(1) == nil || ctl.Peers()[0].PacketsSent == 0 {
		t.Error("it is said to have moved, and has no address")
	}
	var sending sync.WaitGroup
	for _, s := range []*sender{up, down} {
		sending.Go(func() { s.send(1000) }) // with large bodies, and enough for memory
	}
	sending.Wait()
	n.flows[0].until(t, "frames from the worker", func() bool { return n.flows[0].next[up.pair] == up.sent })
	n.flows[1].until(t, "frames from the controller", func() bool { return n.flows[1].next[down.pair] == down.sent })
	if got := states(n.flows[0]); got != "up, connected by QUIC" {
		t.Errorf("the controller was told: %s", got)
	}
	if got := states(n.flows[1]); got != "up" {
		t.Errorf("the worker was told: %s", got)
	}
	if len(hellos) != 2 || hellos[0] != "" || hellos[1] == "" {
		t.Errorf("it has said of itself: %q; want nothing, then its way", hellos)
	}
}

func TestWhatIsOnItsWayWhenQUICTakesOverComesOnce(t *testing.T) {
	for round := range 10 {
		n := newInherited(t, nil)
		up, down := &sender{n: n, from: 1, pair: pair{1, 2}}, &sender{n: n, from: 0, pair: pair{3, 4}}
		var sending sync.WaitGroup
		for _, s := range []*sender{up, down} {
			sending.Go(func() { s.send(300 + 50*round) }) // the 16th, or the first large body, is worth the certificate
		}
		sending.Wait()
		n.flows[0].until(t, "frames from the worker", func() bool { return n.flows[0].next[up.pair] == up.sent })
		n.flows[1].until(t, "frames from the controller", func() bool { return n.flows[1].next[down.pair] == down.sent })
	}
}

func TestWhatNeedsAnAddressHasAWorkerConnectByQUIC(t *testing.T) {
	n := newInherited(t, nil)
	at, err := n.nodes[0].Reach(t.Context(), 1)
	if err != nil || at == nil || at.String() != n.nodes[1].Addr().String() {
		t.Fatalf("%v, %v; it has %v", at, err, n.nodes[1].Addr())
	}
	if again, err := n.nodes[0].Reach(t.Context(), 1); err != nil || again.String() != at.String() {
		t.Errorf("%v, %v the second time", again, err)
	}
	if at, err := n.nodes[0].Reach(t.Context(), 9); at != nil || err != nil {
		t.Errorf("somebody who is not there is at %v, %v", at, err)
	}

	still := socketsFor(t, n.nodes[0], ID{2, 1}) // who says hello and does not connect
	greetBy(t, n.nodes[0], still, ID{2, 1})
	n.flows[0].until(t, "both links", func() bool { return len(n.flows[0].ends) == 3 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if at, err := n.nodes[0].Reach(ctx, 2); at != nil || err == nil {
		t.Errorf("who does not connect is at %v, %v", at, err)
	}
}

// greetBy says hello by sockets and reads the welcome.
func greetBy(t *testing.T, ctl *Node, files []*os.File, id ID) *frameReader {
	t.Helper()
	l := ctl.limits
	writeFrame(t, files[LaneControl], hello{Version: Version, Kind: linkHello, Least: Version, Most: Version, Proc: id.Proc, Epoch: id.Epoch, Nonce: 77,
		WindowFrames: uint32(l.WindowFrames), WindowBytes: uint64(l.WindowBytes), FrameBytes: uint64(l.FrameBytes), Place: []byte{}, Opaque: []byte{}})
	in := newFrameReader(files[LaneControl], 1<<20)
	_ = files[LaneControl].SetReadDeadline(time.Now().Add(10 * time.Second))
	if b, err := in.one(); err != nil || frameKind(b) != linkWelcome {
		t.Fatalf("frame %d, %v; want a welcome", frameKind(b), err)
	}
	if _, err := files[LaneControl].Write(appendCounter(nil, linkReady, 0)); err != nil {
		t.Fatal(err)
	}
	return in
}

func writeFrame(t *testing.T, f *os.File, v any) {
	t.Helper()
	b, err := Enc().Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(framed(b)); err != nil {
		t.Fatal(err)
	}
}

// TestSocketsThatAreFullLoseNothing has a worker that reads late: what does not fit waits, on its lane only, and no batch is torn.
func TestSocketsThatAreFullLoseNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctl := newSession(t, Config{Handler: newRecorder(), Timing: Timing{Suspect: time.Hour, Unreachable: time.Hour, Lost: time.Hour}})
	defer ctl.Close("")
	files := socketsFor(t, ctl, ID{1, 1})
	control := greetBy(t, ctl, files, ID{1, 1})
	const frames = 1000
	for i := range uint64(frames) {
		e := call(0, 1, i+1, make([]byte, 1000))
		binary.BigEndian.PutUint64(e.Body, i)
		if err := ctl.Send(t.Context(), 1, LaneCalls, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := ctl.Send(t.Context(), 1, LaneControl, call(0, 1, 1, []byte{1})); err != nil {
		t.Fatal(err)
	}
	for kind := uint8(0); kind != uint8(KindCall); { // it overtakes a megabyte
		b, err := control.one()
		if err != nil {
			t.Fatal(err)
		}
		kind = frameKind(b)
	}
	var routes inRoutes
	in := newFrameReader(files[LaneCalls], 1<<20)
	for i := uint64(0); i < frames; {
		b, err := in.one()
		if err != nil {
			t.Fatal(err)
		}
		if frameKind(b) == linkRoute {
			if err := routes.declare(b); err != nil {
				t.Fatal(err)
			}
			continue
		}
		e := NewEnvelope()
		if frameKind(b) >= routedCall {
			err = routes.decode(b, frameKind(b), e, ID{0, 1}, 1)
		} else if _, err = decodeEnvelope(b, e); err == nil {
			routes.whole(e)
		}
		if err != nil || binary.BigEndian.Uint64(e.Body) != i {
			t.Fatalf("frame %d: %v, it says %d", i, err, binary.BigEndian.Uint64(e.Body))
		}
		i++
	}
}

func TestAWorkerWhoseSocketsBreakGoesOnByQUIC(t *testing.T) {
	n := newInherited(t, nil)
	n.flows[0].until(t, "the link", func() bool { return len(n.flows[0].ends) == 1 })
	v, _ := n.nodes[1].fast.Load(Controller)
	p := v.(*peer)
	p.mu.Lock()
	c := p.conn
	p.mu.Unlock()
	for _, l := range []*laneSocket{&c.sockets.lanes[LaneCalls], &c.sockets.lanes[LaneControl]} { // no word of it to anybody
		if err := l.raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) }); err != nil {
			t.Fatal(err)
		}
	}
	up := &sender{n: n, from: 1, pair: pair{1, 2}}
	up.send(99)
	n.flows[0].until(t, "99 frames", func() bool { return n.flows[0].next[up.pair] == 99 })
}

func TestATicketOfWhoHasJoinedBySocketsDoesNotExpire(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	_, err := joinInherited(t, ctl, ID{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	ctl.issuer.mu.Lock()
	ctl.issuer.issued[ID{1, 1}].expires = time.Now().Add(-time.Hour) // it stood still for an hour
	ctl.issuer.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if at, err := ctl.Reach(ctx, 1); at == nil {
		t.Fatal(err)
	}
}

func TestWhoIsRefusedBySocketsIsToldWhy(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec, Admit: func(ID, []byte) ([]byte, error) { return nil, fmt.Errorf("of another build") }})
	if _, err := joinInherited(t, ctl, ID{1, 1}); err == nil || !strings.Contains(err.Error(), "of another build") {
		t.Errorf("%v", err)
	}
	rec.until(t, 10*time.Second, "the refusal", func() bool { return rec.saw(1, LinkRefused) })
}

func TestSocketsThatNobodyUsesEndWithTheirProcess(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctl := newSession(t, Config{Handler: newRecorder()})
	files := socketsFor(t, ctl, ID{1, 1})
	w := join(t, ctl, ID{1, 1}, Config{Handler: newRecorder()}) // a build that does not know of them
	for _, f := range files {
		_ = f.Close()
	}
	waiting := socketsFor(t, ctl, ID{2, 1}) // and one that has not begun when the session ends
	_ = w.Close("")
	_ = ctl.Close("")
	for _, f := range waiting {
		_ = f.Close()
	}
}

func TestHostileSocketsAreClosed(t *testing.T) {
	id := ID{1, 1}
	good := func(l Limits) hello {
		return hello{Version: Version, Kind: linkHello, Least: Version, Most: Version, Proc: 1, Epoch: 1, Nonce: 77,
			WindowFrames: uint32(l.WindowFrames), WindowBytes: uint64(l.WindowBytes), FrameBytes: uint64(l.FrameBytes), Place: []byte{}, Opaque: []byte{}}
	}
	raw := func(b []byte) func(*testing.T, *Node, []*os.File) {
		return func(t *testing.T, _ *Node, files []*os.File) {
			if _, err := files[LaneControl].Write(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	as := func(change func(*hello)) func(*testing.T, *Node, []*os.File) {
		return func(t *testing.T, ctl *Node, files []*os.File) {
			h := good(ctl.limits)
			change(&h)
			writeFrame(t, files[LaneControl], h)
		}
	}
	after := func(lane Lane, b []byte) func(*testing.T, *Node, []*os.File) {
		return func(t *testing.T, ctl *Node, files []*os.File) {
			greetBy(t, ctl, files, id)
			if _, err := files[lane].Write(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	must := func(v any) []byte {
		b, err := Enc().Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return framed(b)
	}
	stranger := call(9, 0, 1, []byte{1})
	stranger.Epoch, stranger.Seq = 1, 1
	for name, c := range map[string]struct {
		do   func(*testing.T, *Node, []*os.File)
		want string
	}{
		"no frame":               {raw([]byte("GET / HTTP/1.1\r\n\r\n")), "at most"},
		"another frame":          {raw(appendCounter(nil, linkReady, 0)), "want 32 first"},
		"another process":        {as(func(h *hello) { h.Proc = 2 }), "says it is"},
		"another epoch":          {as(func(h *hello) { h.Epoch = 2 }), "says it is"},
		"another version":        {as(func(h *hello) { h.Least, h.Most = 99, 99 }), "speaks versions"},
		"no nonce":               {as(func(h *hello) { h.Nonce = 0 }), "nonce"},
		"a link that is not one": {as(func(h *hello) { h.Peer = 5 }), "no longer knows"},
		"windows of nothing":     {as(func(h *hello) { h.WindowFrames = 0 }), "cannot work"},
		"asks to be dialled":     {after(LaneControl, appendCounter(nil, linkDial, 0)), "nobody is to do"},
		"a close that is none":   {after(LaneControl, framed([]byte{0x82, Version, 0x18, linkClose})), "close"},
		"a strange name":         {after(LaneCalls, framed(AppendEnvelope(nil, stranger))), "in the name of"},
		"an offer of memory":     {after(LaneControl, must(bytesFrame{Version: Version, Kind: linkMemory, Bytes: []byte{1}})), "offer of memory"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := newRecorder()
			ctl := newSession(t, Config{Handler: rec})
			files := socketsFor(t, ctl, id)
			c.do(t, ctl, files)
			rec.until(t, 10*time.Second, "the end", func() bool { return rec.saw(1, LinkRefused) || rec.saw(1, LinkClosed) })
			rec.mu.Lock()
			defer rec.mu.Unlock()
			if last := rec.events[len(rec.events)-1]; !strings.Contains(last.Reason, c.want) {
				t.Errorf("%s: %q; want … %s …", last.State, last.Reason, c.want)
			}
		})
	}
}
