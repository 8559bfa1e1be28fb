package quicnet

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/fault"
	"github.com/monarch-tui/monarch-tui/quicnet/shm"
)

// connOf is the connection of a node to a process, once there is one.
func connOf(t *testing.T, n *Node, proc uint64) *conn {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); time.Sleep(time.Millisecond) {
		if v, ok := n.fast.Load(proc); ok {
			p := v.(*peer)
			p.mu.Lock()
			c := p.conn
			p.mu.Unlock()
			if c != nil {
				return c
			}
		}
	}
	t.Fatal("no connection")
	return nil
}

// offers makes a stream and offers it.
func (r *rogue) offers(stream uint8, edit func(o *shm.Offer)) *shm.Writer {
	r.t.Helper()
	w, o, err := shm.New(memoryCalls)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = w.Close() })
	if edit != nil {
		edit(&o)
	}
	b, err := Enc().Marshal(memoryOffer{Stream: stream, Offer: o})
	if err != nil {
		r.t.Fatal(err)
	}
	r.cbor(LaneControl, bytesFrame{Version: Version, Kind: linkMemory, Bytes: b})
	return w
}

// turns has the rogue's calls lane go on in memory.
func (r *rogue) turns() *shm.Writer {
	r.t.Helper()
	w := r.offers(streamCalls, nil)
	r.answered(streamCalls<<1 | 1)
	r.write(LaneCalls, appendCounter(nil, linkTurn, 1))
	return w
}

// hears waits for a frame of a kind on control, and gives its number.
func (r *rogue) hears(kind uint8) uint64 {
	r.t.Helper()
	for {
		f, err := r.in.one()
		if err != nil {
			r.t.Fatal(err)
		}
		if frameKind(f) != kind {
			continue
		}
		n, err := decodeCounter(f)
		if err != nil {
			r.t.Fatal(err)
		}
		return n
	}
}

// heeded waits until everything that was said on control has been heeded.
func (r *rogue) heeded() {
	r.t.Helper()
	r.write(LaneControl, appendCounter(nil, linkHeartbeat, 4711))
	for r.hears(linkHeartbeatAck) != 4711 {
	}
}

// faultIn has a node judge what comes from the other end of c; a rule that loses nothing. false lifts it.
func faultIn(t *testing.T, n *Node, c *conn, on bool) {
	t.Helper()
	var paths []fault.Path
	if on {
		paths = []fault.Path{{Addr: netip.MustParseAddrPort(c.q.RemoteAddr().String()), In: []fault.Rule{{ID: 1, Seed: 1, Loss: 1e-12}}}}
	}
	if err := n.SetFaults(paths, func() {}); err != nil {
		t.Fatal(err)
	}
}

// Faults that are set, lifted and set again at once: the answer to the first word does not stand for that to the second.
func TestALateAnswerLetsNothingByThatTheFaultsHoldBack(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	r := nearRogue(t, ctl, ID{1, 1})
	w := r.turns()
	c := connOf(t, ctl, 1)
	for _, on := range []bool{true, false, true} {
		faultIn(t, ctl, c, on)
	}
	for _, want := range []uint64{0, 1, 0} {
		if n := r.hears(linkMemoryUse); n != want {
			t.Fatalf("memory-use %d, want %d", n, want)
		}
	}
	r.write(LaneControl, appendCounter(nil, linkMemoryUsed, 1))
	r.heeded()
	c.memory.mu.Lock()
	held := c.memory.pause != nil
	c.memory.mu.Unlock()
	if !held {
		t.Error("what comes by memory is not held back any more")
	}
	if err := w.TryWriteAll(r.env(LaneCalls, nil)); err != nil {
		t.Fatal(err)
	}
	r.write(LaneControl, appendCounter(nil, linkMemoryUsed, 2))
	rec.until(t, 5*time.Second, "the frame", func() bool { return len(rec.frames) == 1 })
	r.write(LaneControl, appendCounter(nil, linkMemoryUsed, 3))
	if why := r.ends(5 * time.Second); why.Code != CodeProtocol || !strings.Contains(why.Reason, "was not asked") {
		t.Errorf("an answer to nothing: %v", why)
	}
}

