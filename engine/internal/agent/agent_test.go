//go:build linux

package agent

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

// desk is a controller that keeps what it is told.
type desk struct {
	mu     sync.Mutex
	told   []string // of one worker: output and end, in order
	ended  chan Exited
	hold   chan struct{} // what Output waits for; nil: nothing
	pieces chan Output   // each piece when it is offered; nil: nobody looks
}

func newDesk() *desk { return &desk{ended: make(chan Exited, 16)} }

func (d *desk) Output(ctx context.Context, o Output) error {
	if d.pieces != nil {
		d.pieces <- o
	}
	if d.hold != nil {
		select {
		case <-d.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, string(o.Data))
	return nil
}

func (d *desk) Exited(_ context.Context, e Exited) error {
	d.mu.Lock()
	d.told = append(d.told, e.Exit().String())
	d.mu.Unlock()
	d.ended <- e
	return nil
}

func (d *desk) Stood(Stood) {}

// newAgent makes an agent whose workers are shells.
func newAgent(t *testing.T, up Up) *Agent {
	t.Helper()
	a := New(Config{Up: up, Program: "/bin/sh", GPUs: gpu.NewFinder(gpu.System{Lookup: nothing, Sys: "/sys"}), Lookup: nothing})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		a.Close(ctx)
	})
	return a
}

func nothing(string) (string, bool) { return "", false }

