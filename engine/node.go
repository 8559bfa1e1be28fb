package engine

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// link carries envelopes to other processes, in order per peer and lane. *quicnet.Node is one, memLink the other.
type link interface {
	Send(ctx context.Context, to uint64, lane quicnet.Lane, env *quicnet.Envelope) error
	Forget(proc uint64, reason string)
	Close(reason string) error
}

// inProcessBit marks the ids of ranks that are goroutines of the controller. The controller speaks for them.
const inProcessBit = uint64(1) << 40

// node is this process's place in the session: its actors, its calls in flight, its links. An in-process rank has one of
// its own.
type node struct {
	id    uint64
	hub   *hub // set in the controller only
	local *hub // the controller's hub, for nodes that live in its process
	link  link
	log   *slog.Logger
	out   lineSink
	slot  int
	seed  uint64
	root  context.Context // carries the engine; parent of every actor's context; ends with the node
	end   context.CancelFunc
	tel   *telemetry // one for all nodes of a process

	nextMsg  atomic.Uint64
	nextCall atomic.Uint64
	turn     atomic.Uint64

	mu       sync.Mutex
	actors   map[uint64]*actor
	starting map[uint64]context.CancelCauseFunc // actors in their OnStart
	ended    map[uint64]*wireError              // meshes that were here, with what to tell callers
	calls    map[uint64]*call
	onAnswer map[uint64]func(answer)
	requests map[uint64]request
	channels map[uint64]*channelState
	gone     map[uint64]string      // processes that ended, with the reason
	handlers map[string]*sysHandler // of requests
	notes    map[string]*sysHandler // these run on a link's reader and must not block
	serving  map[uint64]int         // requests being answered, by asker
	closed   bool

	wmu     sync.Mutex
	windows map[quicnet.Addr]*window
	loads   map[quicnet.Addr]uint32 // mailbox length as last told in a reply
	sweepAt int                     // how many windows are too many
	stuck   map[*stuck]struct{}     // messages that wait for a place

	rmu     sync.RWMutex
	regions map[string]view

	linked  chan struct{} // closed when link is set
	dirty   chan struct{}
	amu     sync.Mutex
	later   map[uint64][]func() // by process; run in order by a goroutine each while there are any
	wg      sync.WaitGroup
	closing chan struct{}
}

func newNode(id uint64, log *slog.Logger) *node {
	n := &node{
		id: id, log: log, slot: -1,
		actors: map[uint64]*actor{}, starting: map[uint64]context.CancelCauseFunc{}, ended: map[uint64]*wireError{}, calls: map[uint64]*call{}, onAnswer: map[uint64]func(answer){},
		requests: map[uint64]request{}, channels: map[uint64]*channelState{}, gone: map[uint64]string{}, handlers: map[string]*sysHandler{},
		notes: map[string]*sysHandler{}, serving: map[uint64]int{},
		windows: map[quicnet.Addr]*window{}, loads: map[quicnet.Addr]uint32{}, sweepAt: maxIdleWindows, stuck: map[*stuck]struct{}{}, regions: map[string]view{},
		dirty: make(chan struct{}, 1), later: map[uint64][]func(){}, linked: make(chan struct{}), closing: make(chan struct{}),
	}
	root, end := context.WithCancel(context.Background())
	n.root, n.end = context.WithValue(root, ctxKey{}, &ctxInfo{node: n}), end
	n.tel = newTelemetry(n.shipHops)
	n.registerSystem()
	return n
}

// newCallID is unique in the session.
func (n *node) newCallID() uint64 { return sessionID(n.id, n.nextCall.Add(1)) }

func (n *node) addrOf(a *activation) quicnet.Addr {
	if a == nil {
		return quicnet.Addr{Proc: n.id}
	}
	return quicnet.Addr{Proc: n.id, Actor: a.actor.id}
}

// register puts a call on the books before its first message leaves.
func (n *node) register(c *call, onAnswer func(answer)) {
	c.id = n.newCallID()
	c.firstMsg = n.nextMsg.Add(uint64(c.n)) - uint64(c.n) + 1
	n.mu.Lock()
	n.calls[c.id] = c
	if onAnswer != nil {
		n.onAnswer[c.id] = onAnswer
	}
	n.mu.Unlock()
	if n.hub != nil {
		n.hub.callBegan(c)
	}
}

// answered is told of each answer; the last one takes the call off the books.
func (n *node) answered(c *call, a answer, last bool) {
	n.mu.Lock()
	tell := n.onAnswer[c.id]
	if last {
		delete(n.calls, c.id)
		delete(n.onAnswer, c.id)
	}
	n.mu.Unlock()
	if tell != nil {
		tell(a)
	}
	if n.hub != nil {
		n.hub.callAnswered(c, last)
	}
	n.touch()
}

// send delivers within the process or hands to the link.
func (n *node) send(ctx context.Context, lane quicnet.Lane, env *quicnet.Envelope) error {
	to := env.To.Proc
	if len(env.Body) > maxFrame { // what a link would refuse is refused within a process too
		return fmt.Errorf("a message of %d bytes is over the limit of %d; send it in parts", len(env.Body), maxFrame)
	}
	if to == n.id {
		own := *env
		n.Frame(quicnet.ID{Proc: n.id}, lane, &own)
		return nil
	}
	n.mu.Lock()
	reason, gone := n.gone[to]
	lk := n.link
	n.mu.Unlock()
	if gone {
		return fmt.Errorf("%s: %w", reason, ErrLost)
	}
	if lk == nil { // joining: the controller may talk to us before Join has returned here
		select {
		case <-n.linked:
			lk = n.link
		case <-n.closing:
			return ErrStopped
		}
	}
	switch {
	case to&inProcessBit != 0 && n.local == nil:
		return n.relay(ctx, lane, 0, env)
	case to&inProcessBit == 0 && to != 0 && env.From.Proc&inProcessBit != 0:
		return n.relay(ctx, lane, to, env)
	}
	return lk.Send(ctx, to, lane, env)
}

// relay wraps a frame between an in-process rank and a worker: the two have no link, the controller has one to each.
func (n *node) relay(ctx context.Context, lane quicnet.Lane, to uint64, env *quicnet.Envelope) error {
	outer := quicnet.Envelope{Kind: quicnet.KindSystem, ID: n.nextMsg.Add(1), From: quicnet.Addr{Proc: n.id}, To: quicnet.Addr{Proc: to}, Endpoint: sysRelay,
		Body: quicnet.AppendEnvelope(nil, env)}
	if to != 0 {
		outer.From.Proc = 0
	}
	return n.link.Send(ctx, to, lane, &outer)
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
		n.async(env.From.Proc, func() {
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
	switch env.Kind {
	case quicnet.KindCall:
		n.deliver(env)
	case quicnet.KindReply, quicnet.KindError:
		n.takeReply(env)
	case quicnet.KindCancel:
		if a := n.actor(env.To.Actor); a != nil {
			a.cancelMessage(env.From.Proc, env.ID)
		}
	case quicnet.KindAck:
		n.release(quicnet.Addr{Proc: env.From.Proc, Actor: env.From.Actor}, int(min(env.Index, windowSize)))
	case quicnet.KindPort:
		n.takePort(env)
	case quicnet.KindSystem:
		n.system(env)
	default:
		n.log.Warn("skipped a frame of an unknown kind", "kind", env.Kind, "from", from.Proc)
	}
}

func (n *node) actor(id uint64) *actor {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.actors[id]
}

// deliver puts a call into its actor's mailbox, or refuses it.
func (n *node) deliver(env *quicnet.Envelope) {
	n.mu.Lock()
	a := n.actors[env.To.Actor]
	ended := n.ended[env.To.Actor]
	n.mu.Unlock()
	if a == nil {
		if ended == nil {
			ended = &wireError{Outcome: control.OutcomeNotSent, Type: "unknown", Msg: "no such actor in that process", Codes: codesOf(ErrStopped)}
		}
		n.refuse(env, ended)
		return
	}
	a.enqueue(env)
}

// Link is quicnet's upcall about a peer. The controller's hub turns it into the rank's life.
func (n *node) Link(ev quicnet.LinkEvent) {
	switch final := ev.State == quicnet.LinkLost || ev.State == quicnet.LinkClosed; {
	case n.hub != nil:
		n.hub.linkEvent(ev)
	case !final:
	case ev.Peer.Proc == 0:
		n.controllerGone(ev.Reason)
	default: // what waits for that peer gets its outcome now; the controller's word, if it comes, comes too late to matter
		n.async(ev.Peer.Proc, func() { n.procGone(ev.Peer.Proc, cmp.Or(ev.Reason, "its link was closed")) })
	}
}

// close ends the node: actors, calls, links; it waits for its goroutines.
func (n *node) close(reason string) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	n.closed = true
	actors := make([]*actor, 0, len(n.actors))
	for _, a := range n.actors {
		actors = append(actors, a)
	}
	calls := make([]*call, 0, len(n.calls))
	for _, c := range n.calls {
		calls = append(calls, c)
	}
	lk := n.link
	n.mu.Unlock()
	close(n.closing)
	n.end()
	for _, c := range calls {
		for _, i := range c.open() {
			c.answer(answer{index: i, err: &wireError{Outcome: control.OutcomeCancelled, Type: "closed", Msg: reason, Codes: codesOf(context.Canceled)}})
		}
	}
	for _, a := range actors {
		a.abandon(&wireError{Outcome: control.OutcomeCancelled, Type: "closed", Msg: reason})
	}
	n.dropWindows(func(quicnet.Addr) bool { return true })
	if lk != nil {
		_ = lk.Close(reason) // nobody is left to tell
	}
	limit, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	n.settle(limit)
	waitTimeout(&n.wg, closeTime)
}

// closeTime is how long a node that closes waits for its goroutines.
const closeTime = 3 * time.Second

// waitTimeout waits for goroutines of ours; user code that ignores its context is left behind after d.
func waitTimeout(wg *sync.WaitGroup, d time.Duration) {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}
