package debugger_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// inject orders a fault.
func (s *scene) inject(f control.Fault) control.Fault {
	s.t.Helper()
	f, err := s.c.Fault(s.ctx, control.FaultReq{Fault: f})
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

func (s *scene) heal() {
	s.t.Helper()
	if _, err := s.c.Heal(s.ctx, control.HealReq{All: true}); err != nil {
		s.t.Fatal(err)
	}
}

// acted waits until a fault has done something.
func (s *scene) acted(id uint64, did func(control.Fault) bool) {
	s.t.Helper()
	s.until(fmt.Sprintf("fault %d to act", id), func() bool {
		return slices.ContainsFunc(s.pic.Faults, func(f control.Fault) bool { return f.ID == id && did(f) })
	})
}

// proc waits until a process is so.
func (s *scene) proc(mesh string, rank int, what string, is func(*control.Proc) bool) {
	s.t.Helper()
	s.until(fmt.Sprintf("%s[%d] to be %s", mesh, rank, what), func() bool {
		return slices.ContainsFunc(s.pic.Procs, func(p control.Proc) bool { return p.Mesh == mesh && p.Rank == rank && is(&p) })
	})
}

func (s *scene) state(mesh string, rank int, state string) {
	s.t.Helper()
	s.proc(mesh, rank, state, func(p *control.Proc) bool { return p.State == state })
}

// peers are two ranks of two proc meshes of which one asks the other.
func (s *scene) peers() (a, b engine.Mesh[Worker]) {
	s.t.Helper()
	b = s.spawn("b", 1)
	p, err := engine.SpawnProcs(s.ctx, engine.Name("p_a"), engine.Dim("gpus", 1))
	if err != nil {
		s.t.Fatal(err)
	}
	if a, err = engine.Spawn(s.ctx, p, "a", Worker{Peer: b}); err != nil {
		s.t.Fatal(err)
	}
	return a, b
}

func TestASlowLinkTakesItsTime(t *testing.T) {
	s := newScene(t, 2)
	f := s.inject(control.Fault{Kind: control.FaultDelay, Procs: "p_w", Ranks: []int{1}, Delay: 50 * time.Millisecond})
	begun := time.Now()
	if _, err := engine.Method(s.m.Slice(engine.At("gpus", 1)), (*Worker).Do).CallOne(s.ctx, Order{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 100*time.Millisecond {
		t.Errorf("the round trip took %v, the delay makes 100ms of it", took)
	}
	s.acted(f.ID, func(f control.Fault) bool { return f.Delayed >= 2 && f.Dropped == 0 })
	s.heal()
	s.until("the fault to be over", func() bool { return len(s.pic.Faults) == 0 })
}

// TestALossyLinkLosesAndRepeatsNoMessage is about the link between two workers.
func TestALossyLinkLosesAndRepeatsNoMessage(t *testing.T) {
	s := newScene(t, 0)
	a, b := s.peers()
	f := s.inject(control.Fault{Kind: control.FaultDrop, Procs: "p_a", To: "p_b", Percent: 10, Seed: 3})
	const n = 100
	for i := range n {
		if got, err := engine.Method(a, (*Worker).Ask).CallOne(s.ctx, i); err != nil || got != i+1 {
			t.Fatalf("message %d: handled as number %d, %v", i+1, got, err)
		}
	}
	s.acted(f.ID, func(f control.Fault) bool { return f.Dropped > 5 })
	if got, err := engine.Query(b, (*Worker).Count).CallOne(s.ctx); err != nil || got != n {
		t.Errorf("%d messages were handled, %v; want %d", got, err, n)
	}
}

// TestACutIsSeenAndHeals: what was sent into the cut arrives once.
func TestACutIsSeenAndHeals(t *testing.T) {
	t.Parallel()
	s := newScene(t, 2)
	f := s.inject(control.Fault{Kind: control.FaultPartition, Procs: "p_w", Ranks: []int{0}})
	done := begin(func() (int, error) {
		return engine.Method(s.m.Slice(engine.At("gpus", 0)), (*Worker).Do).CallOne(s.ctx, Order{})
	})
	s.state("p_w", 0, "suspect")
	s.state("p_w", 0, "unreachable")
	s.acted(f.ID, func(f control.Fault) bool { return f.Dropped > 0 && f.Dropped == f.Seen })
	if _, err := engine.Method(s.m.Slice(engine.At("gpus", 1)), (*Worker).Do).CallOne(s.ctx, Order{}); err != nil {
		t.Errorf("the other rank: %v", err)
	}
	s.heal()
	s.state("p_w", 0, "ready")
	want(t, done, 1, "")
}

// TestWorkersThatWereCutForLongFindEachOtherAgain: the calls into the cut end as lost, the controller reaches both all the time, and
// the next call after the cut has healed arrives.
func TestWorkersThatWereCutForLongFindEachOtherAgain(t *testing.T) {
	t.Parallel()
	s := newScene(t, 0)
	a, b := s.peers()
	ask := engine.Method(a, (*Worker).Ask)
	if _, err := ask.CallOne(s.ctx, 1); err != nil {
		t.Fatal(err)
	}
	f := s.inject(control.Fault{Kind: control.FaultPartition, Procs: "p_a", To: "p_b"})
	if _, err := ask.CallOne(s.ctx, 2); err == nil || !strings.Contains(err.Error(), "no contact for") {
		t.Errorf("a call into the cut: %v", err)
	}
	s.acted(f.ID, func(f control.Fault) bool { return f.Dropped > 0 && f.Dropped == f.Seen })
	if n, err := engine.Query(b, (*Worker).Count).CallOne(s.ctx); err != nil || n != 1 {
		t.Errorf("by the controller: %d, %v", n, err)
	}
	s.heal()
	if n, err := ask.CallOne(s.ctx, 3); err != nil || n != 2 {
		t.Errorf("after the cut: handled as number %d, %v", n, err)
	}
}

func TestACutThatLastsLosesTheRank(t *testing.T) {
	t.Parallel()
	s := newScene(t, 2)
	f := s.inject(control.Fault{Kind: control.FaultPartition, Procs: "p_w", Ranks: []int{0}, Controller: true})
	_, err := engine.Method(s.m.Slice(engine.At("gpus", 0)), (*Worker).Do).CallOne(s.ctx, Order{})
	if !errors.Is(err, engine.ErrLost) {
		t.Errorf("the call: %v, want ErrLost", err)
	}
	s.proc("p_w", 0, "over", (*control.Proc).Over)
	s.until("the fault to end with its process", func() bool {
		return !slices.ContainsFunc(s.pic.Faults, func(x control.Fault) bool { return x.ID == f.ID })
	})
}

// TestAPausedProcessStands: it is not lost however long it stands, and goes on where it was.
func TestAPausedProcessStands(t *testing.T) {
	t.Parallel()
	s := newScene(t, 2)
	s.inject(control.Fault{Kind: control.FaultPause, Procs: "p_w", Ranks: []int{1}, For: 12 * time.Second})
	pid := 0
	s.proc("p_w", 1, "paused", func(p *control.Proc) bool { pid = p.PID; return p.Paused })
	for end := time.Now().Add(patience); runtime.GOOS == "linux" && !(control.SessionInfo{PID: pid}).Still(); time.Sleep(time.Millisecond) { // the signal is on its way
		if time.Now().After(end) {
			t.Fatalf("process %d does not stand", pid)
		}
	}
	begun := time.Now()
	done := begin(func() (int, error) {
		return engine.Method(s.m.Slice(engine.At("gpus", 1)), (*Worker).Do).CallOne(s.ctx, Order{})
	})
	said := fmt.Sprintf("no deadlock: 1 waits for @w[1], in process %d, which a signal has stopped", pid)
	for verdict := ""; verdict != said; {
		rep, _, err := debugger.Verdict(s.ctx, s.c)
		if err != nil {
			t.Fatal(err)
		}
		if verdict = rep.Verdict(); verdict != said && time.Since(begun) > 10*time.Second {
			t.Fatalf("who waits for whom: %s; want %s", verdict, said)
		}
	}
	s.proc("p_w", 1, "going on", func(p *control.Proc) bool { return !p.Paused && p.State == "ready" })
	want(t, done, 1, "")
	if took := time.Since(begun); took < 10*time.Second {
		t.Errorf("the call took %v: the process did not stand for 12s", took)
	}
	s.inject(control.Fault{Kind: control.FaultPause, Procs: "p_w"})
	s.proc("p_w", 0, "paused", func(p *control.Proc) bool { return p.Paused })
	s.proc("p_w", 1, "paused", func(p *control.Proc) bool { return p.Paused })
	if err := s.c.Stop(s.ctx, control.StopReq{Procs: "p_w", Budget: patience}); err != nil {
		t.Errorf("stop of processes that stood: %v", err)
	}
	s.proc("p_w", 1, "exited", func(p *control.Proc) bool { return p.State == "exited" })
}

// TestADroppedMessageEndsItsCall: as lost, at once, and the same ones by the same seed.
func TestADroppedMessageEndsItsCall(t *testing.T) {
	onBoth(t, 2, func(s *scene) {
		draw := func() (dropped string) {
			f := s.inject(control.Fault{Kind: control.FaultDrop, Mesh: "w", Ranks: []int{1}, Endpoint: "Do", Percent: 40, Seed: 5})
			n := 0
			for range 20 {
				vals, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{})
				if vals.Len() == 0 {
					s.t.Fatal(err)
				}
				if err == nil {
					dropped += "."
					continue
				}
				n++
				dropped += "x"
				if !errors.Is(err, engine.ErrLost) || !strings.Contains(err.Error(), fmt.Sprintf("dropped on purpose before @w[1] handled it (fault %d, by ada)", f.ID)) {
					s.t.Errorf("a dropped call: %v", err)
				}
			}
			s.acted(f.ID, func(f control.Fault) bool { return f.Seen == 20 && int(f.Dropped) == n })
			s.heal()
			return dropped
		}
		first := draw()
		if again := draw(); again != first || !strings.Contains(first, "x") || !strings.Contains(first, ".") {
			s.t.Errorf("the same seed drops %s and %s", first, again)
		}
		// Broadcasts that are dropped give their place back: more than the window of a sender are sent.
		f := s.inject(control.Fault{Kind: control.FaultDrop, Mesh: "w", Percent: 100})
		for range 6000 {
			if err := engine.Method(s.m, (*Worker).Do).Broadcast(s.ctx, Order{}); err != nil {
				s.t.Fatal(err)
			}
		}
		s.acted(f.ID, func(f control.Fault) bool { return f.Dropped == 12000 })
	})
}

// TestDelayedMessagesKeepTheirOrder: also with those of other endpoints, and concurrent ones; what others ask goes past them.
func TestDelayedMessagesKeepTheirOrder(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		f := s.inject(control.Fault{Kind: control.FaultDelay, Mesh: "w", Endpoint: "Do", Delay: 100 * time.Millisecond, Jitter: 100 * time.Millisecond, Seed: 1})
		var calls []*engine.Future[int]
		for range 30 {
			calls = append(calls, engine.Method(s.m, (*Worker).Do).Start(s.ctx, Order{}))
		}
		count := engine.Query(s.m, (*Worker).Count).Start(s.ctx)
		for i, c := range append(calls, count) {
			got, err := c.One(s.ctx)
			if want := min(i+1, 30); err != nil || got != want {
				s.t.Fatalf("call %d was handled as number %d: %v", i+1, got, err)
			}
		}
		s.acted(f.ID, func(f control.Fault) bool { return f.Delayed == 30 && f.Seen == 30 })
		s.heal()

		// What is held up is in the mailbox, is given up with its caller, and goes on when the fault is lifted.
		s.inject(control.Fault{Kind: control.FaultDelay, Mesh: "w", Delay: time.Hour})
		ctx, cancel := context.WithCancel(s.ctx)
		given := begin(func() (int, error) { return engine.Method(s.m, (*Worker).Do).CallOne(ctx, Order{}) })
		kept := begin(func() (string, error) { return engine.Query(s.m, (*Worker).Peek).CallOne(s.ctx) })
		queued := func(n int) func() bool {
			return func() bool {
				return slices.ContainsFunc(s.pic.Meshes, func(m control.Mesh) bool { return m.Ref.Name == "w" && m.Ranks[0].Queue == n })
			}
		}
		s.until("two messages to wait in the mailbox", queued(2))
		cancel()
		want(s.t, given, 0, "cancelled")
		s.until("the one that was given up to leave", queued(1))
		s.heal()
		want(s.t, kept, "here", "")
	})
}

