// Package clock is the engine's clock. It is the monotonic clock of the process, less the time in which it was held: while
// a debugger keeps an actor stopped, the deadlines that the engine gives stand still. Deadlines that a user makes with
// package context go by the standard clock and run on.
//
// Invariants, each named by the test that holds it:
//
//   - INV-STILL: nothing that was set by AfterFunc or WithTimeout runs while the clock is held.
//   - INV-REST: after a release, what was set runs when the rest of its time is over, not at once.
//   - INV-ONCE: of a hold and an expiry the one that takes the clock's lock first wins: what has begun to expire expires.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock is a clock that can be held. Its zero value runs. It is safe for concurrent use.
type Clock struct {
	lost atomic.Int64 // nanoseconds in which it was held, up to the last release

	mu      sync.Mutex
	holders int
	since   time.Time // of the first holder
	waiting map[*Timer]struct{}
}

// Hold stops the clock until as many Releases have followed as there were Holds.
func (c *Clock) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holders++; c.holders == 1 {
		c.since = time.Now()
	}
}

// Release undoes one Hold. The clock goes on with the last.
func (c *Clock) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holders == 0 {
		panic("clock: Release without Hold")
	}
	if c.holders--; c.holders > 0 {
		return
	}
	c.lost.Add(int64(time.Since(c.since)))
	for t := range c.waiting {
		t.arm()
	}
	c.waiting = nil
}

// Held reports whether the clock stands.
func (c *Clock) Held() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.holders > 0
}

// Now is the time by this clock. It is for differences only: by the wall it may be any time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// now is Now for who holds c.mu.
func (c *Clock) now() time.Time {
	at := time.Now()
	if c.holders > 0 {
		at = c.since
	}
	return at.Add(-time.Duration(c.lost.Load()))
}

// Wall is when a time of this clock comes by the standard clock, if the clock is not held any more from now on.
func (c *Clock) Wall(at time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	at = at.Add(time.Duration(c.lost.Load()))
	if c.holders > 0 {
		at = at.Add(time.Since(c.since))
	}
	return at
}

// Timer is what AfterFunc has set.
type Timer struct {
	c     *Clock
	at    time.Time // by the clock
	f     func()
	std   *time.Timer
	ended bool // it has run, or was stopped; guarded by c.mu
}

// AfterFunc runs f, on a goroutine of its own, when d has passed by this clock.
func (c *Clock) AfterFunc(d time.Duration, f func()) *Timer { return c.at(c.Now().Add(d), f) }

// at is AfterFunc with a time by this clock.
func (c *Clock) at(at time.Time, f func()) *Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &Timer{c: c, at: at, f: f}
	t.arm()
	return t
}

// arm sets the standard timer for the rest of the time. The caller holds c.mu.
func (t *Timer) arm() {
	rest := max(t.at.Sub(t.c.now()), 0)
	if t.std == nil {
		t.std = time.AfterFunc(rest, t.fire)
		return
	}
	t.std.Reset(rest)
}

// fire is called by the standard timer, which knows nothing of holds.
func (t *Timer) fire() {
	c := t.c
	c.mu.Lock()
	switch {
	case t.ended:
		c.mu.Unlock()
		return
	case c.holders > 0:
		if c.waiting == nil {
			c.waiting = map[*Timer]struct{}{}
		}
		c.waiting[t] = struct{}{}
		c.mu.Unlock()
		return
	case c.now().Before(t.at):
		t.arm()
		c.mu.Unlock()
		return
	}
	t.ended = true
	c.mu.Unlock()
	t.f()
}

// Stop keeps f from running. It reports false where f has begun or was stopped before.
func (t *Timer) Stop() bool {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	was := !t.ended
	t.ended = true
	delete(t.c.waiting, t)
	t.std.Stop()
	return was
}
