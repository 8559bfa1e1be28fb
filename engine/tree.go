package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/internal/relay"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// A message of the controller to many ranks goes to the agent of each host once, which hands it to each rank there (tree_host.go);
// their answers come back together. On the controller's own machine there is no agent: memory is shared with each rank, and a tree would
// cost more.
//
// Order: what is on its way to an actor is all on one way, directly or by the agent. The window of the actor knows which, and that
// changes only while nothing is on its way there, cancelled messages that were not answered among it.

// wideRanks is above how many ranks a message goes by agents: as many as cost the controller a few milliseconds one by one.
const wideRanks = 64

// Wide says above how many ranks a message of the program goes to the agent of each host once, who hands it to the ranks there, and
// folds their answers; by default it is 64. It is of use on other machines only, and for measurements.
func Wide(ranks int) Option { return func(o *options) { o.wide = max(ranks, 1) } }

// hostRanks is how many of them a host must have: for one, a detour saves nothing.
const hostRanks = 2

// detour is the way to a process by the agent of its host.
type detour struct {
	agent uint64
	up    atomic.Uint32 // the epoch of the process to which the agent has a link; 0: none
	asked atomic.Bool   // that epoch was told to make one
}

// fan is a message that may go by agents. The nil fan is one that does not.
type fan struct {
	ctx    context.Context
	node   *node
	env    *quicnet.Envelope
	fail   func(i int, err error) // it could not be sent to a rank
	counts map[uint64]int         // ranks by agent
	groups []fanGroup
}

// fanGroup is ranks of one host whose message was not sent yet.
type fanGroup struct {
	agent   uint64
	targets []relay.Target
}

// fans reports whether a message of so many bytes to the ranks of a mesh may go by agents.
func (n *node) fans(ref *meshRef, size int) bool {
	return n.hub != nil && n.hub.far.Load() && ref.size > n.hub.opts.wide && size <= maxFrame-relay.MaxTargets*relay.MaxListed && !n.chaos.OnLinks()
}

// fanOf says to which of the ranks of a mesh a message goes by agents; nil: to none. The workers of hosts where it could are told to make
// links to their agents.
func (n *node) fanOf(ctx context.Context, ref *meshRef, env *quicnet.Envelope, fail func(i int, err error)) *fan {
	f := &fan{ctx: ctx, node: n, env: env, fail: fail}
	for i := range ref.size {
		proc := ref.procOf(i)
		d := ref.window(n.windows, i, quicnet.Addr{Proc: proc, Actor: ref.ID}).detour
		switch {
		case d == nil:
		case d.up.Load() != 0:
			put(&f.counts, d.agent, f.counts[d.agent]+1)
		case !d.asked.Swap(true):
			n.outbox.Add(proc, func() {
				_ = n.notice(n.root, quicnet.LaneControl, nil, quicnet.Addr{Proc: proc}, sysDial, d.agent) // an error means that it has ended
			})
		}
	}
	if len(f.counts) == 0 {
		return nil
	}
	return f
}

// takes reports whether a message to the receiver of a window goes by its agent, if it may.
func (f *fan) takes(w *window) bool {
	return f != nil && w.detour != nil && w.detour.up.Load() != 0 && f.counts[w.detour.agent] >= hostRanks
}

// add has the message that env is now go by the agent of its receiver. That of nobody else waits for it: where f is nil it is sent.
func (f *fan) add(n *node, ctx context.Context, w *window, env *quicnet.Envelope, fail func(i int, err error)) {
	proc := env.To.Proc
	if _, gone := n.peers.whyGone(proc); gone { // whoever ends its calls may have done so before this one was on the books
		fail(int(env.Index), n.peers.lostError(proc))
		return
	}
	t := relay.Target{Index: env.Index, Proc: proc, Epoch: w.detour.up.Load(), Life: env.Life}
	if f == nil {
		n.sendGroup(ctx, fanGroup{w.detour.agent, []relay.Target{t}}, env, fail)
		return
	}
	for i := range f.groups {
		if g := &f.groups[i]; g.agent == w.detour.agent {
			g.targets = append(g.targets, t)
			return
		}
	}
	f.groups = append(f.groups, fanGroup{w.detour.agent, append(make([]relay.Target, 0, f.counts[w.detour.agent]), t)})
}

// flush sends what was gathered.
func (f *fan) flush() {
	if f == nil {
		return
	}
	for _, g := range f.groups {
		f.node.sendGroup(f.ctx, g, f.env, f.fail)
	}
	f.groups = f.groups[:0]
}

