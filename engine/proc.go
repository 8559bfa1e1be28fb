package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// proc is one rank of a proc mesh: a worker process, or a node of goroutines in this one.
type proc struct {
	id         uint64
	epoch      uint32
	pm         *procMesh
	rank       int
	rec        control.Proc // guarded by hub.mu
	life       life.Life    // guarded by hub.mu
	cpus       []int        // CPU set of the worker; nil: left to the kernel
	child      child
	on         *machine // the host that it is on; nil: this machine
	place      int      // among the ranks of that host
	local      *node
	ready      chan struct{} // closed when it may be used
	ended      chan struct{} // closed when it has ended, after its output was read
	again      chan struct{} // of a later epoch: closed when it has been started, or has not; nil in the first
	settled    chan struct{} // closed then too, when what its actors had made has ended
	linkReason string        // why its link was closed, when that came first; guarded by hub.mu
	buried     bool          // the engine ended it, for linkReason; guarded by hub.mu
	told       uint64        // turn of the switch of telemetry that it knows; guarded by hub.mu
	expect     bool          // its end was ordered: not a failure; guarded by hub.mu
	failed     error         // why it ended before it was ready; guarded by hub.mu
	still      stillBody     // what others are told of its stops by a signal; guarded by hub.mu
	runs                     // what it runs, and what is to run in its place
	once       sync.Once
}

func newProc(pm *procMesh, id uint64, rank int, req control.ProcsReq) *proc {
	cpus := max(1, req.CPUs)
	p := &proc{id: id, epoch: 1, pm: pm, rank: rank, life: life.New(), ready: make(chan struct{}), ended: make(chan struct{}), settled: make(chan struct{})}
	p.rec = control.Proc{
		ID: id, Mesh: pm.rec.Name, Rank: rank, Host: "local", Slot: slotOf(pm.rec.Extent, rank), Device: "virtual", Procs: cpus,
		State: "requested", Since: time.Now(),
	}
	if p.rec.Slot < 0 {
		p.rec.Device = ""
	}
	p.seat(req)
	return p
}

// identity is who the process is on a link.
func (p *proc) identity() quicnet.ID { return quicnet.ID{Proc: p.id, Epoch: p.epoch} }

// on applies an event to the rank's life, does what follows from it and tells front ends. The caller holds h.mu. The
// timers among the effects run where the silence is measured: StartWithin in launchAll, StopWithin and DeadWithin in
// endProc, LostAfter in quicnet, whose verdict comes back as an event.
func (h *hub) on(p *proc, kind life.Kind, more ...func(*life.Event)) {
	ev := life.Event{Kind: kind, Epoch: p.life.Epoch}
	for _, m := range more {
		m(&ev)
	}
	next, effects, err := p.life.On(ev)
	if err != nil {
		h.log.Warn("an event does not fit the rank's life", "procs", p.rec.Mesh, "rank", p.rank, "err", err)
		return
	}
	for _, e := range effects {
		if e.Do == life.AskKill && p.child != nil {
			p.child.Kill()
		}
	}
	if next == p.life {
		return
	}
	if p.over() && next.State == p.life.State { // its end has been told, with its cause
		p.life = next
		return
	}
	p.life = next
	p.rec.State, p.rec.Held, p.rec.Paused = next.State.String(), next.Held, next.Paused
	p.rec.Reason = cmp.Or(ev.Text, next.Reason)
	p.rec.Since = time.Now()
	rec := p.rec
	h.publish(control.Event{Proc: &rec})
	if p.over() {
		h.faultsOfGone("its processes have ended", func(id uint64) bool { return id == p.id })
	}
}

// because gives an event its reason.
func because(text string) func(*life.Event) { return func(e *life.Event) { e.Text = text } }

// over reports whether the rank has ended. The caller holds h.mu.
func (p *proc) over() bool { return p.life.State.Terminal() }

var errEarly = errors.New("it ended before it was ready")

// awaitReady waits for the proc to join, or says why it will not.
func (h *hub) awaitReady(ctx context.Context, p *proc) error {
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		h.mu.Lock()
		defer h.mu.Unlock()
		return cmp.Or(p.failed, errEarly)
	case <-ctx.Done():
		if context.Cause(ctx) == errTooSlow { //nolint:errorlint // our own cause, never wrapped
			return errors.New("it started but did not join in time; does main call engine.Main, and does it get there at once?")
		}
		return ctx.Err()
	}
}

