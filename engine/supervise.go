package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// failureReport is a failure on its way to the controller.
type failureReport struct {
	Mesh     uint64 // actor mesh, or 0
	Proc     uint64 // process that ended, or 0
	Rank     int
	What     string
	Stack    string
	Reported bool
}

// judgeTime is how long an owner's OnFailure may take, busy handler included, before the failure goes on to its owner.
const judgeTime = 5 * time.Second

// reportFailure sends a failure to the controller.
func (n *node) reportFailure(r failureReport) {
	if n.local != nil {
		n.local.failure(r)
		return
	}
	n.outbox.add(0, func() {
		ctx, cancel := context.WithTimeout(n.root, judgeTime)
		defer cancel()
		if err := n.request(ctx, quicnet.Addr{}, sysFailure, r, nil); err != nil {
			n.log.Error("a failure could not be reported", "what", r.What, "err", err)
		}
	})
}

// Supervise sets the handler for failures that no actor's OnFailure decided, in programs and tests. It returns the one
// that was set before.
func Supervise(ctx context.Context, fn func(context.Context, Failure) Decision) (func(context.Context, Failure) Decision, error) {
	n, err := nodeOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("supervise: %w", err)
	}
	if n.hub == nil {
		return nil, fmt.Errorf("supervise: only the program that runs the engine supervises at the root; an actor implements OnFailure")
	}
	return n.hub.setSupervise(fn), nil
}

func (h *hub) setSupervise(fn func(context.Context, Failure) Decision) (old func(context.Context, Failure) Decision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old, h.supervise = h.supervise, fn
	return old
}

// onUnhandled sets what the first unhandled failure does to the program.
func (h *hub) onUnhandled(fail func(Failure)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failRun = fail
}

// firstUnhandled is the first failure that nobody handled; nil: there was none.
func (h *hub) firstUnhandled() *Failure {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unhandledFirst
}

// failure records a failure and has it judged: by the owner of what failed, then by the owner's owner, at last by the root.
func (h *hub) failure(r failureReport) {
	h.mu.Lock()
	if h.ignoreFailures {
		h.mu.Unlock()
		return
	}
	f := Failure{Rank: r.Rank, Proc: r.Proc, What: clip(r.What, maxErrorText), Stack: clip(r.Stack, maxErrorText+64), Reported: r.Reported, Time: time.Now()}
	var own owner
	var stop func(context.Context)
	show := func() {} // marks what failed; called with h.mu held
	switch m := h.meshByID[r.Mesh]; {
	case m != nil:
		f.Mesh, own = m.rec.Ref.Name, m.owner
		stop = func(ctx context.Context) { _ = h.endMesh(ctx, m, false, "stopped by its supervisor") }
		show = func() { h.meshFailed(m, f.What) }
		if r.Rank >= 0 && r.Rank < len(m.rec.Ranks) && r.Stack != "" {
			m.rec.Ranks[r.Rank].State, m.rec.Ranks[r.Rank].Reason = "failed", r.What
			h.publish(control.Event{Rank: &control.RankEvent{Mesh: f.Mesh, Rank: r.Rank, State: m.rec.Ranks[r.Rank]}})
		}
	case r.Mesh == 0 && h.procs[r.Proc] != nil:
		pm := h.procs[r.Proc].pm
		f.Mesh, own = pm.rec.Name, pm.owner
		stop = func(ctx context.Context) { _ = h.endProcs(ctx, pm, "stopped by its supervisor") }
		show = func() { h.procsFailed(pm, f.What) }
	default:
		stop = func(context.Context) {}
	}
	h.wg.Add(1)
	h.mu.Unlock()
	go func() {
		defer h.wg.Done()
		h.judge(f, own, stop, show)
	}()
}

