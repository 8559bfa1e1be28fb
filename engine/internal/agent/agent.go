package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

const (
	maxOutputs = 256              // pieces of output on their way to the controller at once; half of what it answers at a time
	pieceBytes = 32 << 10         // of output, at most
	drainTime  = time.Second      // without a byte of output, which a descendant holds open after the worker has ended
	drainBytes = 1 << 20          // of output after the end of a worker, at most: more than a pipe holds is a descendant's
	endTime    = 2 * time.Second  // for workers that are killed when the agent ends
	tellTime   = 10 * time.Second // a controller that takes no message for so long is gone
)

// Config is what an agent is made of.
type Config struct {
	Up      Up
	Program string                      // executable of its workers
	Hidden  []string                    // variables of its own environment that workers do not get
	GPUs    *gpu.Finder                 // the agent closes it
	Lookup  func(string) (string, bool) // its environment
}

// Agent starts workers. Its methods may be called from any goroutine.
type Agent struct {
	cfg     Config
	spawner *launch.Spawner
	outputs chan struct{} // holds one per piece that is on its way
	once    sync.Once     // of Close

	ending chan struct{} // closed by Ending
	why    string        // what Ending said

	mu      sync.Mutex
	slots   *gpu.Slots
	workers map[Worker]*launch.Child
	starts  map[Worker]chan struct{} // those that are being started; closed when that is over
	off     map[Worker]bool          // those that are not to run
	closed  bool
	wg      sync.WaitGroup
}

// New makes an agent without workers.
func New(cfg Config) *Agent {
	return &Agent{cfg: cfg, spawner: launch.New(), outputs: make(chan struct{}, maxOutputs), workers: map[Worker]*launch.Child{}, starts: map[Worker]chan struct{}{}, off: map[Worker]bool{}, ending: make(chan struct{})}
}

// Keeps says in words how what workers start ends with them.
func (a *Agent) Keeps() string { return a.spawner.Keeps() }

// Seat claims the devices of the mesh. Errors: there are too few, or they cannot be listed.
func (a *Agent) Seat(ctx context.Context, s Seats) (Seated, error) {
	if !s.Devices {
		return Seated{}, nil
	}
	if why := withheld(a.cfg.Lookup); why != "" {
		return Seated{Why: why}, nil
	}
	found, err := a.cfg.GPUs.Find(ctx)
	switch {
	case err != nil && (s.OrVirtual || ctx.Err() != nil):
		return Seated{Why: err.Error()}, ctx.Err()
	case err != nil:
		return Seated{}, fmt.Errorf("the GPUs of this machine cannot be listed: %w; virtual slots need none", err)
	case found.None != "":
		return Seated{Why: found.None}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.slots != nil || a.closed {
		return Seated{}, errors.New("this agent has given its places away, or is ending")
	}
	slots, err := a.cfg.GPUs.Take(found, s.Ranks, s.Oversubscribe, func(string) string { return "this mesh" })
	if _, short := errors.AsType[*gpu.ShortError](err); short && s.OrVirtual {
		return Seated{Why: err.Error(), GPUs: found.String()}, nil
	}
	if err != nil {
		return Seated{}, err
	}
	a.slots = slots
	return Seated{Real: true, Why: found.String(), GPUs: found.String()}, nil
}

// Fork starts a worker.
func (a *Agent) Fork(ctx context.Context, f Fork) (Forked, error) {
	slots, over, err := a.book(f.Worker)
	if err != nil {
		return Forked{}, err
	}
	defer over()
	slot := -1
	if f.Slotted {
		slot = f.Slot
	}
	if err := slots.Check(ctx, slot); err != nil {
		return Forked{}, err
	}
	seat := SeatOf(slots, slot, f.Threads)
	env := append(Environment(append(a.cfg.Hidden, launch.MarkerEnv, "GOMAXPROCS")...), f.Env...)
	env = append(env, "GOMAXPROCS="+strconv.Itoa(f.Threads))
	env = append(env, slots.Env(slot)...)
	path := f.Program
	if path == "" {
		path = a.cfg.Program
	}
	child, err := a.spawner.Start(launch.Spec{Path: path, Args: f.Args, Env: env, CPUs: seat.CPUs, Bootstrap: f.Bootstrap})
	if err != nil {
		return Forked{}, host.ExplainFiles(err)
	}
	a.mu.Lock()
	a.workers[f.Worker] = child
	if a.closed || a.off[f.Worker] {
		child.Kill()
	}
	a.wg.Go(func() { a.watch(f.Worker, child) })
	a.mu.Unlock()
	return Forked{PID: child.PID, CPUs: gpu.FormatCPUs(seat.CPUs), Device: seat.Device, GPU: seat.GPU}, nil
}

// book notes a worker that is about to be started, until over.
func (a *Agent) book(w Worker) (slots *gpu.Slots, over func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return nil, nil, errors.New("this agent is ending")
	case a.workers[w] != nil || a.starts[w] != nil:
		return nil, nil, fmt.Errorf("process %d, epoch %d, was started here already", w.Proc, w.Epoch)
	case a.off[w]:
		return nil, nil, fmt.Errorf("process %d, epoch %d, was called off before it was started", w.Proc, w.Epoch)
	}
	done := make(chan struct{})
	a.starts[w] = done
	return a.slots, func() {
		a.mu.Lock()
		delete(a.starts, w)
		a.mu.Unlock()
		close(done)
	}, nil
}

