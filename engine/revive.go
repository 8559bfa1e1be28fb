package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/engine/internal/restart"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Names of the engine's messages about lives.
const (
	sysBack     = "back"     // request: controller → process, a peer was started again
	sysSnapshot = "snapshot" // request: controller → process, an actor's Snapshot between two messages
	sysSave     = "save"     // request: process → controller, what an actor saves for its next life
	sysResolve  = "resolve"  // request: process → controller, the lives of a mesh's ranks
	sysMonitor  = "monitor"  // request: process → controller, tell when ranks end
)

// revival is what is known of the restarts of a mesh's ranks. hub.mu guards it.
type revival struct {
	history map[int]*restart.History
	pending map[int]int   // ranks that have ended and are judged or started anew, and by how many
	calm    chan struct{} // closed and replaced when one of them is not any more; nil: nobody waits
}

// of is the history of a rank.
func (r *revival) of(rank int) *restart.History {
	x := r.history[rank]
	if x == nil {
		x = &restart.History{}
		put(&r.history, rank, x)
	}
	return x
}

// suspend notes that it is not settled whether the rank begins another life; settle ends that.
func (r *revival) suspend(rank int) { put(&r.pending, rank, r.pending[rank]+1) }

func (r *revival) settle(rank int) {
	if r.pending[rank]--; r.pending[rank] <= 0 {
		delete(r.pending, rank)
	}
	if r.calm != nil {
		close(r.calm)
		r.calm = nil
	}
}

// lives is what an actor mesh needs to start its ranks anew. hub.mu guards it, but for turn.
type lives struct {
	revival
	proto []byte
	saved map[int][]byte // by rank
	turn  chan struct{}  // holds one while ranks are started anew: one after the other
}

func newLives(proto []byte) lives { return lives{proto: proto, turn: make(chan struct{}, 1)} }

// plan is a restart that was decided.
type plan struct {
	pm    *procMesh
	ranks []int            // of pm, whose processes are to live
	which func(*mesh) bool // whose actors on them begin anew, where they have ended
	mesh  *mesh            // or the actors of this mesh only, on ranks of it
	own   []int            // those ranks
	all   bool             // those that live too
	by    string
	why   string
	tail  []string
}

// takes reports whether actors of the mesh begin anew.
func (pl *plan) takes(m *mesh) bool { return m == pl.mesh || pl.mesh == nil && pl.which(m) }

// meshesBy are the actor meshes on a proc mesh, in the order in which they were spawned. The caller holds h.mu.
func (h *hub) meshesBy(pm *procMesh) []*mesh {
	var out []*mesh
	for _, m := range h.meshes {
		if m.procs == pm {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b *mesh) int { return cmp.Compare(a.rec.Ref.ID, b.rec.Ref.ID) })
	return out
}

// suspend marks a rank of a proc mesh, and the actors that live there, as not settled. What it gives ends that, once. The caller
// holds h.mu.
func (h *hub) suspend(pm *procMesh, rank int) (settle func()) {
	pm.again.suspend(rank)
	type place struct {
		m    *mesh
		rank int
	}
	var actors []place
	for _, m := range h.meshes {
		if r, ok := m.rec.Ref.Home.IndexOf(rank); ok && m.procs == pm {
			m.lives.suspend(r)
			actors = append(actors, place{m, r})
		}
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		pm.again.settle(rank)
		for _, a := range actors {
			a.m.lives.settle(a.rank)
		}
	}
}

// verdict is what a policy says about an end.
type verdict struct {
	plan
	pol  *control.RestartPolicy
	hist *restart.History
	wait time.Duration
}

