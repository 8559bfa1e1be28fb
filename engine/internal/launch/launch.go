package launch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/monarch-tui/monarch-tui/engine/internal/kin"
	"github.com/monarch-tui/monarch-tui/engine/internal/oom"
)

// Spec says what to start.
type Spec struct {
	Path      string // executable
	Args      []string
	Env       []string
	Dir       string
	CPUs      []int      // CPU set of the child; empty: inherited
	Bootstrap []byte     // what the child reads from descriptor 3, at most MaxBootstrap bytes
	Files     []*os.File // what it has from FirstFile on; Start closes them
}

// FirstFile is the first descriptor of Spec.Files in the child.
const FirstFile = 4

// MaxBootstrap bounds what a worker reads before it knows whom it talks to.
const MaxBootstrap = 64 << 10

// MarkerEnv is set in a worker's environment and names the descriptor of its bootstrap pipe.
const MarkerEnv = "MONARCH_WORKER_FD"

// Exit is how a child ended.
type Exit struct {
	Code   int            // exit code, -1 when a signal ended it
	Signal syscall.Signal // 0 when it exited
	Memory string         // the kernel killed it for memory: the limit, in words
	With   string         // it ended with everything on its machine, for this reason
	Lost   string         // nobody saw it end: what became of it, in words
}

// String is the exit in plain words.
func (e Exit) String() string {
	if e.With != "" {
		with := e.With
		e.With = ""
		return e.String() + " with all of its host: " + with
	}
	if e.Lost != "" {
		return e.Lost
	}
	if e.Memory != "" {
		return fmt.Sprintf("was killed by the kernel for its memory (%s)", e.Memory)
	}
	if e.Signal != 0 {
		return fmt.Sprintf("was killed by %s", signalName(e.Signal))
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// SignalName is the name of the signal that ended it, "" when none did.
func (e Exit) SignalName() string {
	if e.Signal == 0 {
		return ""
	}
	return signalName(e.Signal)
}

// Child is a started process.
type Child struct {
	PID    int
	Stdout io.ReadCloser // read both to their end; Ended waits for nothing
	Stderr io.ReadCloser

	cmd      *exec.Cmd
	pen      *kin.Pen
	memory   *oom.Watch
	lifeline *os.File
	ended    chan struct{}
	exit     Exit
	stopped  atomic.Bool
	changed  chan struct{} // stopped has changed
	mu       sync.Mutex
	reaped   bool
	killed   bool // by us
}

// Spawner starts children from one locked thread.
type Spawner struct {
	keeper   *kin.Keeper
	memory   oom.Meter
	requests chan request
	done     chan struct{}
	once     sync.Once
	children sync.WaitGroup
}

type request struct {
	cmd  *exec.Cmd
	cpus []int
	err  chan error
}

// Keeps says in words how what workers start ends with them.
func (s *Spawner) Keeps() string { return s.keeper.How() }

// New starts the spawner's thread.
func New() *Spawner {
	s := &Spawner{keeper: kin.Open(), requests: make(chan request), done: make(chan struct{})}
	go s.run()
	return s
}

// run never unlocks its thread: children die with it, and it lives as long as the process.
func (s *Spawner) run() {
	runtime.LockOSThread()
	for {
		select {
		case r := <-s.requests:
			r.err <- startOn(r.cmd, r.cpus)
		case <-s.done:
			// The thread must outlive every child, or pdeathsig would kill them; Close has waited for them.
			runtime.UnlockOSThread()
			return
		}
	}
}

// Close waits for all children and ends the thread. Kill them first.
func (s *Spawner) Close() {
	s.once.Do(func() {
		s.children.Wait()
		s.keeper.Close()
		close(s.done)
	})
}

// Start forks the child and hands it its bootstrap.
func (s *Spawner) Start(spec Spec) (*Child, error) {
	defer closeAll(spec.Files...)
	if len(spec.Bootstrap) > MaxBootstrap {
		return nil, fmt.Errorf("a bootstrap of %d bytes is over the limit of %d", len(spec.Bootstrap), MaxBootstrap)
	}
	pipes, err := openPipes()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Path, err)
	}
	pen := s.keeper.NewPen()
	cmd, err := s.fork(spec, pipes, pen)
	if err != nil && pen.Refused(err) { // not into that cgroup; perhaps not at all
		cmd, err = s.fork(spec, pipes, pen)
	}
	pen.Forked()
	pipes.closeChildEnds()
	if err != nil {
		pipes.closeOwnEnds()
		return nil, fmt.Errorf("start %s: %w", spec.Path, err)
	}
	c := &Child{
		PID: cmd.Process.Pid, cmd: cmd, Stdout: pipes.out[0], Stderr: pipes.err[0], lifeline: pipes.boot[1], ended: make(chan struct{}),
		pen: pen, memory: s.memory.Watch(cmd.Process.Pid), changed: make(chan struct{}, 1),
	}
	s.children.Go(func() {
		c.wait()
	})
	if err := c.boot(spec.Bootstrap); err != nil {
		c.Kill()
		return nil, fmt.Errorf("start %s: its bootstrap pipe: %w", spec.Path, err)
	}
	return c, nil
}

