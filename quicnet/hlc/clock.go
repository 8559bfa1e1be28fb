package hlc

import (
	"sync/atomic"
	"time"
)

// MaxAhead is how far ahead of the local wall clock a reading of another clock is followed. Wall clocks that are synchronised
// at all differ by much less; more is a machine whose clock is wrong, or a process that lies, and must not take everybody
// else's clock with it.
const MaxAhead = time.Minute

const (
	countBits = 12
	// maxMicros bounds what is taken for the wall clock. It leaves 2^32 microseconds, over an hour, to count in, so that
	// not even a wall clock that is set to the end of time has a reading wrap around.
	maxMicros = 1<<(64-countBits) - 1<<32
)

// Clock gives readings. Its zero value is ready and reads the wall clock of the machine. It must not be copied after first
// use; any number of goroutines may use it, and none waits for another.
type Clock struct {
	last    atomic.Uint64
	refused atomic.Uint64
	wall    func() time.Time // nil: time.Now
	moments moments
}

// New makes a clock that takes the time from wall instead of the machine, for tests. wall is called from any goroutine.
func New(wall func() time.Time) *Clock { return &Clock{wall: wall} }

// Tick gives the reading of an event here: a message that is sent, a handler that begins.
func (c *Clock) Tick() uint64 { return c.TickAt(time.Now().UnixMicro()) }

// Observe gives the reading of the receipt of a message whose sender read remote when it sent it; 0 tells that it did not
// read its clock. The reading is larger than remote, unless remote is refused: more than MaxAhead ahead of the wall clock
// here, and ahead of this clock.
func (c *Clock) Observe(remote uint64) uint64 { return c.ObserveAt(remote, time.Now().UnixMicro()) }

// TickAt is Tick for who has just read the machine's clock, as microseconds since 1970.
func (c *Clock) TickAt(micros int64) uint64 { return c.after(0, c.at(micros)) }

// ObserveAt is Observe for a message that was received when the machine's clock was at micros, in microseconds since 1970.
func (c *Clock) ObserveAt(remote uint64, micros int64) uint64 {
	now := c.at(micros)
	if !c.takes(remote, now) {
		c.refused.Add(1)
		remote = 0
	}
	return c.after(remote, now)
}

// at is now where the machine's clock was read already.
func (c *Clock) at(micros int64) uint64 {
	if c.wall != nil {
		return c.now()
	}
	return uint64(min(max(micros, 0), maxMicros)) << countBits
}

// Takes reports whether Observe would follow the reading; it changes nothing. A reading of another process that does not
// pass is wrong, and nothing is to be concluded from it.
func (c *Clock) Takes(reading uint64) bool { return c.takes(reading, c.now()) }

// Refused gives how many readings were not followed so far.
func (c *Clock) Refused() uint64 { return c.refused.Load() }

// Time gives the time of a reading, less its count: at most one microsecond before what the wall clock read, and after it by
// as much as the clock was ahead. Any number gives a time between 1970 and 2112; 0, which is no reading, the zero time.
func Time(reading uint64) time.Time {
	if reading == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(reading >> countBits))
}

// now is the reading that the wall clock alone would give.
func (c *Clock) now() uint64 {
	if c.wall == nil {
		return c.at(time.Now().UnixMicro())
	}
	return uint64(min(max(c.wall().UnixMicro(), 0), maxMicros)) << countBits
}

// takes is Takes at the wall clock's now.
func (c *Clock) takes(reading, now uint64) bool {
	const ahead = uint64(MaxAhead/time.Microsecond) << countBits
	return reading <= now+ahead || reading < c.last.Load()
}

// after gives a reading that is later than seen and all before, and not before now.
func (c *Clock) after(seen, now uint64) uint64 {
	for {
		old := c.last.Load()
		next := max(old+1, seen+1, now)
		if c.last.CompareAndSwap(old, next) {
			return next
		}
	}
}
