package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// What actors ask the controller about their lives.
type (
	saveBody struct {
		Mesh uint64
		Rank int
		Life uint32
		Data []byte
	}
	resolveBody struct {
		Mesh  uint64
		Name  string
		Ranks []int
		How   resolveHow
	}
	monitorBody struct {
		Ref  control.MeshRef
		Port Port[Down]
		Over bool // it is taken back
	}
)

// resolveHow is what becomes of who asks for ranks that are not settled.
type resolveHow uint8

const (
	resolveSettled resolveHow = iota // he waits
	resolveJudging                   // he is refused: it is he who settles them
	resolveNow                       // he has just started them anew: whoever settles them may wait for him
)

// judgingKey is in the context of who judges a failure.
type judgingKey struct{}

// maxSavedInAll bounds what the actors of a session save.
const maxSavedInAll = 1 << 30

// maxMonitors bounds the monitors of a session.
const maxMonitors = 65_536

// A process that is started again keeps its id, so the numbers of its messages begin elsewhere: an answer to what an earlier
// epoch has asked must find nobody. A number has 40 bits (quicnet.SessionID).
const (
	epochShift = 34
	epochs     = 1 << (40 - epochShift)
)

// livesHandlers are those that every process has.
func livesHandlers(t *sysTable) {
	handle(t, sysBack, fromController, func(_ context.Context, n *node, _ quicnet.Addr, id quicnet.ID) (any, error) {
		n.procBack(id)
		return nil, nil
	})
	handle(t, sysSnapshot, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b endBody) (any, error) {
		return n.snapshotHere(ctx, b)
	})
}

// livesVerbs are the controller's.
func (h *hub) livesVerbs(t *sysTable) {
	handle(t, sysSave, fromAll, func(_ context.Context, _ *node, from quicnet.Addr, b saveBody) (any, error) {
		return nil, h.save(from.Proc, b)
	})
	handle(t, sysResolve, fromAll, func(ctx context.Context, _ *node, _ quicnet.Addr, b resolveBody) (any, error) {
		return h.resolve(ctx, b)
	})
	handle(t, sysMonitor, fromAll, func(_ context.Context, _ *node, from quicnet.Addr, b monitorBody) (any, error) {
		if b.Port.addr.Proc != from.Proc {
			return nil, fmt.Errorf("a port of process %d, asked for by process %d: %w", b.Port.addr.Proc, from.Proc, ErrForbidden)
		}
		if b.Over {
			h.endMonitor(b)
			return nil, nil
		}
		return nil, h.monitor(b)
	})
}

// snapshotHere ends what an actor does, takes its Snapshot and ends the actor: what it handled after that and answered would be
// lost. nil: it has none to give.
func (n *node) snapshotHere(ctx context.Context, end endBody) ([]byte, error) {
	a := n.actors.get(end.Mesh)
	if a == nil || end.Why == nil {
		return nil, errors.New("the actor has ended")
	}
	a.interrupt(end.Why)
	s, ok := a.self.(Snapshotter)
	if !ok {
		return nil, nil
	}
	var b []byte
	err := a.at(ctx, "taking its snapshot", func() (err error) {
		if b, err = takeSnapshot(s); err == nil {
			n.killHere(end)
		}
		return err
	})
	return b, err
}