func TestFaultsEndWithWhoOrderedThem(t *testing.T) {
	s := newScene(t, 2)
	c := control.InProcess(s.e.Backend(), control.ClientInfo{Name: "bob", Role: control.RoleControl})
	for _, f := range []control.Fault{
		{Kind: control.FaultPause, Procs: "p_w", Ranks: []int{0}},
		{Kind: control.FaultPartition, Procs: "p_w", Ranks: []int{1}},
		{Kind: control.FaultDelay, Mesh: "w", Delay: time.Hour},
	} {
		if _, err := c.Fault(t.Context(), control.FaultReq{Fault: f}); err != nil {
			t.Fatal(err)
		}
	}
	s.inject(control.Fault{Kind: control.FaultDelay, Mesh: "w", Endpoint: "Count", Delay: time.Millisecond})
	s.until("all to act", func() bool { return len(s.pic.Faults) == 4 })
	done := begin(func() (int, error) {
		vals, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{})
		return vals.Len(), err
	})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, done, 2, "")
	s.until("those of who has gone to be over", func() bool { return len(s.pic.Faults) == 1 && s.pic.Faults[0].By == "ada" })
}

func TestAProgramInjectsFaults(t *testing.T) {
	s := newScene(t, 2)
	ctx, cancel := context.WithCancel(s.ctx)
	rank := s.m.Slice(engine.At("gpus", 0))
	heal, err := engine.Inject(ctx, engine.Fault{Kind: "drop", On: rank, Percent: 100})
	if err != nil {
		t.Fatal(err)
	}
	vals, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{})
	answers := 0
	for range vals.Items() {
		answers++
	}
	if answers != 1 || !errors.Is(err, engine.ErrLost) {
		t.Errorf("%d ranks answered, %v", answers, err)
	}
	heal()
	heal()
	if _, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{}); err != nil {
		t.Errorf("healed: %v", err)
	}
	if _, err := engine.Inject(ctx, engine.Fault{Kind: "delay", On: rank, Delay: time.Hour}); err != nil {
		t.Fatal(err)
	}
	done := begin(func() (int, error) { return engine.Method(rank, (*Worker).Do).CallOne(s.ctx, Order{}) })
	cancel()
	want(t, done, 2, "")
	for what, f := range map[string]engine.Fault{
		"Fault.On is nil":                        {Kind: "drop", Percent: 1},
		"Fault.To is a Mesh":                     {Kind: "drop", On: rank, To: rank, Percent: 1},
		"drop: 0%: want more than 0%":            {Kind: "drop", On: rank},
		"pause is for processes and":             {Kind: "pause", On: rank},
		"empty engine.ProcMesh":                  {Kind: "pause", On: engine.ProcMesh{}},
		"has no endpoint Dow (did you mean Do?)": {Kind: "drop", On: rank, Endpoint: "Dow", Percent: 1},
	} {
		if _, err := engine.Inject(s.ctx, f); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v, want %s", f, err, what)
		}
	}
}

