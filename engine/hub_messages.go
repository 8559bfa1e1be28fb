package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// tellTime is how long the begin of a watch of messages waits until the processes know of it, so that the client sees the
// messages of its next call. A process that takes longer begins to trace later.
const tellTime = 250 * time.Millisecond

var _ control.Selective = (*hub)(nil)

// Want counts who wants what: messages are reported, and memory is measured, while somebody looks.
func (h *hub) Want(topics []string) func() {
	for _, t := range topics {
		h.want(t, 1)
	}
	return sync.OnceFunc(func() {
		for _, t := range topics {
			h.want(t, -1)
		}
	})
}

func (h *hub) want(topic string, n int) {
	h.mu.Lock()
	before := h.wanted[topic] > 0
	h.wanted[topic] += n
	now := h.wanted[topic] > 0
	if before == now || h.closed {
		h.mu.Unlock()
		return
	}
	switch topic {
	case control.TopicState:
		h.switchSampler(now)
		h.mu.Unlock()
	case control.TopicMessages:
		h.switchMessages(now)
	default:
		h.mu.Unlock()
	}
}

// switchMessages has every process report its messages, or not. The caller holds h.mu, which is released.
func (h *hub) switchMessages(on bool) {
	h.tell = tellBody{Turn: h.tell.Turn + 1, On: on}
	tell := h.tell
	h.traceSeen = map[uint64]uint64{}
	h.node.tel.set(tell)
	var workers []*proc
	for _, p := range h.procs {
		if p.local == nil && p.isReady() && !p.over() {
			p.told = tell.Turn
			workers = append(workers, p)
		}
	}
	h.mu.Unlock()
	if !on {
		for _, p := range workers {
			h.tellProc(p.id, tell)
		}
		return
	}
	ctx, cancel := context.WithTimeout(h.node.root, tellTime)
	defer cancel()
	h.eachRank(workers, func(_ int, p *proc) error {
		return h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysTell, tell, nil)
	})
}

// tellProc sends the switch to one process and waits for nothing.
func (h *hub) tellProc(proc uint64, tell tellBody) {
	h.node.outbox.Add(proc, func() { // a process that has gone meanwhile has nothing to report
		_ = h.node.notice(h.node.root, quicnet.LaneControl, nil, quicnet.Addr{Proc: proc}, sysTell, tell)
	})
}

// tellAnew tells a process that has just come what changed since it was started. The caller holds h.mu.
func (h *hub) tellAnew(p *proc) {
	if p.local == nil && p.told != h.tell.Turn {
		p.told = h.tell.Turn
		h.tellProc(p.id, h.tell)
	}
}

// maxTraceBatch bounds one batch: a process that sends more is none of ours.
const maxTraceBatch = 4 * traceBatchSize

// takeTrace publishes what a process reported; from 0 comes from this process, which speaks for the ranks in it.
func (h *hub) takeTrace(from uint64, r traceBatch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[from]; from != 0 && (p == nil || p.over()) {
		return
	}
	seen := h.traceSeen[from]
	if r.Turn != h.tell.Turn || !h.tell.On || r.First < seen || len(r.Records) > maxTraceBatch {
		return
	}
	lost := min(r.First-seen, 1<<32)
	h.traceSeen[from] = r.First + uint64(len(r.Records))
	for i := range r.Records {
		if m, ok := h.messageOf(from, &r.Records[i]); ok {
			h.publish(control.Event{Message: &m})
			h.past.add(control.Event{Seq: h.seq, Message: &m})
		} else {
			lost++
		}
	}
	if lost > 0 {
		h.publish(control.Event{Dropped: &control.Dropped{Data: lost}})
	}
}

// How much of the messages is kept for who attaches later.
const (
	maxKept      = 4096
	maxKeptBytes = 2 << 20 // of previews, names and errors
)

// backlog is the last messages that were reported, and the failures among them, oldest first. They are kept when nobody watches any more, but what happens
// then is not among them. Guarded by hub.mu.
type backlog struct {
	events []control.Event
	bytes  int
	older  uint64 // that were let go
}

func pastWeight(ev *control.Event) int {
	if f := ev.Failure; f != nil {
		return 128 + len(f.What) + len(f.Stack)
	}
	m := ev.Message
	return 128 + len(m.From) + len(m.To) + len(m.Endpoint) + len(m.Body) + len(m.Error)
}

