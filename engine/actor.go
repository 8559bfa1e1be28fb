package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// actor is one rank of an actor mesh, living in this process.
type actor struct {
	node *node
	id   uint64 // of the mesh
	name string // of the mesh
	rank int
	here Point
	typ  *actorType
	self any // *T

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{} // the loop has ended

	mu       sync.Mutex
	queue    []*quicnet.Envelope
	between  []func() // run by the loop between two messages, before the queue
	kick     chan struct{}
	starts   chan *activation // concurrent endpoints, in arrival order
	running  map[messageKey]*activation
	draining bool
	quiet    chan struct{} // set while draining; closed when nothing is left to do
	ended    *wireError    // set once: what later messages are told
	failed   bool          // by a panic
	handled  uint64
	since    time.Time
	acks     map[uint64]int
	wg       sync.WaitGroup // concurrent activations
}

type messageKey struct{ proc, id uint64 }

// activation is one message being handled.
type activation struct {
	actor *actor
	env   *quicnet.Envelope
	ep    *endpoint
	point Point
	since time.Time
	ctx   context.Context
	stop  context.CancelCauseFunc

	mu     sync.Mutex
	chain  []quicnet.Hop // who waits for this activation
	awaits map[*call]struct{}
}

func (a *actor) label() string { return "@" + a.name + "[" + strconv.Itoa(a.rank) + "]" }

// stamp makes a message the child of the activation that sends it.
func (a *activation) stamp(env *quicnet.Envelope) {
	if a == nil {
		env.Trace = env.Call
		return
	}
	env.Parent, env.Trace = a.env.ID, a.env.Trace
}

// enqueue takes a message into the mailbox, or refuses it. It runs on a link's reader and does not block.
func (a *actor) enqueue(env *quicnet.Envelope) {
	ep := a.typ.eps[env.Endpoint]
	if env.Flags&flagWaits != 0 && len(env.Chain) > 0 {
		if w := a.closesCycle(ep, env.Chain); w != nil {
			a.node.refuse(env, w)
			return
		}
	}
	a.mu.Lock()
	if a.ended != nil {
		why := a.ended
		a.mu.Unlock()
		a.node.refuse(env, why)
		return
	}
	if a.draining {
		a.mu.Unlock()
		a.node.refuse(env, &wireError{Outcome: control.OutcomeNotSent, Type: "stopped", Msg: "@" + a.name + " is stopping", Codes: codesOf(ErrStopped)})
		return
	}
	if ep != nil && ep.concurrent && a.starts != nil {
		if len(a.starts) < cap(a.starts) { // only readers under a.mu fill it, so this send does not wait
			a.wg.Add(1)
			a.starts <- a.admit(env)
			a.mu.Unlock()
			return
		} // the starter is far behind: queue it like the others
	}
	a.queue = append(a.queue, env)
	a.mu.Unlock()
	a.wake()
	a.node.touch()
}

func (a *actor) wake() {
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// loop handles one message at a time until the actor ends. It is the only goroutine that runs non-concurrent handlers.
func (a *actor) loop() {
	defer a.node.wg.Done()
	defer close(a.done)
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("actor", a.name, "rank", strconv.Itoa(a.rank))))
	for {
		fn, act, end := a.take()
		switch {
		case end:
			return
		case fn != nil:
			fn()
		case act != nil:
			a.handle(act)
		default:
			a.flushAcks()
			<-a.kick
		}
	}
}

// take is the next thing to do: a function between messages, a message, the end, or nothing yet.
func (a *actor) take() (fn func(), act *activation, end bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case len(a.between) > 0:
		fn, a.between = a.between[0], a.between[1:]
		return fn, nil, false
	case a.ended != nil:
		return nil, nil, true
	case len(a.queue) > 0:
		env := a.queue[0]
		a.queue[0] = nil
		a.queue = a.queue[1:]
		return nil, a.admit(env), false
	}
	a.checkQuiet()
	return nil, nil, false
}

// startConcurrent is the goroutine that starts concurrent endpoints in arrival order.
func (a *actor) startConcurrent() {
	defer a.node.wg.Done()
	for {
		select {
		case act := <-a.starts:
			began := make(chan struct{})
			go func() {
				defer a.wg.Done()
				close(began)
				a.handle(act)
			}()
			<-began
		case <-a.done:
			return
		}
	}
}

// admit takes a message out of the mailbox: from here on a cancellation finds it among the running ones. The caller
// holds a.mu.
func (a *actor) admit(env *quicnet.Envelope) *activation {
	act := &activation{actor: a, env: env, ep: a.typ.eps[env.Endpoint], since: time.Now(), chain: env.Chain}
	act.ctx, act.stop = context.WithCancelCause(a.ctx)
	if a.running == nil {
		a.running = map[messageKey]*activation{}
	}
	a.running[messageKey{env.From.Proc, env.ID}] = act
	a.since = act.since
	return act
}