// save keeps what an actor wants its next life to begin with.
func (h *hub) save(proc uint64, b saveBody) error {
	if _, ok := h.actorIn(proc, b.Mesh, b.Rank); !ok {
		return fmt.Errorf("process %d has no such actor: %w", proc, ErrForbidden)
	}
	if len(b.Data) > maxSaved {
		return fmt.Errorf("%d bytes, at most %d", len(b.Data), maxSaved)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.meshByID[b.Mesh]
	switch {
	case m == nil:
		return fmt.Errorf("the mesh has ended: %w", ErrStopped)
	case uint32(m.rec.Ranks[b.Rank].Restarts) != b.Life:
		return fmt.Errorf("%s has begun another life: %w", rankLabel(m.rec.Ref.Name, b.Rank), ErrStale)
	}
	grown := h.saved + len(b.Data) - len(m.lives.saved[b.Rank])
	if grown > maxSavedInAll {
		return fmt.Errorf("the session keeps %d MiB of saved states, which is its limit of %d MiB", h.saved>>20, maxSavedInAll>>20)
	}
	h.saved = grown
	put(&m.lives.saved, b.Rank, slices.Clone(b.Data))
	return nil
}

// forgetSaved drops what the actors of a mesh have saved. The caller holds h.mu.
func (h *hub) forgetSaved(m *mesh) {
	for _, b := range m.lives.saved {
		h.saved -= len(b)
	}
	m.lives.saved, m.lives.proto = nil, nil
}

// resolve gives the lives of a mesh's ranks, once it is settled for those that are asked for which ones these are.
func (h *hub) resolve(ctx context.Context, b resolveBody) ([]control.RankLife, error) {
	for {
		h.mu.Lock()
		m := h.meshByID[b.Mesh]
		if m == nil || m.stopping {
			h.mu.Unlock()
			return nil, fmt.Errorf("@%s has ended: %w", clip(b.Name, 64), ErrStopped)
		}
		unsettled := -1
		for _, r := range b.Ranks {
			if m.lives.pending[r] > 0 {
				unsettled = r
				break
			}
		}
		if b.How == resolveJudging && unsettled >= 0 {
			h.mu.Unlock()
			return nil, fmt.Errorf("%s is being judged or started anew, which must not wait for what waits for it: decide first, and resolve afterwards", rankLabel(m.rec.Ref.Name, unsettled))
		}
		if unsettled < 0 || b.How == resolveNow {
			lives := m.rec.Ref.Lives
			h.mu.Unlock()
			return lives, nil
		}
		if m.lives.calm == nil {
			m.lives.calm = make(chan struct{})
		}
		calm := m.lives.calm
		h.mu.Unlock()
		select {
		case <-calm:
		case <-m.ended:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is being judged or started anew: %w", rankLabel(m.rec.Ref.Name, unsettled), ctx.Err())
		case <-h.node.closing:
			return nil, ErrStopped
		}
	}
}

// unknownActor is the answer to who calls an actor that never was in this process.
func (n *node) unknownActor() *wireError {
	w := &wireError{Outcome: control.OutcomeNotSent, Type: "unknown", Msg: "no such actor in that process", Codes: codesOf(ErrStopped)}
	if n.epoch > 1 { // the reference may be older than the process, or newer than the news of its actors
		w.Msg = fmt.Sprintf("its process was started anew (epoch %d), the actor is not there yet: it begins its next life now, or it does not come back", n.epoch)
		w.Codes = codesOf(ErrStale)
	}
	return w
}

// stale is the answer to who calls an actor by a reference to another life of it.
func (a *actor) stale(meant uint32) *wireError {
	msg := fmt.Sprintf("%s was started anew: this is life %d, the reference is to life %d (Mesh.Resolve gives a new one)", a.label(), a.life+1, meant+1)
	if meant > a.life {
		msg = fmt.Sprintf("%s is in life %d, the reference is to life %d, which has not begun here", a.label(), a.life+1, meant+1)
	}
	return &wireError{Outcome: control.OutcomeNotSent, Type: "stale", Msg: msg, Codes: codesOf(ErrStale)}
}

// monitorEntry is a monitor of one rank of a mesh.
type monitorEntry struct {
	rank, life int
	port       Port[Down]
}

// monitor tells when ranks end, or at once where they have.
func (h *hub) monitor(b monitorBody) error {
	if err := checkRef(b.Ref); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.meshByID[b.Ref.ID]
	if m != nil && m.rec.Ref.Home.Len() != b.Ref.Home.Len() {
		return fmt.Errorf("a reference to @%s with %d ranks, it has %d", m.rec.Ref.Name, b.Ref.Home.Len(), m.rec.Ref.Home.Len())
	}
	if h.monitors+b.Ref.View.Len() > maxMonitors {
		return fmt.Errorf("the session has %d monitors already, which is the limit", h.monitors)
	}
	for r := range b.Ref.View.Ranks() {
		e := monitorEntry{rank: r, life: int(b.Ref.Life(r)), port: b.Port}
		switch {
		case m == nil:
			h.sendDown(b.Ref.Name, e, h.howEnded(b.Ref))
		case m.rec.Ranks[r].Restarts != e.life:
			h.sendDown(b.Ref.Name, e, fmt.Sprintf("it is in life %d", m.rec.Ranks[r].Restarts+1))
		case m.rec.Ranks[r].Over():
			h.sendDown(b.Ref.Name, e, m.rec.Ranks[r].Reason)
		default:
			h.monitors++
			m.monitors = append(m.monitors, e)
		}
	}
	return nil
}

// endMonitor takes a monitor back whose receiver was closed.
func (n *node) endMonitor(b monitorBody) {
	b.Over = true
	if n.hub != nil {
		n.hub.endMonitor(b)
		return
	}
	n.outbox.Add(0, func() {
		ctx, cancel := n.clock.WithTimeout(n.root, judgeTime)
		defer cancel()
		_ = n.request(ctx, quicnet.Addr{}, sysMonitor, b, nil) // an error means that one of the two processes ends
	})
}

func (h *hub) endMonitor(b monitorBody) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.meshByID[b.Ref.ID]; m != nil {
		h.dropMonitors(m, func(p portAddr) bool { return p == b.Port.addr })
	}
}

