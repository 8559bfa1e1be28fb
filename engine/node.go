package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/chaos"
	"github.com/monarch-tui/monarch-tui/engine/internal/clock"
	"github.com/monarch-tui/monarch-tui/engine/internal/outbox"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// inProcessBit marks the ids of ranks that are goroutines of the controller. The controller speaks for them.
const inProcessBit = uint64(1) << 40

// node is one process of the session; an in-process rank has one of its own. Each of its tables has its own lock and
// takes no other while it holds it.
type node struct {
	id    uint64
	hub   *hub // set in the controller only
	local *hub // the controller's hub, for nodes that live in its process
	log   *slog.Logger
	out   lineSink
	slot  int
	epoch uint32 // of the process: 1, and one more with each restart
	seed  uint64
	root  context.Context // carries the engine; parent of every actor's context; ends with the node
	end   context.CancelFunc

	relayer *relayer // in an agent: between the controller and its workers
	up      *upward  // in a worker that an agent has started: its ways to the controller

	abandoned func(reason string) // what a process that is no worker does when it has lost its controller; nil in workers

	crowded bool // one of very many ranks in its process: idle actors keep no goroutine

	// One of each serves all nodes of a process that are alike.
	clock    *clock.Clock
	agent    *probe.Agent
	tel      *telemetry
	reporter *reporter
	handlers *sysTable
	targets  *targetCache
	spare    *callPool
	peers    *peers

	actors   *actorTable
	calls    *callTable
	requests *requestTable
	ports    *portTable
	windows  *windows
	outbox   *outbox.Outbox
	ends     endWatch
	figures  figures

	nextMsg  atomic.Uint64
	turn     atomic.Uint64 // of Choose
	chaos    chaos.Agent   // the faults that act in the process
	closed   atomic.Bool
	frozen   atomic.Bool  // it stands still, and another build is to take its place
	spawning atomic.Int32 // actors that are being spawned here
	closing  chan struct{}
	dirty    atomic.Bool // there is a status to tell
	wg       sync.WaitGroup
}

func newNode(id uint64, epoch uint32, log *slog.Logger) *node {
	n := &node{
		id: id, epoch: epoch, log: log, slot: -1, closing: make(chan struct{}),
		actors: newActorTable(), calls: &callTable{}, requests: &requestTable{}, ports: &portTable{}, outbox: &outbox.Outbox{},
	}
	n.windows = newWindows(n.closing, n.touch)
	n.nextMsg.Store(uint64((epoch-1)%epochs) << epochShift)
	root, end := context.WithCancel(context.Background())
	n.root, n.end = context.WithValue(root, ctxKey{}, &ctxInfo{node: n}), end
	return n
}

// alone gives a node what it shares with no other: it is the only one of its process, or the first.
func (n *node) alone(handlers *sysTable) {
	n.tel, n.reporter, n.targets, n.peers, n.handlers, n.spare = newTelemetry(n.shipTrace), newReporter(), newTargetCache(), newPeers(), handlers, &callPool{}
	n.clock = &clock.Clock{}
	n.agent = probe.NewAgent(n.clock, n.tellNews)
}

// newMessages gives the ids of k messages of one call: the first, which the others follow, and the call's own. A call is named
// after its first message, so that one says what the other is (quicnet/route.go).
func (n *node) newMessages(k int) (first, call uint64) {
	first = n.nextMsg.Add(uint64(k)) - uint64(k) + 1
	return first, sessionID(n.id, first)
}

func (n *node) addrOf(a *activation) quicnet.Addr {
	if a == nil {
		return quicnet.Addr{Proc: n.id}
	}
	return quicnet.Addr{Proc: n.id, Actor: a.actor.id}
}

// register puts a call into the table before its first message leaves. Others find it there, so it is complete by then.
func (n *node) register(c *call) {
	n.calls.add(c)
	if n.hub != nil {
		n.hub.callBegan(c)
	}
	n.touch() // it may become a wait that is told
}

