package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/relay"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// folds reports whether frames of a kind go up by the agent.
func folds(k quicnet.Kind) bool {
	return k == quicnet.KindReply || k == quicnet.KindError || k == quicnet.KindAck || k == quicnet.KindPort
}

// flagAsk asks an agent to tell the worker when the controller has this frame, and all before it.
const flagAsk uint8 = 1 << 7

// expired has a Send that finds no room return instead of waiting.
var expired = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// relayer is an agent's part: between the controller and the workers of its host. It speaks to the controller for them, and to them
// for the controller; they know each other by their links.
type relayer struct {
	node  *node
	agent *agent.Agent
	fold  *relay.Fold

	mu      sync.Mutex
	near    map[uint64]uint32       // epochs of the workers that have a link to their agent, by process
	asking  map[agent.Worker]uint64 // of how many frames workers want to know that the controller has them
	fencing bool                    // that is being found out
}

func newRelayer(n *node, a *agent.Agent) *relayer {
	r := &relayer{node: n, agent: a, near: map[uint64]uint32{}, asking: map[agent.Worker]uint64{}}
	r.fold = relay.NewFold(r.sendUp, n.closing)
	return r
}

// takes handles a frame that is not for the agent itself, and reports whether it did. It runs on a link's reader.
func (r *relayer) takes(from quicnet.ID, env *quicnet.Envelope) bool {
	switch {
	case from.Proc != 0:
		r.up(from, env)
	case env.Kind == quicnet.KindCall || env.Kind == quicnet.KindCancel:
		r.down(env)
	default:
		return false
	}
	return true
}

// down hands a message to each worker that it is for.
func (r *relayer) down(env *quicnet.Envelope) {
	targets, arg, err := relay.Targets(env.Body)
	if err != nil {
		r.node.log.Warn("dropped a message for workers of this host", "err", err)
		return
	}
	self := r.node.id
	m := quicnet.Envelope{
		Kind: env.Kind, Call: quicnet.SessionID(self, env.ID), Parent: env.Parent, Trace: env.Trace, Adverb: env.Adverb, Flags: env.Flags, Token: env.Token,
		Clock: env.Clock, From: quicnet.Addr{Proc: self, Actor: env.From.Actor}, Region: env.Region, Endpoint: env.Endpoint, Hash: env.Hash,
		Budget: env.Budget, Step: env.Step, Chain: env.Chain, Body: arg,
	}
	if env.Trace == env.Call {
		m.Trace = m.Call
	}
	m.Large, m.Alone = env.Large, true
	answered := env.Kind == quicnet.KindCall && env.Adverb != uint8(adverbBroadcast)
	kept := false
	for _, t := range targets {
		m.ID, m.Index, m.Life, m.To = env.ID+t.Index, t.Index, t.Life, quicnet.Addr{Proc: t.Proc, Actor: env.To.Actor}
		if r.waits(t.Proc, t.Epoch, answered) {
			kept = r.hand(&m, t.Epoch) || kept
		}
	}
	if !kept {
		env.Free()
	}
}

// waits reports whether a worker can be reached, and has its answer waited for where there will be one. What is for one that has ended
// is dropped, as the controller will hear: it is not for the one that took its place.
func (r *relayer) waits(proc uint64, epoch uint32, answered bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, near := r.near[proc]
	if near = near && epoch == known; near && answered {
		r.fold.Expect(proc)
	}
	return near
}

// pass hands a wrapped frame of the controller to the worker that it is for.
func (r *relayer) pass(env *quicnet.Envelope) {
	m := quicnet.Envelope{Kind: quicnet.KindSystem, ID: r.node.nextMsg.Add(1), From: quicnet.Addr{Proc: r.node.id}, To: quicnet.Addr{Proc: env.To.Proc}, Endpoint: sysRelay,
		Body: quicnet.AppendEnvelope(nil, env)}
	r.mu.Lock()
	epoch, near := r.near[env.To.Proc]
	r.mu.Unlock()
	if near {
		r.hand(&m, epoch)
	}
}

// hand sends a frame to a worker, behind the reader's back where that takes nothing now. It reports whether parts of it are still used.
func (r *relayer) hand(m *quicnet.Envelope, epoch uint32) (kept bool) {
	to := m.To.Proc
	wire := r.node.peers.current()
	if !r.node.outbox.Busy(to) {
		if err := wire.Send(expired, to, quicnet.LaneCalls, m); !errors.Is(err, context.Canceled) {
			return false
		}
	}
	later := *m
	later.Large = m.Large.Keep()
	r.node.outbox.Add(to, func() {
		if r.isNear(to, epoch) {
			_ = wire.Send(r.node.root, to, quicnet.LaneCalls, &later) // an error means that it has ended
		}
		later.Large.Free()
	})
	return true
}

// isNear reports whether a worker has a link to the agent, in that epoch.
func (r *relayer) isNear(proc uint64, epoch uint32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, near := r.near[proc]
	return near && epoch == known
}

