package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/farlog"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// stateBody asks for an actor's state.
type stateBody struct {
	Mesh  uint64
	Query walk.Query
}

// verbBody is what an actor, or the program, asks the controller to do. Exactly one of the pointers is set.
type verbBody struct {
	Procs *control.ProcsReq
	Spawn *control.SpawnReq
	Stop  *control.StopReq
	Kill  *control.KillReq
	Fault *control.FaultReq
	Heal  *control.HealReq

	Restart *control.RestartReq `cbor:",omitempty"`
	Sync    *control.SyncReq    `cbor:",omitempty"`
	Reload  *control.ReloadReq  `cbor:",omitempty"`
}

func (v verbBody) name() string {
	switch {
	case v.Procs != nil:
		return "spawn procs"
	case v.Spawn != nil:
		return "spawn"
	case v.Stop != nil:
		return "stop"
	case v.Restart != nil:
		return "restart"
	case v.Sync != nil:
		return "sync"
	case v.Reload != nil:
		return "reload"
	case v.Fault != nil:
		return "inject"
	case v.Heal != nil:
		return "heal"
	}
	return "kill"
}

// verbAnswer is what it made.
type verbAnswer struct {
	ProcMesh *control.ProcMesh
	Mesh     *control.Mesh
	Fault    uint64 // its number
	Reload   *control.Reload
}

// verb has the controller execute v. The actor that asks becomes the owner of what v creates.
func (n *node) verb(ctx context.Context, v verbBody) (verbAnswer, error) {
	if n.hub != nil {
		return n.hub.execute(ctx, owner{}, v)
	}
	var own owner
	if info := infoOf(ctx); info != nil && info.actor != nil {
		own = owner{addr: quicnet.Addr{Proc: n.id, Actor: info.actor.id}, label: info.actor.label()}
	}
	var out verbAnswer
	err := n.request(ctx, quicnet.Addr{}, sysVerb, ownedVerb{Actor: own.addr.Actor, Label: own.label, Verb: v}, &out)
	return out, err
}

// ownedVerb is a verb with the actor that asked.
type ownedVerb struct {
	Actor uint64
	Label string
	Verb  verbBody
}

// execute runs a verb in the controller.
func (h *hub) execute(ctx context.Context, own owner, v verbBody) (verbAnswer, error) {
	switch {
	case v.Procs != nil:
		rec, err := h.startProcs(ctx, own, *v.Procs)
		return verbAnswer{ProcMesh: &rec}, err
	case v.Spawn != nil:
		rec, err := h.startMesh(ctx, own, *v.Spawn)
		return verbAnswer{Mesh: &rec}, err
	case v.Stop != nil:
		return verbAnswer{}, h.stopVerb(ctx, own, *v.Stop)
	case v.Kill != nil:
		return verbAnswer{}, h.killVerb(ctx, own, *v.Kill)
	case v.Restart != nil:
		return verbAnswer{}, h.restartVerb(ctx, own, cmp.Or(own.label, theProgram), *v.Restart)
	case v.Sync != nil:
		_, err := h.sync(ctx, own, *v.Sync)
		return verbAnswer{}, err
	case v.Reload != nil:
		rec, err := h.reloadVerb(ctx, own, cmp.Or(own.label, theProgram), *v.Reload)
		return verbAnswer{Reload: &rec}, err
	case v.Fault != nil:
		if err := h.mayInject(own, &v.Fault.Fault); err != nil {
			return verbAnswer{}, err
		}
		f, err := h.injectFault(ctx, control.ClientInfo{Name: cmp.Or(own.label, theProgram)}, *v.Fault)
		return verbAnswer{Fault: f.ID}, err
	case v.Heal != nil:
		_, err := h.heal(ctx, control.ClientInfo{Name: cmp.Or(own.label, theProgram)}, *v.Heal)
		return verbAnswer{}, err
	}
	return verbAnswer{}, errors.New("an empty request: want procs, spawn, stop, kill, restart, sync, a fault or heal")
}