// INV-6: what a peer asks for on control and does not read is not kept for it once for each time that it asks.
func TestQuestionsAboutMemoryPileUpNothing(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	r := nearRogue(t, ctl, ID{1, 1}) // it reads nothing from here on
	l := &connOf(t, ctl, 1).p.out[LaneControl]
	var flood []byte
	for range 1000 {
		flood = appendCounter(flood, linkMemoryUse, 0)
	}
	most := 0
	for range 300 {
		r.write(LaneControl, flood)
		l.mu.Lock()
		most = max(most, len(l.extra))
		l.mu.Unlock()
	}
	if most > 10 {
		t.Errorf("%d frames are kept for a peer that does not read", most)
	}
}

func TestADeclinedOfferIsNotMadeAgain(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	r := nearRogue(t, ctl, ID{1, 1})
	for range 2 {
		r.offers(streamCalls, func(o *shm.Offer) { o.Memory = uint32(os.Stdin.Fd()) })
	}
	if why := r.ends(5 * time.Second); why.Code != CodeProtocol || !strings.Contains(why.Reason, "a second offer") {
		t.Errorf("closed with %v", why)
	}
}

// The limit on connections that share memory holds for offers of others, too.
func TestNoOfferIsTakenBeyondTheLimit(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	r := nearRogue(t, ctl, ID{1, 1})
	connOf(t, ctl, 1)
	ctl.memories.Store(memoryMost)
	r.offers(streamCalls, nil)
	r.answered(streamCalls << 1)
	if n := ctl.memories.Load(); n != memoryMost {
		t.Errorf("%d connections are counted", n)
	}
	other := nearRogue(t, ctl, ID{2, 1})
	ctl.memories.Store(0)
	other.offers(streamCalls, nil)
	other.answered(streamCalls<<1 | 1)
	other.offers(streamBodies, nil)
	other.answered(streamBodies<<1 | 1)
	if n := ctl.memories.Load(); n != 1 {
		t.Errorf("%d connections are counted, want 1", n)
	}
	_ = other.q.CloseWithError(0, "")
	for late := time.Now().Add(20 * time.Second); ctl.memories.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%d connections are counted, want none", ctl.memories.Load())
		}
	}
}

// INV-3: a large body of the control lane does not wait behind those of calls.
func TestABodyOfControlDoesNotWaitBehindThoseOfCalls(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	r := nearRogue(t, ctl, ID{1, 1})
	c := connOf(t, ctl, 1)
	send := func(lane Lane, id uint64, size int) {
		t.Helper()
		if err := ctl.Send(t.Context(), 1, lane, call(0, 1, id, make([]byte, size))); err != nil {
			t.Fatal(err)
		}
	}
	send(LaneCalls, 1, 100<<10)
	for {
		f, err := r.in.one()
		if err != nil {
			t.Fatal(err)
		}
		if frameKind(f) == linkMemory {
			break
		}
	}
	r.write(LaneControl, appendCounter(nil, linkMemoryAnswer, streamBodies<<1|1)) // and it reads nothing from there
	r.heeded()
	send(LaneCalls, 2, 1<<20)
	for late := time.Now().Add(20 * time.Second); c.memory.sent.Load() == 0; time.Sleep(time.Millisecond) { // its head
		if time.Now().After(late) {
			t.Fatal("no body goes by memory")
		}
	}
	send(LaneControl, 1, 100<<10)
	came := make(chan struct{})
	go func() {
		for {
			s, err := r.q.AcceptUniStream(t.Context())
			if err != nil {
				return
			}
			go func() { // those of the other lanes say nothing
				var head [bulkHead]byte
				if n, _ := s.Read(head[:]); n == bulkHead && Lane(head[0]) == LaneControl && binary.BigEndian.Uint32(head[9:]) == 100<<10 {
					close(came)
				}
			}()
		}
	}()
	select {
	case <-came:
	case <-time.After(8 * time.Second):
		t.Fatal("the body of the control lane does not come")
	}
}

