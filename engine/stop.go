package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

const (
	drainTime = 10 * time.Second // a stopping actor handles what is queued
	stopTime  = 3 * time.Second  // OnStop, and the process's own end
)

func stopMesh(ctx context.Context, r *meshRef) error {
	if err := r.usable(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if r.View.Len() != r.Home.Len() {
		return fmt.Errorf("stop of %s: a mesh stops as a whole; Kill ends single ranks", refString(r.MeshRef))
	}
	fence(ctx, func(to quicnet.Addr) bool { return to.Actor == r.ID })
	return endVerb(ctx, "@"+r.Name, verbBody{Stop: &control.StopReq{Mesh: r.Name, ID: r.ID}})
}

func killMesh(ctx context.Context, r *meshRef) error {
	if err := r.usable(); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return endVerb(ctx, "@"+r.Name, verbBody{Kill: &control.KillReq{Mesh: r.Name, ID: r.ID, Ranks: ranksIn(r.View, r.Home.Extent())}})
}

// mayEnd says whether own may stop what belongs to the owner of a mesh: the owner itself, the program, or a front end.
func mayEnd(what string, own, of owner) error {
	if own.addr.Actor == 0 || own.addr == of.addr {
		return nil
	}
	who := of.label
	if who == "" {
		who = "the program"
	}
	return fmt.Errorf("%s belongs to %s; only its owner stops it: %w", what, who, ErrForbidden)
}

// stopVerb executes the verb stop. What has ended already is as it was wanted: no error.
func (h *hub) stopVerb(ctx context.Context, own owner, req control.StopReq) error {
	if req.Mesh != "" {
		m, err := h.findMesh(req.Mesh, req.ID)
		if err != nil {
			return unlessEnded(err)
		}
		if err := mayEnd("@"+req.Mesh, own, m.owner); err != nil {
			return err
		}
		if err := h.waitsFor(own, "@"+req.Mesh, func(st *control.Stop) bool { return st.Mesh == req.Mesh }); err != nil {
			return err
		}
		h.mu.Lock()
		h.faultsOfMesh(m.rec.Ref.ID, "@"+req.Mesh+" is stopped") // what is held up is handled before the end
		h.mu.Unlock()
		return h.going(ctx, func(ctx context.Context) error { return h.endMesh(ctx, m, false, "stopped") })
	}
	pm, err := h.findProcs(req.Procs, req.ID)
	if err != nil {
		return unlessEnded(err)
	}
	if err := mayEnd("proc mesh "+req.Procs, own, pm.owner); err != nil {
		return err
	}
	all := newGone(h.procsOf(pm), "", true)
	if err := h.waitsFor(own, "proc mesh "+req.Procs, func(st *control.Stop) bool { return all.has(st.Proc) }); err != nil {
		return err
	}
	h.mu.Lock() // who stands, or cannot be reached, does not end in order
	h.faultsOfGone("proc mesh "+req.Procs+" is stopped", newGone(pm.procs, "", true).has)
	h.mu.Unlock()
	return h.going(ctx, func(ctx context.Context) error { return h.endProcs(ctx, pm, "stopped") })
}

// going runs the end of a mesh that somebody asked for. His context limits how long he waits for it: others wait for the
// same end, and it goes on.
func (h *hub) going(ctx context.Context, end func(context.Context) error) error {
	h.mu.Lock()
	if h.ignoreFailures { // the session is over, but for its goroutines
		h.mu.Unlock()
		return end(ctx)
	}
	done := make(chan error, 1)
	h.wg.Go(func() { done <- end(context.WithoutCancel(ctx)) })
	h.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w; it goes on", ctx.Err())
	}
}

// killVerb executes the verb kill. What has ended already is as it was wanted: no error.
func (h *hub) killVerb(ctx context.Context, own owner, req control.KillReq) error {
	if req.Mesh != "" {
		m, err := h.findMesh(req.Mesh, req.ID)
		if err != nil {
			return unlessEnded(err)
		}
		if err := mayEnd("@"+req.Mesh, own, m.owner); err != nil {
			return err
		}
		return h.going(ctx, func(ctx context.Context) error { return h.killActors(ctx, m, req.Ranks) })
	}
	pm, err := h.findProcs(req.Procs, req.ID)
	if err != nil {
		return unlessEnded(err)
	}
	if err := mayEnd("proc mesh "+req.Procs, own, pm.owner); err != nil {
		return err
	}
	return h.going(ctx, func(ctx context.Context) error { return h.killProcs(ctx, pm, req.Ranks) })
}

