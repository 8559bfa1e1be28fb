package quicnet

import (
	"net"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
	"github.com/quic-go/quic-go/testutils/simnet"
)

// isBeside reports a datagram beside QUIC.
func isBeside(p simnet.Packet) bool { return len(p.Data) > 0 && p.Data[0]&0xc0 == 0 }

// cost is what a link costs at one end.
type cost struct{ quic, beside, looks int }

// costs counts what the two ends of a link send, and how often they look, in a time.
func (w *world) costs(a, b uint64, d time.Duration) (c [2]cost) {
	ends := [2]uint64{a, b}
	w.net.set(func(r *faultNet) {
		r.see = func(p simnet.Packet) bool {
			from, to := p.From.(*net.UDPAddr), p.To.(*net.UDPAddr)
			for i, end := range ends {
				switch {
				case !from.IP.Equal(host(end).IP) || !to.IP.Equal(host(ends[1-i]).IP):
				case isBeside(p):
					c[i].beside++
				default:
					c[i].quic++
				}
			}
			return false
		}
	})
	before := [2]uint64{w.nodes[a].looks.Load(), w.nodes[b].looks.Load()}
	time.Sleep(d)
	w.net.set(func(r *faultNet) { r.see = nil })
	for i, end := range ends {
		c[i].looks = int(w.nodes[end].looks.Load() - before[i])
	}
	return c
}

// TestALinkAtRestCostsOneDatagramEachWay holds INV-9: what a link costs in twenty minutes in which nobody uses it, and that it is looked at as
// often as ever when somebody does.
func TestALinkAtRestCostsOneDatagramEachWay(t *testing.T) {
	const beats = 20 * 80 // one in 750 ms
	for name, c := range map[string]struct {
		lease time.Duration
		pair  bool
		quic  int // packets that QUIC may send at either end, for one heartbeat a minute
		looks int // of the side that answers
	}{
		"a worker":              {0, false, 20 * 5, 20 * 2},
		"a worker with a lease": {8 * time.Second, false, 20 * 8, 20 * 6},
		"two workers":           {0, true, 20 * 8, 20 * 160},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(_ uint64, cfg *Config) { cfg.Timing.Lease = c.lease }, func(t *testing.T, w *world) {
				leads, follows := uint64(0), uint64(1)
				if c.pair {
					leads = 2
					if err := w.nodes[1].Send(t.Context(), 2, LaneCalls, call(1, 2, 1, nil)); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(5 * time.Second)
				for i, got := range w.costs(leads, follows, 20*time.Minute) {
					if got.beside < beats-40 || got.beside > beats || got.quic > c.quic {
						t.Errorf("end %d sent %d datagrams and %d packets of QUIC, want %d and %d at most", i, got.beside, got.quic, beats, c.quic)
					}
					if i == 1 && got.looks > c.looks {
						t.Errorf("it looked at its links %d times, want %d at most", got.looks, c.looks)
					}
				}
				for _, ends := range [][2]uint64{{leads, follows}, {follows, leads}} {
					s := w.stats(ends[0], ends[1])
					if s.Silence > 2*time.Second || s.State != LinkUp || w.recs[ends[0]].had(ends[1], LinkSuspect) || w.recs[ends[0]].had(ends[1], LinkLease) {
						t.Errorf("node %d: %+v %v", ends[0], s, w.recs[ends[0]].told())
					}
				}
				s := w.stream(leads, follows, LaneCalls)
				time.Sleep(time.Second) // by then it has seen that there is work
				if got := w.costs(leads, follows, 10*time.Second); got[1].looks < 38 || got[0].beside+got[1].beside > 0 {
					t.Errorf("at work it looked at its links %d times in 10 s, want 40; datagrams: %d and %d", got[1].looks, got[0].beside, got[1].beside)
				}
				w.received(follows, leads, LaneCalls, s.end())
			})
		})
	}
}

