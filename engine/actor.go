package engine

import (
	"context"
	"errors"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/chaos"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// actor is one rank of an actor mesh, living in this process.
type actor struct {
	node   *node
	id     uint64 // of the mesh
	name   string // of the mesh
	rank   int
	life   uint32 // how often the rank had been started anew
	here   Point
	coords []int // of here
	typ    *actorType
	self   any // *T
	probe  *probe.Actor

	ctx     context.Context
	cancel  context.CancelCauseFunc
	labels  context.Context               // with the labels of its goroutine
	marks   map[*endpoint]context.Context // the same with the endpoint that runs, made when one does; guarded by mu
	done    chan struct{}                 // the loop is over
	worn    context.Context               // the labels that the loop's goroutine has; its own
	wornFor *endpoint                     // whose they are; nil: nobody's
	onTime  bool                          // the loop's own: nothing has kept it since a.since, when it finished something

	target  atomic.Pointer[target] // of the message that came last: the next has often the same
	removed atomic.Bool            // from its process's table: messages to it are refused there
	choked  atomic.Bool            // its mailbox is full, and that was told

	mu       sync.Mutex
	queue    []*quicnet.Envelope
	room     []*quicnet.Envelope // the memory of queue, from its begin
	late     chaos.Late          // messages of queue that a fault holds up
	between  []*interlude        // run by the loop between two messages, before the queue
	beside   int                 // concurrent endpoints that run and do not stand at a site
	stands   int                 // sites at which the goroutine of the loop stands: 0 or 1
	stood    chan struct{}       // set while the loop stands: kicks who serves interludes there
	reading  chan struct{}       // set while an interlude runs alone: concurrent endpoints begin when it is closed
	calm     chan struct{}       // set while somebody waits for beside to be 0 or reading to end; closed then
	looping  bool                // the loop has a goroutine, or is over
	asleep   bool                // the loop waits for a kick
	kick     chan struct{}       // the loop waits for it where it has nothing to do; nil: it ends then, and begins anew
	starts   []*activation       // concurrent endpoints that are to start, in arrival order; at most windowSize
	start    chan struct{}       // there are starts; nil: no endpoint of the actor is concurrent
	running  runningSet
	spare    []activation          // for the messages that come next
	turns    map[messageKey]uint64 // of queued messages: number of the last notice about them
	draining bool
	quiet    chan struct{} // set while draining; closed when nothing is left to do
	lull     chan struct{} // set while somebody waits for the actor to do nothing for once; closed then
	frozen   bool          // it begins nothing: its process is about to end, and another build to take its place
	left     bool          // it was abandoned: nobody waits for what it does
	onLeave  func()        // called then, when a stop runs its last hook
	ended    *wireError    // set once: what later messages are told
	failed   bool          // by a panic
	handled  uint64
	since    hlc.Moment
	worked   time.Duration       // in which something was handled, up to since
	still    int                 // of running, whose handlers stand at a site: no work
	acks     map[uint64]taken    // by process: what broadcasts give back there
	size     int                 // bytes of the arguments in queue
	claims   map[uint64]struct{} // locks that it has or waits for
}

type messageKey struct{ proc, id uint64 }

func (a *actor) label() string { return "@" + a.name + "[" + strconv.Itoa(a.rank) + "]" }

// enqueue takes a message into the mailbox, or refuses it. It runs on a link's reader and does not block.
func (a *actor) enqueue(env *quicnet.Envelope) {
	ep := targetOf(env).ep
	a.mu.Lock()
	faults := a.node.chaos.Messages() // under the lock: whoever lifts them looks at the mailbox afterwards
	if env.Flags&flagWaits != 0 && len(env.Chain) > 0 {
		if w := a.closesCycle(ep, env.Chain); w != nil {
			a.mu.Unlock()
			a.node.refuse(env, w)
			return
		}
	}
	if a.ended != nil {
		why := a.ended
		a.mu.Unlock()
		a.node.refuse(env, why)
		return
	}
	if a.draining {
		a.mu.Unlock()
		a.node.refuse(env, stoppedWire("@"+a.name+" is stopping"))
		return
	}
	if faults != nil || a.late.Any() {
		if done, drop := a.faulted(faults, ep, env); done {
			a.mu.Unlock()
			if drop != nil {
				a.node.refuse(env, drop)
			}
			a.node.touch()
			return
		}
	}
	if ep != nil && ep.concurrent && len(a.starts) < windowSize && !a.frozen { // else the starter is far behind: queue it like the others
		a.starts = append(a.starts, a.activate(env, a.node.tel.clock.Now()))
		a.mu.Unlock()
		poke(a.start)
		return
	}
	if a.size > mailboxBytes {
		a.mu.Unlock()
		a.overflow(env)
		return
	}
	a.push(env)
	a.rouse()
	a.mu.Unlock()
	a.node.touch()
}

// targetOf is the target of a message that was delivered.
func targetOf(env *quicnet.Envelope) *target { return env.Memo.(*target) } //nolint:forcetypeassert // node.deliver puts it there

// targetFor finds the target of a message.
func (a *actor) targetFor(env *quicnet.Envelope) *target {
	if t := a.target.Load(); t != nil && t.is(env) {
		return t
	}
	t := a.node.targets.of(a.typ, env)
	if t.ep != nil && t.err == nil {
		a.target.Store(t)
	}
	return t
}

// wake has the loop look whether there is something to do.
func (a *actor) wake() {
	a.mu.Lock()
	a.rouse()
	a.mu.Unlock()
}

// rouse is wake where the caller holds a.mu.
func (a *actor) rouse() {
	switch {
	case !a.looping:
		a.looping = true
		go a.loop()
	case a.stood != nil:
		poke(a.stood)
	case a.asleep:
		a.asleep = false
		poke(a.kick)
	}
}

// loop handles one message at a time. It is the only goroutine that runs non-concurrent handlers.
func (a *actor) loop() {
	idle := false
	defer func() { // runtime.Goexit in a handler leaves the loop too
		if !idle {
			a.flushAcks()
			close(a.done)
			a.node.wg.Done()
		}
	}()
	a.worn = nil
	a.wear(a.labels)
	for {
		fn, act, end := a.take()
		switch {
		case end:
			return
		case fn != nil:
			a.wear(a.labels)
			fn()
		case act != nil:
			a.handle(act, true)
		case a.kick != nil:
			a.wear(a.labels)
			<-a.kick
		default:
			idle = true
			return
		}
	}
}

// wear gives the loop's goroutine labels.
func (a *actor) wear(labels context.Context) {
	if a.worn != labels {
		a.worn, a.wornFor = labels, nil
		pprof.SetGoroutineLabels(labels)
	}
}

// take is the next thing to do: a function between messages, a message, whose labels the goroutine has then, the end, or nothing
// yet.
func (a *actor) take() (fn func(), act *activation, end bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	onTime := a.onTime
	a.onTime = false
	if fn := a.nextInterlude(false); fn != nil {
		return fn, nil, false
	}
	if a.ended != nil {
		return nil, nil, true
	}
	if i := a.late.Next(a.queue); i >= 0 && !a.frozen {
		env := a.queue[i]
		if a.size -= len(env.Body); a.size < mailboxBytes/2 && a.choked.Load() {
			a.choked.Store(false)
		}
		switch {
		case i > 0: // those before it are held up
			a.queue = slices.Delete(a.queue, i, i+1)
		case len(a.queue) == 1:
			a.queue[0] = nil
			a.queue = a.room[:0]
		default:
			a.queue[0] = nil
			a.queue = a.queue[1:]
		}
		since := a.since // as good as now: a reading of the clock is a fortieth of a call
		if !onTime {
			since = a.node.tel.clock.Now()
		}
		act := a.activate(env, since)
		act.begin()
		if act.ep == nil || act.ep != a.wornFor { // most are for the endpoint of the one before
			a.wear(a.marksOf(act.ep))
			a.wornFor = act.ep
		}
		return nil, act, false
	}
	a.checkQuiet()
	if len(a.acks) > 0 {
		return a.flushAcks, nil, false
	}
	a.looping = a.kick != nil
	a.asleep, a.spare = a.looping, nil
	return nil, nil, false
}

// startConcurrent is the goroutine that starts concurrent endpoints in arrival order. What it has not started when the
// actor ends is refused: nothing is put there any more once done is closed.
func (a *actor) startConcurrent() {
	defer a.node.wg.Done()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		select {
		case <-a.start:
		case <-a.done:
			for act, _ := a.nextStart(); act != nil; act, _ = a.nextStart() {
				a.handle(act, false)
			}
			return
		}
		for act, labels := a.nextStart(); act != nil; act, labels = a.nextStart() {
			a.enterBeside()
			began := make(chan struct{})
			running.Go(func() {
				defer a.leaveBeside()
				close(began)
				defer pprof.SetGoroutineLabels(a.labels)
				pprof.SetGoroutineLabels(labels)
				a.handle(act, false)
			})
			<-began
		}
	}
}