// findMesh finds an actor mesh by its id, or by its name where id is 0. The error of one that has ended is ErrStopped.
func (h *hub) findMesh(name string, id uint64) (*mesh, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch m := h.meshes[name]; {
	case m != nil && (id == 0 || m.rec.Ref.ID == id):
		return m, nil
	case id != 0 && h.leaving[id] != nil:
		return h.leaving[id], nil
	case h.offTheBooks(id), id == 0 && h.wasHere(name):
		return nil, fmt.Errorf("@%s has ended already: %w", name, ErrStopped)
	}
	return nil, fmt.Errorf("there is no actor mesh @%s%s", name, suggestKeys(name, h.meshes))
}

func (h *hub) wasHere(name string) bool {
	return slices.ContainsFunc(h.history, func(m control.Mesh) bool { return m.Ref.Name == name })
}

// findProcs finds a proc mesh as findMesh finds an actor mesh.
func (h *hub) findProcs(name string, id uint64) (*procMesh, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lookupProcs(name, id)
}

// lookupProcs is findProcs for who holds h.mu.
func (h *hub) lookupProcs(name string, id uint64) (*procMesh, error) {
	pm := h.procMeshes[name]
	if pm != nil && (id == 0 || pm.rec.ID == id) {
		return pm, nil
	}
	for _, other := range h.procMeshes {
		if id != 0 && other.rec.ID == id {
			return nil, fmt.Errorf("proc mesh %d is %s, not %s", id, other.rec.Name, name)
		}
	}
	if h.issued(id) || id == 0 && slices.Contains(h.endedProcs, name) {
		return nil, fmt.Errorf("proc mesh %s has ended already: %w", name, ErrStopped)
	}
	return nil, fmt.Errorf("there is no proc mesh %s%s", name, suggestKeys(name, h.procMeshes))
}

// live lists the processes of a mesh's ranks that are there; nil elsewhere.
func (h *hub) live(m *mesh) []*proc {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*proc, m.rec.Ref.Home.Len())
	for i := range out {
		if p := m.procs.procs[m.rec.Ref.Home.RankAt(i)]; !p.over() && p.isReady() {
			out[i] = p
		}
	}
	return out
}

// stopAtOnce is how many actors are asked to stop beside each other: those that take long to finish do not keep others
// from being asked.
const stopAtOnce = 4096

// endMesh stops an actor mesh, in order or at once, and frees its name. A second call waits for the first and gets its
// result; one that is to end it at once hurries it.
func (h *hub) endMesh(ctx context.Context, m *mesh, now bool, reason string) (err error) {
	h.mu.Lock()
	if m.stopping {
		hurry := m.hurry(now)
		h.mu.Unlock()
		if hurry {
			h.cutShort(ctx, m)
		}
		return m.await(ctx)
	}
	limit, cancel := h.node.clock.WithTimeout(ctx, drainTime+2*stopTime)
	defer cancel()
	m.begin(now, cancel)
	defer func() { m.finish(err) }()
	m.rec.State = "stopping"
	rec := cloneMesh(m.rec)
	h.publish(control.Event{Mesh: &rec})
	h.mu.Unlock()
	verb := sysStop
	if now {
		verb = sysKill
	}
	live := h.live(m)
	for i, p := range live { // most of very many ranks have nothing to do: a message to each would be most of the cost
		if !now && p != nil && p.local != nil && h.mem.idle(p.id) && p.local.stopIdle(m.rec.Ref.ID) {
			live[i] = nil
		}
	}
	failed := h.eachOf(live, stopAtOnce, func(_ int, p *proc) error {
		err := h.node.request(limit, quicnet.Addr{Proc: p.id, Actor: m.rec.Ref.ID}, verb, endBody{Mesh: m.rec.Ref.ID, Reason: reason}, nil)
		if errors.Is(err, ErrLost) || h.wasHurried(m, now) {
			return nil // it has ended with its process, or by the kill that came meanwhile
		}
		return err
	})
	h.endOwned(ctx, m, func(int) bool { return true })
	h.mu.Lock()
	m.rec.State, m.rec.Reason, m.rec.Gone = "stopped", reason, true
	h.forgetSaved(m)
	for i := range m.rec.Ranks {
		h.tellDown(m, i, "@"+m.rec.Ref.Name+" was "+reason)
		if m.rec.Ranks[i].State != "gone" && m.rec.Ranks[i].State != "failed" {
			m.rec.Ranks[i].State = "stopped"
		}
	}
	if h.meshes[m.rec.Ref.Name] == m {
		delete(h.meshes, m.rec.Ref.Name)
	}
	delete(h.meshByID, m.rec.Ref.ID)
	h.leaving[m.rec.Ref.ID] = m
	m.procs.remember(m.rec.Ref)
	last := cloneMesh(m.rec)
	h.history = append(h.history, last)
	if len(h.history) > maxHistory {
		h.history = h.history[1:]
	}
	h.publish(control.Event{Mesh: &last})
	h.dropStops(func(st *control.Stop) bool { return st.Mesh == last.Ref.Name }, "@"+last.Ref.Name+" ended: "+reason)
	h.faultsOfMesh(last.Ref.ID, "@"+last.Ref.Name+" has ended")
	h.rebind()
	said := h.howEnded(m.rec.Ref)
	h.mu.Unlock()
	h.node.actors.remove(m.rec.Ref.ID, stoppedWire(said)) // a broadcast to it is an error at once
	h.endOwned(ctx, m, func(int) bool { return true })    // what was created since the first call
	h.mu.Lock()
	delete(h.leaving, m.rec.Ref.ID)
	h.mu.Unlock()
	return byRank(failed)
}