// launchOne starts one rank.
func (h *hub) launchOne(ctx context.Context, p *proc, req control.ProcsReq) error {
	if err := ctx.Err(); err != nil {
		return h.neverStarted(p, err)
	}
	if req.InProcess {
		return h.startLocal(p)
	}
	if p.on != nil {
		return h.forkRemote(ctx, p, req)
	}
	if err := p.pm.slots.Check(ctx, p.rec.Slot); err != nil {
		return h.neverStarted(p, err)
	}
	spec, err := h.specOf(p, req)
	if err != nil {
		return h.neverStarted(p, err)
	}
	forked, err := h.spawner.Start(spec)
	if err != nil {
		return h.neverStarted(p, host.ExplainFiles(err))
	}
	child := localChild{forked}
	h.mu.Lock()
	p.child = child
	p.rec.PID = child.pid()
	if p.life.State == life.Requested {
		h.on(p, life.Launched)
	} else { // it has joined already
		rec := p.rec
		h.publish(control.Event{Proc: &rec})
	}
	unwanted := p.expect || h.closed
	h.mu.Unlock()
	if unwanted { // it was ended while it started
		child.Kill()
	}
	h.wg.Go(func() {
		h.watchChild(p, child)
	})
	return nil
}

func (h *hub) neverStarted(p *proc, err error) error {
	return h.failedToStart(p, err, func() { close(p.settled) })
}

// failedToStart ends a rank that has not come to life. settle is for who knows when everything about that end is settled.
func (h *hub) failedToStart(p *proc, err error, settle func()) error {
	h.mu.Lock()
	p.failed = err
	p.expect = true
	h.on(p, life.Refused, because(err.Error()))
	h.mu.Unlock()
	p.once.Do(func() { // nobody has called it: only calls that come later are to know why
		b := newGone([]*proc{p}, fmt.Sprintf("rank %d of procs %s did not start: %v", p.rank, p.rec.Mesh, err), false)
		h.node.peers.noteGone(b)
		h.mem.Forget(p.id, b.Reason)
		close(p.ended)
		settle()
	})
	return err
}

// crowd is the in-process ranks from which idle actors give up their goroutine. Its stack is half of what a rank needs:
// 65,536 ranks take 0.7 GB instead of 1.3. To begin it anew costs a message a few microseconds.
const crowd = 4096

// startLocal makes an in-process rank.
func (h *hub) startLocal(p *proc) error {
	h.mu.Lock()
	unwanted := p.expect || h.closed
	h.mu.Unlock()
	if unwanted {
		return h.neverStarted(p, ErrStopped)
	}
	n := newNode(p.id, p.epoch, h.log)
	n.seed = h.node.seed
	n.clock, n.agent = h.node.clock, h.node.agent
	n.tel, n.reporter, n.spare, n.targets, n.handlers, n.peers = h.node.tel, h.node.reporter, h.node.spare, h.node.targets, h.ranks.handlers, h.ranks.peers
	n.local, n.slot, n.out = h, p.rec.Slot, h.out.forProc(p.id)
	n.crowded = p.pm.size() > crowd
	h.mem.attach(n)
	h.mu.Lock()
	if p.expect || h.closed { // it was ended while it started
		h.mu.Unlock()
		h.mem.Forget(p.id, "it was ended while it started")
		n.close("it was ended while it started")
		return h.neverStarted(p, ErrStopped)
	}
	p.local = n
	for _, k := range []life.Kind{life.Launched, life.Proved, life.Welcomed} {
		h.on(p, k)
	}
	h.mu.Unlock()
	close(p.ready)
	return nil
}

// openWire is ensureWire after a look at whether workers could reach us at all.
func (h *hub) openWire() error {
	h.mu.Lock()
	have := h.wire != nil || h.closed
	h.mu.Unlock()
	if !have {
		if err := host.DialSelf(h.opts.listen); err != nil {
			return err
		}
	}
	_, err := h.ensureWire()
	return err
}