// CallOff ends a worker of which the controller does not know whether it was started, and starts it no more. It reports whether it
// ran: its end is told then, like any other.
func (a *Agent) CallOff(ctx context.Context, w Worker) (ran bool, err error) {
	a.mu.Lock()
	a.off[w] = true
	starts := a.starts[w]
	a.mu.Unlock()
	if starts != nil {
		select {
		case <-starts:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	child := a.workers[w]
	if child != nil {
		child.Kill()
	}
	return child != nil, nil
}

// watch carries what a worker prints to the controller, and tells how it ended once everything has been taken (INV-TOLD).
func (a *Agent) watch(w Worker, child *launch.Child) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var streams sync.WaitGroup
	var way progress
	streams.Go(func() { a.carry(ctx, Output{Worker: w}, child.Stdout.Read, &way) })
	streams.Go(func() { a.carry(ctx, Output{Worker: w, Err: true}, child.Stderr.Read, &way) })
	a.follow(w, child)
	drained := make(chan struct{})
	go func() { streams.Wait(); close(drained) }()
	way.await(drained)
	_ = child.Stdout.Close()
	_ = child.Stderr.Close()
	<-drained
	limit, end := context.WithTimeout(ctx, tellTime)
	defer end()
	told := exited(w, child.Exit())
	told.With = a.endsWith(child.Exit())
	a.mu.Lock()
	delete(a.workers, w) // before it is told: who knows of its end finds it no more
	a.mu.Unlock()
	_ = a.cfg.Up.Exited(limit, told) // an error means that there is nobody to tell
}

// progress is how far the output of a worker is on its way.
type progress struct {
	read    atomic.Int64 // bytes
	sending atomic.Int32 // pieces that the controller has not taken yet
}

// await waits, after the end of a worker, until all that it printed has been taken, however slow its controller is. Of what holds
// its output open, a descendant that escaped, it does not wait for more.
func (p *progress) await(drained <-chan struct{}) {
	began := p.read.Load()
	was := began
	tick := time.NewTicker(drainTime)
	defer tick.Stop()
	for {
		select {
		case <-drained:
			return
		case <-tick.C:
		}
		now := p.read.Load()
		if now == was && p.sending.Load() == 0 || now-began > drainBytes {
			return
		}
		was = now
	}
}

// Ending notes why the agent is about to end. It is called once, before Close.
func (a *Agent) Ending(why string) {
	a.why = why
	close(a.ending)
}

// wordTime is how long an end by a signal that schedulers send waits for the word that the agent has got it too.
const wordTime = 100 * time.Millisecond

// endsWith says why the agent ends, if that is why a worker has: who cancels a job signals all of its processes, in any order.
func (a *Agent) endsWith(e launch.Exit) string {
	wait := time.Duration(0)
	switch e.Signal {
	case 0:
		return ""
	case syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP:
		wait = wordTime
	default: // no scheduler sends it to all
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-a.ending:
		return a.why
	case <-t.C:
	}
	select {
	case <-a.ending:
		return a.why
	default:
		return ""
	}
}

// follow tells of each time that a worker is stopped by a signal and goes on, until it has ended.
func (a *Agent) follow(w Worker, child *launch.Child) {
	for {
		select {
		case <-child.Changed():
			a.cfg.Up.Stood(Stood{w, child.Stopped()})
		case <-child.Ended():
			return
		}
	}
}

// carry hands on one stream, a piece at a time: the next one is read when the controller has taken the last (INV-BEHIND).
func (a *Agent) carry(ctx context.Context, o Output, read func([]byte) (int, error), way *progress) {
	b := make([]byte, pieceBytes)
	gone := false
	for {
		n, err := read(b)
		way.sending.Add(1)
		way.read.Add(int64(n))
		if n > 0 && !gone {
			a.outputs <- struct{}{}
			o.Data = b[:n]
			gone = a.cfg.Up.Output(ctx, o) != nil // what is left is read, so that the worker can end
			<-a.outputs
		}
		way.sending.Add(-1)
		if err != nil {
			return
		}
	}
}

// Signal sends a worker a signal. Error: it has ended, or never was.
func (a *Agent) Signal(s Signal) error {
	a.mu.Lock()
	child := a.workers[s.Worker]
	a.mu.Unlock()
	if child == nil {
		return fmt.Errorf("process %d, epoch %d, does not run here", s.Worker.Proc, s.Worker.Epoch)
	}
	switch s.What {
	case Kill:
		child.Kill()
	case Terminate:
		child.Terminate()
	case Freeze:
		return child.Freeze()
	case Thaw:
		return child.Thaw()
	default:
		return fmt.Errorf("there is no order %d", s.What)
	}
	return nil
}

// Runs reports whether a worker was started and is not known to have ended.
func (a *Agent) Runs(w Worker) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.workers[w] != nil
}

