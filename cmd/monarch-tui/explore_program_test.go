//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// exploreOnesOwn shows the explorer on a program that nobody here wrote for.
func exploreOnesOwn(t *testing.T, prog, stranger string) {
	t.Run("a mesh of its types", func(t *testing.T) {
		term := open(t, shortDir(t), 100, 30, "-p", prog, "--", "-greeting", "ahoy")
		term.see("live").press(":").press("procs p gpus=2").press("enter").see("2 procs")
		term.press(":").press("spawn @t on p Tally").press("enter").see("✓ spawn @t", "2 actors")
		term.press(":").press("call @t.Greet").press("enter").see(`2 → "ahoy"`)
		controller := children(t, term.cmd.Process.Pid)
		if len(controller) != 1 {
			t.Fatalf("%d children, want the program alone", len(controller))
		}
		workers := children(t, controller[0])
		if len(workers) != 2 {
			t.Errorf("%d workers, want 2", len(workers))
		}
		term.press("q").see("Leave monarch-tui?").press("y")
		if code, _ := term.ends(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		allGone(t, append(workers, controller...))
	})
	t.Run("its breakpoints come back", func(t *testing.T) {
		home := shortDir(t)
		term := open(t, home, 120, 40, "-p", prog)
		term.see("live").press(":").press("break @t.Greet").press("enter").see("✓ break @t.Greet").see("◌ 1").press("q")
		if code, _ := term.ends(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		term = open(t, home, 120, 40, "-p", prog)
		term.see("1 breakpoint is kept from last time").press(":").press("procs p gpus=2 in-process").press("enter").see("✓ procs p")
		term.press(":").press("spawn @t on p Tally").press("enter").see("✓ spawn @t").press(":").press("call @t.Greet &g").press("enter").see("◆ 2 paused")
		term.press("q").see("Leave monarch-tui?").press("y")
		if code, _ := term.ends(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		term = open(t, home, 120, 40, "--demo", "toy") // our own session keeps none
		term.see("live").press(":").press("break @x.Y").press("enter").see("✓ break @x.Y", "◌ 1")
		if list, err := os.ReadDir(filepath.Join(home, "state", "monarch-tui", "breaks")); err != nil || len(list) != 1 {
			t.Errorf("kept are %v, %v: want those of the program alone", list, err)
		}
	})
	t.Run("it is killed", func(t *testing.T) {
		term := open(t, shortDir(t), 100, 30, "-p", prog)
		term.see("live").press(":").press("procs p gpus=2").press("enter").see("2 procs")
		controller := children(t, term.cmd.Process.Pid)
		workers := children(t, controller[0])
		if err := syscall.Kill(controller[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		term.see("the session has ended", "as of")
		term.wait("loses its workers", func() bool {
			return !slices.ContainsFunc(workers, func(pid int) bool { _, alive := status(pid); return alive })
		})
		term.press("?").see("type to filter").press("esc").loses("type to filter")
		term.press("q")
		if code, _ := term.ends(); code != 0 {
			t.Errorf("exit code %d", code)
		}
	})
	t.Run("it ends before engine.Main", func(t *testing.T) {
		term := open(t, shortDir(t), 100, 30, "-p", prog, "--", "-early", "exit")
		code := term.exits()
		term.wait("says why", func() bool { return strings.Contains(term.text(), "no config") })
		if code != exitCommand || !strings.Contains(term.text(), "ended (exit status 5) before it reached engine.Main") {
			t.Errorf("exit code %d, and it said %q", code, term.text())
		}
	})
	t.Run("it says something else", func(t *testing.T) {
		code, after := open(t, shortDir(t), 100, 30, "-p", prog, "--", "-early", "babble").ends()
		if code != exitCommand || !strings.Contains(after, "did not answer as a program with our engine does") {
			t.Errorf("exit code %d, and it said %q", code, after)
		}
	})
	t.Run("one without our engine is refused", func(t *testing.T) {
		for name, want := range map[string]string{stranger: "does not use github.com/monarch-tui/monarch-tui/engine", "/bin/sh": "is not a Go program", os.DevNull: "it may not be executed"} {
			term := open(t, shortDir(t), 100, 30, "-p", name)
			if code := term.exits(); code != exitUsage {
				t.Errorf("%s: exit code %d, want %d", name, code, exitUsage)
			}
			term.wait("says "+want, func() bool { return strings.Contains(term.text(), want) })
			if strings.Contains(term.text(), "it was executed") || strings.Contains(term.text(), leaveAlt) {
				t.Errorf("%s: it was executed, or the screen was opened", name)
			}
		}
	})
}
