package life

import (
	"cmp"
	"fmt"
	"strconv"
)

// Life is what is known of one rank. It is a value: On returns the next one.
type Life struct {
	State   State
	Epoch   uint64 // counts restarts; calls and links of an older epoch are refused
	Held    bool   // a debugger stopped something in it
	Paused  bool   // SIGSTOP or a freezer
	Ordered bool   // its end was ordered
	Gone    bool   // the process is known not to run: it ended, was never launched, or its lease is over
	Code    int    // of Exited
	Signal  string // of Killed
	Reason  string // of Failed, and of the other ends where there is more to say
}

// Terminal is how an epoch ended.
type Terminal struct {
	Epoch   uint64
	State   State
	Code    int
	Signal  string
	Reason  string
	Ordered bool
}

// New is a rank that has been ordered, in its first epoch.
func New() Life { return Life{State: Requested, Epoch: 1, Gone: true} }

// Terminal is how the epoch ended; it means something in a terminal state only.
func (l Life) Terminal() Terminal {
	return Terminal{Epoch: l.Epoch, State: l.State, Code: l.Code, Signal: l.Signal, Reason: l.Reason, Ordered: l.Ordered}
}

// String is the state with its cause and flags: exited(3), killed(SIGKILL), failed(no such file), ready held.
func (l Life) String() string {
	s := l.State.String()
	switch l.State {
	case Exited:
		s += "(" + strconv.Itoa(l.Code) + ")"
	case Killed:
		s += "(" + l.Signal + ")"
	case Failed:
		s += "(" + l.Reason + ")"
	default: // no other state has a cause
	}
	if l.Held {
		s += " held"
	}
	if l.Paused {
		s += " paused"
	}
	return s
}

// TransitionError says that an event makes no sense in a state: a fault of the owner, or of a peer.
type TransitionError struct {
	State State
	Event Kind
	Why   string
}

// Error is state, event and reason.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("%s of a rank that is %s: %s", e.Event, e.State, e.Why)
}

// On applies an event. It returns the next life and what to do about it, in order. An event that makes no sense in
// the state is a *TransitionError and changes nothing; one of another epoch, or one that comes after the end, is
// dropped without an error, because links and launchers are late at times.
func (l Life) On(e Event) (Life, []Effect, error) {
	if e.Epoch != l.Epoch {
		return l, nil, nil
	}
	if int(e.Kind) >= kinds {
		return l, nil, l.refuse(e, "no such event")
	}
	if l.State.Terminal() {
		return l.afterwards(e)
	}
	switch e.Kind {
	case Launched, Refused, Proved, Welcomed:
		return l.start(e)
	case Contact, Silent, Idle, LinkBroke, Rejoined:
		return l.link(e)
	case Fired:
		return l.fired(e)
	case ExitSeen, SignalSeen, OOMSeen, FenceSeen:
		return l.ended(e)
	case StopOrdered, KillOrdered:
		return l.ordered(e)
	case PauseSeen, ContinueSeen, HoldSet, HoldReleased:
		return l.flagged(e)
	case Restart:
	}
	return l, nil, l.refuse(e, "only a rank that has ended can begin a new epoch")
}

func (l Life) refuse(e Event, why string) error { return &TransitionError{l.State, e.Kind, why} }

// still reports whether silence proves nothing.
func (l Life) still() bool { return l.Held || l.Paused }

// end moves into a terminal state: the only place that emits the terminal event.
func (l Life) end(s State, effects ...Effect) (Life, []Effect, error) {
	l.State, l.Held, l.Paused = s, false, false
	for _, t := range []Timer{StartWithin, LostAfter, StopWithin, DeadWithin} {
		effects = append(effects, Effect{Do: StopTimer, Timer: t})
	}
	if !l.Gone {
		effects = append(effects, Effect{Do: AskKill}, Effect{Do: StartTimer, Timer: FenceAfter})
	}
	return l, append(effects, Effect{Do: FailCalls}, Effect{Do: EmitTerminal}), nil
}

// afterwards is what may still happen to an epoch that is over (INV-ABSORB).
func (l Life) afterwards(e Event) (Life, []Effect, error) {
	switch e.Kind {
	case ExitSeen, SignalSeen, OOMSeen, FenceSeen:
		if l.Gone {
			return l, nil, nil
		}
		l.Gone = true
		return l, []Effect{{Do: StopTimer, Timer: FenceAfter}}, nil
	case Fired:
		l.Gone = l.Gone || e.Timer == FenceAfter
	case Restart:
		if !l.Gone {
			return l, nil, l.refuse(e, "its process may still run; wait until it is seen to end or its lease is over")
		}
		return Life{State: Requested, Epoch: l.Epoch + 1, Gone: true}, []Effect{{Do: RequestLaunch}}, nil
	default: // too late to matter
	}
	return l, nil, nil
}

func (l Life) start(e Event) (Life, []Effect, error) {
	switch {
	case e.Kind == Launched && l.State == Requested:
		l.State, l.Gone = Launching, false
		return l, []Effect{{Do: StartTimer, Timer: StartWithin}}, nil
	case e.Kind == Proved && l.State == Launching:
		l.State = Joining
		return l, []Effect{{Do: BurnTicket}}, nil
	case e.Kind == Welcomed && l.State == Joining:
		l.State = Ready
		return l, []Effect{{Do: StopTimer, Timer: StartWithin}, {Do: DeliverQueued}}, nil
	case e.Kind == Refused && (l.State == Requested || l.State.starting()):
		l.Reason = cmp.Or(e.Text, "refused")
		return l.end(Failed)
	}
	why := map[Kind]string{
		Launched: "a rank is launched once, when it was requested",
		Proved:   "a rank proves itself once, when it was launched; its ticket is spent",
		Welcomed: "a rank is welcomed once, when it has proved itself",
		Refused:  "it has been accepted already",
	}
	return l, nil, l.refuse(e, why[e.Kind])
}

