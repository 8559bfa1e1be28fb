package debugger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestAScriptThatOnlyItselfCouldContinueFails: nobody else is there, so its limit runs on, and it says which stop holds it.
func TestAScriptThatOnlyItselfCouldContinueFails(t *testing.T) {
	for name, text := range map[string]string{
		"in the foreground": "break @w[1].Do\ncall @w.Do {N: 1} timeout 300ms\n",
		"with wait":         "break @w[1].Do\ncall @w.Do {N: 1} &c\nwait c timeout 300ms\n",
		"through another":   "break @w[1].Do\ncall @asker.Ask 1 timeout 700ms\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 2, engine.AllInProcess())
			p, err := engine.SpawnProcs(s.ctx, engine.Name("asking"), engine.Dim("gpus", 1))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Spawn(s.ctx, p, "asker", Worker{Peer: s.m.Slice(engine.At("gpus", 1))}); err != nil {
				t.Fatal(err)
			}
			s.leave()
			got := s.play(text, script.Options{Timeout: 20 * time.Second})
			if got.code != script.ExitTimeout || !strings.Contains(got.text, "held by stop 1 (breakpoint 1 at @w[1].Do)") {
				t.Errorf("exit %d:\n%s", got.code, got.text)
			}
			if !strings.Contains(got.text, "stopped were @w[1].Do; the policy is continue") {
				t.Errorf("the end does not tell of who was stopped:\n%s", got.text)
			}
		})
	}
}

// TestLimitsStandStillWhileSomebodyLooks: another front end is there, which lets the actor go on long after the limits.
func TestLimitsStandStillWhileSomebodyLooks(t *testing.T) {
	for name, text := range map[string]string{
		"of a command":      "call @w.Do {N: 1} timeout 250ms\n  value == 1\n",
		"of an expectation": "broadcast @w[0].Do {N: 1}\nexpect @w[0]: state.count == 1 within 250ms\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 1, engine.AllInProcess())
			s.brk(control.Breakpoint{Endpoint: "Do"})
			done := begin(func() (told, error) { return s.play(text, script.Options{Timeout: 250 * time.Millisecond}), nil })
			st := s.stops(1)[0]
			late := time.NewTimer(time.Second) // four limits
			defer late.Stop()
			select {
			case r := <-done:
				t.Fatalf("it ended while its actor was stopped: exit %d\n%s", r.val.code, r.val.text)
			case <-late.C:
			}
			s.resume(control.GoContinue, st)
			if r := <-done; r.val.code != 0 {
				t.Errorf("exit %d\n%s", r.val.code, r.val.text)
			}
		})
	}
}

// TestAnExpectationAboutStopsHasItsOwnTime: the stop that is there does not hold up a look at the stops.
func TestAnExpectationAboutStopsHasItsOwnTime(t *testing.T) {
	s := newScene(t, 1, engine.AllInProcess())
	got := s.play("break @w[0].Do\ncall @w.Do {N: 1} &c\nexpect len(stops) == 1 within 10s\nexpect len(stops) == 2 within 100ms\n", script.Options{})
	if got.code != script.ExitExpect || !strings.Contains(got.text, "not within 100ms") {
		t.Errorf("exit %d\n%s", got.code, got.text)
	}
}

// TestStayLeavesWhatIsStopped: the script's end touches neither the stopped frame nor its mesh.
func TestStayLeavesWhatIsStopped(t *testing.T) {
	s := newScene(t, 0, engine.AllInProcess())
	got := s.play("procs p gpus=2\nspawn @x on p Worker\npolicy stay\nbreak @x[1].Do\nbroadcast @x.Do {N: 1}\nexpect len(stops) == 1 within 10s\n", script.Options{})
	if got.code != 0 || !strings.Contains(got.text, "stopped are @x[1].Do; the policy is stay: they stay stopped, and their meshes stay") {
		t.Errorf("exit %d\n%s", got.code, got.text)
	}
	if st := s.stops(1)[0]; st.Mesh != "x" || st.Rank != 1 {
		t.Errorf("%+v", st)
	}
	if m, ok := s.pic.Mesh("x"); !ok || m.Gone {
		t.Error("the mesh has ended")
	}
}

// TestTheEndOfAScriptLeavesOthersTheirStops: a second front end is at work in the same session.
func TestTheEndOfAScriptLeavesOthersTheirStops(t *testing.T) {
	s := newScene(t, 2, engine.AllInProcess())
	s.brk(control.Breakpoint{Endpoint: "Count", Ranks: "0"})
	theirs := begin(func() (int, error) {
		return engine.Query(s.m.Slice(engine.At("gpus", 0)), (*Worker).Count).CallOne(s.ctx)
	})
	st := s.stops(1)[0]
	got := s.play("break @w[1].Do\ncall @w[1].Do {N: 1} &c\nexpect len(stops) == 2 within 10s\n", script.Options{})
	if got.code != 0 || !strings.Contains(got.text, "stopped were @w[1].Do;") {
		t.Errorf("exit %d\n%s", got.code, got.text)
	}
	if left := s.stops(1)[0]; left.ID != st.ID || len(s.pic.Breaks) != 1 {
		t.Errorf("left are %+v and %+v", left, s.pic.Breaks)
	}
	s.resume(control.GoContinue, st)
	want(t, theirs, 0, "")
}
