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

func TestLsCountsWhoIsLeft(t *testing.T) {
	w := newWorld(t)
	code, report := play(t, w, toys+"ls\n", func(*Runner) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.over = []int{1, 3}
	})
	if code != 0 || !strings.Contains(report, "running, 2 of 4 alive") || strings.Count(report, "alive") != 2 {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}
