package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/stops"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// debugger is the hub's part of the debugger. hub.mu guards it.
type debugger struct {
	book   *stops.Book
	orders probe.Orders           // what processes were told last
	holds  map[uint64]*time.Timer // the clients that hold the clock, until when
	lease  *time.Timer            // of stopped frames without a front end; nil: there is one
	leases uint64                 // how many there were
	over   bool                   // the session ends: nobody stops any more
}

// The engine's messages of the debugger.
const (
	sysOrders = "orders" // request and note: controller → process, what stops whom
	sysResume = "resume" // request and note: controller → process, a frame goes on
	sysPause  = "pause"  // request and note: controller → process, an actor stops at its next site
	sysProbe  = "probe"  // request: controller → process, look at something
	sysEdit   = "edit"   // request: controller → process, change something
	sysNews   = "news"   // note: process → controller, a frame stopped
)

// resumeBody lets a frame go on.
type resumeBody struct {
	Number, Gen uint64
	How, By     string
	Value, Text string
}

// pauseBody has an actor stop at its next site.
type pauseBody struct {
	Mesh uint64
	By   string
	Undo bool
}

// debugHandlers are those that every process has.
func debugHandlers(t *sysTable) {
	handle(t, sysOrders, fromController, func(_ context.Context, n *node, _ quicnet.Addr, o probe.Orders) (any, error) {
		n.obey(o)
		return nil, nil
	})
	handleNote(t, sysOrders, fromController, func(n *node, _ quicnet.Addr, o probe.Orders) error { n.obey(o); return nil })
	handle(t, sysResume, fromController, func(_ context.Context, n *node, _ quicnet.Addr, b resumeBody) (any, error) {
		return nil, n.resumeHere(b)
	})
	handle(t, sysProbe, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b probeBody) (any, error) {
		return n.probeHere(ctx, b)
	})
	handle(t, sysEdit, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b editBody) (any, error) {
		return n.editHere(ctx, b)
	})
	handle(t, sysPause, fromController, func(_ context.Context, n *node, _ quicnet.Addr, b pauseBody) (any, error) {
		n.pauseHere(b)
		return nil, nil
	})
	handleNote(t, sysPause, fromController, func(n *node, _ quicnet.Addr, b pauseBody) error { n.pauseHere(b); return nil })
}

// resumeHere lets a frame of this process go on.
func (n *node) resumeHere(b resumeBody) error {
	var v *probe.Verdict
	err := n.agent.Look(b.Number, b.Gen, func(x probe.Activation, site probe.Site, _ string) (err error) {
		act, ours := x.(*activation)
		if !ours {
			return errors.New("it is not a frame of an actor")
		}
		v, err = act.verdict(site, b)
		return err
	})
	if err != nil {
		return err
	}
	return n.agent.Resume(b.Number, b.Gen, b.How, b.By, v)
}

// verdict is how a frame that stands at a site goes on; nil where it simply does.
func (a *activation) verdict(s probe.Site, b resumeBody) (*probe.Verdict, error) {
	can := func(sites ...probe.Site) error {
		if slices.Contains(sites, s) {
			return nil
		}
		names := make([]string, len(sites))
		for i, site := range sites {
			names[i] = site.String()
		}
		return fmt.Errorf("%s is for frames at %s; this one is at %s", b.How, orList(names), s)
	}
	switch b.How {
	case control.GoReturn:
		if err := can(probe.Recv, probe.Reply, probe.Error, probe.Panic); err != nil {
			return nil, err
		}
		v, err := a.literal(b.Value)
		if err != nil {
			return nil, err
		}
		return &probe.Verdict{How: b.How, Value: v}, nil
	case control.GoFail:
		if s == probe.Result {
			return nil, can(probe.Recv, probe.Send, probe.Reply, probe.Error, probe.Panic, probe.Break)
		}
		return &probe.Verdict{How: b.How, Text: clip(cmp.Or(b.Text, "failed by the debugger"), maxErrorText)}, nil
	case control.GoRetry:
		return &probe.Verdict{How: b.How}, can(probe.Error, probe.Panic)
	case control.GoCrash:
		return nil, can(probe.Panic)
	}
	return nil, nil
}

// obey takes the newest orders. Those that nobody stops take pauses back, which is shown.
func (n *node) obey(o probe.Orders) {
	if n.agent.Obey(o); o.Quiet {
		n.touch()
	}
}

