package engine

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// What bounds a mailbox: the windows of its senders (windows.go), to which places go back as messages are handled, and mailboxBytes.

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
