package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Telemetry of messages. Who calls reports its own hops: it alone knows when it sent, what came back and how long that
// took on one clock. While nobody watches messages a call pays one atomic load.

const (
	hopRing  = 8192                  // hops that wait in one process; past it the oldest are dropped, and counted
	hopBatch = 256                   // hops that travel together
	hopEvery = 25 * time.Millisecond // how long they wait for others
	hopText  = 512                   // bytes of an error's text
)

type hopKind uint8

const (
	hopCall hopKind = iota
	hopReply
	hopError
)

// hop is a control.Message as it travels to the controller, which knows the names.
type hop struct {
	_        struct{} `cbor:",toarray"`
	Kind     hopKind
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
	Outcome  string
	Error    string
}

// hopReport carries hops to the controller. Hops are numbered in each process, so that a gap tells how many were lost,
// wherever that was.
type hopReport struct {
	_     struct{} `cbor:",toarray"`
	Turn  uint64   // of the switch that it was recorded under
	First uint64   // number of the first hop
	Hops  []hop
}

// tellBody turns telemetry on or off; of two that overtook each other the larger turn counts.
type tellBody struct {
	Turn uint64
	On   bool
}

// telemetry is one process's hops on their way to the controller.
type telemetry struct {
	on   atomic.Bool
	ship func(hopReport)
	wake chan struct{} // something waits
	full chan struct{} // a whole batch waits

	mu   sync.Mutex
	turn uint64
	next uint64 // number of the next hop
	wait []hop
}

func newTelemetry(ship func(hopReport)) *telemetry {
	return &telemetry{ship: ship, wake: make(chan struct{}, 1), full: make(chan struct{}, 1)}
}

// set turns it on or off. What waits is thrown away: it belongs to watchers that have gone.
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
func (t *telemetry) push(h hop) {
	t.mu.Lock()
	if !t.on.Load() {
		t.mu.Unlock()
		return
	}
	if len(t.wait) >= hopRing {
		t.wait[0] = hop{}
		t.wait = t.wait[1:]
	}
	t.wait = append(t.wait, h)
	t.next++
	n := len(t.wait)
	t.mu.Unlock()
	switch n {
	case 1:
		poke(t.wake)
	case hopBatch:
		poke(t.full)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run is the goroutine that ships: the first hop at once, those that follow in batches.
func (t *telemetry) run(closing <-chan struct{}) {
	for {
		select {
		case <-t.wake:
		case <-closing:
			return
		}
		t.flush()
		timer := time.NewTimer(hopEvery)
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
	for part := range slices.Chunk(wait, hopBatch) {
		t.ship(hopReport{Turn: turn, First: first, Hops: part})
		first += uint64(len(part))
	}
}

// shipHops sends a report to the controller. The events lane never waits.
func (n *node) shipHops(r hopReport) {
	if n.hub != nil {
		n.hub.takeHops(0, r)
		return
	}
	_ = n.notice(n.root, quicnet.LaneEvents, nil, quicnet.Addr{}, sysHops, r) // may be dropped; the next one's number tells
}

// preview is the head of a body, as a copy: the body may be large, and waits for nobody.
func preview(body []byte) []byte { return slices.Clone(body[:min(len(body), control.MaxPreview)]) }

// sessionID makes an id that counts within a process unique in the session: the process in the high bits, in-process
// ranks apart from workers.
func sessionID(proc, id uint64) uint64 {
	high := proc << 40
	if proc&inProcessBit != 0 {
		high |= 1 << 63
	}
	return high ^ id
}

// parentOf is the message that an activation handles.
func parentOf(a *activation) uint64 {
	if a == nil {
		return 0
	}
	return sessionID(a.env.From.Proc, a.env.ID)
}

// hopTo is a hop to the receiver of env, which is rank i of the slice. from is nil outside actors.
func (n *node) hopTo(env *quicnet.Envelope, from *actor, client string, ref *meshRef, i int) hop {
	h := hop{
		At: time.Now().UnixNano(), Call: env.Call, Trace: env.Trace, Proc: n.id, Client: client,
		Mesh: ref.ID, Name: ref.Name, Rank: ref.View.RankAt(i), Ranks: ref.View.Len(), Adverb: env.Adverb, Endpoint: env.Endpoint,
	}
	if from != nil {
		h.Actor = from.id
	}
	return h
}

// tellSent reports the message to index i, which is about to leave.
func (c *call) tellSent(env *quicnet.Envelope, i int) {
	h := c.node.hopTo(env, c.sender, c.client, c.ref, i)
	h.Kind, h.ID, h.Parent = hopCall, sessionID(c.node.id, env.ID), parentOf(c.caller)
	h.Bytes, h.Body = len(env.Body), c.preview
	c.node.tel.push(h)
}

// tellAnswer reports how index i ended.
func (c *call) tellAnswer(a answer) {
	env := quicnet.Envelope{Call: c.id, Trace: c.trace, Adverb: uint8(c.adverb), Endpoint: c.endpoint}
	h := c.node.hopTo(&env, c.sender, c.client, c.ref, a.index)
	h.Kind, h.ID, h.Parent = hopReply, a.msg, sessionID(c.node.id, c.firstMsg+uint64(a.index))
	h.Took, h.Outcome = int64(a.took), string(control.OutcomeReply)
	h.Bytes, h.Body = len(a.body), preview(a.body)
	if a.err != nil {
		h.Kind, h.Outcome, h.Error = hopError, string(a.err.Outcome), clip(a.err.Msg, hopText)
	}
	c.node.tel.push(h)
}

// tellBroadcast reports a broadcast's message to index i.
func (n *node) tellBroadcast(env *quicnet.Envelope, act *activation, from *actor, client string, ref *meshRef, i int, head []byte) {
	h := n.hopTo(env, from, client, ref, i)
	h.Kind, h.ID, h.Parent = hopCall, sessionID(n.id, env.ID), parentOf(act)
	h.Bytes, h.Body = len(env.Body), head
	n.tel.push(h)
}
