package control

import (
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Snapshot is everything a front end needs to draw a session, as of event Seq.
type Snapshot struct {
	Seq        uint64
	Time       time.Time
	Session    Session
	Hosts      []Host
	ProcMeshes []ProcMesh
	Procs      []Proc
	Meshes     []Mesh
	Types      []Type
	Named      schema.Types // the named schemas that Types refer to
	Calls      []Call
	Waits      []WaitEdge
	Clients    []ClientInfo
	Stops      []Stop       // frames that are parked, by ID
	Breaks     []Breakpoint // by ID
	Debug      DebugState
	Restarts   []Restart // the newest MaxRestarts, oldest first
	Faults     []Fault   // that act, by ID
	Reloads    []Reload  // the newest MaxReloads, oldest first
}

// Session describes the controller process.
type Session struct {
	Name    string    // unique among the user's running sessions
	Program string    // base name of the executable
	PID     int       // of the controller
	Build   string    // build id of the executable: equal on every rank unless binaries are mixed
	Engine  string    // version of the engine the program was built with
	State   string    // running | failed | stopping
	Reason  string    // why it failed, in plain words
	Started time.Time //
	Dir     string    // run folder: socket, log file
	Carrier string    // how the controller's frames travel, and why not faster: by shared memory (shm), by packets (udp); "" before the first worker process
	LogLost string    // why the log file lacks lines, e.g. "no space left on device"; "" while it has them all
}

// Host is one machine of a proc mesh that a launcher was asked for: an agent there starts the processes. The controller's own
// machine is not among them.
type Host struct {
	ID       uint64 // of its agent, among processes
	Mesh     string // name of the proc mesh
	MeshID   uint64 // of that proc mesh: names are used again
	Index    int    // along the dimension hosts
	Name     string // as the user, the launcher or the machine itself calls it; "" while none is known
	Launcher string // ssh | slurm | kubernetes | exec
	Handle   string // what the launcher calls the job, e.g. "Slurm job 4711"
	State    string // requested | queued | shipping | launching | joining | ready | suspect | unreachable | lost | exited | failed
	Reason   string // why it waits, or has ended, in the launcher's words
	Since    time.Time
	Tail     []string // what the launcher's client or the agent printed last, once there is something to explain

	Addr    string // where its agent is connected from
	PID     int    // of the agent
	System  string // e.g. "linux/amd64, 64 CPUs, Slurm job 4711"
	GPUs    string // what it found
	Build   string
	Shipped int64         // bytes of the program that were copied there; 0: it was there
	RTT     time.Duration // smoothed, 0 while unknown
	Loss    float64       // share of the packets to it that were lost, 0 to 1
	Backlog uint64        // bytes of what its ranks say that wait at its agent to go to the controller
}

// Over reports whether nothing can run there any more.
func (h *Host) Over() bool { return h.State == "lost" || h.State == "exited" || h.State == "failed" }

// Called is its name, or its place where none is known.
func (h *Host) Called() string {
	if h.Name == "" {
		return "host " + strconv.Itoa(h.Index)
	}
	return h.Name
}

// ProcMesh is a grid of worker processes.
type ProcMesh struct {
	ID        uint64
	Name      string
	Extent    shape.Extent
	FirstProc uint64 // proc of rank r is FirstProc + r
	Owner     string // "" for the program itself, else the actor that spawned it, e.g. "@trainer[0]"
	InProcess bool   // ranks are goroutines of the controller
	Virtual   bool   // GPU slots have no device behind them
	Slots     string // where the devices of its GPU slots come from and what is hidden, or why they are virtual; "" without slots
	State     string // starting | running | failed | stopping | stopped
	Reason    string
	Gone      bool // the mesh has ended; the record is kept for its history

	Restart *RestartPolicy `cbor:",omitempty"` // nil: its processes are not started anew by themselves

	Via    string // launcher; "": the controller's own machine
	Handle string // what the launcher calls the job
	Hosts  *Hosts `cbor:",omitempty" json:",omitempty"` // by name; nil: it is all on the controller's own machine
}

// InheritedSockets is the Carrier of a process that has not connected by QUIC yet, as it does soon after its start.
const InheritedSockets = "inherited sockets"

// Proc is one rank of a proc mesh.
type Proc struct {
	ID     uint64
	Mesh   string // name of the proc mesh
	Rank   int
	Host   string    // name of the machine; "local": the controller's own
	HostID uint64    // of the Host; 0: the controller's own
	PID    int       // 0 in-process
	Slot   int       // GPU slot, -1 without one
	Device string    // name and short UUID; "virtual"; "" without a slot
	GPU    *GPU      `cbor:",omitempty" json:",omitempty"` // the device, where the slot is not virtual; never written to
	CPUs   string    // CPU set, e.g. "0-3"; "" when not pinned
	Procs  int       // GOMAXPROCS of the worker
	State  string    // engine/internal/life: requested … ready … exited
	Held   bool      // stopped by a debugger
	Paused bool      // SIGSTOP
	Reason string    // exit code, signal or why it failed
	Since  time.Time // of State
	Build  string
	Tail   []string // last 20 lines of stderr, once the proc has ended
	RSS    uint64   // bytes resident, 0 when unknown

	Carrier string // how its frames travel, as that of the session; InheritedSockets in its first moments; "" in-process

	Ordered bool // it has ended because it was told to

	Restarts int // how often it was started anew
}

// GPU is the device of a rank. What changes is measured while somebody watches the state.
type GPU struct {
	UUID    string // GPU-… or, an instance of one, MIG-…: CUDA_VISIBLE_DEVICES of the rank
	Index   int    // of the GPU, by PCI bus id
	Parent  string // of an instance: UUID of its GPU
	Bus     string // PCI bus id
	Node    int    // NUMA node, -1 when unknown
	Sharing int    // ranks of the mesh that have the device
	Foreign bool   // another mesh, or another program, has claimed it

	Used, Total uint64  // bytes of memory; Total 0: not known
	Busy        int     // percent of the time in which it worked, -1 when unknown: instances do not tell
	Celsius     int     // -1 when unknown
	Watts       float64 // -1 when unknown
	ECC         uint64  // uncorrected memory errors since its driver was loaded
	Xid         uint64  // last critical error that its driver reported; 0: none that we know of
	Problem     string  // why it could not be measured, or what the driver says is wrong
}

// Measured reports whether there are figures of the device.
func (g *GPU) Measured() bool { return g.Used > 0 || g.Busy >= 0 || g.Celsius >= 0 || g.Watts >= 0 }

// Over reports whether the process has ended, or never ran.
func (p *Proc) Over() bool {
	switch p.State {
	case "lost", "exited", "killed", "oom", "fenced", "failed":
		return true
	}
	return false
}

// Mesh is an actor mesh: one actor per rank of (a slice of) a proc mesh.
type Mesh struct {
	Ref    MeshRef
	Procs  string // name of the proc mesh
	Owner  string // as ProcMesh.Owner
	State  string // starting | running | failed | stopping | stopped
	Reason string
	Ranks  []RankState // by rank of the mesh
	Gone   bool

	Restart *RestartPolicy `cbor:",omitempty"` // nil: its actors are not started anew by themselves
	Gang    bool           `cbor:",omitempty"` // when one is, all are
}

// RankState is what one actor is doing.
type RankState struct {
	State    string        // starting | idle | busy | paused | failed | stopped | gone
	Queue    int           // messages waiting in the mailbox
	Running  []string      // endpoints that handle a message now: one, and any number of concurrent ones
	Calls    []uint64      // the calls they belong to, as Running
	Next     []uint64      // the calls of the first messages in the mailbox, 16 at most
	Since    time.Time     // of State
	Handled  uint64        // messages handled since the start
	Worked   time.Duration // in which it handled messages and did not stand at a site, from the start to Since; a busy one goes on since then
	Restarts int           // how often it was started anew: its life, which messages name
	Reason   string

	QueueBytes int    `cbor:",omitempty"` // bytes of the arguments of the messages that wait. Absent where the program's engine is older
	Pause      string `cbor:",omitempty"` // who wants it to stop at its next site; "": nobody. Likewise
}

// Over reports whether the actor handles nothing any more.
func (s *RankState) Over() bool {
	return s.State == "failed" || s.State == "stopped" || s.State == "gone"
}

// Type describes an actor type that the program registered.
type Type struct {
	Name      string // short where unique (ToyActor), else pkg.ToyActor
	Full      string // pkgpath.ToyActor
	Doc       string
	Fields    []schema.Field // exported fields: the constructor's arguments
	Endpoints []Endpoint
	// NotCallable are the exported methods that are no endpoints. Absent where the program's engine is older.
	NotCallable []NotCallable `cbor:",omitempty"`
	// Named are the named schemas that it refers to, where an event tells of a type that came with another build.
	Named schema.Types `cbor:",omitempty"`
}

// NotCallable is an exported method of an actor type that is no endpoint.
type NotCallable struct {
	Name string
	Why  string // in plain words, such as: it takes 2 arguments
	Fix  string `cbor:",omitempty"` // the signature that would make it one; "" for a method that does not look like an endpoint
}

// KeptToItself is NotCallable.Why of a method that the program has put under engine.NotEndpoint.
const KeptToItself = "the program keeps it to itself (engine.NotEndpoint)"

// Reason is why the method cannot be called and, where there is one, what would make an endpoint of it.
func (n *NotCallable) Reason() string {
	if n.Fix == "" {
		return n.Why
	}
	return n.Why + "; write " + n.Fix
}

// Endpoint describes one method that can be called.
type Endpoint struct {
	Name       string
	Doc        string
	Param      string         // name of the argument; "" without one
	Arg        *schema.Schema // nil without an argument
	Result     *schema.Schema // nil when it returns only an error
	Concurrent bool
	File       string // base of the source position, "" when unknown
	Line       int
	Hash       uint64 // of Arg and Result: caller and callee must agree
}

// Call is a call that has not ended, as the caller sees it.
type Call struct {
	ID       uint64
	Client   string // who called: a client's name, "main", or "@mesh[rank]"
	Mesh     string
	View     shape.Region
	Endpoint string
	Adverb   Adverb
	Started  time.Time
	Ranks    int   // called
	Waiting  []int // ranks of the mesh that have not answered
}

// WaitEdge says that From waits for To, and has for a while.
type WaitEdge struct {
	Proc     uint64 // whose word this is: where From lives
	From, To string // "main", a client, or "@mesh[rank]"
	Endpoint string
	Call     uint64 // 0 for a broadcast, and for a lock
	Msg      uint64 // id of the message, 0 where it has not left; for a lock the id of the claim
	Since    time.Time
	State    string // running | queued | sent: what the message of this edge is doing at To; full: it is not sent, To has no place for it; lock: To holds what From wants
	Resource string // the name of the lock, where State is lock
	Any      bool   // From goes on when any of the edges of its call ends, as the reader of a stream
	Beside   bool   // a concurrent endpoint of From waits, and From goes on
}

// The states of a WaitEdge.
const (
	WaitRunning = "running"
	WaitQueued  = "queued"
	WaitSent    = "sent"
	WaitFull    = "full"
	WaitLock    = "lock"
)

// Waits is all that one process waits for now, in place of what it waited for before.
type Waits struct {
	Proc  uint64 // 0: the controller
	Edges []WaitEdge
}

// ClientInfo is a front end attached to the session.
type ClientInfo struct {
	ID      uint64
	Name    string // e.g. "script smoke.mtui", "tui ada@laptop"
	Role    string // control | viewer | debug
	Version int
	Since   time.Time
}

// Adverb is how an endpoint is called.
type Adverb uint8

// The six adverbs of package engine.
const (
	AdverbCall      Adverb = iota // all ranks, wait for each
	AdverbCallOne                 // exactly one rank
	AdverbChoose                  // one rank, the least loaded
	AdverbStream                  // all ranks, replies in arrival order
	AdverbBroadcast               // all ranks, no reply
	AdverbStart                   // all ranks, wait later
)

// String is the adverb as the command language spells it.
func (a Adverb) String() string {
	names := [...]string{"call", "one", "choose", "stream", "broadcast", "start"}
	if int(a) < len(names) {
		return names[a]
	}
	return "call"
}

// Outcome is how one rank's part of a call ended (promise P2, ARCHITECTURE.md).
type Outcome string

// Exactly one of these ends each rank's part of a call.
const (
	OutcomeReply     Outcome = "reply"
	OutcomeError     Outcome = "error"     // the endpoint returned an error or panicked
	OutcomeNotSent   Outcome = "not sent"  // never handed to a link: safe to repeat
	OutcomeLost      Outcome = "lost"      // the rank is gone; it may have run
	OutcomeForbidden Outcome = "forbidden" //
	OutcomeCancelled Outcome = "cancelled"
	OutcomeDeadline  Outcome = "deadline"
)

// Reply is one rank's part of a call.
type Reply struct {
	Call    uint64
	Rank    int           // of the mesh
	Point   shape.Point   // in the slice that was called
	Outcome Outcome       //
	Body    []byte        // CBOR of the result, when Outcome is reply and there is one
	Error   string        // text, when Outcome is not reply
	Type    string        // Go type of the error, or "panic"
	Stack   string        // of a panic
	Took    time.Duration // from send to reply, on the controller's clock
}

// Log is one line that a rank or the engine printed.
type Log struct {
	Time   time.Time
	Proc   uint64 // 0: the controller
	Mesh   string // actor mesh, when the line came through engine.Out; else "" and only Proc is known
	Rank   int    // of Mesh, or of the proc mesh where Mesh is ""; -1 for the controller
	Stream string // out | err | engine | debug: a breakpoint that prints
	Text   string // what a terminal would show of it, cleaned: no control bytes
	Raw    []byte // what was printed, without the end of the line, where that differs from Text
	Cut    int    // bytes of the line that are in neither, because it was too long
}

// Printed is the line as it was printed, as far as it was kept: Cut says how much was not.
func (l *Log) Printed() string {
	if l.Raw != nil {
		return string(l.Raw)
	}
	return l.Text
}

// Message is one record of the trace of messages, as its caller saw it: a call when it is sent to a rank, a reply or an error when
// that rank's part is over. It is best effort: what a process or a watch has no room for is dropped, oldest first, and
// counted in Dropped.
type Message struct {
	Time     time.Time     // on the clock of the process that called
	Call     uint64        // folds the messages of one call
	ID       uint64        // unique in the session; 0 on an error that no message brought (lost, deadline, not sent, …)
	Parent   uint64        // of a call: the ID of the message whose handler sent it, 0 outside handlers; of an answer: the ID of its call
	Trace    uint64        // Call of the outermost call that led to this one
	Kind     string        // call | reply | error
	From, To string        // "main", a client, "@mesh[rank]", or "procs[rank]" for code of a worker outside its actors
	Endpoint string        //
	Adverb   Adverb        // broadcast: no answer follows
	Ranks    int           // how many ranks the call goes to: one message each
	Bytes    int           // of the argument or result
	Body     []byte        // CBOR of the argument of a call or the result of a reply; its first MaxPreview bytes
	Cut      bool          // Body is not all of it
	Took     time.Duration // on answers: from send to answer
	Arrived  time.Time     `cbor:",omitzero" json:",omitzero"` // on answers: when the call came into the mailbox, on the hybrid logical clock of who answers; zero: not known
	Began    time.Time     `cbor:",omitzero" json:",omitzero"` // on answers: when its handler began, likewise; zero also where none did
	Outcome  Outcome       // on answers
	Error    string        // on errors
}

// The kinds of a Message.
const (
	MessageCall  = "call"
	MessageReply = "reply"
	MessageError = "error"
)

// MaxPreview is how much of an argument or result a Message shows.
const MaxPreview = 256

// IsAnswer tells replies and errors from calls.
func (m *Message) IsAnswer() bool { return m.Kind != MessageCall }

// Failure is something that supervision was told.
type Failure struct {
	Time    time.Time
	Mesh    string
	Rank    int
	Proc    uint64
	What    string // plain words: "worker 2 of procs p was killed (SIGKILL)"
	Stack   string
	Handled string // who handled it, "" while nobody has
}

// Event is one change. Exactly one of the pointers is set; a state event carries the whole new object, so that
// applying it is one assignment. Unknown events (all pointers nil) are to be skipped.
type Event struct {
	Seq      uint64
	Time     time.Time
	Session  *Session    `cbor:",omitempty"`
	Host     *Host       `cbor:",omitempty"`
	ProcMesh *ProcMesh   `cbor:",omitempty"`
	Proc     *Proc       `cbor:",omitempty"`
	Mesh     *Mesh       `cbor:",omitempty"`
	Rank     *RankEvent  `cbor:",omitempty"` // one rank of a mesh changed
	Type     *Type       `cbor:",omitempty"`
	Call     *CallEvent  `cbor:",omitempty"`
	Client   *Presence   `cbor:",omitempty"`
	Waits    *Waits      `cbor:",omitempty"` // one process waits for others than before
	Stop     *StopEvent  `cbor:",omitempty"` // a frame stopped, or goes on
	Break    *BreakEvent `cbor:",omitempty"`
	Debug    *DebugState `cbor:",omitempty"`
	Fault    *FaultEvent `cbor:",omitempty"` // a fault acts, changed, or is over
	Failure  *Failure    `cbor:",omitempty"`
	Restart  *Restart    `cbor:",omitempty"` // a rank is, or was, started anew
	Reload   *Reload     `cbor:",omitempty"` // ranks move, or moved, to another build
	Log      *Log        `cbor:",omitempty"` // data event: may be dropped, and the drop is counted
	Message  *Message    `cbor:",omitempty"` // data event
	Dropped  *Dropped    `cbor:",omitempty"` // told to one client only: what it missed
}

// RankEvent is the new state of one rank.
type RankEvent struct {
	Mesh  string
	Rank  int
	State RankState
}

// CallEvent tells that a call began, got one more answer, or ended.
type CallEvent struct {
	Call Call
	Done bool
}

// Presence tells that a client came or went.
type Presence struct {
	Client ClientInfo
	Gone   bool
}

// Dropped counts what a slow client did not get. A fresh snapshot follows when state events were among it.
type Dropped struct {
	State uint64
	Data  uint64
}

// IsData reports whether the event may be dropped without making a client's replica of the session wrong.
func (e *Event) IsData() bool { return e.Log != nil || e.Message != nil }
