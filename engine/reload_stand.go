package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// standStill has ranks end what they do, and nothing be on its way to them, while they move. It is sure of that when, in this
// order, each was seen idle, nobody had a message for them that was not answered, and each stands still without having handled
// anything since it was seen idle. What could have been sent in between is only what they themselves wait for, and they wait for
// nothing.
//
// A handler that waits for who waits for a moving rank without its chain saying so (behind somebody else's message in a mailbox)
// cannot end: then the time is over, and all go on as before. Ranks that do so to each other move in one batch: what they send each
// other is not held.
func (r *roll) standStill(ctx context.Context, batch []*moving) error {
	fail := r.rec.Policy == control.ReloadFail
	drain := cmp.Or(r.req.Drain, reloadDrain)
	limit, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	ask := lullBody{Refuse: fail}
	if err := r.hold(limit, true); err != nil {
		return err
	}
	for {
		handled, err := r.lulls(limit, batch, ask)
		if err == nil {
			err = r.hold(limit, false)
		}
		late := errors.Is(limit.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
		switch {
		case err == nil && r.freezeAll(limit, batch, handled):
			return nil
		case err == nil: // they were given something by who is waited for
		case fail && !ask.Interrupt && ctx.Err() == nil && late:
			ask.Interrupt = true
			more, cancel := context.WithTimeout(ctx, interrupts)
			defer cancel() // it is made once
			limit = more
			if _, err := r.lulls(limit, batch, ask); err != nil {
				return fmt.Errorf("it does not stand still, %v after its time was over: %w", interrupts, err)
			}
		case late:
			look, cancel := context.WithTimeout(ctx, lateAnswer)
			defer cancel()
			if _, busy := r.lulls(look, batch, lullBody{}); busy != nil { // it says better what it does than who waits for it
				err = busy
			}
			return fmt.Errorf("it does not stand still within %v: %w", drain, err)
		default:
			return err
		}
	}
}

// lulls waits until each of these ranks does nothing, and gives how much each has handled by then.
func (r *roll) lulls(ctx context.Context, batch []*moving, ask lullBody) (handled []uint64, err error) {
	answers, errs := make([]lulled, len(batch)), make([]error, len(batch))
	each(batch, func(mv *moving) {
		i := slices.Index(batch, mv)
		errs[i] = r.ask(ctx, mv.p, sysLull, ask, &answers[i])
	})
	for i, a := range answers {
		handled = append(handled, a.Handled)
		if errs[i] != nil && err == nil {
			err = errs[i]
		}
	}
	return handled, err
}

// ask asks a process something that it answers before ctx ends, and says then what it has to say.
func (r *roll) ask(ctx context.Context, p *proc, name string, body, out any) error {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if d, ok := ctx.Deadline(); ok { // its own time ends a little earlier, so that its answer is here in time
		late, cancel = context.WithDeadline(late, d.Add(lateAnswer))
		defer cancel()
	}
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cancel()
		}
	})
	defer stop()
	return r.h.node.requestWithin(late, time.Until(deadlineOf(ctx)), quicnet.Addr{Proc: p.id}, name, body, out)
}

// lateAnswer is how much longer than a process waits who has asked it waits for its answer.
const lateAnswer = 500 * time.Millisecond

func deadlineOf(ctx context.Context) time.Time {
	d, _ := ctx.Deadline()
	return d
}

