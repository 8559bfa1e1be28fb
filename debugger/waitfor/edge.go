package waitfor

import (
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Kind tells what else a node of an edge waits for at the same time.
type Kind uint8

// The kinds of an Edge.
const (
	And Kind = iota // all And edges of a node must end before it goes on
	Or              // of the Or edges of a node one must end
)

// Edge says that From waits for To.
type Edge struct {
	From, To string    // "main", a client, or "@mesh[rank]"
	Call     uint64    // the call that From waits in, 0 for none
	Msg      uint64    // the message whose answer it waits for, 0 where it is not known
	Since    time.Time // when it began to wait
	State    string    // as control.WaitEdge: what the message is doing at To
	Endpoint string    // that it called, "" for none
	Kind     Kind
	Held     uint64 // the debugger's stop that holds To, 0: none does
	Break    uint64 // the breakpoint of that stop, 0: it stopped for another reason
	Still    string // the process of To, where a signal has stopped that: "process 7 on host a"; "": none has
	Resource string // what From wants that To holds, "" where it waits for an answer
}

// held reports whether To goes on when somebody lets it: the debugger, or whoever has sent the signal.
func (e *Edge) held() bool { return e.Held != 0 || e.Still != "" }

// FromControl are the edges of a session: calls, which wait for all ranks that they name or, as streams, for any of them,
// and locks.
func FromControl(waits []control.WaitEdge) []Edge {
	out := make([]Edge, len(waits))
	for i, w := range waits {
		out[i] = Edge{From: w.From, To: w.To, Call: w.Call, Msg: w.Msg, Since: w.Since, State: w.State, Endpoint: w.Endpoint, Resource: w.Resource}
		if w.Any {
			out[i].Kind = Or
		}
		if w.Beside { // it is a node of its own: its actor goes on
			out[i].From = fmt.Sprintf("%s beside (call %d)", w.From, w.Call)
		}
	}
	return out
}

// identity is what makes an edge the same one in two looks. Ids are never used again; where there is none, the moment at
// which the wait began stands for it.
type identity struct {
	from, to  string
	call, msg uint64
	resource  string
	since     int64
	kind      Kind
}

func (e *Edge) identity() identity {
	id := identity{from: e.From, to: e.To, call: e.Call, msg: e.Msg, resource: e.Resource, kind: e.Kind}
	if e.Call == 0 && e.Msg == 0 {
		id.since = e.Since.UnixNano()
	}
	return id
}

// handled reports whether an edge is a call to oneself that is already being handled, beside the caller: no wait for oneself.
func (e *Edge) handled() bool {
	return e.From == e.To && e.Resource == "" && e.State == control.WaitRunning
}
