package agent

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

// Child is a worker that an agent has started, as its controller sees it. Its methods do not wait for the agent.
type Child struct {
	Stdout, Stderr *io.PipeReader // read both to their end

	pid      int
	order    func(Order) // asks the agent, behind the caller's back
	out, err *io.PipeWriter
	changed  chan struct{}
	stopped  atomic.Bool
	once     sync.Once
	ended    chan struct{}
	exit     launch.Exit
}

// NewChild is a worker that is being started; Began has its number then.
func NewChild(order func(Order)) *Child {
	c := &Child{order: order, changed: make(chan struct{}, 1), ended: make(chan struct{})}
	c.Stdout, c.out = io.Pipe()
	c.Stderr, c.err = io.Pipe()
	return c
}

// Began notes the worker's number on its host.
func (c *Child) Began(pid int) { c.pid = pid }

// PID is its number on its host.
func (c *Child) PID() int { return c.pid }

// Take hands on a piece of what it printed, and returns when that has been read, or will not be.
func (c *Child) Take(o Output) {
	w := c.out
	if o.Err {
		w = c.err
	}
	_, _ = w.Write(o.Data) // an error means that nobody reads any more
}

// Abandon has nobody read what it prints, if it was started.
func (c *Child) Abandon() {
	_ = c.Stdout.Close()
	_ = c.Stderr.Close()
}

// Stood notes that it stands still by a signal, or goes on.
func (c *Child) Stood(still bool) {
	if c.stopped.Swap(still) == still {
		return
	}
	select {
	case c.changed <- struct{}{}:
	default: // who is to look has not looked yet
	}
}

// End notes how it ended. Only the first end counts.
func (c *Child) End(e launch.Exit) {
	c.once.Do(func() {
		c.exit = e
		_ = c.out.Close()
		_ = c.err.Close()
		close(c.ended)
	})
}

// Changed has a value when Stopped may have changed.
func (c *Child) Changed() <-chan struct{} { return c.changed }

// Stopped reports whether it stands still by a signal.
func (c *Child) Stopped() bool { return c.stopped.Load() }

// Ended is closed when it has ended.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Exit is how it ended; valid once Ended is closed.
func (c *Child) Exit() launch.Exit { return c.exit }

// Kill has its agent kill it.
func (c *Child) Kill() { c.order(Kill) }

// Terminate has its agent send SIGTERM.
func (c *Child) Terminate() { c.order(Terminate) }

// Freeze has its agent stop it where it is.
func (c *Child) Freeze() error { return c.unlessOver(Freeze) }

// Thaw has its agent let it go on.
func (c *Child) Thaw() error { return c.unlessOver(Thaw) }

func (c *Child) unlessOver(o Order) error {
	select {
	case <-c.ended:
		return errors.New("it has ended")
	default:
		c.order(o)
		return nil
	}
}
