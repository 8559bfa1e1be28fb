package quicnet

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestNothingIsLostRepeatedOrReorderedOnABadNetwork holds INV-1 and INV-2.
func TestNothingIsLostRepeatedOrReorderedOnABadNetwork(t *testing.T) {
	for name, set := range map[string]func(*faultNet){
		"clean":       func(*faultNet) {},
		"loss 5 %":    func(r *faultNet) { r.loss = 0.05 },
		"loss 20 %":   func(r *faultNet) { r.loss = 0.2 },
		"reorder":     func(r *faultNet) { r.reorder = 0.3 },
		"duplication": func(r *faultNet) { r.double = 0.3 },
		"all of it":   func(r *faultNet) { r.loss, r.reorder, r.double = 0.05, 0.2, 0.2 },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, nil, func(t *testing.T, w *world) {
				w.net.mu.Lock()
				set(w.net)
				w.net.mu.Unlock()
				there, back := w.stream(0, 1, LaneCalls), w.stream(1, 0, LaneCalls)
				control := w.stream(0, 1, LaneControl)
				lasts := 4 * time.Second
				if name == "loss 20 %" {
					lasts = 2 * time.Second // little gets through: a thousand packets take minutes
				}
				time.Sleep(lasts)
				a, b, c := there.end(), back.end(), control.end()
				w.received(1, 0, LaneCalls, a)
				w.received(0, 1, LaneCalls, b)
				w.received(1, 0, LaneControl, c)
				if a < 100 || b < 100 || c < 100 {
					t.Errorf("only %d, %d, %d messages", a, b, c)
				}
			})
		})
	}
}

// TestACutThatHealsBeforeLostLosesNothing holds INV-1 and INV-2 over connections that break: what is sent again is exactly
// what was written and not received.
func TestACutThatHealsBeforeLostLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		cut     time.Duration
		ways    int // 0 both, 1 only controller to worker, 2 only worker to controller
		redials bool
	}{
		{"2s both ways", 2 * time.Second, 0, false},
		{"6s both ways", 6 * time.Second, 0, true},
		{"6s controller to worker", 6 * time.Second, 1, true},
		{"6s worker to controller", 6 * time.Second, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, 1, nil, func(t *testing.T, w *world) {
				there, back := w.stream(0, 1, LaneCalls), w.stream(1, 0, LaneCalls)
				time.Sleep(time.Second)
				w.cut(c.ways, true)
				time.Sleep(c.cut)
				var missing [2]uint64 // by sender: written, and not received when the connection ended
				for at := range uint64(2) {
					if c.redials {
						missing[at] = w.written(at, 1-at) - w.nodes[1-at].peers[at].in[LaneCalls].ack.Load()
					}
				}
				w.cut(c.ways, false)
				time.Sleep(5 * time.Second)
				w.received(1, 0, LaneCalls, there.end())
				w.received(0, 1, LaneCalls, back.end())
				for at := range uint64(2) {
					s := w.stats(at, 1-at)
					if s.State != LinkUp || s.Peer.Epoch != 1 {
						t.Errorf("node %d: %v epoch %d", at, s.State, s.Peer.Epoch)
					}
					if s.Resent != missing[at] || (s.Resent > 0) != c.redials {
						t.Errorf("node %d sent %d frames again, the other had not received %d", at, s.Resent, missing[at])
					}
					if w.recs[at].had(1-at, LinkLost) || w.recs[at].had(1-at, LinkClosed) {
						t.Errorf("node %d lost the link: %v", at, w.recs[at].told())
					}
					if c.redials != (w.recs[at].had(1-at, LinkUnreachable)) {
						t.Errorf("node %d: %v", at, w.recs[at].told())
					}
					if !w.recs[at].had(1-at, LinkRecovered) {
						t.Errorf("node %d never recovered: %v", at, w.recs[at].told())
					}
				}
			})
		})
	}
}

// written is the number of the last frame that one node has written to another on the calls lane.
func (w *world) written(at, to uint64) uint64 {
	l := &w.nodes[at].peers[to].out[LaneCalls]
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.top
}

func (w *world) cut(ways int, cut bool) { w.cutPair(0, 1, ways, cut) }

// cutPair cuts or heals both ways between two hosts, only the first (1) or only the second (2).
func (w *world) cutPair(a, b uint64, ways int, cut bool) {
	if ways != 2 {
		w.net.oneWay(a, b, cut)
	}
	if ways != 1 {
		w.net.oneWay(b, a, cut)
	}
}

