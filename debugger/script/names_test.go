package script

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// FuzzNames: what the engine takes as a name, the language can say.
func FuzzNames(f *testing.F) {
	f.Add("model.v2", "gpus", "Hello")
	f.Add("a-b", "_d0", "Größe")
	f.Add("x_9", "größe", "日本")
	f.Fuzz(func(t *testing.T, mesh, dim, endpoint string) {
		if control.CheckName("mesh", mesh) == nil {
			says(t, "stop "+mesh)
			says(t, "kill @"+mesh+"[0]")
			says(t, "kill "+mesh+"[0]")
			if isMethod(endpoint) {
				says(t, "call @"+mesh+"."+endpoint)
			}
			if (shape.Extent{{Name: dim, Size: 2}}).Validate(0) == nil {
				says(t, "procs "+mesh+" "+dim+"=2\nspawn @"+mesh+" on "+mesh+" T\ncall @"+mesh+"["+dim+"=1].Hi")
			}
		}
	})
}

// isMethod reports whether a name could be that of an exported method in Go.
func isMethod(s string) bool {
	for i, r := range s {
		if i == 0 && strings.ToUpper(string(r)) == strings.ToLower(string(r)) || r == '-' {
			return false
		}
	}
	c := &cursor{text: s, raw: s}
	n, err := c.identifier("x")
	return err == nil && n == s
}

func says(t *testing.T, line string) {
	t.Helper()
	if _, errs := Parse("x", line); len(errs) > 0 {
		t.Errorf("%q: %v", line, errs)
	}
}

func TestLsCountsWhoIsLeftAndWhoStandsStill(t *testing.T) {
	for text, set := range map[string]func(*world){
		"running, 2 of 4 alive":           func(w *world) { w.over = []int{1, 3} },
		"running, 1 paused":               func(w *world) { w.still = []int{2} },
		"running, 3 of 4 alive, 2 paused": func(w *world) { w.over, w.still = []int{3}, []int{0, 1, 3} },
		"running":                         func(*world) {},
	} {
		w := newWorld(t)
		code, report := play(t, w, toys+"ls\n", func(*Runner) {
			w.mu.Lock()
			defer w.mu.Unlock()
			set(w)
		})
		if code != 0 || strings.Count(report, text+"\n") != 2 { // of the processes and of the actors
			t.Errorf("exit %d, want %s twice:\n%s", code, text, report)
		}
	}
}

func TestInfoNamesWhoStandsStill(t *testing.T) {
	w := newWorld(t)
	code, report := play(t, w, toys+"info p\ninfo @t\n", func(*Runner) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.over, w.still = []int{3}, []int{1, 2, 3}
	})
	for _, want := range []string{"[1-2] ready, paused by a signal\n", "[1-2] idle, its process paused by a signal\n"} {
		if code != 0 || !strings.Contains(report, want) {
			t.Errorf("exit %d, want %q:\n%s", code, want, report)
		}
	}
}

// Where the engine waits for a process in vain, that is told as it is, and not for how long the command would have been given.
func TestAPauseThatAProcessDoesNotTakeSaysWhy(t *testing.T) {
	for want, still := range map[string][]int{
		"pause: @t[1] is in process 0, which a signal has stopped; SIGCONT has it go on": {1},
		"pause took more than 1s": nil,
	} {
		w := newWorld(t)
		code, report := play(t, w, toys+"pause @t[1]\n", func(*Runner) { w.still = still })
		if code == 0 || !strings.Contains(report, want+"\n") {
			t.Errorf("exit %d, want %q:\n%s", code, want, report)
		}
	}
}
