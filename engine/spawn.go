package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Spawn puts one T on each process of a mesh and returns when every one is ready. The exported fields of prototype are
// the constructor's arguments, copied to each rank; OnStart runs before the first message. When a rank does not start
// the error says which and why, the others are ended and the name is free again.
func Spawn[T any](ctx context.Context, procs ProcMesh, name string, prototype T, opts ...SpawnOption) (Mesh[T], error) {
	rec, err := spawn(ctx, procs, name, reflect.TypeOf(prototype), prototype, opts)
	if err != nil {
		return Mesh[T]{}, fmt.Errorf("spawn %s: %w", saidName(name), err)
	}
	return Mesh[T]{newMeshRef(rec.Ref)}, nil
}

// saidName is a name for the text of an error: in quotes where it would not be seen as one.
func saidName(name string) string {
	if q := strconv.Quote(name); name == "" || strings.Contains(name, " ") || q != `"`+name+`"` {
		return q
	}
	return name
}

func spawn(ctx context.Context, procs ProcMesh, name string, t reflect.Type, prototype any, opts []SpawnOption) (*control.Mesh, error) {
	at, err := lookupType(t)
	if err != nil {
		return nil, err
	}
	if err := procs.Err(); err != nil {
		return nil, err
	}
	n, err := nodeOf(ctx)
	if err != nil {
		return nil, err
	}
	body, err := bodies.Encode(prototype, reflect.TypeOf(prototype))
	if err != nil {
		return nil, fmt.Errorf("the prototype does not encode: %w", err)
	}
	req := control.SpawnReq{Name: name, Procs: procs.r.Name, ProcsID: procs.r.ID, View: procs.r.View, Type: at.full, Prototype: body}
	for _, o := range opts {
		o(&req)
	}
	out, err := n.verb(ctx, verbBody{Spawn: &req})
	if err != nil {
		return nil, err
	}
	return out.Mesh, nil
}

// spawnBody asks a process to create one actor.
type spawnBody struct {
	Ref    control.MeshRef
	Rank   int
	Proto  []byte
	Orders uint64 // of the debugger: these, or newer ones, are to be there first
	Life   uint32 // of the actor
	Saved  []byte // what its Snapshot gave in an earlier life; absent: nothing
	Before uint64 `cbor:",omitempty"` // messages that the actor has handled in another process, in the same life
	Loose  bool   `cbor:",omitempty"` // the process has another build than who encoded Proto: fields that it does not know are left out
}

// startMesh creates an actor mesh: it reserves name and processes, then starts the actors.
func (h *hub) startMesh(ctx context.Context, own owner, req control.SpawnReq) (control.Mesh, error) {
	at, err := typeNamed(req.Type)
	if err == nil {
		err = req.Restart.Check()
	}
	if err != nil {
		return control.Mesh{}, err
	}
	m, ranks, err := h.bookMesh(own, req, at)
	if err != nil {
		return control.Mesh{}, err
	}
	defer close(m.started)
	if req.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = h.node.clock.WithTimeout(ctx, req.Budget)
		defer cancel()
	}
	failed := h.spawnAll(ctx, m, ranks, req.Prototype)
	if len(failed) > 0 {
		_ = h.endMesh(context.WithoutCancel(ctx), m, true, "other ranks did not start")
		return control.Mesh{}, foldStartErrors(failed, m.rec.Ref.Home.Len())
	}
	h.mu.Lock()
	if m.stopping { // it was stopped meanwhile: end the actors that the stop did not find
		h.mu.Unlock()
		_ = h.eachRank(ranks, func(_ int, p *proc) error {
			return h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysKill, endBody{Mesh: m.rec.Ref.ID, Reason: "stopped"}, nil)
		})
		return control.Mesh{}, fmt.Errorf("it was stopped while it started: %w", ErrStopped)
	}
	defer h.mu.Unlock()
	m.rec.State = "running"
	for i := range m.rec.Ranks {
		if m.rec.Ranks[i].State == "starting" {
			m.rec.Ranks[i].State = "idle"
		}
	}
	rec := cloneMesh(m.rec)
	h.publish(control.Event{Mesh: &rec})
	h.rebind()
	return rec, nil
}

func cloneMesh(m control.Mesh) control.Mesh {
	m.Ranks = slices.Clone(m.Ranks)
	return m
}

