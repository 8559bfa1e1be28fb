package quicnet

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
)

// Rows of the fault matrix that a network of simulated hosts can show; engine/internal/faults/matrix_test.go lists all. Each
// checks that its fault has happened.

// set changes the network.
func (r *faultNet) set(change func(*faultNet)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// happened is to how many packets a fault has happened.
func (r *faultNet) happened() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hits
}

// alive checks that nobody has lost anybody.
func (w *world) alive(when string) {
	w.t.Helper()
	for at, rec := range w.recs {
		for _, ev := range rec.told() {
			if ev.State.final() {
				w.t.Errorf("%s node %d lost %s: %s", when, at, ev.Peer, ev.Reason)
			}
		}
	}
}

// TestABadPathCostsTimeAndNothingElse: E5, rows 13 to 15; D3, row 26. It holds INV-1 and INV-2.
func TestABadPathCostsTimeAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		set   func(*faultNet)
		lasts time.Duration
		least int // messages that get through meanwhile
	}{
		"loss 40 %":             {func(r *faultNet) { r.loss = 0.4 }, time.Second / 2, 10},
		"late by up to 400 ms":  {func(r *faultNet) { r.late = 400 * time.Millisecond }, time.Second, 50},
		"a bit in 10 % flipped": {func(r *faultNet) { r.corrupt = 0.1 }, 5 * time.Second, 100},
		"all but loss":          {func(r *faultNet) { r.late, r.corrupt, r.double = 100*time.Millisecond, 0.1, 0.3 }, time.Second, 50},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, nil, func(t *testing.T, w *world) {
				w.net.set(c.set)
				there, back := w.stream(0, 1, LaneCalls), w.stream(1, 0, LaneCalls)
				time.Sleep(c.lasts)
				a, b := there.end(), back.end()
				w.received(1, 0, LaneCalls, a)
				w.received(0, 1, LaneCalls, b)
				if a < c.least || b < c.least {
					t.Errorf("only %d and %d messages", a, b)
				}
				if w.net.happened() == 0 {
					t.Error("the fault has not happened")
				}
				w.alive("by a bad path")
			})
		})
	}
}

// A path with the smallest MTU that QUIC works with takes a join and the largest body: E5, row 17.
func TestTheLargestBodyFitsTheSmallestPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0, nil)
		defer w.close()
		w.net.set(func(r *faultNet) { r.mtu = 1200 })
		rec := newRecorder()
		ticket, err := w.nodes[0].Ticket(ID{1, 1}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n, _, err := Join(ctx, ticket, Config{Conn: simConn(w, 1), Handler: rec})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close("done")
		if err := n.Send(ctx, 0, LaneCalls, call(1, 0, 1, make([]byte, 16<<20))); err != nil {
			t.Fatal(err)
		}
		w.recs[0].until(t, 5*time.Minute, "the body", func() bool { return len(w.recs[0].frames) == 1 })
		if got := len(w.recs[0].frames[0].env.Body); got != 16<<20 {
			t.Errorf("%d bytes came", got)
		}
		w.net.set(func(r *faultNet) {
			if r.longest < 1100 || r.longest > 1200 {
				t.Errorf("the longest packet has %d bytes", r.longest)
			}
		})
	})
}

