package life

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// table is the diagram in doc.go: which states may follow a state.
var table = map[State][]State{
	Requested:   {Launching, Failed},
	Launching:   {Joining, Failed},
	Joining:     {Ready, Failed},
	Ready:       {Suspect, Unreachable, Stopping, Exited, Killed, OOM, Fenced},
	Suspect:     {Ready, Unreachable, Stopping, Exited, Killed, OOM, Fenced},
	Unreachable: {Ready, Lost, Stopping, Exited, Killed, OOM, Fenced},
	Stopping:    {Lost, Exited, Killed, OOM, Fenced},
	Lost:        {Requested}, Exited: {Requested}, Killed: {Requested}, OOM: {Requested}, Fenced: {Requested}, Failed: {Requested},
}

func events(l Life) *rapid.Generator[Event] {
	return rapid.Custom(func(t *rapid.T) Event {
		e := Event{Kind: Kind(rapid.IntRange(0, kinds).Draw(t, "kind")), Epoch: l.Epoch}
		if rapid.IntRange(0, 9).Draw(t, "other epoch") == 0 {
			e.Epoch = rapid.Uint64Range(0, l.Epoch+1).Draw(t, "epoch")
		}
		if rapid.Bool().Draw(t, "likely") { // random events alone seldom get past joining
			e.Kind = map[State]Kind{Requested: Launched, Launching: Proved, Joining: Welcomed, Ready: LinkBroke, Unreachable: Fired, Stopping: Fired, Lost: Fired, Failed: Fired}[l.State]
		}
		e.Timer = Timer(rapid.IntRange(0, int(FenceAfter)).Draw(t, "timer"))
		e.Code = rapid.SampledFrom([]int{0, 3, FencedExit}).Draw(t, "code")
		return e
	})
}

func count(effects []Effect, do Do) int {
	n := 0
	for _, e := range effects {
		if e.Do == do {
			n++
		}
	}
	return n
}

// TestEveryLifeKeepsTheInvariants holds INV-ONCE, INV-ABSORB, INV-TABLE, INV-EPOCH and INV-HELD, over random lives.
func TestEveryLifeKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := New()
		terminals := map[uint64]int{}
		for range 60 {
			e := events(l).Draw(t, "event")
			next, effects, err := l.On(e)
			if err != nil && (next != l || effects != nil) {
				t.Fatalf("%s on %s: an error must change nothing", l, e.Kind)
			}
			if e.Epoch != l.Epoch && (next != l || effects != nil || err != nil) {
				t.Fatalf("INV-EPOCH: %s took an event of another epoch", l)
			}
			if next.State != l.State && !slices.Contains(table[l.State], next.State) {
				t.Fatalf("INV-TABLE: %s on %s becomes %s", l, e.Kind, next)
			}
			if l.State.Terminal() && next.State != l.State && e.Kind != Restart {
				t.Fatalf("INV-ABSORB: %s on %s becomes %s", l, e.Kind, next)
			}
			emitted := count(effects, EmitTerminal)
			if becomes := next.State.Terminal() && !l.State.Terminal(); (emitted == 1) != becomes || emitted > 1 {
				t.Fatalf("INV-ONCE: %s on %s becomes %s and emits %d", l, e.Kind, next, emitted)
			}
			if emitted == 1 && count(effects, FailCalls) != 1 {
				t.Fatalf("%s on %s ends without failing its calls", l, e.Kind)
			}
			terminals[l.Epoch] += emitted
			if next.Epoch != l.Epoch && (next.Epoch != l.Epoch+1 || !l.Gone || !l.State.Terminal()) {
				t.Fatalf("INV-EPOCH: %s (gone %v) begins epoch %d", l, l.Gone, next.Epoch)
			}
			if l.still() && slices.Contains([]Kind{Silent, Idle}, e.Kind) && next.State != l.State {
				t.Fatalf("INV-HELD: %s on %s becomes %s", l, e.Kind, next)
			}
			if l.still() && e.Kind == Fired && e.Timer <= LostAfter && next.State != l.State {
				t.Fatalf("INV-HELD: %s on %s becomes %s", l, e.Timer, next)
			}
			if next.State.Terminal() && next.still() {
				t.Fatalf("%s keeps a flag", next)
			}
			l = next
		}
		for epoch, n := range terminals {
			if n > 1 || n == 0 && epoch < l.Epoch {
				t.Fatalf("INV-ONCE: epoch %d has %d terminal events", epoch, n)
			}
		}
	})
}

