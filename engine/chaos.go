package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/chaos"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// faults is the hub's part of the faults that are injected. hub.mu guards it.
type faults struct {
	book    chaos.Book
	timers  map[uint64]*time.Timer // of those that end by themselves, by number
	frozen  map[uint64]bool        // the processes that were stopped
	telling *time.Timer            // counts that have changed are to be told
	over    bool                   // the session ends
}

// The engine's messages about faults.
const (
	sysChaos  = "chaos"  // request and note: controller → process, which faults act there
	sysCounts = "counts" // note: process → controller, what they have done
)

// chaosHandlers are those that every process has.
func chaosHandlers(t *sysTable) {
	handle(t, sysChaos, fromController, func(_ context.Context, n *node, _ quicnet.Addr, o chaos.Orders) (any, error) {
		return nil, n.obeyChaos(o)
	})
	handleNote(t, sysChaos, fromController, func(n *node, _ quicnet.Addr, o chaos.Orders) error {
		n.outbox.Add(0, func() { // lifting a fault sends what was held up
			if err := n.obeyChaos(o); err != nil {
				n.log.Warn("faults could not be injected", "err", err)
			}
		})
		return nil
	})
}

// obeyChaos has this process do what the newest orders say. Messages that nothing holds up any more are handled.
func (n *node) obeyChaos(o chaos.Orders) error {
	relieved, err := n.chaos.Obey(o, n.socket(), n.touch)
	if relieved {
		acts := map[uint64]bool{}
		for _, r := range o.Messages {
			acts[r.ID] = true
		}
		for _, a := range n.actors.all() {
			a.takeLate(acts)
		}
	}
	return err
}

// socket is where the process's packets pass; nil for in-process ranks, and before there is one.
func (n *node) socket() chaos.Socket {
	var wire *quicnet.Node
	if n.hub != nil {
		n.hub.mu.Lock()
		wire = n.hub.wire
		n.hub.mu.Unlock()
	} else {
		wire, _ = n.peers.current().(*quicnet.Node)
	}
	if wire == nil {
		return nil
	}
	return wire
}

// tellFaultCounts tells the controller what the faults in this process have done, where that has changed.
func (n *node) tellFaultCounts() {
	if !n.chaos.Active() {
		return
	}
	counts, changed := n.chaos.News(n.socket())
	switch {
	case !changed:
	case n.local != nil:
		n.local.takeFaultCounts(n.id, counts)
	default:
		// Reliable; an error means that the controller is gone, and this process ends.
		_ = n.notice(n.root, quicnet.LaneControl, nil, quicnet.Addr{}, sysCounts, counts)
	}
}

// countsEvery is how often front ends are told of the counts of faults.
const countsEvery = 200 * time.Millisecond

// takeFaultCounts puts what a process told of its faults into the books.
func (h *hub) takeFaultCounts(proc uint64, counts []fault.Count) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[proc]; proc != 0 && (p == nil || p.over()) || !h.faults.book.Count(proc, counts) {
		return
	}
	if h.faults.telling == nil && !h.faults.over {
		h.faults.telling = time.AfterFunc(countsEvery, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.faults.telling = nil
			h.tellFaults(h.faults.book.Counted())
		})
	}
}

// tellFaults publishes what became of faults, and does what follows here. The caller holds h.mu.
func (h *hub) tellFaults(changes []chaos.Change) {
	for _, c := range changes {
		h.publish(control.Event{Fault: &control.FaultEvent{Fault: c.Fault, Gone: c.Gone, Why: c.Why}})
		if t := h.faults.timers[c.ID]; t != nil && c.Gone {
			t.Stop()
			delete(h.faults.timers, c.ID)
		}
	}
	h.freeze()
}

// freeze stops the processes that are to stand, and lets the others go on. The caller holds h.mu.
func (h *hub) freeze() {
	want := h.faults.book.Paused()
	for id := range want {
		if p := h.procs[id]; p != nil && p.child != nil && !p.over() && !h.faults.frozen[id] && p.child.Freeze() == nil {
			put(&h.faults.frozen, id, true)
			h.wire.Hold(id, true) // its silence says nothing
			h.on(p, life.PauseSeen)
		}
	}
	for id := range h.faults.frozen {
		if want[id] {
			continue
		}
		delete(h.faults.frozen, id)
		if p := h.procs[id]; p != nil && !p.over() && p.child.Thaw() == nil {
			h.wire.Hold(id, false)
			h.on(p, life.ContinueSeen)
		}
	}
}

