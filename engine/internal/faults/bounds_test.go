//go:build linux

package faults

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// resident is how much memory a process holds, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// most is by how much the memory of a process may grow while it is flooded. The race detector needs several times what it watches.
func most() int {
	if quicnet.Poison { // built with -race
		return 4 * 64 << 20
	}
	return 64 << 20
}

// A mailbox is bounded in bytes: the sender waits, nobody else does, and all of it comes back when the actor goes on (A6).
func TestAMailboxThatFillsHoldsItsSenderAndNobodyElse(t *testing.T) {
	s := watched(t, 2)
	n := pid(t, s.ctx, s.mesh, 0)
	stuck, free := context.WithCancel(s.ctx)
	defer free()
	block := engine.Signal(at(s.mesh, 0), (*Victim).Block).Start(stuck)
	before := resident(t, n)
	body := make([]byte, 1<<20)
	put := engine.Action(at(s.mesh, 0), (*Victim).Put)
	sent, err := 0, error(nil)
	for ; err == nil && sent < 1000; sent++ {
		short, cancel := context.WithTimeout(s.ctx, time.Second)
		err = put.Broadcast(short, body)
		cancel()
	}
	if want := 17; sent != want { // the last one did not go out
		t.Errorf("%d MiB went out to an actor that is stuck, want %d: %v", sent-1, want-1, err)
	}
	if !errors.Is(err, engine.ErrDeadline) || !strings.Contains(err.Error(), "messages of 16 MiB wait at this actor already") {
		t.Errorf("the sender that waited was told %v", err)
	}
	if grown := resident(t, n) - before; grown > most() {
		t.Errorf("its process has grown by %d MiB", grown>>20)
	}
	s.untilQueued(t, 16<<20)
	began := time.Now()
	if _, err := engine.Query(at(s.mesh, 1), (*Victim).Count).CallOne(s.ctx); err != nil || time.Since(began) > 5*time.Second { // it would wait for ever
		t.Errorf("the other rank answered %v after %v", err, time.Since(began))
	}
	free()
	<-block.Done()
	for range 40 {
		if err := put.Broadcast(s.ctx, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := put.Call(s.ctx, body); err != nil { // and it comes behind them
		t.Fatal(err)
	}
	if got, err := engine.Query(at(s.mesh, 0), (*Victim).Got).CallOne(s.ctx); err != nil || got != (16+41)<<20 {
		t.Errorf("it got %d bytes, %v; want %d", got, err, (16+41)<<20)
	}
}

// A message beyond the bound on its own is taken by a mailbox that is not full: else it would wait for ever.
func TestAMessageLargerThanWhatIsLeftIsTaken(t *testing.T) {
	s := watched(t, 1)
	stuck, free := context.WithCancel(s.ctx)
	defer free()
	block := engine.Signal(s.mesh, (*Victim).Block).Start(stuck)
	put := engine.Action(s.mesh, (*Victim).Put)
	if err := put.Broadcast(s.ctx, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(s.ctx, 20*time.Second)
	defer cancel()
	if err := put.Broadcast(short, make([]byte, 15<<20+512<<10)); err != nil {
		t.Error(err)
	}
	free()
	<-block.Done()
	if err := put.Call(s.ctx, nil); err != nil {
		t.Error(err)
	}
}

func (s *session) snapshot() *control.Snapshot {
	snap, cancel := s.backend.Subscribe(func(*control.Event) {})
	cancel()
	return snap
}

// untilQueued waits until front ends are told of so many bytes in the mailbox of the first rank.
func (s *session) untilQueued(t *testing.T, bytes int) {
	t.Helper()
	told := make(chan control.RankState, 256)
	snap, cancel := s.backend.Subscribe(func(ev *control.Event) {
		if r := ev.Rank; r != nil && r.Rank == 0 {
			select {
			case told <- r.State:
			default: // a later one says more
			}
		}
	})
	defer cancel()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for now := snap.Meshes[0].Ranks[0]; now.QueueBytes < bytes; {
		select {
		case now = <-told:
		case <-late.C:
			t.Fatalf("front ends are told of %+v", now)
		}
	}
}

// A worker that prints as fast as it can costs its own pipe: the controller's memory is flat, what front ends get is bounded, and
// the other ranks answer as ever (D3, row 30).
func TestAFloodOfOutputCostsNobodyElse(t *testing.T) {
	s := watched(t, 2, engine.Output(nil, nil))
	if _, err := engine.Query(at(s.mesh, 1), (*Victim).Count).CallOne(s.ctx); err != nil {
		t.Fatal(err)
	}
	var logs, bytes atomic.Int64
	_, stop := s.backend.Subscribe(func(ev *control.Event) {
		if ev.Log != nil {
			logs.Add(1)
			bytes.Add(int64(len(ev.Log.Text)))
		}
	})
	defer stop()
	runtime.GC()
	before := resident(t, os.Getpid())
	const size = 96 << 20
	flood := engine.Action(at(s.mesh, 0), (*Victim).Print).Start(s.ctx, size)
	var slow time.Duration
	grown := 0
	for calls := 0; ; calls++ {
		select {
		case <-flood.Done():
			if _, err := flood.One(s.ctx); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MiB printed, %d lines and %d MiB told, %d calls beside it, the slowest %v, %d MiB more resident", size>>20, logs.Load(), bytes.Load()>>20, calls, slow, grown>>20)
			if grown > most() {
				t.Errorf("the controller has grown by %d MiB", grown>>20)
			}
			if slow > time.Second {
				t.Errorf("a call to another rank took %v", slow)
			}
			return
		default:
		}
		began := time.Now()
		if _, err := engine.Query(at(s.mesh, 1), (*Victim).Count).CallOne(s.ctx); err != nil {
			t.Fatal(err)
		}
		slow = max(slow, time.Since(began))
		grown = max(grown, resident(t, os.Getpid())-before)
	}
}

// Replies of a gigabyte together leave no memory behind, and one that is too large is an error that says so, on both sides.
func TestGigabytesOfRepliesAreFlat(t *testing.T) {
	s := watched(t, 2)
	give := engine.Method(at(s.mesh, 0), (*Victim).Give)
	if _, err := give.CallOne(s.ctx, 15<<20); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	before, grown := resident(t, os.Getpid()), 0
	replies, large := 70, 256<<20
	if quicnet.Poison { // the race detector takes its time for each byte
		replies, large = 10, 32<<20
	}
	for range replies {
		b, err := give.CallOne(s.ctx, 15<<20)
		if err != nil || len(b) != 15<<20 {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		grown = max(grown, resident(t, os.Getpid())-before)
	}
	if grown > 4*most() { // some are garbage that is not collected yet
		t.Errorf("the caller has grown by %d MiB", grown>>20)
	}
	if _, err := give.CallOne(s.ctx, large); err == nil || !strings.Contains(err.Error(), "over the limit of 16777216") {
		t.Errorf("a reply that is too large: %v", err)
	}
	if err := engine.Action(at(s.mesh, 0), (*Victim).Put).Call(s.ctx, make([]byte, 17<<20)); !errors.Is(err, engine.ErrNotSent) || !strings.Contains(err.Error(), "over the limit of 16777216") {
		t.Errorf("an argument of 17 MiB: %v", err)
	}
	if _, err := give.CallOne(s.ctx, 1); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
