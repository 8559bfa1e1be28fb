package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// activation is one message being handled.
type activation struct {
	actor *actor
	env   *quicnet.Envelope
	ep    *endpoint
	point Point
	since time.Time
	ctx   context.Context
	stop  context.CancelCauseFunc
	timer context.CancelFunc // of the deadline; stop ends it too

	settled bool // its caller has an outcome, or needs none; guarded by actor.mu

	mu     sync.Mutex
	chain  []quicnet.ChainEntry // who waits for this activation
	turn   uint64               // number of the notice that chain came with; 0: it came with the message
	seq    uint64               // number of the last notice that went to its calls
	awaits map[*call]int        // waits on each call
}

// stamp makes a message the child of the activation that sends it.
func (a *activation) stamp(env *quicnet.Envelope) {
	if a == nil {
		env.Trace = env.Call
		return
	}
	env.Parent, env.Trace = a.env.ID, a.env.Trace
}

// activate takes a message that has left the mailbox among the running ones, where a cancellation finds it. The caller
// holds a.mu.
func (a *actor) activate(env *quicnet.Envelope) *activation {
	act := &activation{actor: a, env: env, ep: a.typ.eps[env.Endpoint], since: time.Now(), chain: env.Chain}
	key := messageKey{env.From.Proc, env.ID}
	if turn, ok := a.turns[key]; ok {
		act.turn = turn
		delete(a.turns, key)
	}
	act.ctx, act.stop = context.WithCancelCause(a.ctx)
	if a.running == nil {
		a.running = map[messageKey]*activation{}
	}
	a.running[key] = act
	a.since = act.since
	return act
}

// handle runs one message and answers it.
func (a *actor) handle(act *activation) {
	a.node.touch()
	ctx, werr := act.prepare()
	if werr != nil {
		act.stop(nil)
		if settled, _ := a.leave(act); !settled {
			a.node.refuse(act.env, werr)
		}
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

// leave takes a message off the running ones. It reports whether its outcome was told already, and how many wait.
func (a *actor) leave(act *activation) (settled bool, load int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, messageKey{act.env.From.Proc, act.env.ID})
	settled, act.settled = act.settled, true
	a.checkQuiet()
	return settled, len(a.queue)
}

// endedError is an endpoint's error when its context ended: the outcome is the one that the caller would have had if it
// had given up first.
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
	v, err := a.node.views.decode(env.Region)
	if err != nil {
		return nil, bad("%v", err)
	}
	if env.Index >= uint64(v.size) {
		return nil, bad("index %d is outside the %d ranks of the view", env.Index, v.size)
	}
	act.point = Point{Extent: v.extent, Rank: int(env.Index)}
	cancelled := act.ctx.Err() != nil // cancelled since it left the mailbox: it need not begin
	a.mu.Lock()                       // ended is read after the context: an actor sets it before it cancels
	why := a.ended
	a.mu.Unlock()
	switch {
	case why != nil:
		return nil, why
	case cancelled:
		return nil, outcomeOf(context.Cause(act.ctx))
	}
	ctx := context.WithValue(act.ctx, ctxKey{}, &ctxInfo{node: a.node, actor: a, act: act})
	if env.Budget > 0 {
		ctx, act.timer = context.WithTimeout(ctx, env.Budget) //nolint:gosec // finish calls it
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
	if err, _ := reflect.TypeAssert[error](out[len(out)-1]); err != nil {
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
	a.handled++
	a.since = time.Now()
	a.mu.Unlock()
	pe, panicked := errors.AsType[*panicError](err)
	var failure failureReport
	if panicked { // before leave and the answer: whoever stops the actor on either must find it failed
		failure = a.panicked(act, pe)
	}
	settled, load := a.leave(act)
	if settled {
		return // it was abandoned, and its caller has its outcome already
	}
	quiet := env.Adverb == uint8(adverbBroadcast)
	if quiet {
		a.countAck(env.From.Proc)
	} else {
		a.node.answerTo(env, body, failureOf(err), load)
	}
	if panicked {
		failure.Reported = !quiet
		a.node.reportFailure(failure)
	} else if err != nil && quiet {
		a.node.reportFailure(failureReport{Mesh: a.id, Rank: a.rank, What: fmt.Sprintf("%s.%s, called by broadcast, returned an error: %v", a.label(), act.ep.name, err)})
	}
	a.node.touch()
}

// failureOf is an endpoint's error as its caller gets it.
func failureOf(err error) *wireError {
	if err == nil {
		return nil
	}
	if pe, ok := errors.AsType[*panicError](err); ok {
		return &wireError{Outcome: control.OutcomeError, Type: panicType, Msg: clip(pe.value, maxErrorText), Stack: clip(pe.stack, maxErrorText)}
	}
	if ended, ok := errors.AsType[*endedError](err); ok {
		return outcomeOf(ended.cause)
	}
	return toWire(err, control.OutcomeError)
}