// chaosOrders makes the newest orders of the processes: the workers', and the controller's own. The caller holds h.mu.
func (h *hub) chaosOrders() (todo map[*proc]chaos.Orders, own chaos.Orders) {
	everybody := []uint64{0}
	for id, p := range h.procs {
		if p.local == nil && p.isReady() && !p.over() {
			everybody = append(everybody, id)
		}
	}
	slices.Sort(everybody)
	todo = map[*proc]chaos.Orders{}
	for id, o := range h.faults.book.Orders(everybody, h.addrOf) {
		switch p := h.procs[id]; {
		case id == 0:
			own = o
		case p == nil || !p.isReady() || p.over():
		case p.life.State != life.Ready || h.faults.frozen[id]: // it would not answer in time: it is told when it can be
			h.orderChaos(p, o)
		default:
			todo[p] = o
		}
	}
	return todo, own
}

// orderChaos sends a process its newest orders. The caller holds h.mu.
func (h *hub) orderChaos(p *proc, o chaos.Orders) {
	h.node.outbox.Add(p.id, func() {
		if p.local != nil {
			_ = p.local.obeyChaos(o) // it has no socket that could refuse
			return
		}
		// A process that has gone has nothing to lift.
		_ = h.node.notice(h.node.root, quicnet.LaneControl, nil, quicnet.Addr{Proc: p.id}, sysChaos, o)
	})
}

// addrOf is where a worker is, "" where that is not known. The caller holds h.mu.
func (h *hub) addrOf(proc uint64) string {
	if h.wire == nil || proc&inProcessBit != 0 {
		return ""
	}
	if a := h.wire.PeerAddr(proc); a != nil {
		return a.String()
	}
	return ""
}

// replanFaults brings the processes up to date with the table, behind the caller's back: the controller itself first, because what
// is lifted there may be what cuts the others off. The caller holds h.mu.
func (h *hub) replanFaults() {
	todo, own := h.chaosOrders()
	if own.Turn > 0 {
		h.node.outbox.Add(0, func() { h.obeyOwn(own) })
	}
	for p, o := range todo {
		h.orderChaos(p, o)
	}
}

func (h *hub) obeyOwn(o chaos.Orders) {
	if err := h.node.obeyChaos(o); err != nil {
		h.log.Warn("faults could not be injected", "err", err)
	}
}

// carryOut is replanFaults for who waits until it is done. The workers come first, because what is injected at the controller may
// cut them off; where faults were lifted, last. Who cannot be told in time is told when it can be.
func (h *hub) carryOut(ctx context.Context, todo map[*proc]chaos.Orders, own chaos.Orders, lift bool) error {
	if lift {
		h.obeyOwn(own)
	}
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	failed := h.eachRank(slices.Collect(maps.Keys(todo)), func(_ int, p *proc) error {
		if p.local != nil {
			return p.local.obeyChaos(todo[p])
		}
		return h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysChaos, todo[p], nil)
	})
	if !lift {
		h.obeyOwn(own)
	}
	for _, err := range failed {
		if !errors.Is(err, ErrLost) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// injectFault executes the verb fault.
func (h *hub) injectFault(ctx context.Context, client control.ClientInfo, r control.FaultReq) (control.Fault, error) {
	f := r.Fault
	if err := chaos.Check(&f); err != nil {
		return control.Fault{}, err
	}
	if !f.OnMessages() && f.Kind != control.FaultPause {
		h.reachAll(ctx)
	}
	h.mu.Lock()
	f, err := h.enterFault(client, f)
	if err != nil {
		h.mu.Unlock()
		return control.Fault{}, fmt.Errorf("%s %s: %w", f.Kind, r.Fault.Target(), err)
	}
	todo, own := h.chaosOrders()
	h.mu.Unlock()
	if err := h.carryOut(ctx, todo, own, false); err != nil {
		h.mu.Lock()
		h.dropFaults(func(x *control.Fault) bool { return x.ID == f.ID }, "it could not be injected: "+err.Error())
		h.mu.Unlock()
		return control.Fault{}, fmt.Errorf("%s: %w", f.String(), err)
	}
	return f, nil
}

// enterFault puts a fault into the table. The caller holds h.mu.
func (h *hub) enterFault(client control.ClientInfo, f control.Fault) (control.Fault, error) {
	if h.closed || h.faults.over {
		return f, fmt.Errorf("the session ends: %w", ErrStopped)
	}
	if _, here := h.clients[client.ID]; client.ID != 0 && !here {
		return f, errors.New("its client has gone")
	}
	if err := h.faults.book.Room(); err != nil {
		return f, err
	}
	aim, err := h.aimFault(&f)
	if err != nil {
		return f, err
	}
	f.By, f.Client = cmp.Or(client.Name, "the program"), client.ID
	f.Seed = cmp.Or(f.Seed, uint64(rand.Uint32())|1) //nolint:gosec // short enough to be typed again
	f = h.faults.book.Enter(f, aim, time.Now())
	if f.For > 0 {
		put(&h.faults.timers, f.ID, time.AfterFunc(f.For, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.dropFaults(func(x *control.Fault) bool { return x.ID == f.ID }, "its time was over")
		}))
	}
	h.tellFaults([]chaos.Change{{Fault: f}})
	return f, nil
}

