package quicnet

import (
	"sync"
	"time"
)

// longestRest is the longest that the links of a node are not looked at.
const longestRest = time.Minute

// alarm wakes the goroutine that looks at the links. Heartbeats of the peer put it off while the node rests, without a wake.
type alarm struct {
	clock waker

	mu      sync.Mutex
	due     time.Time
	alone   bool      // one link only, at rest: a look may be put off,
	latest  time.Time // until then
	soon    bool      // it was asked for at once
	looking bool      // one has begun: it may have seen what was before
}

// waker is a timer that can be set again while somebody waits for it.
type waker interface {
	set(d time.Duration) // from 1 ns
	wait() bool          // one at a time; false: it is closed
	close()
}

// set has the next look come in d.
func (a *alarm) set(now time.Time, d time.Duration, alone bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looking = false
	if a.soon {
		return
	}
	a.due, a.alone, a.latest = now.Add(d), alone, now.Add(longestRest)
	a.clock.set(d)
}

// putOff has it come in d, unless it has to come before.
func (a *alarm) putOff(now time.Time, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.alone && !a.soon {
		a.due = earlier(now.Add(d), a.latest)
		a.clock.set(max(a.due.Sub(now), 1))
	}
}

// hurry has it come at once where it would not come within d.
func (a *alarm) hurry(now time.Time, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.soon && (a.looking || a.due.Sub(now) > d) {
		a.soon, a.due = true, now
		a.clock.set(1)
	}
}

// changed is hurry for another link or another connection: what is put off for one link holds no more.
func (a *alarm) changed(now time.Time, d time.Duration) {
	a.mu.Lock()
	a.alone = false
	a.mu.Unlock()
	a.hurry(now, d)
}

// wait waits for the time of a look and says when it should have come; false: there is none any more.
func (a *alarm) wait() (due time.Time, ok bool) {
	ok = a.clock.wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.soon, a.looking = false, true
	return a.due, ok
}

// goTimer is a waker by Go's timers: one that is set again later has the runtime wake at the earlier time as well.
type goTimer struct {
	t    *time.Timer
	once sync.Once
	done chan struct{}
}

func newGoTimer() *goTimer {
	return &goTimer{t: time.NewTimer(longestRest), done: make(chan struct{})}
}

func (g *goTimer) set(d time.Duration) { g.t.Reset(d) }

func (g *goTimer) wait() bool {
	select {
	case <-g.t.C:
	case <-g.done:
	}
	select {
	case <-g.done:
		return false
	default:
		return true
	}
}

func (g *goTimer) close() {
	g.once.Do(func() {
		g.t.Stop()
		close(g.done)
	})
}

var _ waker = (*goTimer)(nil)
