package engine

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// later is a link to a process that answers each call with its argument, from a goroutine of its own.
type later struct {
	nowhere
	calls chan *quicnet.Envelope
}

func (l *later) Sender(uint64) (quicnet.Sender, error) { return deadWay{quicnet.ErrGone}, nil } // each message comes to Send

func (l *later) Send(_ context.Context, _ uint64, _ quicnet.Lane, env *quicnet.Envelope) error {
	if env.Kind == quicnet.KindCall {
		l.calls <- env.Clone()
	}
	return nil
}

func (l *later) answer(n *node) {
	for env := range l.calls {
		ans := quicnet.NewEnvelope()
		ans.Kind, ans.Call, ans.Parent, ans.From, ans.To, ans.Clock = quicnet.KindReply, env.Call, env.ID, env.To, env.From, env.Clock+1
		ans.Body = append([]byte(nil), env.Body...)
		n.Frame(quicnet.ID{Proc: env.To.Proc}, quicnet.LaneCalls, ans)
		env.Free()
	}
}

// overAndOver does something again and again, beside the test, until rest is called, which returns when it is over.
func overAndOver(do func()) (rest func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-over:
				return
			default:
				do()
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// TestOneOfThoseWhoEndACallHasItsOutcome holds INV-OUTCOME for calls of one rank that are taken again, where their answers, the ends of
// their contexts and that of their process come at once: each returns once, with an answer that is its own or an error, and gives its
// place back.
func TestOneOfThoseWhoEndACallHasItsOutcome(t *testing.T) {
	registerTarget()
	n := newNode(5, 1, slog.New(slog.DiscardHandler))
	n.alone(rankHandlers())
	lk := &later{calls: make(chan *quicnet.Envelope, 64)}
	n.peers.connect(lk)
	t.Cleanup(func() { n.close("the test ended") })
	home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 1}})
	far := Mesh[Target]{newMeshRef(control.MeshRef{ID: 3, Name: "far", Type: fullName(reflect.TypeFor[Target]()), First: 8, Home: home, View: home})}
	var others, callers sync.WaitGroup
	for range 2 {
		others.Go(func() { lk.answer(n) })
	}
	rest := overAndOver(func() { n.endCalls(goneBody{Procs: []uint64{8}, Reason: "it ended"}) })
	var mu sync.Mutex
	outcomes := map[string]int{}
	many := func(first int) { // calls under one context, which is watched for them, and ends
		ctx, cancel := context.WithCancel(n.root)
		defer cancel()
		var ends sync.WaitGroup
		defer ends.Wait()
		for want := first; want < first+watchAfter+8; want++ {
			if want == first+watchAfter {
				ends.Go(cancel)
			}
			got, err := Method(far, (*Target).Add).CallOne(ctx, want)
			how := "answered"
			switch {
			case errors.Is(err, ErrLost):
				how = "lost"
			case errors.Is(err, ErrCancelled):
				how = "cancelled"
			case err != nil || got != want:
				t.Errorf("%d came back as %d, %v", want, got, err)
			}
			mu.Lock()
			outcomes[how]++
			mu.Unlock()
		}
	}
	for g := range 8 {
		callers.Go(func() {
			for i := range 60 {
				many(g<<20 | i<<8)
			}
		})
	}
	callers.Wait()
	rest()
	close(lk.calls)
	others.Wait()
	if len(outcomes) != 3 {
		t.Errorf("there were %v: the three have not met", outcomes)
	}
	if open := n.calls.len(); open != 0 {
		t.Errorf("%d calls are still on the books", open)
	}
	if w := n.windows.known(quicnet.Addr{Proc: 8, Actor: 3}); w != nil && taken(w.used.Load()).messages() != 0 {
		t.Errorf("%d places were not given back", taken(w.used.Load()).messages())
	}
}