// up takes a frame of a worker for the controller. It waits while very much is on its way there, and the worker behind it.
func (r *relayer) up(from quicnet.ID, env *quicnet.Envelope) {
	switch {
	case !r.isNear(from.Proc, from.Epoch):
		r.node.log.Warn("dropped a frame of a process that is no worker of this host", "from", from.Proc)
		return
	case !folds(env.Kind) || len(env.Body) > maxNear:
		r.node.log.Warn("dropped a frame that does not go by the agent", "kind", fmt.Sprint(env.Kind), "bytes", len(env.Body), "from", from.Proc)
		return
	}
	self := r.node.id
	answers := env.Kind == quicnet.KindReply || env.Kind == quicnet.KindError
	if env.To.Proc = 0; answers {
		call := quicnet.SessionID(0, quicnet.SessionID(self, env.Call))
		if env.Trace == env.Call {
			env.Trace = call
		}
		env.Call, env.Parent = call, quicnet.SessionID(0, quicnet.SessionID(self, env.Parent))
	}
	ask := env.Flags&flagAsk != 0
	env.Flags &^= flagAsk
	r.fold.Add(from.Proc, env, answers, ask)
	env.Free()
}

// sendUp sends a batch behind the back of who has filled it, and then finds out what workers have asked.
func (r *relayer) sendUp(batch []byte, asking []relay.Asked) {
	n := r.node
	n.outbox.Add(0, func() {
		env := quicnet.Envelope{Kind: quicnet.KindSystem, ID: n.nextMsg.Add(1), From: quicnet.Addr{Proc: n.id}, Endpoint: sysFold, Body: batch}
		_ = n.send(n.root, quicnet.LaneCalls, &env) // an error means that the controller is gone
		r.fold.Sent(batch)                          // it is small enough to have been copied
		r.confirm(asking)
	})
}

// confirm has workers told when the controller has what they have asked about, which was sent to it.
func (r *relayer) confirm(asking []relay.Asked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range asking {
		w := agent.Worker{Proc: a.Proc, Epoch: r.near[a.Proc]}
		r.asking[w] = max(r.asking[w], a.N)
	}
	if len(r.asking) > 0 && !r.fencing {
		r.fencing = true
		r.node.outbox.Add(r.node.id, r.fence)
	}
}

// fence asks the controller, until nobody wants to know.
func (r *relayer) fence() {
	for {
		r.mu.Lock()
		asked := r.asking
		r.asking = map[agent.Worker]uint64{}
		r.fencing = len(asked) > 0
		r.mu.Unlock()
		if len(asked) == 0 || r.node.request(r.node.root, quicnet.Addr{}, sysFence, 0, nil) != nil {
			return
		}
		for w, n := range asked {
			if r.isNear(w.Proc, w.Epoch) {
				r.hand(&quicnet.Envelope{Kind: quicnet.KindAck, From: quicnet.Addr{Proc: r.node.id}, To: quicnet.Addr{Proc: w.Proc}, Index: n}, w.Epoch)
			}
		}
	}
}

// flushed returns when the controller has all that workers have sent until now. Error: it is gone, or ctx has ended.
func (r *relayer) flushed(ctx context.Context) error {
	r.fold.Flush()
	r.node.outbox.Settle(ctx, 0)
	return r.node.request(ctx, quicnet.Addr{}, sysFence, 0, nil)
}

// ended is told that a worker has ended, before the controller is: what it has said comes first.
func (r *relayer) ended(ctx context.Context, w agent.Worker) {
	if !r.isNear(w.Proc, w.Epoch) {
		return
	}
	if r.fold.End(w.Proc) > 0 {
		_ = r.flushed(ctx) // an error means that there is nobody to tell
	}
	r.mu.Lock()
	delete(r.near, w.Proc)
	delete(r.asking, w)
	r.mu.Unlock()
	r.fold.End(w.Proc) // a message for it may have come meanwhile
	r.node.peers.current().Forget(w.Proc, "it has ended")
}

// closedTime is how long a worker may live whose link to its agent was closed: what is for it can reach it no more.
const closedTime = 2 * time.Second

// link is told of the links to workers.
func (r *relayer) link(ev quicnet.LinkEvent) {
	w := agent.Worker{Proc: ev.Peer.Proc, Epoch: ev.Peer.Epoch}
	kill := func() { _ = r.agent.Signal(agent.Signal{Worker: w, What: agent.Kill}) } // an error means that it has ended
	switch ev.State {                                                                //nolint:exhaustive // the others are no news: the controller has links of its own
	case quicnet.LinkUp:
		if !r.agent.Runs(w) {
			r.node.log.Warn("a process that is no worker of this host has made a link", "from", w.Proc)
			return
		}
		r.mu.Lock()
		r.near[w.Proc] = w.Epoch
		r.mu.Unlock()
		// An error means that the controller is gone.
		_ = r.node.notice(r.node.root, quicnet.LaneControl, nil, quicnet.Addr{}, sysNear, nearBody{w.Proc, w.Epoch})
	case quicnet.LinkLost: // what was handed to it may not have arrived
		kill()
	case quicnet.LinkClosed: // as a rule because it ends
		time.AfterFunc(closedTime, kill)
	}
}

