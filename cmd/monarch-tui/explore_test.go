//go:build linux

package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestAPersonMakesAMeshAndCallsIt goes the whole way with real workers: create, spawn, slice, call, lose one, leave.
func TestAPersonMakesAMeshAndCallsIt(t *testing.T) {
	term := open(t, shortDir(t), 120, 40)
	term.see("live", "create a proc mesh")
	term.press("M").see("New proc mesh").press("enter").see("procs0 is ready")
	workers := children(t, term.cmd.Process.Pid)
	if len(workers) != 4 {
		t.Fatalf("%d worker processes, want 4", len(workers))
	}
	term.press("a").see("Spawn actors")
	for _, typ := range []string{"CountingActor", "DebugeeActor", "EchoActor", "LearnerActor", "LinkActor", "LoaderActor", "PhilosopherActor", "PingPongActor"} {
		term.see("‹" + typ + "›").press("right")
	}
	term.see("‹ToyActor›").press("enter").see("@toy is ready")
	term.press("e").press("gpus=1:3").press("enter").see("2 of 4")
	term.press("x").see("Call toy.HelloWorld on 2 ranks").press("hello from a test").press("enter").see("2 → done")
	term.press("esc").see("Actor [1-2]: Received")
	if err := syscall.Kill(workers[2], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	term.see("✕ lost")
	term.press("q").see("Leave monarch-tui?").press("y")
	code, after := term.ends()
	if code != 0 || !strings.Contains(after, "monarch-tui ran for") {
		t.Errorf("exit code %d, epilogue %q", code, after)
	}
	allGone(t, workers)
}

func TestTheTerminalIsRestoredAndWorkersEndWhateverHappens(t *testing.T) {
	for name, end := range map[string]func(term *terminal){
		"ctrl+c":  func(term *terminal) { term.press("ctrl+c").see("Leave monarch-tui?").press("ctrl+c") },
		"SIGTERM": func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			term := open(t, shortDir(t), 80, 24)
			term.see("live").press(":").press("procs p gpus=2").press("enter").see("✓ procs p gpus=2", "2 procs")
			workers := children(t, term.cmd.Process.Pid)
			end(term)
			if code, _ := term.ends(); code != 0 && code != exitInterrupted {
				t.Errorf("exit code %d", code)
			}
			allGone(t, workers)
		})
	}
}

func TestSuspendingGivesTheTerminalBackAndComesAgain(t *testing.T) {
	term := openShell(t, shortDir(t), 80, 24)
	term.see("live").press("ctrl+z")
	term.wait("restored the terminal", func() bool { return strings.Contains(term.text(), leaveAlt) })
	term.see("Stopped")
	term.press("fg\n").see("live").press("q")
	term.see("monarch-tui ran for").press("exit\n").exits()
}

func TestAnAttachedExplorerLeavesTheSessionAlone(t *testing.T) {
	home := shortDir(t)
	first := open(t, home, 100, 30)
	first.see("live").press(":").press("procs mine gpus=2").press("enter").see("2 procs")
	second := open(t, home, 100, 30, "attach", strconv.Itoa(first.cmd.Process.Pid))
	if _, after := second.see("live", "mine").press("q").ends(); !strings.Contains(after, "goes on · its log is ") {
		t.Errorf("the other explorer leaves with %q", after)
	}
	if n := len(children(t, first.cmd.Process.Pid)); n != 2 {
		t.Errorf("%d workers after the other explorer has left, want 2", n)
	}
	third := open(t, home, 100, 30, "attach", "explorer")
	third.see("live", "mine")
	first.press("q").see("Leave").press("y").ends()
	third.see("ended, looking for it", "as of")
	again := open(t, home, 100, 30)
	again.see("live")
	third.see("● live")
	third.press("q").ends()
}

func TestWithoutATerminalOneSentenceSaysWhatToDo(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--demo", "toy"}, {"attach", "x"}} {
		cmd := exec.Command(exe, args...)
		cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "needs a terminal") || cmd.ProcessState.ExitCode() != exitUsage {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
}

func TestSuspendingIsRefusedWhereNobodyCouldWakeUs(t *testing.T) {
	term := open(t, shortDir(t), 80, 24) // the leader of the terminal's session, as xterm -e and a tmux window start it
	term.see("live").press("ctrl+z").see("suspend: no shell could wake it").press("q").ends()
}

func TestATerminalThatWasLeftRawIsTold(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for setup, told := range map[string]bool{"stty raw -echo; ": true, "": false} {
		term := openShellWith(t, shortDir(t), 80, 24, setup+exe)
		term.see("live").press("q").see("monarch-tui ran for")
		_, _ = term.tty.WriteString("stty sane; echo the end\n")
		term.see("the end")
		if got := strings.Contains(term.text(), "Type  reset  and enter"); got != told {
			t.Errorf("%q: told %v", setup, got)
		}
		_, _ = term.tty.WriteString("exit\n")
		term.exits()
	}
}

// TestAnExplorerThatWasKilledIsToldInItsTerminal has a shell that sets its terminal right when the explorer is killed, as most do.
func TestAnExplorerThatWasKilledIsToldInItsTerminal(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	term := openShellWith(t, shortDir(t), 80, 24, exe)
	term.see("live")
	for _, pid := range children(t, term.cmd.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = term.tty.WriteString("stty sane; " + exe + " demo list; echo the end of one\n")
	term.wait("tells of it", func() bool { return strings.Contains(term.text(), "was killed and could not put the terminal right") })
	term.wait("is at its end", func() bool { return strings.Contains(term.text(), "\nthe end of one") })
	_, _ = term.tty.WriteString(exe + "\n")
	term.wait("draws anew", func() bool { return strings.Count(term.text(), "live") > 1 })
	term.press("q").see("monarch-tui ran for")
	_, _ = term.tty.WriteString("exit\n")
	term.exits()
	if n := strings.Count(term.text(), "could not put the terminal right"); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}