// hold has everybody hold what is for the ranks that move, and waits until nothing is on its way there; or only does the first.
func (r *roll) hold(ctx context.Context, only bool) error {
	h := r.h
	h.mu.Lock()
	body := h.reload.hold
	here, there := h.everybody()
	h.mu.Unlock()
	body.Only = only
	errs := make(chan error, len(here)+len(there))
	for _, n := range here {
		go func() { errs <- n.holdFor(ctx, body) }()
	}
	for _, to := range there {
		go func() {
			err := h.node.request(ctx, to, sysHold, body, nil)
			if err != nil && h.gone(to.Proc) && !slices.Contains(body.Procs, to.Proc) {
				err = nil // it sends nothing any more
			}
			errs <- err
		}()
	}
	var first error
	for range len(here) + len(there) {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// gone reports whether a process has ended.
func (h *hub) gone(proc uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.procs[proc]
	return p == nil || p.over()
}

// freezeAll has ranks stand still which have handled so much, and notes the actors that live there. False: one of them does
// something, and all go on.
func (r *roll) freezeAll(ctx context.Context, batch []*moving, handled []uint64) bool {
	answers := make([]frozenBody, len(batch))
	each(batch, func(mv *moving) {
		i := slices.Index(batch, mv)
		_ = r.ask(ctx, mv.p, sysFreeze, freezeBody{handled[i]}, &answers[i]) // an error is a rank that does not stand still
	})
	if slices.ContainsFunc(answers, func(a frozenBody) bool { return !a.Frozen }) {
		each(batch, func(mv *moving) {
			_ = r.ask(ctx, mv.p, sysThaw, 0, nil) // an error means that it has ended
		})
		return false
	}
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	for i, mv := range batch {
		mv.actors = nil
		for _, id := range answers[i].Actors {
			m := r.h.meshByID[id]
			if m == nil || m.procs != mv.pm {
				continue
			}
			if rank, ok := m.rec.Ref.Home.IndexOf(mv.rank); ok {
				mv.actors = append(mv.actors, movedActor{m: m, rank: rank})
			}
		}
	}
	return true
}

// arrive starts a process of the build that is to run next in the place of one that has ended, and begins its actors there with what they were.
func (r *roll) arrive(ctx context.Context, mv *moving) error {
	h := r.h
	p, mine, err := h.nextEpoch(mv.p)
	if err == nil && !mine {
		err = errTaken
	}
	if err != nil {
		return err
	}
	mv.p = p
	defer close(p.again)
	h.tellBack(p.identity())
	limit, cancel := context.WithTimeoutCause(ctx, cmp.Or(r.req.Start, spawnTimeout), errTooSlow)
	defer cancel()
	if err := h.launchOne(limit, p, p.pm.req); err != nil {
		return err
	}
	if err := h.awaitReady(limit, p); err != nil {
		return err
	}
	if err := r.settleIn(limit, mv); err != nil {
		if errors.Is(err, ErrLost) { // the process has ended: it says more by how it did
			return h.howFailed(p, err)
		}
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.over() || p.expect {
		return fmt.Errorf("it has ended: %s", p.rec.Reason)
	}
	p.trial = false
	for _, a := range mv.actors {
		if st := &a.m.rec.Ranks[a.rank]; !st.Over() {
			*st = control.RankState{State: "idle", Restarts: st.Restarts, Since: time.Now()}
			h.publish(control.Event{Rank: &control.RankEvent{Mesh: a.m.rec.Ref.Name, Rank: a.rank, State: *st}})
		}
	}
	return nil
}

// howFailed is why a process ended that was to take the place of another one.
func (h *hub) howFailed(p *proc, err error) error {
	ended(p, closeTime)
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.rec.Reason == "" {
		return err
	}
	return errors.New(p.rec.Reason)
}

// settleIn begins the actors in a new process, in the order in which their meshes were spawned.
func (r *roll) settleIn(ctx context.Context, mv *moving) error {
	h, to := r.h, quicnet.Addr{Proc: mv.p.id}
	h.mu.Lock()
	body := h.reload.hold
	body.Procs = slices.DeleteFunc(slices.Clone(body.Procs), func(id uint64) bool { return id == mv.p.id })
	orders := h.debug.orders.Turn
	var dead []endBody
	for _, m := range h.meshesBy(mv.pm) {
		if rank, here := m.rec.Ref.Home.IndexOf(mv.rank); here && !mv.has(m) && m.rec.Ranks[rank].Over() {
			dead = append(dead, endBody{Mesh: m.rec.Ref.ID, Why: &wireError{Outcome: control.OutcomeNotSent, Type: "lost", Codes: codesOf(ErrLost),
				Msg: fmt.Sprintf("%s has ended: %s", rankLabel(m.rec.Ref.Name, rank), m.rec.Ranks[rank].Reason)}})
		}
	}
	h.mu.Unlock()
	if len(body.Procs) > 0 {
		if err := h.node.notice(ctx, quicnet.LaneControl, nil, to, sysHold, body); err != nil {
			return err
		}
	}
	for _, b := range dead {
		if err := h.node.request(ctx, to, sysKill, b, nil); err != nil {
			return err
		}
	}
	mv.notes = nil
	for _, a := range mv.actors {
		h.mu.Lock()
		stopping := a.m.stopping
		ref, proto := a.m.rec.Ref, a.m.lives.proto
		b := spawnBody{Ref: ref, Rank: a.rank, Proto: proto, Orders: orders, Life: uint32(a.m.rec.Ranks[a.rank].Restarts), Before: a.m.rec.Ranks[a.rank].Handled, Loose: true}
		h.mu.Unlock()
		if stopping {
			continue
		}
		var out arrivedBody
		if err := h.node.request(ctx, to, sysArrive, arriveBody{b, a.state}, &out); err != nil {
			return err
		}
		mv.notes = append(mv.notes, out.Notes...)
		h.mu.Lock()
		stopping = a.m.stopping
		h.mu.Unlock()
		if stopping { // the stop has not found it
			_ = h.node.request(ctx, to, sysKill, endBody{Mesh: ref.ID, Reason: "stopped"}, nil)
		}
	}
	return nil
}

// has reports whether an actor of a mesh moves with the rank.
func (mv *moving) has(m *mesh) bool {
	return slices.ContainsFunc(mv.actors, func(a movedActor) bool { return a.m == m })
}

// markEnd shows what became of the actors of a process that has ended: where another one takes its place, nothing.
func (h *hub) markEnd(p *proc, what string) {
	h.mu.Lock()
	stays := p.moves || p.trial
	if stays {
		h.dropStops(func(st *control.Stop) bool { return st.Proc == p.id }, what)
		h.locks.dropOf(func(id uint64) bool { return id == p.id })
		for _, m := range h.meshes {
			h.dropMonitors(m, func(at portAddr) bool { return at.Proc == p.id })
		}
	}
	h.mu.Unlock()
	if !stays {
		h.markGone(p.pm, []*proc{p}, what)
	}
}
