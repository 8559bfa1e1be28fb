package quicnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"go.uber.org/goleak"
)

func TestALargeBodyHoldsUpOnlyItsOwnPair(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		w.net.mu.Lock()
		w.net.loss = 0.02 // so that a large body takes a while
		w.net.mu.Unlock()
		send := func(id, actor uint64, size int) {
			t.Helper()
			e := call(0, 1, id, make([]byte, size))
			e.To.Actor = actor
			if err := w.nodes[0].Send(t.Context(), 1, LaneCalls, e); err != nil {
				t.Fatal(err)
			}
		}
		send(1, 1, 2<<20)
		send(2, 1, 10) // same pair: waits
		send(3, 2, 10) // another: doesn't
		w.recs[1].until(t, time.Hour, "all", func() bool { return len(w.recs[1].frames) == 3 })
		var order []uint64
		for _, f := range w.recs[1].frames {
			order = append(order, f.env.ID)
		}
		if fmt.Sprint(order) != "[3 1 2]" {
			t.Errorf("order %v", order)
		}
	})
}

func TestALargeBodyTravelsOnTheControlLane(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		for i, size := range []int{10, 60 << 10, 65 << 10, 3 << 20, 16 << 20, 1} {
			if err := w.nodes[0].Send(t.Context(), 1, LaneControl, call(0, 1, uint64(i), bytes.Repeat([]byte{byte(i)}, size))); err != nil {
				t.Fatal(err)
			}
		}
		w.recs[1].until(t, time.Hour, "all", func() bool { return len(w.recs[1].frames) == 6 })
		for i, f := range w.recs[1].frames {
			if f.env.ID != uint64(i) || f.env.Body[len(f.env.Body)-1] != byte(i) || f.lane != LaneControl {
				t.Errorf("frame %d: id %d, %d bytes", i, f.env.ID, len(f.env.Body))
			}
		}
	})
}

func TestWhatIsTooLargeIsRefusedWithTheSizes(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			lane Lane
			env  *Envelope
			want string
		}{
			"body":   {LaneCalls, call(0, 1, 1, make([]byte, 16<<20+1)), "body of 16777217 bytes is over the limit of 16777216 on the calls lane"},
			"event":  {LaneEvents, call(0, 1, 1, make([]byte, 64<<10+1)), "body of 65537 bytes is over the limit of 65536 on the events lane"},
			"header": {LaneCalls, &Envelope{Kind: KindCall, To: Addr{1, 0}, Region: make([]byte, 64<<10)}, "header of "},
		} {
			err := w.nodes[0].Send(t.Context(), 1, c.lane, c.env)
			if !errors.Is(err, ErrFrameTooLarge) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestSendRefusesWhatIsNotForIt(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		n := w.nodes[0]
		for name, err := range map[string]error{
			"to itself":        n.Send(t.Context(), 0, LaneCalls, call(0, 0, 1, nil)),
			"in another name":  n.Send(t.Context(), 1, LaneCalls, call(7, 1, 1, nil)),
			"to somebody else": n.Send(t.Context(), 1, LaneCalls, call(0, 7, 1, nil)),
			"without a kind":   n.Send(t.Context(), 1, LaneCalls, &Envelope{To: Addr{1, 1}}),
			"on lane 9":        n.Send(t.Context(), 1, 9, call(0, 1, 1, nil)),
		} {
			if err == nil {
				t.Errorf("%s: sent", name)
			}
		}
	})
}