// killActors abandons actors; the mesh stays as long as one rank of it lives.
func (h *hub) killActors(ctx context.Context, m *mesh, ranks []int) error {
	n := m.rec.Ref.Home.Len()
	if err := checkRanks("@"+m.rec.Ref.Name, ranks, n); err != nil {
		return err
	}
	if len(ranks) == 0 || len(ranks) == n && m.rec.Restart == nil { // by a policy, ranks come back; only who names none means the mesh
		return h.endMesh(ctx, m, true, "killed")
	}
	all := h.live(m)
	some := make([]*proc, len(all))
	for _, r := range ranks {
		some[r] = all[r]
	}
	failed := h.abandon(ctx, m, some)
	h.endOwned(ctx, m, func(r int) bool { return slices.Contains(ranks, r) })
	h.mu.Lock()
	for _, r := range ranks {
		h.tellDown(m, r, rankLabel(m.rec.Ref.Name, r)+" was killed")
		m.rec.Ranks[r] = control.RankState{State: "stopped", Since: time.Now(), Reason: "killed", Restarts: m.rec.Ranks[r].Restarts}
		if h.meshes[m.rec.Ref.Name] == m { // else it has ended meanwhile, and another one may have its name
			h.publish(control.Event{Rank: &control.RankEvent{Mesh: m.rec.Ref.Name, Rank: r, State: m.rec.Ranks[r]}})
		}
	}
	h.mu.Unlock()
	for _, r := range ranks {
		if some[r] == nil {
			continue
		}
		f := Failure{Mesh: m.rec.Ref.Name, Rank: r, Proc: some[r].id, What: rankLabel(m.rec.Ref.Name, r) + " was killed", Time: time.Now()}
		h.mu.Lock()
		m.lives.suspend(r)
		h.byPolicyOrNot(h.byPolicy(m, r, nil, &f), f, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			m.lives.settle(r)
		})
	}
	return byRank(failed)
}

// abandon kills a mesh's actors in these processes.
func (h *hub) abandon(ctx context.Context, m *mesh, in []*proc) map[int]error {
	return h.eachRank(in, func(_ int, p *proc) error {
		err := h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysKill, endBody{Mesh: m.rec.Ref.ID, Reason: "killed"}, nil)
		if errors.Is(err, ErrLost) {
			return nil // it has ended with its process
		}
		return err
	})
}

// cutShort hurries a stop of an actor mesh: its actors are killed, then the stop waits for nothing more.
func (h *hub) cutShort(ctx context.Context, m *mesh) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	h.abandon(ctx, m, h.live(m))
	m.cut()
}

// wasHurried reports whether a kill came while the mesh was being stopped in order.
func (h *hub) wasHurried(m *mesh, now bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return m.hurried && !now
}

// killProcs sends SIGKILL; a mesh of which nothing is left frees its name.
func (h *hub) killProcs(ctx context.Context, pm *procMesh, ranks []int) error {
	if err := checkRanks("proc mesh "+pm.rec.Name, ranks, pm.size()); err != nil {
		return err
	}
	all := h.procsOf(pm)
	if len(ranks) == 0 || len(ranks) == len(all) && !h.comesBack(pm) {
		return h.endProcsHow(ctx, pm, true, "killed")
	}
	some := make([]*proc, len(ranks))
	for i, r := range ranks {
		some[i] = all[r]
	}
	h.mu.Lock()
	some = slices.DeleteFunc(some, func(p *proc) bool { return p.over() })
	settle := make([]func(), len(some))
	for i, p := range some {
		settle[i] = h.suspend(pm, p.rank)
	}
	h.mu.Unlock()
	h.signalAll(ctx, pm, some)
	for i, p := range some {
		select {
		case <-p.ended:
			h.afterKill(p, settle[i])
		case <-ctx.Done():
			for _, s := range settle[i:] {
				s()
			}
			return ctx.Err()
		}
	}
	return nil
}

// signalAll kills processes of a mesh; their end is expected.
func (h *hub) signalAll(ctx context.Context, pm *procMesh, ps []*proc) {
	var locals []*proc
	h.mu.Lock()
	for _, p := range ps {
		p.expect, p.killed = true, true
		switch {
		case p.child != nil:
			p.child.Kill()
		case p.local != nil:
			locals = append(locals, p)
		}
	}
	h.mu.Unlock()
	h.endLocals(ctx, pm, locals, true, life.SignalSeen, "killed on request")
}