func (b *backlog) add(ev control.Event) {
	b.events, b.bytes = append(b.events, ev), b.bytes+pastWeight(&ev)
	for len(b.events) > maxKept || b.bytes > maxKeptBytes {
		b.bytes -= pastWeight(&b.events[0])
		b.events[0] = control.Event{}
		b.events = b.events[1:]
		b.older++
	}
}

// last is the last n of them.
func (b *backlog) last(n int) control.MessageLog {
	skip := max(0, len(b.events)-n)
	return control.MessageLog{Events: slices.Clone(b.events[skip:]), Older: b.older + uint64(skip)}
}

// readMessages gives the last messages.
func (h *hub) readMessages(_ context.Context, _ control.ClientInfo, r control.MessagesReq) (control.MessageLog, error) {
	if r.Last <= 0 {
		r.Last = 1000
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.past.last(r.Last), nil
}

// messageOf gives a record its names; ok is false for one that its sender may not report. The caller holds h.mu.
func (h *hub) messageOf(from uint64, x *traceRecord) (m control.Message, ok bool) {
	ours := from == 0
	if !ours {
		x.Proc, x.Client = from, ""
		x.Endpoint, x.Error = clean.Line(clip(x.Endpoint, traceText)), clean.Line(clip(x.Error, traceText))
	}
	caller, ok := h.callerOf(x)
	if !ok || x.Kind > traceError || len(x.Body) > control.MaxPreview {
		return m, false
	}
	name := x.Name
	if ref, known := h.refOf(x.Mesh); known {
		name = ref.Name
	} else if !ours && control.CheckName("mesh", name) != nil {
		return m, false
	}
	callee := rankLabel(name, x.Rank)
	m = control.Message{
		Time: time.Unix(0, x.At), Call: x.Call, ID: x.ID, Parent: x.Parent, Trace: x.Trace, Kind: control.MessageCall, From: caller, To: callee,
		Endpoint: x.Endpoint, Adverb: control.Adverb(x.Adverb), Ranks: x.Ranks, Bytes: x.Bytes, Body: x.Body, Cut: x.Bytes > len(x.Body),
	}
	if x.Kind == traceCall {
		return m, true
	}
	m.From, m.To = callee, caller
	m.Kind, m.Took, m.Outcome = control.MessageReply, time.Duration(x.Took), control.Outcome(x.Outcome)
	m.Arrived, m.Began = h.timesOf(x)
	if x.Kind == traceError {
		m.Kind, m.Error = control.MessageError, x.Error
	}
	if !ours {
		m.Outcome = control.Outcome(clean.Line(clip(x.Outcome, 32)))
	}
	return m, true
}

// timesOf is when the message of an answer came and was begun, on the clock of who answered. What cannot be true is not known:
// out of order, ahead of what our own clock would follow, or longer before the call than wall clocks may differ.
func (h *hub) timesOf(x *traceRecord) (arrived, began time.Time) {
	if !inOrder(x.Arrived, x.Began) || !h.node.tel.clock.Takes(max(x.Arrived, x.Began)) {
		return
	}
	called := time.Unix(0, x.At).Add(-time.Duration(x.Took))
	if arrived = hlc.Time(x.Arrived); arrived.Before(called.Add(-hlc.MaxAhead)) {
		return time.Time{}, began
	}
	return arrived, hlc.Time(x.Began)
}

// callerOf names who called, if it lives where the record comes from. The caller holds h.mu.
func (h *hub) callerOf(x *traceRecord) (string, bool) {
	if x.Actor != 0 {
		ref, ok := h.refOf(x.Actor)
		if !ok {
			return "", false
		}
		rank, ok := ref.Home.IndexOf(int(x.Proc - ref.First))
		return rankLabel(ref.Name, rank), ok
	}
	switch p := h.procs[x.Proc]; {
	case x.Client != "":
		return x.Client, true
	case x.Proc == 0:
		return "main", true
	case p != nil:
		return rankLabel(p.rec.Mesh, p.rank)[1:], true
	}
	return "", false
}

// refOf finds an actor mesh by id, also one that ended a while ago. The caller holds h.mu.
func (h *hub) refOf(id uint64) (control.MeshRef, bool) {
	if m := h.meshByID[id]; m != nil {
		return m.rec.Ref, true
	}
	for _, m := range slices.Backward(h.history) {
		if m.Ref.ID == id {
			return m.Ref, true
		}
	}
	return control.MeshRef{}, false
}
