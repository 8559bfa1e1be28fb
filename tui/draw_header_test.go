package tui

import "testing"

func TestOneOfAKindIsNotMany(t *testing.T) {
	for n, want := range map[int]string{0: "0 procs", 1: "1 proc", 2: "2 procs", 65536: "65.5k procs"} {
		if got := counted(n, "proc"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
