package engine

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/form"
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
	ctx   *msgContext

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
	env.Parent, env.Trace = messageID(a.env), a.env.Trace
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
	act.ctx = newMsgContext(a.ctx, ctxInfo{node: a.node, actor: a, act: act}, env.Budget)
	if a.running == nil {
		a.running = map[messageKey]*activation{}
	}
	a.turned(act.since)
	a.running[key] = act
	return act
}

// handle runs one message and answers it.
func (a *actor) handle(act *activation) {
	a.node.touch()
	ctx, werr := act.prepare()
	if werr != nil {
		act.ctx.end(context.Canceled)
		if settled, _ := a.leave(act); !settled {
			a.node.refuse(act.env, werr)
		}
		return
	}
	returned := false
	defer func() {
		if !returned { // this goroutine ends: runtime.Goexit, in the handler or in a method of the error that it returned
			a.finish(act, nil, nil, newExit())
		}
	}()
	body, err := a.invoke(ctx, act)
	pe, _ := err.(*panicError) //nolint:errorlint // never wrapped, and errors.As would run user code
	switch {
	case pe != nil:
		probe.At(probe.Error)
		probe.At(probe.Panic)
	case err != nil:
		probe.At(probe.Error)
		werr = failureOf(ctx, err)
	default:
		probe.At(probe.Reply)
	}
	returned = true
	a.finish(act, body, werr, pe)
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
	ended := act.ctx.Err() // given up since it left the mailbox: it need not begin
	a.mu.Lock()            // the actor's end is read after the context's: an actor notes it before it ends contexts
	why := a.ended
	if why == nil && ended == nil && !act.settled { // else another goroutine may be answering with env
		env.Began = a.node.tel.clock.Tick()
	}
	a.mu.Unlock()
	switch {
	case why != nil:
		return nil, why
	case ended != nil:
		return nil, outcomeOf(ended)
	}
	return act.ctx, nil
}

// invoke calls the endpoint. A panic comes back as a *panicError.
func (a *actor) invoke(ctx context.Context, act *activation) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, newPanic(p)
		}
	}()
	args := [2 + form.MaxArgs]reflect.Value{reflect.ValueOf(a.self), reflect.ValueOf(ctx)}
	n := 2
	for _, in := range act.ep.in {
		args[n] = reflect.New(in).Elem()
		n++
	}
	switch len(act.ep.in) {
	case 0:
	case 1:
		if err := bodies.Decode(act.env.Body, args[2].Addr().Interface()); err != nil {
			return nil, fmt.Errorf("the argument does not decode into %s: %w", act.ep.in[0], err)
		}
	default:
		if err := bodies.DecodeAll(act.env.Body, args[2:n]); err != nil {
			return nil, fmt.Errorf("the arguments do not decode: %w", err)
		}
	}
	out := act.ep.fn.Call(args[:n])
	if err, _ := reflect.TypeAssert[error](out[len(out)-1]); err != nil {
		return nil, err
	}
	if act.ep.out == nil {
		return nil, nil
	}
	if body, err = bodies.Encode(out[0].Interface(), act.ep.out); err != nil {
		return nil, fmt.Errorf("the result (%s) does not encode: %w", act.ep.out, err)
	}
	return body, nil
}

// finish answers the message and tells supervision what it must know. No user code runs in it. pe is set if the handler
// did not return.
func (a *actor) finish(act *activation, body []byte, werr *wireError, pe *panicError) {
	act.ctx.end(context.Canceled)
	env := act.env
	a.mu.Lock()
	a.handled++
	a.turned(time.Now())
	a.mu.Unlock()
	var failure failureReport
	if pe != nil { // before leave and the answer: whoever stops the actor on either must find it failed
		failure, werr = a.panicked(act, pe), pe.wire()
	}
	settled, load := a.leave(act)
	if settled {
		return // it was abandoned, and its caller has its outcome already
	}
	quiet := env.Adverb == uint8(adverbBroadcast)
	if quiet {
		a.countAck(env.From.Proc)
	} else {
		a.node.answerTo(env, body, werr, load)
	}
	switch {
	case pe != nil:
		failure.Reported = !quiet
		a.node.reportFailure(failure)
	case werr != nil && quiet:
		what := fmt.Sprintf("%s.%s, called by broadcast, returned an error: %s", a.label(), act.ep.name, clip(werr.Msg, maxCauseText))
		a.node.reportFailure(failureReport{Mesh: a.id, Rank: a.rank, What: what})
	}
	a.node.touch()
}

// wire is the end of a handler as its caller gets it.
func (e *panicError) wire() *wireError {
	typ := panicType
	if e.exit {
		typ = exitType
	}
	return &wireError{Outcome: control.OutcomeError, Type: typ, Msg: e.value, Stack: e.stack}
}

// failureOf is an endpoint's error as its caller gets it. An error because the endpoint's context ended is the outcome that
// the caller would have had if it had given up first.
func failureOf(ctx context.Context, err error) *wireError {
	if ended := ctx.Err(); ended != nil && isError(err, ended) {
		return outcomeOf(ended)
	}
	return toWire(err, control.OutcomeError)
}
