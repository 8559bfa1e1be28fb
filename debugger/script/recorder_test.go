package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// lines runs lines one by one in a session of its own, as the explorer does, and returns the steps.
func lines(t *testing.T, texts ...string) (steps []*Step) {
	t.Helper()
	c := control.InProcess(newWorld(t), control.ClientInfo{})
	t.Cleanup(func() { c.Close() })
	s, err := NewSession(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, line := range texts {
		sc, errs := Parse("typed", line)
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		s.Run(t.Context(), sc, func(step *Step) { steps = append(steps, step) })
	}
	return steps
}

func TestSaveKeepsTheExpectationsThatAPersonWrote(t *testing.T) {
	dir := t.TempDir()
	file, inner := filepath.Join(dir, "all.mtui"), filepath.Join(dir, "inner.mtui")
	sourced := "call @t.Value\n  value == 10\n  @t[0-1]: all state.count == 10 within 1s\n! call @t.Add {By: 1000}\n  any err contains \"bad\"\nexpect none value == 1\n"
	if err := os.WriteFile(inner, []byte(sourced), 0o600); err != nil {
		t.Fatal(err)
	}
	lines(t, toys, "source "+inner, "call @t.Value\n  value == 11\n  value > 0\n  len(results) == 4", "expect value == 12", "call @t.No\n  value == 1", "save "+file)
	want := toys + sourced + "call @t.Value\n  value > 0\n  len(results) == 4\n! call @t.No\n"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("saved:\n%s\nwant:\n%s", got, want)
	}
}

func TestSaveSaysNothingTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.mtui")
	lines(t, toys, "call @t.Value\n  value == 10", "save "+file+" --expect")
	if got, err := os.ReadFile(file); err != nil || string(got) != toys+"call @t.Value\n  value == 10\n" {
		t.Errorf("saved (%v):\n%s", err, got)
	}
	lines(t, toys, "call @t.Value", "save --expect "+file)
	if got, err := os.ReadFile(file); err != nil || string(got) != toys+"call @t.Value\n  value == 10\n" {
		t.Errorf("with the option first, saved (%v):\n%s", err, got)
	}
}

func TestSaveAndRecordSayWhatTheyWroteAndKeepWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	saved, recorded := filepath.Join(dir, "s.mtui"), filepath.Join(dir, "r.mtui")
	for _, f := range []string{saved, recorded} {
		if err := os.WriteFile(f, []byte("mine\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	steps := lines(t, "record "+recorded, "procs p gpus=2", "ls", "save "+saved, "save "+filepath.Join(dir, "new.mtui"), "save /dev/null")
	for i, want := range map[int]string{
		0: "commands from now on go to " + recorded + "\nwhat it held is now in " + recorded + "~",
		3: "2 commands saved in " + saved + "\nwhat it held is now in " + saved + "~",
		4: "2 commands saved in " + filepath.Join(dir, "new.mtui"),
		5: "2 commands saved in /dev/null",
	} {
		if got := strings.Join(steps[i].Text, "\n"); got != want || !steps[i].OK() {
			t.Errorf("%s: got\n%s %s\nwant\n%s", steps[i].Stmt.Text, got, steps[i].Err, want)
		}
	}
	for f, want := range map[string]string{saved: "procs p gpus=2\nls\n", saved + "~": "mine\n", recorded: "procs p gpus=2\nls\n", recorded + "~": "mine\n"} {
		if b, err := os.ReadFile(f); err != nil || string(b) != want {
			t.Errorf("%s holds %q (%v), want %q", f, b, err, want)
		}
	}
}

func TestAFileThatALinkNamesIsReplacedAndTheLinkStays(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	lines(t, "ls", "save "+link)
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link is gone: %q, %v", to, err)
	}
	for f, want := range map[string]string{file: "ls\n", file + "~": "mine\n"} {
		if b, err := os.ReadFile(f); err != nil || string(b) != want {
			t.Errorf("%s holds %q (%v), want %q", f, b, err, want)
		}
	}
	steps := lines(t, "save "+dir, "record "+filepath.Join(dir, "no", "such"))
	for _, s := range steps {
		if s.Code != ExitCommand || len(s.Text) > 0 {
			t.Errorf("%s: %d %s", s.Stmt.Text, s.Code, s.Err)
		}
	}
}