// TestDatagramsThatAreLostAreMadeUpForByTheStream holds INV-5 where a network carries QUIC and not what goes beside it, or not all of it.
func TestDatagramsThatAreLostAreMadeUpForByTheStream(t *testing.T) {
	for name, c := range map[string]struct {
		lost  func(n int, from uint64) bool
		least int // datagrams of who asks, in ten minutes
		most  int
	}{
		"all":             {func(int, uint64) bool { return true }, 8, 20},
		"all that ask":    {func(_ int, from uint64) bool { return from == 0 }, 8, 20},
		"all that answer": {func(_ int, from uint64) bool { return from == 1 }, 8, 20},
		"every third":     {func(n int, _ uint64) bool { return n%3 == 0 }, 400, 800},
	} {
		for _, lease := range []time.Duration{0, 8 * time.Second} {
			t.Run(name+" "+lease.String(), func(t *testing.T) {
				inWorld(t, 1, func(_ uint64, cfg *Config) { cfg.Timing.Lease = lease }, func(t *testing.T, w *world) {
					n, asked := 0, 0
					w.net.set(func(r *faultNet) {
						r.see = func(p simnet.Packet) bool {
							if !isBeside(p) {
								return false
							}
							from := uint64(p.From.(*net.UDPAddr).IP.To4()[3]) - 1
							if n++; from == 0 {
								asked++
							}
							return c.lost(n, from)
						}
					})
					time.Sleep(10 * time.Minute)
					w.net.mu.Lock()
					if asked < c.least || asked > c.most {
						t.Errorf("%d datagrams were sent, want %d to %d", asked, c.least, c.most)
					}
					w.net.mu.Unlock()
					for at := range uint64(2) {
						if list := w.recs[at].told(); len(list) != 1 || list[0].State != LinkUp {
							t.Errorf("node %d: %v", at, list)
						}
					}
				})
			})
		}
	}
}

// TestOnlyNewDatagramsOfThePeerCount holds INV-9: what is made up, changed, sent again or sent from elsewhere is no sign of life, and gets no answer.
func TestOnlyNewDatagramsOfThePeerCount(t *testing.T) {
	for _, lease := range []time.Duration{0, 8 * time.Second} {
		inWorld(t, 1, func(_ uint64, cfg *Config) { cfg.Timing.Lease = lease }, func(t *testing.T, w *world) {
			var kept []simnet.Packet
			known, cut := 0, false // how many were delivered
			w.net.set(func(r *faultNet) {
				r.see = func(p simnet.Packet) bool {
					if isBeside(p) {
						kept = append(kept, simnet.Packet{From: p.From, To: p.To, Data: slices.Clone(p.Data)})
					}
					return cut
				}
			})
			time.Sleep(time.Minute)
			var attack []simnet.Packet
			w.net.set(func(*faultNet) { known, cut = len(kept), true })
			start := time.Now()
			time.Sleep(time.Second)
			w.net.set(func(*faultNet) {
				if known == 0 || len(kept) == known {
					t.Errorf("%d datagrams, %d of them delivered", len(kept), known)
				}
				for i, p := range kept {
					elsewhere := p
					if i < known {
						attack = append(attack, p)
					}
					elsewhere.From = host(7)
					attack = append(attack, elsewhere)
					for bit := range 8 * len(p.Data) {
						if bit%17 == 0 {
							forged := simnet.Packet{From: p.From, To: p.To, Data: slices.Clone(p.Data)}
							forged.Data[bit/8] ^= 1 << (bit % 8)
							forged.Data[0] &= 0x3f
							attack = append(attack, forged)
						}
					}
				}
				for n := range 100 {
					attack = append(attack, simnet.Packet{From: host(0), To: host(1), Data: make([]byte, n)})
				}
			})
			before := w.nodes[1].strange.Load()
			answers := 0
			w.net.set(func(r *faultNet) {
				r.see = func(p simnet.Packet) bool {
					if isBeside(p) && p.From.(*net.UDPAddr).IP.Equal(host(1).IP) {
						answers++
					}
					return true
				}
			})
			for time.Since(start) < 5*time.Second {
				for _, p := range attack {
					_ = w.net.PerfectRouter.SendPacket(p)
					synctest.Wait()
				}
				time.Sleep(500 * time.Millisecond)
			}
			if got := int(w.nodes[1].strange.Load() - before); got < 100 {
				t.Errorf("%d of %d were counted as strange", got, len(attack))
			}
			w.net.mu.Lock()
			if answers > 0 {
				t.Errorf("%d were answered", answers)
			}
			w.net.mu.Unlock()
			for at := range uint64(2) {
				s, u := w.recs[at].got(1-at, LinkSuspect), w.recs[at].got(1-at, LinkUnreachable)
				if s == nil || u == nil || s.Time.Sub(start) > 1750*time.Millisecond || u.Time.Sub(start) > 4250*time.Millisecond || w.recs[at].had(1-at, LinkRecovered) {
					t.Errorf("node %d, cut at %v: %v", at, start, w.recs[at].told())
				}
			}
			w.net.set(func(r *faultNet) { r.see = nil })
			time.Sleep(5 * time.Second)
			if s := w.stats(0, 1); s.State != LinkUp {
				t.Errorf("afterwards it is %v: %v", s.State, w.recs[0].told())
			}
		})
	}
}

