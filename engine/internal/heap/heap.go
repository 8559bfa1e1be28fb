// Package heap has a worker that handles very many small messages collect its garbage less often.
//
// Go begins a collection when the heap has doubled, and never below 4 MiB. A worker's own heap is so small that the lower bound is what
// counts: at some hundred thousand calls a second it would collect a hundred times a second, and spend on that a fifth of its CPU time.
// While that is so the bound is Roof. A worker at rest, one with a large heap, and one whose garbage somebody else has decided on are left
// as they are.
//
// Invariants, each named by the test that holds it:
//
//   - INV-FEW: what collects often with a small heap has a heap of Roof at most, and is as it was when it has calmed down.
//   - INV-THEIRS: a percentage that is not the default, and not ours, is never changed.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Roof is how large the heap may become before it is collected, where that happens often otherwise: about what the caches of a
// processor's core can hold anyway.
const Roof = 16 << 20

const (
	usual = 100 // the percentage that Go has by default
	most  = 400 // the percentage at which Go's lower bound is Roof

	recent = 8                      // collections that are looked at
	often  = 250 * time.Millisecond // the time of so many, at most, of which it is said that there are many
	calm   = time.Second            // the time between two, at least, of which it is said that there are few
	step   = 25                     // percentages this near to each other are the same
)

// Tend begins to look at the collections of this process. It costs nothing while there are none. Where the environment sets GOGC or
// GOMEMLIMIT it does nothing.
func Tend() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	(&tender{}).arm()
}

// tender is told of each collection.
type tender struct {
	times [recent]time.Time // of the newest ones
	n     int
	own   int // the percentage that was set here; 0: none was
}

// sentinel is garbage from the beginning: what is done when it is cleared away is done once after a collection.
type sentinel struct{ _ [4]uint64 }

func (t *tender) arm() { runtime.AddCleanup(new(sentinel), (*tender).collected, t) }

// collected looks at the collection that has just been, and waits for the next one.
func (t *tender) collected() {
	sample := [2]metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"}}
	metrics.Read(sample[:])
	now := int(min(sample[1].Value.Uint64(), 1<<30))
	if to := t.judge(time.Now(), sample[0].Value.Uint64(), now); to != now {
		debug.SetGCPercent(to)
	}
	t.arm()
}

// judge is the percentage from now on, after a collection at a time that has left so many bytes. It was percent so far.
func (t *tender) judge(at time.Time, live uint64, percent int) int {
	first, last := t.times[t.n%recent], t.times[(t.n+recent-1)%recent]
	t.times[t.n%recent] = at
	t.n++
	switch ours := t.own != 0 && percent == t.own; {
	case !ours && percent != usual:
		t.own = 0
		return percent
	case !ours && (t.n <= recent || at.Sub(first) > often):
		return percent
	case at.Sub(last) > calm:
		t.own = 0
		return usual
	}
	to := usual
	if live < Roof/2 {
		to = int(min((Roof-live)*100/max(live, 1), most))
	}
	if t.own != 0 && to != usual && max(to-percent, percent-to) < step {
		return percent
	}
	if t.own = to; to == usual {
		t.own = 0
	}
	return to
}
