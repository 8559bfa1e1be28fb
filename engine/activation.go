package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/clock"
	"github.com/monarch-tui/monarch-tui/engine/internal/form"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// activation is one message being handled. It is its handler's context, which ends once, with what comes first: its caller's
// deadline has passed (context.DeadlineExceeded), its caller has given up, its handler has returned or its actor has ended
// (context.Canceled). That the deadline has passed is known here by the timer, and told by the caller: whichever is first,
// it is the same end. It is also the frame that the debugger stops.
type activation struct {
	clock.Context
	frame probe.Frame
	info  ctxInfo // what the context finds the engine by

	actor *actor
	env   *quicnet.Envelope
	ep    *endpoint
	point Point
	since time.Time
	marks context.Context // the labels of the goroutine that runs it, for profiles

	settled bool // its caller has an outcome, or needs none; guarded by actor.mu
	parked  int  // goroutines of it that stand at a site; guarded by actor.mu

	args   [2 + form.MaxArgs]reflect.Value // receiver, context, and the arguments
	out    reflect.Value                   // the result, once there is one
	failed error                           // what the handler returned or panicked with
	again  bool                            // the debugger wants the handler to begin anew
	edited bool                            // the debugger changed something of it

	mu     sync.Mutex
	chain  []quicnet.ChainEntry // who waits for this activation
	turn   uint64               // number of the notice that chain came with; 0: it came with the message
	seq    uint64               // number of the last notice that went to its calls
	target string               // what it sends to now, for the debugger
	awaits map[*call]int        // waits on each call
}

// Value finds the engine, and what the actor's context has.
func (a *activation) Value(key any) any {
	if key == (ctxKey{}) {
		return &a.info
	}
	return a.Context.Value(key)
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
	act.marks = a.marksOf(act.ep)
	act.info = ctxInfo{node: a.node, actor: a, act: act}
	act.frame.Begin(a.probe, act, env.Token)
	act.Begin(a.ctx, a.node.clock, env.Budget)
	if a.running == nil {
		a.running = map[messageKey]*activation{}
	}
	a.turned(act.since)
	a.running[key] = act
	return act
}

// marksOf are the labels of the goroutine that runs an endpoint. Among very many ranks they are the actor's, to save memory.
// The caller holds a.mu.
func (a *actor) marksOf(ep *endpoint) context.Context {
	if ep == nil || a.node.crowded {
		return a.labels
	}
	if ctx := a.marks[ep]; ctx != nil {
		return ctx
	}
	ctx := pprof.WithLabels(a.labels, pprof.Labels("endpoint", ep.name))
	put(&a.marks, ep, ctx)
	return ctx
}

// handle runs one message and answers it.
func (a *actor) handle(act *activation) {
	a.node.touch()
	pprof.SetGoroutineLabels(act.marks)
	defer pprof.SetGoroutineLabels(a.labels)
	if werr := act.prepare(); werr != nil {
		act.End(context.Canceled)
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
	body, err := a.invoke(act)
	for act.again {
		act.again = false
		body, err = a.invoke(act)
	}
	var werr *wireError
	pe, _ := err.(*panicError) //nolint:errorlint // never wrapped, and errors.As would run user code
	if pe == nil && err != nil {
		werr = failureOf(act, err)
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
func (act *activation) prepare() *wireError {
	a, env, ep := act.actor, act.env, act.ep
	bad := func(format string, args ...any) *wireError {
		return &wireError{Outcome: control.OutcomeError, Type: "call", Msg: fmt.Sprintf(format, args...)}
	}
	if ep == nil {
		return bad("%s has no endpoint %q", a.typ.full, clip(env.Endpoint, 100))
	}
	if env.Hash != 0 && env.Hash != ep.hash {
		return bad("%s.%s has another signature here than at the caller: the two were built from different sources", a.typ.short, ep.name)
	}
	v, err := a.node.views.decode(env.Region)
	if err != nil {
		return bad("%v", err)
	}
	if env.Index >= uint64(v.size) {
		return bad("index %d is outside the %d ranks of the view", env.Index, v.size)
	}
	act.point = Point{Extent: v.extent, Rank: int(env.Index)}
	ended := act.Err() // given up since it left the mailbox: it need not begin
	a.mu.Lock()        // the actor's end is read after the context's: an actor notes it before it ends contexts
	why := a.ended
	if why == nil && ended == nil && !act.settled { // else another goroutine may be answering with env
		env.Began = a.node.tel.clock.Tick()
	}
	a.mu.Unlock()
	switch {
	case why != nil:
		return why
	case ended != nil:
		return outcomeOf(ended)
	}
	return nil
}

// invoke calls the endpoint. A panic comes back as a *panicError.
func (a *actor) invoke(act *activation) (body []byte, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		pe := newPanic(p)
		act.failed = pe
		body, err = act.judged(probe.At(probe.Panic, &act.frame), pe) // nothing is unwound before this returns
	}()
	if err := act.decode(); err != nil {
		return nil, err
	}
	if v := probe.At(probe.Recv, &act.frame); v != nil {
		return act.judged(v, nil)
	}
	out := act.ep.fn.Call(act.args[:2+len(act.ep.in)])
	if err, _ := reflect.TypeAssert[error](out[len(out)-1]); err != nil {
		act.failed = err
		return act.judged(probe.At(probe.Error, &act.frame), err)
	}
	if act.ep.out != nil {
		act.out = out[0]
	}
	return act.judged(probe.At(probe.Reply, &act.frame), nil)
}

// judged is the outcome of the handler after a site: err or the result, or what the debugger made of it.
func (act *activation) judged(v *probe.Verdict, err error) ([]byte, error) {
	if v != nil {
		switch v.How {
		case control.GoReturn:
			act.out, err = v.Value, nil
		case control.GoFail:
			err = errors.New(v.Text)
		case control.GoRetry:
			act.again = true
			return nil, nil
		case probe.Ended:
			if err == nil {
				err = errors.New(v.Text)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return act.encode()
}

// decode makes the arguments of the message.
func (act *activation) decode() error {
	act.args[0], act.args[1] = reflect.ValueOf(act.actor.self), reflect.ValueOf(context.Context(act))
	n := 2
	for _, in := range act.ep.in {
		act.args[n] = reflect.New(in).Elem()
		n++
	}
	switch len(act.ep.in) {
	case 0:
	case 1:
		if err := bodies.Decode(act.env.Body, act.args[2].Addr().Interface()); err != nil {
			return fmt.Errorf("the argument does not decode into %s: %w", act.ep.in[0], err)
		}
	default:
		if err := bodies.DecodeAll(act.env.Body, act.args[2:n]); err != nil {
			return fmt.Errorf("the arguments do not decode: %w", err)
		}
	}
	return nil
}

// encode makes the body of the answer.
func (act *activation) encode() ([]byte, error) {
	if act.ep.out == nil {
		return nil, nil
	}
	body, err := bodies.Encode(act.out.Interface(), act.ep.out)
	if err != nil {
		return nil, fmt.Errorf("the result (%s) does not encode: %w", act.ep.out, err)
	}
	return body, nil
}

// finish answers the message and tells supervision what it must know. No user code runs in it. pe is set if the handler
// did not return.
func (a *actor) finish(act *activation, body []byte, werr *wireError, pe *panicError) {
	act.End(context.Canceled)
	env, token := act.env, act.frame.ReplyToken()
	act.frame.End()
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
		a.node.answerTo(env, body, werr, load, token)
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
