package engine

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/chaos"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// mailboxBytes bounds the arguments in a mailbox of all senders together, of which each has windowBytes: so many at once that a
// wait of each does not help.
const mailboxBytes = 256 << 20

// overflow refuses a message that the mailbox has no room for. Who broadcasts gets no answer, so that is a failure: of many, the
// first is told, until there is room again.
func (a *actor) overflow(env *quicnet.Envelope) {
	what := fmt.Sprintf("the mailbox of %s holds %d MiB already", a.label(), mailboxBytes>>20)
	a.node.refuse(env, &wireError{Outcome: control.OutcomeNotSent, Type: "full", Msg: what})
	if env.Adverb != uint8(adverbBroadcast) || a.choked.Swap(true) {
		return
	}
	a.node.outbox.Add(env.From.Proc, func() { // not on a link's reader
		a.node.reportFailure(failureReport{Mesh: a.id, Rank: a.rank, What: what + ": what is broadcast to it now is lost"}, func() {})
	})
}

// push puts a message at the end of the mailbox. The caller holds a.mu.
func (a *actor) push(env *quicnet.Envelope) {
	if n := len(a.queue); n == cap(a.queue) && cap(a.room) > 2*n { // what was taken has left room at the front
		a.queue = append(a.room[:0], a.queue...)
		clear(a.room[n:cap(a.room)])
	}
	a.size += len(env.Body)
	grows := len(a.queue) == cap(a.queue)
	a.queue = append(a.queue, env)
	if grows {
		a.room = a.queue[:0]
	}
}

// takeLate has the loop look at the messages that are held up no longer, because their time has come or a fault does not act any
// more, and starts those of concurrent endpoints. acts are the faults that do; nil: as before.
func (a *actor) takeLate(acts map[uint64]bool) {
	a.mu.Lock()
	if acts != nil {
		a.late.Release(acts)
	}
	a.late.Ripen(time.Now())
	started := false
	for i := 0; i < len(a.queue); {
		env := a.queue[i]
		ep := targetOf(env).ep
		if ep == nil || !ep.concurrent || a.late.Waits(a.queue, i) || len(a.starts) >= windowSize {
			i++
			continue
		}
		a.size -= len(env.Body)
		a.queue = slices.Delete(a.queue, i, i+1)
		a.starts = append(a.starts, a.activate(env, a.node.tel.clock.Now()))
		started = true
	}
	a.late.Arm(a.ripen)
	a.rouse()
	a.mu.Unlock()
	if started {
		poke(a.start)
	}
	a.node.touch()
}

func (a *actor) ripen() { a.takeLate(nil) }

// faulted judges a message that comes while faults act on messages: it is dropped, with the outcome that its caller is told, or put
// into the mailbox to be handled later. False: nothing is done to it. The caller holds a.mu.
func (a *actor) faulted(m *chaos.Messages, ep *endpoint, env *quicnet.Envelope) (done bool, drop *wireError) {
	var due time.Time
	var by []uint64
	if m != nil && ep != nil {
		v := m.Judge(a.id, ep.name)
		if v.Dropped != 0 {
			return true, &wireError{
				Outcome: control.OutcomeLost, Type: "dropped", Codes: codesOf(ErrLost),
				Msg: "the message was dropped on purpose before " + a.label() + " handled it (fault " + strconv.FormatUint(v.Dropped, 10) + ", by " + clip(v.By, 100) + ")",
			}
		}
		if v.Wait > 0 {
			due, by = time.Now().Add(v.Wait), v.Held
		}
	}
	if a.size > mailboxBytes || !a.late.Hold(env, due, by) { // one that is full refuses it
		return false, nil
	}
	a.push(env)
	a.late.Arm(a.ripen)
	return true, nil
}

// busyActivations is for how many messages that wait already an actor makes activations at once: that costs little more than one. They
// are not used again, because a handler may have left its context anywhere.
const busyActivations = 8

// newActivation gives a new one. The caller holds a.mu.
func (a *actor) newActivation() *activation {
	if len(a.spare) == 0 {
		if len(a.queue) < busyActivations {
			return new(activation)
		}
		a.spare = make([]activation, busyActivations)
	}
	act := &a.spare[0]
	a.spare = a.spare[1:]
	return act
}

// What is given back at once: less waits for more, to save frames.
const (
	ackMessages = 64
	ackBytes    = windowBytes / 16
)

// countAck collects the places that broadcasts give back.
func (a *actor) countAck(proc uint64, bytes int) {
	a.mu.Lock()
	if a.acks == nil {
		a.acks = map[uint64]taken{}
	}
	back := a.acks[proc] + takenBy(1, bytes)
	due := back.messages() >= ackMessages || back.bytes() >= ackBytes
	if due {
		delete(a.acks, proc)
	} else {
		a.acks[proc] = back
	}
	a.mu.Unlock()
	if due {
		a.node.ack(proc, a.id, back)
	}
}

func (a *actor) flushAcks() {
	a.mu.Lock()
	acks := a.acks
	a.acks = nil
	a.mu.Unlock()
	for proc, back := range acks {
		a.node.ack(proc, a.id, back)
	}
}
