package quicnet

import "sync"

// Local is the part of an envelope that stays in its process.
type Local struct {
	More   bool   // Send: the sender has more to send soon, so this frame may wait for it, holdTime at most
	pooled bool   // it is NewEnvelope's, and was not given back
	memory []byte // what the slices of a received envelope are in
	Route  *Route // of a frame that was received: the route it came by; nil where it came whole
}

var envelopePool = sync.Pool{New: func() any { return new(Envelope) }}

// NewEnvelope gives an empty envelope that Free takes back.
func NewEnvelope() *Envelope {
	e := envelopePool.Get().(*Envelope) //nolint:forcetypeassert // nothing else is put there
	*e = Envelope{Local: Local{memory: e.memory[:0], pooled: true}}
	return e
}

// Free gives an envelope of NewEnvelope back, with the memory that its slices are in: nobody may use either any more. Calling
// it is never needed. It does nothing to other envelopes, and nothing the second time.
func (e *Envelope) Free() {
	if !e.pooled {
		if poison && e.Kind == Kind(poisoned) {
			panic("quicnet: an envelope was given back twice")
		}
		return
	}
	e.pooled = false
	if cap(e.memory) > poolBytes {
		e.memory = nil
	}
	if poison {
		spoil(e)
	}
	envelopePool.Put(e)
}

// SetBody makes a copy of b the body, in memory that Free takes back with the envelope.
func (e *Envelope) SetBody(b []byte) {
	e.memory = append(e.memory[:0], b...)
	e.Body = e.memory
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