// A peer that does not say that it has left memory holds up its own calls, and is told in the end.
func TestAPeerThatDoesNotLeaveMemoryLosesItsConnection(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder(), Limits: Limits{FrameDeadline: 300 * time.Millisecond}})
	r := nearRogue(t, ctl, ID{1, 1})
	r.turns()
	faultIn(t, ctl, connOf(t, ctl, 1), true)
	if why := r.ends(3 * time.Second); why.Code != CodeSilent || !strings.Contains(why.Reason, "memory") {
		t.Errorf("closed with %v", why)
	}
}

// A frame that begins in memory and does not end, and one that begins behind a turn and is come back to, are too slow.
func TestAFrameThatDoesNotEndInMemoryEndsTheLink(t *testing.T) {
	for name, do := range map[string]func(r *rogue, w *shm.Writer) error{
		"in memory": func(_ *rogue, w *shm.Writer) error { return w.TryWriteAll([]byte{0, 0, 0, 50, 1}) },
		"behind a turn": func(r *rogue, w *shm.Writer) error {
			r.write(LaneCalls, []byte{0, 0, 0, 50, 1}) // behind the turn to memory
			return w.TryWriteAll(appendCounter(nil, linkTurn, 0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctl := newSession(t, Config{Handler: newRecorder(), Limits: Limits{FrameDeadline: 300 * time.Millisecond}})
			r := nearRogue(t, ctl, ID{1, 1})
			if err := do(r, r.turns()); err != nil {
				t.Fatal(err)
			}
			if why := r.ends(3 * time.Second); why.Code != CodeSlow || !strings.Contains(why.Reason, "calls lane") {
				t.Errorf("closed with %v", why)
			}
		})
	}
}

// A peer that takes what is offered and reads nothing holds up what is for it, and neither other links nor Close.
func TestAPeerThatReadsNoMemoryHoldsUpItselfAlone(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec, Timing: Timing{Linger: 100 * time.Millisecond}})
	other := join(t, ctl, ID{99, 1}, Config{Handler: newRecorder()})
	r := nearRogue(t, ctl, ID{1, 1})
	c := connOf(t, ctl, 1)
	send := func(id uint64, size int) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_ = ctl.Send(ctx, 1, LaneCalls, call(0, 1, id, make([]byte, size)))
	}
	id := uint64(0)
	for range 2 * memoryAfter {
		id++
		send(id, 10)
	}
	send(id+1, 100<<10)
	for range 2 {
		for {
			f, err := r.in.one()
			if err != nil {
				t.Fatal(err)
			}
			if frameKind(f) == linkMemory {
				break
			}
		}
	}
	r.write(LaneControl, appendCounter(nil, linkMemoryAnswer, streamCalls<<1|1))
	r.write(LaneControl, appendCounter(nil, linkMemoryAnswer, streamBodies<<1|1))
	r.heeded()
	for range 20 {
		id += 2
		send(id, 60<<10)
		send(id+1, 200<<10)
	}
	if c.memory.sent.Load() < memoryCalls {
		t.Fatalf("%d bytes went by memory: nothing is held up", c.memory.sent.Load())
	}
	faultIn(t, ctl, c, true) // and the lane owes a turn
	faultIn(t, ctl, c, false)
	for _, p := range ctl.Peers() {
		if p.Peer.Proc == 99 && p.State != LinkUp {
			t.Errorf("the other link is %v", p.State)
		}
	}
	if err := other.Send(t.Context(), 0, LaneCalls, call(99, 0, 1, nil)); err != nil {
		t.Fatal(err)
	}
	rec.until(t, 3*time.Second, "the other's call", func() bool { return len(rec.frames) == 1 })
	begin := time.Now()
	_ = ctl.Close("done")
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
}
