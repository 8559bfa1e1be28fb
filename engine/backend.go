package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// The hub is what front ends talk to.
var _ control.Backend = (*hub)(nil)

// Subscribe begins with a snapshot and goes on with every event after it.
func (h *hub) Subscribe(sink func(*control.Event)) (*control.Snapshot, func()) {
	types, named := describeTypes()
	h.watched.Store(true)
	h.node.touch() // a status that was not made for want of subscribers is made now
	h.mu.Lock()
	defer h.mu.Unlock()
	waits, _ := h.node.waitEdges()
	h.takeWaits(0, waits)
	snap := h.snapshot()
	snap.Types, snap.Named = h.typesOf(types, named)
	snap.Calls = h.openCalls() // under the lock: the event of the end of these calls comes after the snapshot
	id := h.nextSink
	h.nextSink++
	h.sinks[id] = sink
	h.askDocs()
	return snap, func() {
		h.mu.Lock()
		delete(h.sinks, id)
		h.watched.Store(len(h.sinks) > 0)
		h.mu.Unlock()
	}
}

// snapshot copies the books. The caller holds h.mu.
func (h *hub) snapshot() *control.Snapshot {
	s := &control.Snapshot{Seq: h.seq, Time: time.Now(), Session: h.session}
	for _, pm := range h.procMeshes {
		s.ProcMeshes = append(s.ProcMeshes, pm.rec)
		for _, p := range pm.procs {
			s.Procs = append(s.Procs, p.rec)
		}
	}
	for _, m := range h.hosts {
		s.Hosts = append(s.Hosts, m.rec)
	}
	slices.SortFunc(s.Hosts, func(a, b control.Host) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range h.meshes {
		s.Meshes = append(s.Meshes, cloneMesh(m.rec))
	}
	for _, c := range h.clients {
		s.Clients = append(s.Clients, c)
	}
	s.Stops, s.Breaks, s.Debug = h.debug.book.Stops(), h.debug.book.Breaks(), h.debug.book.State
	s.Restarts, s.Reloads = slices.Clone(h.restarts), slices.Clone(h.reload.list)
	s.Faults = h.faults.book.Faults()
	for _, waits := range h.waits {
		for _, w := range waits {
			h.nameWait(&w)
			s.Waits = append(s.Waits, w)
		}
	}
	slices.SortFunc(s.ProcMeshes, func(a, b control.ProcMesh) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Procs, func(a, b control.Proc) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Meshes, func(a, b control.Mesh) int { return cmp.Compare(a.Ref.ID, b.Ref.ID) })
	slices.SortFunc(s.Clients, func(a, b control.ClientInfo) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Waits, compareWaits)
	return s
}

// Attach gives a client its id and shows it to the others.
func (h *hub) Attach(c control.ClientInfo) control.ClientInfo {
	h.mu.Lock()
	h.nextClient++
	c.ID, c.Since = h.nextClient, time.Now()
	h.clients[c.ID] = c
	h.publish(control.Event{Client: &control.Presence{Client: c}})
	before := h.debug.orders.Turn
	h.stopsChanged()
	changed := h.debug.orders.Turn != before
	h.mu.Unlock()
	if changed { // who attaches to see a panic sees the next one
		h.ordered(h.node.root)
	}
	return c
}

// Detach takes a client off the list.
func (h *hub) Detach(c control.ClientInfo) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.clients[c.ID]; ok {
		delete(h.clients, c.ID)
		h.publish(control.Event{Client: &control.Presence{Client: c, Gone: true}})
		h.endHold(c.ID)
		h.dropFaults(func(f *control.Fault) bool { return f.Client == c.ID }, c.Name+" has gone")
		h.stopsChanged()
	}
}

// Handle executes a front end's verb. Front ends act for the program: what they create belongs to it.
func (h *hub) Handle(ctx context.Context, client control.ClientInfo, req any) (any, error) {
	return h.verbs.Run(ctx, client, req)
}

