package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Result is one measurement of one peer. What was not measured is 0.
type Result struct {
	Peer  string  `json:"peer"`
	What  string  `json:"what"`
	Place string  `json:"place,omitempty"`
	Rep   int     `json:"rep"`
	P50   float64 `json:"p50_us,omitempty"`
	P99   float64 `json:"p99_us,omitempty"`
	Rate  float64 `json:"rate,omitempty"`     // calls per second
	CPU   float64 `json:"cpu_us,omitempty"`   // of both processes, per call
	Secs  float64 `json:"seconds,omitempty"`  // of a start-up
	MiB   float64 `json:"idle_mib,omitempty"` // private memory of an idle worker, median
	Shown float64 `json:"shown_ms,omitempty"` // of a stop: from attaching
	Armed float64 `json:"armed_ms,omitempty"` // of a stop: from setting the breakpoint
	Free  float64 `json:"free,omitempty"`     // of a stop: calls per second without it
	Err   string  `json:"err,omitempty"`      // why it could not be measured
}

// What is measured of calls.
const (
	RoundTrip = "round trip"
	At64      = "64 in flight"
	At1024    = "1024 in flight"
	OnAll     = "call on all ranks"
	StartUp   = "start-up"
	AtRest    = "at rest"
)

// Payload is what a call carries there and back.
var Payload = []byte("sixteen bytes ok")

// Caller makes calls of worker w, one at a time per worker, and knows the CPU time of the process that answers.
type Caller struct {
	Call      func(w int) error
	ServerCPU func() (time.Duration, error)
	Close     func()
}

// Tell writes a result for the process that started this one.
func Tell(r Result) error { return json.NewEncoder(os.Stdout).Encode(r) }

// Calls measures the peer that connect connects to, each time anew: a round trip, 64 calls in flight and 1,024, or those of
// them that only names. It tells each result.
func Calls(peer string, d time.Duration, only func(what string) bool, connect func(inFlight int) (*Caller, error)) error {
	for _, m := range []struct {
		what     string
		inFlight int
	}{{RoundTrip, 1}, {At64, 64}, {At1024, 1024}} {
		if !only(m.what) {
			continue
		}
		r, err := one(m.what, m.inFlight, d, connect)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		r.Peer = peer
		if err := Tell(r); err != nil {
			return err
		}
	}
	return nil
}

func one(what string, inFlight int, d time.Duration, connect func(int) (*Caller, error)) (Result, error) {
	c, err := connect(inFlight)
	if err != nil {
		return Result{}, err
	}
	defer c.Close()
	if inFlight == 1 {
		return RTT(d, c)
	}
	return Flood(what, inFlight, d, c)
}

// RTT is one call at a time.
func RTT(d time.Duration, c *Caller) (Result, error) {
	for end := time.Now().Add(d / 4); time.Now().Before(end); {
		if err := c.Call(0); err != nil {
			return Result{}, err
		}
	}
	took := make([]time.Duration, 0, 1<<18)
	cpu, err := c.cpu()
	if err != nil {
		return Result{}, err
	}
	begin := time.Now()
	for last := begin; last.Sub(begin) < d; {
		if err := c.Call(0); err != nil {
			return Result{}, err
		}
		now := time.Now()
		took = append(took, now.Sub(last))
		last = now
	}
	wall := time.Since(begin)
	after, err := c.cpu()
	if err != nil {
		return Result{}, err
	}
	return result(RoundTrip, took, len(took), wall, after-cpu)
}

// timedOf is of how many calls of a flood one is timed. Two readings of the clock and a place to keep them cost a quarter of a microsecond
// a call, a tenth of the fastest peer's: that is the measurement's, not theirs.
const timedOf = 8

// flooder is one goroutine of a flood. The blank keeps the counts of two of them out of one cache line.
type flooder struct {
	calls atomic.Int64
	took  []time.Duration
	err   error
	_     [64]byte
}

// Flood is k goroutines with one call at a time each.
func Flood(what string, k int, d time.Duration, c *Caller) (Result, error) {
	var stop, record atomic.Bool
	var wg sync.WaitGroup
	flood := make([]flooder, k)
	for w := range k {
		wg.Go(func() {
			for f := &flood[w]; !stop.Load(); {
				n := f.calls.Load()
				timed := (n+int64(w))%timedOf == 0 && record.Load()
				var begin time.Time
				if timed {
					begin = time.Now()
				}
				if f.err = c.Call(w); f.err != nil {
					return
				}
				if timed {
					f.took = append(f.took, time.Since(begin))
				}
				f.calls.Store(n + 1)
			}
		})
	}
	calls := func() (n int64) {
		for i := range flood {
			n += flood[i].calls.Load()
		}
		return n
	}
	time.Sleep(d / 4) // warm
	cpu, err := c.cpu()
	if err != nil {
		return Result{}, err
	}
	begin, before := time.Now(), calls()
	record.Store(true)
	time.Sleep(d)
	n, wall := calls()-before, time.Since(begin)
	after, err := c.cpu()
	record.Store(false)
	stop.Store(true)
	wg.Wait()
	errs := []error{err}
	var took []time.Duration
	for i := range flood {
		took, errs = append(took, flood[i].took...), append(errs, flood[i].err)
	}
	if err := errors.Join(errs...); err != nil {
		return Result{}, err
	}
	return result(what, took, int(n), wall, after-cpu)
}

// castCalls is how many calls on all ranks are measured.
const castCalls = 100

// Cast measures calls on all ranks, one after the other.
func Cast(call func() error) (Result, error) {
	took := make([]time.Duration, castCalls)
	for range castCalls / 10 { // warm
		if err := call(); err != nil {
			return Result{}, err
		}
	}
	for i := range took {
		begin := time.Now()
		if err := call(); err != nil {
			return Result{}, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return Result{What: OnAll, P50: Micros(took[castCalls/2]), P99: Micros(took[castCalls*99/100])}, nil
}

func (c *Caller) cpu() (time.Duration, error) {
	server, err := c.ServerCPU()
	return server + OwnCPU(), err
}

// result is that of n calls, some of which took that long.
func result(what string, took []time.Duration, n int, wall, cpu time.Duration) (Result, error) {
	if len(took) == 0 || n == 0 {
		return Result{}, errors.New("no call was answered in time")
	}
	slices.Sort(took)
	return Result{What: what, P50: Micros(took[len(took)/2]), P99: Micros(took[len(took)*99/100]), Rate: float64(n) / wall.Seconds(), CPU: Micros(cpu) / float64(n)}, nil
}

// Micros is d in microseconds.
func Micros(d time.Duration) float64 { return float64(d) / 1e3 }

// OwnCPU is the user and system time of this process.
func OwnCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
