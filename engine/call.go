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

// call is one call of this process and its fan-out: the ranks it goes to, and what they have answered so far. What few calls need is in
// callMore: with a thousand calls under way they are, with the stacks of their callers, what a processor's cache holds.
type call struct {
	id       uint64
	node     *node
	ref      *meshRef
	endpoint *endpoint
	firstMsg uint64 // message id of index 0; the others follow
	n        int

	// One of these tells that every rank has an outcome: over the call of a Future, which anybody may wait for, and at once who
	// waits under whose feet the call is taken again.
	done chan struct{}
	last chan struct{}
	ends <-chan struct{} // of its context, where that is watched for it; nil: who waits looks itself

	refs   atomic.Int32  // how many use it beside the first
	token  atomic.Uint32 // came with an answer: the caller stops when it has it
	caller *activation   // nil outside handlers
	sender *actor        // nil outside actors
	adverb control.Adverb
	told   bool // its messages are traced
	alone  bool // it is of one rank, where it had a place at once, and has one user: who takes it off the table has its outcome, and needs no lock
	by     bool // and its message goes by an agent

	mu      sync.Mutex
	answers []answer  // in arrival order
	ranks   []rankOut // by index
	one     struct {  // room for a call of one rank
		answers [1]answer
		ranks   [1]rankOut
	}
	started hlc.Moment
	size    int            // bytes of the argument
	memory  []byte         // of the argument, encoded, unless that is large, and behind it the answer of a call of one rank where that is small; the next call has it
	large   *quicnet.Large // what the argument is in, where it is large
	more    *callMore      // nil: none of it is needed; set before others know the call
	shown   atomic.Pointer[callShown]
}

// callMore is what a call has that belongs to a Future or a front end, or is traced, or has failed.
type callMore struct {
	err          error        // nothing was sent
	client       string       // name of the front end that called; "": the program
	preview      []byte       // of the argument, when told
	waiters      atomic.Int32 // how many wait for answers; nobody counts where the caller waits from the beginning to the end
	implicitWait atomic.Bool  // waiters counts the first wait already: the messages say that the caller waits

	wake   chan struct{} // these are guarded by call.mu
	unhook func() bool
	hooked bool // the end of its context cancels it; otherwise collect does
}

// callShown is what front ends were told of a call.
type callShown struct {
	at     atomic.Int64 // UnixNano when they were last told of its progress
	behind atomic.Bool  // they have not been told the latest progress

	mu   sync.Mutex // orders the events of the call
	over bool       // the event of its end is out
}

// rankOut is the message of a call to one rank. Who changes it holds call.mu, unless the call is alone.
type rankOut struct {
	phase  atomic.Uint32
	window *window // where it has a place; nil where it has none
}

// The phases of a rank.
const (
	phaseUnsent uint32 = iota
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
	if c.more == nil {
		c.more = &callMore{}
	}
	c.more.err = err
	c.ended()
	return c
}

// err is why nothing was sent; nil: something was, or is to be.
func (c *call) err() error {
	if c.more == nil {
		return nil
	}
	return c.more.err
}

// client is the name of the front end that called; "": the program did.
func (c *call) client() string {
	if c.more == nil {
		return ""
	}
	return c.more.client
}

// trace is what its messages, and those that follow from them, have in common.
func (c *call) trace() uint64 {
	if c.caller != nil {
		return c.caller.trace
	}
	return c.id
}

// ended tells whoever waits that there is nothing more to come.
func (c *call) ended() {
	if c.done != nil {
		close(c.done)
		return
	}
	poke(c.last)
}

// prepare makes a call of the bound mesh, with its argument encoded, for send. It and what is done with the call follow each other
// instead of standing in each other: a goroutine that waits for its answer keeps little of its stack in a processor's cache.
func prepare[A any](ctx context.Context, b bound, arg A, adverb control.Adverb) *call {
	c := newCall(ctx, b, adverb)
	if c.err() != nil {
		return c
	}
	into := c.memory[:0]
	if c.large = quicnet.NewLarge(bodies.Bound(arg)); c.large != nil {
		into = c.large.B
	}
	into, err := encodeArg(into, c.bound(), arg)
	if err != nil {
		return c.fail(err)
	}
	c.setArg(into)
	return c
}

// newCall is a call of the bound mesh without its argument, or one that has failed.
func newCall(ctx context.Context, b bound, adverb control.Adverb) *call {
	if b.endpoint == nil { // a zero value, which nothing was bound to
		b.endpoint = new(endpoint)
	}
	info := infoOf(ctx)
	if info == nil {
		nd, err := nodeOf(ctx)
		if err != nil {
			return (&call{endpoint: b.endpoint, done: make(chan struct{})}).fail(err)
		}
		info = &ctxInfo{node: nd}
	}
	c := info.node.spare.newCall(info.node, b, adverb)
	c.sender, c.caller = info.actor, info.act
	if err := b.usable(); err != nil {
		return c.fail(err)
	}
	return c
}

