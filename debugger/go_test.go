package debugger_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// askers spawns an actor that asks another one.
func (s *scene) askers() (asker, peer engine.Mesh[Worker]) {
	s.t.Helper()
	peer = s.spawn("peer", 1)
	p, err := engine.SpawnProcs(s.ctx, engine.Name("asking"), engine.Dim("gpus", 1))
	if err != nil {
		s.t.Fatal(err)
	}
	if asker, err = engine.Spawn(s.ctx, p, "asker", Worker{Peer: peer}); err != nil {
		s.t.Fatal(err)
	}
	return asker, peer
}

// TestAFrameIsSteppedFromSiteToSiteAndAcrossActors covers next, into, finish, step and follow.
func TestAFrameIsSteppedFromSiteToSiteAndAcrossActors(t *testing.T) {
	onBoth(t, 0, func(s *scene) {
		asker, _ := s.askers()
		ask := func(n int) <-chan result[int] {
			return begin(func() (int, error) { return engine.Method(asker, (*Worker).Ask).CallOne(s.ctx, n) })
		}
		at := func(mesh, site string) control.Stop {
			s.t.Helper()
			st := s.stops(1)[0]
			if st.Mesh != mesh || st.Site != site {
				s.t.Fatalf("it stopped at %s of @%s, want %s of @%s: %+v", st.Site, st.Mesh, site, mesh, st)
			}
			return st
		}
		s.brk(control.Breakpoint{Mesh: "asker", Once: true})
		done := ask(1)
		st := at("asker", control.SiteRecv)
		first := st.ID
		for _, site := range []string{control.SiteSend, control.SiteResult, control.SiteReply} {
			s.resume(control.GoNext, st)
			if st = at("asker", site); st.ID != first || st.Reason != "step" || st.By != "ada" {
				s.t.Errorf("%+v", st)
			}
		}
		s.resume(control.GoStep, st) // its next message
		want(s.t, done, 1, "")
		done = ask(2)
		st = at("asker", control.SiteRecv)
		if st.ID == first {
			s.t.Error("another message is the same stop")
		}
		s.resume(control.GoInto, st)
		st = at("peer", control.SiteRecv)
		if st.Sender != "@asker[0]" || len(s.frame(st).Chain) != 1 {
			s.t.Errorf("%+v, chain %+v", st, s.frame(st).Chain)
		}
		s.resume(control.GoFinish, st) // its reply, then its caller's result
		st = at("peer", control.SiteReply)
		s.resume(control.GoFinish, st)
		st = at("asker", control.SiteResult)
		s.resume(control.GoContinue, st)
		want(s.t, done, 2, "")

		s.brk(control.Breakpoint{Mesh: "asker", Once: true})
		done = ask(3)
		st = at("asker", control.SiteRecv)
		s.resume(control.GoFollow, st)
		st = at("peer", control.SiteRecv)
		s.resume(control.GoContinue, st)
		want(s.t, done, 3, "")
	})
}

// TestAPanicStopsBeforeAnythingUnwinds covers the freeze and its four ways out.
func TestAPanicStopsBeforeAnythingUnwinds(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		panics := func() <-chan result[int] {
			return begin(func() (int, error) { return engine.Query(s.m, (*Worker).Panics).CallOne(s.ctx) })
		}
		d := s.client("doctor", control.RoleDebug) // a breakpoint is not needed
		s.until("panics to freeze", func() bool { return s.pic.Debug.Freeze })
		done := panics()
		st := s.stops(1)[0]
		v := s.frame(st)
		if st.Site != control.SitePanic || v.Error != "count is 0" || !strings.Contains(v.Stack, "(*Worker).Panics") {
			s.t.Errorf("%+v\n%s", st, v.Stack)
		}
		if _, err := s.c.Edit(s.ctx, control.EditReq{Stop: ref(st), Path: "state.count", Value: "3"}); err != nil {
			s.t.Fatal(err)
		}
		s.resume(control.GoRetry, st) // with the state as it is now
		st = s.stops(1)[0]
		if v := s.frame(st); v.Error != "count is 3" {
			s.t.Errorf("after retry: %s", v.Error)
		}
		for _, r := range []control.ResumeReq{{How: control.GoReturn, Value: `"x"`}, {How: control.GoReturn}, {How: "jump"}} {
			r.Stops = []control.StopRef{ref(st)}
			out, err := s.c.Resume(s.ctx, r)
			if err == nil && out[0].Error == "" {
				s.t.Errorf("%+v went on", r)
			}
		}
		s.resumeWith(control.ResumeReq{How: control.GoReturn, Value: "17"}, st)
		want(s.t, done, 17, "")
		done = panics()
		s.resumeWith(control.ResumeReq{How: control.GoFail, Text: "not today"}, s.stops(1)...)
		want(s.t, done, 0, "not today")
		if err := d.Close(); err != nil {
			s.t.Fatal(err)
		}
		s.until("the doctor to have left", func() bool { return !s.pic.Debug.Freeze })
		s.brk(control.Breakpoint{Site: control.SitePanic})
		done = panics()
		s.resume(control.GoCrash, s.stops(1)...)
		want(s.t, done, 0, "count is 3")
	})
}