// mayInject says whether an actor may inject a fault: into what it owns.
func (h *hub) mayInject(own owner, f *control.Fault) error {
	if own.addr.Actor == 0 {
		return nil
	}
	var of owner
	if f.OnMessages() {
		m, err := h.findMesh(f.Mesh, f.Of)
		if err != nil {
			return err
		}
		of = m.owner
	} else {
		pm, err := h.findProcs(f.Procs, f.Of)
		if err != nil {
			return err
		}
		of = pm.owner
	}
	if own.addr != of.addr {
		return fmt.Errorf("%s %s: %s does not own it: %w", f.Kind, f.Target(), own.label, ErrForbidden)
	}
	return nil
}

// rankHandlers makes the handlers that every process has. The in-process ranks of a controller share one table.
func rankHandlers() *sysTable {
	t := newSysTable()
	handleNote(t, sysWait, fromAll, (*node).waitNotice)
	handleRelay(t, fromController, func(n *node, _ quicnet.Addr, env *quicnet.Envelope) error { return n.takeRelayed(env) })
	handle(t, sysFence, fromAll, func(context.Context, *node, quicnet.Addr, int) (any, error) { return nil, nil })
	handle(t, sysStop, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b endBody) (any, error) {
		return nil, n.stopHere(ctx, b)
	})
	handle(t, sysKill, fromController, func(_ context.Context, n *node, _ quicnet.Addr, b endBody) (any, error) {
		n.killHere(b)
		return nil, nil
	})
	handle(t, sysSpawn, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b spawnBody) (any, error) {
		return nil, n.spawnHere(ctx, b)
	})
	handle(t, sysGone, fromController, func(_ context.Context, n *node, _ quicnet.Addr, b goneBody) (any, error) {
		return n.procsGone(b), nil
	})
	handle(t, sysJudge, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b judgeBody) (any, error) {
		return n.judgeHere(ctx, b)
	})
	handle(t, sysState, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b stateBody) (any, error) {
		return n.stateHere(ctx, b)
	})
	handle(t, sysFigures, fromController, func(_ context.Context, n *node, _ quicnet.Addr, _ int) (any, error) { return n.figures.take(), nil })
	debugHandlers(t)
	livesHandlers(t)
	reloadHandlers(t)
	chaosHandlers(t)
	return t
}

// handleRelay registers the handler of wrapped frames, whose body is an envelope.
func handleRelay(t *sysTable, who asker, fn func(n *node, from quicnet.Addr, env *quicnet.Envelope) error) {
	t.notes[sysRelay] = &sysHandler{who, func(_ context.Context, n *node, from quicnet.Addr, body []byte) (any, error) {
		env := new(quicnet.Envelope)
		if err := quicnet.DecodeEnvelope(body, env); err != nil {
			return nil, fmt.Errorf("a relayed frame: %w", err)
		}
		return nil, fn(n, from, env)
	}}
}

// waitNotice passes a caller's notice to the actor that has its message, if the actor still lives.
func (n *node) waitNotice(from quicnet.Addr, w waitNotice) error {
	if len(w.Chain) > 2*maxChain {
		return fmt.Errorf("a chain of %d activations is over the limit", len(w.Chain))
	}
	if a := n.actors.get(w.Actor); a != nil {
		a.noticeWait(from.Proc, w)
	}
	return nil
}

// answerShare is the part of a request's time that is left for its answer to travel, so that the asker gets it and not a
// deadline of its own.
const answerShare = 10

// stateHere reads an actor's state between two messages, while no concurrent endpoint runs.
func (n *node) stateHere(ctx context.Context, b stateBody) (control.StateNode, error) {
	a := n.actors.get(b.Mesh)
	if a == nil {
		return control.StateNode{}, errors.New("the actor has ended")
	}
	if d, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, d.Add(-time.Until(d)/answerShare))
		defer cancel()
	}
	var out control.StateNode
	err := a.at(ctx, "reading the state", func() error {
		out = walk.Tree(a.self, b.Query)
		return nil
	})
	if err != nil {
		out = control.StateNode{Error: err.Error()}
		if _, busy := errors.AsType[*busyError](err); !busy {
			out.Error = a.label() + ": " + out.Error
		}
	}
	out.Rank = a.rank
	return out, nil
}

