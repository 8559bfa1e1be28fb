package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/source"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
	"github.com/monarch-tui/monarch-tui/engine/probe/edit"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
)

var _ probe.Activation = (*activation)(nil)

// Break stops the endpoint that calls it, as a breakpoint would that is set from outside, until a front end lets it go on.
// Nobody else stops, and the engine's deadlines stand still meanwhile. Without a front end it goes on after the session's
// grace time (30 s, unless the session says otherwise). why is told to who looks. Outside an endpoint it does nothing.
//
// What it returns is nil, or the error that the front end wants the endpoint to fail with, which the endpoint should return.
func Break(ctx context.Context, why string) error {
	act := activationOf(ctx)
	if act == nil {
		return nil
	}
	reason := "Break"
	if why != "" {
		reason += ": " + clip(why, maxCauseText)
	}
	switch v := probe.AtBreak(&act.frame, reason); {
	case v == nil:
		return nil
	case v.How == control.GoFail, v.How == probe.Ended:
		return errors.New(v.Text)
	}
	return nil
}

// at marks a site of a frame whose handler sends something, and gives the error that the debugger wants it to fail with. a is
// nil outside handlers.
func (a *activation) at(s probe.Site, what string, ref *meshRef) error {
	if a == nil || !a.frame.Armed(s) {
		return nil
	}
	to := a.aimAt(what, ref)
	v := probe.At(s, &a.frame)
	if v == nil || v.How != control.GoFail && v.How != probe.Ended {
		return nil
	}
	return fmt.Errorf("%s: %s", to, v.Text)
}

// aimAt notes what a message goes to that the frame is about to send, or an answer has come from.
func (a *activation) aimAt(what string, ref *meshRef) string {
	if ref != nil {
		what = refString(ref.MeshRef) + "." + what
	}
	a.mu.Lock()
	a.noted().target = what
	a.mu.Unlock()
	return what
}

// token is what travels with a message that the frame sends now.
func (a *activation) token() uint8 {
	if a == nil {
		return 0
	}
	return a.frame.Token()
}

// arrived marks that a handler has what it waited for.
func (c *call) arrived() {
	if c.caller == nil {
		return
	}
	c.caller.frame.Arrive(uint8(c.token.Swap(0)))
	if c.caller.frame.Armed(probe.Result) {
		c.caller.aimAt(c.endpoint.name, c.ref)
		probe.At(probe.Result, &c.caller.frame)
	}
}

// Endpoint is the name of the endpoint that runs.
func (a *activation) Endpoint() string { return a.ep.name }

// maxShown bounds the text of an argument or a result in a stop.
const maxShown = 256

// About is who stopped, and at what message.
func (a *activation) About(s probe.Site) control.Stop {
	st := control.Stop{
		Mesh: a.actor.name, Rank: a.actor.rank, Point: a.actor.here, Proc: a.actor.node.id, Endpoint: a.ep.name,
		Msg: a.msg(), Call: a.call, Trace: a.trace, Edited: a.edited, Shared: a.ep.concurrent || !onHandler(),
	}
	texts := make([]string, 0, len(a.ep.in))
	for _, arg := range a.args() {
		texts = append(texts, shown(arg))
	}
	st.Arg = clip(strings.Join(texts, ", "), maxShown)
	switch s {
	case probe.Reply:
		st.Value = clip(shown(a.result()), maxShown)
	case probe.Error, probe.Panic:
		st.Value = clip(textOf(a.failure()), maxShown)
	case probe.Break:
		st.Func, st.File, st.Line = source.CallerOf("engine.Break")
	case probe.Send, probe.Result:
		a.mu.Lock()
		st.Target = a.noted().target
		a.mu.Unlock()
	default: // the arguments say it all
	}
	return st
}

// Sender is who sent the message, by name where that actor waits for the answer.
func (a *activation) Sender() (probe.Address, string) {
	from, came := a.from, a.came()
	if n := len(came); n > 0 {
		if last := came[n-1]; last.Proc == from.Proc && last.Actor == from.Actor {
			return probe.Address{Proc: from.Proc, Actor: from.Actor}, last.Name
		}
	}
	return probe.Address{Proc: from.Proc, Actor: from.Actor}, ""
}

// shown is a value as the state of an actor shows it.
func shown(v reflect.Value) string {
	if !v.IsValid() {
		return ""
	}
	box := reflect.New(v.Type())
	box.Elem().Set(v)
	return walk.Tree(box.Interface(), walk.Query{Depth: 2, Count: 16, Text: maxShown}).Text
}

// Values are what conditions about the frame speak of.
func (a *activation) Values(v *cond.Values) {
	x := a.actor
	v.State, v.Args, v.Result = reflect.ValueOf(x.self).Elem(), a.args(), a.result()
	v.Rank, v.Coords, v.Mesh, v.Endpoint = x.rank, x.coords, x.name, a.ep.name
	if err := a.failure(); err != nil {
		v.Error = textOf(err)
	}
}