func (c *call) bound() bound { return bound{c.ref, c.endpoint} }

// setArg has the call keep its encoded argument, which lies in c.large or is to be its memory.
func (c *call) setArg(b []byte) {
	c.size = len(b)
	if c.large != nil && cap(b) != cap(c.large.B) { // it has outgrown that
		c.large.Free()
		c.large = nil
	}
	if c.large != nil {
		c.large.B = b
	} else {
		c.memory = b
	}
}

// arg is the encoded argument.
func (c *call) arg() []byte {
	if c.large != nil {
		return c.large.B
	}
	return c.memory[:c.size:c.size]
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
	c := &call{node: nd, ref: b.ref, endpoint: b.endpoint, adverb: adverb, done: make(chan struct{}), more: &callMore{client: client}}
	c.memory, c.size = body, len(body)
	c.sender, c.caller = whoCalls(ctx)
	return c.send(ctx)
}

// send sends the argument to every rank, unless the call has failed already.
func (c *call) send(ctx context.Context) *call {
	if c.err() != nil {
		return c
	}
	env, turn := c.begin(ctx)
	if env == nil {
		return c
	}
	if c.n == 1 {
		c.sendOne(ctx, env)
	} else {
		c.sendAll(ctx, env)
	}
	if c.caller != nil && c.adverb != adverbStart { // the chain may have changed while the messages were sent, and its notice have overtaken them
		if chain, seq, changed := c.caller.changedSince(turn); changed {
			c.notify(chain, seq)
		}
	}
	if c.last == nil { // for the others, who waits does so under the same context
		c.hook(ctx)
	}
	return c
}

// begin puts the call on the table, and gives what its messages have in common, with the turn for changedSince; nil: it is over already.
func (c *call) begin(ctx context.Context) (env *quicnet.Envelope, turn uint64) {
	nd, ref, adverb := c.node, c.ref, c.adverb
	if v := c.caller.at(probe.Send, c.endpoint.name, ref); v != nil {
		c.fail(v)
		return nil, 0
	}
	if ref.size != 1 && (adverb == adverbOne || adverb == adverbChoose) {
		var err error
		if ref, err = c.aim(nd, ref); err != nil {
			c.fail(err)
			return nil, 0
		}
		c.ref = ref
	}
	c.n, c.started, c.told = ref.size, nd.tel.clock.Now(), nd.tel.on.Load()
	body := c.arg()
	if c.told {
		if c.more == nil {
			c.more = &callMore{}
		}
		c.more.preview = preview(body)
	}
	if c.n == 1 {
		c.ranks, c.answers = c.one.ranks[:], c.one.answers[:0]
	} else {
		c.ranks, c.answers = make([]rankOut, c.n), make([]answer, 0, c.n)
	}
	if c.last != nil {
		c.ends = nd.ends.sees(nd, ctx)
		if c.n == 1 {
			c.takePlace()
		}
	}
	c.firstMsg, c.id = nd.newMessages(c.n)
	var flags uint8
	var chain []quicnet.ChainEntry
	if adverb != adverbStart { // before others can end the call, which takes this back
		if c.last == nil {
			c.more.implicitWait.Store(true)
			c.more.waiters.Store(1)
		}
		flags = flagWaits
		chain, turn = c.caller.awaitAtOnce(c)
	}
	nd.register(c)
	env = quicnet.NewEnvelope() // of the messages, one after the other
	env.Kind, env.Call, env.From, env.Region, env.Adverb = quicnet.KindCall, c.id, nd.addrOf(c.caller), ref.region, uint8(adverb)
	env.Endpoint, env.Hash, env.Body = c.endpoint.name, c.endpoint.hash, body
	env.Given, env.Large = len(body) > maxKeptArg, c.large // the call gives it away
	env.Alone = c.n > 1                                    // the others go to other processes
	c.caller.stamp(env)
	env.Token = c.caller.token()
	if d, ok := ctx.Deadline(); ok {
		env.Budget = max(time.Until(d), time.Nanosecond)
	}
	env.Flags, env.Chain = flags, chain
	if ctx.Err() != nil { // the caller has given up already: nothing is sent
		env.Large = nil
		env.Free()
		c.unsent(ctx)
		return nil, 0
	}
	return env, turn
}

// sendAll sends the messages of a call of several ranks, or of none.
func (c *call) sendAll(ctx context.Context, env *quicnet.Envelope) {
	var f *fan
	if c.node.fans(c.ref, c.size) {
		f = c.node.fanOf(ctx, c.ref, env, c.notSentTo)
	}
	for i := range c.n {
		c.sendTo(ctx, env, i, f)
	}
	f.flush()
	env.Large = nil // the call's
	env.Free()
}

