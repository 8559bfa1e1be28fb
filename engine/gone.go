package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// The end of processes. Those that end together are told together: everybody looks through what it has once, not once for
// each, so that the cost of an end is the same for a mesh of 64 ranks and for one of 65,536.

// goneBody tells that processes ended together.
type goneBody struct {
	Procs   []uint64 // ascending
	Epochs  []uint32 `cbor:",omitempty"` // of these; absent: each in its first
	Reason  string
	Ordered bool // they were told to: whoever calls their actors now calls a mesh that was stopped
}

func newGone(ps []*proc, reason string, ordered bool) goneBody {
	b := goneBody{Procs: make([]uint64, len(ps)), Reason: reason, Ordered: ordered}
	if !slices.IsSortedFunc(ps, byID) {
		ps = slices.SortedFunc(slices.Values(ps), byID)
	}
	for i, p := range ps {
		b.Procs[i] = p.id
		if p.epoch > 1 && b.Epochs == nil {
			b.Epochs = slices.Repeat([]uint32{1}, len(ps))
		}
		if b.Epochs != nil {
			b.Epochs[i] = p.epoch
		}
	}
	return b
}

func byID(a, b *proc) int { return cmp.Compare(a.id, b.id) }

// epoch is that of the process at an index.
func (b goneBody) epoch(i int) uint32 {
	if len(b.Epochs) != len(b.Procs) {
		return 1
	}
	return b.Epochs[i]
}

// since leaves out the processes of which a later epoch lives already.
func (b goneBody) since(back func(proc uint64) uint32) goneBody {
	var procs []uint64
	var epochs []uint32
	for i, p := range b.Procs {
		if e := b.epoch(i); e >= back(p) {
			procs, epochs = append(procs, p), append(epochs, e)
		}
	}
	b.Procs, b.Epochs = procs, epochs
	return b
}

func (b goneBody) has(proc uint64) bool {
	_, ok := slices.BinarySearch(b.Procs, proc)
	return ok
}

// outcome is that of a call that was at a process when it ended: whether the endpoint ran, nobody knows.
func (b goneBody) outcome() *wireError {
	w := &wireError{Outcome: control.OutcomeLost, Type: "lost", Msg: b.Reason, Codes: codesOf(ErrLost)}
	if b.Ordered {
		w.Msg, w.Codes = b.Reason+asOrdered, append(w.Codes, codesOf(ErrStopped)...)
	}
	return w
}

// tellGone gives all calls on dead processes their outcome, here and in the other processes. It reports whether anybody waited
// for one. Processes of other meshes that are ending themselves hear of it too, for their handlers finish what they do, but
// nobody waits for that; those of the same mesh have no handlers any more when the first of them ends.
func (h *hub) tellGone(b goneBody) bool {
	for i, proc := range b.Procs {
		h.leaveDetour(proc, b.epoch(i))
	}
	var others []quicnet.Addr
	here := []*node{h.node}
	h.mu.Lock()
	var dead *procMesh
	if p := h.procs[b.Procs[0]]; p != nil {
		dead = p.pm
	}
	for _, p := range h.procs {
		switch {
		case !p.isReady() || p.over() || b.has(p.id) || p.expect && p.pm == dead:
		case p.local != nil:
			here = append(here, p.local)
		case p.expect && h.ignoreFailures: // the session is over, but for its goroutines
		case p.expect || p.life.Paused: // it answers late, or when it goes on
			h.wg.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_ = h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysGone, b, nil) // it may have ended by now
			})
		default:
			others = append(others, quicnet.Addr{Proc: p.id})
		}
	}
	h.mu.Unlock()
	var waited atomic.Bool
	h.mem.behind(here, func(n *node) { // behind the last answers of those that are gone
		if n.procsGone(b) {
			waited.Store(true)
		}
	})
	reported := waited.Load()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	answers := make(chan bool, len(others))
	for _, to := range others {
		go func() {
			var waited bool
			err := h.node.request(ctx, to, sysGone, b, &waited)
			answers <- err == nil && waited
		}()
	}
	for range others {
		reported = <-answers || reported
	}
	return reported
}

