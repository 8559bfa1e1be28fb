package quicnet

import (
	"testing"
	"time"
)

// TestBodiesGiveWayToSmallFramesOfOthers: not to those of their own pair, which wait for them, and no longer than wayTime.
func TestBodiesGiveWayToSmallFramesOfOthers(t *testing.T) {
	own, other := pair{1, 2}, pair{1, 3}
	ownFrame, otherFrame := &outFrame{larger: &largerFrame{pair: own}}, &outFrame{route: &outRoute{key: routeKey{from: 1, to: 3}}}
	started := time.Now().Add(-time.Minute)
	var w way
	given := func() bool { return w.given(time.Since(started)) }
	w.small(otherFrame, started)
	if given() {
		t.Error("there was no body to give way")
	}
	w.begin(own)
	w.begin(own)
	w.end(own)
	w.small(ownFrame, started)
	if given() {
		t.Error("a body gives way to what waits for it")
	}
	w.small(otherFrame, started)
	at := time.Duration(w.asked.Load())
	if !w.given(at) || !w.given(at+wayTime-1) || w.given(at+wayTime) {
		t.Errorf("after a small frame of others: %v, just before %v: %v, then %v", w.given(at), wayTime, w.given(at+wayTime-1), w.given(at+wayTime))
	}
	w.end(own)
	if w.asked.Store(0); len(w.bodies) != 0 {
		t.Errorf("%v bodies are left", w.bodies)
	}
	w.begin(other)
	if w.small(ownFrame, started); w.asked.Load() == 0 {
		t.Error("a body is remembered that has been sent")
	}
}

func TestABodyPausesOnlyForAQueue(t *testing.T) {
	for _, c := range []struct{ latest, shortest, want time.Duration }{
		{0, 0, 0},
		{50 * time.Microsecond, 80 * time.Microsecond, 0},
		{180 * time.Microsecond, 80 * time.Microsecond, 0},
		{80 * time.Millisecond, 80 * time.Millisecond, 0}, // far away is no queue
		{480 * time.Microsecond, 80 * time.Microsecond, 400 * time.Microsecond},
		{time.Second, time.Millisecond, wayPause},
	} {
		if got := pause(c.latest, c.shortest); got != c.want {
			t.Errorf("round trip %v, at best %v: a pause of %v, want %v", c.latest, c.shortest, got, c.want)
		}
	}
}