// byPolicy asks the policies about an end: of an actor of m, or of p with what lived there. nil: none applies, or its limit is
// reached, which f says then. The caller holds h.mu.
func (h *hub) byPolicy(m *mesh, rank int, p *proc, f *Failure) *verdict {
	v := &verdict{plan: plan{why: f.What}}
	switch {
	case m != nil:
		v.pol, v.hist = m.rec.Restart, m.lives.of(rank)
		v.pm, v.mesh, v.own = m.procs, m, []int{rank}
		v.ranks = []int{m.rec.Ref.Home.RankAt(rank)}
	default:
		v.pm, v.ranks, v.tail = p.pm, []int{p.rank}, p.rec.Tail
		v.pol, v.hist = p.pm.rec.Restart, p.pm.again.of(p.rank)
		v.which = func(*mesh) bool { return true }
		if v.pol == nil {
			v.which = func(m *mesh) bool { return m.rec.Restart != nil }
			for _, m := range h.meshesBy(p.pm) { // the oldest that has one
				if _, here := m.rec.Ref.Home.IndexOf(p.rank); here && v.pol == nil && !m.stopping {
					v.pol = m.rec.Restart
				}
			}
		}
	}
	if v.pol == nil || v.pm.stopping || m != nil && m.stopping || h.closed || v.pm.procs[v.ranks[0]].lostForGood(f) {
		return nil
	}
	var ok bool
	if v.wait, ok = v.hist.Next(v.pol.Max, v.pol.Within, time.Now()); !ok {
		f.What = clip(fmt.Sprintf("%s; it was started anew %s already, which is the limit of its restart policy", f.What, v.often()), maxErrorText)
		return nil
	}
	v.by = byPolicyText + v.often()
	return v
}

// byPolicyText begins the name of who decided where a policy did.
const byPolicyText = "its restart policy, "

// often is how much of the policy is used up: 2 of 3 times in 1m.
func (v *verdict) often() string {
	return fmt.Sprintf("%d of %d times in %s", v.hist.Count(), v.pol.Max, v.pol.Time())
}

// obey starts anew what a policy says, again and again until it lives or the limit is reached. handled: nobody else need judge f.
func (h *hub) obey(v *verdict, f *Failure) (handled bool) {
	for {
		h.tellFailure(*f, v.by)
		if !h.waitToRevive(v) {
			return true
		}
		err := h.revive(h.node.root, v.plan)
		if err == nil || errors.Is(err, ErrStopped) {
			return true
		}
		h.mu.Lock()
		wait, again := v.hist.Next(v.pol.Max, v.pol.Within, time.Now())
		f.What = clip("it could not be started anew: "+err.Error(), maxErrorText)
		if !again {
			f.What += "; " + v.often() + " is the limit of its restart policy"
		}
		again = again && !v.pm.procs[v.ranks[0]].lostForGood(f)
		f.Reported, f.Stack, f.Died = false, "", nil
		v.wait, v.why = wait, f.What
		v.by = byPolicyText + v.often()
		h.mu.Unlock()
		if !again {
			return false
		}
	}
}

// waitToRevive waits as long as the policy says, and tells of it. It reports whether the mesh still wants the restart.
func (h *hub) waitToRevive(v *verdict) bool {
	if v.wait > 0 {
		h.mu.Lock()
		rec := control.Restart{
			Time: time.Now(), Procs: v.pm.rec.Name, Rank: v.ranks[0], Why: v.why, By: v.by, Tail: v.tail,
			State: control.RestartWaiting, Due: time.Now().Add(v.wait),
		}
		p := v.pm.procs[v.ranks[0]]
		rec.Proc, rec.Life = p.id, p.rec.Restarts+1
		if v.mesh != nil {
			rec.Mesh, rec.Rank, rec.Life = v.mesh.rec.Ref.Name, v.own[0], v.mesh.rec.Ranks[v.own[0]].Restarts+1
		}
		h.tellRestart(rec)
		h.mu.Unlock()
	}
	t := time.NewTimer(v.wait)
	defer t.Stop()
	ended := v.pm.ended
	if v.mesh != nil {
		ended = v.mesh.ended
	}
	select {
	case <-t.C:
		return true
	case <-ended:
	case <-h.node.closing:
	}
	return false
}

// revive carries a plan out: processes first, then the actors on them. The error of what was stopped meanwhile is ErrStopped.
func (h *hub) revive(ctx context.Context, pl plan) error {
	h.mu.Lock()
	if h.closed || pl.pm.stopping {
		h.mu.Unlock()
		return fmt.Errorf("procs %s: %w", pl.pm.rec.Name, ErrStopped)
	}
	h.starts.Add(1)
	defer h.starts.Done()
	meshes := slices.DeleteFunc(h.meshesBy(pl.pm), func(m *mesh) bool { return !pl.takes(m) })
	ranks := slices.Clone(pl.ranks)
	for _, m := range meshes { // a gang needs all its processes
		if m.rec.Gang || pl.all && pl.mesh != nil {
			ranks = append(ranks, slices.Collect(m.rec.Ref.Home.Ranks())...)
		}
	}
	slices.Sort(ranks)
	ranks = slices.Compact(ranks)
	h.mu.Unlock()
	if err := h.awaitMoves(ctx, pl.pm, ranks); err != nil {
		return err
	}
	if err := h.reviveProcs(ctx, pl, ranks); err != nil {
		return err
	}
	var errs []error
	for _, m := range meshes { // in the order in which they were spawned: the later ones may call the earlier ones when they start
		own := pl.own
		if pl.mesh == nil {
			own = nil
			for _, r := range pl.ranks {
				if rank, ok := m.rec.Ref.Home.IndexOf(r); ok {
					own = append(own, rank)
				}
			}
		}
		if len(own) > 0 {
			errs = append(errs, h.reviveActors(ctx, m, own, pl))
		}
	}
	return errors.Join(errs...)
}

