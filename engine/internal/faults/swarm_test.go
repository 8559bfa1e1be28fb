//go:build linux

package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// The swarm of processes: eight workers, which are called by the program and call each other, while a nemesis stops, continues and
// kills them as its seed says. Every call has one outcome in time, no call runs twice, and who was not killed answers in the end.
//
// SWARM_SEED=n runs one seed, as a failure prints it; SWARM_SEEDS=k runs k of them, from SWARM_FROM on.

// Ticket is a call of the swarm: every one has a number of its own.
type Ticket struct {
	Number uint64
	Via    int // whom to pass it on to, -1: nobody
}

// Stamp notes a ticket, and passes it on.
func (v *Victim) Stamp(ctx context.Context, t Ticket) (int, error) {
	v.mu.Lock()
	if v.stamped == nil {
		v.stamped = map[uint64]int{}
	}
	v.stamped[t.Number]++
	n := v.stamped[t.Number]
	v.mu.Unlock()
	if t.Via < 0 {
		return n, nil
	}
	return engine.Method(v.Peer.Slice(engine.At("gpus", t.Via)), (*Victim).Stamp).CallOne(ctx, Ticket{Number: t.Number | 1<<63, Via: -1})
}

// Twice lists the tickets that were stamped more than once.
func (v *Victim) Twice(context.Context) ([]uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []uint64
	for n, times := range v.stamped {
		if times > 1 {
			out = append(out, n)
		}
	}
	return out, nil
}

const swarmSize = 8

// swarmResult is what became of the calls of a seed.
type swarmResult struct{ calls, answered, lost, notSent, deadline, killed, stopped int }

func playProcesses(t *testing.T, seed uint64) (sum swarmResult) {
	t.Helper()
	s := watched(t, swarmSize, engine.Output(nil, nil))
	if err := engine.Action(s.mesh, (*Victim).Befriend).Call(s.ctx, s.mesh); err != nil {
		t.Fatal(err)
	}
	vm, err := engine.Query(s.mesh, (*Victim).Pid).Call(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	pids := vm.Answered()
	var mu sync.Mutex
	complain := func(format string, args ...any) {
		t.Helper()
		t.Errorf("SWARM_SEED=%d: %s", seed, fmt.Sprintf(format, args...))
	}
	over := make(chan struct{})
	var callers sync.WaitGroup
	for c := range uint64(8) {
		mine := rand.New(rand.NewPCG(seed, 10+c))
		callers.Go(func() {
			for n := c << 32; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				rank, via := mine.IntN(swarmSize), mine.IntN(2*swarmSize)-swarmSize
				if via < 0 || via == rank {
					via = -1
				}
				limit := time.Duration(200+mine.IntN(800)) * time.Millisecond
				ctx, cancel := context.WithTimeout(s.ctx, limit)
				began := time.Now()
				times, err := engine.Method(at(s.mesh, rank), (*Victim).Stamp).CallOne(ctx, Ticket{n, via})
				took := time.Since(began)
				cancel()
				mu.Lock()
				sum.calls++
				switch {
				case err == nil && times == 1:
					sum.answered++
				case err == nil:
					complain("ticket %d was stamped %d times", n, times)
				case errors.Is(err, engine.ErrDeadline):
					sum.deadline++
				case errors.Is(err, engine.ErrLost):
					sum.lost++
				case errors.Is(err, engine.ErrNotSent):
					sum.notSent++
				default:
					complain("a call ended with %v", err)
				}
				if took > limit+2*time.Second {
					complain("a call with %v took %v: %v", limit, took, err)
				}
				mu.Unlock()
			}
		})
	}
	rnd := rand.New(rand.NewPCG(seed, 0))
	dead, still := map[int]bool{}, map[int]bool{}
	for range 6 + rnd.IntN(6) {
		rank := rnd.IntN(swarmSize)
		switch what := rnd.IntN(4); {
		case dead[rank]:
		case what == 0 && len(dead) < swarmSize/2:
			dead[rank] = true
			_ = syscall.Kill(pids[rank], syscall.SIGKILL) // that it may have ended is what this is about
			sum.killed++
		case what < 3 && !still[rank]:
			still[rank] = true
			_ = syscall.Kill(pids[rank], syscall.SIGSTOP)
			sum.stopped++
		default:
			delete(still, rank)
			_ = syscall.Kill(pids[rank], syscall.SIGCONT)
		}
		time.Sleep(time.Duration(20+rnd.IntN(150)) * time.Millisecond) // the nemesis's own pace
	}
	for rank := range still {
		_ = syscall.Kill(pids[rank], syscall.SIGCONT)
	}
	close(over)
	callers.Wait()
	for rank := range swarmSize {
		if dead[rank] {
			s.until(t, rank, "ended", 2*time.Second, hasEnded)
			if ends := s.ends(rank); len(ends) != 1 {
				complain("rank %d has %d ends: %+v", rank, len(ends), ends)
			}
			continue
		}
		twice, err := engine.Query(at(s.mesh, rank), (*Victim).Twice).CallOne(s.ctx)
		if err != nil || len(twice) > 0 {
			complain("in the end rank %d says %v, %v", rank, twice, err)
		}
	}
	if sum.killed+sum.stopped == 0 {
		complain("nothing has happened to anybody")
	}
	if err := s.procs.Kill(s.ctx); err != nil {
		complain("%v", err)
	}
	return sum
}

func TestEveryCallOfASwarmOfProcessesHasOneOutcome(t *testing.T) {
	number := func(name, without string) uint64 {
		n, err := strconv.ParseUint(cmp.Or(os.Getenv(name), without), 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	from, count := number("SWARM_FROM", "1"), number("SWARM_SEEDS", "2")
	if seed := number("SWARM_SEED", "0"); seed > 0 {
		from, count = seed, 1
	}
	lasts, err := time.ParseDuration(cmp.Or(os.Getenv("SWARM_FOR"), "0"))
	if err != nil {
		t.Fatalf("SWARM_FOR: %v", err)
	}
	var sum swarmResult
	began, seed := time.Now(), from
	for ; (seed < from+count || time.Since(began) < lasts) && !t.Failed(); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := playProcesses(t, seed)
			sum.calls += r.calls
			sum.answered += r.answered
			sum.lost += r.lost
			sum.notSent += r.notSent
			sum.deadline += r.deadline
			sum.killed += r.killed
			sum.stopped += r.stopped
		})
	}
	t.Logf("seeds %d to %d: %d calls, of which %d were answered, %d lost, %d not sent and %d over their time; %d workers were killed, %d stopped for a while",
		from, seed-1, sum.calls, sum.answered, sum.lost, sum.notSent, sum.deadline, sum.killed, sum.stopped)
}
