//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheReadmeShowsWhatItsProgramPrints does what the README has its reader do with an actor of his own, and compares what is
// printed with what is shown there, the numbers drawn by seed too.
func TestTheReadmeShowsWhatItsProgramPrints(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "pi")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main.go.txt"), []byte(shown(t, page, "// Command pi ")))
	write(t, filepath.Join(dir, "pi.mtui"), []byte(shown(t, page, "# Four workers throw darts")))
	prog := buildStranger(t, dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		typed string
		run   []string
	}{
		{"go mod tidy && go build -o pi . && ./pi", []string{prog}},
		{"monarch-tui run -p ./pi pi.mtui", []string{self, "run", "-p", prog, "pi.mtui"}},
	} {
		cmd := exec.Command(c.run[0], c.run[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0", "XDG_RUNTIME_DIR="+shortDir(t))
		out, err := cmd.Output()
		if want := strings.TrimPrefix(shown(t, page, "$ "+c.typed), "$ "+c.typed+"\n"); err != nil || string(out) != want {
			t.Errorf("%s: %v, it prints\n%s\nwhere the README has\n%s", c.typed, err, out, want)
		}
	}
}

// shown is the block of code of a page that begins so.
func shown(t *testing.T, page []byte, begin string) string {
	t.Helper()
	for i, block := range strings.Split(string(page), "\n```") {
		_, block, _ = strings.Cut(block, "\n")
		if i%2 == 1 && strings.HasPrefix(block, begin) {
			return block + "\n"
		}
	}
	t.Fatalf("no block of the README begins with %q", begin)
	return ""
}