// TestWithoutADebuggerAPanicIsWhatItWas: production never hangs.
func TestWithoutADebuggerAPanicIsWhatItWas(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		if _, err := engine.Query(s.m, (*Worker).Panics).CallOne(s.ctx); err == nil || !strings.Contains(err.Error(), "count is 0") {
			s.t.Error(err)
		}
	})
}

// TestOfTwoFrontEndsExactlyOneLetsAStopGoOn races them, and keeps a viewer out.
func TestOfTwoFrontEndsExactlyOneLetsAStopGoOn(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		s.brk(control.Breakpoint{Endpoint: "Do"})
		bob, viewer := s.client("bob", control.RoleControl), s.client("eve", control.RoleViewer)
		for n := 1; n <= 20; n++ {
			done := s.do(n)
			st := s.stops(1)[0]
			if _, err := viewer.Resume(s.ctx, control.ResumeReq{All: true}); err == nil {
				s.t.Error("a viewer let it go on")
			}
			if v, err := viewer.Frame(s.ctx, ref(st), control.FrameQuery{}); err != nil || v.Stop.ID != st.ID {
				s.t.Errorf("a viewer cannot look: %v", err)
			}
			var wg sync.WaitGroup
			said := make([]string, 2)
			for i, c := range []*control.Client{s.c, bob} {
				wg.Go(func() {
					out, err := c.Resume(s.ctx, control.ResumeReq{Stops: []control.StopRef{ref(st)}})
					if err != nil {
						said[i] = err.Error()
					} else {
						said[i] = out[0].Error
					}
				})
			}
			wg.Wait()
			if (said[0] == "") == (said[1] == "") {
				s.t.Fatalf("they were told %q", said)
			}
			if lost := said[0] + said[1]; !strings.Contains(lost, "ada") && !strings.Contains(lost, "bob") {
				s.t.Errorf("the loser is not told by whom: %q", lost)
			}
			want(s.t, done, n, "")
			s.stops(0)
		}
		if out, err := s.c.Resume(s.ctx, control.ResumeReq{Stops: []control.StopRef{{ID: 1, Gen: 7}}}); err != nil || !strings.Contains(out[0].Error, "stop 1 is over") {
			s.t.Errorf("an old one: %+v, %v", out, err)
		}
	})
}