// TestSilenceIsSeenInTime holds INV-5 with the default times: Suspect within 1.75 s, Unreachable within 4.25 s, Lost within 10.5 s, whichever
// way is cut, on links at rest and at work, to workers with and without a lease, and between two workers.
func TestSilenceIsSeenInTime(t *testing.T) {
	limits := map[LinkState]time.Duration{
		LinkSuspect: 1750 * time.Millisecond, LinkUnreachable: 4250 * time.Millisecond, LinkLost: 10500 * time.Millisecond,
	}
	for kind, lease := range map[string]time.Duration{"worker": 0, "worker with a lease": 8 * time.Second, "two workers": -1} {
		for ways, name := range []string{"both ways", "to the worker", "from the worker"} {
			for _, busy := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/busy=%v", kind, name, busy), func(t *testing.T) {
					phases := 5
					if busy { // which takes long to simulate
						phases = 1
					}
					for phase := range phases {
						inWorld(t, 2, func(_ uint64, cfg *Config) { cfg.Timing.Lease = max(lease, 0) }, func(t *testing.T, w *world) {
							leads, follows := uint64(0), uint64(1)
							if lease < 0 {
								leads = 2
								if err := w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 1, nil)); err != nil {
									t.Fatal(err)
								}
							}
							if busy {
								defer w.stream(leads, follows, LaneCalls).end()
							}
							time.Sleep(3*time.Second + time.Duration(phase)*110*time.Millisecond)
							start := time.Now()
							w.cutPair(leads, follows, ways, true)
							time.Sleep(11 * time.Second)
							synctest.Wait()
							for state, limit := range limits {
								ev := w.recs[leads].got(follows, state)
								if ev == nil {
									t.Fatalf("no %v: %v", state, w.recs[leads].told())
								}
								if took := ev.Time.Sub(start); took > limit || took < 0 {
									t.Errorf("%v after %v, limit %v", state, took, limit)
								}
								own := w.recs[follows].got(leads, state)
								// A worker without a lease does not notice where only its own way is cut, and loses nobody; of two workers one is told first.
								if own == nil && (state == LinkSuspect && (ways != 2 || lease != 0) || state == LinkUnreachable) {
									t.Errorf("the worker sees no %v: %v", state, w.recs[follows].told())
								} else if own != nil && (ways != 2 || lease != 0 || state != LinkSuspect) && own.Time.Sub(start) > limit {
									t.Errorf("the worker sees %v after %v, limit %v", state, own.Time.Sub(start), limit)
								}
							}
							err := w.nodes[leads].Send(t.Context(), follows, LaneCalls, call(leads, follows, 1, nil))
							if !errors.Is(err, ErrGone) {
								t.Errorf("send to a lost peer: %v", err)
							}
						})
					}
				})
			}
		}
	}
}

// TestALinkRestsOnlyWhileNothingIsUnderWay holds that what has to end within a time is looked at as often as ever.
func TestALinkRestsOnlyWhileNothingIsUnderWay(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		time.Sleep(5 * time.Second)
		p := w.nodes[1].peers[0]
		c := p.conn
		rests := func() bool { return p.rests(p.frames()) }
		for name, change := range map[string]func() (undo func()){
			"frames came":               func() func() { p.framesIn.Add(1); return func() { p.framesIn.Add(^uint64(0)) } },
			"a frame has begun to come": func() func() { c.began[LaneCalls].Store(1); return func() { c.began[LaneCalls].Store(0) } },
			"a body is being read":      func() func() { c.bulkOpen.Add(1); return func() { c.bulkOpen.Add(-1) } },
			"a frame lacks its body":    func() func() { p.in[LaneCalls].seen.Add(1); return func() { p.in[LaneCalls].seen.Add(^uint64(0)) } },
			"the link is suspect": func() func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.state = LinkSuspect
				return func() { p.mu.Lock(); defer p.mu.Unlock(); p.state = LinkUp }
			},
		} {
			frames := p.frames()
			if !rests() {
				t.Fatal("it does not rest")
			}
			undo := change()
			if p.rests(frames) {
				t.Errorf("%s, and it rests", name)
			}
			undo()
		}
	})
}

// TestAPeerThatWasLostIsRefusedWhenItComesBack holds INV-7: nothing of a lost incarnation arrives, and its process is told to
// end when it gets through again.
func TestAPeerThatWasLostIsRefusedWhenItComesBack(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		w.net.both(0, 1, true)
		time.Sleep(15 * time.Second)
		w.net.both(0, 1, false)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if ev := w.recs[1].got(0, LinkClosed); ev == nil {
			t.Fatalf("the worker was not told: %v", w.recs[1].told())
		} else {
			t.Log(ev.Reason)
		}
		if n := w.recs[0].count(); n != 0 {
			t.Errorf("%d frames came from a lost peer", n)
		}
	})
}

