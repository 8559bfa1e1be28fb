package hlc

import (
	"math"
	"sync/atomic"
	"time"
)

// Moment is when something was, as the clock of a process knows it: a smaller time.Time, and cheaper to work with. It is for
// differences, which do not depend on a wall clock that is set, and to be told as a time.
type Moment struct {
	mono int64 // nanoseconds of this process, since some time of its own
	wall int64 // nanoseconds since 1970
}

// Sub is how long after another moment of the same process it was.
func (m Moment) Sub(other Moment) time.Duration { return time.Duration(m.mono - other.mono) }

// Micros is microseconds since 1970.
func (m Moment) Micros() int64 { return m.wall / int64(time.Microsecond) }

// Time is the wall clock's. The zero Moment has the zero time.
func (m Moment) Time() time.Time {
	if m == (Moment{}) {
		return time.Time{}
	}
	return time.Unix(0, m.wall)
}

// after is the moment so many nanoseconds later.
func (m Moment) after(ns int64) Moment { return Moment{m.mono + ns, m.wall + ns} }

// moments is what Now goes by. A reading of the machine's clock is a fiftieth of a call between two processes, and there are two of them
// in one. So a clock that is read often goes by the processor's counter of ticks from one of its readings to the next, a millisecond
// later. How long a tick is it finds out from the machine's clock, and anew whenever the two have not passed the same time: after the
// machine was suspended or moved, or in a test with a clock of its own.
type moments struct {
	base   atomic.Pointer[base]
	origin atomic.Pointer[base] // from which the length of a tick is known
	asked  func() bool          // whether ticks may be gone by; nil: they may not
	reads  atomic.Uint32        // up to ticksAfter
	ticked atomic.Bool          // it goes by ticks
}

// base is one reading of the machine's clock.
type base struct {
	Moment

	ticks uint64 // the counter then
	scale uint64 // how long a tick is, in 2^-32 ns; 0: not known
	age   uint64 // for how many ticks Now goes by it
}

const (
	baseAge    = time.Second           // how long Now goes by one reading of the wall clock where it has no ticks,
	tickAge    = time.Millisecond      // and where it has
	ticksAfter = 4096                  // readings after which a clock goes by them
	ticksKnown = 10 * time.Millisecond // how long a tick is measured at least
	oneReading = 16384                 // ticks that a reading of the machine's clock may take, else something came between
)

// inUse is a time, in nanoseconds since 1970, before which a wall clock is a test's, or unset: the beginning of 2020.
const inUse = 1_577_836_800_000_000_000

// Now is the machine's time, at a fraction of the cost of time.Now: the time that has passed since a reading of the wall clock, a second
// ago at most, added to it. A wall clock that was set is followed with the next reading.
func (c *Clock) Now() Moment {
	b := c.moments.base.Load()
	if haveTicks && b != nil {
		if t := ticks() - b.ticks; t < b.age {
			return b.after(int64(t * b.scale >> 32))
		}
	}
	return c.moments.read(b)
}

// Ticks has Now go by the ticks of the processor, where it is read often, and where trusted says then that those of all processors run
// evenly and together. It is called before the clock is used.
func (c *Clock) Ticks(trusted func() bool) { c.moments.asked = trusted }

// began is when the moments of this process begin to count.
var began = time.Now()

// read is Now by the machine's clock. b is the reading before; nil: there is none.
func (m *moments) read(b *base) Moment {
	age := baseAge
	if haveTicks && m.asked != nil && m.goesByTicks() {
		age = ticksKnown
	}
	mono := int64(time.Since(began))
	if b != nil && b.scale == 0 && mono-b.mono < int64(age) {
		return b.after(mono - b.mono)
	}
	first := ticks()
	at := time.Now() // both in one reading: whoever had to wait between two would be ahead by as much, for a second
	next := &base{Moment: Moment{int64(at.Sub(began)), at.UnixNano()}, ticks: ticks()}
	if !haveTicks || !m.ticked.Load() {
		next.ticks = 0
		m.base.Store(next)
		return next.Moment
	}
	if next.ticks-first < oneReading {
		m.measure(b, next)
		m.base.Store(next)
	}
	return next.Moment
}

// goesByTicks counts a reading, and reports whether there were enough of them.
func (m *moments) goesByTicks() bool {
	if m.reads.Load() < ticksAfter && m.reads.Add(1) == ticksAfter {
		m.ticked.Store(m.asked())
	}
	return m.ticked.Load()
}

// measure finds out how long a tick is, for the time after next; b is the reading before it.
func (m *moments) measure(b, next *base) {
	o := m.origin.Load()
	if next.wall < inUse || o == nil || b != nil && !b.agrees(next) {
		m.origin.Store(next)
		return
	}
	passed, counted := float64(next.mono-o.mono), float64(next.ticks-o.ticks)
	if scale := passed / counted; passed >= float64(ticksKnown) && scale > 0 && scale < 8 {
		next.scale, next.age = uint64(scale*(1<<32)), uint64(float64(tickAge)/scale)
	}
}

// agrees reports whether as much time has passed by the ticks as by the machine's clock.
func (b *base) agrees(next *base) bool {
	if b.scale == 0 {
		return true
	}
	passed, counted := float64(next.mono-b.mono), float64(next.ticks-b.ticks)*float64(b.scale)/(1<<32)
	return math.Abs(passed-counted) <= passed/64+5000
}