// endProcs stops a proc mesh in order: its actor meshes, newest first, then the processes.
func (h *hub) endProcs(ctx context.Context, pm *procMesh, reason string) error {
	return h.endProcsHow(ctx, pm, false, reason)
}

func (h *hub) endProcsHow(ctx context.Context, pm *procMesh, now bool, reason string) (err error) {
	h.mu.Lock()
	if pm.stopping {
		hurry := pm.hurry(now)
		h.mu.Unlock()
		if hurry { // what waits for a process or its actors is told of its end
			h.signalAll(ctx, pm, h.procsOf(pm))
		}
		return pm.await(ctx)
	}
	pm.begin(now, nil)
	defer func() { pm.finish(err) }()
	pm.rec.State = "stopping"
	rec := pm.rec
	h.publish(control.Event{ProcMesh: &rec})
	pm.fleet.stopLaunch()
	var meshes []*mesh
	for _, m := range h.meshes {
		if m.procs == pm {
			meshes = append(meshes, m)
		}
	}
	var crashed []goneBody
	for _, p := range pm.procs {
		if p.over() && p.isReady() && !p.rec.Ordered {
			crashed = append(crashed, newGone([]*proc{p}, p.rec.Reason, true))
		}
		p.expect = true
		if p.isReady() {
			h.on(p, life.StopOrdered)
		}
	}
	h.mu.Unlock()
	slices.SortFunc(meshes, func(a, b *mesh) int { return int(b.rec.Ref.ID) - int(a.rec.Ref.ID) })
	var failed map[int]error
	if now { // the processes first: callers of their actors get the end of the process as the reason
		failed = h.endRanks(ctx, pm, true, reason)
	}
	var errs []error
	for _, m := range meshes {
		if err := h.endMesh(ctx, m, now, reason); err != nil {
			errs = append(errs, fmt.Errorf("@%s: %w", m.rec.Ref.Name, err))
		}
	}
	if !now {
		failed = h.endRanks(ctx, pm, false, reason)
	}
	if err := h.endHosts(ctx, pm); err != nil {
		errs = append(errs, err)
	}
	pm.slots.Release()
	for _, g := range crashed { // who calls their actors now calls a mesh that was stopped, as it does on the others
		h.tellGone(g)
	}
	h.mu.Lock()
	h.forget(pm)
	pm.rec.State, pm.rec.Reason, pm.rec.Gone = "stopped", reason, true
	if h.procMeshes[pm.rec.Name] == pm {
		delete(h.procMeshes, pm.rec.Name)
	}
	h.endedProcs = append(h.endedProcs[max(0, len(h.endedProcs)-maxHistory+1):], pm.rec.Name)
	last := pm.rec
	h.publish(control.Event{ProcMesh: &last})
	h.mu.Unlock()
	return errors.Join(append(errs, byRank(failed))...)
}

// endRanks ends the processes of a mesh, those of this process together.
func (h *hub) endRanks(ctx context.Context, pm *procMesh, now bool, reason string) map[int]error {
	var locals []*proc
	workers := make([]*proc, pm.size()) // by rank
	h.mu.Lock()
	for i, p := range pm.procs {
		switch {
		case p.local != nil:
			locals = append(locals, p)
		case p.child != nil:
			workers[i] = p
			if now {
				p.child.Kill() // all of them before the first is waited for
			}
		default:
			p.once.Do(func() { close(p.ended) })
		}
	}
	h.mu.Unlock()
	h.endLocals(ctx, pm, locals, now, life.ExitSeen, reason)
	for _, p := range locals {
		<-p.ended // who ends it instead of us waits for closeTime at most
	}
	return h.eachRank(workers, func(_ int, p *proc) error { return h.endProc(ctx, p, now) })
}

// endProc asks one worker process to end, then insists: a request, SIGTERM, SIGKILL. When ctx has ended it insists at once.
func (h *hub) endProc(ctx context.Context, p *proc, now bool) error {
	child := p.child
	if p.isReady() && !now && ctx.Err() == nil {
		limit, cancel := context.WithTimeout(ctx, stopTime)
		defer cancel()
		if err := h.node.request(limit, quicnet.Addr{Proc: p.id}, sysExit, 0, nil); err == nil && ended(p, stopTime) {
			return nil
		}
		child.Terminate()
		if ended(p, time.Second) {
			return nil
		}
	}
	child.Kill()
	if !ended(p, stopTime) {
		if p.on != nil {
			return h.notSaid(p)
		}
		return fmt.Errorf("pid %d does not end after SIGKILL; is it stuck in a driver?", child.pid())
	}
	return nil
}
