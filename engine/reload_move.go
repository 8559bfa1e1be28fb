package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/build"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// runs is what a process runs, and what is to run in its place. hub.mu guards it.
type runs struct {
	program *build.Program // nil: the controller's own executable
	heir    *build.Program // what its next epoch runs; nil: the same
	moves   bool           // it ends because another process takes its place
	killed  bool           // somebody wanted it to end at once
	trial   bool           // it takes another one's place, and its end is no failure: that one is put back
}

// follow has the next epoch of a process run what it is to run. The caller holds h.mu.
func (p *proc) follow(old *proc) {
	p.rec.Restarts, p.program = old.rec.Restarts+1, old.program
	if old.moves {
		p.rec.Restarts, p.program, p.trial = old.rec.Restarts, old.heir, true
	}
}

// bring has the hosts of all ranks have the new build before the first rank moves: where one cannot take it, none does.
func (r *roll) bring(ctx context.Context) error {
	h := r.h
	if r.prog == h.builds.Own { // it is what the agents run
		return nil
	}
	on := map[*machine][]*moving{}
	h.mu.Lock()
	for _, mv := range r.ranks {
		if m := mv.pm.procs[mv.rank].on; m != nil && !m.rec.Over() {
			on[m] = append(on[m], mv)
		}
	}
	h.mu.Unlock()
	var wg sync.WaitGroup
	for m, mvs := range on {
		wg.Go(func() {
			_, err := h.ship(ctx, m, r.prog.Path, filepath.Base(r.prog.Path))
			h.mu.Lock()
			defer h.mu.Unlock()
			if err == nil || m.rec.Over() { // its ranks are lost, and are told as that
				return
			}
			for _, mv := range mvs {
				r.note(mv, control.RankKept, err.Error())
			}
		})
	}
	wg.Wait()
	return r.failed(ctx.Err())
}

// moveBatch moves a few ranks beside each other. The error says which of them are not moved.
func (r *roll) moveBatch(ctx context.Context, batch []*moving) error {
	batch = r.fit(batch)
	free, err := r.lock(ctx, batch)
	if err == nil {
		defer free()
		r.begin(batch)
		defer r.finish(batch)
		if err = r.standStill(ctx, batch); err == nil {
			r.moveAll(ctx, r.takeAll(ctx, batch))
		} else {
			r.keepAll(batch, err)
		}
	}
	return r.failed(err)
}

// fit leaves out the ranks that cannot be moved.
func (r *roll) fit(batch []*moving) (out []*moving) {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	for _, mv := range batch {
		if state, why := r.mayMove(mv); why != "" {
			r.note(mv, state, why)
			continue
		}
		mv.p = mv.pm.procs[mv.rank]
		mv.from = cmp.Or(mv.p.program, r.h.builds.Own)
		out = append(out, mv)
	}
	return out
}

// failed is why a reload stops here; nil: it does not.
func (r *roll) failed(err error) error {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	r.tell()
	for _, rec := range r.rec.Ranks {
		at := fmt.Sprintf("%s[%d]", rec.Procs, rec.Rank)
		switch rec.State {
		case control.RankKept:
			return fmt.Errorf("%s could not be moved, and goes on: %s", at, rec.Error)
		case control.RankRestored:
			return fmt.Errorf("%s did not begin on the new build, and was put back: %s", at, rec.Error)
		case control.RankLost:
			if rec.Away > 0 {
				return fmt.Errorf("%s has ended: %s", at, rec.Error)
			}
		}
	}
	return err
}

// lock keeps others from starting actors anew in these processes.
func (r *roll) lock(ctx context.Context, batch []*moving) (free func(), err error) {
	h := r.h
	var meshes []*mesh
	h.mu.Lock()
	for _, mv := range batch {
		for _, m := range h.meshesBy(mv.pm) {
			if !slices.Contains(meshes, m) && !m.stopping {
				meshes = append(meshes, m)
			}
		}
	}
	h.mu.Unlock()
	slices.SortFunc(meshes, func(a, b *mesh) int { return cmp.Compare(a.rec.Ref.ID, b.rec.Ref.ID) })
	var turns []chan struct{}
	free = func() {
		for _, t := range turns {
			<-t
		}
	}
	for _, m := range meshes {
		select {
		case m.lives.turn <- struct{}{}:
			turns = append(turns, m.lives.turn)
		case <-m.ended:
		case <-h.node.closing:
			free()
			return nil, ErrStopped
		case <-ctx.Done():
			free()
			return nil, ctx.Err()
		}
	}
	return free, nil
}

