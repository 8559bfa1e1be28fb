package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// failureReport is a failure on its way to the controller.
type failureReport struct {
	Mesh     uint64 // actor mesh, or 0
	Proc     uint64 // process that ended, or 0
	Rank     int
	Life     uint32 // of the actor
	What     string
	Stack    string // of a panic: the actor has ended
	Reported bool
}

// judgeTime is how long an owner's OnFailure may take, busy handler included, before the failure goes on to its owner.
const judgeTime = 5 * time.Second

// reportFailure sends a failure to the controller, and does something when that has it.
func (n *node) reportFailure(r failureReport, then func()) {
	if n.local != nil {
		n.local.failure(r)
		then()
		return
	}
	n.outbox.Add(0, func() {
		defer then()
		ctx, cancel := n.clock.WithTimeout(n.root, judgeTime)
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

// theProgram is what the program's own code is called where it acts.
const theProgram = "the program"

// failure records a failure and has it judged: by a restart policy, by the owner of what failed, then by the owner's owner, at
// last by the root. An actor, and what lived in a process, is suspended meanwhile; of a process that was done before.
func (h *hub) failure(r failureReport) {
	h.mu.Lock()
	if m := h.meshByID[r.Mesh]; m != nil && r.Stack != "" && r.Rank >= 0 && r.Rank < len(m.rec.Ranks) {
		m.lives.suspend(r.Rank)
		h.judgeFailure(r, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			m.lives.settle(r.Rank)
		})
		return
	}
	h.judgeFailure(r, func() {})
}

// judgeFailure is failure with what is to be done when it is settled. The caller holds h.mu, which it gives up.
func (h *hub) judgeFailure(r failureReport, settle func()) {
	if h.ignoreFailures {
		h.mu.Unlock()
		settle()
		return
	}
	f := Failure{Rank: r.Rank, Proc: r.Proc, What: clip(r.What, maxErrorText), Stack: clip(r.Stack, maxErrorText+64), Reported: r.Reported, Time: time.Now()}
	c := trial{f: f, show: func() {}, stop: func(context.Context) {}}
	var losses []trial
	var policy *verdict
	switch m := h.meshByID[r.Mesh]; {
	case m != nil:
		c = h.trialOf(m, f)
		if r.Rank >= 0 && r.Rank < len(m.rec.Ranks) && r.Stack != "" && r.Life == uint32(m.rec.Ranks[r.Rank].Restarts) {
			h.tellDown(m, r.Rank, r.What)
			m.rec.Ranks[r.Rank].State, m.rec.Ranks[r.Rank].Reason = "failed", r.What
			h.publish(control.Event{Rank: &control.RankEvent{Mesh: c.f.Mesh, Rank: r.Rank, State: m.rec.Ranks[r.Rank]}})
			policy = h.byPolicy(m, r.Rank, nil, &c.f)
		}
	case r.Mesh == 0 && h.procs[r.Proc] != nil:
		c, losses = h.trialsOfDeath(h.procs[r.Proc], f)
		policy = h.byPolicy(nil, 0, h.procs[r.Proc], &c.f)
	}
	h.wg.Add(1)
	h.mu.Unlock()
	go func() {
		defer h.wg.Done()
		defer settle()
		if policy != nil && h.obey(policy, &c.f) {
			return
		}
		others := ""
		if len(losses) > 0 {
			others = h.judgeLosses(losses, c.own)
		}
		if !c.lent {
			others = ""
		}
		h.judge(c, others)
	}()
}

// trial is a failure on its way up the owners.
type trial struct {
	f    Failure
	own  owner // who judges first
	stop func(context.Context)
	show func() // marks what failed; called with h.mu held
	dead uint64 // the process that ended, if one did: an owner that lived there judges nothing
	lent bool   // it is a process, and all who died with it belonged to others than its owner

	again func(all bool) *verdict // what restarts it; called with h.mu held
}

// trialOf is the failure of an actor of a mesh. The caller holds h.mu.
func (h *hub) trialOf(m *mesh, f Failure) trial {
	f.Mesh = m.rec.Ref.Name
	return trial{
		f: f, own: m.owner,
		stop: func(ctx context.Context) { _ = h.endMesh(ctx, m, false, "stopped by its supervisor") },
		show: func() { h.meshFailed(m, f.What) },
		again: func(all bool) *verdict {
			return &verdict{
				plan: plan{pm: m.procs, mesh: m, own: []int{f.Rank}, ranks: []int{m.rec.Ref.Home.RankAt(f.Rank)}, all: all, why: f.What},
				pol:  m.rec.Restart, hist: m.lives.of(f.Rank),
			}
		},
	}
}

// trialsOfDeath is the end of a process, for its owner, and what others lost by it: the actors that died with it and were
// spawned by somebody else. The caller holds h.mu.
func (h *hub) trialsOfDeath(p *proc, f Failure) (whole trial, losses []trial) {
	pm, what := p.pm, f.What
	meshes := slices.SortedFunc(maps.Values(h.meshes), func(a, b *mesh) int { return cmp.Compare(a.rec.Ref.ID, b.rec.Ref.ID) })
	for _, m := range meshes {
		rank, ok := m.rec.Ref.Home.IndexOf(p.rank)
		if !ok || m.procs != pm || m.stopping || m.rec.Ranks[rank].State == "stopped" {
			continue
		}
		label := rankLabel(m.rec.Ref.Name, rank)
		f.Died = append(f.Died, label)
		if m.owner.is(pm.owner) {
			continue
		}
		loss := f
		loss.Rank, loss.Died, loss.What = rank, []string{label}, clip(label+" is lost: "+what, maxErrorText)
		c := h.trialOf(m, loss)
		c.dead = p.id
		losses = append(losses, c)
	}
	f.Mesh, f.What = pm.rec.Name, clip(what+diedText(f.Died), maxErrorText)
	return trial{
		f: f, own: pm.owner, dead: p.id, lent: len(losses) > 0 && len(losses) == len(f.Died),
		stop: func(ctx context.Context) { _ = h.endProcs(ctx, pm, "stopped by its supervisor") },
		show: func() { h.procsFailed(pm, p.rank, f.What) },
		again: func(all bool) *verdict {
			v := &verdict{
				plan: plan{pm: pm, ranks: []int{p.rank}, which: func(*mesh) bool { return true }, all: all, why: f.What, tail: p.rec.Tail},
				pol:  pm.rec.Restart, hist: pm.again.of(p.rank),
			}
			for r := range pm.procs {
				if all && r != p.rank {
					v.ranks = append(v.ranks, r)
				}
			}
			return v
		},
	}, losses
}

// diedText names the actors that died with a process.
func diedText(died []string) string {
	const most = 4
	switch n := len(died); {
	case n == 0:
		return ""
	case n > most:
		return fmt.Sprintf("; %s and %d more actors died with it", strings.Join(died[:most], ", "), n-most)
	case n > 1:
		died = append(slices.Clone(died[:n-2]), died[n-2]+" and "+died[n-1])
	}
	return "; " + strings.Join(died, ", ") + " died with it"
}

// judgeLosses has the owners of actors that died with a process judge that, up to the owner of the process, who judges the
// whole. It gives who handled all of them, or "".
func (h *hub) judgeLosses(losses []trial, whole owner) string {
	by := make([]string, len(losses))
	var wg sync.WaitGroup
	for i, c := range losses {
		wg.Go(func() {
			var met bool
			if by[i], met = h.climb(&c, &whole); by[i] == "" && !met {
				by[i] = h.judgeAtRoot(&c, "")
			}
		})
	}
	wg.Wait()
	if slices.Contains(by, "") {
		return ""
	}
	slices.Sort(by)
	return strings.Join(slices.Compact(by), ", ")
}

// judge walks up the owners. others are who handled everything that a process took with it, "" where that was more than
// theirs.
func (h *hub) judge(c trial, others string) {
	if by, _ := h.climb(&c, nil); by == "" {
		h.judgeAtRoot(&c, others)
	}
}

// climb asks the owners in turn, but for upTo, and gives who decided, or "". met: it came to upTo.
func (h *hub) climb(c *trial, upTo *owner) (by string, met bool) {
	ctx, own := h.node.root, c.own
	for range 64 {
		switch {
		case upTo != nil && own.is(*upTo):
			return "", true
		case own.addr.Actor == 0:
			return "", false
		}
		if own.addr.Proc != c.dead || c.dead == 0 {
			var d Decision
			limit, cancel := h.node.clock.WithTimeout(ctx, judgeTime)
			err := h.node.request(limit, quicnet.Addr{Proc: own.addr.Proc}, sysJudge, judgeBody{Mesh: own.addr.Actor, Failure: c.f}, &d)
			cancel()
			if err != nil {
				h.log.Warn("an owner could not judge a failure", "owner", own.label, "failure", c.f.What, "err", err)
			}
			if h.decided(ctx, c, d, own.label) {
				return own.label, false
			}
		}
		m := h.meshOf(own.addr.Actor)
		if m == nil {
			break
		}
		own = m.owner
	}
	return "", false
}

// judgeAtRoot is the last instance. It gives who handled the failure, or "".
func (h *hub) judgeAtRoot(c *trial, others string) string {
	h.mu.Lock()
	fn := h.supervise
	h.mu.Unlock()
	if fn != nil {
		var d Decision
		ctx := context.WithValue(h.node.root, judgingKey{}, true)
		err := guard("the supervisor", func() error { d = fn(ctx, c.f); return d.known() })
		if err != nil {
			h.log.Error("the root's supervisor failed", "err", err)
		}
		if h.decided(ctx, c, d, theProgram) {
			return theProgram
		}
	}
	if others != "" {
		h.tellFailure(c.f, others)
		return others
	}
	h.unhandled(c.f, c.show)
	return ""
}

// decided carries out what somebody decided, and reports whether that settles it. A restart over the limit does not: who owns
// the owner judges that.
func (h *hub) decided(ctx context.Context, c *trial, d Decision, who string) bool {
	switch d {
	case Handled:
	case StopOwned:
		c.stop(ctx)
	case RestartOne, RestartAll:
		return h.restartDecided(ctx, c, d == RestartAll, who)
	default:
		return false
	}
	h.tellFailure(c.f, who)
	return true
}

// restartDecided begins anew what failed, because somebody decided so. The limit is that of the mesh's policy, or the usual one.
func (h *hub) restartDecided(ctx context.Context, c *trial, all bool, who string) bool {
	if c.again == nil {
		return false
	}
	h.mu.Lock()
	v := c.again(all)
	if v.pol == nil {
		usual := control.DefaultRestart()
		v.pol = &usual
	}
	wait, ok := v.hist.Next(v.pol.Max, v.pol.Within, time.Now())
	v.wait, v.by = wait, who
	if !ok {
		c.f.What = clip(fmt.Sprintf("%s; %s wants it to begin anew, but it did %s already, which is the limit", c.f.What, who, v.often()), maxErrorText)
	}
	h.mu.Unlock()
	if !ok {
		return false
	}
	h.tellFailure(c.f, who+", who starts it anew")
	if !h.waitToRevive(v) {
		return true
	}
	if all && v.mesh == nil {
		h.endOthers(ctx, v)
	}
	if err := h.revive(ctx, v.plan); err != nil && !errors.Is(err, ErrStopped) {
		c.f.What = clip(fmt.Sprintf("%s; %s wants it to begin anew, which failed: %v", c.f.What, who, err), maxErrorText)
		return false
	}
	return true
}

// endOthers ends the processes of a mesh that live, because all of it begins anew.
func (h *hub) endOthers(ctx context.Context, v *verdict) {
	h.mu.Lock()
	var live []*proc
	for _, r := range v.ranks {
		if p := v.pm.procs[r]; !p.over() {
			live = append(live, p)
		}
	}
	h.mu.Unlock()
	h.signalAll(ctx, v.pm, live)
	for _, p := range live {
		<-p.ended
	}
}

func (h *hub) tellFailure(f Failure, handled string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := &control.Failure{Time: f.Time, Mesh: f.Mesh, Rank: f.Rank, Proc: f.Proc, What: f.What, Stack: f.Stack, Handled: handled}
	h.publish(control.Event{Failure: told})
	h.past.add(control.Event{Seq: h.seq, Failure: told})
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

// procsFailed marks a proc mesh for the end of one rank, unless that lives again already. The caller holds h.mu.
func (h *hub) procsFailed(pm *procMesh, rank int, why string) {
	if pm.rec.State != "running" || !pm.procs[rank].over() {
		return
	}
	pm.rec.State, pm.rec.Reason = "failed", why
	rec := pm.rec
	h.publish(control.Event{ProcMesh: &rec})
}

// procsBack takes the mark of procsFailed away once all ranks live again. The caller holds h.mu.
func (h *hub) procsBack(pm *procMesh) {
	if pm.rec.State != "failed" || slices.ContainsFunc(pm.procs, (*proc).over) {
		return
	}
	pm.rec.State, pm.rec.Reason = "running", ""
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
		hctx = context.WithValue(hctx, judgingKey{}, true)
		hookErr = guard("OnFailure", func() error { d = s.OnFailure(hctx, b.Failure); return d.known() })
	})
	if err != nil {
		return Escalate, err
	}
	return d, hookErr
}