// nextStart takes the next concurrent endpoint, with the labels for its goroutine; nil: there is none.
func (a *actor) nextStart() (*activation, context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.starts) == 0 {
		a.starts = nil
		return nil, nil
	}
	act := a.starts[0]
	a.starts[0] = nil
	a.starts = a.starts[1:]
	return act, a.marksOf(act.ep)
}

// panicked ends an actor whose handler did not return: queued and later messages are told so, the process and its other actors
// live on. It gives what supervision is to be told.
func (a *actor) panicked(act *activation, pe *panicError) failureReport {
	what := a.label() + " " + pe.how(act.ep.name)
	a.end(&wireError{Outcome: control.OutcomeError, Type: "failed", Msg: what, Codes: codesOf(ErrFailed)}, true)
	return failureReport{Mesh: a.id, Rank: a.rank, Life: a.life, What: what, Stack: pe.stack}
}

// end closes the mailbox for good and refuses what is in it.
func (a *actor) end(why *wireError, failed bool) { a.endHow(why, failed, false) }

// abandon ends the actor at once: running handlers are left behind with a cancelled context, their callers get why.
func (a *actor) abandon(why *wireError) { a.endHow(why, false, true) }

func (a *actor) endHow(why *wireError, failed, leave bool) {
	a.mu.Lock()
	var left []*quicnet.Envelope
	leaving := func() {}
	if leave && a.onLeave != nil {
		leaving = a.onLeave
	}
	if leave {
		left = a.settleRunning(left)
	}
	if a.ended == nil {
		a.ended, a.failed = why, failed
		left = append(left, a.queue...)
		a.queue, a.room, a.turns, a.size = nil, nil, nil, 0
		a.late.Clear()
		a.late.Arm(a.ripen)
		a.turned(a.node.tel.clock.Now())
	}
	a.left = a.left || leave
	a.checkQuiet()
	a.mu.Unlock()
	leaving()
	a.cancel(errors.New(why.Msg))
	a.endContexts()
	for _, env := range left {
		a.node.refuse(env, why)
	}
	a.wake()
	a.node.touch()
}

