package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// callTable holds the calls of a process that have not ended, by id. Ids are given in order, so a call nearly always has the slot
// that the low bits of its id name for itself; one that has not is beside the slots.
type callTable struct {
	mu     sync.Mutex
	slots  []*call // a power of two of them
	beside map[uint64]*call
	n      int
}

// callPool keeps the calls of a process that are over. It is no variable of the package, because a call has a channel, and one
// that was made in a bubble of testing/synctest is good for nothing outside.
type callPool struct{ sync.Pool }

// newCall gives a call to one user, who frees it. Where nobody but that user waits for its answers, it is one that was used
// before.
func (p *callPool) newCall(nd *node, b bound, adverb control.Adverb) *call {
	if adverb == adverbStart || adverb == adverbStream {
		return &call{node: nd, ref: b.ref, endpoint: b.endpoint, adverb: adverb, done: make(chan struct{}), more: &callMore{}}
	}
	c, ok := p.Get().(*call)
	if !ok {
		c = &call{last: make(chan struct{}, 1)}
	}
	c.node, c.ref, c.endpoint, c.adverb, c.id, c.n = nd, b.ref, b.endpoint, adverb, 0, 0
	return c
}

// keep has the call stay for one more user, who frees it.
func (c *call) keep() *call {
	c.refs.Add(1)
	return c
}

// free ends a use of the call. After the last one it is taken for another.
func (c *call) free() {
	if c.refs.Load() > 0 && c.refs.Add(-1) >= 0 || c.last == nil { // who finds that there is nobody beside it is the last: it is off the table
		return
	}
	select {
	case <-c.last: // nobody has waited for it
	default:
	}
	for i := range c.answers {
		if env := c.answers[i].env; env != nil {
			env.Free()
		}
	}
	memory, last, pool := c.memory, c.last, c.node.spare
	if cap(memory) > maxKeptArg {
		memory = nil
	}
	c.large.Free()
	*c = call{}
	c.memory, c.last = memory[:0], last
	if quicnet.Poison {
		c.id, c.n, c.firstMsg = ^uint64(0), -1, ^uint64(0)
		memory = memory[:cap(memory)]
		for i := range memory {
			memory[i] = 0xDB
		}
	}
	pool.Put(c)
}

// maxKeptArg is how large the memory of an argument may be that is kept for the next call.
const maxKeptArg = 16 << 10

// put sets a key of a map that is made when it is needed: most tables of most of 65,536 ranks stay empty.
func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}

// slot is the one that an id names. There is one at least.
func (t *callTable) slot(id uint64) **call { return &t.slots[id&uint64(len(t.slots)-1)] }

func (t *callTable) add(c *call) {
	t.mu.Lock()
	if t.n >= len(t.slots)/2 {
		t.grow()
	}
	t.n++
	if at := t.slot(c.id); *at == nil {
		*at = c
	} else {
		put(&t.beside, c.id, c)
	}
	t.mu.Unlock()
}

// grow makes room for twice as many. The caller holds t.mu.
func (t *callTable) grow() {
	old := t.slots
	t.slots = make([]*call, max(2, 2*len(old)))
	for _, c := range old {
		if c != nil { // no two of them had one slot, so none have now
			*t.slot(c.id) = c
		}
	}
}

// find gives a call; nil: it has ended. The caller holds t.mu.
func (t *callTable) find(id uint64) *call {
	if t.n == 0 {
		return nil
	}
	if c := *t.slot(id); c != nil && c.id == id {
		return c
	}
	return t.beside[id]
}

// get finds a call, which the caller frees.
func (t *callTable) get(id uint64) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.find(id); c != nil {
		return c.keep()
	}
	return nil
}

// take is get for who brings an answer. A call of one rank is off the table then, if the answer is that rank's: it is over. One that
// is alone is not to be freed then: it is its user's once he has been told.
func (t *callTable) take(id uint64, from quicnet.Addr, index uint64) (c *call, off bool) {
	t.mu.Lock()
	if c = t.find(id); c != nil {
		if off = c.n == 1 && index == 0 && c.ref.first == from; off {
			t.drop(c)
		}
		if !off || !c.alone {
			c.keep()
		}
	}
	t.mu.Unlock()
	return c, off
}

// claim takes a call off the table for who has an outcome for it; false: somebody else has taken it off.
func (t *callTable) claim(c *call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.find(c.id) != c {
		return false
	}
	t.drop(c)
	return true
}

func (t *callTable) remove(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.find(id); c != nil {
		t.drop(c)
	}
}