// reviveProcs starts the processes of these ranks that have ended, and waits for those that somebody else is starting anew.
func (h *hub) reviveProcs(ctx context.Context, pl plan, ranks []int) error {
	h.mu.Lock()
	ps := make([]*proc, pl.pm.size())
	for _, r := range ranks {
		if p := pl.pm.procs[r]; p.over() || p.again != nil {
			ps[r] = p
		}
	}
	h.mu.Unlock()
	failed := h.eachOf(ps, startAtOnce, func(_ int, p *proc) error { return h.reviveProc(ctx, p, pl) })
	if len(failed) > 0 {
		return foldStartErrors(failed, len(ps))
	}
	return nil
}

// reviveProc has the next epoch of a process that has ended live: it starts it, when everything about the end is settled, or
// waits for whoever does. For one that is being started already it waits too.
func (h *hub) reviveProc(ctx context.Context, old *proc, pl plan) error {
	if !h.hasEnded(old) {
		return h.awaitAgain(ctx, old)
	}
	select {
	case <-old.settled:
	case <-ctx.Done():
		return ctx.Err()
	}
	began := time.Now()
	p, mine, err := h.nextEpoch(old)
	if err != nil {
		return err
	}
	if !mine {
		return h.awaitAgain(ctx, p)
	}
	defer close(p.again)
	rec := control.Restart{
		Time: began, Procs: p.rec.Mesh, Rank: p.rank, Proc: p.id, Life: int(p.epoch) - 1, Why: cmp.Or(pl.why, old.rec.Reason), By: pl.by, Tail: old.rec.Tail,
		State: control.RestartStarting,
	}
	h.mu.Lock()
	h.tellRestart(rec)
	h.mu.Unlock()
	h.tellBack(p.identity())
	limit, cancel := context.WithTimeoutCause(ctx, spawnTimeout, errTooSlow)
	defer cancel()
	if err = h.launchOne(limit, p, p.pm.req); err == nil {
		err = h.awaitReady(limit, p)
	}
	if err != nil {
		h.giveUp(p)
	} else {
		h.buryActors(ctx, p, pl)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	rec.State, rec.Took = control.RestartReady, time.Since(began)
	if err != nil {
		rec.State, rec.Error = control.RestartFailed, err.Error()
	} else {
		h.procsBack(p.pm)
	}
	h.tellRestart(rec)
	return err
}

// hasEnded is p.over for who does not hold h.mu.
func (h *hub) hasEnded(p *proc) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return p.over()
}