// The lease ends after 8 s without an answered heartbeat, before the controller's Lost at 10 s.
func TestTheLeaseEndsBeforeTheControllerGivesUp(t *testing.T) {
	for ways, name := range []string{"both ways", "controller to worker", "worker to controller"} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, func(proc uint64, c *Config) { c.Timing.Lease = 8 * time.Second }, func(t *testing.T, w *world) {
				time.Sleep(5 * time.Second)
				w.cut(ways, true)
				time.Sleep(12 * time.Second)
				synctest.Wait()
				lease, lost := w.recs[1].got(0, LinkLease), w.recs[0].got(1, LinkLost)
				if lease == nil || lost == nil || !lease.Time.Before(lost.Time) {
					t.Errorf("lease %v, lost %v", lease, lost)
				}
			})
		})
	}
}

func TestWithoutALeaseAWorkerNeverLosesItsController(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		w.nodes[0].Hold(1, true) // and the controller knows that it stood still itself
		w.net.both(0, 1, true)
		time.Sleep(time.Minute)
		if w.recs[1].had(0, LinkLost) || w.recs[0].had(1, LinkLost) {
			t.Fatalf("lost: %v %v", w.recs[1].told(), w.recs[0].told())
		}
		s := w.stream(1, 0, LaneCalls)
		time.Sleep(time.Second)
		w.net.both(0, 1, false)
		time.Sleep(3 * time.Second)
		w.received(0, 1, LaneCalls, s.end())
	})
}

func TestWorkersTalkToEachOtherDirectly(t *testing.T) {
	inWorld(t, 3, nil, func(t *testing.T, w *world) {
		w.nodes[1].Connect(3) // the directory would say this when 3 asks for 1
		up, down := w.stream(3, 1, LaneCalls), w.stream(1, 3, LaneCalls)
		other := w.stream(2, 3, LaneControl)
		time.Sleep(2 * time.Second)
		w.received(1, 3, LaneCalls, up.end())
		w.received(3, 1, LaneCalls, down.end())
		w.received(3, 2, LaneControl, other.end())
		if w.recs[0].had(2, LinkClosed) {
			t.Error("the controller's link closed")
		}
	})
}

func TestAPeerThatCannotBeReachedIsLostInTime(t *testing.T) {
	inWorld(t, 2, nil, func(t *testing.T, w *world) {
		w.net.both(1, 2, true)
		time.Sleep(20 * time.Second) // what it has is at rest
		start := time.Now()
		if err := w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 1, nil)); err != nil {
			t.Fatal(err)
		}
		w.recs[1].until(t, time.Minute, "lost", func() bool { return w.recs[1].saw(2, LinkLost) })
		if took := time.Since(start); took > 10500*time.Millisecond {
			t.Errorf("after %v", took)
		}
		t.Log(w.recs[1].got(2, LinkLost).Reason)
	})
}

func TestJoiningSurvivesTheLossOfAnyPacket(t *testing.T) {
	for n := 1; n <= 30; n++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 0, nil)
			defer w.close()
			w.net.drop = func(packet int, _ uint64) bool { return packet == n }
			joinOne(t, w, 1)
		})
	}
}

// A join that is slow because the network is down is not one that was refused: the controller gives a request up after 3 s,
// and the worker asks again.
func TestJoiningSurvivesACutAtAnyPacket(t *testing.T) {
	for n := 1; n <= 30; n++ {
		for ways := range 3 {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0, nil)
				defer w.close()
				start := time.Now()
				w.net.drop = func(packet int, from uint64) bool {
					return packet >= n && time.Since(start) < 4*time.Second && (ways == 2 || from == uint64(ways))
				}
				joinOne(t, w, 1)
			})
		}
	}
}

func joinOne(t *testing.T, w *world, proc uint64) {
	t.Helper()
	sc := simConn(w, proc)
	ticket, err := w.nodes[0].Ticket(ID{proc, 1}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	n, _, err := Join(ctx, ticket, Config{Conn: sc, Handler: newRecorder()})
	if err != nil {
		t.Fatal(err)
	}
	w.recs[0].until(t, time.Minute, "up", func() bool { return w.recs[0].saw(proc, LinkUp) })
	_ = n.Close("done")
}