// answered is told of each answer; the last one takes the call off the table, unless it is off already.
func (n *node) answered(c *call, last, off bool) {
	if last && !off {
		n.calls.remove(c.id)
	}
	if n.hub != nil {
		n.hub.callAnswered(c, last)
	}
	n.touch()
}

// send delivers within the process or hands to the link.
func (n *node) send(ctx context.Context, lane quicnet.Lane, env *quicnet.Envelope) error {
	to := env.To.Proc
	if err := n.stamp(env, time.Now().UnixMicro()); err != nil {
		return err
	}
	if to == n.id {
		n.Frame(quicnet.ID{Proc: n.id}, lane, env.Clone())
		return nil
	}
	if n.up != nil && to == 0 && lane == quicnet.LaneCalls && env.Kind != quicnet.KindSystem {
		return n.up.send(ctx, env, env.Kind == quicnet.KindAck && n.up.last.Load())
	}
	lk, err := n.peers.linkTo(to, n.closing)
	if err != nil {
		return err
	}
	switch {
	case to&inProcessBit != 0 && n.local == nil:
		return n.relay(ctx, lk, lane, 0, env)
	case to&inProcessBit == 0 && to != 0 && env.From.Proc&inProcessBit != 0:
		return n.relay(ctx, lk, lane, to, env)
	}
	err = lk.Send(ctx, to, lane, env)
	if errors.Is(err, quicnet.ErrGone) { // it has ended meanwhile
		if _, known := n.peers.whyGone(to); known {
			return n.peers.lostError(to)
		}
		return fmt.Errorf("%w: %w", err, ErrLost) // the link is: the controller is being asked about the process
	}
	return err
}

// stamp judges a frame and gives it the clock's reading. now is the machine's, in microseconds since 1970.
func (n *node) stamp(env *quicnet.Envelope, now int64) error {
	if len(env.Body) > maxFrame { // the limit of a link holds within a process too
		return fmt.Errorf("a message of %d bytes is over the limit of %d; send it in parts", len(env.Body), maxFrame)
	}
	env.At, env.Clock = now, n.tel.clock.TickAt(now)
	return nil
}

// sendBy is send by a way that is known; nil: it is not.
func (n *node) sendBy(ctx context.Context, way quicnet.Sender, env *quicnet.Envelope, now int64) error {
	if way == nil {
		return n.send(ctx, quicnet.LaneCalls, env)
	}
	if err := n.stamp(env, now); err != nil {
		return err
	}
	if err := way.Send(ctx, quicnet.LaneCalls, env); err != nil {
		return n.sentAnew(ctx, env, err)
	}
	return nil
}

// sentAnew is what comes of a frame that a way did not take: where that has ended, the long way knows why.
func (n *node) sentAnew(ctx context.Context, env *quicnet.Envelope, err error) error {
	if errors.Is(err, errProcEnded) || errors.Is(err, quicnet.ErrGone) {
		return n.send(ctx, quicnet.LaneCalls, env)
	}
	return err
}

// relay wraps a frame between an in-process rank and a worker: the two have no link, the controller has one to each.
func (n *node) relay(ctx context.Context, lk link, lane quicnet.Lane, to uint64, env *quicnet.Envelope) error {
	outer := quicnet.Envelope{Kind: quicnet.KindSystem, ID: n.nextMsg.Add(1), From: quicnet.Addr{Proc: n.id}, To: quicnet.Addr{Proc: to}, Endpoint: sysRelay,
		Body: quicnet.AppendEnvelope(nil, env)}
	if to != 0 {
		outer.From.Proc = 0
	}
	return lk.Send(ctx, to, lane, &outer)
}

// takeRelayed takes a wrapped frame of an in-process rank, for which the controller speaks.
func (n *node) takeRelayed(env *quicnet.Envelope) error {
	n.Frame(quicnet.ID{Proc: env.From.Proc}, quicnet.LaneCalls, env)
	return nil
}