// registerVerbs sets what executes each verb of the control protocol, but for calls, which StartCall sends.
func (h *hub) registerVerbs() {
	v := &h.verbs
	control.Handle(v, func(ctx context.Context, _ control.ClientInfo, r control.ProcsReq) (control.ProcMesh, error) {
		ctx, cancel := h.budget(ctx, r.Budget)
		defer cancel()
		rec, err := h.startProcs(ctx, owner{}, r)
		return rec, wrapped(err, "procs %s", orDims(r))
	})
	control.Handle(v, func(ctx context.Context, _ control.ClientInfo, r control.SpawnReq) (control.Mesh, error) {
		ctx, cancel := h.budget(ctx, r.Budget)
		defer cancel()
		rec, err := h.startMesh(ctx, owner{}, r)
		return rec, wrapped(err, "spawn @%s", saidName(r.Name))
	})
	control.HandleDone(v, func(ctx context.Context, _ control.ClientInfo, r control.StopReq) error {
		ctx, cancel := h.budget(ctx, r.Budget)
		defer cancel()
		return h.stopVerb(ctx, owner{}, r)
	})
	control.HandleDone(v, func(ctx context.Context, _ control.ClientInfo, r control.KillReq) error {
		return h.killVerb(ctx, owner{}, r)
	})
	control.HandleDone(v, func(ctx context.Context, c control.ClientInfo, r control.RestartReq) error {
		ctx, cancel := h.budget(ctx, r.Budget)
		defer cancel()
		return h.restartVerb(ctx, owner{}, c.Name, r)
	})
	control.Handle(v, func(ctx context.Context, _ control.ClientInfo, r control.SyncReq) (control.Synced, error) {
		return h.sync(ctx, owner{}, r)
	})
	control.Handle(v, func(ctx context.Context, c control.ClientInfo, r control.ReloadReq) (control.Reload, error) {
		return h.reloadVerb(ctx, owner{}, c.Name, r)
	})
	control.Handle(v, h.states)
	control.Handle(v, h.readLogs)
	control.Handle(v, h.readMessages)
	control.Handle(v, h.readMetrics)
	control.HandleDone(v, h.flushMesh)
	h.registerDebug(v)
	control.Handle(v, h.injectFault)
	control.Handle(v, h.heal)
}

// wrapped says what failed, if anything did.
func wrapped(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// budget is ctx with so much time by the engine's clock; 0: no limit.
func (h *hub) budget(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return ctx, func() {}
	}
	return h.node.clock.WithTimeout(ctx, d)
}

// StartCall sends a front end's call; its argument comes encoded.
func (h *hub) StartCall(ctx context.Context, client control.ClientInfo, req control.CallReq, reply func(control.Reply)) func() (control.CallDone, error) {
	refused := func(err error) func() (control.CallDone, error) {
		return func() (control.CallDone, error) { return control.CallDone{}, err }
	}
	ctx, cancel := h.budget(ctx, req.Budget)
	b, err := h.bindRequest(ctx, req)
	if err != nil {
		cancel()
		return refused(err)
	}
	if req.Adverb == adverbBroadcast {
		err := broadcastRaw(ctx, h.node, b, req.Body, client.Name)
		cancel()
		return func() (control.CallDone, error) { return control.CallDone{Ranks: b.ref.View.Len()}, err }
	}
	c := startRaw(ctx, h.node, b, req.Body, req.Adverb, client.Name)
	if c.err() != nil {
		cancel()
		return refused(c.err())
	}
	return func() (control.CallDone, error) {
		defer cancel()
		for a, err := range c.each(context.WithoutCancel(ctx)) { // cancellation gives every rank an outcome, so this ends
			if err != nil {
				return control.CallDone{}, err
			}
			reply(replyOf(c, a))
		}
		return control.CallDone{Call: c.id, Ranks: c.n}, nil
	}
}

// bindRequest finds what a front end names. A mesh that is still being spawned has a name before it has all its actors:
// a call by that name waits for them.
func (h *hub) bindRequest(ctx context.Context, req control.CallReq) (bound, error) {
	m, err := h.findMesh(req.Mesh, 0)
	if err != nil {
		return bound{}, err
	}
	select {
	case <-m.started:
		if m, err = h.findMesh(req.Mesh, m.rec.Ref.ID); err != nil {
			return bound{}, fmt.Errorf("@%s has not started: %w", req.Mesh, err)
		}
	case <-ctx.Done():
		return bound{}, fmt.Errorf("@%s is still being spawned: %w", req.Mesh, ctx.Err())
	}
	ref := m.rec.Ref
	hash, err := h.endpointOf(&ref, req.Endpoint)
	if err != nil {
		return bound{}, err
	}
	if ref.View, err = viewOf(ref, req.View); err != nil {
		return bound{}, err
	}
	return bound{newMeshRef(ref), &endpoint{name: req.Endpoint, hash: hash}}, nil
}

// endpointOf is the hash of an endpoint that a front end names, in the newest build.
func (h *hub) endpointOf(ref *control.MeshRef, name string) (uint64, error) {
	h.mu.Lock()
	newer, ok := h.reload.types[ref.Type]
	h.mu.Unlock()
	if ok {
		for _, ep := range newer.Endpoints {
			if ep.Name == name {
				return ep.Hash, nil
			}
		}
		return 0, fmt.Errorf("@%s is a %s, which has no endpoint %s in the build that was loaded last", ref.Name, newer.Name, clip(name, 100))
	}
	at, err := typeNamed(ref.Type)
	if err != nil {
		return 0, err
	}
	ep := at.eps[name]
	if ep == nil {
		return 0, at.missing(fmt.Sprintf("@%s is a %s, which has no endpoint", ref.Name, at.short), name)
	}
	return ep.hash, nil
}