// begin puts moves on the books.
func (r *roll) begin(batch []*moving) {
	h := r.h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reload.hold = holdBody{Fail: r.rec.Policy == control.ReloadFail}
	for _, mv := range batch {
		mv.away, mv.settle = time.Now(), h.suspend(mv.pm, mv.rank)
		put(&h.reload.moves, mv.p.id, make(chan struct{}))
		h.reload.hold.Procs = append(h.reload.hold.Procs, mv.p.id)
		r.note(mv, control.RankMoves, "")
	}
	r.tell()
}

// release lets what waits for a rank go there, and what was to wait for its move go on.
func (r *roll) release(mv *moving) {
	h := r.h
	h.mu.Lock()
	if mv.over {
		h.mu.Unlock()
		return
	}
	mv.over = true
	id := mv.p.id
	close(h.reload.moves[id])
	delete(h.reload.moves, id)
	h.reload.hold.Procs = slices.DeleteFunc(slices.Clone(h.reload.hold.Procs), func(p uint64) bool { return p == id })
	r.rec.Ranks[mv.at].Away = time.Since(mv.away)
	body := holdBody{Procs: []uint64{id}}
	here, there := h.everybody()
	h.mu.Unlock()
	for _, n := range here {
		n.windows.letGo(body.Procs)
	}
	for _, to := range there {
		h.node.outbox.Add(to.Proc, func() { // one that has gone meanwhile holds nothing
			_ = h.node.notice(h.node.root, quicnet.LaneControl, nil, to, sysArrived, body)
		})
	}
	mv.settle()
}

// finish releases those that are not yet.
func (r *roll) finish(batch []*moving) {
	for _, mv := range batch {
		r.release(mv)
	}
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	r.h.rebind()
}

// everybody is each node that sends: those of this process, and the workers. The caller holds h.mu.
func (h *hub) everybody() (here []*node, there []quicnet.Addr) {
	here = append(here, h.node)
	for _, p := range h.procs {
		switch {
		case !p.isReady() || p.over():
		case p.local != nil:
			here = append(here, p.local)
		default:
			there = append(there, quicnet.Addr{Proc: p.id})
		}
	}
	return here, there
}

// tellMoves tells a process that has just joined which ranks move. The caller holds h.mu.
func (h *hub) tellMoves(p *proc) {
	body := h.reload.hold
	body.Procs = slices.DeleteFunc(slices.Clone(body.Procs), func(id uint64) bool { return id == p.id })
	if len(body.Procs) == 0 {
		return
	}
	h.node.outbox.Add(p.id, func() { // one that has gone meanwhile holds nothing
		_ = h.node.notice(h.node.root, quicnet.LaneControl, nil, quicnet.Addr{Proc: p.id}, sysHold, body)
	})
}