// sendGroup sends a message to ranks of one host. Of env everything counts but who it is for.
func (n *node) sendGroup(ctx context.Context, g fanGroup, env *quicnet.Envelope, fail func(i int, err error)) {
	for left := g.targets; len(left) > 0; {
		part := left[:min(len(left), relay.MaxTargets)]
		left = left[len(part):]
		if err := n.sendPart(ctx, g.agent, part, env); err != nil {
			for _, t := range part {
				fail(int(t.Index), err)
			}
		}
	}
}

func (n *node) sendPart(ctx context.Context, agent uint64, to []relay.Target, env *quicnet.Envelope) error {
	out := quicnet.Envelope{
		Kind: env.Kind, ID: env.ID - env.Index, Call: env.Call, Parent: env.Parent, Trace: env.Trace, Adverb: env.Adverb, Flags: env.Flags, Token: env.Token,
		From: env.From, To: quicnet.Addr{Proc: agent, Actor: env.To.Actor}, Region: env.Region, Endpoint: env.Endpoint, Hash: env.Hash,
		Budget: env.Budget, Step: env.Step, Chain: env.Chain,
	}
	size := len(to)*relay.MaxListed + binaryCount + len(env.Body)
	if out.Large = quicnet.NewLarge(size); out.Large != nil {
		out.Body = out.Large.B
	} else {
		out.Body = make([]byte, 0, size)
	}
	out.Body = append(relay.AppendTargets(out.Body, to), env.Body...)
	out.Given, out.Alone = true, true
	err := n.send(ctx, quicnet.LaneCalls, &out)
	out.Large.Free()
	return err
}

// binaryCount is what the number of targets takes at most.
const binaryCount = 3

// cancelBy sends the cancellation of a message the way of that message.
func (n *node) cancelBy(w *window, env *quicnet.Envelope) {
	if w == nil || !w.detoured() {
		_ = n.send(n.root, quicnet.LaneCalls, env) // on the lane of its message; an error means that the peer has ended
		return
	}
	n.sendGroup(n.root, fanGroup{w.detour.agent, []relay.Target{{Index: env.Index, Proc: env.To.Proc, Epoch: w.detour.up.Load()}}}, env, func(int, error) {})
}

// followTo sends a frame to a process the way of the messages that are on their way to an actor there.
func (n *node) followTo(ctx context.Context, actor quicnet.Addr, env *quicnet.Envelope) error {
	w := n.windows.known(actor)
	if w == nil || !w.detoured() {
		return n.send(ctx, quicnet.LaneCalls, env)
	}
	outer := quicnet.Envelope{Kind: quicnet.KindSystem, ID: n.nextMsg.Add(1), From: quicnet.Addr{Proc: n.id}, To: quicnet.Addr{Proc: w.detour.agent, Actor: actor.Actor}, Endpoint: sysRelay,
		Body: quicnet.AppendEnvelope(nil, env)}
	return n.send(ctx, quicnet.LaneCalls, &outer)
}

// detourOf is the way to a process by its agent; nil: it has none.
func (h *hub) detourOf(proc uint64) *detour {
	if d, ok := h.detours.Load(proc); ok {
		return d.(*detour) //nolint:forcetypeassert // nothing else is put there
	}
	return nil
}

// leaveDetour has nothing go by the agent to an epoch of a process that has ended, or begins.
func (h *hub) leaveDetour(proc uint64, epoch uint32) {
	d := h.detourOf(proc)
	if d == nil {
		return
	}
	for up := d.up.Load(); up <= epoch; up = d.up.Load() { // else a later one lives already
		if d.up.CompareAndSwap(up, 0) {
			d.asked.Store(false)
			return
		}
	}
}

const (
	sysNear = "near" // note: agent → controller, it has a link to a worker
	sysFold = "fold" // note: agent → controller, frames of its workers
)

// nearBody tells that an agent has a link to a worker.
type nearBody struct {
	Proc  uint64
	Epoch uint32
}

// treeHandlers take what agents say of their workers, and for them.
func (h *hub) treeHandlers(t *sysTable) {
	handleNote(t, sysNear, fromAll, func(_ *node, from quicnet.Addr, b nearBody) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		d, p := h.detourOf(b.Proc), h.procs[b.Proc]
		switch {
		case d == nil || d.agent != from.Proc:
			return fmt.Errorf("process %d is no worker of process %d: %w", b.Proc, from.Proc, ErrForbidden)
		case p != nil && p.isReady() && !p.over() && p.epoch == b.Epoch:
			d.up.Store(b.Epoch)
			h.log.Debug("messages to many ranks go by the agent", "process", b.Proc, "agent", from.Proc)
		}
		return nil
	})
	t.notes[sysFold] = &sysHandler{fromAll, func(_ context.Context, n *node, from quicnet.Addr, body []byte) (any, error) {
		return nil, relay.Frames(body, func(env *quicnet.Envelope) error { return h.takeFolded(from.Proc, env) })
	}}
}

// errFolded is for what only an agent would send that is none, or has gone astray.
var errFolded = errors.New("a frame that its agent cannot have from it")

// takeFolded takes a frame of a worker from its agent, who speaks for its own workers only.
func (h *hub) takeFolded(agent uint64, env *quicnet.Envelope) error {
	d := h.detourOf(env.From.Proc)
	if d == nil || d.agent != agent {
		return fmt.Errorf("process %d: %w: %w", env.From.Proc, errFolded, ErrForbidden)
	}
	if !folds(env.Kind) {
		return fmt.Errorf("process %d, kind %d: %w", env.From.Proc, env.Kind, errFolded)
	}
	if d.up.Load() == 0 { // its end was told already
		env.Free()
		return nil
	}
	h.node.Frame(quicnet.ID{Proc: env.From.Proc}, quicnet.LaneCalls, env)
	return nil
}

// broadcast sends without asking for a reply.
func broadcast[A any](ctx context.Context, b bound, arg A) error {
	if b.endpoint == nil {
		b.endpoint = new(endpoint)
	}
	nd, err := nodeOf(ctx)
	if err == nil {
		err = b.usable()
	}
	if err != nil {
		return err
	}
	body, err := encodeArg(nil, b, arg)
	if err != nil {
		return err
	}
	return broadcastRaw(ctx, nd, b, body, "")
}

func broadcastRaw(ctx context.Context, nd *node, b bound, body []byte, client string) error {
	sender, caller := whoCalls(ctx)
	if v := caller.at(probe.Send, b.name, b.ref); v != nil {
		return v
	}
	n := b.ref.View.Len()
	first, call := nd.newMessages(n)
	env := quicnet.Envelope{
		Kind: quicnet.KindCall, Call: call, From: nd.addrOf(caller), Region: b.ref.region,
		Adverb: uint8(adverbBroadcast), Endpoint: b.name, Hash: b.hash, Body: body,
	}
	env.Given = len(body) > maxKeptArg
	caller.stamp(&env)
	env.Token = caller.token()
	told := nd.tel.on.Load()
	var head []byte
	if told {
		head = preview(body)
	}
	failed := &MeshError{Endpoint: b.name, Mesh: b.ref.Name, Ranks: n}
	fail := func(i int, err error) {
		nd.windows.release(quicnet.Addr{Proc: b.ref.procOf(i), Actor: b.ref.ID}, takenBy(1, len(body)))
		failed.Failed = append(failed.Failed, b.ref.rankError(b.name, i, nd.whyNotSent(b.ref, i, err)))
	}
	var f *fan
	if nd.fans(b.ref, len(body)) {
		f = nd.fanOf(ctx, b.ref, &env, fail)
	}
	for i := range n {
		env.ID, env.Index = first+uint64(i), uint64(i)
		env.To, env.Life = quicnet.Addr{Proc: b.ref.procOf(i), Actor: b.ref.ID}, b.ref.lifeOf(i)
		err := nd.stoppedMesh(b.ref.ID)
		if ended := ctx.Err(); ended != nil { // nobody waits for an answer, so none is missing
			err = fmt.Errorf("it was not sent: %w", ended)
		}
		var by bool
		var w *window
		if err == nil {
			w, by, err = nd.windows.acquire(ctx, env.To, &pendingSend{sender, client, caller, b.ref, i, b.name, 0, len(body), f})
		}
		if err != nil {
			failed.Failed = append(failed.Failed, b.ref.rankError(b.name, i, nd.whyNotSent(b.ref, i, err)))
			continue
		}
		if told {
			nd.tellBroadcast(&env, sender, client, b.ref, i, head)
		}
		if by {
			f.add(nd, ctx, w, &env, fail)
		} else if err = nd.send(ctx, quicnet.LaneCalls, &env); err != nil {
			fail(i, err)
		}
	}
	f.flush()
	if len(failed.Failed) > 0 {
		return failed
	}
	return nil
}