// drop takes a call off. The caller holds t.mu.
func (t *callTable) drop(c *call) {
	if at := t.slot(c.id); *at == c {
		*at = nil
	} else {
		delete(t.beside, c.id)
	}
	t.n--
}

// len is how many there are.
func (t *callTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// each does something with each call, in the order of their ids.
func (t *callTable) each(do func(*call)) {
	var calls []*call
	t.mu.Lock()
	for _, c := range t.slots {
		if c != nil {
			calls = append(calls, c.keep())
		}
	}
	for _, c := range t.beside {
		calls = append(calls, c.keep())
	}
	t.mu.Unlock()
	slices.SortFunc(calls, func(x, y *call) int { return cmp.Compare(x.id, y.id) })
	for _, c := range calls {
		do(c)
		c.free()
	}
}

// refuse answers a message that no handler will see. It is called from links' readers, so the answer goes out behind
// their back: a reader that waited for a link could wait for itself.
func (n *node) refuse(env *quicnet.Envelope, why *wireError) {
	n.outbox.Add(env.From.Proc, func() { n.refuseNow(env, why) })
}

func (n *node) refuseNow(env *quicnet.Envelope, why *wireError) {
	if env.Adverb == uint8(adverbBroadcast) {
		n.ack(env.From.Proc, env.To.Actor, takenBy(1, len(env.Body)))
		return
	}
	n.answerTo(env, nil, why, 0, 0)
}

// answerTo sends the answer of a message back.
func (n *node) answerTo(req *quicnet.Envelope, body []byte, werr *wireError, load int, token uint8) {
	n.answerIn(new(quicnet.Envelope), req, body, nil, werr, load, token, false, time.Now().UnixMicro())
}

// answerIn is answerTo in an envelope of the caller, which may be the message itself: it becomes its own answer. more says that
// the next answer is near; large is what body lies in, where it is large; now is the machine's clock, in microseconds since 1970.
// It reports whether the envelope went with the answer, and is not the caller's any more.
func (n *node) answerIn(env, req *quicnet.Envelope, body []byte, large *quicnet.Large, werr *wireError, load int, token uint8, more bool, now int64) (handed bool) {
	way := req.Back
	env.Kind, env.Call, env.Parent, env.Trace, env.Index, env.Arrived, env.Began = quicnet.KindReply, req.Call, messageID(req), req.Trace, req.Index, req.Arrived, req.Began
	env.From, env.To = req.To, req.From
	env.ID, env.Load, env.Token, env.More = n.nextMsg.Add(1), uint64(max(load, 0)), token, more
	env.Life, env.Adverb, env.Flags, env.Region, env.Endpoint, env.Hash, env.Budget, env.Step, env.Chain = 0, 0, 0, nil, "", 0, 0, 0, nil
	env.Large.Free()                                                            // it was the message's
	env.Body, env.Large, env.Given = body, large.Keep(), len(body) > maxKeptArg // what encoded it gives it away
	if werr != nil {
		env.Kind = quicnet.KindError
		b, err := quicnet.Enc().Marshal(werr)
		if err != nil {
			n.log.Error("an error did not encode", "err", err)
			return false
		}
		env.Body = b
	}
	handed, err := n.handBy(n.root, way, env, now)
	if err != nil {
		n.unanswerable(env, err)
	}
	return handed
}

// unanswerable tries to tell a caller at least why its answer cannot travel; a caller that is gone needs nothing.
func (n *node) unanswerable(env *quicnet.Envelope, err error) {
	n.log.Debug("an answer could not be sent", "to", env.To.Proc, "err", err)
	if env.Kind != quicnet.KindReply {
		return
	}
	short := wireError{Outcome: control.OutcomeError, Type: "send", Msg: fmt.Sprintf("the result could not be sent: %v", err)}
	if b, merr := quicnet.Enc().Marshal(&short); merr == nil {
		env.Kind, env.Body = quicnet.KindError, b
		_ = n.send(n.root, quicnet.LaneCalls, env)
	}
}

// smallAnswer is up to how many bytes an answer is copied for its caller. The envelope is taken for the next one then, which is in the
// processor's cache, instead of one for each caller that has not run yet.
const smallAnswer = 64

// takeReply completes a call. Answers to calls that are off the books are late and dropped.
func (n *node) takeReply(env *quicnet.Envelope) {
	c, off := n.calls.take(env.Call, env.From, env.Index)
	if c == nil {
		n.windows.settle(env.From)
		return
	}
	if !off || !c.alone {
		defer c.free()
	}
	if env.Index >= uint64(c.n) {
		return
	}
	i := int(env.Index)
	if want := c.addr(i); env.From != want {
		n.log.Warn("dropped an answer from the wrong process", "from", env.From.Proc, "want", want.Proc)
		return
	}
	if w, load := c.ref.window(n.windows, i, env.From), uint32(min(env.Load, 1<<31)); w.load.Load() != load { // most find it so
		w.load.Store(load)
	}
	a := answer{index: i, body: env.Body, env: env, off: off, came: true}
	switch {
	case c.told:
		a.by = n.receiptOf(env)
	case off && c.last != nil && len(env.Body) <= smallAnswer && env.Kind == quicnet.KindReply: // nobody else can bring one
		at := len(c.memory) // behind the argument, which may be on its way yet
		c.memory = append(c.memory, env.Body...)
		a.body, a.env = c.memory[at:], nil
		defer env.Free()
	}
	if env.Kind == quicnet.KindError {
		var w wireError
		if err := quicnet.Dec().Unmarshal(env.Body, &w); err != nil {
			w = wireError{Outcome: control.OutcomeError, Type: "protocol", Msg: "the error did not decode: " + err.Error()}
		}
		w.tidy()
		a.body, a.err = nil, &w
	}
	if env.Token != 0 && c.caller != nil {
		c.token.Store(uint32(env.Token))
	}
	c.answer(a)
}

// answer records an outcome; the first one for an index wins. It reports whether a message of that index was out.
func (c *call) answer(a answer) (sent bool) {
	if c.told || c.last == nil { // else nobody asks
		a.took = c.node.tel.clock.Now().Sub(c.started)
	}
	if c.alone {
		return c.answerAlone(a)
	}
	c.mu.Lock()
	if a.index < 0 || a.index >= c.n || c.ranks[a.index].phase.Load() == phaseAnswered {
		c.mu.Unlock()
		if a.came {
			c.node.windows.settle(c.addr(a.index))
		}
		return false
	}
	out := &c.ranks[a.index]
	sent = out.phase.Load() == phaseSent
	out.phase.Store(phaseAnswered)
	c.answers = append(c.answers, a)
	w := out.window
	if sent && a.left && w.detour != nil { // before its answer can come
		w.give(doubt)
	}
	last := len(c.answers) == c.n
	var wake chan struct{}
	var unhook func() bool
	if more := c.more; more != nil {
		wake, unhook = more.wake, more.unhook
		more.wake = nil
	}
	c.mu.Unlock()
	if sent {
		c.node.windows.giveBack(w, takenBy(1, c.size))
	}
	if c.told {
		c.tellAnswer(a)
	}
	c.node.answered(c, last, a.off)
	if last {
		if unhook != nil {
			unhook()
		}
		c.caller.forget(c)
	}
	if wake != nil {
		close(wake)
	}
	if last {
		c.ended()
	}
	return sent
}

// answerAlone is answer for a call that is alone.
func (c *call) answerAlone(a answer) (sent bool) {
	if !a.off && !c.node.calls.claim(c) {
		return false
	}
	out := &c.one.ranks[0]
	w := out.window
	out.phase.Store(phaseAnswered)
	c.answers = append(c.answers, a)
	if a.left && w.detour != nil { // before its answer can come
		w.give(doubt)
	}
	c.node.windows.giveBack(w, takenBy(1, c.size))
	if c.told {
		c.tellAnswer(a)
	}
	c.node.answered(c, true, true)
	c.caller.forget(c)
	c.ended() // from here on it is its user's
	return true
}

// unsent cancels a call of which nothing was sent.
func (c *call) unsent(ctx context.Context) {
	switch {
	case !c.alone:
		c.cancel(ctx)
	case c.node.calls.claim(c): // which has a place, but there is nothing to tell its rank
		c.answerAlone(answer{err: endOf(ctx), off: true})
	}
}

// sent lists the indices whose message left and whose answer has not come.
func (c *call) sent() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int
	for i := range c.ranks {
		if c.ranks[i].phase.Load() == phaseSent {
			out = append(out, i)
		}
	}
	return out
}

func (c *call) rankError(a answer) *RankError {
	return c.ref.rankError(c.endpoint.name, a.index, a.err)
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
			c.node.cancelBy(c.ranks[i].window, &env)
		})
	}
}

// open lists the indices without an outcome.
func (c *call) open() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int
	for i := range c.ranks {
		if c.ranks[i].phase.Load() != phaseAnswered {
			out = append(out, i)
		}
	}
	return out
}