// settleRunning takes the answers of what runs from it, before the contexts end, so that what the handlers return then is none. It
// appends the messages that are to be answered instead. The caller holds a.mu.
func (a *actor) settleRunning(left []*quicnet.Envelope) []*quicnet.Envelope {
	for _, act := range a.running.all() {
		if !act.settled {
			act.settled = true
			act.env.Keep()
			left = append(left, act.env)
		}
	}
	return left
}

// interrupt ends what runs, whose callers get why; the actor lives on.
func (a *actor) interrupt(why *wireError) {
	a.mu.Lock()
	left := a.settleRunning(nil)
	a.mu.Unlock()
	a.endContexts()
	for _, env := range left {
		a.node.refuse(env, why)
	}
}

// endContexts ends the contexts of what runs, because the actor's own has ended.
func (a *actor) endContexts() {
	a.mu.Lock()
	acts := a.running.all()
	a.mu.Unlock()
	for _, act := range acts {
		act.End(context.Canceled)
	}
}

// dropQueued takes a message out of the mailbox that will not be handled. The caller holds a.mu.
func (a *actor) dropQueued(i int) {
	delete(a.turns, messageKey{a.queue[i].From.Proc, a.queue[i].ID})
	a.size -= len(a.queue[i].Body)
	a.late.Forget(a.queue[i])
	a.queue = slices.Delete(a.queue, i, i+1)
	a.checkQuiet()
}

// cancelMessage gives up a message, because its caller has ended so: a queued one is dropped, the context of a running one
// ends likewise. Where messages may go by an agent the controller waits for the answer of what it has given up, which says that
// nothing of it is on its way (windows.go).
func (a *actor) cancelMessage(proc, id uint64, ended error) {
	a.mu.Lock()
	for i, env := range a.queue {
		if env.From.Proc == proc && env.ID == id {
			a.dropQueued(i)
			a.mu.Unlock()
			if a.node.up != nil && proc == 0 {
				a.node.refuse(env, outcomeOf(ended))
			}
			a.node.touch()
			return
		}
	}
	act := a.running.get(messageKey{proc, id})
	a.mu.Unlock()
	if act != nil {
		act.End(ended)
	}
}

// noticeWait tells a message, queued or running, that its caller waits for it now, or does not any more.
func (a *actor) noticeWait(proc uint64, w waitNotice) {
	key := messageKey{proc, w.ID}
	a.mu.Lock()
	at := slices.IndexFunc(a.queue, func(env *quicnet.Envelope) bool { return env.From.Proc == proc && env.ID == w.ID })
	if at < 0 {
		act := a.running.get(key)
		a.mu.Unlock()
		if act != nil {
			act.rechain(w.Chain, w.Seq)
		}
		return
	}
	if w.Seq <= a.turns[key] { // overtaken by a newer one
		a.mu.Unlock()
		return
	}
	env := a.queue[at]
	why := a.closesCycle(targetOf(env).ep, w.Chain)
	if why != nil {
		a.dropQueued(at)
	} else {
		if a.turns == nil {
			a.turns = map[messageKey]uint64{}
		}
		a.turns[key], env.Chain = w.Seq, w.Chain
		env.Flags |= flagWaits
		if len(w.Chain) == 0 {
			env.Flags &^= flagWaits
		}
	}
	a.mu.Unlock()
	if why != nil {
		a.node.refuse(env, why)
	}
}

// turned notes that what the actor does changes: the time before counts as work where it handled something that did not stand at
// a site. The caller holds a.mu.
func (a *actor) turned(at hlc.Moment) {
	if a.running.len() > a.still {
		a.worked += at.Sub(a.since)
	}
	a.since = at
}

// pointIn is the actor's point in the mesh it was spawned in.
func pointIn(ref control.MeshRef, rank int) Point {
	return shape.RegionOf(ref.Home.Extent()).Point(rank)
}