// ensureWire opens the controller's socket when the first worker needs it.
func (h *hub) ensureWire() (*quicnet.Node, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wire != nil {
		return h.wire, nil
	}
	if h.closed {
		return nil, fmt.Errorf("the engine is closing: %w", ErrStopped)
	}
	wire, err := quicnet.NewController(h.session.Name, quicnet.Config{
		Handler: h.node, Admit: h.admit, Logger: h.log, Listen: h.opts.listen,
		Resolve: func(context.Context, uint64) (addr netAddr, err error) { return nil, nil }, // workers dial the controller
	})
	if err != nil {
		return nil, fmt.Errorf("open a socket for the workers: %w", host.ExplainFiles(err))
	}
	h.wire = wire
	h.spawner = launch.New()
	h.mem.reach(wire)
	h.tellCarrier()
	return wire, nil
}

// hello is what a worker tells when it joins.
type hello struct {
	PID     int
	Build   string
	Engine  string
	Carrier string // how its packets travel; "": it has no socket for any
}

// maxCarrier is the most that is kept of a worker's carrier.
const maxCarrier = 256

// admit judges a worker that proved its ticket.
func (h *hub) admit(id quicnet.ID, b []byte) ([]byte, error) {
	if m := h.hostOf(id.Proc); m != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		return nil, h.admitHost(m, b)
	}
	var w hello
	if err := quicnet.StrictDec().Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("its hello does not decode: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.procs[id.Proc]
	switch {
	case p == nil || p.over():
		return nil, fmt.Errorf("process %d is not expected", id.Proc)
	case w.Engine != Version:
		return nil, fmt.Errorf("it was built with engine %s, the controller with %s", w.Engine, Version)
	}
	p.rec.Carrier = cmp.Or(clean.OneLine(w.Carrier, maxCarrier), control.InheritedSockets)
	if p.isReady() { // it has joined by its sockets, and connects by QUIC
		rec := p.rec
		h.publish(control.Event{Proc: &rec})
		return nil, nil
	}
	p.rec.Build = h.buildOf(p, w.Build)
	h.tellOwnBuild()
	if p.life.State == life.Requested { // it was faster than who has started it
		h.on(p, life.Launched)
	}
	if p.life.State == life.Launching {
		h.on(p, life.Proved)
	}
	return nil, nil
}

// linkEvent turns a state of the link into an event of the rank's life.
func (h *hub) linkEvent(ev quicnet.LinkEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.procs[ev.Peer.Proc]
	if p != nil && ev.Peer.Epoch != 0 && ev.Peer.Epoch < p.epoch { // the word about an earlier epoch comes late
		return
	}
	h.steerPoll(ev)
	if m := h.hosts[ev.Peer.Proc]; m != nil {
		if then := h.hostLink(m, ev); then != nil {
			h.wg.Go(then)
		}
		return
	}
	if p == nil {
		return
	}
	switch ev.State {
	case quicnet.LinkLease: // concerns workers only
	case quicnet.LinkRefused:
		h.log.Warn("somebody was refused in the name of a rank", "procs", p.rec.Mesh, "rank", p.rank, "reason", ev.Reason)
	case quicnet.LinkUp:
		h.leaveDetour(p.id, p.epoch)
		h.on(p, life.Welcomed)
		p.signalReady()
		h.tellAnew(p)
		if h.debug.orders.Turn > 0 {
			h.orderProc(p.id)
		}
		h.replanFaults()
		h.tellMoves(p)
	case quicnet.LinkMoved:
		h.replanFaults() // those of its packets
	case quicnet.LinkRecovered:
		h.on(p, life.Contact)
	case quicnet.LinkSuspect:
		h.on(p, life.Silent, because(ev.Reason))
	case quicnet.LinkUnreachable:
		kind := life.LinkBroke
		if p.life.Paused { // what broke it is silence
			kind = life.Idle
		}
		h.on(p, kind, because(ev.Reason))
	case quicnet.LinkLost: // quicnet has given the peer up: even a rank that is held has no way back, so it ends
		if p.linkReason == "" {
			p.linkReason, p.buried = ev.Reason+"; ended by the engine", true
		}
		h.on(p, life.Fired, because(p.linkReason), func(e *life.Event) { e.Timer = life.LostAfter })
		if p.child != nil && !p.over() {
			p.child.Kill()
		}
	case quicnet.LinkClosed: // its process may still run; its exit does the rest
		if p.child != nil && !p.expect && !p.over() {
			p.linkReason = ev.Reason
			p.child.Kill()
			if m := p.on; m != nil && strings.Contains(ev.Reason, agentGone) { // nobody is there to kill it: it ends itself
				h.wg.Go(func() { h.loseHost(m, "lost", "its agent is gone, as its workers say") })
			}
		}
	}
}

