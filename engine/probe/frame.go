package probe

import (
	"reflect"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
)

// Frame is one activation of a handler as the debugger sees it. The engine makes it a part of the activation.
type Frame struct {
	actor *Actor
	act   Activation
	steps atomic.Uint32 // the sites at which this frame stops next; the mask of its actor has them too
	into  atomic.Uint32 // the token that goes with what this frame sends
	past  *past         // nil: it has neither stopped nor stepped; guarded by agent.mu
}

// past is what is known of a frame that has stopped or steps. agent.mu guards it.
type past struct {
	id, gen uint64 // of its stops, 0 before the first
	by      string // who let it go on last
	counted bool   // among the actor's steppers
}

// known gives the past of a frame. The caller holds agent.mu.
func (f *Frame) known() *past {
	if f.past == nil {
		f.past = &past{}
	}
	return f.past
}

// The bits of a token, which travels in an envelope.
const (
	TokenStop   uint8 = 1 << iota // who receives this stops
	TokenFollow                   // and so does who receives what that leads to
)

// Activation is what the engine shows of an activation. But for About, its methods are called on the goroutine that
// reached a site, or while that is parked.
type Activation interface {
	// About is who stopped and where, but for what the agent knows itself.
	About(s Site) control.Stop
	// Endpoint is the name of the endpoint that runs.
	Endpoint() string
	// Values are what conditions speak of, but for hits, site and sender.
	Values(v *cond.Values)
	// Still runs fn while nobody writes the actor's state. It reports false, and has not run fn, where that cannot be said: beside
	// a concurrent endpoint, or on another goroutine than the handler's.
	Still(s Site, fn func()) bool
	// Sender is who sent the message, and the name of it where that is known.
	Sender() (Address, string)
	// Park waits until resumed is closed, or the activation's actor ends: then it says why. Meanwhile the actor can be read.
	Park(resumed <-chan struct{}) (ended string)
}

// Address is an actor of a process of the session; Actor 0 is the process itself.
type Address struct{ Proc, Actor uint64 }

// Begin makes f the frame of an activation of an actor. token came with its message.
func (f *Frame) Begin(a *Actor, act Activation, token uint8) {
	f.actor, f.act = a, act
	if token&(TokenStop|TokenFollow) != 0 {
		f.step(Recv)
	}
	if token&TokenFollow != 0 {
		f.into.Store(uint32(TokenFollow))
	}
}

// Token is what travels with a message that the frame sends now. One stop is for one send.
func (f *Frame) Token() uint8 {
	if f == nil {
		return 0
	}
	t := uint8(f.into.Load())
	switch {
	case t == 0:
	case t&TokenFollow != 0:
		t |= TokenStop
	case !f.into.CompareAndSwap(uint32(t), 0): // another goroutine of the handler sends, too
		return 0
	}
	return t
}

// ReplyToken is what travels with the answer of the frame: finish stops the caller that gets it.
func (f *Frame) ReplyToken() uint8 {
	if Site(f.steps.Load())&finishing != 0 {
		return TokenStop
	}
	return 0
}

// step has the frame stop at its next one of these sites; 0: it steps no more.
func (f *Frame) step(sites Site) {
	f.actor.agent.mu.Lock()
	defer f.actor.agent.mu.Unlock()
	f.stepLocked(sites)
}

// stepLocked is step for who holds agent.mu.
func (f *Frame) stepLocked(sites Site) {
	x, p := f.actor, f.known()
	f.steps.Store(uint32(sites))
	switch {
	case sites != 0 && !p.counted:
		p.counted = true
		x.steppers++
	case sites == 0 && p.counted:
		p.counted = false
		x.steppers--
	}
	if x.stepping |= sites; x.steppers == 0 {
		x.stepping = 0
	}
	x.refresh()
}

// End is called when the activation is over.
func (f *Frame) End() {
	if f.steps.Load() != 0 {
		f.step(0)
	}
}

// finishing is the bit of Frame.steps that stops the caller when it has the answer.
const finishing Site = 1 << 16

// Arrive has the frame stop at its next result: the answer that came with a token.
func (f *Frame) Arrive(token uint8) {
	if f != nil && token&TokenStop != 0 {
		f.step(Site(f.steps.Load()) | Result)
	}
}

// Verdict is how a parked frame goes on, where it does not simply go on.
type Verdict struct {
	How   string        // control.GoReturn, GoFail, GoRetry; Ended
	Value reflect.Value // for return: the result; zero where the endpoint has none
	Text  string        // for fail: the error; for Ended: why
}

// Ended is the verdict on a frame whose actor ended while it was parked.
const Ended = "ended"

// At marks a site. It is called on the message path: where nothing is armed for the actor it costs an atomic load. nil
// means: go on. It is small enough to be inlined.
func At(s Site, f *Frame) *Verdict {
	if Site(f.actor.mask.Load())&s != 0 {
		return f.stop(s)
	}
	return nil
}

// AtBreak is At for engine.Break, which stops whatever is armed. reason is told.
func AtBreak(f *Frame, reason string) *Verdict { return f.reach(Break, reason) }

// Armed reports whether something is armed for the frame's actor at a site.
func (f *Frame) Armed(s Site) bool { return Site(f.actor.mask.Load())&s != 0 }

// stop is the rest of At, apart so that At stays small.
//
//go:noinline
func (f *Frame) stop(s Site) *Verdict { return f.reach(s, "") }

// reach judges a site. reason is why it stops where nothing is armed.
func (f *Frame) reach(s Site, reason string) *Verdict {
	a := f.actor.agent
	st := a.judge(f, s)
	if st == nil {
		if reason == "" {
			return nil
		}
		st = &control.Stop{Reason: reason}
	} else if reason != "" {
		st.Reason = reason + " (" + st.Reason + ")"
	}
	return a.park(f, s, st)
}