// TestWhoEndsWhileStoppedLeavesTheTableWithAReason kills actors and processes.
func TestWhoEndsWhileStoppedLeavesTheTableWithAReason(t *testing.T) {
	onBoth(t, 2, func(s *scene) {
		s.brk(control.Breakpoint{Endpoint: "Do"})
		all := begin(func() (int, error) {
			vm, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{})
			return len(vm.Answered()), err
		})
		s.stops(2)
		if err := s.c.Stop(s.ctx, control.StopReq{Mesh: "w"}); err == nil || !strings.Contains(err.Error(), "2 actors of it are paused (stops 1, 2): let them go on, or kill it") {
			s.t.Errorf("a stop in order: %v", err)
		}
		if err := s.c.Stop(s.ctx, control.StopReq{Procs: "p_w"}); err == nil || !strings.Contains(err.Error(), "proc mesh p_w cannot end in order") {
			s.t.Errorf("a stop in order: %v", err)
		}
		if err := s.c.Kill(s.ctx, control.KillReq{Mesh: "w", Ranks: []int{0}}); err != nil {
			s.t.Fatal(err)
		}
		left := s.stops(1)
		if left[0].Rank != 1 {
			s.t.Errorf("%+v", left)
		}
		if err := s.c.Kill(s.ctx, control.KillReq{Procs: "p_w", Ranks: []int{1}}); err != nil {
			s.t.Fatal(err)
		}
		s.stops(0)
		select {
		case r := <-all:
			if r.err == nil || !errors.Is(r.err, engine.ErrStopped) && !errors.Is(r.err, engine.ErrLost) {
				s.t.Errorf("its callers got %v", r.err)
			}
		case <-time.After(patience):
			s.t.Fatal("its callers wait")
		}
		reasons := 0
		for _, ev := range s.log {
			if ev.Gone && ev.How == "ended" && ev.Why != "" {
				reasons++
			}
		}
		if reasons != 2 {
			s.t.Errorf("%d of them left with a reason: %+v", reasons, s.log)
		}
		s.until("the clock to run", func() bool { return !s.pic.Debug.Held })
	})
}

// TestAFrontEndThatLeavesHasAGraceTimeThenThePolicyApplies covers the three policies and one that comes back in time.
func TestAFrontEndThatLeavesHasAGraceTimeThenThePolicyApplies(t *testing.T) {
	for policy, err := range map[string]string{control.PolicyContinue: "", control.PolicyAbort: "the last front end left", control.PolicyStay: "-"} {
		t.Run(policy, func(t *testing.T) {
			onBoth(t, 1, func(s *scene) {
				grace := 150 * time.Millisecond
				if policy == control.PolicyStay {
					grace = time.Millisecond
				}
				if st, err := s.c.Policy(s.ctx, control.PolicyReq{Policy: policy, Grace: grace}); err != nil || st.Policy != policy || st.Grace != grace {
					s.t.Fatal(st, err)
				}
				s.brk(control.Breakpoint{Endpoint: "Do"})
				done := s.do(1)
				s.stops(1)
				s.w.Close()
				viewer := s.client("eve", control.RoleViewer) // who may only look does not count
				var werr error
				if s.w, werr = viewer.Watch(s.ctx, control.TopicState); werr != nil {
					s.t.Fatal(werr)
				}
				s.pic = control.Replica{}
				if err := s.c.Close(); err != nil {
					s.t.Fatal(err)
				}
				s.c = viewer
				if err == "-" {
					s.until("the stop to be alone", func() bool { return !s.pic.Debug.Alone.IsZero() })
					s.c = s.client("bob", control.RoleControl)
					s.until("somebody to be there", func() bool { return s.pic.Debug.Alone.IsZero() })
					s.resume(control.GoContinue, s.stops(1)...)
					want(s.t, done, 1, "")
					return
				}
				s.until("the policy to be applied", func() bool { return len(s.pic.Stops) == 0 && s.pic.Debug.Asleep })
				want(s.t, done, 1, err)
				if n, err := engine.Method(s.m, (*Worker).Do).CallOne(s.ctx, Order{}); err != nil { // breakpoints sleep
					s.t.Errorf("%d, %v", n, err)
				}
				s.c = s.client("bob", control.RoleControl)
				s.until("bob to have waked it", func() bool { return !s.pic.Debug.Asleep })
				s.brk(control.Breakpoint{Endpoint: "Count"})
				again := begin(func() (int, error) { return engine.Query(s.m, (*Worker).Count).CallOne(s.ctx) })
				s.resume(control.GoContinue, s.stops(1)...)
				<-again
			})
		})
	}
}