// bookMesh reserves the name and finds the processes; a rank whose process is gone in a partial proc mesh is left out.
func (h *hub) bookMesh(own owner, req control.SpawnReq, at *actorType) (*mesh, []*proc, error) {
	if err := control.CheckName("actor mesh", req.Name); err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, fmt.Errorf("the engine is closing: %w", ErrStopped)
	}
	if err := h.orphaned(own); err != nil {
		return nil, nil, err
	}
	if h.meshes[req.Name] != nil {
		return nil, nil, fmt.Errorf("an actor mesh named %s exists already; stop it first or choose another name", req.Name)
	}
	pm, err := h.lookupProcs(req.Procs, req.ProcsID)
	if err != nil {
		return nil, nil, err
	}
	if pm.stopping {
		return nil, nil, fmt.Errorf("proc mesh %s is stopping: %w", req.Procs, ErrStopped)
	}
	home := req.View
	if home.IsZero() {
		home = shape.RegionOf(pm.rec.Extent)
	}
	if err := home.Validate(); err != nil {
		return nil, nil, err
	}
	h.nextMesh++
	ref := control.MeshRef{ID: h.nextMesh, Name: req.Name, Type: at.full, First: pm.rec.FirstProc, Home: home, View: shape.RegionOf(home.Extent()), Hosts: pm.rec.Hosts}
	m := &mesh{owner: own, procs: pm, started: make(chan struct{}), ending: newEnding(), lives: newLives(req.Prototype), rec: control.Mesh{
		Ref: ref, Procs: pm.rec.Name, Owner: own.label, State: "starting", Restart: req.Restart, Gang: req.Gang,
	}}
	ranks := make([]*proc, home.Len())
	for i := range home.Len() {
		at := home.RankAt(i)
		if at < 0 || at >= len(pm.procs) {
			return nil, nil, fmt.Errorf("rank %d is outside procs %s, which has %d", at, req.Procs, len(pm.procs))
		}
		st := control.RankState{State: "starting", Since: time.Now()}
		if p := pm.procs[at]; p.over() {
			st = control.RankState{State: "gone", Since: time.Now(), Reason: p.rec.Reason}
		} else {
			ranks[i] = p
		}
		m.rec.Ranks = append(m.rec.Ranks, st)
	}
	if !slices.ContainsFunc(ranks, func(p *proc) bool { return p != nil }) {
		return nil, nil, nobodyLeft(pm, home)
	}
	h.meshes[req.Name], h.meshByID[ref.ID] = m, m
	rec := cloneMesh(m.rec)
	h.publish(control.Event{Mesh: &rec})
	return m, ranks, nil
}

func suggestKeys[V any](name string, m map[string]V) string {
	have := make([]string, 0, len(m))
	for k := range m {
		have = append(have, k)
	}
	slices.Sort(have)
	return suggest(name, have)
}

// spawnAll asks every process for its actor and returns the errors by rank.
func (h *hub) spawnAll(ctx context.Context, m *mesh, ranks []*proc, proto []byte) map[int]error {
	h.mu.Lock()
	orders := h.debug.orders.Turn
	h.mu.Unlock()
	return h.eachRank(ranks, func(rank int, p *proc) error {
		return h.spawnOn(ctx, p, spawnBody{Ref: m.rec.Ref, Rank: rank, Proto: proto, Orders: orders})
	})
}

// eachRank runs f for every process that is there, 64 at a time, and returns the errors by rank.
func (h *hub) eachRank(ranks []*proc, f func(rank int, p *proc) error) map[int]error {
	return h.eachOf(ranks, 64, f)
}

// eachOf is eachRank for so many at a time.
func (h *hub) eachOf(ranks []*proc, atOnce int, f func(rank int, p *proc) error) map[int]error {
	type result struct {
		rank int
		err  error
	}
	slots := make(chan struct{}, min(atOnce, len(ranks)))
	results := make(chan result, len(ranks))
	n := 0
	for rank, p := range ranks {
		if p == nil {
			continue
		}
		n++
		slots <- struct{}{}
		go func() {
			err := f(rank, p)
			<-slots
			results <- result{rank, err}
		}()
	}
	failed := map[int]error{}
	for range n {
		if r := <-results; r.err != nil {
			failed[r.rank] = r.err
		}
	}
	return failed
}

// spawnHere creates an actor in this process.
func (n *node) spawnHere(ctx context.Context, b spawnBody) error {
	return n.beginHere(ctx, b, func(at *actorType, self any) error {
		if len(b.Proto) > 0 {
			err := runHook("decoding the prototype into "+at.full, func() error {
				if b.Loose {
					_, err := bodies.DecodeFields(b.Proto, self, fieldNames(at.typ))
					return err
				}
				return bodies.Decode(b.Proto, self)
			})
			if err != nil {
				return err
			}
		}
		if s, ok := self.(Snapshotter); ok && b.Saved != nil {
			return runHook("Restore", func() error { return s.Restore(b.Saved) })
		}
		return nil
	})
}