// story applies events and gives the life and the effects of the last one.
func story(t *testing.T, steps ...Event) (Life, []Effect) {
	t.Helper()
	l := New()
	var effects []Effect
	for _, e := range steps {
		e.Epoch = l.Epoch
		var err error
		if l, effects, err = l.On(e); err != nil {
			t.Fatal(err)
		}
	}
	return l, effects
}

func born(more ...Event) []Event {
	return append([]Event{{Kind: Launched}, {Kind: Proved}, {Kind: Welcomed}}, more...)
}

func TestStories(t *testing.T) {
	for _, tc := range []struct {
		name   string
		steps  []Event
		want   string
		effect Do
		timer  Timer
	}{
		{"a launch starts the clock", []Event{{Kind: Launched}}, "launching", StartTimer, StartWithin},
		{"a proof burns the ticket", []Event{{Kind: Launched}, {Kind: Proved}}, "joining", BurnTicket, 0},
		{"a welcome delivers what waited", born(), "ready", DeliverQueued, 0},
		{"silence makes suspect", born(Event{Kind: Silent}), "suspect", 0, 0},
		{"contact clears the suspicion", born(Event{Kind: Silent}, Event{Kind: Contact}), "ready", 0, 0},
		{"a broken link makes unreachable", born(Event{Kind: LinkBroke}), "unreachable", StartTimer, LostAfter},
		{"an idle link too", born(Event{Kind: Silent}, Event{Kind: Idle}), "unreachable", StartTimer, LostAfter},
		{"a re-join resends", born(Event{Kind: LinkBroke}, Event{Kind: Rejoined}), "ready", ResendUnacked, 0},
		{"a re-join before anyone noticed resends too", born(Event{Kind: Rejoined}), "ready", ResendUnacked, 0},
		{"unreachable for long is lost, and its process is to be killed", born(Event{Kind: LinkBroke}, Event{Kind: Fired, Timer: LostAfter}), "lost", AskKill, 0},
		{"a crash is an exit code", born(Event{Kind: ExitSeen, Code: 3}), "exited(3)", EmitTerminal, 0},
		{"a kill is a signal", born(Event{Kind: SignalSeen, Signal: "SIGKILL"}), "killed(SIGKILL)", EmitTerminal, 0},
		{"code 97 is a fence", born(Event{Kind: ExitSeen, Code: 97}), "fenced", EmitTerminal, 0},
		{"memory is oom", born(Event{Kind: OOMSeen}), "oom", FailCalls, 0},
		{"an exit before ready is a failure with its code", []Event{{Kind: Launched}, {Kind: ExitSeen, Code: 2, Text: "flag provided but not defined"}}, "failed(ended before it was ready: exit code 2: flag provided but not defined)", EmitTerminal, 0},
		{"a start that takes too long fails", []Event{{Kind: Launched}, {Kind: Proved}, {Kind: Fired, Timer: StartWithin}}, "failed(not ready in time, while joining)", AskKill, 0},
		{"a refusal fails", []Event{{Kind: Refused, Text: "no free GPU"}}, "failed(no free GPU)", EmitTerminal, 0},
		{"a stop drains", born(Event{Kind: StopOrdered}), "stopping", AskStop, 0},
		{"a stop that takes too long kills", born(Event{Kind: StopOrdered}, Event{Kind: Fired, Timer: StopWithin}), "stopping", AskKill, 0},
		{"a stop ends with the exit", born(Event{Kind: StopOrdered}, Event{Kind: LinkBroke}, Event{Kind: ExitSeen}), "exited(0)", EmitTerminal, 0},
		{"a kill that nobody hears of is lost in the end", born(Event{Kind: KillOrdered}, Event{Kind: Fired, Timer: DeadWithin}), "lost", EmitTerminal, 0},
		{"a stop before ready fails", []Event{{Kind: Launched}, {Kind: StopOrdered}}, "failed(stopped before it was ready)", AskKill, 0},
		{"a paused rank is not suspect", born(Event{Kind: PauseSeen}, Event{Kind: Silent}, Event{Kind: Idle}), "ready paused", 0, 0},
		{"a held rank is not lost", born(Event{Kind: LinkBroke}, Event{Kind: HoldSet}, Event{Kind: Fired, Timer: LostAfter}), "unreachable held", StartTimer, LostAfter},
		{"a held rank that does not stop in time is killed", born(Event{Kind: HoldSet}, Event{Kind: StopOrdered}, Event{Kind: Fired, Timer: StopWithin}), "stopping held", AskKill, 0},
		{"a rank that goes on gets its time anew", born(Event{Kind: LinkBroke}, Event{Kind: PauseSeen}, Event{Kind: ContinueSeen}), "unreachable", StartTimer, LostAfter},
		{"a paused rank can be killed", born(Event{Kind: PauseSeen}, Event{Kind: SignalSeen, Signal: "SIGKILL"}), "killed(SIGKILL)", EmitTerminal, 0},
		{"a restart is a new epoch", born(Event{Kind: ExitSeen}, Event{Kind: Restart}), "requested", RequestLaunch, 0},
		{"a lost rank restarts once its lease is over", born(Event{Kind: LinkBroke}, Event{Kind: Fired, Timer: LostAfter}, Event{Kind: Fired, Timer: FenceAfter}, Event{Kind: Restart}), "requested", RequestLaunch, 0},
		{"a timer that was stopped while it fired does nothing", born(Event{Kind: Fired, Timer: StartWithin}, Event{Kind: Fired, Timer: LostAfter}), "ready", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, effects := story(t, tc.steps...)
			if l.String() != tc.want {
				t.Errorf("the rank is %s, want %s", l, tc.want)
			}
			if tc.effect != 0 || tc.timer != 0 {
				if !slices.ContainsFunc(effects, func(e Effect) bool { return e.Do == tc.effect && (tc.timer == 0 || e.Timer == tc.timer) }) {
					t.Errorf("effects are %v, want %s", effects, tc.effect)
				}
			}
		})
	}
}