func (n *node) pauseHere(b pauseBody) {
	if a := n.actors.get(b.Mesh); a != nil {
		a.probe.Pause(b.By, b.Undo)
		n.touch()
	}
}

// tellNews tells the controller what happened to a frame.
func (n *node) tellNews(x probe.News) {
	if n.hub != nil {
		n.hub.takeNews(0, x)
		return
	}
	// Reliable and in order; an error means that the controller is gone, and this process ends.
	_ = n.notice(n.root, quicnet.LaneControl, nil, quicnet.Addr{}, sysNews, x)
}

// takeNews puts what a process told of its frames into the books; from 0 comes from this process, which speaks for the ranks
// in it.
func (h *hub) takeNews(from uint64, x probe.News) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.takeCounts(x.Count) // of the hit, before the stop
	switch {
	case x.Stop != nil:
		h.takeStop(from, *x.Stop, x.From)
	case x.Gone != nil:
		if st, ok := h.debug.book.Ended(stops.Frame{Proc: from, Number: x.Gone.ID}, x.Gone.Gen, clean.Line(clip(x.Gone.Why, maxErrorText))); ok {
			h.tellGoneStop(st, probe.Ended, "", clean.Line(clip(x.Gone.Why, maxErrorText)))
			h.stopsChanged()
		}
	}
	if p := x.Print; p != nil {
		h.takePrint(from, p)
	}
}

// takePrint makes a line of the log of what a breakpoint prints. The caller holds h.mu.
func (h *hub) takePrint(from uint64, p *probe.Print) {
	m := h.meshes[p.Mesh]
	if m == nil || p.Rank < 0 || p.Rank >= len(m.rec.Ranks) {
		return
	}
	proc := m.rec.Ref.First + uint64(m.rec.Ref.Home.RankAt(p.Rank))
	if from != 0 && proc != from {
		return
	}
	text := fmt.Sprintf("breakpoint %d: %s", p.Break, clean.Line(clip(p.Text, maxPrint)))
	h.keepLog(control.Log{Time: time.Now(), Proc: proc, Mesh: p.Mesh, Rank: p.Rank, Stream: "debug", Text: text})
}

// maxPrint bounds a line that a breakpoint prints.
const maxPrint = 4 << 10

// takeStop enters a stop. The caller holds h.mu.
func (h *hub) takeStop(from uint64, st control.Stop, sender probe.Address) {
	m := h.meshes[st.Mesh]
	if m == nil || st.Rank < 0 || st.Rank >= len(m.rec.Ranks) || from != 0 && m.rec.Ref.First+uint64(m.rec.Ref.Home.RankAt(st.Rank)) != from {
		h.log.Warn("a stop of an actor that its process does not have was refused", "mesh", clip(st.Mesh, 100), "rank", st.Rank, "from", from)
		return
	}
	if from != 0 {
		tidyStop(&st)
		st.Proc = from
	}
	st.Point = m.rec.Ref.Home.Extent().Point(st.Rank)
	st.Sender = h.senderOf(sender, st.Call)
	number := st.ID
	by := st.Break
	st, goOn := h.debug.book.Stopped(stops.Frame{Proc: from, Number: number}, st)
	if goOn || h.debug.orders.Quiet {
		h.debug.book.Drop(func(x *control.Stop) bool { return x.ID == st.ID }, "nobody stops now")
		h.letGo(from, number, st.Gen)
		return
	}
	h.hit(by, m, st)
	h.publish(control.Event{Stop: &control.StopEvent{Stop: st}})
	m.rec.Ranks[st.Rank].State = cmp.Or(map[bool]string{false: "paused"}[st.Shared], m.rec.Ranks[st.Rank].State)
	h.publish(control.Event{Rank: &control.RankEvent{Mesh: m.rec.Ref.Name, Rank: st.Rank, State: m.rec.Ranks[st.Rank]}})
	h.stopsChanged()
}