// beginHere begins a life of an actor in this process; fill gives it its state.
func (n *node) beginHere(ctx context.Context, b spawnBody, fill func(at *actorType, self any) error) error {
	registry.mu.RLock()
	at := registry.byName[b.Ref.Type]
	registry.mu.RUnlock()
	if at == nil {
		return n.lacksType(b)
	}
	n.spawning.Add(1) // before the look: who freezes the process looks the other way round
	defer n.spawning.Add(-1)
	if n.frozen.Load() {
		return fmt.Errorf("its process is being reloaded: %w", ErrMoving)
	}
	if err := checkRef(b.Ref); err != nil {
		return err
	}
	if b.Rank < 0 || b.Rank >= b.Ref.Home.Len() {
		return fmt.Errorf("@%s has no rank %d", b.Ref.Name, b.Rank)
	}
	if err := n.agent.Await(ctx, b.Orders); err != nil { // breakpoints that were set before the actor exists
		return fmt.Errorf("the debugger's orders did not come: %w", err)
	}
	if b.Life > 0 && !n.actors.reopen(b.Ref.ID, b.Life) {
		return fmt.Errorf("@%s[%d] has life %d here already", b.Ref.Name, b.Rank, b.Life+1)
	}
	self := reflect.New(at.typ).Interface()
	if err := fill(at, self); err != nil {
		return err
	}
	a := &actor{
		node: n, id: b.Ref.ID, name: b.Ref.Name, rank: b.Rank, life: b.Life, here: pointIn(b.Ref, b.Rank), typ: at, self: self, handled: b.Before,
		done: make(chan struct{}), since: n.tel.clock.Now(),
		labels: pprof.WithLabels(context.Background(), pprof.Labels("mesh", b.Ref.Name, "rank", strconv.Itoa(b.Rank))),
	}
	if !n.crowded {
		a.kick = make(chan struct{}, 1)
	}
	actx, cancel := context.WithCancelCause(n.root)
	a.ctx, a.cancel = context.WithValue(actx, ctxKey{}, &ctxInfo{node: n, actor: a}), cancel
	if slices.ContainsFunc(at.list, func(ep *endpoint) bool { return ep.concurrent }) {
		a.start = make(chan struct{}, 1)
	}
	a.coords = a.here.Coords()
	dims := a.here.Extent.Names()
	a.probe = n.agent.Enter(probe.Who{
		Mesh: a.name, MeshID: a.id, Rank: a.rank, Point: a.here, On: b.Ref.HostOf(), Type: at.full, Parts: at.names(),
		Scope:  func(endpoint string) (cond.Scope, bool) { return scopeOf(at, dims, endpoint) },
		Beside: func(endpoint string) bool { ep := at.eps[endpoint]; return ep != nil && ep.concurrent },
	})
	context.AfterFunc(actx, func() { // whoever ends it: the actor, or this process
		a.endContexts()
		a.endClaims()
		a.probe.Leave()
	})
	if !n.actors.begin(a) {
		cancel(ErrStopped)
		return ErrStopped
	}
	if s, ok := self.(Starter); ok {
		hctx, done := hookContext(a.ctx, ctx)
		err := runHook("OnStart", func() error { return s.OnStart(hctx) })
		done()
		if err != nil {
			n.actors.failedStart(a.id)
			cancel(err)
			return err
		}
	}
	goroutines := 1 // the loop, when it runs
	if a.start != nil {
		goroutines++
	}
	if !n.actors.add(a, &n.wg, goroutines) {
		cancel(ErrStopped)
		return ErrStopped
	}
	if a.start != nil {
		go a.startConcurrent()
	}
	if b.Life > 0 || b.Before > 0 { // else there is nothing to tell: its starter says that it is idle
		n.touch()
	}
	return nil
}

// hookContext is an actor's context for one hook: it also ends with the request that caused the hook, and as that did. The
// deadline of the request is its own too: of that its own timer tells.
func hookContext(actorCtx, request context.Context) (context.Context, context.CancelFunc) {
	var ctx context.Context
	var cancel context.CancelFunc
	if d, ok := request.Deadline(); ok {
		ctx, cancel = actorOf(actorCtx).node.clock.WithTimeout(actorCtx, max(time.Until(d), 1))
	} else {
		ctx, cancel = context.WithCancel(actorCtx)
	}
	stop := context.AfterFunc(request, func() {
		if !errors.Is(request.Err(), context.DeadlineExceeded) {
			cancel()
		}
	})
	return ctx, func() { stop(); cancel() }
}

// byRank joins the errors of ranks into one, nil for none.
func byRank(errs map[int]error) error {
	if len(errs) == 0 {
		return nil
	}
	var all rankErrors
	for _, rank := range slices.Sorted(maps.Keys(errs)) {
		all = append(all, fmt.Errorf("rank %d: %w", rank, errs[rank]))
	}
	return all
}

type rankErrors []error

func (e rankErrors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap makes errors.Is find the causes.
func (e rankErrors) Unwrap() []error { return e }