// handle runs one message and answers it.
func (a *actor) handle(act *activation) {
	a.node.touch()
	ctx, werr := act.prepare()
	if werr != nil {
		act.stop(nil)
		a.mu.Lock()
		delete(a.running, messageKey{act.env.From.Proc, act.env.ID})
		a.checkQuiet()
		a.mu.Unlock()
		a.node.refuse(act.env, werr)
		return
	}
	body, err := a.invoke(ctx, act)
	if err != nil {
		if probe.At(probe.Error); errors.As(err, new(*panicError)) {
			probe.At(probe.Panic)
		}
	} else {
		probe.At(probe.Reply)
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = &endedError{ctx.Err()}
	}
	a.finish(act, body, err)
}

// endedError is an endpoint's error when its call was cancelled or too late: the outcome is the same as if the caller's
// own clock had been a little faster.
type endedError struct{ cause error }

func (e *endedError) Error() string { return e.cause.Error() }
func (e *endedError) Unwrap() error { return e.cause }

// prepare judges the message: endpoint, view, deadline.
func (act *activation) prepare() (context.Context, *wireError) {
	probe.At(probe.Recv)
	a, env, ep := act.actor, act.env, act.ep
	bad := func(format string, args ...any) *wireError {
		return &wireError{Outcome: control.OutcomeError, Type: "call", Msg: fmt.Sprintf(format, args...)}
	}
	if ep == nil {
		return nil, bad("%s has no endpoint %q", a.typ.full, clip(env.Endpoint, 100))
	}
	if env.Hash != 0 && env.Hash != ep.hash {
		return nil, bad("%s.%s has another signature here than at the caller: the two were built from different sources", a.typ.short, ep.name)
	}
	region, err := a.node.region(env.Region)
	if err != nil {
		return nil, bad("%v", err)
	}
	if env.Index >= uint64(region.Len()) { //nolint:gosec // a count
		return nil, bad("index %d is outside the %d ranks of the view", env.Index, region.Len())
	}
	act.point = region.Point(int(env.Index)) //nolint:gosec // checked above
	a.mu.Lock()
	why := a.ended
	a.mu.Unlock()
	if why != nil {
		return nil, why
	}
	ctx := context.WithValue(act.ctx, ctxKey{}, &ctxInfo{node: a.node, actor: a, act: act})
	if env.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, env.Budget)
		context.AfterFunc(act.ctx, cancel) // act.stop ends both
	}
	return ctx, nil
}

// panicError is a panic of user code, on its way to the caller and to supervision.
type panicError struct {
	value string
	stack string
}

func (e *panicError) Error() string { return e.value }

// invoke calls the endpoint. A panic comes back as a *panicError.
func (a *actor) invoke(ctx context.Context, act *activation) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, &panicError{value: fmt.Sprint(p), stack: string(debug.Stack())}
		}
	}()
	args := [3]reflect.Value{reflect.ValueOf(a.self), reflect.ValueOf(ctx)}
	n := 2
	if act.ep.in != nil {
		arg := reflect.New(act.ep.in)
		if err := quicnet.Dec().Unmarshal(act.env.Body, arg.Interface()); err != nil {
			return nil, fmt.Errorf("the argument does not decode into %s: %w", act.ep.in, err)
		}
		args[2], n = arg.Elem(), 3
	}
	out := act.ep.fn.Call(args[:n])
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		return nil, err
	}
	if act.ep.out == nil {
		return nil, nil
	}
	if body, err = quicnet.Enc().Marshal(out[0].Interface()); err != nil {
		return nil, fmt.Errorf("the result (%s) does not encode: %w", act.ep.out, err)
	}
	return body, nil
}

// finish answers the message and tells supervision what it must know.
func (a *actor) finish(act *activation, body []byte, err error) {
	act.stop(nil)
	env := act.env
	a.mu.Lock()
	delete(a.running, messageKey{env.From.Proc, env.ID})
	a.handled++
	a.since = time.Now()
	load := len(a.queue)
	ended := a.ended != nil
	a.checkQuiet()
	a.mu.Unlock()
	pe, panicked := errors.AsType[*panicError](err)
	var werr *wireError
	switch {
	case panicked:
		werr = &wireError{Outcome: control.OutcomeError, Type: panicType, Msg: clip(pe.value, maxErrorText), Stack: clip(pe.stack, maxErrorText)}
	case err != nil:
		werr = toWire(err, control.OutcomeError)
		if ended, ok := errors.AsType[*endedError](err); ok {
			werr = outcomeOf(ended.cause)
		}
	}
	quiet := env.Adverb == uint8(adverbBroadcast)
	switch {
	case quiet:
		a.countAck(env.From.Proc)
	case !ended: // an abandoned activation's caller has its outcome already
		a.node.answerTo(env, body, werr, load)
	}
	if panicked && !ended {
		a.fail(act, pe, !quiet)
	} else if err != nil && quiet && !ended {
		a.node.report(failureReport{Mesh: a.id, Rank: a.rank, What: fmt.Sprintf("%s.%s, called by broadcast, returned an error: %v", a.label(), act.ep.name, err)})
	}
	a.node.touch()
}

