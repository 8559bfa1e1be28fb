package quicnet

import "fmt"

// ID names one incarnation of a process of a session. Proc 0 is the controller. A Proc is never
// given to another process; a process that is started again keeps its Proc and gets the next Epoch.
type ID struct {
	Proc  uint64
	Epoch uint32
}

// Controller is the Proc of the process that holds the session's CA.
const Controller uint64 = 0

// String returns "controller" or "proc 7" (epoch 1 is not shown, later ones are).
func (id ID) String() string {
	switch {
	case id.Proc == Controller:
		return "controller"
	case id.Epoch > 1:
		return fmt.Sprintf("proc %d (epoch %d)", id.Proc, id.Epoch)
	}
	return fmt.Sprintf("proc %d", id.Proc)
}

// SessionID makes an id that counts within a process unique in the session: the process is in the upper 24 bits. It is what
// stands in Envelope.Call, Parent and Trace.
func SessionID(proc, id uint64) uint64 { return proc<<procShift ^ id }

const procShift = 40

// Lane is one of the ordered channels of a link.
type Lane uint8

// The lanes, in order of priority. A body too large for its lane's frames travels on a stream of
// its own while its header keeps its place in the lane (see Node.Send).
const (
	LaneControl Lane = iota // spawn, stop, debugger, heartbeats: never waits behind calls
	LaneCalls               // calls and their replies
	LaneEvents              // telemetry: dropped and counted where the peer is too slow
	lanes                   // how many there are
)

// String returns the lane's name.
func (l Lane) String() string {
	switch l {
	case LaneControl:
		return "control"
	case LaneCalls:
		return "calls"
	case LaneEvents:
		return "events"
	case lanes:
	}
	return fmt.Sprintf("lane %d", uint8(l))
}

// reliable reports whether frames of the lane are kept until acknowledged.
func (l Lane) reliable() bool { return l != LaneEvents }

// Kind says what an envelope is. Values from 32 up are the link's own (see linkframe.go) and are
// never seen by a Handler.
type Kind uint8

// The kinds of envelopes.
const (
	KindCall   Kind = iota + 1 // a message for an endpoint
	KindReply                  // the value a call returned
	KindError                  // the error a call ended in
	KindCancel                 // the caller no longer waits
	KindAck                    // a message was taken (not the link's own acknowledgement)
	KindPort                   // a value for a port
	KindSystem                 // the engine's control requests, answers and events
	kindEnd
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case KindCall:
		return "call"
	case KindReply:
		return "reply"
	case KindError:
		return "error"
	case KindCancel:
		return "cancel"
	case KindAck:
		return "ack"
	case KindPort:
		return "port"
	case KindSystem:
		return "system"
	case kindEnd:
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Addr is an actor of a process. Actor 0 is the process itself.
type Addr struct{ Proc, Actor uint64 }

// ChainEntry is one activation in the chain of those that wait for a message.
type ChainEntry struct {
	Proc, Actor uint64
	Name        string
	Msg         uint64 // id, unique in the session, of the message whose handler waits; 0 = not known
}
