package quicnet

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/fault"
	"go.uber.org/goleak"
)

// What a cut holds back is not let go by the end of the connection that the cut brings about.
func TestWhatIsHeldBackEndsWithItsConnection(t *testing.T) {
	n := newNear(t, nil)
	there, back := n.both()
	n.shares(there, back)
	c, had := n.conn(1), there.sent
	path := fault.Path{Addr: netip.MustParseAddrPort(c.q.RemoteAddr().String()), In: []fault.Rule{{ID: 1, Seed: 1, Loss: 1}}, Out: []fault.Rule{{ID: 2, Seed: 1, Loss: 1}}}
	n.nodes[1].first.Load().pc.(faulty).SetFaults([]fault.Path{path}, func() {})
	c.memory.mu.Lock()
	c.memory.pause = make(chan struct{}) // as by a cut of which the other side knows nothing yet
	c.memory.mu.Unlock()
	before := c.memory.taken.Load()
	there.send(10)
	for late := time.Now().Add(20 * time.Second); c.memory.taken.Load() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("nothing comes by memory")
		}
	}
	c.close(closeErrorf(CodeSilent, "a test"))
	<-c.q.Context().Done()
	c.reads.Wait()
	f := n.flows[1]
	f.mu.Lock()
	got := f.next[there.pair]
	f.mu.Unlock()
	if got != had {
		t.Errorf("%d frames came through the cut", got-had)
	}
	n.nodes[1].first.Load().pc.(faulty).SetFaults(nil, func() {})
	there.arrived()
}

// Faults in the moment in which memory would be offered put it off, and no more.
func TestMemoryIsOfferedOnceFaultsAreLifted(t *testing.T) {
	n := newNear(t, nil)
	there, back := n.both()
	c := n.conn(0)
	faultIn(t, n.nodes[0], c, true)
	there.send(3 * memoryAfter)
	back.send(3 * memoryAfter)
	there.arrived()
	back.arrived()
	faultIn(t, n.nodes[0], c, false)
	n.shares(there, back)
}

// A closed node leaves neither goroutines nor memory behind, at once.
func TestCloseGivesMemoryBack(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range 5 {
		n := newNear(t, nil)
		there, back := n.both()
		n.shares(there, back)
		_ = n.nodes[1].Close("done")
		_ = n.nodes[0].Close("done")
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		if left := bytes.Count(maps, []byte("monarch-stream")); left != 0 {
			t.Errorf("%d streams are still mapped", left)
		}
	}
}

// INV-1 and INV-2 while both sides set and lift faults at once, as fast as they can, and connections break.
func TestNothingIsLostWhereBothSidesChangeTheWayAtOnce(t *testing.T) {
	n := newNear(t, nil)
	var senders []*sender
	for i := range uint64(2) {
		senders = append(senders, &sender{n: n, from: 0, pair: pair{10 + i, 20}}, &sender{n: n, from: 1, pair: pair{30 + i, 40}})
	}
	n.shares(senders...)
	over := time.Now().Add(2 * time.Second)
	var wg sync.WaitGroup
	for at := range 2 {
		wg.Go(func() {
			rule := []fault.Rule{{ID: 1, Seed: 1, Loss: 0.001}}
			for time.Now().Before(over) && !t.Failed() {
				path := fault.Path{Addr: netip.MustParseAddrPort(n.conn(at).q.RemoteAddr().String())}
				if rand.N(2) == 0 {
					path.In = rule
				}
				if rand.N(2) == 0 {
					path.Out = rule
				}
				if err := n.nodes[at].SetFaults([]fault.Path{path}, func() {}); err != nil {
					t.Error(err)
				}
				time.Sleep(rand.N(3 * time.Millisecond))
			}
			_ = n.nodes[at].SetFaults(nil, func() {})
		})
	}
	wg.Go(func() {
		for time.Now().Before(over) && !t.Failed() {
			time.Sleep(200 * time.Millisecond)
			n.conn(rand.N(2)).close(closeErrorf(CodeSilent, "a test"))
		}
	})
	for _, s := range senders {
		wg.Go(func() {
			for time.Now().Before(over) && !t.Failed() {
				s.send(20)
			}
		})
	}
	wg.Wait()
	for _, s := range senders {
		s.arrived()
	}
	n.shares(senders...)
}