// TestAPausedActorStopsAtItsNextSite pauses an idle one, and one that runs.
func TestAPausedActorStopsAtItsNextSite(t *testing.T) {
	onBoth(t, 2, func(s *scene) {
		if err := s.c.Pause(s.ctx, control.PauseReq{Mesh: "w", Ranks: []int{1}}); err != nil {
			s.t.Fatal(err)
		}
		all := begin(func() (int, error) {
			vm, err := engine.Query(s.m, (*Worker).Count).Call(s.ctx)
			return len(vm.Answered()), err
		})
		st := s.stops(1)[0]
		if st.Rank != 1 || st.Reason != "paused by ada" || st.Site != control.SiteRecv {
			s.t.Errorf("%+v", st)
		}
		s.until("rank 1 to be paused", func() bool {
			m, ok := s.pic.Mesh("w")
			return ok && m.Ranks[1].State == "paused" && m.Ranks[0].State == "idle"
		})
		s.resume(control.GoContinue, st)
		want(s.t, all, 2, "")
		s.until("rank 1 to be idle", func() bool { m, _ := s.pic.Mesh("w"); return m.Ranks[1].State == "idle" })
	})
}

// TestAConcurrentEndpointStopsAloneAndItsActorGoesOn reads the state of the actor meanwhile.
func TestAConcurrentEndpointStopsAloneAndItsActorGoesOn(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		s.brk(control.Breakpoint{Endpoint: "Peek"})
		peek := begin(func() (string, error) { return engine.Query(s.m, (*Worker).Peek).CallOne(s.ctx) })
		st := s.stops(1)[0]
		if !st.Shared {
			s.t.Errorf("%+v", st)
		}
		for n := range 5 {
			want(s.t, s.do(n), n+1, "")
		}
		if v := s.frame(st); field(v.State, "state.count").Text != "5" {
			s.t.Errorf("state %+v", v.State)
		}
		s.resume(control.GoContinue, st)
		want(s.t, peek, "here", "")
	})
}

// TestTheClockCanBeHeldByHand, and stands until the client goes.
func TestTheClockCanBeHeldByHand(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		bob := s.client("bob", control.RoleControl)
		if err := bob.Hold(s.ctx, time.Hour); err != nil {
			s.t.Fatal(err)
		}
		s.until("the clock to be held", func() bool { return s.pic.Debug.Held })
		slow := begin(func() (int, error) {
			ctx, cancel := engine.WithTimeout(s.ctx, 20*time.Millisecond)
			defer cancel()
			return 0, engine.Signal(s.m, (*Worker).Slow).CallOne(ctx)
		})
		plain, cancel := context.WithTimeout(s.ctx, 200*time.Millisecond)
		defer cancel()
		<-plain.Done()
		select {
		case r := <-slow:
			s.t.Errorf("its time ran: %v", r.err)
		default:
		}
		_ = bob.Close()
		s.until("the clock to run", func() bool { return !s.pic.Debug.Held })
		want(s.t, slow, 0, "deadline")
		for _, ttl := range []time.Duration{-1, 2 * time.Hour} {
			if err := s.c.Hold(s.ctx, ttl); err == nil {
				s.t.Errorf("a hold of %v", ttl)
			}
		}
	})
}

// TestAMeshMayBeStoppedByScope: rank and mesh scope stop the others at their next sites.
func TestAMeshMayBeStoppedByScope(t *testing.T) {
	onBoth(t, 3, func(s *scene) {
		s.brk(control.Breakpoint{Endpoint: "Do", Ranks: "gpus=0", Scope: control.ScopeMesh})
		done := begin(func() (int, error) {
			return engine.Method(s.m.Slice(engine.At("gpus", 0)), (*Worker).Do).CallOne(s.ctx, Order{})
		})
		s.stops(1)
		var all []<-chan result[int]
		over := make(chan struct{})
		for rank := 1; rank < 3; rank++ {
			all = append(all, begin(func() (int, error) { // the word to pause is on its way: calls go on until it has come
				for {
					n, err := engine.Query(s.m.Slice(engine.At("gpus", rank)), (*Worker).Count).CallOne(s.ctx)
					select {
					case <-over:
						return n, err
					default:
					}
				}
			}))
		}
		got := s.stops(3)
		close(over)
		if got[2].Reason != "paused by breakpoint 1" {
			s.t.Errorf("%+v", got[2])
		}
		out, err := s.c.Resume(s.ctx, control.ResumeReq{All: true})
		if err != nil || len(out) != 3 {
			s.t.Errorf("%+v, %v", out, err)
		}
		want(s.t, done, 1, "")
		for _, c := range all {
			want(s.t, c, 0, "")
		}
	})
}

