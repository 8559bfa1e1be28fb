package world

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAnEndThatNobodyOrderedIsAFailure(t *testing.T) {
	for _, c := range []struct{ state, reason, want string }{
		{"exited", "worker 1 of procs p (pid 7) exited with code 7", "failed"},
		{"exited", "worker 1 of procs p (pid 7) exited with code 0", "gone"},
		{"exited", "rank 1 of procs p (in-process) ended: stopped", "gone"},
		{"killed", "rank 1 of procs p (in-process) ended: killed on request", "gone"},
		{"killed", "worker 1 of procs p (pid 7) was killed by SIGKILL", "failed"},
		{"stopping", "", "gone"},
		{"oom", "out of memory", "failed"},
	} {
		p := &control.Proc{State: c.state, Reason: c.reason}
		if got := ProcWord(p); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.state, c.reason, got, c.want)
		}
		if got := RankWord(&control.RankState{State: "gone"}, p); got != c.want {
			t.Errorf("an actor of %s, %s: %s, want %s", c.state, c.reason, got, c.want)
		}
	}
}

func TestAGroupIsGoneWhenAllOfItIs(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"gone", "gone", "gone"}, {"gone", "idle", "idle"}, {"gone", "busy", "busy"}, {"gone", "failed", "failed"},
		{"idle", "busy", "busy"}, {"paused", "warning", "warning"},
	} {
		a, b := uint8(Severity(c.a)), uint8(Severity(c.b))
		if x, y := Graver(a, b), Graver(b, a); x != y || Severities()[x] != c.want {
			t.Errorf("of %s and %s: %s and %s, want %s", c.a, c.b, Severities()[x], Severities()[y], c.want)
		}
	}
	if Severity("gone") != Gone {
		t.Error("Gone is not its code")
	}
}
