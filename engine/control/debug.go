package control

import (
	"time"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// The sites at which an actor can be stopped, in the order a message meets them.
const (
	SiteRecv   = "recv"   // the actor is about to handle a message; its arguments are decoded
	SiteSend   = "send"   // a handler is about to send messages: once for all ranks of a call
	SiteResult = "result" // what a handler waited for is there
	SiteReply  = "reply"  // the handler has returned a result, which has not left
	SiteError  = "error"  // the handler has returned an error, which has not left
	SitePanic  = "panic"  // the handler panics; nothing of its stack is unwound yet
	SiteBreak  = "break"  // the handler called engine.Break
)

// Sites lists them.
func Sites() []string {
	return []string{SiteRecv, SiteSend, SiteResult, SiteReply, SiteError, SitePanic, SiteBreak}
}

// What a breakpoint does when it is hit.
const (
	ThenPause = "pause" // the frame stops
	ThenPrint = "print" // a line is printed, and the frame goes on
	ThenCount = "count" // the hit is counted, and the frame goes on
)

// Who stops with the frame that a breakpoint stops.
const (
	ScopeActor = "actor" // nobody else
	ScopeRank  = "rank"  // the other actors of the same process, each at its next site
	ScopeMesh  = "mesh"  // the other ranks of the mesh, each at its next site
)

// The states of a breakpoint.
const (
	BreakArmed   = "armed"   // it is bound to actors
	BreakWaiting = "waiting" // no actor fits yet; Why says what it waits for
	BreakOff     = "off"     // disabled: by a front end, or after too many errors of its condition
)

// Breakpoint says where actors are stopped, and when. It is set from outside: no source changes.
type Breakpoint struct {
	ID       uint64 // 0 in a request that sets a new one
	Mesh     string // name of an actor mesh, or a pattern with * and ?; "" for all
	Ranks    string // selection among the ranks of the mesh, such as gpus=1:3 or 0,5; "" for all
	Endpoint string // name or pattern; "" for all
	Site     string // one of Sites; "" for recv
	If       string // condition; "" for none
	Hit      string // which hits count: "" all, "3" the third, ">=3", ">3", "%10" each tenth
	Total    bool   // Hit counts over all ranks; else each rank counts its own
	Once     bool   // it is gone after the first time that it stops somebody, over all ranks
	Off      bool   // disabled
	Then     string // pause | print | count; "" for pause
	Print    string // template of the line, for print
	Limit    int    // lines that print prints in all; 0: 1000
	Rate     int    // lines a second that print prints; 0: 100
	Scope    string // actor | rank | mesh; "" for actor

	// What the engine tells.
	By        string // the client that set it
	State     string
	Why       string // waiting and off: the reason, in plain words
	Bound     int    // actors that it is bound to
	Hits      uint64 // times that it was reached with its condition true
	Skipped   uint64 // times that it was reached with its condition false, or another hit than Hit wants
	Errors    uint64 // times that its condition could not be judged: those stop nobody
	LastError string
}

// Stop is a frame that is parked at a site.
type Stop struct {
	ID     uint64 // unique in the session, never used again; one frame keeps it while it stops again and again
	Gen    uint64 // counts how often the frame has stopped: who resumes says which time he means
	Mesh   string
	Rank   int
	Point  shape.Point // of the actor in its mesh
	Proc   uint64
	Site   string
	Break  uint64 // the breakpoint; 0: stopped for another reason
	Reason string // in plain words: breakpoint 2, paused by …, step, panic: …
	Shared bool   // only this frame stands: its endpoint is concurrent, or another goroutine of the handler stopped

	Endpoint string
	Sender   string // "main", a client, or "@mesh[rank]"
	Msg      uint64 // id of the message that the frame handles
	Call     uint64
	Trace    uint64
	Arg      string // the argument, as text; bounded
	Value    string // of reply, error and panic: what it is about; bounded
	Target   string // of send and result: whom the message goes to, or the answer came from
	Func     string // of break: where it was called
	File     string
	Line     int

	Since  time.Time
	Edited bool   // a front end changed an argument, the state or the result since the frame began
	By     string // who let it go on last, when it stopped again by a step
}

// StopEvent tells that a frame stopped, or goes on, or is gone.
type StopEvent struct {
	Stop Stop
	Gone bool   // it is not stopped any more
	How  string // Gone: continue, step, … as in ResumeReq, or ended where its actor ended
	By   string // Gone: the client that let it go on; "" for the engine itself
	Why  string // Gone, by the engine: in plain words
}

// BreakEvent tells that a breakpoint was set, changed or removed.
type BreakEvent struct {
	Break Breakpoint
	Gone  bool
	By    string
}

// What is done about stopped frames when no front end is there that could let them go on.
const (
	PolicyContinue = "continue" // they go on, and breakpoints stop nobody until a front end comes
	PolicyStay     = "stay"     // they stay stopped
	PolicyAbort    = "abort"    // their calls fail, and breakpoints stop nobody until a front end comes
)

// DebugState is what the session's debugger does as a whole.
type DebugState struct {
	Held   bool          // the engine's clock stands: an actor is stopped, or a client holds it
	Policy string        // what happens when the last front end has left
	Grace  time.Duration // how long after it left
	Alone  time.Time     // since when stopped frames wait without a front end; zero: they do not
	Asleep bool          // nobody stops anywhere until a front end comes
	Freeze bool          // a panic stops its frame: a client with the role debug is here
}

// The ways to go on.
const (
	GoContinue = "continue"
	GoStep     = "step"   // until this actor's next message
	GoNext     = "next"   // until the next site of this frame; from its last one, as step
	GoInto     = "into"   // until the receiver has what this frame sends next
	GoFinish   = "finish" // until the handler has returned; where an actor called it, until that has the result
	GoFollow   = "follow" // until anybody receives a message that this one leads to
	GoReturn   = "return" // the frame's result is Value; at recv the handler does not run
	GoFail     = "fail"   // the frame's result is the error Text
	GoRetry    = "retry"  // at panic: the handler begins anew, with the state as it is now
	GoCrash    = "crash"  // at panic: as without a debugger; the same as continue
)

// Gos lists the ways to go on.
func Gos() []string {
	return []string{GoContinue, GoStep, GoNext, GoInto, GoFinish, GoFollow, GoReturn, GoFail, GoRetry, GoCrash}
}

type (
	// BreaksReq sets, changes or removes breakpoints. Answer: []Breakpoint, those that it was about, as they are now.
	BreaksReq struct {
		Set    *Breakpoint // set a new one, or replace the one with this ID
		On     []uint64    // enable
		Off    []uint64    // disable
		Remove []uint64
		Clear  bool // remove all
	}
	// StopRef names one time that a frame stopped.
	StopRef struct {
		ID  uint64
		Gen uint64 // 0: whichever it is now
	}
	// ResumeReq lets frames go on. Answer: []Resumed, one per stop.
	ResumeReq struct {
		Stops []StopRef
		All   bool   // every stop there is, in place of Stops
		How   string // continue | step | …; "" for continue
		Value string // return: a literal of the result's type
		Text  string // fail: the error
	}
	// Resumed is what became of one stop of a ResumeReq.
	Resumed struct {
		ID    uint64
		Error string // "": it goes on; else why not, such as: it goes on already, by …
	}
	// PauseReq has actors stop at their next site: an idle one when its next message comes. Answer: None.
	PauseReq struct {
		Mesh  string
		Ranks []int // empty: all
		Undo  bool  // take the wish back, where nothing has stopped yet
	}
	// PolicyReq sets what is done when the last front end leaves. Answer: DebugState.
	PolicyReq struct {
		Policy string        // "" leaves it
		Grace  time.Duration // 0 leaves it
	}
	// EditReq changes something of a stopped frame or of its actor. Answer: Edited.
	EditReq struct {
		Stop  StopRef // the frame, or
		Mesh  string  // an actor that stands still: stopped, or between two messages
		Rank  int
		Path  string // state.count, args.n, result; for the mailbox: the number of a message
		Value string // a literal of the type that is there
		Op    string // set | discard | redeliver; "" for set. The others are for messages in the mailbox: Path is the id of one
	}
	// Edited is what was changed.
	Edited struct {
		Old, New string // as text; bounded
	}
)

// The names of probes, and what each asks and answers.
const (
	ProbeFrame   = "frame"   // FrameQuery, answered by FrameView: a stopped frame
	ProbeMailbox = "mailbox" // MailboxQuery, answered by Mailbox: the messages that wait for an actor
	ProbeEval    = "eval"    // EvalQuery, answered by Value: an expression about a stopped frame, or about an actor that stands still
	ProbeStacks  = "stacks"  // nothing, answered by a goroutine profile: gzipped, as runtime/pprof writes it with debug=0
	ProbeEnv     = "env"     // nothing, answered by []string: the environment variables of a process
)

type (
	// FrameQuery says how much of a stopped frame to show.
	FrameQuery struct {
		Path  string // "" for all; else args.…, result.… or state.… as StateNode.Path gave it
		Start int    // as in StateReq
		Count int
		Depth int
		Text  int
	}
	// FrameView is a stopped frame.
	FrameView struct {
		Stop   Stop
		Args   []StateNode // by the names of the source
		Result *StateNode  `cbor:",omitempty"` // at reply, and where a front end has set it
		State  StateNode   // with Error where the actor goes on, as beside a concurrent endpoint
		Error  string      // at error and panic
		Stack  string      // of its goroutine, as the runtime prints it; of a panic with the frames that panicked
		Chain  []Waiting   // who waits for this frame, outermost first
		Budget time.Duration
		Bytes  int // of the argument on the wire
	}
	// Waiting is an activation that waits for a message.
	Waiting struct {
		Actor string // "@mesh[rank]"
		Msg   uint64 // that it handles; 0 where it is not known
	}
	// MailboxQuery says which messages of a mailbox to show.
	MailboxQuery struct {
		Start int // the first message
		Count int // 0: 50
	}
	// Mailbox is what waits for an actor.
	Mailbox struct {
		Total    int // messages that wait
		Messages []Queued
	}
	// Queued is a message that waits in a mailbox.
	Queued struct {
		Msg      uint64
		Call     uint64
		Endpoint string
		Sender   string
		Proc     uint64 // of the sender
		Actor    uint64 // the id of the sender's mesh; 0: it is no actor
		Arg      string // as text; bounded
		Bytes    int
		Waiting  bool // its sender waits for the answer
		Edited   bool
	}
	// EvalQuery is an expression in the language of conditions. Of an actor it speaks of state, rank and coords only.
	EvalQuery struct {
		Expr string
	}
	// Value is what an expression came to.
	Value struct {
		Text string // as a literal; bounded
		Kind string // nil bool int float string bytes time duration list map, or other
		Body []byte // CBOR of it; absent where it is too large to be whole
	}
)
