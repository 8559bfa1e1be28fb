package main

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// result is one measurement of one peer.
type result struct {
	Peer  string  `json:"peer"`
	What  string  `json:"what"`
	Place string  `json:"place,omitempty"`
	Rep   int     `json:"rep"`
	P50   float64 `json:"p50_us,omitempty"`
	P99   float64 `json:"p99_us,omitempty"`
	Rate  float64 `json:"rate,omitempty"`      // calls per second
	CPU   float64 `json:"cpu_us,omitempty"`    // of both processes, per call
	Secs  float64 `json:"seconds,omitempty"`   // of a start-up
	MiB   float64 `json:"idle_mib,omitempty"`  // private memory of an idle worker, median
	Shown float64 `json:"shown_ms,omitempty"`  // of a stop: from attaching
	Armed float64 `json:"armed_ms,omitempty"`  // of a stop: from setting the breakpoint
	Free  float64 `json:"free,omitempty"`      // of a stop: calls per second without it
	NS    float64 `json:"ns,omitempty"`        // of a codec
	Bytes int     `json:"bytes,omitempty"`     // encoded
	Alloc int64   `json:"allocs_op,omitempty"` // of a codec
}

// The measurements of calls.
const (
	whatRTT   = "round trip"
	what64    = "64 in flight"
	what1024  = "1024 in flight"
	whatCast  = "call on all ranks"
	whatStart = "start-up"
	whatStop  = "a stop"
)

// caller makes calls of worker w, one at a time per worker, and knows the CPU time of the process that answers.
type caller struct {
	call      func(w int) error
	serverCPU func() (time.Duration, error)
	close     func()
}

// rtt is one call at a time.
func rtt(d time.Duration, c *caller) (result, error) {
	for end := time.Now().Add(d / 4); time.Now().Before(end); {
		if err := c.call(0); err != nil {
			return result{}, err
		}
	}
	took := make([]time.Duration, 0, 1<<18)
	cpu, err := c.cpu()
	if err != nil {
		return result{}, err
	}
	begin := time.Now()
	for last := begin; last.Sub(begin) < d; {
		if err := c.call(0); err != nil {
			return result{}, err
		}
		now := time.Now()
		took = append(took, now.Sub(last))
		last = now
	}
	return c.finish(whatRTT, took, time.Since(begin), cpu)
}

// flood is k goroutines with one call at a time each.
func flood(what string, k int, d time.Duration, c *caller) (result, error) {
	var stop, record atomic.Bool
	var wg sync.WaitGroup
	took, errs := make([][]time.Duration, k), make([]error, k)
	for w := range k {
		wg.Go(func() {
			for !stop.Load() {
				begin := time.Now()
				if errs[w] = c.call(w); errs[w] != nil {
					return
				}
				if record.Load() {
					took[w] = append(took[w], time.Since(begin))
				}
			}
		})
	}
	time.Sleep(d / 4) // warm
	cpu, err := c.cpu()
	begin := time.Now()
	record.Store(true)
	time.Sleep(d)
	record.Store(false)
	wall := time.Since(begin)
	all := slices.Concat(took...)
	r, err2 := c.finish(what, all, wall, cpu)
	stop.Store(true)
	wg.Wait()
	return r, errors.Join(append(errs, err, err2)...)
}

func (c *caller) cpu() (time.Duration, error) {
	server, err := c.serverCPU()
	return server + ownCPU(), err
}

func (c *caller) finish(what string, took []time.Duration, wall, cpuBefore time.Duration) (result, error) {
	cpu, err := c.cpu()
	if err != nil {
		return result{}, err
	}
	if len(took) == 0 {
		return result{}, errors.New("no call was answered in time")
	}
	slices.Sort(took)
	n := len(took)
	return result{What: what, P50: us(took[n/2]), P99: us(took[n*99/100]), Rate: float64(n) / wall.Seconds(), CPU: us(cpu-cpuBefore) / float64(n)}, nil
}

func us(d time.Duration) float64 { return float64(d) / 1e3 }

// ownCPU is the user and system time of this process.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
