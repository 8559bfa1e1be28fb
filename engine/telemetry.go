package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// The trace of messages. Each process records the calls that it makes: it alone knows when it sent, what came back and
// how long that took on one clock. While nobody watches messages a call pays one atomic load.

const (
	traceRing      = 8192                  // records that wait in one process; past it the oldest are dropped, and counted
	traceBatchSize = 256                   // records that travel together
	traceEvery     = 25 * time.Millisecond // how long they wait for others
	traceText      = 512                   // bytes of an error's text
)

type traceKind uint8

const (
	traceCall traceKind = iota
	traceReply
	traceError
)

// traceRecord is a control.Message as it travels to the controller, which knows the names.
type traceRecord struct {
	_        struct{} `cbor:",toarray"`
	Kind     traceKind
	At       int64 // UnixNano of the caller
	Call     uint64
	ID       uint64
	Parent   uint64
	Trace    uint64
	Proc     uint64 // of the caller; the controller believes it from its own process only
	Actor    uint64 // of the caller; 0: none
	Client   string // where the caller is a front end
	Mesh     uint64 // of the callee
	Name     string // of that mesh
	Rank     int    // in that mesh
	Ranks    int
	Adverb   uint8
	Endpoint string
	Bytes    int
	Body     []byte
	Took     int64
	Arrived  uint64 // clocks of the callee, see quicnet.Envelope; 0: not known
	Began    uint64
	Outcome  string
	Error    string
}

// traceBatch carries records to the controller. Records are numbered in each process: a gap tells how many were lost,
// wherever that was.
type traceBatch struct {
	_       struct{} `cbor:",toarray"`
	Turn    uint64   // of the switch that it was recorded under
	First   uint64   // number of the first record
	Records []traceRecord
}

// tellBody turns telemetry on or off; of two that overtook each other the larger turn counts.
type tellBody struct {
	Turn uint64
	On   bool
}

// telemetry is one process's records on their way to the controller, and its clock: each message that it sends carries a
// reading, so that records of different processes can be put in order.
type telemetry struct {
	clock *hlc.Clock

	on   atomic.Bool
	ship func(traceBatch)
	wake chan struct{} // something waits
	full chan struct{} // a whole batch waits

	mu   sync.Mutex
	turn uint64
	next uint64 // number of the next record
	wait []traceRecord
}

func newTelemetry(ship func(traceBatch)) *telemetry {
	t := &telemetry{clock: new(hlc.Clock), ship: ship, wake: make(chan struct{}, 1), full: make(chan struct{}, 1)}
	t.clock.Ticks(host.TicksAreTime)
	return t
}

// set turns it on or off. Records that wait are dropped: their watchers have gone.
func (t *telemetry) set(b tellBody) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.Turn <= t.turn {
		return
	}
	t.turn, t.next, t.wait = b.Turn, 0, nil
	t.on.Store(b.On)
}

