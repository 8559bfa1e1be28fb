package engine

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// callTable holds the calls of a process that have not ended.
type callTable struct {
	mu   sync.Mutex
	byID map[uint64]*call
}

// put sets a key of a map that is made when it is needed: most tables of most of 65,536 ranks stay empty.
func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}

func (t *callTable) add(c *call) {
	t.mu.Lock()
	put(&t.byID, c.id, c)
	t.mu.Unlock()
}

func (t *callTable) get(id uint64) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

func (t *callTable) remove(id uint64) {
	t.mu.Lock()
	delete(t.byID, id)
	t.mu.Unlock()
}

// all lists the calls, in no order.
func (t *callTable) all() []*call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.byID))
}

// refuse answers a message that no handler will see. It is called from links' readers, so the answer goes out behind
// their back: a reader that waited for a link could wait for itself.
func (n *node) refuse(env *quicnet.Envelope, why *wireError) {
	n.outbox.Add(env.From.Proc, func() { n.refuseNow(env, why) })
}

func (n *node) refuseNow(env *quicnet.Envelope, why *wireError) {
	if env.Adverb == uint8(adverbBroadcast) {
		n.ack(env.From.Proc, env.To.Actor, 1)
		return
	}
	n.answerTo(env, nil, why, 0, 0)
}

// answerTo sends the answer of a message back.
func (n *node) answerTo(req *quicnet.Envelope, body []byte, werr *wireError, load int, token uint8) {
	env := quicnet.Envelope{
		Kind: quicnet.KindReply, ID: n.nextMsg.Add(1), Call: req.Call, Parent: messageID(req), Trace: req.Trace,
		From: req.To, To: req.From, Index: req.Index, Load: uint64(max(load, 0)), Arrived: req.Arrived, Began: req.Began, Token: token, Body: body,
	}
	if werr != nil {
		env.Kind = quicnet.KindError
		b, err := quicnet.Enc().Marshal(werr)
		if err != nil {
			n.log.Error("an error did not encode", "err", err)
			return
		}
		env.Body = b
	}
	if err := n.send(n.root, quicnet.LaneCalls, &env); err != nil {
		n.unanswerable(&env, err)
	}
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

// takeReply completes a call. Answers to calls that are off the books are late and dropped.
func (n *node) takeReply(env *quicnet.Envelope) {
	c := n.calls.get(env.Call)
	if c == nil || env.Index >= uint64(c.n) {
		return
	}
	i := int(env.Index)
	if want := c.ref.procOf(i); env.From.Proc != want || env.From.Actor != c.ref.ID {
		n.log.Warn("dropped an answer from the wrong process", "from", env.From.Proc, "want", want)
		return
	}
	n.windows.noteLoad(env.From, uint32(min(env.Load, 1<<31)))
	a := answer{index: i, body: env.Body}
	if c.told {
		a.by = n.receiptOf(env)
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