func (p *proc) signalReady() {
	select {
	case <-p.ready:
	default:
		close(p.ready)
	}
}

// watchChild reads a worker's output to its end and then settles everything about its end, in this order: output, calls,
// record, supervision.
func (h *hub) watchChild(p *proc, child child) {
	stdout, stderr := child.streams()
	pipes := h.out.read(p.id, stdout, stderr)
	h.follow(p, child)
	pipes.drain()
	exit := child.Exit()
	h.mu.Lock()
	joined, expected, linkReason, buried := p.isReady(), p.expect || p.trial, p.linkReason, p.buried
	p.rec.Tail = pipes.tail()
	tail := p.rec.Tail
	h.mu.Unlock()
	what := fmt.Sprintf("worker %d of procs %s (pid %d) %s", p.rank, p.rec.Mesh, child.pid(), exit)
	switch {
	case buried: // our own signal is not the cause
		what = fmt.Sprintf("worker %d of procs %s (pid %d): %s", p.rank, p.rec.Mesh, child.pid(), linkReason)
	case linkReason != "" && !expected:
		what += " after its link was closed: " + linkReason
	}
	settle := func() {}
	if joined && !expected {
		h.mu.Lock()
		settle = h.suspend(p.pm, p.rank)
		h.mu.Unlock()
	}
	reported := false
	if joined {
		reported = h.tellGone(newGone([]*proc{p}, what, expected))
		h.markEnd(p, what)
	} else {
		h.tellGone(newGone([]*proc{p}, fmt.Sprintf("rank %d of procs %s did not start: %s", p.rank, p.rec.Mesh, what), false))
	}
	h.mu.Lock()
	if !joined {
		p.failed = startFailure(what, filepath.Base(h.opts.executable), exit, tail)
	}
	p.expect, p.rec.Ordered = true, expected
	h.setWaits(p.id, nil)
	delete(h.traceSeen, p.id)
	h.on(p, exitKind(exit), because(what), func(e *life.Event) { e.Code, e.Signal = exit.Code, exit.SignalName() })
	h.mu.Unlock()
	if joined && !expected { // while the process is still on the books
		h.mu.Lock()
		h.judgeFailure(failureReport{Proc: p.id, Rank: p.rank, What: what, Reported: reported}, settle)
	}
	p.once.Do(func() { close(p.ended) })
	h.endOwnedBy(p.pm, []*proc{p})
	close(p.settled)
}

func exitKind(e launch.Exit) life.Kind {
	switch {
	case e.Memory != "":
		return life.OOMSeen
	case e.Signal != 0:
		return life.SignalSeen
	case e.Code == life.FencedExit:
		return life.FenceSeen
	}
	return life.ExitSeen
}

func (p *proc) isReady() bool {
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

// workerSays begins the line in which a worker says why it could not join.
const workerSays = "worker: "

// startFailure explains a worker that ended before it was ready: nearly always its own code before engine.Main, which
// has printed why; if it got to engine.Main, the engine in it has.
func startFailure(what, program string, exit launch.Exit, tail []string) error {
	if n := len(tail); n > 0 && exit.Code == exitInternal && strings.HasPrefix(tail[n-1], workerSays) {
		return fmt.Errorf("%s: %s", what, strings.TrimPrefix(tail[n-1], workerSays))
	}
	msg := what + " before it reached engine.Main"
	if len(tail) == 0 {
		return fmt.Errorf("%s and printed nothing to stderr: does %s call engine.Main in every run, whatever its flags say?", msg, program)
	}
	return fmt.Errorf("%s; it printed:\n  %s", msg, strings.Join(tail, "\n  "))
}