// fork starts the process of spec on the spawner's thread.
func (s *Spawner) fork(spec Spec, pipes pipeSet, pen *kin.Pen) (*exec.Cmd, error) {
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:gosec // our own binary
	cmd.Dir = spec.Dir
	cmd.Env = append(slices.Clip(spec.Env), MarkerEnv+"=3", pen.Mark())
	cmd.SysProcAttr = sysProcAttr(pen.Cgroup())
	cmd.ExtraFiles = append([]*os.File{pipes.boot[0]}, spec.Files...)
	cmd.Stdout, cmd.Stderr = pipes.out[1], pipes.err[1]
	r := request{cmd: cmd, cpus: spec.CPUs, err: make(chan error, 1)}
	select {
	case s.requests <- r:
		return cmd, <-r.err
	case <-s.done:
		return nil, errors.New("the launcher is closed")
	}
}

func (c *Child) boot(b []byte) error {
	msg := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	_, err := c.lifeline.Write(append(msg, b...))
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		return nil // it ended before it read; its exit says why
	}
	return err
}

// wait reaps the child, after it has killed what the child leaves behind: until then nobody else has its number.
func (c *Child) wait() {
	await(c.cmd, c.told)
	killGroup(c.PID)
	c.pen.End()
	c.mu.Lock()
	c.reaped = true
	killed := c.killed
	c.mu.Unlock()
	_ = c.cmd.Wait() // the state tells
	_ = c.lifeline.Close()
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		c.exit = Exit{Code: -1, Signal: ws.Signal()}
	} else {
		c.exit = Exit{Code: c.cmd.ProcessState.ExitCode()}
	}
	if c.exit.Signal == syscall.SIGKILL && !killed {
		c.exit.Memory, _ = c.memory.Killed()
	}
	close(c.ended)
}

// told is told that the child was stopped, by SIGSTOP for one, or goes on.
func (c *Child) told(stopped bool) {
	if c.stopped.Swap(stopped) == stopped {
		return
	}
	select {
	case c.changed <- struct{}{}:
	default: // who is to look has not looked yet
	}
}

// Changed has a value when Stopped may have changed.
func (c *Child) Changed() <-chan struct{} { return c.changed }

// Stopped reports whether the child stands still by a signal: SIGSTOP, or SIGTSTP, SIGTTIN, SIGTTOU of a terminal.
func (c *Child) Stopped() bool { return c.stopped.Load() }

// Ended is closed when the child has been reaped.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Exit is how it ended; valid once Ended is closed.
func (c *Child) Exit() Exit { return c.exit }

// Kill sends SIGKILL to the child's process group. It does nothing once the child is reaped, so that it never hits a
// stranger who got the same pid.
func (c *Child) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		c.killed = true
		killGroup(c.PID)
		_ = c.cmd.Process.Kill()
	}
}

// Terminate sends SIGTERM to the child, and has it go on where it was stopped, so that it hears.
func (c *Child) Terminate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		goOn(c.cmd.Process)
	}
}

type pipeSet struct{ boot, out, err [2]*os.File }

func openPipes() (p pipeSet, err error) {
	for _, pair := range []*[2]*os.File{&p.boot, &p.out, &p.err} {
		if pair[0], pair[1], err = os.Pipe(); err != nil {
			p.closeChildEnds()
			p.closeOwnEnds()
			return p, err
		}
	}
	return p, nil
}

func (p *pipeSet) closeChildEnds() { closeAll(p.boot[0], p.out[1], p.err[1]) }
func (p *pipeSet) closeOwnEnds()   { closeAll(p.boot[1], p.out[0], p.err[0]) }

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// ReadBootstrap reads what the parent sent. The file stays open: its end of file is the end of the parent.
func ReadBootstrap(f *os.File) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return nil, fmt.Errorf("read the bootstrap pipe: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxBootstrap {
		return nil, fmt.Errorf("a bootstrap of %d bytes is over the limit of %d", n, MaxBootstrap)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("read the bootstrap pipe: %w", err)
	}
	return b, nil
}