// TestASessionEndsWhateverIsStopped: closing it lets everybody go.
func TestASessionEndsWhateverIsStopped(t *testing.T) {
	for name, opts := range map[string][]engine.Option{"in-process": {engine.AllInProcess()}, "processes": nil} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 4, opts...)
			s.brk(control.Breakpoint{Endpoint: "Do"})
			all := begin(func() (int, error) {
				vm, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{})
				return len(vm.Answered()), err
			})
			s.stops(4)
			start := time.Now()
			s.e.Close()
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
			<-all
		})
	}
}

// TestBreakpointsWaitForActorsThatDoNotExist binds them when they come, before their first message.
func TestBreakpointsWaitForActorsThatDoNotExist(t *testing.T) {
	onBoth(t, 0, func(s *scene) {
		b := s.brk(control.Breakpoint{Mesh: "later", Endpoint: "Do", If: "o.N == 3"})
		if b.State != control.BreakWaiting || b.Why != "there is no actor mesh @later yet" {
			s.t.Errorf("%+v", b)
		}
		s.m = s.spawn("later", 2)
		s.until("it to be bound", func() bool {
			return len(s.pic.Breaks) == 1 && s.pic.Breaks[0].State == control.BreakArmed && s.pic.Breaks[0].Bound == 2
		})
		done := begin(func() (int, error) {
			vm, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{N: 3})
			return len(vm.Answered()), err
		})
		s.resume(control.GoContinue, s.stops(2)...)
		want(s.t, done, 2, "")
		if err := s.c.Stop(s.ctx, control.StopReq{Mesh: "later"}); err != nil {
			s.t.Fatal(err)
		}
		s.until("it to wait again", func() bool { return s.pic.Breaks[0].State == control.BreakWaiting })
		if _, err := s.c.Breaks(s.ctx, control.BreaksReq{Off: []uint64{b.ID}}); err != nil {
			s.t.Fatal(err)
		}
		if out, err := s.c.Breaks(s.ctx, control.BreaksReq{On: []uint64{b.ID, 99}}); err == nil || !strings.Contains(err.Error(), "there is no breakpoint 99: there are [1]") {
			s.t.Errorf("%+v, %v", out, err)
		}
	})
}

// TestTwoGoroutinesOfOneHandlerStopEachByItself: their stops are two, and stepping races with nothing.
func TestTwoGoroutinesOfOneHandlerStopEachByItself(t *testing.T) {
	onBoth(t, 0, func(s *scene) {
		asker, _ := s.askers()
		s.brk(control.Breakpoint{Mesh: "asker", Site: control.SiteSend})
		done := begin(func() (int, error) { return engine.Query(asker, (*Worker).AskTwice).CallOne(s.ctx) })
		got := s.stops(2)
		if got[0].ID == got[1].ID || !got[0].Shared || !got[1].Shared {
			s.t.Errorf("%+v", got)
		}
		s.resume(control.GoNext, got...) // a step is the frame's: one of its goroutines stops, or both
		s.until("one of them to stop again", func() bool { return len(s.pic.Stops) > 0 })
		for _, st := range s.pic.Stops {
			if st.Site != control.SiteResult {
				s.t.Errorf("%+v", st)
			}
		}
		for n := 0; n == 0; {
			if _, err := s.c.Resume(s.ctx, control.ResumeReq{All: true}); err != nil {
				s.t.Fatal(err)
			}
			select {
			case r := <-done:
				if n = r.val; r.err != nil || n != 2 {
					s.t.Fatalf("%+v", r)
				}
			case <-time.After(5 * time.Millisecond): // the other one may be on its way to its next site
			}
		}
	})
}