// procsGone gives every call its outcome for processes that ended. It reports whether somebody waited for one.
func (n *node) procsGone(b goneBody) (reported bool) {
	b = b.since(n.peers.epochOf)
	inProcess := n.local != nil && n.hub == nil // such ranks share the link that knows
	if !inProcess {
		n.peers.noteGone(b)
	}
	if lk := n.peers.current(); lk != nil && !inProcess {
		for _, proc := range b.Procs {
			lk.Forget(proc, b.Reason)
		}
	}
	return n.endCalls(b) // after noteGone: a call that is not among them yet finds the process gone when it sends
}

// endCalls gives the calls at processes their outcome. It reports whether there were any.
func (n *node) endCalls(b goneBody) (any bool) {
	n.calls.each(func(c *call) {
		for _, i := range c.open() {
			if b.has(c.ref.procOf(i)) && !n.windows.holds(c, i) {
				c.answer(answer{index: i, err: b.outcome()})
				any = true
			}
		}
	})
	n.windows.drop(func(a quicnet.Addr) bool { return b.has(a.Proc) })
	return any
}

// Link is quicnet's upcall about a peer. The controller's hub turns it into the rank's life.
func (n *node) Link(ev quicnet.LinkEvent) {
	if n.relayer != nil && ev.Peer.Proc != 0 {
		n.relayer.link(ev)
		return
	}
	switch final := ev.State == quicnet.LinkLost || ev.State == quicnet.LinkClosed; {
	case n.hub != nil:
		n.hub.linkEvent(ev)
	case n.abandoned != nil && (ev.State == quicnet.LinkLease || final && ev.Peer.Proc == 0):
		n.abandoned(ev.Reason)
	case ev.State == quicnet.LinkLease:
		n.fence(ev.Reason)
	case !final:
	case ev.Peer.Proc == 0:
		n.controllerGone(ev.Reason)
	default: // calls to that peer get their outcome now, before the controller tells of its end
		g := goneBody{Procs: []uint64{ev.Peer.Proc}, Epochs: []uint32{max(ev.Peer.Epoch, 1)}, Reason: cmp.Or(ev.Reason, "its link was closed")}
		for _, ordered := range []string{exitReason, asOrdered} { // in its own words, or in the directory's
			if at := strings.LastIndex(ev.Reason, ordered); at >= 0 {
				g.Ordered, g.Reason = true, strings.TrimSuffix(ev.Reason[:at+len(ordered)], asOrdered)
			}
		}
		if ev.Again {
			n.outbox.Add(ev.Peer.Proc, func() { n.linkLost(g) })
			return
		}
		n.outbox.Add(ev.Peer.Proc, func() { n.procsGone(g) })
	}
}

// linkLost is told that the link to another worker was lost, by silence or because the other has given it up. The calls that used
// it get their outcome, then the controller says whether the other lives: only who is lost to the controller is lost. Where it
// lives, the next call makes another link. While the controller does not answer, calls to the other fail.
func (n *node) linkLost(b goneBody) {
	if b = b.since(n.peers.epochOf); len(b.Procs) == 0 {
		return
	}
	n.endCalls(b)
	n.outbox.Add(0, func() {
		proc := b.Procs[0]
		err := n.request(n.root, quicnet.Addr{}, sysAlive, proc, nil)
		wire, ok := n.peers.current().(*quicnet.Node)
		switch {
		case n.closed.Load() || !ok:
		case err == nil:
			n.log.Info("a link is made anew: its other end lives", "process", proc, "lost", b.Reason)
			wire.Renew(proc)
		default:
			b.Ordered = b.Ordered || isError(err, ErrStopped)
			n.procsGone(b)
		}
	})
}

