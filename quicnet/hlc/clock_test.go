package hlc_test

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// wall is a wall clock that tests set, in microseconds since 1970.
type wall struct{ at atomic.Int64 }

func (w *wall) now() time.Time { return time.UnixMicro(w.at.Load()) }

const start = 1_800_000_000_000_000 // microseconds since 1970: 2027

func at(micros int64) (*hlc.Clock, *wall) {
	w := new(wall)
	w.at.Store(micros)
	return hlc.New(w.now), w
}

// reading is one as the package comment describes it.
func reading(micros int64, count uint64) uint64 { return uint64(micros)<<12 | count }

func TestAReadingIsTheWallClockAndACount(t *testing.T) {
	c, w := at(start)
	for n := range uint64(3) {
		if got := c.Tick(); got != reading(start, n) {
			t.Errorf("reading %d is %x, want %x", n, got, reading(start, n))
		}
	}
	w.at.Add(5)
	if got := c.Tick(); got != reading(start+5, 0) {
		t.Errorf("5 µs later it is %x, want a new count: %x", got, reading(start+5, 0))
	}
	w.at.Add(-1_000_000_000) // somebody sets the machine's clock back
	if got := c.Tick(); got != reading(start+5, 1) {
		t.Errorf("with the wall clock set back it is %x, want %x", got, reading(start+5, 1))
	}
	if got := hlc.Time(reading(start, 4095)); !got.Equal(time.UnixMicro(start)) {
		t.Errorf("the time of a reading is %v", got)
	}
}

func TestAFullCountCarriesIntoTheTime(t *testing.T) {
	c, _ := at(start)
	var last uint64
	for range 4096 + 1 {
		last = c.Tick()
	}
	if last != reading(start+1, 0) {
		t.Errorf("after 4097 readings in one microsecond: %x, want %x", last, reading(start+1, 0))
	}
	if got := c.Observe(reading(start+1, 4095)); got != reading(start+2, 0) {
		t.Errorf("past a full count: %x, want %x", got, reading(start+2, 0))
	}
}

// TestAReceiptIsLaterThanItsMessage holds INV-CAUSE, for a receiver whose wall clock is behind and for one that is ahead.
func TestAReceiptIsLaterThanItsMessage(t *testing.T) {
	for name, behind := range map[string]int64{"behind": 30_000_000, "even": 0, "ahead": -30_000_000} {
		t.Run(name, func(t *testing.T) {
			a, _ := at(start)
			b, _ := at(start - behind)
			sent := a.Tick()
			came := b.Observe(sent)
			answered := b.Tick()
			back := a.Observe(answered)
			if sent >= came || came >= answered || answered >= back {
				t.Errorf("%x, %x, %x, %x", sent, came, answered, back)
			}
			if a.Refused()+b.Refused() != 0 {
				t.Error("one was refused")
			}
		})
	}
}

// TestAClockThatIsWrongTakesNobodyWithIt holds INV-AHEAD.
func TestAClockThatIsWrongTakesNobodyWithIt(t *testing.T) {
	minute := hlc.MaxAhead.Microseconds()
	for name, c := range map[string]struct {
		remote  uint64
		refused uint64
	}{
		"none":                    {0, 0},
		"of long ago":             {reading(1, 0), 0},
		"a minute ahead":          {reading(start+minute, 0), 0},
		"a little more":           {reading(start+minute, 1), 1},
		"a day ahead":             {reading(start+24*60*minute, 0), 1},
		"the largest of all":      {math.MaxUint64, 1},
		"the largest but one":     {math.MaxUint64 - 1, 1},
		"of the end of the epoch": {reading(1<<52-1, 0), 1},
	} {
		t.Run(name, func(t *testing.T) {
			clock, _ := at(start)
			before := clock.Tick()
			if clock.Takes(c.remote) != (c.refused == 0) {
				t.Error("Takes says otherwise")
			}
			got := clock.Observe(c.remote)
			if clock.Refused() != c.refused {
				t.Errorf("refused %d, want %d", clock.Refused(), c.refused)
			}
			if got <= before || c.refused == 0 && got <= c.remote || c.refused != 0 && got != before+1 {
				t.Errorf("%x after %x, shown %x", got, before, c.remote)
			}
			if limit := reading(start+minute, 1); got > limit {
				t.Errorf("it is at %x, past %x", got, limit)
			}
		})
	}
}

func TestAClockSetBackStillTakesItsOwnReadings(t *testing.T) {
	c, w := at(start)
	sent := c.Tick()
	w.at.Add(-time.Hour.Microseconds())
	c.Tick()
	if got := c.Observe(sent); got <= sent || c.Refused() != 0 {
		t.Errorf("%x after %x, %d refused", got, sent, c.Refused())
	}
}

