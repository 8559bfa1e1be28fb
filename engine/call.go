package engine

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

const (
	adverbCall      = control.AdverbCall
	adverbOne       = control.AdverbCallOne
	adverbChoose    = control.AdverbChoose
	adverbStream    = control.AdverbStream
	adverbBroadcast = control.AdverbBroadcast
	adverbStart     = control.AdverbStart
)

// call is one call of this process and its fan-out: the ranks it goes to, and what they have answered so far.
type call struct {
	id           uint64
	node         *node
	ref          *meshRef
	endpoint     string
	adverb       control.Adverb
	caller       *activation // nil outside handlers
	sender       *actor      // nil outside actors
	client       string      // name of the front end that called; "": the program
	trace        uint64
	token        atomic.Uint32 // came with an answer: the caller stops when it has it
	told         bool          // its messages are traced
	preview      []byte        // of the argument, when told
	n            int
	to           quicnet.Addr // of a call of one rank
	firstMsg     uint64       // message id of index 0; the others follow
	started      hlc.Moment
	err          error          // nothing was sent
	arg          []byte         // encoded; the memory of the next call, when this one is over
	large        *quicnet.Large // what arg is in, where it is large
	back         []byte         // the answer of a call of one rank, where that is small
	waiters      atomic.Int32   // how many wait for answers; nobody counts where the caller waits from the beginning to the end
	implicitWait atomic.Bool    // waiters counts the first wait already: the messages say that the caller waits
	toldAt       atomic.Int64   // UnixNano when front ends were last told of its progress
	behind       atomic.Bool    // front ends have not been told the latest progress
	telling      sync.Mutex     // orders the events of this call
	over         bool           // the event of its end is out; guarded by telling

	mu      sync.Mutex
	answers []answer    // in arrival order
	ranks   []rankPhase // by index
	wake    chan struct{}
	unhook  func() bool
	hooked  bool     // the end of its context cancels it; otherwise collect does
	one     struct { // room for a call of one rank
		answers [1]answer
		ranks   [1]rankPhase
		windows [1]*window
	}
	windows []*window // by index: where its message has a place; nil where it has none
	size    int       // bytes of the argument

	// One of these tells that every rank has an outcome: over the call of a Future, which anybody may wait for, and at once who
	// waits under whose feet the call is taken again.
	done chan struct{}
	last chan struct{}
	ends <-chan struct{} // of its context, where that is watched for it; nil: who waits looks itself

	pool *callPool    // of a call that is taken again
	refs atomic.Int32 // how many use it beside the first
}

type rankPhase uint8

const (
	phaseUnsent rankPhase = iota
	phaseSent
	phaseAnswered
)

// answer is one rank's outcome.
type answer struct {
	index int
	body  []byte
	err   *wireError // nil for a reply
	took  time.Duration
	by    *receipt          // the message that brought it; nil: none did, or nobody is told
	env   *quicnet.Envelope // what body is a part of, to be given back with the call; nil: nothing is
	off   bool              // the call was taken off the table for it
	came  bool              // the rank has answered
	left  bool              // the caller waits no more: the rank will answer yet
}

// fail has the call not even begin.
func (c *call) fail(err error) *call {
	c.err = err
	c.ended()
	return c
}

// ended tells whoever waits that there is nothing more to come.
func (c *call) ended() {
	if c.done != nil {
		close(c.done)
		return
	}
	poke(c.last)
}

// start encodes the argument and sends it to every rank of the bound mesh.
func start[A any](ctx context.Context, b bound, arg A, adverb control.Adverb) *call {
	if b.endpoint == nil { // a zero value, which nothing was bound to
		b.endpoint = new(endpoint)
	}
	nd, err := nodeOf(ctx)
	if err != nil {
		return (&call{endpoint: b.name, done: make(chan struct{})}).fail(err)
	}
	c := nd.spare.newCall(b, adverb)
	if err = b.usable(); err == nil {
		if c.large = quicnet.NewLarge(bodies.Bound(arg)); c.large != nil {
			c.arg = c.large.B
		}
		c.arg, err = encodeArg(c.arg[:0], b, arg)
	}
	if err != nil {
		return c.fail(err)
	}
	c.send(ctx, nd, b, c.arg)
	if adverb == adverbStart || adverb == adverbStream { // for the others, collect waits under the same context
		c.hook(ctx)
	}
	return c
}

func (b bound) usable() error {
	if b.bad != nil {
		return b.bad
	}
	if err := b.ref.usable(); err != nil {
		return fmt.Errorf("%s: %w", b.name, err)
	}
	return nil
}

// noArg stands for the argument of an endpoint that has none: nil can be a value.
type noArg struct{}

