package life

// Kind is what happened.
type Kind uint8

// The events.
const (
	Launched     Kind = iota // the launcher accepted the rank
	Refused                  // the launcher, or the join, refused it; Text says why
	Proved                   // join proof ok
	Welcomed                 // hello ok and the welcome was acknowledged
	Contact                  // something arrived on the link
	Silent                   // no contact for 1.5 s
	Idle                     // no contact for 4 s
	LinkBroke                // the connection ended with an error
	Rejoined                 // the same epoch has a new connection
	Fired                    // Timer fired
	ExitSeen                 // the process ended with Code
	SignalSeen               // the process was ended by Signal
	OOMSeen                  // the process was killed for memory; Text says the limit
	FenceSeen                // the process ended itself without a lease
	StopOrdered              // end in order
	KillOrdered              // end at once
	PauseSeen                // the process was stopped by SIGSTOP or a freezer
	ContinueSeen             // it goes on
	HoldSet                  // a debugger stopped something in it
	HoldReleased             // nothing in it is stopped any more
	Restart                  // begin the next epoch
)

const kinds = int(Restart) + 1

// FencedExit is the exit code of a worker that ended itself because its lease ran out: ExitSeen with it is a fence.
const FencedExit = 97

var kindNames = [...]string{
	"launched", "refused", "join proof", "welcome", "contact", "silence", "idle link", "link error", "re-join", "timer", "exit", "signal",
	"out of memory", "fence", "stop order", "kill order", "pause", "continue", "hold", "release", "restart",
}

// String is the event in a few words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown event"
}

// Timer names a timer of a rank. The owner knows how long each runs.
type Timer uint8

// The timers.
const (
	NoTimer     Timer = iota
	StartWithin       // from the launch until ready
	LostAfter         // from unreachable to lost
	StopWithin        // from the order to stop to the kill
	DeadWithin        // from the kill to lost
	FenceAfter        // from lost until a remote worker's lease has surely run out
)

var timerNames = [...]string{"none", "start-within", "lost-after", "stop-within", "dead-within", "fence-after"}

// String is the timer's name.
func (t Timer) String() string {
	if int(t) < len(timerNames) {
		return timerNames[t]
	}
	return "unknown"
}

// Event is one thing that happened to one epoch of a rank.
type Event struct {
	Kind   Kind
	Epoch  uint64 // events of another epoch than the current one change nothing
	Timer  Timer  // of Fired
	Code   int    // of ExitSeen
	Signal string // of SignalSeen, e.g. SIGKILL
	Text   string // reason, in words
}

// Do is what the owner of a rank has to do.
type Do uint8

// The effects.
const (
	StartTimer    Do = iota // Timer; one that runs already starts anew
	StopTimer               // Timer; it may not be running
	BurnTicket              // the join ticket is spent: issue the certificate
	DeliverQueued           // send what waited for the rank to be ready
	ResendUnacked           // on the new connection, from the last acknowledged frame
	AskStop                 // tell the worker to drain and end
	AskKill                 // tell the launcher to kill the process; it may be gone already
	FailCalls               // end every pending call of the rank: lost where a frame may have arrived, else not sent
	EmitTerminal            // tell everyone, once, how the epoch ended: Life.Terminal
	RequestLaunch           // ask the launcher for the new epoch
)

var doNames = [...]string{
	"start timer", "stop timer", "burn ticket", "deliver queued", "resend unacked", "ask stop", "ask kill", "fail calls", "emit terminal", "request launch",
}

// String is the effect in a few words.
func (d Do) String() string {
	if int(d) < len(doNames) {
		return doNames[d]
	}
	return "unknown effect"
}

// Effect is one thing to do. Effects are carried out in order.
type Effect struct {
	Do    Do
	Timer Timer // of StartTimer and StopTimer
}
