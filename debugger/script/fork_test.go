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
	if _, err := s.rec.Save(&saved, false); err != nil || !strings.Contains(saved.String(), "call @t.Gate") || !strings.Contains(saved.String(), "call @t.Value") {
		t.Errorf("a fork's commands are recorded too: %q, %v", saved.String(), err)
	}
	for _, line := range []string{"call @t.Value => v", "call @t.Value &j", "let x = 1", "save f"} {
		if sc, _ := ParseLine(line); sc == nil || sc.Stmts[0].Forkable() {
			t.Errorf("%q is the session's own", line)
		}
	}
}

func TestASessionTakesOverWhatAForkGave(t *testing.T) {
	c := control.InProcess(newWorld(t), control.ClientInfo{Name: "explorer"})
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
		return s.Exec(t.Context(), sc.Stmts[0])
	}
	exec(s, "procs p gpus=2")
	exec(s, "spawn @t on p Toy {Count: 3}")
	f := s.Fork()
	exec(f, "call @t.Value")
	if step := exec(s, "expect value == 3"); step.OK() {
		t.Error("the session sees what a fork gave before it has taken it over")
	}
	s.TakeOver(Given{})
	s.TakeOver(f.Last())
	for _, line := range []string{"expect value == 3", "let n = results[1]", "expect value == n"} {
		if step := exec(s, line); !step.OK() {
			t.Errorf("%s: %s %v", line, step.Err, step.Failures)
		}
	}
}

func TestOnlyLinesThatDependOnWhatCameBeforeLookBack(t *testing.T) {
	for line, want := range map[string]bool{
		"expect value == 3": true, "let x = 1": true, "echo ${results}": true, "save f": true, "on @t call Value ${results[0]}": true, "ls\nexpect value == 3": true,
		"echo hi": false, "call @t.Value": false, "call @t.Value => x": false, "procs p gpus=1": false, "wait j": false, "": false,
	} {
		sc, errs := ParseLine(line)
		if len(errs) > 0 {
			t.Fatal(line, errs)
		}
		if got := sc.LooksBack(); got != want {
			t.Errorf("%q looks back: %v", line, got)
		}
	}
}

func TestASpawnSaysWhichRanksHaveEnded(t *testing.T) {
	w := newWorld(t)
	steps := func() []*Step {
		c := control.InProcess(w, control.ClientInfo{})
		t.Cleanup(func() { c.Close() })
		s, err := NewSession(t.Context(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		var out []*Step
		for _, line := range []string{"procs p gpus=4", "spawn @a on p Toy", "!", "spawn @b on p Toy"} {
			if line == "!" {
				w.mu.Lock()
				p := w.snap.Procs[2]
				p.State = "killed"
				w.emit(&control.Event{Proc: &p})
				w.mu.Unlock()
				continue
			}
			sc, errs := ParseLine(line)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			s.Run(t.Context(), sc, func(step *Step) { out = append(out, step) })
		}
		return out
	}()
	if got := strings.Join(steps[1].Text, "") + "|" + strings.Join(steps[2].Text, ""); got != "|no actor on rank 2: the process has ended" {
		t.Errorf("told %q", got)
	}
}

func TestThatSlotsAreVirtualIsToldOnceInASessionAndItsForks(t *testing.T) {
	c := control.InProcess(newWorld(t), control.ClientInfo{})
	defer c.Close()
	s, err := NewSession(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	told := 0
	for i, on := range []*Session{s.Fork(), s, s.Fork()} {
		sc, _ := ParseLine("procs p" + string(rune('a'+i)) + " gpus=2")
		on.Run(t.Context(), sc, func(step *Step) { told += strings.Count(strings.Join(step.Text, "\n"), "virtual") })
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}
