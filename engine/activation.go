package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/clock"
	"github.com/monarch-tui/monarch-tui/engine/internal/invoke"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// activation is one message being handled. It is its handler's context, which ends once, with what comes first: its caller's
// deadline has passed (context.DeadlineExceeded), its caller has given up, its handler has returned or its actor has ended
// (context.Canceled). That the deadline has passed is known here by the timer, and told by the caller: whichever is first,
// it is the same end. It is also the frame that the debugger stops.
type activation struct {
	clock.Context
	ctxInfo // what the context finds the engine by
	frame   probe.Frame

	env   *quicnet.Envelope // its handler's until the answer
	ep    *endpoint
	to    *target
	since hlc.Moment

	// Of the message, for those who still ask when it has been answered.
	id, call, trace uint64
	from            quicnet.Addr
	index           int    // in the view, once that was judged
	bytes           uint32 // of the body

	parked  int32 // goroutines of it that stand at a site; guarded by actor.mu
	settled bool  // its caller has an outcome, or needs none; guarded by actor.mu
	began   bool  // it was found fit to begin when it was taken
	again   bool  // the debugger wants the handler to begin anew
	edited  bool  // the debugger changed something of it

	shown atomic.Uint32 // what may be seen of run
	run   invoke.Call   // nil before the arguments are decoded

	mu     sync.Mutex
	failed error                // what the handler returned or panicked with
	chain  []quicnet.ChainEntry // who waits for this activation
	waits  *waits               // nil while there is nothing to note
}

// What may be seen of arguments and result: flags of activation.shown.
const (
	shownArgs   uint32 = 1 << iota // there are arguments; others look while the handler runs
	shownResult                    // the handler has left a result
	shownKept                      // somebody may still read or change them
	shownOver                      // they were given back
)

// Value finds the engine, and what the actor's context has.
func (a *activation) Value(key any) any {
	if key == (ctxKey{}) {
		return &a.ctxInfo
	}
	return a.Context.Value(key)
}

// stamp makes a message the child of the activation that sends it.
func (a *activation) stamp(env *quicnet.Envelope) {
	if a == nil {
		env.Trace = env.Call
		return
	}
	env.Parent, env.Trace = a.msg(), a.trace
}

// msg is the id of its message, as other messages and front ends name it.
func (a *activation) msg() uint64 { return sessionID(a.from.Proc, a.id) }

// endpoint is the name of the endpoint that its message is for; the actor may have none of that name.
func (a *activation) endpoint() string { return a.to.name }

// chainLocked is who waits for what the activation sends. Its messages share it; nobody changes it.
func (a *activation) chainLocked() []quicnet.ChainEntry {
	w := a.noted()
	if w.down == nil {
		w.down = append(slices.Clip(a.chain), a.asEntry())
	}
	return w.down
}

// asEntry is the activation as a link of a chain. A concurrent one does not block its actor, so it can close no cycle:
// its place is kept for the path, its address is not.
func (a *activation) asEntry() quicnet.ChainEntry {
	h := quicnet.ChainEntry{Proc: a.actor.node.id, Actor: a.actor.id, Name: a.actor.label(), Msg: a.msg()}
	if a.ep != nil && a.ep.concurrent {
		h.Actor = 0
	}
	return h
}

// activate takes a message that has left the mailbox among the running ones, where a cancellation finds it. The caller
// holds a.mu.
func (a *actor) activate(env *quicnet.Envelope, since hlc.Moment) *activation {
	to := targetOf(env)
	act := a.newActivation()
	act.env, act.ep, act.to, act.since, act.chain = env, to.ep, to, since, env.Chain
	act.id, act.call, act.trace, act.from, act.bytes = env.ID, env.Call, env.Trace, env.From, uint32(len(env.Body))
	act.ctxInfo = ctxInfo{node: a.node, actor: a, act: act}
	key := messageKey{env.From.Proc, env.ID}
	if len(a.turns) > 0 {
		if turn, ok := a.turns[key]; ok {
			act.noted().turn = turn
			delete(a.turns, key)
		}
	}
	act.frame.Begin(a.probe, act, env.Token)
	act.Begin(a.ctx, a.node.clock, env.Budget)
	a.turned(act.since)
	a.running.add(key, act)
	return act
}

// runningSet is the messages that an actor handles: one, but for concurrent endpoints.
type runningSet struct {
	key  messageKey
	one  *activation // nil: none, or it is among the others
	more map[messageKey]*activation
}

func (s *runningSet) add(key messageKey, act *activation) {
	if s.one == nil {
		s.key, s.one = key, act
		return
	}
	put(&s.more, key, act)
}