func fork(t *testing.T, a *Agent, proc uint64, script string) int {
	t.Helper()
	f, err := a.Fork(t.Context(), Fork{Worker: Worker{proc, 1}, Threads: 1, Args: []string{"-c", script}, Bootstrap: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	return f.PID
}

// TestAnEndIsToldAfterAllThatWasPrinted holds INV-TOLD.
func TestAnEndIsToldAfterAllThatWasPrinted(t *testing.T) {
	d := newDesk()
	a := newAgent(t, d)
	fork(t, a, 1, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo last words >&2; exit 3")
	e := <-d.ended
	if e.Worker != (Worker{1, 1}) || e.Code != 3 {
		t.Errorf("told %+v, want that worker 1 exited with code 3", e)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	all := strings.Join(d.told[:len(d.told)-1], "")
	if n := strings.Count(all, "line "); n != 2000 || !strings.Contains(all, "last words") {
		t.Errorf("%d of 2000 lines came before the end, and the last words: %v", n, strings.Contains(all, "last words"))
	}
	if last := d.told[len(d.told)-1]; last != "exited with code 3" {
		t.Errorf("last came %q", last)
	}
	if err := a.Signal(Signal{Worker{1, 1}, Kill}); err == nil {
		t.Error("a worker that has ended took a signal")
	}
}

// TestAWorkerPrintsNoFasterThanItsControllerTakes holds INV-BEHIND.
func TestAWorkerPrintsNoFasterThanItsControllerTakes(t *testing.T) {
	d := newDesk()
	d.hold, d.pieces = make(chan struct{}), make(chan Output, 1)
	a := newAgent(t, d)
	mark := t.TempDir() + "/printed"
	fork(t, a, 1, "i=0; while [ $i -lt 40 ]; do printf '%8192s' x; i=$((i+1)); done; : > "+mark) // 320 KiB: the pipe holds 64
	first := <-d.pieces
	if len(first.Data) > pieceBytes {
		t.Errorf("a piece of %d bytes, want %d at most", len(first.Data), pieceBytes)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it has printed all, and nobody has taken more than a piece: %v", err)
	}
	close(d.hold)
	go func() {
		for range d.pieces {
		}
	}()
	<-d.ended
	if _, err := os.Stat(mark); err != nil {
		t.Error(err)
	}
}

// TestASlowControllerGetsAllThatAWorkerHasPrinted: how long it takes is no reason to lose what a pipe still holds.
func TestASlowControllerGetsAllThatAWorkerHasPrinted(t *testing.T) {
	d := newDesk()
	d.hold = make(chan struct{})
	a := newAgent(t, d)
	fork(t, a, 1, "i=0; while [ $i -lt 7 ]; do printf '%8192s' x; i=$((i+1)); done")
	a.mu.Lock()
	child := a.workers[Worker{1, 1}]
	a.mu.Unlock()
	<-child.Ended()
	time.Sleep(drainTime + drainTime/2) // how slow the controller is
	close(d.hold)
	<-d.ended
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(strings.Join(d.told[:len(d.told)-1], "")); n != 7*8192 {
		t.Errorf("%d bytes of %d have come", n, 7*8192)
	}
}

// TestWorkersEndWithTheirAgent holds INV-END.
func TestWorkersEndWithTheirAgent(t *testing.T) {
	for name, end := range map[string]func(a *Agent){
		"in order": func(a *Agent) { a.Close(t.Context()) },
		"at once":  func(a *Agent) { a.EndNow() },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			a := newAgent(t, d)
			pids := []int{fork(t, a, 1, "trap '' TERM; sleep 300"), fork(t, a, 2, "sleep 300 & wait")}
			end(a)
			for range pids {
				if e := <-d.ended; e.Exit().SignalName() != "SIGKILL" {
					t.Errorf("told %v", e.Exit())
				}
			}
			if _, err := a.Fork(t.Context(), Fork{Worker: Worker{3, 1}, Threads: 1, Args: []string{"-c", "true"}}); err == nil {
				t.Error("an agent that has ended started a worker")
			}
		})
	}
}

// TestAnEndWithAllOfTheHostIsToldAsThat: a scheduler that cancels a job signals its processes in any order.
func TestAnEndWithAllOfTheHostIsToldAsThat(t *testing.T) {
	d := newDesk()
	a := newAgent(t, d)
	pid := fork(t, a, 1, "exec sleep 300")
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	a.Ending("the agent was told to end by SIGTERM") // after its worker
	if e := <-d.ended; e.Exit().String() != "was killed by SIGTERM with all of its host: the agent was told to end by SIGTERM" {
		t.Errorf("told %q", e.Exit())
	}
	fork(t, a, 2, "exit 3")
	if e := <-d.ended; e.Exit().String() != "exited with code 3" {
		t.Errorf("one that ends by itself: %q", e.Exit())
	}
}

func TestAWorkerIsStartedOnce(t *testing.T) {
	d := newDesk()
	a := newAgent(t, d)
	fork(t, a, 1, "sleep 300")
	if _, err := a.Fork(t.Context(), Fork{Worker: Worker{1, 1}, Threads: 1}); err == nil || !strings.Contains(err.Error(), "process 1, epoch 1, was started here already") {
		t.Error(err)
	}
}

// TestSlurmGivesNoDevicesThatItDoesNotName: to CUDA an unset list is every GPU of the machine, and most of them are others'.
func TestSlurmGivesNoDevicesThatItDoesNotName(t *testing.T) {
	env := map[string]string{"SLURM_STEP_ID": "0"}
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	a := New(Config{Up: newDesk(), Program: "/bin/sh", GPUs: gpu.NewFinder(gpu.System{Lookup: lookup, Sys: "/sys"}), Lookup: lookup})
	defer a.Close(t.Context())
	got, err := a.Seat(t.Context(), Seats{Ranks: 2, Devices: true})
	if err != nil || got.Real || !strings.Contains(got.Why, "Slurm gave this step no GPUs") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAChildEndsOnce(t *testing.T) {
	var orders []Order
	c := NewChild(func(o Order) { orders = append(orders, o) })
	c.Began(7)
	c.Kill()
	c.End(launch.Exit{Code: 3})
	c.End(launch.Exit{Code: -1, Lost: "was lost with its host"})
	<-c.Ended()
	if c.Exit().Code != 3 || c.PID() != 7 || len(orders) != 1 {
		t.Errorf("exit %v, pid %d, orders %v", c.Exit(), c.PID(), orders)
	}
	if err := c.Freeze(); err == nil {
		t.Error("a child that has ended was frozen")
	}
	c.Take(Output{Data: []byte("late")}) // nobody reads: it must not wait
}

// A worker that was called off does not run, whether its order comes late, or it was started, or both at once; one that ran has its end
// told, which holds INV-TOLD.
func TestAWorkerThatWasCalledOffDoesNotRun(t *testing.T) {
	for _, when := range []string{"before", "after", "meanwhile"} {
		t.Run(when, func(t *testing.T) {
			d := newDesk()
			a := newAgent(t, d)
			w := Worker{1, 1}
			order := Fork{Worker: w, Threads: 1, Args: []string{"-c", "sleep 300"}, Bootstrap: []byte("x")}
			forked, off := make(chan error, 1), make(chan bool, 1)
			fork := func() { _, err := a.Fork(t.Context(), order); forked <- err }
			call := func() {
				ran, err := a.CallOff(t.Context(), w)
				if err != nil {
					t.Error(err)
				}
				off <- ran
			}
			switch when {
			case "before":
				call()
				fork()
			case "after":
				fork()
				call()
			case "meanwhile":
				go fork()
				go call()
			}
			err, ran := <-forked, <-off
			if when != "meanwhile" && ran != (when == "after") || ran && err != nil {
				t.Errorf("it ran: %v, and was started: %v", ran, err)
			}
			if err == nil {
				if e := <-d.ended; e.Worker != w || e.Signal != int(syscall.SIGKILL) {
					t.Errorf("told %+v, want that it was killed", e)
				}
			}
			if _, err := a.Fork(t.Context(), order); err == nil || !strings.Contains(err.Error(), "called off") {
				t.Errorf("it is started again: %v", err)
			}
			order.Worker.Epoch++
			if _, err := a.Fork(t.Context(), order); err != nil {
				t.Errorf("the next one is not: %v", err)
			}
		})
	}
}