func TestFaultsThatCannotBeAreRefused(t *testing.T) {
	s := newScene(t, 1, engine.AllInProcess())
	for what, f := range map[string]control.Fault{
		"goroutines of the controller (in-process): no packets": {Kind: control.FaultDelay, Procs: "p_w", Delay: time.Second},
		"(in-process): pause @MESH stops actors":                {Kind: control.FaultPause, Procs: "p_w"},
		"there is no proc mesh nobody":                          {Kind: control.FaultPause, Procs: "nobody"},
		"there is no actor mesh @nobody":                        {Kind: control.FaultDrop, Mesh: "nobody", Percent: 1},
		"@w has no rank 3: its ranks are 0 to 0":                {Kind: control.FaultDrop, Mesh: "w", Ranks: []int{3}, Percent: 1},
		"has no endpoint Nothing":                               {Kind: control.FaultDrop, Mesh: "w", Endpoint: "Nothing", Percent: 1},
	} {
		if _, err := s.c.Fault(s.ctx, control.FaultReq{Fault: f}); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s", f.String(), err, what)
		}
	}
	v := s.client("eve", control.RoleViewer)
	if _, err := v.Fault(s.ctx, control.FaultReq{Fault: control.Fault{Kind: control.FaultDrop, Mesh: "w", Percent: 100}}); err == nil {
		t.Error("a viewer's fault was taken")
	}
	for range control.MaxFaults {
		s.inject(control.Fault{Kind: control.FaultDelay, Mesh: "w", Delay: time.Millisecond})
	}
	if _, err := s.c.Fault(s.ctx, control.FaultReq{Fault: control.Fault{Kind: control.FaultDrop, Mesh: "w", Percent: 100}}); err == nil || !strings.Contains(err.Error(), "256 faults act already") {
		t.Errorf("one more than may act: %v", err)
	}
	if err := s.m.Stop(s.ctx); err != nil {
		t.Fatal(err)
	}
	s.until("the faults to end with their mesh", func() bool { return len(s.pic.Faults) == 0 })
	if _, err := s.c.Fault(s.ctx, control.FaultReq{Fault: control.Fault{Kind: control.FaultDrop, Mesh: "w", Percent: 100}}); !strings.Contains(fmt.Sprint(err), "@w has ended already") {
		t.Errorf("on a mesh that has ended: %v", err)
	}
}
