package hlc

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// ticking is a clock that goes by ticks already.
func ticking() *Clock {
	c := new(Clock)
	c.Ticks(func() bool { panic("asked once more") })
	c.moments.reads.Store(ticksAfter)
	c.moments.ticked.Store(haveTicks)
	return c
}

// Between two readings of the machine's clock there is none of a clock by ticks that is far from both.
func TestAClockByTicksIsTheMachines(t *testing.T) {
	if b, _ := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource"); !haveTicks || string(b) != "tsc\n" {
		t.Skip("there are no ticks here that are time")
	}
	c := ticking()
	byTicks := 0
	for begin := time.Now(); time.Since(begin) < 100*time.Millisecond; {
		before := time.Since(began)
		m := c.Now()
		after := time.Since(began)
		if at := time.Duration(m.mono); at < before-100*time.Microsecond || at > after+100*time.Microsecond {
			t.Fatalf("it was %v; the machine's clock said %v before and %v after", at, before, after)
		}
		if c.moments.base.Load().scale != 0 {
			byTicks++
		}
	}
	if byTicks == 0 {
		t.Error("it never went by ticks")
	}
	if off := time.Until(c.Now().Time()); off.Abs() > time.Second {
		t.Errorf("it is %v off the wall clock", off)
	}
}

// Who made the clock is asked once, when it has been read often.
func TestAClockGoesByTicksOnceItIsReadOften(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		var c Clock
		asked := 0
		c.Ticks(func() bool { asked++; return trusted })
		for range ticksAfter - 1 {
			c.Now()
		}
		if asked != 0 || c.moments.ticked.Load() {
			t.Errorf("it was asked %d times already", asked)
		}
		for range 2 * ticksAfter {
			c.Now()
		}
		if want := haveTicks; (asked == 1) != want || c.moments.ticked.Load() != (want && trusted) {
			t.Errorf("it was asked %d times, and goes by ticks: %v, for they are to be trusted: %v", asked, c.moments.ticked.Load(), trusted)
		}
	}
}

// A test's clock stands still or leaps, and ticks do neither.
func TestTicksAreNoClockInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ticking()
		for _, d := range []time.Duration{0, 1, time.Microsecond, time.Millisecond, 9 * time.Millisecond, 11 * time.Millisecond, time.Second, time.Hour} {
			for range 100 {
				before := c.Now()
				time.Sleep(d)
				if now := c.Now(); now.Sub(before) != d || !now.Time().Equal(time.Now()) {
					t.Fatalf("after %v there is a difference of %v; it is %v, and %v by the clock", d, now.Sub(before), now.Time(), time.Now())
				}
			}
		}
	})
}

// The length of a tick is known after a while, and no more where the two clocks have not passed the same time.
func TestATickIsAsLongAsTheMachinesClockSays(t *testing.T) {
	var m moments
	last, now := (*base)(nil), base{Moment: Moment{wall: inUse}, ticks: 1 << 60}
	pass := func(d time.Duration, ticks uint64) *base {
		now.Moment, now.ticks = now.after(int64(d)), now.ticks+ticks
		next := now
		m.measure(last, &next)
		last = &next
		return last
	}
	known := func(what string, b *base, want uint64) {
		t.Helper()
		if b.scale>>20 != want>>20 || (b.age != 0) != (want != 0) {
			t.Errorf("%s: a tick is %d/2^32 ns for %d ticks, want %d", what, b.scale, b.age, want)
		}
	}
	const ms = time.Millisecond
	half := uint64(1 << 31) // of a nanosecond
	known("at first", pass(0, 0), 0)
	known("after 9 ms", pass(9*ms, 18e6), 0)
	known("after 10 ms", pass(ms, 2e6), half)
	known("a day later", pass(24*time.Hour, 2*24*3600e9), half)
	known("after it was suspended", pass(time.Second, 5e9), 0)
	known("9 ms after that", pass(9*ms, 18e6), 0)
	known("11 ms after that", pass(2*ms, 4e6), half)
	known("with another processor, which counts from elsewhere", pass(ms, -now.ticks/2), 0)
	known("whose ticks are longer", pass(20*ms, 10e6), 4*half)
	known("and where time went backwards", pass(-ms, 500), 0)
	now.wall = 0
	known("with no wall clock", pass(20*ms, 10e6), 0)
}