// aim finds the one rank of several that a call is for, if there can be one. It stands alone, like other things that few calls need,
// so that the others have small frames: with a thousand calls under way their stacks are what a processor's cache holds.
func (c *call) aim(nd *node, ref *meshRef) (*meshRef, error) {
	switch {
	case c.adverb == adverbOne:
		return nil, fmt.Errorf("CallOne of %s on %s, which has %d actors: slice it to one, or use Call for all and Choose for any", c.endpoint.name, refString(ref.MeshRef), ref.size)
	case ref.size > 1:
		best := nd.windows.leastLoaded(ref, nd.turn.Add(1))
		ref = ref.slice([]Sel{ref.View.Point(best)})
	}
	return ref, ref.err
}

// sendTo hands the message of index i to its link, or answers for it when that fails. With f it may go by an agent.
func (c *call) sendTo(ctx context.Context, env *quicnet.Envelope, i int, f *fan) {
	w, by, ok := c.ready(ctx, env, i, f)
	switch {
	case !ok:
	case by:
		f.add(c.node, ctx, w, env, c.notSentTo)
	default:
		if err := c.node.sendBy(ctx, c.node.wayOf(w, env.To.Proc), env, c.stampTime()); err != nil {
			c.notSentTo(i, err)
		}
	}
}

// sendOne is sendTo for the only rank of a call. It ends the caller's use of env.
func (c *call) sendOne(ctx context.Context, env *quicnet.Envelope) {
	w, by, ok := c.ready(ctx, env, 0, nil)
	var handed bool
	var err error
	switch {
	case !ok:
	case by:
		var none *fan
		none.add(c.node, ctx, w, env, c.notSentTo)
	default:
		way := c.node.wayOf(w, env.To.Proc)
		now := c.stampTime()
		if _, here := way.(memWay); here || way == nil {
			handed, err = c.node.handBy(ctx, way, env, now)
		} else if err = c.node.stamp(env, now); err == nil { // handBy, in fewer frames
			if err = way.Send(ctx, quicnet.LaneCalls, env); err != nil {
				err = c.node.sentAnew(ctx, env, err)
			}
		}
	}
	if err != nil {
		c.notSentTo(0, err)
	}
	if !handed {
		env.Large = nil // the call's
		env.Free()
	}
}

// ready has the message of index i take its place, and addresses it; by says that it is to go by an agent. It is not ok where the
// rank has its outcome already.
func (c *call) ready(ctx context.Context, env *quicnet.Envelope, i int, f *fan) (w *window, by, ok bool) {
	env.ID, env.Index = c.firstMsg+uint64(i), uint64(i)
	env.To, env.Life = c.addr(i), c.ref.lifeOf(i)
	if c.alone {
		if c.told {
			c.tellSent(env, i)
		}
		return c.one.ranks[0].window, c.by, true
	}
	w = c.ref.window(c.node.windows, i, env.To)
	ok, _, by = w.take(c.size, f.takes(w))
	var err error
	if !ok {
		w, by, err = c.place(ctx, env.To, i, f)
	}
	if err != nil {
		c.answer(answer{index: i, err: notSent(err)})
		return nil, false, false
	}
	c.mu.Lock()
	out := &c.ranks[i]
	late := out.phase.Load() == phaseAnswered // its process ended before its turn came
	if !late {
		out.phase.Store(phaseSent)
		out.window = w
	}
	c.mu.Unlock()
	if late {
		c.node.windows.giveBack(w, takenBy(1, c.size))
		return nil, false, false
	}
	if c.told {
		c.tellSent(env, i)
	}
	return w, by, true
}

// stampTime is what a message of the call is stamped with.
func (c *call) stampTime() int64 {
	if c.told { // not before what was told, which has nanoseconds
		return time.Now().Add(time.Microsecond).UnixMicro()
	}
	return c.started.Micros()
}

// place waits for a place in the window of index i. It stands alone for the sake of small frames, as aim does.
func (c *call) place(ctx context.Context, to quicnet.Addr, i int, f *fan) (w *window, by bool, err error) {
	return c.node.windows.acquire(ctx, to, &pendingSend{c.sender, c.client(), c.caller, c.ref, i, c.endpoint.name, c.id, c.size, f})
}

// notSentTo answers for a rank whose message could not be sent.
func (c *call) notSentTo(i int, err error) {
	c.answer(answer{index: i, err: c.node.whyNotSent(c.ref, i, err)})
}

// addr is the receiver of index i.
func (c *call) addr(i int) quicnet.Addr {
	if c.n == 1 {
		return c.ref.first
	}
	return quicnet.Addr{Proc: c.ref.procOf(i), Actor: c.ref.ID}
}