// judge walks up the owners.
func (h *hub) judge(f Failure, own owner, stop func(context.Context), show func()) {
	ctx := h.node.root
	for depth := 0; own.addr.Actor != 0 && depth < 64; depth++ {
		limit, cancel := context.WithTimeout(ctx, judgeTime)
		var d Decision
		err := h.node.request(limit, quicnet.Addr{Proc: own.addr.Proc}, sysJudge, judgeBody{Mesh: own.addr.Actor, Failure: f}, &d)
		cancel()
		if err != nil {
			h.log.Warn("an owner could not judge a failure", "owner", own.label, "failure", f.What, "err", err)
		}
		if h.decided(ctx, f, d, own.label, stop) {
			return
		}
		m := h.meshOf(own.addr.Actor)
		if m == nil {
			break
		}
		own = m.owner
	}
	h.mu.Lock()
	fn := h.supervise
	h.mu.Unlock()
	if fn != nil {
		var d Decision
		err := guard("the supervisor", func() error { d = fn(ctx, f); return nil })
		if err != nil {
			h.log.Error("the root's supervisor failed", "err", err)
		}
		if h.decided(ctx, f, d, "the program", stop) {
			return
		}
	}
	h.unhandled(f, show)
}

func (h *hub) decided(ctx context.Context, f Failure, d Decision, who string, stop func(context.Context)) bool {
	switch d {
	case Handled:
	case StopOwned:
		stop(ctx)
	default:
		return false
	}
	h.tellFailure(f, who)
	return true
}

func (h *hub) tellFailure(f Failure, handled string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.publish(control.Event{Failure: &control.Failure{Time: f.Time, Mesh: f.Mesh, Rank: f.Rank, Proc: f.Proc, What: f.What, Stack: f.Stack, Handled: handled}})
}

// unhandled is what happens to a failure that no owner and no supervisor decided. If a caller that waited got it, it counts
// as reported; otherwise it ends the program. A session that a tool drives has no run to end: it marks what failed and
// goes on.
func (h *hub) unhandled(f Failure, show func()) {
	if f.Reported {
		h.tellFailure(f, "its caller")
		return
	}
	h.tellFailure(f, "")
	h.mu.Lock()
	first := h.unhandledFirst == nil
	if first {
		h.unhandledFirst = &f
	}
	show()
	fail := h.failRun
	if fail != nil && h.session.State == "running" {
		h.session.State, h.session.Reason = "failed", f.What
		rec := h.session
		h.publish(control.Event{Session: &rec})
	}
	h.mu.Unlock()
	h.log.Error("unhandled failure", "what", f.What)
	if first && fail != nil {
		fail(f)
	}
}

// meshFailed marks an actor mesh. The caller holds h.mu.
func (h *hub) meshFailed(m *mesh, why string) {
	if m.rec.State != "running" {
		return
	}
	m.rec.State, m.rec.Reason = "failed", why
	rec := cloneMesh(m.rec)
	h.publish(control.Event{Mesh: &rec})
}

// procsFailed marks a proc mesh. The caller holds h.mu.
func (h *hub) procsFailed(pm *procMesh, why string) {
	if pm.rec.State != "running" {
		return
	}
	pm.rec.State, pm.rec.Reason = "failed", why
	rec := pm.rec
	h.publish(control.Event{ProcMesh: &rec})
}

// judgeBody asks an owner.
type judgeBody struct {
	Mesh    uint64
	Failure Failure
}

// judgeHere runs an owner's OnFailure between two messages.
func (n *node) judgeHere(ctx context.Context, b judgeBody) (Decision, error) {
	a := n.actors.get(b.Mesh)
	if a == nil {
		return Escalate, nil
	}
	s, ok := a.self.(Supervisor)
	if !ok {
		return Escalate, nil
	}
	var d Decision
	var hookErr error
	err := a.inBetween(ctx, false, func() {
		hctx, done := hookContext(a.ctx, ctx)
		defer done()
		hookErr = guard("OnFailure", func() error { d = s.OnFailure(hctx, b.Failure); return nil })
	})
	if err != nil {
		return Escalate, err
	}
	return d, hookErr
}