// tuple stands for several arguments.
type tuple []any

// encodeArg appends the encoding of the argument of a call.
func encodeArg[A any](dst []byte, b bound, arg A) ([]byte, error) {
	if len(b.in) == 1 && b.in[0].Kind() != reflect.Interface {
		if out, ok := bodies.AppendPlain(dst, arg); ok { // which leaves arg where it is
			return out, nil
		}
	}
	return encodeAny(dst, b, arg)
}

func encodeAny(dst []byte, b bound, arg any) ([]byte, error) {
	switch arg := arg.(type) {
	case noArg:
		return dst, nil
	case tuple:
		out, err := bodies.AppendEncodeAll(dst, arg, b.in)
		if err != nil {
			return nil, fmt.Errorf("the arguments of %s do not encode: %w", b.name, err)
		}
		return out, nil
	}
	out, err := bodies.AppendEncode(dst, arg, b.in[0])
	if err != nil {
		return nil, fmt.Errorf("the argument of %s (%T) does not encode: %w", b.name, arg, err)
	}
	return out, nil
}

// startRaw sends an encoded argument and cancels the call when its context ends.
func startRaw(ctx context.Context, nd *node, b bound, body []byte, adverb control.Adverb, client string) *call {
	c := &call{endpoint: b.name, adverb: adverb, client: client, done: make(chan struct{})}
	c.send(ctx, nd, b, body)
	c.hook(ctx)
	return c
}

// send sends the encoded argument to every rank.
func (c *call) send(ctx context.Context, nd *node, b bound, body []byte) *call {
	ref, adverb := b.ref, c.adverb
	c.sender, c.caller = whoCalls(ctx)
	if v := c.caller.at(probe.Send, b.name, ref); v != nil {
		return c.fail(v)
	}
	if ref.size != 1 && (adverb == adverbOne || adverb == adverbChoose) {
		var err error
		if ref, err = c.aim(nd, ref); err != nil {
			return c.fail(err)
		}
	}
	c.node, c.ref, c.n, c.to, c.started, c.told = nd, ref, ref.size, ref.first, nd.tel.clock.Now(), nd.tel.on.Load()
	if c.told {
		c.preview = preview(body)
	}
	if c.n == 1 {
		c.ranks, c.answers, c.windows = c.one.ranks[:], c.one.answers[:0], c.one.windows[:]
	} else {
		c.ranks, c.answers, c.windows = make([]rankPhase, c.n), make([]answer, 0, c.n), make([]*window, c.n)
	}
	if c.last != nil {
		c.ends = nd.ends.sees(nd, ctx)
	}
	c.size = len(body)
	nd.register(c)
	env := quicnet.NewEnvelope() // of the messages, one after the other
	env.Kind, env.Call, env.From, env.Region, env.Adverb = quicnet.KindCall, c.id, nd.addrOf(c.caller), ref.region, uint8(adverb)
	env.Endpoint, env.Hash, env.Body = b.name, b.hash, body
	env.Given, env.Large = len(body) > maxKeptArg, c.large // the call gives it away
	env.Alone = c.n > 1                                    // the others go to other processes
	c.caller.stamp(env)
	env.Token = c.caller.token()
	if d, ok := ctx.Deadline(); ok {
		env.Budget = max(time.Until(d), time.Nanosecond)
	}
	var turn uint64
	if adverb != adverbStart {
		if c.last == nil {
			c.implicitWait.Store(true)
			c.waiters.Store(1)
		}
		env.Flags |= flagWaits
		env.Chain, turn = c.caller.awaitAtOnce(c)
	}
	if ctx.Err() != nil { // the caller has given up already: nothing is sent
		c.cancel(ctx)
		return c
	}
	handed := false
	var f *fan
	if nd.fans(ref, c.size) {
		f = nd.fanOf(ctx, ref, env, c.notSentTo)
	}
	for i := range c.n {
		handed = c.sendTo(ctx, env, i, f)
	}
	f.flush()
	if !handed {
		env.Large = nil // the call's
		env.Free()
	}
	if adverb != adverbStart { // the chain may have changed while the messages were sent, and its notice have overtaken them
		if chain, seq, changed := c.caller.changedSince(turn); changed {
			c.notify(chain, seq)
		}
	}
	return c
}