// fail ends an actor that panicked: queued and later messages are told so, the process and its other actors live on.
func (a *actor) fail(act *activation, pe *panicError, reported bool) {
	what := fmt.Sprintf("%s panicked in %s: %s", a.label(), act.ep.name, pe.value)
	a.end(&wireError{Outcome: control.OutcomeError, Type: "failed", Msg: what, Codes: codesOf(ErrFailed)}, true)
	a.node.report(failureReport{Mesh: a.id, Rank: a.rank, What: what, Stack: clip(pe.stack, maxErrorText), Reported: reported})
}

// end closes the mailbox for good and refuses what is in it.
func (a *actor) end(why *wireError, failed bool) {
	a.mu.Lock()
	if a.ended != nil {
		a.mu.Unlock()
		return
	}
	a.ended, a.failed = why, failed
	queue := a.queue
	a.queue = nil
	a.since = time.Now()
	a.checkQuiet()
	a.mu.Unlock()
	a.cancel(errors.New(why.Msg))
	for _, env := range queue {
		a.node.refuse(env, why)
	}
	a.wake()
	a.node.touch()
}

// abandon ends the actor at once: running handlers are left behind with a cancelled context, their callers get why.
func (a *actor) abandon(why *wireError) {
	a.mu.Lock()
	left := make([]*quicnet.Envelope, 0, len(a.running))
	if a.ended == nil {
		for _, act := range a.running {
			left = append(left, act.env)
		}
	}
	a.mu.Unlock()
	a.end(why, false)
	for _, env := range left {
		a.node.refuse(env, why)
	}
}

// cancelMessage gives up a message: a queued one is dropped, a running one has its context cancelled.
func (a *actor) cancelMessage(proc, id uint64) {
	a.mu.Lock()
	for i, env := range a.queue {
		if env.From.Proc == proc && env.ID == id {
			a.queue = append(a.queue[:i:i], a.queue[i+1:]...)
			a.mu.Unlock()
			return
		}
	}
	act := a.running[messageKey{proc, id}]
	a.mu.Unlock()
	if act != nil {
		act.stop(context.Canceled)
	}
}

// noticeWait tells a message, queued or running, that its caller waits for it now. It reports whether the message is here.
func (a *actor) noticeWait(proc, id uint64, chain []quicnet.Hop) bool {
	a.mu.Lock()
	for i, env := range a.queue {
		if env.From.Proc != proc || env.ID != id {
			continue
		}
		w := a.closesCycle(a.typ.eps[env.Endpoint], chain)
		if w == nil {
			env.Flags |= flagWaits
			env.Chain = chain
			a.mu.Unlock()
			return true
		}
		a.queue = append(a.queue[:i:i], a.queue[i+1:]...)
		a.mu.Unlock()
		a.node.refuse(env, w)
		return true
	}
	act := a.running[messageKey{proc, id}]
	a.mu.Unlock()
	if act != nil {
		act.extend(chain)
	}
	return act != nil
}

// countAck gathers the places that broadcasts give back, so that a thousand of them need a handful of frames.
func (a *actor) countAck(proc uint64) {
	a.mu.Lock()
	if a.acks == nil {
		a.acks = map[uint64]int{}
	}
	a.acks[proc]++
	k := a.acks[proc]
	if k >= 64 {
		delete(a.acks, proc)
	}
	a.mu.Unlock()
	if k >= 64 {
		a.node.ack(proc, a.id, k)
	}
}

func (a *actor) flushAcks() {
	a.mu.Lock()
	acks := a.acks
	a.acks = nil
	a.mu.Unlock()
	for proc, k := range acks {
		a.node.ack(proc, a.id, k)
	}
}

// inBetween runs fn on the actor's goroutine between two messages, ahead of the mailbox.
func (a *actor) inBetween(ctx context.Context, fn func()) error {
	ran := make(chan struct{})
	a.mu.Lock()
	if a.ended != nil && !a.failed {
		why := a.ended.Msg
		a.mu.Unlock()
		return errors.New(why)
	}
	if a.failed { // its loop is over and nothing runs: reading is safe from here
		a.mu.Unlock()
		<-a.done
		fn()
		return nil
	}
	a.between = append(a.between, func() { fn(); close(ran) })
	a.mu.Unlock()
	a.wake()
	select {
	case <-ran:
		return nil
	case <-a.done:
		return fmt.Errorf("%s ended meanwhile", a.label())
	case <-ctx.Done():
		return fmt.Errorf("%s is busy: %w", a.label(), ctx.Err())
	}
}

// state is what a front end shows of the actor.
func (a *actor) state() control.RankState {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := control.RankState{State: "idle", Queue: len(a.queue), Since: a.since, Handled: a.handled}
	for _, act := range a.running {
		s.State = "busy"
		s.Running = append(s.Running, act.env.Endpoint)
	}
	switch {
	case a.failed:
		s.State, s.Reason = "failed", a.ended.Msg
	case a.ended != nil:
		s.State = "stopped"
	}
	return s
}

// pointIn is the actor's point in the mesh it was spawned in.
func pointIn(ref control.MeshRef, rank int) Point {
	return shape.RegionOf(ref.Home.Extent()).Point(rank)
}