// aimFault finds the processes that a fault is on, and says which of the ranks it is on run. The caller holds h.mu.
func (h *hub) aimFault(f *control.Fault) (aim chaos.Aim, err error) {
	if f.OnMessages() {
		f.Of, f.Ranks, aim.Procs, err = h.aimAtActors(f)
		return aim, err
	}
	if f.Of, f.Ranks, aim.Procs, err = h.aimAtProcs(f.Kind, f.Procs, f.Of, f.Ranks); err != nil {
		return aim, err
	}
	switch {
	case f.Kind == control.FaultPause:
	case f.Controller:
		aim.To = []uint64{0}
	case f.To == "":
		aim.Everybody = true
	default:
		if f.ToOf, f.ToRanks, aim.To, err = h.aimAtProcs(f.Kind, f.To, f.ToOf, f.ToRanks); err == nil && len(aim.Procs) == 1 && slices.Equal(aim.Procs, aim.To) {
			err = errors.New("there is no link from a process to itself")
		}
	}
	return aim, err
}

// aimAtActors finds the processes of actors. The caller holds h.mu.
func (h *hub) aimAtActors(f *control.Fault) (of uint64, ranks []int, procs []uint64, err error) {
	m := h.meshes[f.Mesh]
	switch {
	case m != nil && f.Of != 0 && m.rec.Ref.ID != f.Of, m == nil && h.wasHere(f.Mesh):
		return 0, nil, nil, fmt.Errorf("@%s has ended already: %w", f.Mesh, ErrStopped)
	case m == nil:
		return 0, nil, nil, fmt.Errorf("there is no actor mesh @%s%s", f.Mesh, suggestKeys(f.Mesh, h.meshes))
	}
	at, err := typeNamed(m.rec.Ref.Type)
	if err != nil {
		return 0, nil, nil, err
	}
	if f.Endpoint != "" && at.eps[f.Endpoint] == nil {
		return 0, nil, nil, at.missing(fmt.Sprintf("@%s is a %s, which has no endpoint", f.Mesh, at.short), f.Endpoint)
	}
	ranks, procs, err = chaos.Left("@"+f.Mesh, f.Ranks, m.rec.Ref.Home.Len(), func(rank int) (uint64, bool) {
		p := m.procs.procs[m.rec.Ref.Home.RankAt(rank)]
		return p.id, p.isReady() && !p.over() && !m.rec.Ranks[rank].Over()
	})
	return m.rec.Ref.ID, ranks, procs, err
}

// aimAtProcs finds processes. The caller holds h.mu.
func (h *hub) aimAtProcs(kind, name string, id uint64, ranks []int) (of uint64, aimed []int, procs []uint64, err error) {
	pm, err := h.lookupProcs(name, id)
	if err != nil {
		return 0, nil, nil, err
	}
	if pm.rec.InProcess {
		instead := "no packets come to them; delay @MESH and drop @MESH act on messages"
		if kind == control.FaultPause {
			instead = "pause @MESH stops actors"
		}
		return 0, nil, nil, fmt.Errorf("the ranks of %s are goroutines of the controller (in-process): %s", name, instead)
	}
	aimed, procs, err = chaos.Left(name, ranks, len(pm.procs), func(rank int) (uint64, bool) {
		p := pm.procs[rank]
		return p.id, p.isReady() && !p.over()
	})
	return pm.rec.ID, aimed, procs, err
}

// heal executes the verb heal.
func (h *hub) heal(ctx context.Context, client control.ClientInfo, r control.HealReq) ([]control.Fault, error) {
	h.mu.Lock()
	changes, err := h.healed(client, r)
	if err != nil || len(changes) == 0 {
		h.mu.Unlock()
		return nil, err
	}
	todo, own := h.chaosOrders()
	h.mu.Unlock()
	out := make([]control.Fault, len(changes))
	for i, c := range changes {
		out[i] = c.Fault
	}
	return out, h.carryOut(ctx, todo, own, true)
}

// healed takes faults out of the table. The caller holds h.mu, and has the processes told.
func (h *hub) healed(client control.ClientInfo, r control.HealReq) ([]chaos.Change, error) {
	if r.Procs != "" {
		pm, err := h.lookupProcs(r.Procs, 0)
		if err == nil {
			err = checkRanks("proc mesh "+r.Procs, r.Ranks, len(pm.procs))
		}
		if err != nil {
			return nil, err
		}
	}
	if r.Mesh != "" {
		m := h.meshes[r.Mesh]
		if m == nil {
			return nil, fmt.Errorf("there is no actor mesh @%s%s", r.Mesh, suggestKeys(r.Mesh, h.meshes))
		}
		if err := checkRanks("@"+r.Mesh, r.Ranks, m.rec.Ref.Home.Len()); err != nil {
			return nil, err
		}
	}
	changes, err := h.faults.book.Heal(r, "healed by "+cmp.Or(client.Name, "the program"))
	h.tellFaults(changes)
	return changes, err
}

