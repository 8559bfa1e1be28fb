//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestASavedLineRunsOnAllRanksWithoutLeavingTheExplorer builds a program, shows it, and saves its source: once so that it runs, once
// so that it does not compile, and once repaired.
func TestASavedLineRunsOnAllRanksWithoutLeavingTheExplorer(t *testing.T) {
	prog := buildStranger(t, filepath.Join("testdata", "tally"))
	source := filepath.Join(filepath.Dir(prog), "main.go")
	code, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const before = "return *greeting, nil"
	if !bytes.Contains(code, []byte(before)) {
		t.Fatalf("%s does not say %q", source, before)
	}
	save := func(line string) { write(t, source, bytes.Replace(code, []byte(before), []byte(line), 1)) }
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := strings.Fields(string(out)) // not below the home of the test
	cmd := exec.Command(self, "-p", prog, "--watch", "--", "-greeting", "ahoy")
	cmd.Dir, cmd.Env = filepath.Dir(prog), []string{"GOFLAGS=-mod=mod", "GOWORK=off", "GOCACHE=" + dirs[0], "GOMODCACHE=" + dirs[1]}
	term := launch(t, cmd, shortDir(t), 120, 40)
	term.see("watching 3 files").press(":").press("procs p gpus=2").press("enter").see("2 procs")
	term.press(":").press("spawn @t on p Tally").press("enter").see("✓ spawn @t", "2 actors")
	save(`return *greeting + " there", nil`)
	term.see("▲ reloaded: 2 ranks", "t[*] began anew").press(":").press("call @t.Greet").press("enter").see(`2 → "ahoy there"`)
	save("return *greetings, nil")
	term.see("✕ reload: main.go:", "‹Reload›", "undefined: greetings")
	save(before)
	term.see("▲ reloaded: 2 ranks", "t[*] began anew", "‹Logs›").press(":").press("call @t.Greet").press("enter").see(`2 → "ahoy"`)
	term.press("q").see("Leave monarch-tui?").press("y")
	if code, _ := term.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