// dropMonitors forgets monitors of a mesh that nobody listens to any more. The caller holds h.mu.
func (h *hub) dropMonitors(m *mesh, to func(portAddr) bool) {
	had := len(m.monitors)
	m.monitors = slices.DeleteFunc(m.monitors, func(e monitorEntry) bool { return to(e.port.addr) })
	h.monitors -= had - len(m.monitors)
}

// tellDown tells the monitors of a rank of its end. The caller holds h.mu.
func (h *hub) tellDown(m *mesh, rank int, why string) {
	life := m.rec.Ranks[rank].Restarts
	m.monitors = slices.DeleteFunc(m.monitors, func(e monitorEntry) bool {
		if e.rank != rank || e.life > life {
			return false
		}
		h.monitors--
		h.sendDown(m.rec.Ref.Name, e, why)
		return true
	})
}

// sendDown sends the one word of a monitor. The caller holds h.mu.
func (h *hub) sendDown(mesh string, e monitorEntry, why string) {
	d := Down{Mesh: mesh, Rank: e.rank, Life: e.life, Why: clip(why, maxErrorText)}
	h.node.outbox.Add(e.port.addr.Proc, func() {
		_ = e.port.Send(h.node.root, d) // an error means that who monitors has ended
	})
}

// restartVerb executes the verb restart.
func (h *hub) restartVerb(ctx context.Context, own owner, by string, req control.RestartReq) error {
	if err := req.Check(); err != nil {
		return err
	}
	pl := plan{by: by, which: func(*mesh) bool { return true }}
	if req.Procs != "" {
		pm, err := h.findProcs(req.Procs, req.ID)
		if err == nil {
			err = cmpErr(mayEnd("proc mesh "+req.Procs, own, pm.owner), checkRanks("proc mesh "+req.Procs, req.Ranks, pm.size()))
		}
		if err != nil {
			return err
		}
		pl.pm = pm
		if pl.ranks, err = h.endedRanksOf(pm, req.Ranks); err != nil {
			return err
		}
		return h.reviveNow(ctx, pl)
	}
	m, err := h.findMesh(req.Mesh, req.ID)
	if err == nil {
		err = cmpErr(mayEnd("@"+req.Mesh, own, m.owner), checkRanks("@"+req.Mesh, req.Ranks, m.rec.Ref.Home.Len()))
	}
	if err != nil {
		return err
	}
	pl.pm, pl.mesh = m.procs, m
	if pl.own, err = h.endedActors(m, req.Ranks); err != nil {
		return err
	}
	for _, r := range pl.own {
		pl.ranks = append(pl.ranks, m.rec.Ref.Home.RankAt(r))
	}
	return h.reviveNow(ctx, pl)
}

// cmpErr is the first error there is.
func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// reviveNow carries out what somebody asked for. His context limits how long he waits.
func (h *hub) reviveNow(ctx context.Context, pl plan) error {
	h.mu.Lock()
	settle := make([]func(), 0, len(pl.ranks))
	for _, r := range pl.ranks {
		settle = append(settle, h.suspend(pl.pm, r))
	}
	h.mu.Unlock()
	return h.going(ctx, func(ctx context.Context) error {
		defer func() {
			for _, s := range settle {
				s()
			}
		}()
		return h.revive(ctx, pl)
	})
}

// endedRanksOf are the ranks of a proc mesh that can be started anew: those that are asked for, which must have ended, or all that have.
func (h *hub) endedRanksOf(pm *procMesh, ranks []int) ([]int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return endedRanks("procs "+pm.rec.Name, "process", len(pm.procs), ranks, func(r int) (string, bool) {
		p := pm.procs[r]
		return p.rec.State, p.over()
	})
}

// endedActors is endedRanksOf for actors.
func (h *hub) endedActors(m *mesh, ranks []int) ([]int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return endedRanks("@"+m.rec.Ref.Name, "actor", len(m.rec.Ranks), ranks, func(r int) (string, bool) {
		return m.rec.Ranks[r].State, m.rec.Ranks[r].Over()
	})
}

func endedRanks(what, kind string, n int, ranks []int, state func(int) (string, bool)) ([]int, error) {
	asked := len(ranks) > 0
	if !asked {
		ranks = make([]int, n)
		for r := range ranks {
			ranks[r] = r
		}
	}
	var ended, live []int
	how := ""
	for _, r := range slices.Compact(slices.Sorted(slices.Values(ranks))) {
		s, over := state(r)
		if over {
			ended = append(ended, r)
			continue
		}
		live, how = append(live, r), s
	}
	switch {
	case asked && len(live) == 1:
		return nil, fmt.Errorf("the %s of %s[%d] lives (%s): kill it first", kind, what, live[0], how)
	case asked && len(live) > 1:
		return nil, fmt.Errorf("%d of these ranks of %s live (%s): kill them first, or name those that have ended", len(live), what, shape.FormatRanks(live))
	case len(ended) == 0:
		return nil, fmt.Errorf("no %s of %s has ended", kind, what)
	}
	return ended, nil
}