func TestEventsThatMakeNoSenseAreRefusedInWords(t *testing.T) {
	for _, tc := range []struct {
		steps []Event
		e     Event
		want  string
	}{
		{nil, Event{Kind: Welcomed}, "welcome of a rank that is requested: a rank is welcomed once, when it has proved itself"},
		{nil, Event{Kind: ExitSeen}, "exit of a rank that is requested: it has no process yet"},
		{nil, Event{Kind: PauseSeen}, "it has no process yet"},
		{[]Event{{Kind: Launched}, {Kind: Proved}}, Event{Kind: Proved}, "its ticket is spent"},
		{[]Event{{Kind: Launched}}, Event{Kind: Rejoined}, "re-join of a rank that is launching: it has not joined yet"},
		{born(), Event{Kind: Refused}, "it has been accepted already"},
		{born(), Event{Kind: Restart}, "only a rank that has ended can begin a new epoch"},
		{born(Event{Kind: LinkBroke}, Event{Kind: Fired, Timer: LostAfter}), Event{Kind: Restart}, "its process may still run"},
		{born(), Event{Kind: Kind(200)}, "no such event"},
	} {
		l, _ := story(t, tc.steps...)
		tc.e.Epoch = l.Epoch
		_, _, err := l.On(tc.e)
		if _, ok := errors.AsType[*TransitionError](err); !ok || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
}

func TestNamesAreComplete(t *testing.T) {
	if len(kindNames) != kinds || len(stateNames) != int(Failed)+1 || len(timerNames) != int(FenceAfter)+1 || len(doNames) != int(RequestLaunch)+1 {
		t.Error("a state, event, timer or effect has no name")
	}
	for s := Requested; s <= Failed; s++ {
		if len(table[s]) == 0 || s.Terminal() != (len(table[s]) == 1 && table[s][0] == Requested) {
			t.Errorf("%s: the diagram and Terminal disagree", s)
		}
	}
	if State(99).String() != "unknown" || Kind(99).String() == "" || Do(99).String() == "" || Timer(99).String() == "" {
		t.Error("unknown values print")
	}
}