// passOn hands a worker's wrapped frame to an in-process rank. A worker speaks for itself only.
func (n *node) passOn(from quicnet.Addr, env *quicnet.Envelope) error {
	if env.From.Proc != from.Proc || env.To.Proc&inProcessBit == 0 {
		return fmt.Errorf("process %d sent a frame from %d to %d: %w", from.Proc, env.From.Proc, env.To.Proc, ErrForbidden)
	}
	if err := n.hub.mem.Send(n.root, env.To.Proc, quicnet.LaneCalls, env); err != nil && env.Kind == quicnet.KindCall {
		n.outbox.Add(env.From.Proc, func() {
			ans := *env
			ans.To, ans.From = env.To, env.From
			n.refuseNow(&ans, notSent(err))
		})
	}
	return nil
}

// Frame is quicnet's upcall: in order per peer and lane, and it never blocks.
func (n *node) Frame(from quicnet.ID, _ quicnet.Lane, env *quicnet.Envelope) {
	if env.To.Proc != n.id {
		n.log.Warn("dropped a frame for another process", "to", env.To.Proc)
		return
	}
	if n.relayer != nil && n.relayer.takes(from, env) || n.up != nil && n.up.takes(from.Proc, env) {
		return
	}
	if env.At == 0 {
		env.At = time.Now().UnixMicro()
	}
	now := n.tel.clock.ObserveAt(env.Clock, env.At)
	switch env.Kind {
	case quicnet.KindCall:
		env.Arrived, env.Began = now, 0 // whatever it says: they are ours to note
		n.deliver(env)
	case quicnet.KindReply, quicnet.KindError:
		n.takeReply(env)
	case quicnet.KindCancel:
		if a := n.actors.get(env.To.Actor); a != nil {
			ended := context.Canceled
			if env.Flags&flagDeadline != 0 {
				ended = context.DeadlineExceeded
			}
			a.cancelMessage(env.From.Proc, env.ID, ended)
		}
	case quicnet.KindAck:
		back := takenBy(int(min(env.Index, windowSize)), int(min(env.Load, math.MaxInt32)))
		n.windows.release(quicnet.Addr{Proc: env.From.Proc, Actor: env.From.Actor}, back)
	case quicnet.KindPort:
		n.takePort(env)
	case quicnet.KindSystem:
		n.system(env)
	default:
		n.log.Warn("skipped a frame of an unknown kind", "kind", env.Kind, "from", from.Proc)
	}
}

// receiver is what a route's messages have in common here.
type receiver struct {
	actor  *actor
	target *target
}

// deliver puts a call into its actor's mailbox, or refuses it.
func (n *node) deliver(env *quicnet.Envelope) {
	if env.Route != nil {
		if to, ok := env.Route.Memo.(*receiver); ok && !to.actor.removed.Load() {
			env.Memo = to.target
			to.actor.enqueue(env)
			return
		}
	}
	a, ended := n.actors.find(env.To.Actor)
	if a == nil {
		if ended == nil {
			ended = n.unknownActor()
		}
		n.refuse(env, ended)
		return
	}
	if env.Life != a.life {
		n.refuse(env, a.stale(env.Life))
		return
	}
	t := a.targetFor(env)
	if env.Route != nil {
		env.Route.Memo = &receiver{a, t}
	}
	env.Memo = t
	a.enqueue(env)
}

// ack gives places back to a sender whose messages got no reply of their own: Load has the bytes.
func (n *node) ack(proc, actor uint64, back taken) {
	env := quicnet.Envelope{Kind: quicnet.KindAck, From: quicnet.Addr{Proc: n.id, Actor: actor}, To: quicnet.Addr{Proc: proc}, Index: uint64(back.messages()), Load: uint64(back.bytes())}
	_ = n.send(n.root, quicnet.LaneCalls, &env) // an error means that the sender has ended
}

// close ends the node: actors, calls, links; it waits for its goroutines, closeTime at most.
func (n *node) close(reason string) {
	limit, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	n.shut(reason)
	n.await(limit)
}

