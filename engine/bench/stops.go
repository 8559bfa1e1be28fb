package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Held is what both debuggers stop at. Ours stops this actor, Delve the process.
//
//go:noinline
func (*Echo) Held(context.Context) (bool, error) { return true, nil }

// PID is the process that the debuggers attach to.
func (*Echo) PID(context.Context) (int, error) { return os.Getpid(), nil }

// stopTime bounds one stop, from attaching to going on.
const stopTime = time.Minute

// othersInFlight is how many calls the other actor of the process has in flight, with and without a stop.
const othersInFlight = 16

// stopRig is a session with one worker process: an actor that is stopped, and another that goes on, or does not.
type stopRig struct {
	dur    time.Duration
	addr   string // the socket of the session
	pid    int    // of the worker
	target engine.Mesh[Echo]
	other  engine.Mesh[Echo]
}

// measureStops stops an actor with our debugger and the process with Delve, by turns which is first, and prints for each
// how long it took until the stop was shown and what rate the other actor had meanwhile.
func measureStops(ctx context.Context, s settings) error {
	e, err := engine.Start(ctx, engine.NoSession())
	if err != nil {
		return err
	}
	defer e.Close()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		return err
	}
	srv := control.NewServer(control.ServerConfig{Backend: e.Backend()})
	go func() { _ = srv.Serve(l) }()
	defer func() { _ = srv.Close() }()
	r := &stopRig{dur: s.dur, addr: l.Addr().String()}
	if err := r.spawn(e.Context()); err != nil {
		return err
	}
	measures := []func(context.Context) (result, error){r.withOurs}
	if s.dlv != "" {
		measures = append(measures, func(ctx context.Context) (result, error) { return r.withDelve(ctx, s.dlv) })
	}
	for i := range measures {
		free, settle := r.rate(e.Context())
		if err := settle(); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(e.Context(), stopTime)
		got, err := measures[(i+s.turn)%len(measures)](ctx)
		cancel()
		if err != nil {
			return err
		}
		got.What, got.Free = whatStop, cmp.Or(got.Free, free)
		if err := measure.Tell(got); err != nil {
			return err
		}
	}
	return nil
}

func (r *stopRig) spawn(ctx context.Context) error {
	procs, err := engine.SpawnProcs(ctx, engine.Dim("ranks", 1))
	if err != nil {
		return err
	}
	if r.target, err = engine.Spawn(ctx, procs, "target", Echo{}); err != nil {
		return err
	}
	if r.other, err = engine.Spawn(ctx, procs, "other", Echo{}); err != nil {
		return err
	}
	r.pid, err = engine.Query(r.target, (*Echo).PID).CallOne(ctx)
	return err
}

// rate is the answers a second of the other actor. Calls that are still in flight, as all are while the process stands, end
// when it goes on: settle waits for them.
func (r *stopRig) rate(ctx context.Context) (perSecond float64, settle func() error) {
	var n atomic.Int64
	var over atomic.Bool
	var wg sync.WaitGroup
	errs := make(chan error, othersInFlight)
	for range othersInFlight {
		wg.Go(func() {
			for !over.Load() {
				if _, err := engine.Method(r.other, (*Echo).Echo).CallOne(ctx, payload); err != nil {
					errs <- err
					return
				}
				n.Add(1)
			}
		})
	}
	time.Sleep(r.dur / 4) // warm; and what was on its way when the process was stopped has come
	before, begin := n.Load(), time.Now()
	time.Sleep(r.dur)
	perSecond = float64(n.Load()-before) / time.Since(begin).Seconds()
	over.Store(true)
	return perSecond, func() error {
		wg.Wait()
		close(errs)
		return <-errs
	}
}

// withOurs attaches as a front end does, arms a breakpoint, sends the message and waits until the picture has the stop.
func (r *stopRig) withOurs(ctx context.Context) (result, error) {
	attach := time.Now()
	c, err := control.Dial(ctx, r.addr, control.ClientInfo{Name: "bench"})
	if err != nil {
		return result{}, err
	}
	defer func() { _ = c.Close() }()
	w, err := c.Watch(ctx, control.TopicState)
	if err != nil {
		return result{}, err
	}
	attached := time.Since(attach)
	free, settle := r.rate(ctx) // once more, with a front end attached: its cost is not the stop's
	if err := settle(); err != nil {
		return result{}, err
	}
	arm := time.Now()
	set, err := c.Breaks(ctx, control.BreaksReq{Set: &control.Breakpoint{Mesh: "target", Endpoint: "Held"}})
	if err != nil {
		return result{}, err
	}
	held := engine.Query(r.target, (*Echo).Held).Start(ctx)
	var pic control.Replica
	until := func(stops int) error {
		for len(pic.Stops) != stops {
			u, err := w.Next(ctx)
			if err != nil {
				return err
			}
			pic.Apply(u)
		}
		return nil
	}
	if err := until(1); err != nil {
		return result{}, fmt.Errorf("our stop was not shown: %w", err)
	}
	armed := time.Since(arm)
	out := result{Peer: peerDebugger, Shown: ms(attached + armed), Armed: ms(armed), Free: free}
	out.Rate, settle = r.rate(ctx)
	if err := settle(); err != nil {
		return result{}, err
	}
	if _, err := c.Breaks(ctx, control.BreaksReq{Remove: []uint64{set[0].ID}}); err != nil {
		return result{}, err
	}
	if _, err := c.Resume(ctx, control.ResumeReq{All: true}); err != nil {
		return result{}, err
	}
	if _, err := held.All(ctx); err != nil {
		return result{}, err
	}
	return out, until(0)
}

// withDelve does the same with Delve's command line.
func (r *stopRig) withDelve(ctx context.Context, dlv string) (result, error) {
	attach := time.Now()
	d, err := attachDelve(ctx, dlv, strconv.Itoa(r.pid))
	if err != nil {
		return result{}, err
	}
	defer d.kill()
	arm := time.Now()
	if err := d.say("break main.(*Echo).Held", "Breakpoint 1 set"); err != nil {
		return result{}, err
	}
	held := engine.Query(r.target, (*Echo).Held).Start(ctx)
	if err := d.say("continue", "> [Breakpoint 1]"); err != nil {
		return result{}, err
	}
	out := result{Peer: peerDelve, Shown: ms(time.Since(attach)), Armed: ms(time.Since(arm))}
	var settle func() error
	out.Rate, settle = r.rate(ctx)
	if err := d.detach(); err != nil {
		return result{}, err
	}
	if err := settle(); err != nil {
		return result{}, fmt.Errorf("a call that Delve held up: %w", err)
	}
	_, err = held.All(ctx)
	return out, err
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }
