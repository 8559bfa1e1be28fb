package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// The engine's own messages between processes: requests that are answered, and notes that are not. Endpoint names the
// message, Flags says which of the three it is.
const (
	sysRequest uint8 = 1 << 1
	sysAnswer  uint8 = 1 << 2
	sysFailed  uint8 = 1 << 3
)

// Names of the engine's messages.
const (
	sysWait    = "wait"    // note: a caller waits for its message now
	sysStatus  = "report"  // note: states of ranks and waits, for front ends
	sysTrace   = "hops"    // note: messages that were sent and answered, for front ends
	sysTell    = "tell"    // request and note: controller → process, report messages, or do not
	sysSpawn   = "spawn"   // request: controller → process, create an actor
	sysStop    = "stop"    // request: controller → process, drain and end an actor
	sysFence   = "fence"   // request: process → process, what was sent before has arrived
	sysKill    = "kill"    // request: controller → process, abandon an actor
	sysState   = "state"   // request: controller → process, read an actor's state
	sysFlush   = "flush"   // request: controller → process, mark stdout and stderr
	sysJudge   = "judge"   // request: controller → process, an owner's OnFailure
	sysGone    = "gone"    // request: controller → process, a peer ended; answer: did anybody wait for it
	sysRelay   = "relay"   // note: a wrapped frame between an in-process rank and a worker
	sysStill   = "still"   // note: controller → process, a peer stands still by a signal, or goes on
	sysDial    = "dial"    // note: controller → process, dial that peer
	sysExit    = "exit"    // request: controller → process, end in order
	sysFailure = "failure" // request: process → controller, supervision
	sysAlive   = "alive"   // request: process → controller, whether a peer lives
	sysFind    = "find"    // request: process → controller, the directory
	sysAcquire = "acquire" // request: process → controller, a lock of the session
	sysRelease = "release" // note: process → controller, it is given back
	sysVerb    = "verb"    // request: process → controller, an actor creates, stops or kills
)

// asker says whose messages a handler takes.
type asker uint8

const (
	fromController asker = iota // only the controller's
	fromAll                     // any process's: the handler checks what the asker claims
)

// sysHandler takes one of the engine's own messages for a node: it answers a request; what it returns for a note is ignored.
type sysHandler struct {
	from asker
	run  func(ctx context.Context, n *node, from quicnet.Addr, body []byte) (any, error)
}

// take runs the handler if the sender may ask it. It is the one place that looks at who asks.
func (h *sysHandler) take(ctx context.Context, n *node, from quicnet.Addr, body []byte) (any, error) {
	if h.from == fromController && from.Proc != 0 {
		return nil, fmt.Errorf("process %d may not do that: only the controller may: %w", from.Proc, ErrForbidden)
	}
	return h.run(ctx, n, from, body)
}

// sysTable holds handlers by the name of the message. It is filled before there is a link.
type sysTable struct {
	requests map[string]*sysHandler
	notes    map[string]*sysHandler // these run on a link's reader and must not block
}

func newSysTable() *sysTable {
	return &sysTable{requests: map[string]*sysHandler{}, notes: map[string]*sysHandler{}}
}

// question is a request that waits for its answer.
type question struct {
	to     uint64 // who may answer it
	answer chan *quicnet.Envelope
}

// requestTable holds what a process has asked others and has not been answered, and how much of what others ask it is
// being answered.
type requestTable struct {
	mu      sync.Mutex
	asked   map[uint64]question
	serving map[uint64]int // requests being answered, by asker
	closed  bool
}

// ask notes a request to a process; forget takes it off again.
func (t *requestTable) ask(id, to uint64) (answer <-chan *quicnet.Envelope) {
	q := question{to, make(chan *quicnet.Envelope, 1)}
	t.mu.Lock()
	put(&t.asked, id, q)
	t.mu.Unlock()
	return q.answer
}

func (t *requestTable) forget(id uint64) {
	t.mu.Lock()
	delete(t.asked, id)
	t.mu.Unlock()
}

// takeAnswer wakes who asked, if the answer comes from who was asked.
func (t *requestTable) takeAnswer(env *quicnet.Envelope) {
	t.mu.Lock()
	q, ok := t.asked[env.ID]
	t.mu.Unlock()
	if !ok || q.to != env.From.Proc {
		return
	}
	select {
	case q.answer <- env:
	default: // a second answer to one request: the first wins
	}
}

// beginServing counts a request of a process, and its goroutine, unless there are too many or the node closes.
func (t *requestTable) beginServing(from uint64, wg *sync.WaitGroup) (ok, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	full = t.serving[from] >= maxServing
	if t.closed || full {
		return false, full && !t.closed
	}
	put(&t.serving, from, t.serving[from]+1)
	wg.Add(1)
	return true, false
}

func (t *requestTable) endServing(from uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.serving[from]--; t.serving[from] <= 0 {
		delete(t.serving, from)
	}
}

// close answers no more requests.
func (t *requestTable) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
}

// maxServing is how many requests of one process are answered at a time. A process that asks more is broken: its
// actors ask one at a time each.
const maxServing = 1024

// handle registers the handler of a request with a typed body.
func handle[A any](t *sysTable, name string, who asker, fn func(ctx context.Context, n *node, from quicnet.Addr, a A) (any, error)) {
	t.requests[name] = &sysHandler{who, typed(name, fn)}
}

// handleNote registers the handler of a note. It runs on a link's reader and must not block.
func handleNote[A any](t *sysTable, name string, who asker, fn func(n *node, from quicnet.Addr, a A) error) {
	t.notes[name] = &sysHandler{who, typed(name, func(_ context.Context, n *node, from quicnet.Addr, a A) (any, error) { return nil, fn(n, from, a) })}
}

func typed[A any](name string, fn func(ctx context.Context, n *node, from quicnet.Addr, a A) (any, error)) func(context.Context, *node, quicnet.Addr, []byte) (any, error) {
	return func(ctx context.Context, n *node, from quicnet.Addr, body []byte) (any, error) {
		var a A
		if err := quicnet.Dec().Unmarshal(body, &a); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return fn(ctx, n, from, a)
	}
}

// notice sends a note from an actor, or from the process where there is none. Notes keep their place among the messages
// of the same sender and receiver only.
func (n *node) notice(ctx context.Context, lane quicnet.Lane, act *activation, to quicnet.Addr, name string, body any) error {
	b, err := quicnet.Enc().Marshal(body)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	env := quicnet.Envelope{Kind: quicnet.KindSystem, ID: n.nextMsg.Add(1), From: n.addrOf(act), To: to, Endpoint: name, Body: b}
	return n.send(ctx, lane, &env)
}

// request sends a request and waits for its answer, which is decoded into out unless that is nil.
func (n *node) request(ctx context.Context, to quicnet.Addr, name string, body, out any) error {
	var budget time.Duration
	if d, ok := ctx.Deadline(); ok {
		budget = max(time.Until(d), time.Nanosecond)
	}
	return n.requestWithin(ctx, budget, to, name, body, out)
}

// requestWithin is request for an answer that takes no longer than budget, by the clock of who answers; 0: it may.
func (n *node) requestWithin(ctx context.Context, budget time.Duration, to quicnet.Addr, name string, body, out any) error {
	b, err := quicnet.Enc().Marshal(body)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	id := n.nextMsg.Add(1)
	answer := n.requests.ask(id, to.Proc)
	defer n.requests.forget(id)
	env := quicnet.Envelope{Kind: quicnet.KindSystem, ID: id, From: quicnet.Addr{Proc: n.id}, To: to, Endpoint: name, Flags: sysRequest, Body: b}
	if act := activationOf(ctx); act != nil {
		env.From = n.addrOf(act)
	}
	env.Budget = budget
	lane := quicnet.LaneControl
	if name == sysStop || name == sysFence { // on the lane of the messages that were sent before, which a stop has handled first
		lane = quicnet.LaneCalls
	}
	if b, stop := body.(endBody); stop && n.hub != nil && lane == quicnet.LaneCalls {
		err = n.followTo(ctx, quicnet.Addr{Proc: to.Proc, Actor: b.Mesh}, &env)
	} else {
		err = n.send(ctx, lane, &env)
	}
	if err != nil {
		return err
	}
	select {
	case ans := <-answer:
		return readAnswer(name, ans, out)
	case <-ctx.Done():
		return ctx.Err()
	case <-n.closing:
		return ErrStopped
	case <-n.lost(to.Proc):
		return n.peers.lostError(to.Proc)
	}
}

func readAnswer(name string, ans *quicnet.Envelope, out any) error {
	if ans.Flags&sysFailed != 0 {
		var w wireError
		if err := quicnet.Dec().Unmarshal(ans.Body, &w); err != nil {
			return fmt.Errorf("%s: the error did not decode: %w", name, err)
		}
		w.tidy()
		return w.remote()
	}
	if out == nil {
		return nil
	}
	if err := quicnet.Dec().Unmarshal(ans.Body, out); err != nil {
		return fmt.Errorf("the answer to %s: %w", name, err)
	}
	return nil
}

// lost is closed when a process is known to have ended. Only the controller knows; a worker's controller never ends
// before the worker does.
func (n *node) lost(proc uint64) <-chan struct{} {
	if n.hub != nil {
		return n.hub.endedOf(proc)
	}
	return nil
}

// system dispatches one of the engine's own messages.
func (n *node) system(env *quicnet.Envelope) {
	switch {
	case env.Flags&(sysAnswer|sysFailed) != 0:
		n.requests.takeAnswer(env)
	case env.Flags&sysRequest != 0:
		n.takeRequest(env)
	default:
		if h := n.handlers.notes[env.Endpoint]; h != nil {
			if _, err := h.take(n.root, n, env.From, env.Body); err != nil {
				n.log.Warn("a note was refused", "name", env.Endpoint, "from", env.From.Proc, "err", err)
			}
		}
	}
}

// takeRequest answers a request on a goroutine of its own.
func (n *node) takeRequest(env *quicnet.Envelope) {
	from := env.From.Proc
	ok, full := n.requests.beginServing(from, &n.wg)
	if full {
		n.log.Warn("dropped a request: too many of that process are being answered", "name", clip(env.Endpoint, 100), "from", from)
	}
	if !ok {
		return
	}
	go func() {
		defer n.wg.Done()
		n.serve(n.handlers.requests[env.Endpoint], env)
		n.requests.endServing(from)
	}()
}

// serve answers one request on a goroutine of its own.
func (n *node) serve(h *sysHandler, env *quicnet.Envelope) {
	ctx, cancel := n.root, context.CancelFunc(func() {})
	switch {
	case env.Budget <= 0:
	case env.Endpoint == sysAcquire || env.Endpoint == sysSpawn || env.Endpoint == sysStop || env.Endpoint == sysJudge: // these run hooks, or wait for handlers or locks
		ctx, cancel = n.clock.WithTimeout(ctx, env.Budget)
	default: // who looks while the clock is held gets an answer in time
		ctx, cancel = context.WithTimeout(ctx, env.Budget)
	}
	defer cancel()
	var out any
	err := fmt.Errorf("this process does not know the request %q: it was built with an older engine", clip(env.Endpoint, 100))
	if h != nil {
		out, err = h.take(ctx, n, env.From, env.Body)
	}
	ans := quicnet.Envelope{Kind: quicnet.KindSystem, ID: env.ID, From: quicnet.Addr{Proc: n.id}, To: env.From, Endpoint: env.Endpoint, Flags: sysAnswer}
	ans.To.Actor = 0
	if err == nil {
		ans.Body, err = quicnet.Enc().Marshal(out)
	}
	if err != nil {
		ans.Flags |= sysFailed
		if ans.Body, err = quicnet.Enc().Marshal(toWire(err, control.OutcomeError)); err != nil {
			return
		}
	}
	if err := n.send(n.root, quicnet.LaneControl, &ans); err != nil && !errors.Is(err, ErrLost) {
		n.log.Debug("an answer could not be sent", "name", env.Endpoint, "err", err)
	}
}