// shut ends the node and waits for nothing.
func (n *node) shut(reason string) {
	if n.closed.Swap(true) {
		return
	}
	n.requests.close()
	actors := n.actors.close()
	close(n.closing)
	n.end()
	n.calls.each(func(c *call) {
		for _, i := range c.open() {
			c.answer(answer{index: i, err: &wireError{Outcome: control.OutcomeCancelled, Type: "closed", Msg: reason, Codes: codesOf(context.Canceled)}})
		}
	})
	for _, a := range actors {
		a.abandon(&wireError{Outcome: control.OutcomeCancelled, Type: "closed", Msg: reason})
	}
	n.windows.drop(func(quicnet.Addr) bool { return true })
	if lk := n.peers.current(); lk != nil {
		_ = lk.Close(reason) // the node is closing: nobody needs the error
	}
}

// await waits for the goroutines of a node that was shut; user code that ignores its context is left behind when limit
// ends.
func (n *node) await(limit context.Context) {
	n.outbox.Settle(limit)
	waitUntil(&n.wg, limit.Done())
}

// closeTime is how long a node that closes waits for its goroutines.
const closeTime = 3 * time.Second

// maxEnded is how many ended actors are remembered. A call to an older one gets a less exact error.
const maxEnded = 256

// actorTable holds the actors of a process, by mesh: those in their OnStart, those that handle messages, and the error
// that calls to ended ones get.
type actorTable struct {
	last atomic.Pointer[actor] // that was found last, if it is still here

	mu       sync.Mutex
	live     map[uint64]*actor
	starting map[uint64]context.CancelCauseFunc
	ended    *recent.Map[uint64, *wireError]
	closed   bool
}

func newActorTable() *actorTable {
	return &actorTable{ended: recent.New[uint64, *wireError](maxEnded)}
}

func (t *actorTable) get(mesh uint64) *actor {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live[mesh]
}

// find gives the actor, or the error that calls to it get if it has ended.
func (t *actorTable) find(mesh uint64) (*actor, *wireError) {
	if a := t.last.Load(); a != nil && a.id == mesh && !a.removed.Load() {
		return a, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.live[mesh]; a != nil {
		t.last.Store(a)
		return a, nil
	}
	ended, _ := t.ended.Get(mesh)
	return nil, ended
}

// takeOff has no message find an actor any more. The caller holds t.mu.
func (t *actorTable) takeOff(a *actor) {
	a.removed.Store(true)
	t.last.CompareAndSwap(a, nil)
	delete(t.live, a.id)
}

func (t *actorTable) all() []*actor {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.live))
}

// begin notes an actor whose OnStart is about to run, so that cancelStart reaches it. It reports whether the actor is
// still wanted.
func (t *actorTable) begin(a *actor) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ended := t.ended.Get(a.id); ended || t.closed {
		return false
	}
	if _, hook := a.self.(Starter); hook {
		put(&t.starting, a.id, a.cancel)
	}
	return true
}

// add puts in an actor that has started, and counts its goroutines. It reports whether the actor is still wanted: it may
// have been killed during OnStart.
func (t *actorTable) add(a *actor, wg *sync.WaitGroup, goroutines int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.starting, a.id)
	if _, ended := t.ended.Get(a.id); ended || t.closed {
		return false
	}
	put(&t.live, a.id, a)
	wg.Add(goroutines)
	return true
}

// reopen makes room for another life of an actor. It is refused where that life, or a later one, is here already.
func (t *actorTable) reopen(mesh uint64, life uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.live[mesh]; a != nil {
		if a.life >= life {
			return false
		}
		t.takeOff(a)
	}
	t.ended.Delete(mesh)
	return true
}

// failedStart takes off an actor whose OnStart failed.
func (t *actorTable) failedStart(mesh uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.starting, mesh)
}

// cancelStart ends the context of an OnStart, if one runs.
func (t *actorTable) cancelStart(mesh uint64) {
	t.mu.Lock()
	cancel := t.starting[mesh]
	t.mu.Unlock()
	if cancel != nil {
		cancel(ErrStopped)
	}
}

// remove takes an actor off, if it is here, and keeps what later callers are told.
func (t *actorTable) remove(mesh uint64, why *wireError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.live[mesh]; a != nil {
		t.takeOff(a)
	}
	t.ended.Put(mesh, why)
}

// close takes no more actors, and gives those that are here.
func (t *actorTable) close() []*actor {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	return t.all()
}
