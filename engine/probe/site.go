package probe

import "sync/atomic"

// Site is a place on a message's way.
type Site uint8

// The sites, in the order a message meets them.
const (
	Recv   Site = iota // the receiver took it from the mailbox
	Send               // a handler, or the program, sends messages; once for all ranks of a call
	Result             // an answer to that came back; no place in the engine marks it yet
	Reply              // the handler returned a result
	Error              // the handler returned an error
	Panic              // the handler panicked
	numSites
)

// String is the site as the command language spells it.
func (s Site) String() string {
	names := [...]string{"recv", "send", "result", "reply", "error", "panic"}
	if s < numSites {
		return names[s]
	}
	return "unknown"
}

// Hook is called at the armed sites, on the goroutine that got there.
type Hook func(Site)

// armed is nil while nothing is: the one word that each site reads.
var armed atomic.Pointer[Hook]

// Arm sets the hook of this process and returns what undoes it.
func Arm(h Hook) (disarm func()) {
	old := armed.Swap(&h)
	return func() { armed.Store(old) }
}

// At marks a site. It is called on the message path: idle, it costs one atomic load.
func At(s Site) {
	if h := armed.Load(); h != nil {
		(*h)(s)
	}
}
