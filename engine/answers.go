package engine

import (
	"cmp"
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
func (p *callPool) newCall(b bound, adverb control.Adverb) *call {
	if adverb == adverbStart || adverb == adverbStream {
		return &call{endpoint: b.name, adverb: adverb, done: make(chan struct{})}
	}
	c, ok := p.Get().(*call)
	if !ok {
		c = &call{last: make(chan struct{}, 1), pool: p}
	}
	c.endpoint, c.adverb, c.id, c.n = b.name, adverb, 0, 0
	return c
}

// keep has the call stay for one more user, who frees it.
func (c *call) keep() *call {
	c.refs.Add(1)
	return c
}

// free ends a use of the call. After the last one it is taken for another.
func (c *call) free() {
	if c.refs.Add(-1) >= 0 || c.last == nil {
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
	arg, back, last, pool := c.arg, c.back, c.last, c.pool
	if cap(arg) > maxKeptArg {
		arg = nil
	}
	c.large.Free()
	*c = call{}
	c.arg, c.back, c.last, c.pool = arg[:0], back[:0], last, pool
	if quicnet.Poison {
		c.id, c.n, c.firstMsg = ^uint64(0), -1, ^uint64(0)
		for _, memory := range [2][]byte{c.arg[:cap(c.arg)], c.back[:cap(c.back)]} {
			for i := range memory {
				memory[i] = 0xDB
			}
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
	defer t.mu.Unlock()
	if t.n >= len(t.slots)/2 {
		old := t.slots
		t.slots = make([]*call, max(2, 2*len(old)))
		for _, c := range old {
			if c != nil { // no two of them had one slot, so none have now
				*t.slot(c.id) = c
			}
		}
	}
	t.n++
	if at := t.slot(c.id); *at == nil {
		*at = c
		return
	}
	put(&t.beside, c.id, c)
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

// take is get for who brings an answer. A call of one rank is off the table then, if the answer is that rank's: it is over.
func (t *callTable) take(id uint64, from quicnet.Addr, index uint64) (c *call, off bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c = t.find(id)
	if c == nil {
		return nil, false
	}
	if off = c.n == 1 && index == 0 && c.to == from; off {
		t.drop(c)
	}
	return c.keep(), off
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
	defer c.free()
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
		c.back = append(c.back, env.Body...)
		a.body, a.env = c.back, nil
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
	c.mu.Lock()
	if a.index < 0 || a.index >= c.n || c.ranks[a.index] == phaseAnswered {
		c.mu.Unlock()
		if a.came {
			c.node.windows.settle(c.addr(a.index))
		}
		return false
	}
	sent = c.ranks[a.index] == phaseSent
	c.ranks[a.index] = phaseAnswered
	c.answers = append(c.answers, a)
	w := c.windows[a.index]
	if sent && a.left && w.detour != nil { // before its answer can come
		w.give(doubt)
	}
	last := len(c.answers) == c.n
	wake := c.wake
	c.wake = nil
	unhook := c.unhook
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

// sent lists the indices whose message left and whose answer has not come.
func (c *call) sent() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int
	for i, p := range c.ranks {
		if p == phaseSent {
			out = append(out, i)
		}
	}
	return out
}

func (c *call) rankError(a answer) *RankError {
	return c.ref.rankError(c.endpoint, a.index, a.err)
}