// TestAFullQueueHoldsTheSenderUntilItsContextEnds holds INV-6 and INV-7 for who sends: the queue is bounded, a sender waits,
// and its context ends the wait. Control is not held up (INV-3).
func TestAFullQueueHoldsTheSenderUntilItsContextEnds(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		w.nodes[1].Hold(0, true)
		w.nodes[0].Hold(1, true)
		w.net.both(0, 1, true)
		n := w.nodes[0]
		sent := 0
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var err error
		start := time.Now()
		for err == nil {
			if err = n.Send(ctx, 1, LaneCalls, call(0, 1, uint64(sent), make([]byte, 100))); err == nil {
				sent++
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if sent != 4096 {
			t.Errorf("%d frames were taken", sent)
		}
		if err := n.Send(ctx, 1, LaneCalls, call(0, 1, 1, nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a context that has ended: %v", err)
		}
		if err := n.Send(ctx, 1, LaneControl, call(0, 1, 1, nil)); err != nil {
			t.Errorf("control waits behind calls: %v", err)
		}
		w.net.both(0, 1, false)
		if err := n.Send(t.Context(), 1, LaneCalls, call(0, 1, uint64(sent), nil)); err != nil {
			t.Fatal(err)
		}
		w.recs[1].until(t, time.Hour, "all", func() bool { return len(w.recs[1].frames) == sent+2 })
	})
}

// TestEventsAreDroppedAndCountedNeverWaitedFor holds what INV-2 and INV-6 say of events.
func TestEventsAreDroppedAndCountedNeverWaitedFor(t *testing.T) {
	inWorld(t, 1, func(_ uint64, c *Config) { c.Limits.EventFrames = 100 }, func(t *testing.T, w *world) {
		w.net.both(0, 1, true)
		time.Sleep(5 * time.Second) // the connection is gone, the link isn't
		start := time.Now()
		for i := range uint64(1000) {
			if err := w.nodes[0].Send(t.Context(), 1, LaneEvents, call(0, 1, i, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("events waited for %v", took)
		}
		if dropped := w.stats(0, 1).EventsDropped; dropped != 900 {
			t.Errorf("%d events dropped", dropped)
		}
		w.net.both(0, 1, false)
		time.Sleep(5 * time.Second)
		_ = w.nodes[0].Send(t.Context(), 1, LaneEvents, call(0, 1, 1000, nil))
		time.Sleep(time.Second)
		synctest.Wait()
		if got, missed := w.recs[1].count(), w.stats(1, 0).EventsMissed; got != 101 || missed != 900 {
			t.Errorf("%d came, %d missed", got, missed)
		}
	})
}

// TestOwnDelayIsNotTakenForAPeersSilence holds INV-5's exception, the Lifeguard rule: time in which this process itself stood still says nothing about peers.
func TestOwnDelayIsNotTakenForAPeersSilence(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		p := w.nodes[0].peers[1]
		now := time.Now().Add(20 * time.Second) // we slept
		p.tick(now, 20*time.Second)
		synctest.Wait()
		if w.recs[0].had(1, LinkSuspect) || w.recs[0].had(1, LinkLost) {
			t.Errorf("%v", w.recs[0].told())
		}
		p.tick(now, 0)
		synctest.Wait()
		if !w.recs[0].had(1, LinkSuspect) && !w.recs[0].had(1, LinkUnreachable) && w.stats(0, 1).Silence > 2*time.Second {
			t.Errorf("%v", w.recs[0].told())
		}
	})
}

func TestALeafIsRenewedBeforeItExpires(t *testing.T) {
	slow := Timing{Tick: 10 * time.Second, Heartbeat: 20 * time.Second, Suspect: time.Minute, Unreachable: 2 * time.Minute, Lost: 10 * time.Minute}
	inWorld(t, 2, func(_ uint64, c *Config) { c.Timing = slow }, func(t *testing.T, w *world) {
		old := w.nodes[1].leaf.Load()
		time.Sleep(25 * time.Hour)
		if w.nodes[1].leaf.Load() == old {
			t.Fatal("the worker still has its first certificate")
		}
		s := w.stream(1, 2, LaneCalls) // a new connection, with certificates made within the last hours
		time.Sleep(time.Second)
		w.received(2, 1, LaneCalls, s.end())
		w.net.both(0, 1, true)
		time.Sleep(3 * time.Minute)
		w.net.both(0, 1, false)
		time.Sleep(time.Minute)
		if got := w.stats(0, 1).State; got != LinkUp {
			t.Errorf("the controller's link is %v", got)
		}
	})
}

// TestClosingTellsThePeersWhyAndLosesNothingThatWasSent holds INV-7 for a peer that closes.
func TestClosingTellsThePeersWhyAndLosesNothingThatWasSent(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		for i := range uint64(50) {
			if err := w.nodes[1].Send(t.Context(), 0, LaneCalls, call(1, 0, i, make([]byte, 1000*i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.nodes[1].Close("the demo is over"); err != nil {
			t.Error(err)
		}
		if err := w.nodes[1].Close("again"); err != nil {
			t.Error(err)
		}
		w.recs[0].until(t, time.Minute, "closed", func() bool { return w.recs[0].saw(1, LinkClosed) })
		if n := w.recs[0].count(); n != 50 {
			t.Errorf("%d of 50 frames came", n)
		}
		if got := w.recs[0].got(1, LinkClosed).Reason; got != "closed by the peer: the demo is over" {
			t.Errorf("reason %q", got)
		}
		err := w.nodes[0].Send(t.Context(), 1, LaneCalls, call(0, 1, 1, nil))
		if gone, ok := errors.AsType[*GoneError](err); !ok || gone.Peer != (ID{1, 1}) || !strings.Contains(err.Error(), "the demo is over") {
			t.Errorf("%v", err)
		}
		if err := w.nodes[1].Send(t.Context(), 0, LaneCalls, call(1, 0, 1, nil)); !errors.Is(err, ErrGone) && !errors.Is(err, ErrClosed) {
			t.Errorf("send on a closed node: %v", err)
		}
	})
}

// TestForgettingAPeerWakesWhoWaitsForIt holds INV-7: every Send fails with the reason, those that wait too.
func TestForgettingAPeerWakesWhoWaitsForIt(t *testing.T) {
	inWorld(t, 1, func(_ uint64, c *Config) { c.Limits.WindowFrames = 4 }, func(t *testing.T, w *world) {
		w.net.both(0, 1, true)
		var wg sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			wg.Go(func() { errs[i] = w.nodes[0].Send(t.Context(), 1, LaneCalls, call(0, 1, uint64(i), nil)) })
		}
		time.Sleep(time.Second)
		w.nodes[0].Forget(1, "killed by signal 9")
		wg.Wait()
		failed := 0
		for _, err := range errs {
			if errors.Is(err, ErrGone) && strings.Contains(err.Error(), "signal 9") {
				failed++
			}
		}
		if failed != 16 {
			t.Errorf("%d of 16 senders heard of it: %v", failed, errs)
		}
		w.nodes[0].Forget(1, "again")
		w.nodes[0].Forget(55, "never known")
		if err := w.nodes[0].Send(t.Context(), 55, LaneCalls, call(0, 55, 1, nil)); !errors.Is(err, ErrGone) {
			t.Errorf("%v", err)
		}
	})
}

func TestAResolverThatKnowsBetterEndsThePeerAtOnce(t *testing.T) {
	inWorld(t, 2, func(proc uint64, c *Config) {
		c.Resolve = func(context.Context, uint64) (net.Addr, error) { return nil, errors.New("proc 2 exited with code 3") }
	}, func(t *testing.T, w *world) {
		start := time.Now()
		_ = w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 1, nil))
		w.recs[1].until(t, time.Minute, "lost", func() bool { return w.recs[1].saw(2, LinkLost) })
		if time.Since(start) > time.Second {
			t.Errorf("after %v", time.Since(start))
		}
		if err := w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 1, nil)); err == nil || !strings.Contains(err.Error(), "exited with code 3") {
			t.Errorf("%v", err)
		}
	})
}

