package control

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// isName reports whether a mesh may be called so: a letter or _, then letters, digits, _ or -, 63 bytes at most. It is no regular
// expression: to compile one for this takes 60 KiB in every process.
func isName(name string) bool {
	if len(name) == 0 || len(name) > 63 {
		return false
	}
	for i, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// CheckName says what is wrong with the name of a mesh: the command language must be able to say it. kind, such as "actor
// mesh", is for the text of the error.
func CheckName(kind, name string) error {
	if isName(name) {
		return nil
	}
	if without := strings.ReplaceAll(name, ".", "_"); isName(without) {
		return fmt.Errorf("%s name %q: a dot begins the name of an endpoint, as in @%s.Get; write %s", kind, name, without, without)
	}
	const want = "want a letter or _, then letters, digits, _ or -, 63 at most"
	if name == "" {
		return fmt.Errorf("%s: the name is empty: %s", kind, want)
	}
	if len(name) > 64 {
		name = name[:64] + "…"
	}
	return fmt.Errorf("%s name %q: %s", kind, name, want)
}

// The requests of the protocol's verbs. Each has one answer type; table and PROTOCOL.md list them.
type (
	// ProcsReq creates a proc mesh and returns when every rank is ready. Answer: ProcMesh.
	ProcsReq struct {
		Name          string // "" for procs0, procs1, …
		Dims          shape.Extent
		CPUs          int // GOMAXPROCS of each worker; 0 means 1
		Env           []string
		InProcess     bool
		Virtual       bool
		Oversubscribe bool
		AllowPartial  bool
		Budget        time.Duration  // 0: the engine's default
		Restart       *RestartPolicy `cbor:",omitempty"`
		Lease         time.Duration  `cbor:",omitempty"` // a process without contact for so long ends itself; 0: none does

		// Via is the launcher that is to find the hosts; "": the controller's own machine is all there is.
		Via    string            `cbor:",omitempty"`
		Hosts  []string          `cbor:",omitempty"` // which; nil: as many as the dimension hosts has, of the launcher's choice
		Launch map[string]string `cbor:",omitempty"` // what the launcher is told besides, by option
		Within time.Duration     `cbor:",omitempty"` // the hosts must be there by then; 0: however long they are queued
	}
	// SpawnReq spawns an actor mesh. Answer: Mesh.
	SpawnReq struct {
		Name      string
		Procs     string       // name of the proc mesh
		ProcsID   uint64       // its ID, so that no successor of that name is taken for it; 0: whichever has the name now
		View      shape.Region // slice of the proc mesh; zero: all of it
		Type      string       // short or full
		Prototype []byte       // CBOR of the constructor fields; empty: zero values
		Budget    time.Duration
		Restart   *RestartPolicy `cbor:",omitempty"`
		Gang      bool           `cbor:",omitempty"` // a restart of one rank is one of all
	}
	// StopReq ends a proc mesh or an actor mesh in order. One that has ended already is no error. Answer: none.
	StopReq struct {
		Procs  string // name of a proc mesh, or
		Mesh   string // name of an actor mesh
		ID     uint64 // ProcMesh.ID or MeshRef.ID of the one that is meant; 0: whichever has the name now
		Budget time.Duration
	}
	// KillReq kills procs or abandons actors at once. Answer: none, as StopReq.
	KillReq struct {
		Procs string
		Mesh  string
		ID    uint64 // as StopReq.ID
		Ranks []int  // empty: all
	}
	// CallReq calls an endpoint on one slice of a mesh; replies come through the callback. Answer: CallDone.
	CallReq struct {
		ID       uint64 // chosen by the client, unique per client; for Cancel
		Mesh     string
		View     shape.Region // in ranks of the mesh; zero: all of it
		Endpoint string
		Adverb   Adverb
		Body     []byte        // CBOR of the argument; empty without one
		Budget   time.Duration // 0: none
	}
	// CallDone closes a call; every rank has had its Reply before (none after a broadcast).
	CallDone struct {
		Call  uint64 // the engine's id: what Snapshot.Calls and events show
		Ranks int
	}
	// CancelReq gives up waiting for a call and cancels its handlers. Answer: none.
	CancelReq struct{ ID uint64 }
	// StateReq reads the state of actors between two messages, in pages. Answer: []StateNode, one per rank in order.
	StateReq struct {
		Mesh   string
		Ranks  []int
		Path   string // "" for the actor; else as StateNode.Path gives it
		Start  int    // first child
		Count  int    // children at most; 0 for 64
		Depth  int    // levels of children; 0 for 3
		Text   int    // bytes of a text; 0 for 256. What is longer is cut, and says its length
		Budget time.Duration
	}
	// LogsReq reads back the last lines. Answer: []Log, oldest first.
	LogsReq struct {
		Mesh  string // "" for all
		Ranks []int  // of Mesh; empty: all
		Last  int    // 0 for 100
	}
	// MessagesReq reads back the last messages that were reported while somebody watched. Answer: MessageLog.
	MessagesReq struct {
		Last int // 0 for 1000
	}
	// MetricsReq reads back the figures that actors reported (engine.Metric). Answer: []Series, by mesh, name and rank.
	MetricsReq struct {
		Mesh string // "" for all, and the program's own
		Name string // "" for all
		Last int    // points of each series; 0 for 256
		Now  bool   `cbor:",omitempty"` // what waits in the processes is asked for first; else it is what they have told so far
	}
	// FlushReq waits until everything that ranks printed before has reached the event stream. Answer: none.
	FlushReq struct {
		Mesh string // "" for all procs
	}
	// HoldReq makes the engine's clock stand for TTL, an hour at most; 0 ends the hold. It ends with its client too. Answer: none.
	HoldReq struct{ TTL time.Duration }
	// ProbeReq looks at something of a stopped frame, of actors, or of processes: Name says at what. It changes nothing.
	// Answer: []ProbeReply, one per rank in order.
	ProbeReq struct {
		Stop   StopRef       // the frame, or
		Mesh   string        // actors, or
		Procs  string        // processes of this proc mesh; of all where it is empty too
		Ranks  []int         // of Mesh or Procs; empty: all
		Name   string        // frame | mailbox | eval | stacks | env
		Body   []byte        // CBOR of what the probe wants to know, if anything
		Budget time.Duration // 0: 2 s
	}
	// WatchReq asks for a snapshot and the events after it. Answer: updates, until the request is cancelled.
	WatchReq struct {
		Topics []string // none: all
		Credit int      // updates that the client can take at once; it grants more one by one
	}
	// ProbeReply is one rank's answer to a ProbeReq.
	ProbeReply struct {
		Proc  uint64 // where the answer came from
		Rank  int    // of the mesh that was asked
		Body  []byte
		Error string
	}
)

// MessageLog is what a session keeps of its messages.
type MessageLog struct {
	Events []Event // each with a Message or a Failure, oldest first; a watch that began with a snapshot brings those after its Seq itself
	Older  uint64  // that were reported before these, and are not kept or were not asked for
}

// Series is a figure of one rank over something, such as the loss over the steps of a training.
type Series struct {
	Mesh  string // "" for the program
	Rank  int    // of Mesh; -1 for the program
	Name  string
	X, Y  []float64 // of equal length, X ascending; all are numbers
	Older uint64    // points before these, which are not kept or were not asked for
}

// StateNode is a value of an actor's state, as far as it was asked for.
type StateNode struct {
	Rank  int    // set on the root
	Name  string // field, index or key
	Path  string // asks for this node again
	Type  string // Go type
	Kind  string // bool int uint float string bytes time duration struct list map mesh nil other
	Text  string // of scalars; a short rendering of the rest
	Len   int    // children there are
	Nodes []StateNode
	Error string // on the root: why the state could not be read, e.g. "busy in Train for 12s; showing nothing"
}

// Backend is what the engine implements for Server and InProcess. Its methods are safe for concurrent use and never block on an actor's mailbox.
type Backend interface {
	// Subscribe calls sink for each event after the returned snapshot, in order, until cancel. sink must not block.
	Subscribe(sink func(*Event)) (snap *Snapshot, cancel func())
	// Handle runs one verb of one request and one answer for a client. req is one of the request types above, by value;
	// the answer is of the type its comment names, or nil. Handlers.Run does it.
	Handle(ctx context.Context, client ClientInfo, req any) (any, error)
	// StartCall has sent the call when it returns, so that one client's calls keep their order. wait, called exactly
	// once, is the rest of it: it returns when the call is over; mistakes in the request come from it. reply is called
	// once per rank, in arrival order, never concurrently. Ending ctx cancels the call.
	StartCall(ctx context.Context, client ClientInfo, req CallReq, reply func(Reply)) (wait func() (CallDone, error))
	// Attach and Detach tell that a client came and went, so that all see it.
	Attach(client ClientInfo) ClientInfo
	Detach(client ClientInfo)
}

// Selective is what a Backend is besides when it pays for some events even if nobody gets them, as the engine does for
// messages between workers.
type Selective interface {
	// Want tells that somebody wants events of these topics (never none) from now until it calls done. It comes before
	// the Subscribe that is to get them, and has done when it returns what it can do at once.
	Want(topics []string) (done func())
}
