package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// reviveActors starts the actors of these ranks anew that have ended; of a gang, and where the plan says so, all ranks.
func (h *hub) reviveActors(ctx context.Context, m *mesh, ranks []int, pl plan) error {
	select {
	case m.lives.turn <- struct{}{}:
		defer func() { <-m.lives.turn }()
	case <-m.ended:
		return fmt.Errorf("@%s: %w", m.rec.Ref.Name, ErrStopped)
	case <-ctx.Done():
		return ctx.Err()
	}
	n := m.rec.Ref.Home.Len()
	dead, live := make([]*proc, n), make([]*proc, n) // by rank
	h.mu.Lock()
	whole := m.rec.Gang || pl.all
	anyDead := false
	for r := range n {
		p := m.procs.procs[m.rec.Ref.Home.RankAt(r)]
		if !whole && !slices.Contains(ranks, r) || p.over() || !p.isReady() {
			continue
		}
		if m.rec.Ranks[r].Over() {
			dead[r], anyDead = p, true
		} else {
			live[r] = p
		}
	}
	h.mu.Unlock()
	if !anyDead && !pl.all {
		return nil // somebody else has
	}
	if whole {
		h.endForRestart(ctx, m, live, pl.why)
		for r, p := range live {
			if p != nil {
				dead[r] = p
			}
		}
	} else {
		h.endOwned(ctx, m, func(r int) bool { return dead[r] != nil })
	}
	return h.beginLives(ctx, m, dead, pl)
}

// gangTime is how long the ranks of a gang have for ending what they do and giving their snapshots, when one of them has ended.
const gangTime = time.Second

// endForRestart ends actors that live, because all of their mesh begin anew. What they have not saved themselves is asked of
// them first.
func (h *hub) endForRestart(ctx context.Context, m *mesh, live []*proc, why string) {
	h.mu.Lock()
	unsaved := slices.Clone(live)
	for r := range m.lives.saved {
		unsaved[r] = nil
	}
	h.mu.Unlock()
	limit, cancel := h.node.clock.WithTimeout(ctx, gangTime)
	defer cancel()
	gone := func(r int) *wireError {
		return &wireError{Outcome: control.OutcomeLost, Type: "restart", Codes: codesOf(ErrLost),
			Msg: clip(rankLabel(m.rec.Ref.Name, r)+" begins anew with all of its mesh: "+why, maxErrorText)}
	}
	h.eachRank(unsaved, func(r int, p *proc) error {
		var b []byte
		err := h.node.request(limit, quicnet.Addr{Proc: p.id}, sysSnapshot, endBody{Mesh: m.rec.Ref.ID, Why: gone(r)}, &b)
		if err == nil && b != nil {
			err = h.save(p.id, saveBody{Mesh: m.rec.Ref.ID, Rank: r, Life: h.lifeOf(m, r), Data: b})
		}
		if err != nil {
			h.log.Warn("an actor that is to begin anew gave no snapshot", "actor", rankLabel(m.rec.Ref.Name, r), "err", err)
		}
		return nil
	})
	h.eachRank(live, func(r int, p *proc) error {
		return h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysKill, endBody{Mesh: m.rec.Ref.ID, Why: gone(r)}, nil)
	})
	h.endOwned(ctx, m, func(int) bool { return true })
	h.mu.Lock()
	defer h.mu.Unlock()
	for r, p := range live {
		if p != nil {
			h.tellDown(m, r, "it begins anew with all of its mesh: "+why)
		}
	}
}

// lifeOf is the life that a rank is in.
func (h *hub) lifeOf(m *mesh, rank int) uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return uint32(m.rec.Ranks[rank].Restarts)
}

// beginLives starts actors in processes that have none of the mesh any more.
func (h *hub) beginLives(ctx context.Context, m *mesh, in []*proc, pl plan) error {
	began := time.Now()
	h.mu.Lock()
	if m.stopping {
		h.mu.Unlock()
		return fmt.Errorf("@%s: %w", m.rec.Ref.Name, ErrStopped)
	}
	bodies, recs := make([]spawnBody, len(in)), make([]control.Restart, len(in))
	for r, p := range in {
		if p == nil {
			continue
		}
		st := &m.rec.Ranks[r]
		why := cmp.Or(pl.why, st.Reason)
		*st = control.RankState{State: "starting", Restarts: st.Restarts + 1, Since: began}
		m.rec.Ref.Lives = m.rec.Ref.WithLife(r, uint32(st.Restarts)).Lives // the rest of it is read without the lock
		recs[r] = control.Restart{
			Time: began, Mesh: m.rec.Ref.Name, Procs: m.procs.rec.Name, Rank: r, Proc: p.id, Life: st.Restarts, Why: why, By: pl.by, Tail: pl.tail, State: control.RestartStarting,
		}
		h.tellRestart(recs[r])
		bodies[r] = spawnBody{Rank: r, Proto: m.lives.proto, Orders: h.debug.orders.Turn, Life: uint32(st.Restarts), Saved: m.lives.saved[r], Loose: p.program != nil}
	}
	ref := m.rec.Ref
	h.tellMesh(m)
	h.mu.Unlock()
	failed := h.eachRank(in, func(r int, p *proc) error {
		b := bodies[r]
		b.Ref = ref
		return h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysSpawn, b, nil)
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for r, p := range in {
		if p == nil {
			continue
		}
		rec, st := &recs[r], &m.rec.Ranks[r]
		rec.State, rec.Took = control.RestartReady, time.Since(began)
		err := failed[r]
		switch {
		case err != nil:
			rec.State, rec.Error = control.RestartFailed, err.Error()
			if st.State == "starting" {
				st.State, st.Reason = "failed", clip("it did not start anew: "+err.Error(), maxErrorText)
			}
		case st.State == "starting":
			st.State = "idle"
		}
		h.tellRestart(*rec)
	}
	if !slices.ContainsFunc(m.rec.Ranks, func(s control.RankState) bool { return s.State == "failed" || s.State == "gone" }) && m.rec.State == "failed" {
		m.rec.State, m.rec.Reason = "running", ""
	}
	h.tellMesh(m)
	h.rebind()
	if len(failed) > 0 {
		return fmt.Errorf("@%s: %w", m.rec.Ref.Name, foldStartErrors(failed, len(in)))
	}
	return nil
}

// tellRestart keeps a restart and tells front ends. The caller holds h.mu.
func (h *hub) tellRestart(r control.Restart) {
	r.Why, r.Error = clip(r.Why, maxErrorText), clip(r.Error, maxErrorText)
	h.restarts = control.AddRestart(h.restarts, r)
	h.publish(control.Event{Restart: &r})
}

// tellMesh tells front ends of a mesh as a whole. The caller holds h.mu.
func (h *hub) tellMesh(m *mesh) {
	rec := cloneMesh(m.rec)
	h.publish(control.Event{Mesh: &rec})
}
