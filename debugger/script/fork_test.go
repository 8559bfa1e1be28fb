package script

import (
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAForkRunsBesideItsSessionAndTellsEachAnswer(t *testing.T) {
	w := newWorld(t)
	c := control.InProcess(w, control.ClientInfo{Name: "explorer"})
	defer c.Close()
	s, err := NewSession(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	exec := func(s *Session, line string) *Step {
		t.Helper()
		sc, errs := ParseLine(line)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if !sc.Stmts[0].Forkable() {
			t.Errorf("%q stands on its own", line)
		}
		return s.Exec(t.Context(), sc.Stmts[0])
	}
	exec(s, "procs p gpus=2")
	exec(s, "spawn @t on p Toy {Count: 3}")
	f := s.Fork()
	var ranks []int
	f.Listen(func(a Answer) { ranks = append(ranks, a.Rank) })
	waiting := make(chan *Step)
	go func() { waiting <- exec(f, "call @t.Gate") }()
	if step := exec(s, "call @t.Value"); !step.OK() || strings.Join(step.Text, "") != "[0-1] 3" {
		t.Errorf("the session beside a waiting fork: %+v", step)
	}
	close(w.gate)
	if step := <-waiting; !step.OK() {
		t.Errorf("the fork: %+v", step)
	}
	slices.Sort(ranks)
	if !slices.Equal(ranks, []int{0, 1}) {
		t.Errorf("answers of ranks %v were told", ranks)
	}
	var saved strings.Builder
	if n, err := s.rec.Save(&saved, false); err != nil || n != 4 || strings.Count(saved.String(), "\n") != 4 {
		t.Errorf("a fork's commands are recorded too: %q, %v", saved.String(), err)
	}
	for _, line := range []string{"call @t.Value => v", "call @t.Value &j", "let x = 1", "save f"} {
		if sc, _ := ParseLine(line); sc == nil || sc.Stmts[0].Forkable() {
			t.Errorf("%q is the session's own", line)
		}
	}
}
