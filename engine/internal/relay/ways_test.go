package relay

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// delivery is the controller's end: two ways, each of which keeps its order, and takes as long as it likes.
type delivery struct {
	own, agent []int // numbers on their way; 0 only asks
	asks       []uint64
	sent       uint64 // to the agent
	settles    []uint64
	last       int
	t          *testing.T
}

func (d *delivery) arrive(q *[]int) {
	n := (*q)[0]
	*q = (*q)[1:]
	if n == 0 {
		return
	}
	if n <= d.last {
		d.t.Fatalf("%d came after %d", n, d.last)
	}
	d.last = n
}

// TestNothingOvertakesOnTheOtherWay holds INV-ONEWAY, for one sender and any delay of what it sends and of what it is told.
func TestNothingOvertakesOnTheOtherWay(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		d := &delivery{t: t}
		var took, confirmed uint64 // frames by the agent that the controller has, and that are confirmed
		came := uint64(0)          // frames by the own link that the controller has
		var w *Ways
		step := func() {
			switch random.IntN(4) {
			case 0:
				if len(d.own) > 0 {
					d.arrive(&d.own)
					came++
				}
			case 1:
				if len(d.agent) > 0 {
					d.arrive(&d.agent)
					took++
				}
			case 2:
				for len(d.asks) > 0 && d.asks[0] <= took {
					confirmed = d.asks[0]
					d.asks = d.asks[1:]
					w.Confirm(confirmed)
				}
			case 3:
				for len(d.settles) > 0 && d.settles[0] <= came {
					w.Settle(d.settles[0])
					d.settles = d.settles[1:]
				}
			}
		}
		w = NewWays(func() bool { return len(d.own) == 0 }, func() {
			d.agent = append(d.agent, 0)
			d.sent++
			d.asks = append(d.asks, d.sent)
		})
		for n := 1; n < 200; n++ {
			for range random.IntN(4) {
				step()
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			large := random.IntN(10) == 0
			way, err := w.Take(ctx, random.IntN(2) == 0, large)
			switch {
			case err != nil && large: // it would have waited
			case err != nil:
				t.Fatal(err)
			case way.Agent:
				d.agent = append(d.agent, n)
				if d.sent++; way.Ask {
					d.asks = append(d.asks, d.sent)
				}
			default:
				d.own = append(d.own, n)
				if k := w.Handed(); way.Ask {
					d.settles = append(d.settles, k)
				}
			}
		}
	}
}

// TestALargeFrameWaitsForWhatIsWithTheAgent, and everything small behind it.
func TestALargeFrameWaitsForWhatIsWithTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		w := NewWays(func() bool { return true }, func() { asked++ })
		take := func(near, large bool) Way {
			way, err := w.Take(t.Context(), near, large)
			if err != nil {
				t.Error(err)
			}
			return way
		}
		if !take(true, false).Agent {
			t.Fatal("nothing goes to the agent")
		}
		done := make(chan Way, 2)
		go func() { done <- take(false, true) }()
		synctest.Wait()
		go func() { done <- take(true, false) }()
		synctest.Wait()
		if len(done) != 0 || asked != 1 {
			t.Fatalf("%d went, %d asked; want both to wait, and one to ask", len(done), asked)
		}
		w.Confirm(1) // what asked has overtaken the frame before it
		synctest.Wait()
		if len(done) != 0 || asked != 2 {
			t.Fatalf("%d went before all had come; asked %d times, want that again", len(done), asked)
		}
		w.Confirm(3)
		for range 2 {
			if way := <-done; way.Agent {
				t.Error("one went to the agent")
			}
		}
		w.Handed()
		w.Handed()
		w.Confirm(9) // nobody sent so many
		if _, err := w.Take(t.Context(), true, false); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.Take(ctx, false, true); err == nil {
			t.Error("a large frame went while one was with the agent")
		}
	})
}

// TestNobodyWaitsForAFrameThatWasNotSent, because whoever sent it gave up.
func TestNobodyWaitsForAFrameThatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWays(func() bool { return true }, func() {})
		var last Way
		for _, near := range []bool{true, false} { // the second one asks
			way, err := w.Take(t.Context(), near, false)
			if err != nil || !way.Agent || way.Ask == near {
				t.Fatalf("%+v, %v", way, err)
			}
			last = way
		}
		done := make(chan error)
		go func() {
			_, err := w.Take(t.Context(), false, true)
			done <- err
		}()
		synctest.Wait()
		w.Failed(last)
		synctest.Wait() // it asks in its place
		w.Confirm(2)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