// TestALeaseCountsFromWhenTheControllerAsked: an answer that the controller has heard does not prove more than that the controller lived when
// it asked, however late the worker has read that.
func TestALeaseCountsFromWhenTheControllerAsked(t *testing.T) {
	start := time.Now()
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	var v liveness
	v.attached(start, 0)
	v.heard.note(7, at(5)) // it was sent at 1, and the worker stood still
	v.confirmed(besideBeat{n: 8, heard: 7, took: 4 * time.Second}, at(6))
	if !v.lease.Equal(at(1)) || !v.contact.Equal(at(6)) {
		t.Errorf("lease from %v, contact %v", v.lease.Sub(start), v.contact.Sub(start))
	}
	v.heard.note(8, at(6))
	v.confirmed(besideBeat{n: 9, heard: 7, took: 4 * time.Second}, at(7)) // it has not heard the last answer
	if !v.lease.Equal(at(1)) || !v.heard.proven.Equal(at(1)) || v.heard.presumed {
		t.Errorf("lease from %v, proven %v, presumed %v", v.lease.Sub(start), v.heard.proven.Sub(start), v.heard.presumed)
	}
	for _, heard := range []uint64{0, 3, 1 << 63} { // what never came, or is forgotten, proves nothing
		v.confirmed(besideBeat{n: 10, heard: heard, took: -time.Hour}, at(8))
		if !v.lease.Equal(at(1)) || v.heard.presumed {
			t.Errorf("heard %d: lease from %v", heard, v.lease.Sub(start))
		}
	}
}

// testBesides are the two ends of a connection.
func testBesides(t testing.TB) (a, b *beside) {
	t.Helper()
	x, y := slices.Repeat([]byte{1}, 8+besideKey), slices.Repeat([]byte{2}, 8+besideKey)
	a, err := besideOf(x, y)
	if err != nil {
		t.Fatal(err)
	}
	b, err = besideOf(y, x)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// TestADatagramIsTakenOnce holds INV-9: in any order, within 64 of the newest, once.
func TestADatagramIsTakenOnce(t *testing.T) {
	a, b := testBesides(t)
	made := map[uint64][]byte{}
	for n := uint64(1); n <= 300; n++ {
		made[n] = a.encode(besideBeat{n: n, heard: n - 1, took: time.Duration(n) * time.Microsecond})
	}
	for _, c := range []struct {
		n    uint64
		good bool
	}{{5, true}, {5, false}, {3, true}, {4, true}, {3, false}, {1, true}, {70, true}, {6, false}, {7, true}, {7, false}, {300, true}, {236, false}, {237, true}, {70, false}, {300, false}, {299, true}} {
		m, err := b.decode(made[c.n])
		if (err == nil) != c.good || c.good && m != (besideBeat{c.n, c.n - 1, time.Duration(c.n) * time.Microsecond}) {
			t.Errorf("%d: %+v %v", c.n, m, err)
		}
	}
	if _, err := a.decode(made[200]); err == nil {
		t.Error("its own datagram was taken")
	}
}

func FuzzBeside(f *testing.F) {
	a, _ := testBesides(f)
	f.Add(a.encode(besideBeat{n: 1, heard: 7, took: time.Hour}))
	f.Add([]byte{besideFirst})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, d []byte) {
		a, b := testBesides(t)
		m, err := b.decode(d)
		if err == nil && !slices.Equal(a.encode(m), d) {
			t.Errorf("%x was taken for %+v", d, m)
		}
		if _, err := b.decode(d); err == nil {
			t.Error("it was taken twice")
		}
		(&Node{}).takeBeside(d, host(1))
	})
}