// push never blocks.
func (t *telemetry) push(r traceRecord) {
	t.mu.Lock()
	if !t.on.Load() {
		t.mu.Unlock()
		return
	}
	if len(t.wait) >= traceRing {
		t.wait[0] = traceRecord{}
		t.wait = t.wait[1:]
	}
	t.wait = append(t.wait, r)
	t.next++
	n := len(t.wait)
	t.mu.Unlock()
	switch n {
	case 1:
		poke(t.wake)
	case traceBatchSize:
		poke(t.full)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run is the goroutine that ships: the first record at once, those that follow in batches.
func (t *telemetry) run(closing <-chan struct{}) {
	for {
		select {
		case <-t.wake:
		case <-closing:
			return
		}
		t.flush()
		timer := time.NewTimer(traceEvery)
		select {
		case <-timer.C:
		case <-t.full:
		case <-closing:
		}
		timer.Stop()
	}
}

// flush ships what waits.
func (t *telemetry) flush() {
	t.mu.Lock()
	turn, wait := t.turn, t.wait
	first := t.next - uint64(len(wait))
	t.wait = nil
	t.mu.Unlock()
	for part := range slices.Chunk(wait, traceBatchSize) {
		t.ship(traceBatch{Turn: turn, First: first, Records: part})
		first += uint64(len(part))
	}
}

// shipTrace sends a batch to the controller. The events lane never waits.
func (n *node) shipTrace(r traceBatch) {
	if n.hub != nil {
		n.hub.takeTrace(0, r)
		return
	}
	_ = n.notice(n.root, quicnet.LaneEvents, nil, quicnet.Addr{}, sysTrace, r) // may be dropped: the number of the next batch shows the gap
}

// preview is a copy of the head of a body, so that a record does not keep a large body alive.
func preview(body []byte) []byte { return slices.Clone(body[:min(len(body), control.MaxPreview)]) }

// sessionID makes an id that counts within a process unique in the session: the process in the high bits, in-process
// ranks apart from workers.
func sessionID(proc, id uint64) uint64 {
	if proc&inProcessBit != 0 {
		return quicnet.SessionID(proc, id) | 1<<63
	}
	return quicnet.SessionID(proc, id)
}

// messageID is the id of a message as other messages and front ends name it.
func messageID(env *quicnet.Envelope) uint64 { return sessionID(env.From.Proc, env.ID) }

// receipt is what is told of the message that brought an answer.
type receipt struct {
	msg            uint64
	arrived, began uint64 // 0: not known
}

// receiptOf takes the readings of who answered where they can be true: in the order of what happened, and on a clock that
// ours follows.
func (n *node) receiptOf(env *quicnet.Envelope) *receipt {
	r := &receipt{msg: messageID(env)}
	if inOrder(env.Arrived, env.Began) && max(env.Arrived, env.Began) < env.Clock && n.tel.clock.Takes(env.Clock) {
		r.arrived, r.began = env.Arrived, env.Began
	}
	return r
}

// inOrder reports whether a message can have come and been begun at these readings. One that was refused never began.
func inOrder(arrived, began uint64) bool { return arrived != 0 && (began == 0 || arrived < began) }

// recordTo begins the record of a message to the receiver of env, which is rank i of the slice. from is nil outside actors.
func (n *node) recordTo(env *quicnet.Envelope, from *actor, client string, ref *meshRef, i int) traceRecord {
	r := traceRecord{
		At: time.Now().UnixNano(), Call: env.Call, Trace: env.Trace, Proc: n.id, Client: client,
		Mesh: ref.ID, Name: ref.Name, Rank: ref.View.RankAt(i), Ranks: ref.View.Len(), Adverb: env.Adverb, Endpoint: env.Endpoint,
	}
	if from != nil {
		r.Actor = from.id
	}
	return r
}

// tellSent records the message to index i, which is about to leave.
func (c *call) tellSent(env *quicnet.Envelope, i int) {
	r := c.node.recordTo(env, c.sender, c.client(), c.ref, i)
	r.Kind, r.ID, r.Parent = traceCall, messageID(env), env.Parent
	r.Bytes, r.Body = len(env.Body), c.more.preview
	c.node.tel.push(r)
}

// tellAnswer records how index i ended.
func (c *call) tellAnswer(a answer) {
	env := quicnet.Envelope{Call: c.id, Trace: c.trace(), Adverb: uint8(c.adverb), Endpoint: c.endpoint.name}
	r := c.node.recordTo(&env, c.sender, c.client(), c.ref, a.index)
	r.Kind, r.Parent = traceReply, sessionID(c.node.id, c.firstMsg+uint64(a.index))
	r.Took, r.Outcome = int64(a.took), string(control.OutcomeReply)
	r.Bytes, r.Body = len(a.body), preview(a.body)
	if a.by != nil {
		r.ID, r.Arrived, r.Began = a.by.msg, a.by.arrived, a.by.began
	}
	if a.err != nil {
		r.Kind, r.Outcome, r.Error = traceError, string(a.err.Outcome), clip(a.err.Msg, traceText)
	}
	c.node.tel.push(r)
}

// tellBroadcast records a broadcast's message to index i.
func (n *node) tellBroadcast(env *quicnet.Envelope, from *actor, client string, ref *meshRef, i int, head []byte) {
	r := n.recordTo(env, from, client, ref, i)
	r.Kind, r.ID, r.Parent = traceCall, messageID(env), env.Parent
	r.Bytes, r.Body = len(env.Body), head
	n.tel.push(r)
}