func TestSixtyFourWorkersJoinAtOnce(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	var wg sync.WaitGroup
	start := time.Now()
	for i := range uint64(64) {
		wg.Go(func() {
			n := join(t, ctl, ID{i + 1, 1}, Config{Handler: newRecorder()})
			if err := n.Send(t.Context(), 0, LaneCalls, call(i+1, 0, 1, nil)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rec.until(t, 10*time.Second, "all", func() bool { return len(rec.frames) == 64 })
	t.Logf("64 joins in %v", time.Since(start))
	nobodyWaits(t, ctl)
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctl, err := NewController("leak", Config{Handler: newRecorder()})
	if err != nil {
		t.Fatal(err)
	}
	ticket, _ := ctl.Ticket(ID{1, 1}, time.Minute)
	w, _, err := Join(t.Context(), ticket, Config{Handler: newRecorder()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(100) {
		_ = w.Send(t.Context(), 0, LaneCalls, call(1, 0, i, make([]byte, 3000*i)))
	}
	_ = w.Send(t.Context(), 5, LaneCalls, call(1, 5, 1, nil)) // nobody knows it
	_ = w.Close("done")
	_ = ctl.Close("done")
}

func TestAFailedSendIsALostPacket(t *testing.T) {
	c, _, err := ListenUDP("127.0.0.1:0", carrier.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	broadcast := &net.UDPAddr{IP: net.IPv4bcast, Port: 9} // EACCES or ENETUNREACH
	if _, err := c.WriteTo([]byte("x"), broadcast); err != nil && transient(err) {
		t.Errorf("a transient error came through: %v", err)
	}
	for _, fatal := range []error{net.ErrClosed, errors.New("x")} {
		if transient(fatal) {
			t.Errorf("%v counts as transient", fatal)
		}
	}
}

// TestControlNeverWaitsBehindCalls holds INV-3: a handler that is slow with calls holds up neither control nor heartbeats, nor what others
// send to the same peer.
func TestControlNeverWaitsBehindCalls(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		block := make(chan struct{})
		unblock := sync.OnceFunc(func() { close(block) })
		defer unblock()
		w.recs[1].onGet = func(_ ID, lane Lane, _ *Envelope) {
			if lane == LaneCalls {
				<-block
			}
		}
		for i := range uint64(3000) {
			if err := w.nodes[0].Send(t.Context(), 1, LaneCalls, call(0, 1, i, make([]byte, 2000))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Second)
		start := time.Now()
		if err := w.nodes[0].Send(t.Context(), 1, LaneControl, call(0, 1, 1, nil)); err != nil {
			t.Fatal(err)
		}
		w.recs[1].until(t, time.Second, "control", func() bool { return len(w.recs[1].frames) == 1 })
		if took := time.Since(start); took > 20*time.Millisecond {
			t.Errorf("control took %v", took)
		}
		if err := w.nodes[1].Send(t.Context(), 0, LaneCalls, call(1, 0, 1, nil)); err != nil {
			t.Fatal(err)
		}
		w.recs[0].until(t, time.Second, "a call back", func() bool { return len(w.recs[0].frames) == 1 })
		time.Sleep(20 * time.Second)
		if w.recs[0].had(1, LinkSuspect) || w.recs[1].had(0, LinkSuspect) {
			t.Errorf("%v %v", w.recs[0].told(), w.recs[1].told())
		}
		unblock()
		w.recs[1].until(t, time.Minute, "all", func() bool { return len(w.recs[1].frames) == 3001 })
	})
}

// A send from inside Frame with a context that has ended never waits.
func TestAHandlerCanAnswerFromInsideFrame(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		w.recs[1].onGet = func(from ID, lane Lane, env *Envelope) {
			done, cancel := context.WithCancel(context.Background())
			cancel()
			if err := w.nodes[1].Send(done, from.Proc, lane, call(1, 0, env.ID, env.Body)); err != nil {
				t.Error(err)
			}
			w.nodes[1].Peers()
			w.nodes[1].Connect(0)
		}
		for i := range uint64(2000) {
			if err := w.nodes[0].Send(t.Context(), 1, LaneCalls, call(0, 1, i, nil)); err != nil {
				t.Fatal(err)
			}
		}
		w.recs[0].until(t, time.Minute, "answers", func() bool { return len(w.recs[0].frames) == 2000 })
	})
}

func TestAHandlerMayForgetThePeerThatSpeaks(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		w.recs[0].onGet = func(ID, Lane, *Envelope) { w.nodes[0].Forget(1, "it talks too much") }
		for i := range uint64(10) {
			_ = w.nodes[1].Send(t.Context(), 0, LaneCalls, call(1, 0, i, nil))
		}
		w.recs[0].until(t, time.Minute, "closed", func() bool { return w.recs[0].saw(1, LinkClosed) })
		w.recs[1].until(t, time.Minute, "told", func() bool { return w.recs[1].saw(0, LinkClosed) })
		if got := w.recs[1].got(0, LinkClosed).Reason; !strings.Contains(got, "it talks too much") {
			t.Error(got)
		}
	})
}

// Who expects a new epoch of a process before it joins reaches that one and no older one, without dialling it before
// somebody has something to say.
func TestAnExpectedEpochIsReachedWhenSomebodySends(t *testing.T) {
	inWorld(t, 2, nil, func(t *testing.T, w *world) {
		s := w.stream(1, 2, LaneCalls)
		time.Sleep(time.Second)
		w.received(2, 1, LaneCalls, s.end())
		w.nodes[0].Forget(2, "it died") // the controller has seen it die; rank 1 has not heard of it, and its link is still up
		w.nodes[0].Expect(ID{2, 2})
		w.nodes[1].Expect(ID{2, 2})
		w.recs[1].until(t, time.Minute, "the old link ended", func() bool { return w.recs[1].saw(2, LinkLost) })
		_ = w.nodes[2].Close("it is dead")
		ticket, err := w.nodes[0].Ticket(ID{2, 2}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		w.recs[2] = newRecorder()
		if w.nodes[2], _, err = Join(t.Context(), ticket, Config{Conn: simConn(w, 2), Handler: w.recs[2]}); err != nil {
			t.Fatal(err)
		}
		if got := len(w.nodes[1].Peers()); got != 1 {
			t.Errorf("%d links of rank 1 before it sends, want the controller's", got)
		}
		for _, from := range []int{0, 1} {
			if err := w.nodes[from].Send(t.Context(), 2, LaneCalls, call(uint64(from), 2, 8, nil)); err != nil {
				t.Error(err)
			}
		}
		w.recs[2].until(t, time.Minute, "both", func() bool { return len(w.recs[2].frames) == 2 })
	})
}

func TestANewEpochTakesThePlaceOfTheOld(t *testing.T) {
	inWorld(t, 2, nil, func(t *testing.T, w *world) {
		s := w.stream(1, 2, LaneCalls)
		time.Sleep(time.Second)
		w.received(2, 1, LaneCalls, s.end())
		_ = w.nodes[2].Close("restarting")
		for _, at := range []int{0, 1} {
			w.recs[at].until(t, time.Minute, "closed", func() bool { return w.recs[at].saw(2, LinkClosed) })
		}
		ticket, err := w.nodes[0].Ticket(ID{2, 2}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		w.recs[2] = newRecorder()
		w.nodes[2], _, err = Join(t.Context(), ticket, Config{Conn: simConn(w, 2), Handler: w.recs[2]})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.nodes[0].Send(t.Context(), 2, LaneCalls, call(0, 2, 7, nil)); err != nil {
			t.Error(err)
		}
		if err := w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 7, nil)); !errors.Is(err, ErrGone) {
			t.Errorf("a reference to the old incarnation reached the new one: %v", err)
		}
		w.nodes[1].Connect(2) // the directory says that there is a new one
		if err := w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 8, nil)); err != nil {
			t.Error(err)
		}
		w.recs[2].until(t, time.Minute, "both", func() bool { return len(w.recs[2].frames) == 2 })
	})
}