// hit does what a breakpoint wants besides the stop. The caller holds h.mu.
func (h *hub) hit(id uint64, m *mesh, st control.Stop) {
	b, err := h.debug.book.Break(id)
	if err != nil {
		return
	}
	spec := *b
	for rank, p := range m.procs.procs {
		if p.over() || !p.isReady() {
			continue
		}
		for _, other := range h.meshes {
			same := other == m && spec.Scope == control.ScopeMesh || uint64(rank)+m.rec.Ref.First == st.Proc && spec.Scope == control.ScopeRank && other.procs == m.procs
			itself := other == m && m.rec.Ref.First+uint64(rank) == st.Proc
			if _, in := other.rec.Ref.Home.IndexOf(rank); same && in && !itself {
				h.pauseActor(p, other.rec.Ref.ID, fmt.Sprintf("breakpoint %d", id), false)
			}
		}
	}
	if spec.Once {
		if gone, err := h.debug.book.Remove(id); err == nil {
			h.publish(control.Event{Break: &control.BreakEvent{Break: gone, Gone: true}})
			h.giveOrders()
		}
	}
}

// pauseActor has an actor of a process stop at its next site. The caller holds h.mu.
func (h *hub) pauseActor(p *proc, mesh uint64, by string, undo bool) {
	b := pauseBody{Mesh: mesh, By: by, Undo: undo}
	if p.local != nil {
		p.local.pauseHere(b)
		return
	}
	h.node.outbox.Add(p.id, func() { // a process that has gone meanwhile has nobody to stop
		_ = h.node.notice(h.node.root, quicnet.LaneControl, nil, quicnet.Addr{Proc: p.id}, sysPause, b)
	})
}

// letGo has a frame go on that nobody was told of. The caller holds h.mu.
func (h *hub) letGo(proc, number, gen uint64) {
	b := resumeBody{Number: number, Gen: gen, How: control.GoContinue}
	h.node.outbox.Add(proc, func() {
		_ = h.node.request(h.node.root, quicnet.Addr{Proc: proc}, sysResume, b, nil) // an error: it goes on already
	})
}

// senderOf names who sent a message. The caller holds h.mu.
func (h *hub) senderOf(from probe.Address, call uint64) string {
	x := traceRecord{Proc: from.Proc, Actor: from.Actor}
	if from == (probe.Address{}) {
		if c := h.node.calls.get(call); c != nil {
			x.Client = c.client()
			c.free()
		}
	}
	name, _ := h.callerOf(&x)
	return name
}

// tidyStop bounds what another process says of its frame, and makes it fit to be shown.
func tidyStop(st *control.Stop) {
	for _, text := range []*string{&st.Site, &st.Endpoint, &st.Func, &st.File, &st.Target} {
		*text = clean.Line(clip(*text, 200))
	}
	st.Reason, st.By = clean.Line(clip(st.Reason, maxCauseText)), clean.Line(clip(st.By, 100))
	st.Arg, st.Value = clean.Line(clip(st.Arg, 2*maxShown)), clean.Line(clip(st.Value, maxErrorText))
}

// tellGoneStop publishes that a stop has left the table. The caller holds h.mu.
func (h *hub) tellGoneStop(st control.Stop, how, by, why string) {
	h.publish(control.Event{Stop: &control.StopEvent{Stop: st, Gone: true, How: how, By: by, Why: why}})
}

// dropStops takes stops off whose actors or processes have ended. The caller holds h.mu.
func (h *hub) dropStops(meant func(*control.Stop) bool, why string) {
	gone := h.debug.book.Drop(meant, why)
	for _, st := range gone {
		h.tellGoneStop(st, probe.Ended, "", why)
	}
	if len(gone) > 0 {
		h.stopsChanged()
	}
}

// acting counts the front ends that could let a frame go on. The caller holds h.mu.
func (h *hub) acting() (n int, freeze bool) {
	for _, c := range h.clients {
		if c.Role != control.RoleViewer {
			n++
		}
		freeze = freeze || c.Role == control.RoleDebug
	}
	return n, freeze
}

// stopsChanged brings clock, lease and processes up to date with the table of stops and the clients. The caller holds h.mu.
func (h *hub) stopsChanged() {
	d := &h.debug
	n, freeze := h.acting()
	s := &d.book.State
	old := *s
	s.Held, s.Freeze = d.book.Len() > 0 || len(d.holds) > 0, freeze
	if n > 0 || d.over {
		s.Asleep = false
	}
	switch alone := n == 0 && d.book.Len() > 0; {
	case !alone:
		if d.lease != nil {
			d.lease.Stop()
		}
		d.lease, s.Alone = nil, time.Time{}
	case alone && d.lease == nil && s.Policy != control.PolicyStay:
		s.Alone = time.Now()
		d.leases++
		n := d.leases
		d.lease = time.AfterFunc(s.Grace, func() { h.leaseOver(n) })
	case alone && s.Alone.IsZero():
		s.Alone = time.Now()
	}
	if *s != old {
		state := *s
		h.publish(control.Event{Debug: &state})
	}
	h.giveOrders()
}