func replyOf(c *call, a answer) control.Reply {
	r := control.Reply{Call: c.id, Rank: c.ref.View.RankAt(a.index), Point: c.ref.View.Point(a.index), Outcome: control.OutcomeReply, Body: a.body, Took: a.took}
	if a.err != nil {
		re := a.err.remote()
		r.Outcome, r.Body, r.Error, r.Type, r.Stack = a.err.Outcome, nil, re.Error(), a.err.Type, a.err.Stack
	}
	return r
}

// maxStateBytes is what the states of all ranks that are asked at once may take, of which each has its share: one answer
// carries them. Who wants more of one asks for it alone, and reads on.
const (
	maxStateBytes = 12 << 20
	minStateBytes = 4 << 10
)

// states reads actors between two messages.
func (h *hub) states(ctx context.Context, _ control.ClientInfo, r control.StateReq) ([]control.StateNode, error) {
	m, err := h.findMesh(r.Mesh, 0)
	if err != nil {
		return nil, err
	}
	if err := checkRanks("@"+r.Mesh, r.Ranks, m.rec.Ref.Home.Len()); err != nil {
		return nil, err
	}
	if len(r.Ranks) == 0 {
		for i := range m.rec.Ref.Home.Len() {
			r.Ranks = append(r.Ranks, i)
		}
	}
	if r.Budget <= 0 {
		r.Budget = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, r.Budget)
	defer cancel()
	out := make([]control.StateNode, len(r.Ranks))
	procs := h.live(m)
	todo := make([]*proc, len(procs))
	place := map[int]int{}
	for i, rank := range r.Ranks {
		out[i] = control.StateNode{Rank: rank, Error: fmt.Sprintf("@%s[%d] is gone", r.Mesh, rank)}
		todo[rank], place[rank] = procs[rank], i
	}
	q := walk.Query{Path: r.Path, Start: r.Start, Count: r.Count, Depth: r.Depth, Text: r.Text, Bytes: max(minStateBytes, maxStateBytes/max(1, len(r.Ranks)))}
	h.eachRank(todo, func(rank int, p *proc) error {
		var n control.StateNode
		if err := h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysState, stateBody{Mesh: m.rec.Ref.ID, Query: q}, &n); err != nil {
			n = control.StateNode{Error: fmt.Sprintf("@%s[%d]: %v", r.Mesh, rank, err)}
		}
		n.Rank = rank
		out[place[rank]] = n
		return nil
	})
	return out, nil
}

// readLogs gives the last lines of all ranks, or of one mesh.
func (h *hub) readLogs(_ context.Context, _ control.ClientInfo, r control.LogsReq) ([]control.Log, error) {
	if r.Last <= 0 {
		r.Last = 100
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []control.Log
	for i := len(h.logs) - 1; i >= 0 && len(out) < r.Last; i-- {
		l := h.logs[i]
		if r.Mesh == "" || h.fromMesh(l, r) {
			out = append(out, l)
		}
	}
	slices.Reverse(out)
	return out, nil
}

// fromMesh reports whether a line came from (ranks of) a mesh: through Out, or from a process that hosts one of them.
func (h *hub) fromMesh(l control.Log, r control.LogsReq) bool {
	rank := l.Rank
	if l.Mesh != r.Mesh {
		m := h.meshes[r.Mesh]
		if m == nil || l.Mesh != "" || l.Proc < m.rec.Ref.First {
			return false
		}
		var ok bool
		if rank, ok = m.rec.Ref.Home.IndexOf(int(l.Proc - m.rec.Ref.First)); !ok {
			return false
		}
	}
	return len(r.Ranks) == 0 || slices.Contains(r.Ranks, rank)
}

// flushMesh waits for what the ranks of a mesh, or of all, have printed.
func (h *hub) flushMesh(ctx context.Context, _ control.ClientInfo, r control.FlushReq) error {
	if r.Mesh == "" {
		return h.out.flush(ctx, nil)
	}
	m, err := h.findMesh(r.Mesh, 0)
	if err != nil {
		return err
	}
	return h.out.flush(ctx, func(proc uint64) bool {
		if proc < m.rec.Ref.First {
			return false
		}
		_, ok := m.rec.Ref.Home.IndexOf(int(proc - m.rec.Ref.First))
		return ok
	})
}