// A slow path makes senders wait and loses nobody: E5, row 16.
func TestASlowPathIsSlowNotLost(t *testing.T) {
	inWorld(t, 1, func(_ uint64, c *Config) { c.Limits.WindowBytes, c.Limits.FrameBytes = 1<<20, 1<<19 }, func(t *testing.T, w *world) {
		w.net.set(func(r *faultNet) { r.rate = 256_000 / 8 })
		began := time.Now()
		const n, size = 40, 60 << 10 // more than twice what the lane holds
		for id := range uint64(n) {
			if err := w.nodes[0].Send(t.Context(), 1, LaneCalls, call(0, 1, id, make([]byte, size))); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(began); waited < 20*time.Second {
			t.Errorf("the sender of %d KiB waited for %v", n*size>>10, waited)
		}
		w.recs[1].until(t, 5*time.Minute, "all", func() bool { return len(w.recs[1].frames) == n })
		if took := time.Since(began); took < 60*time.Second || took > 120*time.Second {
			t.Errorf("%d KiB took %v", n*size>>10, took)
		}
		w.alive("by a slow path")
	})
}

// An address that changes, as behind a router that forgets, costs a round trip: E5, row 18.
func TestAnAddressMayChange(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		there, back := w.stream(0, 1, LaneCalls), w.stream(1, 0, LaneCalls)
		for port := 9101; port < 9104; port++ {
			time.Sleep(2 * time.Second)
			w.net.set(func(r *faultNet) { r.port = port })
		}
		time.Sleep(2 * time.Second)
		if got := w.nodes[0].PeerAddr(1).String(); !strings.HasSuffix(got, ":9103") {
			t.Errorf("the controller tells others that it is at %s", got)
		}
		w.received(1, 0, LaneCalls, there.end())
		w.received(0, 1, LaneCalls, back.end())
		w.alive("by another address")
		if w.recs[0].had(1, LinkUnreachable) || w.net.happened() == 0 {
			t.Errorf("the link was down, or its address never changed (%d packets): %v", w.net.happened(), w.recs[0].told())
		}
	})
}

// A link that comes and goes each second loses nothing and goes on in each second that it is there: E5, row 11.
func TestAFlappingLinkLosesNothing(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		there, back := w.stream(0, 1, LaneCalls), w.stream(1, 0, LaneCalls)
		before := 0
		for second := range 30 {
			w.net.both(0, 1, second%2 == 1)
			time.Sleep(time.Second)
			if now := w.recs[1].count(); second%2 == 0 && second > 0 {
				if now == before {
					t.Errorf("nothing came in second %d, in which the link was there", second)
				}
				before = now
			}
		}
		w.net.both(0, 1, false)
		time.Sleep(2 * time.Second)
		w.received(1, 0, LaneCalls, there.end())
		w.received(0, 1, LaneCalls, back.end())
		w.alive("by flapping")
		if s := w.stats(0, 1); s.Peer.Epoch != 1 || w.net.happened() == 0 {
			t.Errorf("%+v, %d packets were lost", s, w.net.happened())
		}
	})
}

// Hosts that are cut off one by one and come back in another order are all there again within 5 s, with all that was sent to them:
// E5, row 12.
func TestHostsComeBackInAnyOrder(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inWorld(t, 4, nil, func(t *testing.T, w *world) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				hosts := []uint64{1, 2, 3, 4}
				cut := func(h uint64, cut bool) {
					for other := range uint64(5) {
						if other != h {
							w.net.both(h, other, cut)
						}
					}
				}
				var streams []*stream
				for _, h := range hosts {
					streams = append(streams, w.stream(0, h, LaneCalls))
				}
				rnd.Shuffle(4, func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
				for _, h := range hosts {
					cut(h, true)
					time.Sleep(time.Duration(rnd.IntN(1500)) * time.Millisecond)
				}
				rnd.Shuffle(4, func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
				for _, h := range hosts {
					cut(h, false)
					time.Sleep(time.Duration(rnd.IntN(500)) * time.Millisecond)
				}
				time.Sleep(5 * time.Second)
				for h := uint64(1); h < 5; h++ {
					if s := w.stats(0, h); s.State != LinkUp || s.Peer.Epoch != 1 {
						t.Errorf("host %d is %v", h, s.State)
					}
					w.received(h, 0, LaneCalls, streams[h-1].end())
				}
				if w.net.happened() == 0 {
					t.Error("nobody was cut off")
				}
			})
		})
	}
}

