package fault

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	peerAddr = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7001}
	peer     = netip.MustParseAddrPort("127.0.0.1:7001")
	other    = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7002}
)

// sink is what left, with when, from the beginning.
type sink struct {
	j     *Injector
	begin time.Time

	mu    sync.Mutex
	got   []string
	woken int
	notes int
}

func newSink(paths ...Path) *sink {
	s := &sink{begin: time.Now()}
	s.j = New(func() { s.add(&s.woken) }, func() { s.add(&s.notes) })
	s.j.Set(paths)
	return s
}

func (s *sink) add(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

// left is what has left until now.
func (s *sink) left() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *sink) send(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, fmt.Sprintf("%s at %v", p, time.Since(s.begin)))
}

// out has packets leave, which go at once where they are not judged.
func (s *sink) out(packets ...string) {
	for _, p := range packets {
		if !s.j.Out([]byte(p), peerAddr, s.send) {
			s.send([]byte(p))
		}
	}
}

func (s *sink) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func want(t *testing.T, have []string, want ...string) {
	t.Helper()
	if !slices.Equal(have, want) {
		t.Errorf("have %q\nwant %q", have, want)
	}
}

func TestPacketsAreHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Delay: 50 * time.Millisecond}}})
		s.out("a")
		s.wait(20 * time.Millisecond)
		s.out("b")
		want(t, s.left())
		s.wait(time.Second)
		want(t, s.left(), "a at 50ms", "b at 70ms")
		if c := s.j.Counts(); len(c) != 1 || c[0] != (Count{ID: 1, Seen: 2, Delayed: 2}) || s.notes != 2 {
			t.Errorf("counts %v, %d notes", c, s.notes)
		}
		if s.j.Out([]byte("c"), other, s.send) {
			t.Error("a packet for somebody else was judged")
		}
	})
}

// TestNoPacketOvertakesAnother holds INV-LINE: whatever jitter is drawn.
func TestNoPacketOvertakesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Seed: 9, Delay: 20 * time.Millisecond, Jitter: 20 * time.Millisecond}}})
		for i := range 200 {
			s.out(fmt.Sprint(i))
			s.wait(time.Millisecond)
		}
		s.wait(time.Second)
		if len(s.left()) != 200 {
			t.Fatalf("%d of 200 packets came", len(s.left()))
		}
		moved := false
		for i, g := range s.left() {
			var n int
			var at string
			if _, err := fmt.Sscanf(g, "%d at %s", &n, &at); err != nil || n != i {
				t.Fatalf("packet %d is %q", i, g)
			}
			d, _ := time.ParseDuration(at)
			moved = moved || d-time.Duration(i)*time.Millisecond != 20*time.Millisecond
		}
		if !moved {
			t.Error("no packet was later or earlier than another: there was no jitter")
		}
	})
}

// TestTheSeedDecides holds INV-SEED: the same packets are lost whenever the seed is the same, others with another, and others
// again in another direction.
func TestTheSeedDecides(t *testing.T) {
	lost := func(seed, stream uint64, pause time.Duration) (which []int) {
		synctest.Test(t, func(t *testing.T) {
			s := newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Seed: seed, Stream: stream, Loss: 0.1}}})
			for i := range 1000 {
				before := len(s.left())
				s.out("x")
				if len(s.left()) == before {
					which = append(which, i)
				}
				time.Sleep(pause)
			}
			if c := s.j.Counts()[0]; c.Seen != 1000 || c.Dropped != uint64(len(which)) {
				t.Errorf("counted %+v, lost %d", c, len(which))
			}
		})
		return which
	}
	first := lost(7, 1, 0)
	if n := len(first); n < 60 || n > 150 {
		t.Errorf("of 1000 packets at 10 %% loss %d were lost", n)
	}
	if again := lost(7, 1, time.Millisecond); !slices.Equal(first, again) {
		t.Errorf("the same seed lost other packets: %v and %v", first, again)
	}
	if slices.Equal(first, lost(8, 1, 0)) || slices.Equal(first, lost(7, 2, 0)) {
		t.Error("another seed, or another direction, lost the same packets")
	}
}

func TestSoManyBytesPassInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Rate: 1000}}})
		s.out(string(make([]byte, 100)), string(make([]byte, 200)))
		s.wait(2 * time.Second)
		s.out(string(make([]byte, 50)))
		s.wait(time.Second)
		var at []string
		for _, g := range s.left() {
			at = append(at, g[len(g)-len("2.05s"):])
		}
		want(t, at, "100ms", "300ms", "2.05s")
	})
}

// TestLiftedFaultsHoldNothingBack holds INV-LIFT.
func TestLiftedFaultsHoldNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Delay: time.Hour}}, In: []Rule{{ID: 1, Delay: time.Hour}}})
		s.out("a", "b")
		if !s.j.In([]byte("c"), peerAddr) {
			t.Fatal("what came was not held")
		}
		s.wait(time.Second)
		want(t, s.left())
		s.j.Set(nil)
		want(t, s.left(), "a at 1s", "b at 1s")
		p, ok := s.j.Due()
		if !ok || string(p.Data) != "c" || p.Addr.String() != peerAddr.String() || s.woken != 1 {
			t.Errorf("for the reader: %q from %v, %v; woken %d times", p.Data, p.Addr, ok, s.woken)
		}
		if !s.j.Idle() || len(s.j.Counts()) != 0 {
			t.Error("something is left")
		}
		s.out("d")
		want(t, s.left()[2:], "d at 1s")
	})
}

// TestARuleThatStaysGoesOn: others come and go beside it, and it neither draws anew nor forgets what it held.
func TestARuleThatStaysGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(change bool) (got []string) {
			loss := Rule{ID: 1, Seed: 5, Loss: 0.5}
			s := newSink(Path{Addr: peer, Out: []Rule{loss}})
			for i := range 40 {
				if change && i == 20 {
					s.j.Set([]Path{{Addr: peer, Out: []Rule{loss, {ID: 2}}}})
				}
				s.out(fmt.Sprint(i))
			}
			return s.left()
		}
		want(t, run(true), run(false)...)
		s := newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Delay: time.Second}, {ID: 2, Delay: time.Second}}})
		s.out("a")
		s.j.Set([]Path{{Addr: peer, Out: []Rule{{ID: 1, Delay: time.Second}}}})
		s.wait(500 * time.Millisecond)
		s.out("b")
		s.wait(3 * time.Second)
		want(t, s.left(), "a at 2s", "b at 2s")
	})
}

// TestWhatIsHeldIsBounded holds INV-BOUND.
func TestWhatIsHeldIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Delay: time.Minute}}})
		for range MaxHeld + 10 {
			s.out("x")
		}
		if c := s.j.Counts()[0]; c.Dropped != 10 {
			t.Errorf("%d packets beyond the bound were lost, want 10", c.Dropped)
		}
		s.j.Close()
		s.wait(2 * time.Minute)
		want(t, s.left())
		s = newSink(Path{Addr: peer, Out: []Rule{{ID: 1, Delay: time.Minute}}})
		for range 20 {
			s.out(string(make([]byte, 1<<20)))
		}
		if c := s.j.Counts()[0]; c.Dropped != 4 {
			t.Errorf("of 20 MiB %d were lost beyond the bound, want 4", c.Dropped)
		}
		s.j.Close()
	})
}