// Measure measures the workers and their devices.
func (a *Agent) Measure(ctx context.Context) Measured {
	a.mu.Lock()
	pids, slots := make(map[uint64]int, len(a.workers)), a.slots
	for w, c := range a.workers {
		pids[w.Proc] = c.PID
	}
	a.mu.Unlock()
	m := Measured{Resident: map[uint64]uint64{}}
	for proc, pid := range pids {
		if bytes, ok := host.ResidentBytes(pid); ok {
			m.Resident[proc] = bytes
		}
	}
	if slots == nil {
		return m
	}
	samples, err := a.cfg.GPUs.Samples(ctx)
	if err != nil {
		m.Problem = err.Error()
		return m
	}
	m.GPUs = samples
	return m
}

// Close ends all workers, tells of each, and gives the devices back (INV-END). ctx limits the wait. Again it does nothing.
func (a *Agent) Close(ctx context.Context) { a.once.Do(func() { a.close(ctx) }) }

func (a *Agent) close(ctx context.Context) {
	a.mu.Lock()
	a.closed = true
	for _, c := range a.workers {
		c.Kill()
	}
	a.mu.Unlock()
	ended := make(chan struct{})
	go func() { a.wg.Wait(); close(ended) }()
	select {
	case <-ended:
		a.spawner.Close() // else it ends with this process: it waits for its children
	case <-ctx.Done():
	}
	a.mu.Lock()
	slots := a.slots
	a.slots = nil
	a.mu.Unlock()
	slots.Release()
	a.cfg.GPUs.Close(ctx)
}

// EndNow kills all workers and waits for them, but tells nobody: what an agent does whose controller is gone.
func (a *Agent) EndNow() {
	a.mu.Lock()
	a.closed = true
	children := make([]*launch.Child, 0, len(a.workers))
	for _, c := range a.workers {
		c.Kill()
		children = append(children, c)
	}
	a.mu.Unlock()
	late := time.NewTimer(endTime)
	defer late.Stop()
	for _, c := range children {
		select {
		case <-c.Ended():
		case <-late.C:
			fmt.Fprintf(os.Stderr, "agent: pid %d does not end after SIGKILL; is it stuck in a driver?\n", c.PID)
			return
		}
	}
}
