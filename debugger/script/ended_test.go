package script

import (
	"github.com/monarch-tui/monarch-tui/engine/control"
	"strings"
	"testing"
)

func TestWhatHasEndedIsToldAsTheGoAPITellsIt(t *testing.T) {
	for _, c := range []struct{ end, call, want string }{
		{"stop @t", "! call @t.Value", "as wanted: @t was stopped"},
		{"kill @t", "! call @t.Value", "as wanted: @t was killed"},
		{"stop p", "! spawn @u on p Toy", "as wanted: procs p were stopped"},
		{"kill p", "! spawn @u on p Toy", "as wanted: procs p were killed"},
	} {
		code, report := play(t, newWorld(t), toys+c.end+"\n"+c.call+"\n")
		if code != ExitOK || !strings.Contains(report, c.want+"\n") {
			t.Errorf("%s; %s: exit %d, report:\n%s\nwant %s", c.end, c.call, code, report, c.want)
		}
	}
}

func TestAStopThatTakesTooLongNamesWhoIsBusy(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"p", "stop took more than 50ms: still running: @t[0-3] in Wait (kill p ends it at once)"},
		{"@t", "stop took more than 50ms: still running: @t[0-3] in Wait (kill @t ends it at once)"},
	} {
		w := newWorld(t)
		w.stuck = true
		code, report := play(t, w, toys+"stop "+c.name+"\n", quick)
		if code != ExitTimeout || !strings.Contains(report, c.want) || strings.Contains(report, "deadline") {
			t.Errorf("exit %d, report:\n%s\nwant %s", code, report, c.want)
		}
	}
}

func TestAKillOfRanksThatHaveEndedSaysSo(t *testing.T) {
	w := newWorld(t)
	w.over = []int{1, 3}
	code, report := play(t, w, toys+"kill p[1]\nkill p[0-3]\nkill p[1,2,3]\nkill @t[3]\nkill @t[2,3]\n")
	if code != ExitOK || strings.Count(report, "p[1] has ended already") != 1 || strings.Count(report, "p[1,3] have ended already") != 2 || strings.Count(report, "@t[3] has ended already") != 2 {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
	var kills []string
	for _, d := range w.done {
		if strings.HasPrefix(d, "kill") {
			kills = append(kills, d)
		}
	}
	if got := strings.Join(kills, "; "); got != "kill p[0 2]; kill p[2]; kill t[2]" {
		t.Errorf("killed: %s", got)
	}
}

func TestInfoCountsWhoIsLeftAsLsDoes(t *testing.T) {
	w := newWorld(t)
	w.over = []int{1, 3}
	code, report := play(t, w, toys+"info @t\ninfo p\n")
	if code != ExitOK || strings.Count(report, "running, 2 of 4 alive") != 2 {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}

// TestInfoTellsNoNumbersOfProcesses holds INV-FOLD: they differ in each run.
func TestInfoTellsNoNumbersOfProcesses(t *testing.T) {
	pm := control.ProcMesh{Name: "p", State: "failed", Reason: "worker 2 of procs p (pid 4711) was killed by SIGKILL"}
	if text := strings.Join(procsInfo(&control.Replica{}, &pm, nil), "\n"); strings.Contains(text, "pid") || !strings.Contains(text, "worker 2 of procs p was killed") {
		t.Error(text)
	}
}