// aim finds the one rank of several that a call is for, if there can be one. It stands alone, like other things that few calls need,
// so that the others have small frames: with a thousand calls under way their stacks are what a processor's cache holds.
func (c *call) aim(nd *node, ref *meshRef) (*meshRef, error) {
	switch {
	case c.adverb == adverbOne:
		return nil, fmt.Errorf("CallOne of %s on %s, which has %d actors: slice it to one, or use Call for all and Choose for any", c.endpoint, refString(ref.MeshRef), ref.size)
	case ref.size > 1:
		best := nd.windows.leastLoaded(ref, nd.turn.Add(1))
		ref = ref.slice([]Sel{ref.View.Point(best)})
	}
	return ref, ref.err
}

// sendTo hands the message of index i to its link, or answers for it when that fails. It reports whether env went with it: that of
// a call of one rank may. With f it may go by an agent.
func (c *call) sendTo(ctx context.Context, env *quicnet.Envelope, i int, f *fan) (handed bool) {
	env.ID, env.Index = c.firstMsg+uint64(i), uint64(i)
	env.To, env.Life = c.addr(i), c.ref.lifeOf(i)
	w := c.ref.window(c.node.windows, i, env.To)
	ok, _, by := w.take(c.size, f.takes(w))
	var err error
	if !ok {
		w, by, err = c.place(ctx, env.To, i, f)
	}
	if err != nil {
		c.answer(answer{index: i, err: notSent(err)})
		return false
	}
	c.mu.Lock()
	late := c.ranks[i] == phaseAnswered // its process ended before its turn came
	if !late {
		c.ranks[i], c.windows[i] = phaseSent, w
	}
	c.mu.Unlock()
	if late {
		c.node.windows.giveBack(w, takenBy(1, c.size))
		return false
	}
	now := c.started.Micros()
	if c.told {
		c.tellSent(env, i)
		now = time.Now().Add(time.Microsecond).UnixMicro() // not before what was told, which has nanoseconds
	}
	if by {
		f.add(c.node, ctx, w, env, c.notSentTo)
		return false
	}
	way := w.way.Load()
	if way == nil {
		x := c.node.wayTo(env.To.Proc)
		way = &x
		if x != nil {
			w.way.Store(way)
		}
	}
	if c.n == 1 {
		handed, err = c.node.handBy(ctx, *way, env, now)
	} else {
		err = c.node.sendBy(ctx, *way, env, now)
	}
	if err != nil {
		c.notSentTo(i, err)
	}
	return handed
}

// place waits for a place in the window of index i. It stands alone for the sake of small frames, as aim does.
func (c *call) place(ctx context.Context, to quicnet.Addr, i int, f *fan) (w *window, by bool, err error) {
	return c.node.windows.acquire(ctx, to, &pendingSend{c.sender, c.client, c.caller, c.ref, i, c.endpoint, c.id, c.size, f})
}

// notSentTo answers for a rank whose message could not be sent.
func (c *call) notSentTo(i int, err error) {
	c.answer(answer{index: i, err: c.node.whyNotSent(c.ref, i, err)})
}

// addr is the receiver of index i.
func (c *call) addr(i int) quicnet.Addr {
	if c.n == 1 {
		return c.to
	}
	return quicnet.Addr{Proc: c.ref.procOf(i), Actor: c.ref.ID}
}

// hook cancels the call when its context ends.
func (c *call) hook(ctx context.Context) {
	if c.err != nil || ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { c.cancel(ctx) })
	c.mu.Lock()
	finished := len(c.answers) == c.n
	c.unhook, c.hooked = stop, true
	c.mu.Unlock()
	if finished {
		stop()
	}
}

// flagDeadline marks a cancellation because the caller's deadline has passed: its handler's context ends with
// context.DeadlineExceeded, as it would by the timer of its own.
const flagDeadline uint8 = 1 << 1

// cancel ends the call for the ranks that have not answered, and tells their handlers why.
func (c *call) cancel(ctx context.Context) {
	why := endOf(ctx)
	var flags uint8
	if why.Outcome == control.OutcomeDeadline {
		flags = flagDeadline
	}
	var sent []int
	for _, i := range c.open() {
		if c.answer(answer{index: i, err: why, left: true}) {
			sent = append(sent, i)
		}
	}
	for _, i := range sent { // through the outbox: cancelling does not wait for a link
		c.keep()
		c.node.outbox.Add(c.ref.procOf(i), func() {
			defer c.free()
			env := quicnet.Envelope{Kind: quicnet.KindCancel, ID: c.firstMsg + uint64(i), Call: c.id, From: c.node.addrOf(c.caller), To: c.addr(i), Index: uint64(i), Flags: flags}
			c.node.cancelBy(c.windows[i], &env)
		})
	}
}

// open lists the indices without an outcome.
func (c *call) open() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int
	for i, p := range c.ranks {
		if p != phaseAnswered {
			out = append(out, i)
		}
	}
	return out
}