// awaitMoves waits until none of these ranks moves: who starts them anew must not do it twice.
func (h *hub) awaitMoves(ctx context.Context, pm *procMesh, ranks []int) error {
	for _, rank := range ranks {
		h.mu.Lock()
		over := h.reload.moves[pm.procs[rank].id]
		h.mu.Unlock()
		if over == nil {
			continue
		}
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// spawnOn has an actor begin in a process, or in the one that takes its place meanwhile.
func (h *hub) spawnOn(ctx context.Context, p *proc, b spawnBody) error {
	for {
		err := h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysSpawn, b, nil)
		if err == nil {
			return nil
		}
		h.mu.Lock()
		moves := p.moves || h.reload.moves[p.id] != nil
		h.mu.Unlock()
		if !moves && !errors.Is(err, ErrMoving) {
			return err
		}
		if late := h.awaitMoves(ctx, p.pm, []int{p.rank}); late != nil {
			return late
		}
		h.mu.Lock()
		next := p.pm.procs[p.rank]
		h.mu.Unlock()
		if next == p && !errors.Is(err, ErrMoving) { // it stays, and has refused for another reason
			return err
		}
		p = next
	}
}

// each does something for each rank of a batch beside the others.
func each(batch []*moving, do func(*moving)) {
	var wg sync.WaitGroup
	for _, mv := range batch {
		wg.Go(func() { do(mv) })
	}
	wg.Wait()
}

// takeAll takes the states of ranks that stand still, and gives those of which it has them. The others go on.
func (r *roll) takeAll(ctx context.Context, batch []*moving) (out []*moving) {
	limit, cancel := context.WithTimeout(ctx, cmp.Or(r.req.Drain, reloadDrain))
	defer cancel()
	errs := make([]error, len(batch))
	each(batch, func(mv *moving) {
		for i := range mv.actors {
			a := &mv.actors[i]
			err := r.h.node.request(limit, quicnet.Addr{Proc: mv.p.id}, sysTake, takeBody{a.m.rec.Ref.ID}, &a.state)
			if err != nil {
				errs[slices.Index(batch, mv)] = err
				return
			}
		}
	})
	for i, mv := range batch {
		if errs[i] != nil {
			r.keepAll([]*moving{mv}, errs[i])
			continue
		}
		out = append(out, mv)
	}
	return out
}

// keepAll has ranks go on where they are.
func (r *roll) keepAll(batch []*moving, why error) {
	each(batch, func(mv *moving) {
		limit, cancel := context.WithTimeout(r.h.node.root, time.Second)
		defer cancel()
		if err := r.h.node.request(limit, quicnet.Addr{Proc: mv.p.id}, sysThaw, 0, nil); err != nil { // it has ended, or is about to be on the books
			select {
			case <-mv.p.ended:
			case <-limit.Done():
			}
		}
	})
	r.h.mu.Lock()
	for _, mv := range batch {
		switch {
		case mv.p.over():
			r.note(mv, control.RankLost, cmp.Or(mv.p.rec.Reason, why.Error()))
		case mv.pm.stopping || r.h.closed:
			r.note(mv, control.RankLost, "procs "+mv.pm.rec.Name+" was stopped meanwhile")
		default:
			r.note(mv, control.RankKept, why.Error())
		}
	}
	r.h.mu.Unlock()
	for _, mv := range batch {
		r.release(mv)
	}
}

// moveAll has processes of the new build take the places of ranks that stand still.
func (r *roll) moveAll(ctx context.Context, batch []*moving) {
	each(batch, func(mv *moving) {
		defer r.release(mv)
		r.leave(ctx, mv)
		err := r.arrive(ctx, mv)
		if err == nil {
			r.h.mu.Lock()
			r.note(mv, control.RankMoved, "").Notes = mv.notes
			r.h.mu.Unlock()
			return
		}
		r.putBack(ctx, mv, err)
	})
}

// leave ends the old process.
func (r *roll) leave(ctx context.Context, mv *moving) {
	h, p := r.h, mv.p
	h.mu.Lock()
	p.expect, p.moves, p.heir = true, true, r.prog
	h.on(p, life.StopOrdered, because("it moves to build "+h.builds.IDOf(r.prog)))
	for _, a := range mv.actors {
		a.m.rec.Ranks[a.rank] = control.RankState{State: "starting", Restarts: a.m.rec.Ranks[a.rank].Restarts, Handled: a.m.rec.Ranks[a.rank].Handled, Since: time.Now(), Reason: "it moves to build " + h.builds.IDOf(r.prog)}
		h.publish(control.Event{Rank: &control.RankEvent{Mesh: a.m.rec.Ref.Name, Rank: a.rank, State: a.m.rec.Ranks[a.rank]}})
	}
	h.mu.Unlock()
	limit, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	_ = h.node.request(limit, quicnet.Addr{Proc: p.id}, sysLeave, 0, nil) // it ends: there is nobody to answer
	if !ended(p, stopTime) {
		if err := h.endProc(ctx, p, false); err != nil {
			h.log.Error("a process that moves does not end", "procs", p.rec.Mesh, "rank", p.rank, "err", err)
		}
	}
	<-p.ended
	<-p.settled
}

// putBack starts the old build again where the new one did not begin. mv.p is the process that did not.
func (r *roll) putBack(ctx context.Context, mv *moving, why error) {
	h := r.h
	h.mu.Lock()
	killed := mv.p.killed
	h.mu.Unlock()
	if killed {
		r.lose(mv, errors.New("it was killed meanwhile"))
		return
	}
	h.giveUp(mv.p)
	<-mv.p.settled
	h.mu.Lock()
	tail, stopping := mv.p.rec.Tail, mv.pm.stopping || h.closed
	if !stopping {
		mv.p.moves, mv.p.heir = true, mv.from
	}
	h.mu.Unlock()
	if !stopping {
		if err := r.arrive(context.WithoutCancel(ctx), mv); err != nil {
			if err.Error() != why.Error() {
				why = fmt.Errorf("%w; and it did not begin again on the old build: %w", why, err)
			}
			r.lose(mv, why)
			return
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	state, text := control.RankRestored, why.Error()
	if stopping {
		state, text = control.RankLost, "procs "+mv.pm.rec.Name+" was stopped meanwhile"
	}
	rec := r.note(mv, state, text)
	rec.Tail, rec.Notes = tail, mv.notes
}

// lose gives a rank up that runs on neither build. What its actors have saved is kept for who restarts it.
func (r *roll) lose(mv *moving, why error) {
	h := r.h
	h.mu.Lock()
	killed := mv.p.killed
	h.mu.Unlock()
	h.giveUp(mv.p)
	<-mv.p.settled
	h.mu.Lock()
	for _, a := range mv.actors {
		if a.state.How == stateHook && h.meshByID[a.m.rec.Ref.ID] == a.m {
			h.saved += len(a.state.Data) - len(a.m.lives.saved[a.rank])
			put(&a.m.lives.saved, a.rank, a.state.Data)
		}
	}
	mv.p.moves, mv.p.trial = false, false
	rec := r.note(mv, control.RankLost, why.Error())
	rec.Tail = mv.p.rec.Tail
	rec.Away = max(time.Since(mv.away), 1)
	stopping := mv.pm.stopping || h.closed || killed
	h.mu.Unlock()
	what := clip(fmt.Sprintf("rank %d of procs %s did not survive a reload: %v", mv.rank, mv.pm.rec.Name, why), maxErrorText)
	h.markGone(mv.pm, []*proc{mv.p}, what)
	if stopping {
		return
	}
	h.mu.Lock()
	settle := h.suspend(mv.pm, mv.rank)
	h.judgeFailure(failureReport{Proc: mv.p.id, Rank: mv.rank, What: what}, settle)
}

// errTaken is the error of a process that somebody else has started meanwhile.
var errTaken = errors.New("somebody else has started it anew")

// executableOf is the file that the next epoch of a process of this machine is started from.
func (h *hub) executableOf(p *proc) string {
	return h.builds.PathOf(h.programOf(p), h.opts.executable)
}

// programOf is what the next epoch of a process runs.
func (h *hub) programOf(p *proc) *build.Program {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.program == nil && p.epoch == 1 {
		p.program = h.reload.next
	}
	return p.program
}

// buildOf is the build id of a worker: what it says of itself, and the content of its executable, which tells two builds of one
// revision apart.
func (h *hub) buildOf(p *proc, said string) string {
	return joinBuild(said, h.builds.IDOf(p.program))
}

func joinBuild(said, id string) string {
	switch {
	case id == "":
		return said
	case said == "":
		return id
	}
	return id + " " + said
}

// tellOwnBuild puts the content of the controller's executable into the session's record, once it is known. The caller holds h.mu.
func (h *hub) tellOwnBuild() {
	build := joinBuild(buildID(), h.builds.IDOf(nil))
	if h.session.Build == build {
		return
	}
	h.session.Build = build
	rec := h.session
	h.publish(control.Event{Session: &rec})
}