// scopeOf is what conditions about an endpoint of a type can speak of.
func scopeOf(t *actorType, dims []string, endpoint string) (cond.Scope, bool) {
	ep := t.eps[endpoint]
	if ep == nil {
		return cond.Scope{}, false
	}
	return cond.Scope{State: t.typ, Args: ep.in, Result: ep.out, Dims: dims}, true
}

// paramsOf are the names of the arguments of an endpoint, as the source has them.
func paramsOf(t *actorType, ep *endpoint) []string {
	if len(ep.in) == 0 {
		return nil
	}
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	src := sources.Method(source.Query{PC: ep.pc, Type: t.short, Name: ep.name, Arg: true})
	return src.Params[:len(ep.in)]
}

// handlerFrame is the function of the engine below every handler.
const handlerFrame = ".(*actor).invoke"

// onHandler reports whether this is the goroutine of a handler, and not one that the handler has started.
func onHandler() bool { return source.Under(handlerFrame) }

// Park waits until the frame may go on. Meanwhile it serves what is asked of an actor that stands still.
func (a *activation) Park(resumed <-chan struct{}) (ended string) {
	x := a.actor
	own := onHandler()
	loops := own && !a.ep.concurrent
	var stood chan struct{}
	x.mu.Lock()
	a.parked++
	if own {
		x.turned(x.node.tel.clock.Now())
		x.still++
	}
	switch {
	case loops:
		x.stands, stood = 1, make(chan struct{}, 1)
		x.stood = stood
		poke(stood)
	case own:
		x.beside--
		if x.beside == 0 && len(x.between) > 0 {
			x.rouse()
		}
		x.tellCalm()
	}
	x.mu.Unlock()
	x.node.touch()
	ended = x.stand(resumed, stood)
	x.mu.Lock()
	for own && x.reading != nil { // somebody looks: it goes on when he has seen
		reading := x.reading
		x.mu.Unlock()
		<-reading
		x.mu.Lock()
	}
	a.parked--
	if own {
		x.turned(x.node.tel.clock.Now())
		x.still--
	}
	switch {
	case loops:
		x.stands, x.stood = 0, nil
	case own:
		x.beside++
	}
	x.mu.Unlock()
	x.node.touch()
	return ended
}

// stand waits until resumed is closed or the actor ends. kicked is nil unless it is the loop that stands.
func (a *actor) stand(resumed <-chan struct{}, kicked chan struct{}) (ended string) {
	for {
		select {
		case <-resumed:
			return ""
		case <-a.ctx.Done():
			a.mu.Lock()
			defer a.mu.Unlock()
			if a.ended != nil {
				return a.ended.Msg
			}
			return "its process ended"
		case <-kicked:
			for fn := a.interludeHere(); fn != nil; fn = a.interludeHere() {
				fn()
			}
		}
	}
}

func (a *actor) interludeHere() func() {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.nextInterlude(true)
}

// literal reads a result for the endpoint.
func (a *activation) literal(text string) (reflect.Value, error) {
	switch {
	case a.ep.out == nil && text != "":
		return reflect.Value{}, fmt.Errorf("%s gives nothing but an error: return stands alone", a.ep.name)
	case a.ep.out == nil:
		return reflect.Value{}, nil
	case text == "":
		return reflect.Value{}, fmt.Errorf("%s gives a %s: return wants one", a.ep.name, a.ep.out)
	}
	return edit.Literal(a.ep.out, text)
}

// interlude is something that is done to an actor between two of its messages, ahead of its mailbox.
type interlude struct {
	fn    func()
	alone bool // nor while a concurrent endpoint runs; those that arrive meanwhile wait for its end
	ran   chan struct{}
}

// at runs fn while the actor stands still: between two messages, or while its handler is parked at a site, and while no
// concurrent endpoint runs that is not parked too. What is read or written in it nobody else writes, but for goroutines that
// handlers have left behind, which are nobody's to stop. fn runs guarded, on a goroutine of its own: a panic in it is an
// error. When ctx ends first, fn does not run at all any more, unless it has begun.
func (a *actor) at(ctx context.Context, what string, fn func() error) error {
	var failed error
	if err := a.inBetween(ctx, true, func() {
		failed = guard(what, func() error {
			debug.SetPanicOnFault(true) // what a goroutine of a handler writes meanwhile must not end the process
			return fn()
		})
	}); err != nil {
		return &busyError{a.label(), a.state().Running, err}
	}
	return failed
}

// busyError is why an actor could not be looked at.
type busyError struct {
	label   string
	running []string
	err     error
}