// Once a day QUIC would end a connection of which it sees nothing.
func TestQUICIsAskedToo(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		time.Sleep(30 * time.Second)
		got := w.costs(0, 1, 10*time.Minute)
		if got[0].quic < 10 || got[1].quic < 10 {
			t.Errorf("in ten minutes %d and %d packets of QUIC were sent", got[0].quic, got[1].quic)
		}
	})
}

// TestDatagramsGoByTheSocketOfTheNode: by both carriers, and injected faults lose them as any packet of that peer.
func TestDatagramsGoByTheSocketOfTheNode(t *testing.T) {
	for name, o := range map[string]carrier.Options{"fast": {}, "plain": {Plain: true}} {
		t.Run(name, func(t *testing.T) {
			quick := Timing{Tick: 20 * time.Millisecond, Heartbeat: 40 * time.Millisecond, Suspect: 300 * time.Millisecond, Rest: 40 * time.Millisecond}
			rec := newRecorder()
			ctl := newSession(t, Config{Handler: rec, Timing: quick, Carrier: o})
			w := join(t, ctl, ID{1, 1}, Config{Handler: newRecorder(), Timing: quick, Carrier: o})
			p, err := ctl.peer(1)
			if err != nil {
				t.Fatal(err)
			}
			rests := func() bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return p.live.beside && p.live.answered >= p.live.beat && p.state == LinkUp
			}
			await := func(what string, ok func() bool) {
				for late := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
					if time.Now().After(late) {
						t.Fatal(what)
					}
				}
			}
			await("it does not rest", rests)
			to := netip.MustParseAddrPort(w.Addr().String())
			rule := []fault.Rule{{ID: 1, Seed: 1, Loss: 1}}
			for _, path := range []fault.Path{{Addr: to, Out: rule}, {Addr: to, In: rule}} {
				seen := len(rec.told())
				if err := ctl.SetFaults([]fault.Path{path}, func() {}); err != nil {
					t.Fatal(err)
				}
				await("what goes beside QUIC passes by the faults", func() bool { return len(rec.told()) > seen })
				if err := ctl.SetFaults(nil, func() {}); err != nil {
					t.Fatal(err)
				}
				await("it does not rest again", rests)
			}
			stranger, err := net.Dial("udp", ctl.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer stranger.Close()
			before := ctl.strange.Load()
			for _, d := range [][]byte{make([]byte, besideBytes), {besideFirst}, make([]byte, 1200)} {
				if _, err := stranger.Write(d); err != nil {
					t.Fatal(err)
				}
			}
			await("garbage was not counted", func() bool { return ctl.strange.Load() >= before+3 })
			await("it does not rest after garbage", rests)
		})
	}
}

// TestAnAddressMayChangeAtRest: heartbeats beside QUIC do not hide that QUIC does not reach the peer any more.
func TestAnAddressMayChangeAtRest(t *testing.T) {
	for _, lease := range []time.Duration{0, 8 * time.Second} {
		inWorld(t, 1, func(_ uint64, cfg *Config) { cfg.Timing.Lease = lease }, func(t *testing.T, w *world) {
			time.Sleep(10 * time.Second)
			w.net.set(func(r *faultNet) { r.port = 9101 })
			time.Sleep(10 * time.Second)
			for at := range uint64(2) {
				if err := w.nodes[at].Send(t.Context(), 1-at, LaneCalls, call(at, 1-at, 1, nil)); err != nil {
					t.Fatal(err)
				}
				rec := w.recs[1-at]
				rec.until(t, time.Second, "a message", func() bool { return len(rec.frames) == 1 })
				if lease > 0 && w.recs[at].had(1-at, LinkUnreachable) || w.recs[at].had(1-at, LinkLost) || w.recs[at].had(1-at, LinkLease) {
					t.Errorf("node %d: %v", at, w.recs[at].told())
				}
			}
			time.Sleep(5 * time.Second)
			for i, got := range w.costs(0, 1, 30*time.Second) {
				if got.beside < 30 || got.quic > 10 {
					t.Errorf("at the new address end %d does not rest: %+v", i, got)
				}
			}
		})
	}
}
