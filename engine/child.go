package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// child is the process of a rank, on this machine or on another one. Its signals do not wait.
type child interface {
	pid() int
	streams() (stdout, stderr io.ReadCloser) // read both to their end
	Changed() <-chan struct{}                // has a value when Stopped may have changed
	Stopped() bool                           // it stands still by a signal
	Ended() <-chan struct{}
	Exit() launch.Exit // valid once Ended is closed
	Kill()
	Terminate()
	Freeze() error
	Thaw() error
}

// localChild is a process of this machine.
type localChild struct{ *launch.Child }

func (c localChild) pid() int                          { return c.PID }
func (c localChild) streams() (out, err io.ReadCloser) { return c.Stdout, c.Stderr }

// remoteChild is a process that an agent has started.
type remoteChild struct {
	*agent.Child

	on *machine
	as agent.Worker
}

func (c *remoteChild) pid() int                          { return c.PID() }
func (c *remoteChild) streams() (out, err io.ReadCloser) { return c.Stdout, c.Stderr }

// signalTime is how long an agent has for a signal.
const signalTime = 10 * time.Second

// remoteChild books a worker that is about to be started. The caller holds h.mu.
func (h *hub) newRemote(p *proc) *remoteChild {
	c := &remoteChild{on: p.on, as: agent.Worker{Proc: p.id, Epoch: p.epoch}}
	c.Child = agent.NewChild(func(o agent.Order) {
		h.node.outbox.Add(c.on.rec.ID, func() {
			ctx, cancel := context.WithTimeout(h.node.root, signalTime)
			defer cancel()
			_ = h.node.request(ctx, quicnet.Addr{Proc: c.on.rec.ID}, sysSignal, agent.Signal{Worker: c.as, What: o}, nil) // it has ended, or will with its host
		})
	})
	c.on.children[c.as] = c
	return c
}

// forkTime is how long an agent has for starting a worker.
const forkTime = 30 * time.Second

// forkRemote has the agent of its host start a rank.
func (h *hub) forkRemote(ctx context.Context, p *proc, req control.ProcsReq) error {
	h.mu.Lock()
	if p.expect || h.closed {
		h.mu.Unlock()
		return h.neverStarted(p, ErrStopped)
	}
	if p.on.rec.State != "ready" && p.on.rec.State != "suspect" && p.on.rec.State != "unreachable" {
		err := errors.New(p.on.fate())
		h.mu.Unlock()
		return h.neverStarted(p, err)
	}
	h.mu.Unlock()
	boot, err := h.bootOf(p, req, 0)
	if err != nil {
		return h.neverStarted(p, err)
	}
	program, err := h.shipTo(ctx, p)
	if err != nil {
		return h.neverStarted(p, err)
	}
	h.mu.Lock()
	if p.expect || h.closed {
		h.mu.Unlock()
		return h.neverStarted(p, ErrStopped)
	}
	if why := p.hostIsGone(); why != "" {
		h.mu.Unlock()
		return h.neverStarted(p, errors.New(why))
	}
	c := h.newRemote(p)
	p.child = c
	h.on(p, life.Launched)
	h.mu.Unlock()
	var got agent.Forked
	limit, cancel := context.WithTimeout(ctx, cmp.Or(h.opts.forkTime, forkTime))
	defer cancel()
	err = h.node.request(limit, quicnet.Addr{Proc: p.on.rec.ID}, sysFork, agent.Fork{
		Worker: c.as, Slot: p.place, Slotted: p.rec.Slot >= 0, Threads: p.rec.Procs, Env: req.Env, Args: h.opts.args, Program: program, Bootstrap: boot,
	}, &got)
	if err != nil {
		if errors.Is(err, ErrNotSent) || !errors.Is(err, ErrLost) && limit.Err() == nil {
			return h.failedToStart(p, err, func() { h.neverRan(p, c) })
		}
		return h.callOff(p, c, err)
	}
	c.Began(got.PID)
	h.mu.Lock()
	p.rec.PID, p.rec.CPUs = got.PID, clip(got.CPUs, maxCarrier)
	if got.GPU != nil {
		g := *got.GPU
		p.rec.Device, p.rec.GPU = clean.OneLine(got.Device, maxCarrier), &g
	}
	rec := p.rec
	h.publish(control.Event{Proc: &rec})
	unwanted := p.expect || h.closed
	h.mu.Unlock()
	if unwanted { // it was ended while it started
		c.Kill()
	}
	h.wg.Go(func() { h.watchChild(p, c) })
	return nil
}

// neverRan takes a worker from the books that its agent has not started, or has ended since: another may be started.
func (h *hub) neverRan(p *proc, c *remoteChild) {
	c.End(launch.Exit{Code: -1, Lost: "was not started"})
	h.mu.Lock()
	delete(c.on.children, c.as)
	h.on(p, life.ExitSeen)
	h.mu.Unlock()
	close(p.settled)
}

// callOff gives a worker up of which the agent has not said in time whether it has started it, and goes on asking behind the caller's
// back: the rank may be started again as soon as the agent has said that this one does not run and will not, or has ended.
func (h *hub) callOff(p *proc, c *remoteChild, err error) error {
	c.Abandon()
	return h.failedToStart(p, err, func() {
		h.wg.Go(func() {
			var ran bool
			if err := h.node.request(h.node.root, quicnet.Addr{Proc: c.on.rec.ID}, sysCallOff, c.as, &ran); err != nil || ran {
				select {
				case <-c.Ended(): // as the agent tells of each, and of all when its host is gone
				case <-c.on.gone:
				case <-h.node.closing:
				}
			}
			h.neverRan(p, c)
		})
	})
}

// agentHandlers takes what agents tell of their workers.
func (h *hub) agentHandlers(t *sysTable) {
	handle(t, sysOutput, fromAll, func(_ context.Context, _ *node, from quicnet.Addr, o agent.Output) (any, error) {
		c, err := h.childOf(from, o.Worker)
		if err == nil {
			c.Take(o)
		}
		return nil, err
	})
	handle(t, sysExited, fromAll, func(_ context.Context, _ *node, from quicnet.Addr, e agent.Exited) (any, error) {
		c, err := h.childOf(from, e.Worker)
		if err == nil {
			exit := e.Exit()
			exit.Memory, exit.With = clean.OneLine(exit.Memory, maxCarrier), clean.OneLine(exit.With, maxCarrier)
			h.mu.Lock()
			c.on.ending = cmp.Or(c.on.ending, exit.With) // before anybody judges the end
			h.mu.Unlock()
			c.End(exit)
			h.mu.Lock()
			delete(c.on.children, c.as)
			h.mu.Unlock()
		}
		return nil, err
	})
	handleNote(t, sysStood, fromAll, func(_ *node, from quicnet.Addr, s agent.Stood) error {
		c, err := h.childOf(from, s.Worker)
		if err == nil {
			c.Stood(s.Still)
		}
		return err
	})
}

// childOf finds a worker of an agent: it speaks for its own only.
func (h *hub) childOf(from quicnet.Addr, w agent.Worker) (*remoteChild, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.hosts[from.Proc]
	if m == nil {
		return nil, fmt.Errorf("process %d is no agent: %w", from.Proc, ErrForbidden)
	}
	c := m.children[w]
	if c == nil {
		return nil, fmt.Errorf("process %d, epoch %d, is none of host %s", w.Proc, w.Epoch, m.shown())
	}
	return c, nil
}