func (s *runningSet) remove(key messageKey) {
	if s.one != nil && s.key == key {
		s.one = nil
		return
	}
	delete(s.more, key)
}

func (s *runningSet) get(key messageKey) *activation {
	if s.one != nil && s.key == key {
		return s.one
	}
	return s.more[key]
}

func (s *runningSet) len() int {
	if s.one != nil {
		return 1 + len(s.more)
	}
	return len(s.more)
}

// all lists them, in no order.
func (s *runningSet) all() []*activation {
	out := make([]*activation, 0, s.len())
	if s.one != nil {
		out = append(out, s.one)
	}
	return slices.AppendSeq(out, maps.Values(s.more))
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

// begin notes that the handler begins, unless the message was given up. The caller holds a.mu, and the actor has not ended.
func (act *activation) begin() {
	if act.Err() == nil {
		act.began = true
		act.env.Began = act.actor.node.tel.clock.TickAt(act.since.Micros())
	}
}

// handle runs one message and answers it. loop says that it runs on the goroutine of the loop.
func (a *actor) handle(act *activation, loop bool) {
	a.node.touch()
	if werr := act.prepare(); werr != nil {
		act.End(context.Canceled)
		if settled, _, _ := a.leave(act, loop); !settled {
			a.node.refuse(act.env, werr)
		}
		return
	}
	returned := false
	defer func() {
		if !returned { // this goroutine ends: runtime.Goexit, in the handler or in a method of the error that it returned
			a.finish(act, nil, nil, newExit(), loop)
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
	a.finish(act, body, werr, pe, loop)
}

// leave takes a message off the running ones. It reports whether its outcome was told already, how many wait, and whether
// the next of these is soon to be answered too.
func (a *actor) leave(act *activation, loop bool) (settled bool, load int, more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leaveLocked(act, loop)
}

func (a *actor) leaveLocked(act *activation, loop bool) (settled bool, load int, more bool) {
	a.running.remove(messageKey{act.from.Proc, act.id})
	settled, act.settled = act.settled, true
	a.checkQuiet()
	if load = len(a.queue); load > 0 && loop && a.ended == nil && len(a.between) == 0 && !a.late.Any() {
		next := targetOf(a.queue[0]).ep
		more = next != nil && !next.slow.Load()
	}
	return settled, load, more
}

// quick is how long an endpoint may have taken last for the answer before it to wait for its own.
const quick = 50 * time.Microsecond

// tookTime notes how long an endpoint took. Most take as long as before, and nobody else need see that.
func (ep *endpoint) tookTime(d time.Duration) {
	if slow := d >= quick; slow != ep.slow.Load() {
		ep.slow.Store(slow)
	}
}

// prepare judges the message: endpoint, view, deadline.
func (act *activation) prepare() *wireError {
	a, env, ep := act.actor, act.env, act.ep
	bad := func(format string, args ...any) *wireError { // no handler begins, whatever was noted when the message was taken
		a.mu.Lock()
		if !act.settled { // else another goroutine may be answering with env
			act.began, env.Began = false, 0
		}
		a.mu.Unlock()
		return &wireError{Outcome: control.OutcomeError, Type: "call", Msg: fmt.Sprintf(format, args...)}
	}
	if ep == nil {
		return bad("%s has no endpoint %q", a.typ.full, clip(env.Endpoint, 100))
	}
	if env.Hash != 0 && env.Hash != ep.hash {
		return bad("%s.%s has another signature here than at the caller: the two were built from different sources", a.typ.short, ep.name)
	}
	if act.to.err != nil {
		return bad("%v", act.to.err)
	}
	if env.Index >= uint64(act.to.view.size) {
		return bad("index %d is outside the %d ranks of the view", env.Index, act.to.view.size)
	}
	act.index = int(env.Index)
	if act.began {
		return nil
	}
	ended := act.Err() // given up since it left the mailbox: it need not begin
	a.mu.Lock()        // the actor's end is read after the context's: an actor notes it before it ends contexts
	why := a.ended
	if why == nil && ended == nil && !act.settled { // else another goroutine may be answering with env
		act.began = true
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
		act.fail(pe)
		body, err = act.judged(probe.At(probe.Panic, &act.frame), pe) // nothing is unwound before this returns
	}()
	if act.run == nil {
		act.run = act.ep.method.Begin()
		act.shown.Or(shownArgs)
	}
	if err := act.run.Decode(act.env.Body); err != nil {
		return nil, err
	}
	if v := probe.At(probe.Recv, &act.frame); v != nil {
		return act.judged(v, nil)
	}
	if err := act.run.Run(a.self, act); err != nil {
		act.fail(err)
		return act.judged(probe.At(probe.Error, &act.frame), err)
	}
	act.shown.Or(shownResult)
	return act.judged(probe.At(probe.Reply, &act.frame), nil)
}

// args are the arguments, once there are any, for who looks at the frame at a site. They can be set.
func (act *activation) args() []reflect.Value {
	if !act.keeps(shownArgs) {
		return nil
	}
	return act.run.Args()
}

// result is what the handler has returned, once it has.
func (act *activation) result() reflect.Value {
	if !act.keeps(shownResult) {
		return reflect.Value{}
	}
	return act.run.Result()
}

// keeps has something of the frame stay for who looks at it, and reports whether it is there.
func (act *activation) keeps(what uint32) bool {
	return act.shown.Load()&what != 0 && act.shown.Or(shownKept)&shownOver == 0
}

// fail notes what the handler has returned or panicked with.
func (act *activation) fail(err error) {
	act.mu.Lock()
	act.failed = err
	act.mu.Unlock()
}

// failure is that, nil where it has not.
func (act *activation) failure() error {
	act.mu.Lock()
	defer act.mu.Unlock()
	return act.failed
}

// judged is the outcome of the handler after a site: err or the result, or what the debugger made of it.
func (act *activation) judged(v *probe.Verdict, err error) ([]byte, error) {
	if v != nil {
		switch v.How {
		case control.GoReturn:
			act.run.SetResult(v.Value)
			err = nil
		case control.GoFail:
			err = errors.New(v.Text)
		case control.GoRetry:
			act.again = true
			act.shown.And(^shownResult)
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
	return act.run.Encode()
}

// finish answers the message and tells supervision what it must know. No user code runs in it. pe is set if the handler
// did not return.
func (a *actor) finish(act *activation, body []byte, werr *wireError, pe *panicError, loop bool) {
	act.End(context.Canceled)
	env, token := act.env, act.frame.ReplyToken()
	act.frame.End()
	now := a.node.tel.clock.Now()
	act.ep.tookTime(now.Sub(act.since))
	var failure failureReport
	if pe != nil { // before leave and the answer: whoever stops the actor on either must find it failed
		a.mu.Lock()
		a.handled++
		a.turned(now)
		a.mu.Unlock()
		failure, werr = a.panicked(act, pe), pe.wire()
	}
	a.mu.Lock()
	if pe == nil {
		a.handled++
		a.turned(now)
	}
	settled, load, more := a.leaveLocked(act, loop)
	a.mu.Unlock()
	if settled {
		return // it was abandoned, and its caller has its outcome already
	}
	quiet := env.Adverb == uint8(adverbBroadcast)
	if quiet {
		a.countAck(env.From.Proc, len(env.Body))
		act.release(env)
	}
	switch {
	case pe != nil && quiet:
		a.node.reportFailure(failure, func() {})
	case pe != nil:
		a.lastAnswer(act, failure, werr, load, token)
	case !quiet:
		if queued := a.answer(act, body, werr, load, token, more, now.Micros()); loop {
			a.onTime = queued
		}
	case werr != nil:
		what := fmt.Sprintf("%s.%s, called by broadcast, returned an error: %s", a.label(), act.ep.name, clip(werr.Msg, maxCauseText))
		a.node.reportFailure(failureReport{Mesh: a.id, Rank: a.rank, Life: a.life, What: what}, func() {})
	}
	a.node.touch()
}

// answer sends the answer of a message, in its own envelope where that is ours. It reports whether that was only put into a queue, which
// takes no time.
func (a *actor) answer(act *activation, body []byte, werr *wireError, load int, token uint8, more bool, now int64) (queued bool) {
	ans := act.env
	if !ans.Owned() {
		ans = quicnet.NewEnvelope()
	}
	var large *quicnet.Large
	if act.run != nil {
		large = act.run.Memory()
	}
	if a.node.answerIn(ans, act.env, body, large, werr, load, token, more, now) {
		ans = nil
	} else {
		queued = ans.Queued
	}
	act.release(ans)
	return queued
}

// lastAnswer answers the message whose handler ended its actor. Supervision knows of that before the caller does, who may ask for
// the actor's next life at once.
func (a *actor) lastAnswer(act *activation, failure failureReport, werr *wireError, load int, token uint8) {
	failure.Reported = true
	a.node.reportFailure(failure, func() {
		a.answer(act, nil, werr, load, token, false, time.Now().UnixMicro())
	})
}

// release gives back what a message that was answered needed, and its envelope, unless that is nil: it went with the answer. What
// somebody may still look at stays.
func (act *activation) release(env *quicnet.Envelope) {
	if was := act.shown.Load(); act.run != nil && was&shownKept == 0 && act.shown.CompareAndSwap(was, was|shownOver) {
		act.run.Free()
	}
	if env != nil {
		env.Free()
	}
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