// TestNoWaitIsLeftOfACallThatEndedEarly: the end of its process may answer a call before its message is sent. What the handler waits for
// is told to others as long as it is noted, and the record of the call is another's then.
func TestNoWaitIsLeftOfACallThatEndedEarly(t *testing.T) {
	n := targetNode(t)
	home := shape.RegionOf(shape.Extent{{Name: "gpus", Size: 1}})
	far := Mesh[Target]{newMeshRef(control.MeshRef{ID: 3, Name: "far", Type: fullName(reflect.TypeFor[Target]()), First: 8, Home: home, View: home})}
	asker := &actor{node: n, id: 4, name: "asker", probe: n.agent.Enter(probe.Who{Mesh: "asker"})}
	act := &activation{env: &quicnet.Envelope{ID: 77}, id: 77, to: &target{name: "Ask"}}
	act.ctxInfo = ctxInfo{node: n, actor: asker, act: act}
	act.frame.Begin(asker.probe, act, 0)
	act.Begin(n.root, n.clock, 0)
	defer overAndOver(func() { n.endCalls(goneBody{Procs: []uint64{8}, Reason: "it ended"}) })()
	for range 5000 {
		if _, err := Method(far, (*Target).Add).CallOne(act, 1); !errors.Is(err, ErrLost) {
			t.Fatal(err)
		}
		act.mu.Lock()
		left := act.noted().awaits.len()
		act.mu.Unlock()
		if left != 0 {
			t.Fatalf("it waits for %d calls that are over", left)
		}
	}
}

// What a process told of a rank before its end may come after that. Taken for the truth it had a restart say that the rank lives.
func TestALateStatusDoesNotRaiseTheDead(t *testing.T) {
	registerTarget()
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	p, err := SpawnProcs(ctx, Dim("gpus", 2))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Spawn(ctx, p, "m", Target{})
	if err != nil {
		t.Fatal(err)
	}
	victim := m.Slice(At("gpus", 1))
	if err := victim.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	rank := func() control.RankState {
		e.hub.mu.Lock()
		defer e.hub.mu.Unlock()
		return e.hub.meshByID[m.r.ID].rec.Ranks[1]
	}
	late := status{Ranks: []rankStatus{{Mesh: m.r.ID, Rank: 1, State: control.RankState{State: "busy", Running: []string{"Add"}}}}}
	e.hub.takeStatus(m.r.First+1, late)
	if s := rank(); s.State != "stopped" || s.Reason != "killed" {
		t.Errorf("the rank that was killed is %s (%s)", s.State, s.Reason)
	}
	if _, err := victim.Restart(ctx); err != nil {
		t.Error(err)
	}
	e.hub.takeStatus(m.r.First+1, late) // of the life before
	if s := rank(); s.State != "idle" {
		t.Errorf("the rank in its next life is %s", s.State)
	}
}

// What failed by itself stands first, whatever its rank; what failed because of that is folded behind it.
func TestTheRootCauseStandsFirst(t *testing.T) {
	failed := func(rank int, o control.Outcome, msg string, code error) *RankError {
		return &RankError{Endpoint: "Step", Mesh: "t", Rank: rank, Outcome: o, Err: (&wireError{Outcome: o, Msg: msg, Codes: codesOf(code)}).remote()}
	}
	cut := failed(2, control.OutcomeLost, "worker 2 was killed", ErrLost)
	for want, list := range map[string][]*RankError{
		"Step failed on 4 of 4 ranks of @t: [2] worker 2 was killed; then [0-1,3] context canceled": {
			failed(0, control.OutcomeCancelled, "context canceled", ErrCancelled), failed(1, control.OutcomeCancelled, "context canceled", ErrCancelled), cut, failed(3, control.OutcomeCancelled, "context canceled", ErrCancelled),
		},
		"Step failed on 3 of 4 ranks of @t: [2] worker 2 was killed; then [0-1]: send on a port: worker 2 was killed, or the like": {
			failed(0, control.OutcomeError, "send on a port: worker 2 was killed", ErrLost), failed(1, control.OutcomeDeadline, "no answer", ErrDeadline), cut,
		},
		"Step failed on 2 of 4 ranks of @t: [1] no data; [2] worker 2 was killed": {failed(1, control.OutcomeError, "no data", nil), cut},
		"Step failed on 2 of 4 ranks of @t: [0-1] no answer":                      {failed(0, control.OutcomeDeadline, "no answer", ErrDeadline), failed(1, control.OutcomeDeadline, "no answer", ErrDeadline)},
	} {
		if got := (&MeshError{Endpoint: "Step", Mesh: "t", Ranks: 4, Failed: list}).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