func (l Life) link(e Event) (Life, []Effect, error) {
	if !l.State.Running() {
		if e.Kind == Rejoined {
			return l, nil, l.refuse(e, "it has not joined yet")
		}
		return l, nil, nil // the exit or the StartWithin timer tells about a process that does not get ready
	}
	switch e.Kind {
	case Contact:
		return l.back()
	case Rejoined:
		next, effects, _ := l.back()
		return next, append(effects, Effect{Do: ResendUnacked}), nil
	case Silent:
		if l.State == Ready && !l.still() {
			l.State = Suspect
		}
		return l, nil, nil
	case Idle:
		if l.still() {
			return l, nil, nil
		}
	default: // LinkBroke
	}
	if l.State == Ready || l.State == Suspect {
		l.State = Unreachable
		return l, []Effect{{Do: StartTimer, Timer: LostAfter}}, nil
	}
	return l, nil, nil // a stopping rank closes its link; StopWithin tells if it does no more
}

// back is a rank that was heard of again.
func (l Life) back() (Life, []Effect, error) {
	switch l.State {
	case Suspect:
		l.State = Ready
	case Unreachable:
		l.State = Ready
		return l, []Effect{{Do: StopTimer, Timer: LostAfter}}, nil
	default: // it was not away
	}
	return l, nil, nil
}

func (l Life) fired(e Event) (Life, []Effect, error) {
	waits := map[Timer]bool{
		StartWithin: l.State.starting(),
		LostAfter:   l.State == Unreachable,
		StopWithin:  l.State == Stopping,
		DeadWithin:  l.State == Stopping,
	}
	switch {
	case !waits[e.Timer]:
		return l, nil, nil // it was stopped while it fired
	case l.still() && (e.Timer == StartWithin || e.Timer == LostAfter):
		return l, []Effect{{Do: StartTimer, Timer: e.Timer}}, nil // INV-HELD
	case e.Timer == StartWithin:
		l.Reason = cmp.Or(e.Text, "not ready in time, while "+l.State.String())
		return l.end(Failed)
	case e.Timer == StopWithin:
		return l, []Effect{{Do: AskKill}, {Do: StartTimer, Timer: DeadWithin}}, nil
	}
	l.Reason = cmp.Or(e.Text, "unreachable for too long")
	return l.end(Lost)
}

func (l Life) ended(e Event) (Life, []Effect, error) {
	if l.State == Requested {
		return l, nil, l.refuse(e, "it has no process yet")
	}
	l.Gone = true
	if l.State.starting() {
		l.Code, l.Signal = e.Code, e.Signal
		l.Reason = early(e)
		return l.end(Failed)
	}
	l.Reason = e.Text
	switch e.Kind {
	case SignalSeen:
		l.Signal = cmp.Or(e.Signal, "unknown signal")
		return l.end(Killed)
	case OOMSeen:
		return l.end(OOM)
	case FenceSeen:
		return l.end(Fenced)
	default: // ExitSeen
	}
	l.Code = e.Code
	if e.Code == FencedExit {
		return l.end(Fenced)
	}
	return l.end(Exited)
}

// early says how a process ended that never became ready.
func early(e Event) string {
	how := map[Kind]string{
		ExitSeen:   "exit code " + strconv.Itoa(e.Code),
		SignalSeen: "killed by " + cmp.Or(e.Signal, "a signal"),
		OOMSeen:    "out of memory",
		FenceSeen:  "without a lease",
	}
	reason := "ended before it was ready: " + how[e.Kind]
	if e.Text != "" {
		reason += ": " + e.Text
	}
	return reason
}

func (l Life) ordered(e Event) (Life, []Effect, error) {
	l.Ordered = true
	switch {
	case !l.State.Running():
		l.Reason = cmp.Or(e.Text, "stopped before it was ready")
		return l.end(Failed)
	case e.Kind == KillOrdered:
		l.State = Stopping
		return l, []Effect{{Do: StopTimer, Timer: LostAfter}, {Do: StopTimer, Timer: StopWithin}, {Do: AskKill}, {Do: StartTimer, Timer: DeadWithin}}, nil
	case l.State == Stopping:
		return l, nil, nil
	}
	l.State = Stopping
	return l, []Effect{{Do: StopTimer, Timer: LostAfter}, {Do: AskStop}, {Do: StartTimer, Timer: StopWithin}}, nil
}

func (l Life) flagged(e Event) (Life, []Effect, error) {
	if l.State == Requested {
		return l, nil, l.refuse(e, "it has no process yet")
	}
	was := l.still()
	switch e.Kind {
	case PauseSeen:
		l.Paused = true
	case ContinueSeen:
		l.Paused = false
	case HoldSet:
		l.Held = true
	case HoldReleased:
		l.Held = false
	default: // On sends no other
	}
	if !was || l.still() {
		return l, nil, nil
	}
	// It moves again: give it the whole time it would have had, for what it owed while it stood still.
	running := map[State]Timer{Launching: StartWithin, Joining: StartWithin, Unreachable: LostAfter}
	if t, ok := running[l.State]; ok {
		return l, []Effect{{Do: StartTimer, Timer: t}}, nil
	}
	return l, nil, nil
}
