package world

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAnEndThatNobodyOrderedIsAFailure(t *testing.T) {
	for _, c := range []struct {
		state   string
		ordered bool
		want    string
	}{
		{"exited", false, "failed"}, {"killed", false, "failed"}, {"oom", false, "failed"}, {"lost", false, "failed"},
		{"exited", true, "gone"}, {"killed", true, "gone"}, {"stopping", false, "gone"},
	} {
		p := &control.Proc{State: c.state, Ordered: c.ordered}
		if got := ProcWord(p); got != c.want {
			t.Errorf("%s, ordered %v: %s, want %s", c.state, c.ordered, got, c.want)
		}
		if got := RankWord(&control.RankState{State: "gone"}, p); got != c.want {
			t.Errorf("an actor of one %s, ordered %v: %s, want %s", c.state, c.ordered, got, c.want)
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