// upward is a worker's part: what it sends to the controller on the calls lane goes by its own link, or by its agent.
type upward struct {
	node *node
	boss uint64 // its agent
	ways *relay.Ways
	own  upSender // answers what came by its own link
	by   upSender // what came by the agent

	last     atomic.Bool // what came last came by the agent
	settling atomic.Bool // the controller is asked what it has of the own link
}

// upSender is the way back of messages that came one way.
type upSender struct {
	u    *upward
	near bool
}

func newUpward(n *node, boss uint64) *upward {
	u := &upward{node: n, boss: boss}
	u.own, u.by = upSender{u, false}, upSender{u, true}
	u.ways = relay.NewWays(u.settled, u.ask)
	return u
}

// settled reports whether the controller has all that went by the worker's own link.
func (u *upward) settled() bool {
	wire, ok := u.node.peers.current().(*quicnet.Node)
	return ok && wire.Settled(0, quicnet.LaneCalls)
}

// ask sends the agent a frame that gives nothing back, to ask by it.
func (u *upward) ask() {
	env := quicnet.Envelope{Kind: quicnet.KindAck, From: quicnet.Addr{Proc: u.node.id}, To: quicnet.Addr{Proc: u.boss}, Flags: flagAsk}
	_ = u.node.peers.current().Send(u.node.root, u.boss, quicnet.LaneCalls, &env) // an error means that the agent is gone, and this process ends
}

// Send implements quicnet.Sender.
func (s upSender) Send(ctx context.Context, lane quicnet.Lane, env *quicnet.Envelope) error {
	if lane != quicnet.LaneCalls {
		return s.u.node.peers.current().Send(ctx, 0, lane, env)
	}
	return s.u.send(ctx, env, s.near)
}

// maxNear is up to how large a body goes by the agent: one that keeps its place among the others of its link.
const maxNear = 16 << 10

// send sends a frame for the controller. near says that it had better go by the agent.
func (u *upward) send(ctx context.Context, env *quicnet.Envelope, near bool) error {
	wire, err := u.node.peers.linkTo(0, u.node.closing)
	if err != nil {
		return err
	}
	way, err := u.ways.Take(ctx, near, len(env.Body) > maxNear)
	if err != nil {
		return err
	}
	if !way.Agent {
		err := wire.Send(ctx, 0, quicnet.LaneCalls, env)
		if n := u.ways.Handed(); way.Ask && !u.settling.Swap(true) {
			u.node.outbox.Add(u.boss, func() { u.settle(n) })
		}
		return err
	}
	call, parent, trace, flags := env.Call, env.Parent, env.Trace, env.Flags
	if env.To.Proc = u.boss; env.Kind == quicnet.KindReply || env.Kind == quicnet.KindError {
		if env.Call, env.Parent = u.turned(call), u.turned(parent); trace == call {
			env.Trace = env.Call
		}
	}
	if way.Ask {
		env.Flags |= flagAsk
	}
	if err = wire.Send(ctx, u.boss, quicnet.LaneCalls, env); err != nil {
		u.ways.Failed(way)
	}
	env.To.Proc, env.Call, env.Parent, env.Trace, env.Flags = 0, call, parent, trace, flags
	return err
}

// settle finds out that the controller has the first n frames of the own link.
func (u *upward) settle(n uint64) {
	err := u.node.request(u.node.root, quicnet.Addr{}, sysFence, 0, nil)
	u.settling.Store(false)
	if err == nil {
		u.ways.Settle(n)
	}
}

// turned makes an id of the controller one of the agent, and back: so the numbers of both are the same, and routes leave them out.
func (u *upward) turned(id uint64) uint64 { return quicnet.SessionID(u.boss, id) }

// takes looks at a frame of the controller or of the agent, who speaks for it. It reports whether there is nothing more to do.
func (u *upward) takes(from uint64, env *quicnet.Envelope) bool {
	switch {
	case from == 0:
		env.Back = u.own
		u.last.Store(false)
	case from != u.boss:
	case env.Kind == quicnet.KindAck:
		u.ways.Confirm(env.Index)
		return true
	case env.Kind == quicnet.KindCall || env.Kind == quicnet.KindCancel || env.Kind == quicnet.KindSystem && env.Endpoint == sysRelay && env.Flags == 0:
		u.last.Store(true)
		if env.From.Proc, env.Back = 0, u.by; env.Kind != quicnet.KindSystem {
			call := u.turned(env.Call)
			if env.Trace == env.Call {
				env.Trace = call
			}
			env.Call = call
		}
	default:
		u.node.log.Warn("dropped a frame of the agent", "kind", fmt.Sprint(env.Kind))
		return true
	}
	return false
}
