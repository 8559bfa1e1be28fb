package tui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTwoExplorersKeepOneHistory(t *testing.T) {
	dir := t.TempDir()
	explorer := func() *Model {
		m, err := New(t.Context(), Config{Dir: dir, Settings: Settings{Theme: "dark"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		return m
	}
	one, two := explorer(), explorer()
	one.remember("ls")
	two.remember("procs p gpus=2")
	one.remember("stop p")
	two.remember("ls")
	b, err := os.ReadFile(filepath.Join(dir, "history"))
	if want := "procs p gpus=2\nstop p\nls\n"; err != nil || string(b) != want {
		t.Errorf("the file has %q, want %q (%v)", b, want, err)
	}
	if got := strings.Join(one.history, "|"); got != "ls|stop p" {
		t.Errorf("the first one remembers %s", got)
	}
	if got := strings.Join(explorer().history, "|"); got != "procs p gpus=2|stop p|ls" {
		t.Errorf("a new one remembers %s", got)
	}
}