// Nothing happens on a link that nobody uses, but heartbeats: E5, row 47.
func TestALinkThatNobodyUsesStays(t *testing.T) {
	inWorld(t, 2, nil, func(t *testing.T, w *world) {
		if err := w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 1, nil)); err != nil { // the workers have a link, too
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		before := make([]int, 3)
		for at := range before {
			before[at] = len(w.recs[at].told())
		}
		w.net.set(func(r *faultNet) { r.packets = 0 })
		const idle = 20 * time.Minute // a day is as quiet, and takes a minute to simulate
		time.Sleep(idle)
		for at, n := range before {
			if got := w.recs[at].told()[n:]; len(got) > 0 {
				t.Errorf("node %d: %v", at, got)
			}
		}
		// Of each link a heartbeat in 750 ms with its answer, and once a minute one by the stream.
		w.net.set(func(r *faultNet) {
			if perSecond := float64(r.packets) / idle.Seconds(); perSecond < 7 || perSecond > 10 {
				t.Errorf("%.1f packets a second on three idle links", perSecond)
			}
		})
		if err := w.nodes[0].Send(t.Context(), 1, LaneCalls, call(0, 1, 2, nil)); err != nil {
			t.Error(err)
		}
		w.recs[1].until(t, time.Second, "a message after all that time", func() bool { return len(w.recs[1].frames) == 1 })
	})
}

// Handshakes that are begun and left keep no honest worker out: D3, row 24.
func TestHalfOpenHandshakesKeepNobodyOut(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	before := heap()
	tr := socket(t)
	for range 1000 { // each is left alone as soon as its first packets are out
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, _ = tr.Dial(ctx, ctl.Addr(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpnMesh}}, &quic.Config{})
		cancel()
	}
	start := time.Now()
	join(t, ctl, ID{1, 1}, Config{Handler: newRecorder()})
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("an honest join took %v", took)
	}
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// Clocks that are apart by less than the certificates allow for are no obstacle; beyond that the error says what it is: E5, row 45.
func TestClocksMayBeApart(t *testing.T) {
	for off, ok := range map[time.Duration]bool{-10 * time.Minute: true, 10 * time.Minute: true, -20 * time.Minute: false} {
		t.Run(off.String(), func(t *testing.T) {
			ctl := newSession(t, Config{Handler: newRecorder()})
			leaf, err := ctl.ca.newLeaf("test", ID{1, 1}, time.Now().Add(-off)) // as a controller whose clock is off would make it
			if err != nil {
				t.Fatal(err)
			}
			q, err := socket(t).Dial(t.Context(), ctl.Addr(), tlsFor(leaf, alpnMesh), ctl.quicConfig())
			if err == nil {
				_, err = q.AcceptUniStream(deadline(t, 2*time.Second))
			}
			refused := err != nil && strings.Contains(err.Error(), "certificate")
			if refused == ok {
				t.Errorf("clocks that are %v apart: %v", off, err)
			}
		})
	}
}

// A controller that comes back at its port hears nothing of the workers of the one before, and has workers of the same names: E5, row
// 41.
func TestAControllerMayComeBackAtItsPort(t *testing.T) {
	open := func(addr string) net.PacketConn {
		c, _, err := ListenUDP(addr, carrier.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, stale := open("127.0.0.1:0"), newRecorder()
	ctl := newSession(t, Config{Conn: first, Handler: newRecorder()})
	old := join(t, ctl, ID{1, 1}, Config{Handler: stale, Timing: Timing{Lease: 8 * time.Second}})
	if err := first.Close(); err != nil { // as by a death: nobody is told
		t.Fatal(err)
	}
	recs := []*recorder{newRecorder(), newRecorder()}
	again := newSession(t, Config{Conn: open(first.LocalAddr().String()), Handler: recs[0]})
	if err := old.Send(t.Context(), 0, LaneCalls, call(1, 0, 666, nil)); err != nil {
		t.Fatal(err)
	}
	worker := join(t, again, ID{1, 1}, Config{Handler: recs[1]})
	stale.until(t, 15*time.Second, "the end of its lease", func() bool { return stale.saw(0, LinkLease) })
	for i, n := range []*Node{again, worker} {
		if err := n.Send(t.Context(), uint64(1-i), LaneCalls, call(uint64(i), uint64(1-i), 1, nil)); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range recs {
		r.until(t, 5*time.Second, "a message", func() bool { return len(r.frames) == 1 && r.frames[0].env.ID == 1 })
		for _, ev := range r.told() {
			if ev.State != LinkUp {
				t.Errorf("node %d was told %v of %s: %s", i, ev.State, ev.Peer, ev.Reason)
			}
		}
	}
}

func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