// controllerHandlers makes the handlers of the controller.
func controllerHandlers(h *hub) *sysTable {
	t := rankHandlers()
	handleRelay(t, fromAll, (*node).passOn)
	h.treeHandlers(t)
	handle(t, sysVerb, fromAll, func(ctx context.Context, _ *node, from quicnet.Addr, v ownedVerb) (any, error) {
		own, err := h.ownerOf(from.Proc, v)
		if err != nil {
			return nil, err
		}
		return h.execute(ctx, own, v.Verb)
	})
	handle(t, sysFind, fromAll, func(ctx context.Context, _ *node, from quicnet.Addr, proc uint64) (any, error) {
		return h.find(ctx, from, proc)
	})
	handle(t, sysAlive, fromAll, func(_ context.Context, _ *node, from quicnet.Addr, proc uint64) (any, error) {
		_, err := h.alive(from, proc)
		return nil, err
	})
	handle(t, sysFailure, fromAll, func(_ context.Context, _ *node, from quicnet.Addr, r failureReport) (any, error) {
		if _, ok := h.actorIn(from.Proc, r.Mesh, r.Rank); !ok { // a process reports for its own actors only
			return nil, fmt.Errorf("process %d has no such actor: %w", from.Proc, ErrForbidden)
		}
		r.Proc = from.Proc
		h.failure(r)
		return nil, nil
	})
	handleNote(t, sysTrace, fromAll, func(_ *node, from quicnet.Addr, r traceBatch) error {
		h.takeTrace(from.Proc, r)
		return nil
	})
	handleNote(t, sysLog, fromAll, func(_ *node, from quicnet.Addr, r farlog.Record) error { return h.takeLog(from.Proc, r) })
	h.livesVerbs(t)
	h.agentHandlers(t)
	handle(t, sysAcquire, fromAll, func(ctx context.Context, _ *node, from quicnet.Addr, b claimBody) (any, error) {
		return nil, h.acquireFor(ctx, from.Proc, b)
	})
	handleNote(t, sysRelease, fromAll, func(_ *node, from quicnet.Addr, id uint64) error {
		h.locks.drop(from.Proc, id)
		h.node.touch()
		return nil
	})
	handleNote(t, sysNews, fromAll, func(_ *node, from quicnet.Addr, x probe.News) error {
		h.takeNews(from.Proc, x)
		return nil
	})
	handleNote(t, sysCounts, fromAll, func(_ *node, from quicnet.Addr, counts []fault.Count) error {
		h.takeFaultCounts(from.Proc, counts)
		return nil
	})
	handleNote(t, sysStatus, fromAll, func(_ *node, from quicnet.Addr, r status) error {
		h.takeStatus(from.Proc, r)
		return nil
	})
	return t
}

// ownerOf checks that the actor an asker claims to be lives in its process.
func (h *hub) ownerOf(proc uint64, v ownedVerb) (owner, error) {
	if v.Actor == 0 {
		return owner{addr: quicnet.Addr{Proc: proc}}, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.meshByID[v.Actor]
	if m == nil {
		return owner{}, errors.New("the actor that asks has ended")
	}
	rank, ok := m.rec.Ref.Home.IndexOf(int(proc - m.rec.Ref.First))
	if !ok {
		return owner{}, fmt.Errorf("@%s has no rank in process %d: %w", m.rec.Ref.Name, proc, ErrForbidden)
	}
	return owner{addr: quicnet.Addr{Proc: proc, Actor: v.Actor}, label: fmt.Sprintf("@%s[%d]", m.rec.Ref.Name, rank)}, nil
}

func suggest(word string, from []string) string { return schema.Suggest(word, from) }
