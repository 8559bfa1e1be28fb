package quicnet

import (
	"context"
	"sync"
)

// Local is the part of an envelope that stays in its process.
type Local struct {
	More   bool   // Send: the sender has more to send soon, so this frame may wait for it, holdTime at most
	Alone  bool   // Send: no other frame for this peer is to be expected now, so none is waited for
	Given  bool   // Send: nobody changes the body any more, so that it need not be copied
	Queued bool   // set by Send where it has only put the frame into a queue: it has waited for nothing
	pooled bool   // it is NewEnvelope's, and was not given back
	memory []byte // what the slices of a received envelope are in
	At     int64  // when it was read from the network, by the machine's clock, in microseconds since 1970; 0: not known
	Route  *Route // of a frame that was received: the route it came by; nil where it came whole
	Memo   any    // the receiver's own
	Back   Sender // of a frame that was received: the way to who sent it; nil: not known
	Large  *Large // what Body lies in, where it is large. Send has the frame keep it; Free takes the envelope from its users
}

// Sender sends to one process. Its errors are those of Node.Send.
type Sender interface {
	Send(ctx context.Context, lane Lane, env *Envelope) error
}

var envelopePool = sync.Pool{New: func() any { return new(Envelope) }}

// NewEnvelope gives an empty envelope that Free takes back.
func NewEnvelope() *Envelope {
	e := envelopePool.Get().(*Envelope) //nolint:forcetypeassert // nothing else is put there
	if Poison {
		*e = Envelope{Local: Local{memory: e.memory}}
	}
	e.memory, e.pooled = e.memory[:0], true
	return e
}

// keptBytes is how large the memory of an envelope may be that is kept for the next: a full mailbox of small messages must not
// hold thousands of large pieces.
const keptBytes = 4 << 10

// Keep has Free do nothing: somebody goes on using the envelope.
func (e *Envelope) Keep() { e.pooled = false }

// Owned reports whether Free would give the envelope back: nobody else uses it.
func (e *Envelope) Owned() bool { return e.pooled }

// Clone is a copy of the envelope in the hands of another, with a body of its own unless that is Large. Both have region, endpoint,
// chain and a large body, which nobody changes.
func (e *Envelope) Clone() *Envelope {
	c := NewEnvelope()
	if e.Large != nil {
		memory := c.memory
		*c = *e
		c.Local = Local{pooled: true, memory: memory, At: e.At, Large: e.Large.Keep()}
		return c
	}
	memory := append(c.memory, e.Body...)
	*c = *e
	c.Local = Local{pooled: true, memory: memory, At: e.At}
	if c.Body = memory; len(memory) == 0 {
		c.Body = nil
	}
	return c
}

// Hand has an envelope of NewEnvelope, which holds nothing Large, be received where it is, instead of a Clone: with a body of its own,
// and without what was its sender's.
func (e *Envelope) Hand() {
	memory := append(e.memory[:0], e.Body...)
	e.Local = Local{pooled: true, memory: memory, At: e.At}
	if e.Body = memory; len(memory) == 0 {
		e.Body = nil
	}
}

// Free gives an envelope of NewEnvelope back, with the memory that its slices are in: nobody may use either any more. Calling
// it is never needed. It does nothing to other envelopes.
func (e *Envelope) Free() {
	if Poison && e.Kind == poisoned {
		panic("quicnet: an envelope was given back twice")
	}
	if !e.pooled {
		return
	}
	memory, large := e.memory, e.Large
	if cap(memory) > keptBytes {
		memory = nil
	}
	*e = Envelope{Local: Local{memory: memory}} // what it points to, such as a large body, need not wait for its next use
	if Poison {
		spoil(e)
	}
	large.Free()
	envelopePool.Put(e)
}

// poisoned is the kind of an envelope that was given back, in builds that look for who uses it all the same.
const poisoned = 0xDB

// spoil makes everything of an envelope, and of the memory it had, wrong.
func spoil(e *Envelope) {
	memory := e.memory[:cap(e.memory)]
	for i := range memory {
		memory[i] = poisoned
	}
	const wrong = 0xDBDBDBDBDBDBDBDB
	*e = Envelope{Kind: poisoned, ID: wrong, Call: wrong, Parent: wrong, Trace: wrong, Clock: 1, From: Addr{wrong, wrong}, To: Addr{wrong, wrong},
		Region: memory, Index: wrong, Endpoint: "an envelope that was given back", Hash: wrong, Body: memory, Local: Local{memory: memory}}
}
