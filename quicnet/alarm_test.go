package quicnet

import (
	"sync"
	"testing"
	"time"
)

// wakers are those there are on this system.
func wakers() map[string]func() waker {
	return map[string]func() waker{"Go's": func() waker { return newGoTimer() }, "the system's": newWaker}
}

func TestAWakerIsSetAgainWhileSomebodyWaits(t *testing.T) {
	for name, newOne := range wakers() {
		t.Run(name, func(t *testing.T) {
			w := newOne()
			woke, ended := false, false
			var wg sync.WaitGroup
			first := make(chan struct{})
			w.set(time.Hour)
			wg.Go(func() {
				woke = w.wait()
				close(first)
				ended = !w.wait()
			})
			w.set(2 * time.Hour)
			w.set(1)
			<-first
			w.set(time.Hour)
			w.close()
			wg.Wait()
			w.set(1) // does nothing
			w.close()
			if !woke || !ended || w.wait() {
				t.Errorf("woke: %v, ended: %v", woke, ended)
			}
		})
	}
}

// fakeWaker records how it is set.
type fakeWaker struct{ d time.Duration }

func (f *fakeWaker) set(d time.Duration) { f.d = d }
func (f *fakeWaker) wait() bool          { return true }
func (f *fakeWaker) close()              {}

// Heartbeats put a look off, but no longer than longestRest, only while one link rests, and not one that was asked for at once.
func TestALookIsPutOffWithinBounds(t *testing.T) {
	clock := &fakeWaker{}
	a := alarm{clock: clock}
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	a.set(start, time.Second, false)
	if a.putOff(start, time.Hour); clock.d != time.Second {
		t.Errorf("put off by %v while several links are looked at", clock.d)
	}
	a.set(start, time.Second, true)
	if a.putOff(at(1), 3*time.Second); clock.d != 3*time.Second || !a.due.Equal(at(4)) {
		t.Errorf("put off by %v", clock.d)
	}
	if a.putOff(at(58), 3*time.Second); clock.d != 2*time.Second {
		t.Errorf("put off by %v where it has to come 60 s after the last", clock.d)
	}
	if a.putOff(at(70), 3*time.Second); clock.d != 1 {
		t.Errorf("put off by %v where it is late", clock.d)
	}
	a.set(start, time.Second, true)
	if a.hurry(start, time.Second); clock.d != time.Second {
		t.Error("it was hurried though it comes in time")
	}
	a.changed(start, time.Second)
	if a.putOff(start, time.Minute); clock.d != time.Second {
		t.Error("a look at another link was put off")
	}
	a.hurry(start, 0)
	a.set(start, time.Minute, true)
	if a.putOff(start, time.Minute); clock.d != 1 {
		t.Errorf("one that was asked for at once was put off by %v", clock.d)
	}
	if due, ok := a.wait(); !ok || !due.Equal(start) {
		t.Errorf("it was due %v after the start", due.Sub(start))
	}
	if a.set(start, time.Minute, true); clock.d != time.Minute {
		t.Errorf("after it the next comes in %v", clock.d)
	}
	a.wait()
	a.hurry(start.Add(time.Minute), 0) // what is to be seen came while a look was under way
	if a.set(start, time.Minute, true); clock.d != 1 {
		t.Errorf("after a look that may have missed something the next comes in %v", clock.d)
	}
}