// awaitAgain waits until a process that somebody is starting anew is ready, and knows which of its actors do not come back with
// it: who starts one of them in it sooner would see that buried.
func (h *hub) awaitAgain(ctx context.Context, p *proc) error {
	if p.again == nil {
		return nil
	}
	select {
	case <-p.again:
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.isReady() {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Errorf("procs %s[%d]: %s", p.rec.Mesh, p.rank, cmp.Or(p.rec.Reason, "it did not become ready"))
}

// nextEpoch puts the next epoch of a process on the books, or gives the one that somebody else has put there: then it is not mine.
func (h *hub) nextEpoch(old *proc) (p *proc, mine bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	pm := old.pm
	switch {
	case h.closed || pm.stopping:
		return nil, false, fmt.Errorf("procs %s: %w", pm.rec.Name, ErrStopped)
	case pm.procs[old.rank] != old:
		return pm.procs[old.rank], false, nil
	case old.hostIsGone() != "":
		return nil, false, errors.New(old.hostIsGone() + noRestart)
	}
	next, _, err := old.life.On(life.Event{Kind: life.Restart, Epoch: old.life.Epoch})
	if err != nil {
		return nil, false, err
	}
	p = newProc(pm, old.id, old.rank, pm.req)
	p.again = make(chan struct{})
	p.sitOn(old.on, old.place)
	p.life, p.epoch = next, old.epoch+1
	p.follow(old)
	pm.procs = slices.Clone(pm.procs) // others look through the old list without the lock
	pm.procs[p.rank] = p
	h.procs[p.id] = p
	delete(h.traceSeen, p.id)
	h.mem.revive(p, pm.rec.InProcess)
	rec := p.rec
	h.publish(control.Event{Proc: &rec})
	return p, true, nil
}

// giveUp ends a process that did not become ready.
func (h *hub) giveUp(p *proc) {
	h.mu.Lock()
	p.expect = true
	child := p.child
	h.mu.Unlock()
	if child != nil {
		child.Kill()
		<-p.ended
	}
}

// tellBack has every process take the next epoch of one for a process that lives. Nobody has a reference to its actors before.
func (h *hub) tellBack(id quicnet.ID) {
	h.node.procBack(id)
	h.ranks.peers.back(id)
	h.mu.Lock()
	if h.wire != nil && id.Proc&inProcessBit == 0 {
		h.wire.Revoke(quicnet.ID{Proc: id.Proc, Epoch: id.Epoch - 1})
		h.wire.Expect(id)
	}
	var others []quicnet.Addr
	for _, p := range h.procs {
		if p.id != id.Proc && p.local == nil && p.isReady() && !p.over() && !p.expect {
			others = append(others, quicnet.Addr{Proc: p.id})
		}
	}
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(h.node.root, time.Second)
	defer cancel()
	done := make(chan struct{}, len(others))
	for _, to := range others {
		go func() {
			_ = h.node.request(ctx, to, sysBack, id, nil) // an error means that it has ended, or is held
			done <- struct{}{}
		}()
	}
	for range others {
		<-done
	}
}

// procBack takes a process for one that lives again.
func (n *node) procBack(id quicnet.ID) {
	n.peers.back(id)
	if wire, ok := n.peers.current().(*quicnet.Node); ok {
		wire.Expect(id)
	}
}

// buryActors tells a process that was started anew of the actors that do not come back with it, so that their callers are told why.
func (h *hub) buryActors(ctx context.Context, p *proc, pl plan) {
	h.mu.Lock()
	var dead []endBody
	for _, m := range h.meshes {
		rank, here := m.rec.Ref.Home.IndexOf(p.rank)
		if !here || m.procs != p.pm || m == pl.mesh || pl.takes(m) && (m.rec.Gang || slices.Contains(pl.ranks, p.rank)) {
			continue
		}
		why := fmt.Sprintf("%s has ended: %s", rankLabel(m.rec.Ref.Name, rank), m.rec.Ranks[rank].Reason)
		dead = append(dead, endBody{Mesh: m.rec.Ref.ID, Why: &wireError{Outcome: control.OutcomeNotSent, Type: "lost", Msg: why, Codes: codesOf(ErrLost)}})
	}
	h.mu.Unlock()
	for _, b := range dead {
		_ = h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysKill, b, nil) // it has ended again: there is nobody to tell
	}
}

// afterKill has a process that somebody killed come back where a policy says so: only the end of the whole mesh says that it is
// not wanted any more.
func (h *hub) afterKill(p *proc, settle func()) {
	h.mu.Lock()
	f := Failure{Mesh: p.rec.Mesh, Rank: p.rank, Proc: p.id, What: p.rec.Reason, Time: time.Now()}
	h.byPolicyOrNot(h.byPolicy(nil, 0, p, &f), f, settle)
}

// byPolicyOrNot follows a policy, if one applies, on a goroutine of its own. The caller holds h.mu, which it gives up.
func (h *hub) byPolicyOrNot(v *verdict, f Failure, settle func()) {
	if v == nil || h.ignoreFailures {
		h.mu.Unlock()
		settle()
		return
	}
	h.wg.Add(1)
	h.mu.Unlock()
	go func() {
		defer h.wg.Done()
		defer settle()
		if !h.obey(v, &f) {
			h.unhandled(f, func() {})
		}
	}()
}

// comesBack reports whether a policy has processes of a mesh start anew.
func (h *hub) comesBack(pm *procMesh) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return pm.rec.Restart != nil || slices.ContainsFunc(h.meshesBy(pm), func(m *mesh) bool { return m.rec.Restart != nil })
}
