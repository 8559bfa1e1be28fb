package quicnet

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The swarm: a controller and three workers, all of which call all others at random, while a nemesis does to the network what its
// seed says. Then the network heals, and every call must have had one outcome: its reply, or the loss of the link that it went
// over. No call runs twice, none runs out of order, and after the faults everybody reaches everybody again.
//
// SWARM_SEED=n runs one seed, as a failure prints it; SWARM_SEEDS=k runs k, SWARM_FOR=10m as many as fit, from SWARM_FROM on.

type swarmKey struct{ from, to, id uint64 }

type swarm struct {
	w    *world
	seed uint64

	mu     sync.Mutex
	open   map[swarmKey]bool // calls without an outcome
	ran    map[swarmKey]int
	last   map[[2]uint64]uint64 // of each pair: the call that ran last
	counts swarmCounts
	wrong  []string
}

// swarmCounts is what became of the calls.
type swarmCounts struct{ calls, replies, lost, refused, faults, renewed int }

func (c *swarmCounts) add(o swarmCounts) {
	c.calls += o.calls
	c.replies += o.replies
	c.lost += o.lost
	c.refused += o.refused
	c.faults += o.faults
	c.renewed += o.renewed
}

func (s *swarm) complain(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// take is a node's Frame: it runs calls, and answers them, and takes answers.
func (s *swarm) take(at uint64, env *Envelope) {
	s.mu.Lock()
	switch env.Kind {
	case KindCall:
		k := swarmKey{env.From.Proc, at, env.ID}
		pair := [2]uint64{k.from, k.to}
		if s.ran[k]++; s.ran[k] > 1 {
			s.complain("call %v ran %d times", k, s.ran[k])
		}
		if k.id <= s.last[pair] {
			s.complain("call %v ran behind call %d", k, s.last[pair])
		}
		s.last[pair] = k.id
		s.mu.Unlock()
		over, cancel := context.WithCancel(context.Background())
		cancel() // a handler does not wait
		ans := &Envelope{Kind: KindReply, ID: 1<<40 | env.ID, From: Addr{at, 1}, To: Addr{k.from, 1}, Index: env.ID, Body: env.Body}
		_ = s.w.nodes[at].Send(over, k.from, LaneCalls, ans) // where the link is lost, so is the call
		return
	case KindReply:
		k := swarmKey{at, env.From.Proc, env.Index}
		switch {
		case s.open[k]:
			delete(s.open, k)
			s.counts.replies++
		case s.ran[k] == 0:
			s.complain("an answer to %v, which never ran", k)
		}
	default:
		s.complain("a %s came", env.Kind)
	}
	s.mu.Unlock()
}

// link is a node's Link: the calls over a link that is over are lost. As the engine does, a worker asks for another link.
func (s *swarm) link(at uint64, ev LinkEvent) {
	if !ev.State.final() {
		return
	}
	s.mu.Lock()
	for k := range s.open {
		if k.from == at && k.to == ev.Peer.Proc {
			delete(s.open, k)
			s.counts.lost++
		}
	}
	s.counts.renewed++
	if !ev.Again {
		s.complain("node %d lost %s for good: %s", at, ev.Peer, ev.Reason)
	}
	s.mu.Unlock()
	s.w.nodes[at].Renew(ev.Peer.Proc)
}

// call sends a numbered call.
func (s *swarm) call(ctx context.Context, from, to, id uint64, size int) {
	k := swarmKey{from, to, id}
	s.mu.Lock()
	s.counts.calls++
	s.open[k] = true
	s.mu.Unlock()
	err := s.w.nodes[from].Send(ctx, to, LaneCalls, &Envelope{Kind: KindCall, ID: id, From: Addr{from, 1}, To: Addr{to, 1}, Body: make([]byte, size)})
	if err != nil {
		s.mu.Lock()
		if s.open[k] {
			delete(s.open, k)
			s.counts.refused++
		}
		s.mu.Unlock()
	}
}

// nemesis does one thing to the network after the other until its time is over, then heals it.
func (s *swarm) nemesis(rnd *rand.Rand) {
	net := s.w.net
	healed := time.Now()
	for end := time.Now().Add(time.Duration(6+rnd.IntN(6)) * time.Second); time.Now().Before(end); {
		a := rnd.Uint64N(4)
		b := (a + 1 + rnd.Uint64N(3)) % 4
		lasts := time.Duration(200+rnd.IntN(2500)) * time.Millisecond
		if time.Since(healed) > 3*time.Second { // the controller is to lose nobody: who is lost to it has to end
			s.heal()
			healed = time.Now()
		}
		switch what := rnd.IntN(8); {
		case what < 2 || what == 4 && min(a, b) == 0:
			net.both(a, b, true)
		case what < 4:
			net.oneWay(a, b, true)
		case what == 4: // long enough for two workers to lose each other
			s.heal()
			net.both(a, b, true)
			lasts = time.Duration(11+rnd.IntN(4)) * time.Second
		case what == 5:
			net.set(func(r *faultNet) { r.loss = 0.2 * rnd.Float64() })
		case what == 6:
			net.set(func(r *faultNet) { r.reorder, r.double = rnd.Float64()/2, rnd.Float64()/2 })
		case what == 7:
			net.set(func(r *faultNet) { r.corrupt = rnd.Float64() / 10 })
		}
		time.Sleep(lasts)
		if rnd.IntN(3) > 0 {
			s.heal()
			healed = time.Now()
		}
	}
	s.heal()
}

func (s *swarm) heal() {
	s.w.net.set(func(r *faultNet) { r.loss, r.reorder, r.double, r.corrupt = 0, 0, 0, 0; clear(r.cut) })
}

// play runs one seed.
func play(t *testing.T, seed uint64) swarmCounts {
	t.Helper()
	s := &swarm{seed: seed, open: map[swarmKey]bool{}, ran: map[swarmKey]int{}, last: map[[2]uint64]uint64{}}
	inWorld(t, 3, nil, func(t *testing.T, w *world) {
		s.w = w
		rnd := rand.New(rand.NewPCG(seed, 0))
		w.net.set(func(r *faultNet) { r.rnd = rand.New(rand.NewPCG(seed, 1)) })
		for at, rec := range w.recs {
			rec.mu.Lock()
			rec.onGet = func(_ ID, _ Lane, env *Envelope) { s.take(uint64(at), env) }
			rec.onLink = func(ev LinkEvent) { s.link(uint64(at), ev) }
			rec.forget = true
			rec.mu.Unlock()
		}
		ctx, stop := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		next := make([]uint64, 16) // by pair
		for from := range uint64(4) {
			mine := rand.New(rand.NewPCG(seed, 2+from))
			callers.Go(func() {
				for ctx.Err() == nil {
					time.Sleep(time.Duration(10+mine.IntN(80)) * time.Millisecond)
					to, size := mine.Uint64N(4), 20
					if to == from {
						continue
					}
					if mine.IntN(10) == 0 {
						size = 80 << 10
					}
					next[4*from+to]++
					s.call(ctx, from, to, next[4*from+to], size)
				}
			})
		}
		s.nemesis(rnd)
		time.Sleep(15 * time.Second) // what is found out late is found out now
		stop()
		callers.Wait()
		for from := range uint64(4) { // everybody reaches everybody
			for to := range uint64(4) {
				if from != to {
					next[4*from+to]++
					s.call(t.Context(), from, to, next[4*from+to], 20)
				}
			}
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		for from := range uint64(4) {
			for to := range uint64(4) {
				if k := (swarmKey{from, to, next[4*from+to]}); from != to && s.ran[k] != 1 {
					s.complain("after the faults %d does not reach %d", from, to)
				}
			}
		}
		for k := range s.open {
			s.complain("call %v has no outcome", k)
		}
		s.counts.faults = w.net.happened()
		if s.counts.faults == 0 {
			s.complain("nothing has happened to the network")
		}
		s.open = map[swarmKey]bool{} // closing ends links
	})
	for _, what := range s.wrong[:min(len(s.wrong), 10)] {
		t.Errorf("SWARM_SEED=%d: %s", seed, what)
	}
	return s.counts
}

// TestEveryCallOfASwarmHasOneOutcome holds INV-1, INV-2 and INV-7 under faults at random.
func TestEveryCallOfASwarmHasOneOutcome(t *testing.T) {
	number := func(name string) uint64 {
		n, err := strconv.ParseUint(cmp.Or(os.Getenv(name), "0"), 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	if seed := number("SWARM_SEED"); seed > 0 {
		t.Logf("%+v", play(t, seed))
		return
	}
	lasts, err := time.ParseDuration(cmp.Or(os.Getenv("SWARM_FOR"), "0"))
	if err != nil {
		t.Fatalf("SWARM_FOR: %v", err)
	}
	from, count := max(number("SWARM_FROM"), 1), number("SWARM_SEEDS")
	if count == 0 && lasts == 0 {
		count = 4
	}
	var sum swarmCounts
	began, seed := time.Now(), from
	for ; (seed < from+count || time.Since(began) < lasts) && !t.Failed(); seed++ {
		sum.add(play(t, seed))
		if n := seed - from + 1; n%100 == 0 {
			t.Logf("%d seeds: %+v", n, sum)
		}
	}
	t.Logf("seeds %d to %d: %d calls, of which %d were answered, %d lost with their link and %d refused at once; %d packets were harmed, %d links made anew",
		from, seed-1, sum.calls, sum.replies, sum.lost, sum.refused, sum.faults, sum.renewed)
}