// dropFaults ends faults because of what became of whom they are on, or of who ordered them, and has the processes told. The
// caller holds h.mu.
func (h *hub) dropFaults(meant func(*control.Fault) bool, why string) {
	h.faultsChanged(h.faults.book.Drop(meant, why))
}

// faultsOfGone takes processes that have ended, or are about to, out of the faults. The caller holds h.mu.
func (h *hub) faultsOfGone(why string, gone func(proc uint64) bool) {
	h.faultsChanged(h.faults.book.Gone(gone, why))
}

func (h *hub) faultsChanged(changes []chaos.Change) {
	if len(changes) > 0 {
		h.tellFaults(changes)
		h.replanFaults()
	}
}

// faultsOfMesh ends the faults on the actors of a mesh. The caller holds h.mu.
func (h *hub) faultsOfMesh(id uint64, why string) {
	h.dropFaults(func(f *control.Fault) bool { return f.OnMessages() && f.Of == id }, why)
}

// liftFaults ends all faults, because the session ends. The caller holds h.mu.
func (h *hub) liftFaults() {
	h.faults.over = true
	h.dropFaults(func(*control.Fault) bool { return true }, "the session ended")
}

// Fault is something bad that Inject does on purpose, for tests: to the packets between processes, to a process, or to messages on
// their way into mailboxes. Links do not lose messages: what a lossy or slow link is seen by is time, until it is given up
// (10 s without contact).
type Fault struct {
	Kind       string        // delay, drop, rate, partition or pause
	On         FaultTarget   // a ProcMesh or a slice of one; for delay and drop also a Mesh: then they act on messages
	To         FaultTarget   // a ProcMesh: only the links between the two; nil: those to everybody
	Controller bool          // in place of To: only the links to the controller
	Endpoint   string        // of a Mesh: only messages for it; "" for any
	Way        string        // "in": only packets that come to On; "out": only those that leave it
	Delay      time.Duration // of delay, up to 1 h: for each packet, so that a round trip takes twice as much
	Jitter     time.Duration // of delay: up to so much more or less
	Percent    float64       // of drop
	Rate       int64         // of rate: bytes a second
	For        time.Duration // it ends after so long; 0: when it is healed
	Seed       uint64        // of what is drawn: with the same seed the n-th packet or message has the same fate; 0: any
}

// FaultTarget is what a Fault can be on: a ProcMesh or a Mesh.
type FaultTarget interface {
	faultOn() (procs, mesh string, id uint64, ranks []int, err error)
}

// Inject injects a fault, and returns when it acts. It ends when heal is called, when ctx ends, when its time is over, or with
// whom it is on; heal returns when it has ended. A call whose message is dropped fails with ErrLost. Errors: of a fault
// that makes no sense, and of one on ranks that do not run.
func Inject(ctx context.Context, f Fault) (heal func(), err error) {
	fail := func(err error) (func(), error) { return nil, fmt.Errorf("inject %s: %w", f.Kind, err) }
	n, err := nodeOf(ctx)
	if err != nil {
		return fail(err)
	}
	if f.On == nil {
		return fail(errors.New("Fault.On is nil: want a ProcMesh or a Mesh"))
	}
	req := control.Fault{
		Kind: f.Kind, Controller: f.Controller, Endpoint: f.Endpoint, Way: f.Way, Delay: f.Delay, Jitter: f.Jitter,
		Percent: f.Percent, Rate: f.Rate, For: f.For, Seed: f.Seed,
	}
	if req.Procs, req.Mesh, req.Of, req.Ranks, err = f.On.faultOn(); err != nil {
		return fail(err)
	}
	if f.To != nil {
		if req.To, _, req.ToOf, req.ToRanks, err = f.To.faultOn(); err == nil && req.To == "" {
			err = errors.New("Fault.To is a Mesh: the other end of a link is a ProcMesh")
		}
		if err != nil {
			return fail(err)
		}
	}
	ans, err := n.verb(ctx, verbBody{Fault: &control.FaultReq{Fault: req}})
	if err != nil {
		return nil, fmt.Errorf("inject: %w", err)
	}
	over := context.WithoutCancel(ctx)
	end := sync.OnceFunc(func() {
		_, _ = n.verb(over, verbBody{Heal: &control.HealReq{IDs: []uint64{ans.Fault}}}) // an error: the session has ended
	})
	stop := context.AfterFunc(ctx, end)
	return func() { stop(); end() }, nil
}