func (e *busyError) Error() string {
	busy := e.label + " was busy until now"
	if len(e.running) > 0 {
		busy = fmt.Sprintf("%s is busy in %v", e.label, e.running)
	}
	return busy + "; its state is read while none of its endpoints runs"
}

func (e *busyError) Unwrap() error { return e.err }

// inBetween runs fn on the actor's goroutine between two messages. alone keeps concurrent endpoints away too, and takes a
// handler that is parked at a site for a place between two messages.
func (a *actor) inBetween(ctx context.Context, alone bool, fn func()) error {
	it := &interlude{fn: fn, alone: alone, ran: make(chan struct{})}
	a.mu.Lock()
	ended, failed := a.ended, a.failed
	if ended == nil {
		a.between = append(a.between, it)
	}
	a.mu.Unlock()
	switch {
	case failed: // its loop is over, or about to be
		return a.afterwards(ctx, fn)
	case ended != nil:
		return errors.New(ended.Msg)
	}
	a.wake()
	select {
	case <-it.ran:
		return nil
	case <-a.done:
		select {
		case <-it.ran: // and the actor ended before we looked
			return nil
		default:
			return fmt.Errorf("%s ended meanwhile", a.label())
		}
	case <-ctx.Done():
	}
	if a.withdraw(it) {
		return fmt.Errorf("%s is busy: %w", a.label(), ctx.Err())
	}
	<-it.ran // it has begun
	return nil
}

// withdraw takes back an interlude that has not begun.
func (a *actor) withdraw(it *interlude) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.between, it)
	if i >= 0 {
		a.between = slices.Delete(a.between, i, i+1)
	}
	return i >= 0
}

// nextInterlude is the first one that may run now. The caller, which is the loop, holds a.mu and runs it. parked says that the
// loop stands in the middle of a handler.
func (a *actor) nextInterlude(parked bool) func() {
	i := slices.IndexFunc(a.between, func(it *interlude) bool { return it.alone && a.beside == 0 || !it.alone && !parked })
	if i < 0 {
		return nil
	}
	it := a.between[i]
	a.between = slices.Delete(a.between, i, i+1)
	if it.alone {
		a.reading = make(chan struct{})
	}
	return func() {
		defer close(it.ran)
		if it.alone {
			defer a.endReading()
		}
		it.fn()
	}
}

// afterwards runs fn on an actor that has failed, when nothing of it runs any more.
func (a *actor) afterwards(ctx context.Context, fn func()) error {
	select {
	case <-a.done:
	case <-ctx.Done():
		return fmt.Errorf("%s is busy: %w", a.label(), ctx.Err())
	}
	if !a.keepApart(ctx.Done()) {
		return fmt.Errorf("%s is busy: %w", a.label(), ctx.Err())
	}
	defer a.endReading()
	fn()
	return nil
}

// keepApart keeps concurrent endpoints from running until endReading, once none runs. It reports false when the limit comes
// first.
func (a *actor) keepApart(limit <-chan struct{}) bool {
	for {
		a.mu.Lock()
		if a.beside == 0 && a.reading == nil {
			a.reading = make(chan struct{})
			a.mu.Unlock()
			return true
		}
		if a.calm == nil {
			a.calm = make(chan struct{})
		}
		calm := a.calm
		a.mu.Unlock()
		select {
		case <-calm:
		case <-limit:
			return false
		}
	}
}

// apartTime is how long a condition waits for concurrent endpoints to end: it may slow nobody down.
const apartTime = 10 * time.Millisecond

// Still runs fn while nobody writes the actor's state.
func (a *activation) Still(s probe.Site, fn func()) bool {
	switch x := a.actor; {
	case a.ep.concurrent, s&(probe.Send|probe.Result|probe.Break) != 0 && !onHandler():
		return false
	case x.start != nil: // it has concurrent endpoints
		limit, cancel := context.WithTimeout(context.Background(), apartTime)
		defer cancel()
		if !x.keepApart(limit.Done()) {
			return false
		}
		defer x.endReading()
	}
	fn()
	return true
}

func (a *actor) endReading() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.reading)
	a.reading = nil
	a.tellCalm()
}

// enterBeside counts a concurrent endpoint in, once nobody reads the actor's state.
func (a *actor) enterBeside() {
	for {
		a.mu.Lock()
		reading := a.reading
		if reading == nil {
			a.beside++
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		<-reading
	}
}

func (a *actor) leaveBeside() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.beside--
	if a.beside == 0 && len(a.between) > 0 {
		a.rouse()
	}
	a.tellCalm()
}

// tellCalm wakes who waits for the actor to stand still. The caller holds a.mu.
func (a *actor) tellCalm() {
	if a.calm != nil && a.beside == 0 && a.reading == nil {
		close(a.calm)
		a.calm = nil
	}
}
