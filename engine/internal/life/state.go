package life

// State is where a rank is in its life.
type State uint8

// The states. The last six are terminal.
const (
	Requested   State = iota // ordered, nobody has accepted it yet
	Launching                // the launcher has accepted it
	Joining                  // the process proved who it is
	Ready                    // welcomed: calls reach it
	Suspect                  // silent for 1.5 s
	Unreachable              // the link is broken or silent for 4 s; calls wait
	Stopping                 // ordered to stop: drains, then ends
	Lost                     // unreachable for too long: calls have failed
	Exited                   // ended by itself, with an exit code
	Killed                   // ended by a signal
	OOM                      // killed for memory
	Fenced                   // ended itself, because its lease ran out
	Failed                   // never became ready
)

var stateNames = [...]string{
	"requested", "launching", "joining", "ready", "suspect", "unreachable", "stopping",
	"lost", "exited", "killed", "oom", "fenced", "failed",
}

// String is the state in lower case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Terminal reports whether the epoch is over.
func (s State) Terminal() bool { return s >= Lost }

// Running reports whether the rank was ready and has not ended: a process that calls were sent to.
func (s State) Running() bool { return s >= Ready && s <= Stopping }

// starting reports whether a process may exist that is not ready yet.
func (s State) starting() bool { return s == Launching || s == Joining }