func TestNoWallClockIsTooStrange(t *testing.T) {
	for _, micros := range []int64{math.MinInt64, -1, 0, 1, 1<<52 - 1, 1 << 52, math.MaxInt64} {
		c, w := at(micros)
		last := uint64(0)
		for range 10_000 {
			got := c.Tick()
			if got <= last {
				t.Fatalf("at %d: %x after %x", micros, got, last)
			}
			last = got
		}
		w.at.Store(start)
		if got := c.Observe(math.MaxUint64); got <= last {
			t.Errorf("from %d to now: %x after %x", micros, got, last)
		}
	}
}

func TestEveryNumberHasATime(t *testing.T) {
	if !hlc.Time(0).IsZero() {
		t.Errorf("no reading is at %v", hlc.Time(0))
	}
	for _, r := range []uint64{1, 1 << 12, 1 << 63, math.MaxUint64} {
		if y := hlc.Time(r).UTC().Year(); y < 1970 || y > 2112 {
			t.Errorf("%x is in the year %d", r, y)
		}
	}
}

// TestWhateverHappensReadingsRise holds INV-RISES and INV-CAUSE: processes whose wall clocks jump send each other what they
// read, and what nobody read.
func TestWhateverHappensReadingsRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "processes")
		clocks, walls, last := make([]*hlc.Clock, n), make([]*wall, n), make([]uint64, n)
		for i := range n {
			clocks[i], walls[i] = at(start + rapid.Int64Range(-120_000_000, 120_000_000).Draw(t, "skew"))
		}
		inFlight := []uint64{0, math.MaxUint64}
		for range rapid.IntRange(1, 100).Draw(t, "events") {
			i := rapid.IntRange(0, n-1).Draw(t, "process")
			var got uint64
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				walls[i].at.Add(rapid.Int64Range(-90_000_000, 90_000_000).Draw(t, "jump"))
				continue
			case 1:
				got = clocks[i].Tick()
				inFlight = append(inFlight, got)
			case 2:
				remote := rapid.Uint64().Draw(t, "lie")
				takes := clocks[i].Takes(remote)
				if got = clocks[i].Observe(remote); takes && got <= remote {
					t.Fatalf("received at %x what was sent at %x", got, remote)
				}
			default:
				remote := rapid.SampledFrom(inFlight).Draw(t, "message")
				takes, refused := clocks[i].Takes(remote), clocks[i].Refused()
				got = clocks[i].Observe(remote)
				if takes != (clocks[i].Refused() == refused) || takes && got <= remote {
					t.Fatalf("received at %x what was sent at %x; taken: %v", got, remote, takes)
				}
			}
			limit := max(last[i]+1, reading(walls[i].at.Load()+hlc.MaxAhead.Microseconds(), 1))
			if got <= last[i] || got > limit {
				t.Fatalf("%x after %x, at most %x", got, last[i], limit)
			}
			last[i] = got
		}
	})
}

// TestReadingsRiseForEverybodyAtOnce holds INV-RISES.
func TestReadingsRiseForEverybodyAtOnce(t *testing.T) {
	const goroutines, each = 4, 500_000 // enough that two of them meet
	c, w := at(start)
	all := make([][]uint64, goroutines)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for g := range goroutines {
		all[g] = make([]uint64, each)
		wg.Go(func() {
			<-begin
			for i := range each {
				switch i % 1000 {
				case 0:
					w.at.Add(int64(g - 2)) // back and forth
				case 1:
					c.Observe(math.MaxUint64)
				}
				if i%8 != 0 {
					all[g][i] = c.Tick()
				} else {
					all[g][i] = c.Observe(c.Tick())
				}
			}
		})
	}
	close(begin)
	wg.Wait()
	for _, own := range all {
		if !slices.IsSorted(own) {
			t.Error("what one goroutine read fell")
		}
	}
	merged := slices.Concat(all...)
	slices.Sort(merged)
	if n := len(slices.Compact(merged)); n != goroutines*each {
		t.Errorf("%d readings were given twice", goroutines*each-n)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	var c hlc.Clock
	if n := testing.AllocsPerRun(100, func() { c.Observe(c.Tick()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if off := time.Since(hlc.Time(c.Tick())); off < -time.Second || off > time.Minute {
		t.Errorf("the zero clock is %v behind the machine's", off)
	}
}

// BenchmarkTick is what a message that is sent pays.
func BenchmarkTick(b *testing.B) {
	var c hlc.Clock
	b.ReportAllocs()
	for b.Loop() {
		c.Tick()
	}
}

// BenchmarkObserve is what a message that comes pays.
func BenchmarkObserve(b *testing.B) {
	var c, far hlc.Clock
	b.ReportAllocs()
	for b.Loop() {
		c.Observe(far.Tick())
	}
}

// BenchmarkTickAtOnce is BenchmarkTick with everybody at the same clock.
func BenchmarkTickAtOnce(b *testing.B) {
	var c hlc.Clock
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Tick()
		}
	})
}