// leaseOver does what the session's policy says, because no front end came.
func (h *hub) leaseOver(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := &h.debug
	if d.lease == nil || d.leases != n || d.over {
		return
	}
	d.lease, d.book.State.Alone = nil, time.Time{}
	d.book.State.Asleep = true
	h.giveOrders() // it is quiet now: who is stopped goes on
	how := control.GoContinue
	if d.book.State.Policy == control.PolicyAbort {
		how = control.GoFail
	}
	for _, st := range d.book.Drop(func(*control.Stop) bool { return true }, "no front end came back") {
		h.tellGoneStop(st, how, "", fmt.Sprintf("no front end came back within %v", d.book.State.Grace))
	}
	h.stopsChanged()
}

// giveOrders tells the processes what stops whom, where that changed. The caller holds h.mu.
func (h *hub) giveOrders() {
	d := &h.debug
	s := &d.book.State
	o := probe.Orders{Breaks: d.book.Breaks(), Freeze: s.Freeze, Quiet: s.Asleep || d.over, Abort: s.Policy == control.PolicyAbort, Held: s.Held && !d.over}
	for i := range o.Breaks { // only what a process acts on: what is counted changes all the time
		b := &o.Breaks[i]
		b.By, b.State, b.Why, b.LastError, b.Bound, b.Hits, b.Skipped, b.Errors = "", "", "", "", 0, 0, 0, 0
	}
	if speaksOfSender(o.Breaks) {
		for _, m := range h.meshes {
			o.Meshes = append(o.Meshes, m.rec.Ref)
		}
		slices.SortFunc(o.Meshes, func(a, b control.MeshRef) int { return cmp.Compare(a.ID, b.ID) })
	}
	if sameOrders(&o, &d.orders) {
		return
	}
	o.Params = params(o.Breaks)
	o.Turn = d.orders.Turn + 1
	d.orders = o
	h.node.obey(o)
	for _, p := range h.procs {
		if p.local == nil && p.isReady() && !p.over() {
			h.orderProc(p.id)
		}
	}
}

func sameOrders(a, b *probe.Orders) bool {
	return a.Freeze == b.Freeze && a.Quiet == b.Quiet && a.Abort == b.Abort && a.Held == b.Held && slices.Equal(a.Breaks, b.Breaks) &&
		slices.EqualFunc(a.Meshes, b.Meshes, func(x, y control.MeshRef) bool { return x.ID == y.ID })
}

// orderProc sends a process the latest orders. The caller holds h.mu.
func (h *hub) orderProc(id uint64) {
	h.node.outbox.Add(id, func() {
		h.mu.Lock()
		o := h.debug.orders
		h.mu.Unlock()
		_ = h.node.notice(h.node.root, quicnet.LaneControl, nil, quicnet.Addr{Proc: id}, sysOrders, o) // a process that has gone has nobody to stop
	})
}

// ordered waits until every process that is there knows the latest orders.
func (h *hub) ordered(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	h.mu.Lock()
	o := h.debug.orders
	var workers []*proc
	for _, p := range h.procs {
		if p.local == nil && p.isReady() && !p.over() {
			workers = append(workers, p)
		}
	}
	h.mu.Unlock()
	h.eachRank(workers, func(_ int, p *proc) error {
		return h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysOrders, o, nil)
	})
}

// orderTime is how long who sets a breakpoint waits for the processes to know of it.
const orderTime = 2 * time.Second

// liftDebugger ends the debugger because the session ends: nobody is stopped from now on. The caller holds h.mu.
func (h *hub) liftDebugger() {
	d := &h.debug
	d.over = true
	for id, t := range d.holds {
		t.Stop()
		delete(d.holds, id)
	}
	h.giveOrders()
	for _, st := range d.book.Drop(func(*control.Stop) bool { return true }, "the session ended") {
		h.tellGoneStop(st, control.GoContinue, "", "the session ended")
	}
	h.stopsChanged()
}