// markGone shows the actors that went with processes of a mesh.
func (h *hub) markGone(pm *procMesh, ps []*proc, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.meshes {
		if m.procs != pm {
			continue
		}
		for _, p := range ps {
			if rank, ok := m.rec.Ref.Home.IndexOf(p.rank); ok && m.rec.Ranks[rank].State != "stopped" {
				h.tellDown(m, rank, reason)
				m.rec.Ranks[rank] = control.RankState{State: "gone", Since: time.Now(), Reason: reason, Handled: m.rec.Ranks[rank].Handled, Restarts: m.rec.Ranks[rank].Restarts}
				h.publish(control.Event{Rank: &control.RankEvent{Mesh: m.rec.Ref.Name, Rank: rank, State: m.rec.Ranks[rank]}})
			}
		}
	}
	gone := newGone(ps, reason, true)
	h.dropStops(func(st *control.Stop) bool { return gone.has(st.Proc) }, reason)
	h.locks.dropOf(gone.has)
	for _, m := range h.meshes {
		h.dropMonitors(m, func(p portAddr) bool { return gone.has(p.Proc) })
	}
	h.rebind()
}

// nameRanks names ranks of a proc mesh that end together, the mesh alone where they are all of it.
func nameRanks(pm *procMesh, ps []*proc) string {
	if len(ps) == pm.size() {
		return "procs " + pm.rec.Name
	}
	ranks := make([]int, len(ps))
	for i, p := range ps {
		ranks[i] = p.rank
	}
	slices.Sort(ranks)
	if len(ranks) == 1 {
		return fmt.Sprintf("rank %d of procs %s", ranks[0], pm.rec.Name)
	}
	return fmt.Sprintf("ranks %s of procs %s", shape.FormatRanks(ranks), pm.rec.Name)
}

// endLocals ends in-process ranks of one mesh together, as the ends of processes would: calls get their outcome first. A
// handler that goes on is left behind: at once, or else when ctx ends, or after closeTime.
func (h *hub) endLocals(ctx context.Context, pm *procMesh, ps []*proc, now bool, kind life.Kind, reason string) {
	var mine []*proc // those that nobody else ends
	for _, p := range ps {
		p.once.Do(func() { mine = append(mine, p) })
	}
	if len(mine) == 0 {
		return
	}
	what := fmt.Sprintf("%s (in-process) ended: %s", nameRanks(pm, mine), reason)
	limit, cancel := graceAfter(ctx, now)
	defer cancel()
	for _, p := range mine { // what they were about to say
		p.local.outbox.Settle(limit)
	}
	b := newGone(mine, what, true)
	for _, proc := range b.Procs {
		h.mem.Forget(proc, what)
	}
	h.tellGone(b)
	for _, p := range mine {
		p.local.shut(what)
	}
	for _, p := range mine {
		p.local.await(limit)
	}
	for part := range slices.Chunk(mine, 1024) { // a front end that asks meanwhile does not wait for all of them
		h.mu.Lock()
		for _, p := range part {
			p.rec.Ordered = true // a rank of this process has no other way to end
			h.on(p, kind, because(what), func(e *life.Event) { e.Signal = "SIGKILL" })
			h.setWaits(p.id, nil)
		}
		h.mu.Unlock()
	}
	h.markGone(pm, mine, what)
	for _, p := range mine {
		close(p.ended)
	}
	h.wg.Go(func() {
		h.endOwnedBy(pm, mine)
		for _, p := range mine {
			close(p.settled)
		}
	})
}

// forget drops what is kept of the processes of a mesh that has ended. The caller holds h.mu.
func (h *hub) forget(pm *procMesh) {
	for _, p := range pm.procs {
		delete(h.procs, p.id)
		h.detours.Delete(p.id)
		delete(h.traceSeen, p.id)
		delete(h.waits, p.id)
	}
}

// lateTime is what is left for whatever goes on after the time for an end in order is over.
const lateTime = 200 * time.Millisecond

// graceAfter is how long goroutines that were told to end are waited for: closeTime, unless they are to end now, or the
// time for an end in order is over.
func graceAfter(ctx context.Context, now bool) (context.Context, context.CancelFunc) {
	d := closeTime
	if now || ctx.Err() != nil {
		d = lateTime
	}
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}

// waitUntil waits for goroutines, until the limit.
func waitUntil(wg *sync.WaitGroup, limit <-chan struct{}) {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-limit:
	}
}
