//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// stubborn is a pager that changes the terminal as pagers do, and does not listen when it is told to end.
const stubborn = `#!/bin/bash
trap '' TERM HUP
stty raw -echo
printf '\033[?1h\033=this is the pager of '
cat "$1"
exec sleep 60 # it goes on ignoring
`

// TestASignalEndsTheExplorerWhileAPagerHasTheTerminal holds that the pager is ended first, the terminal is as it was before, the
// workers are gone, the file that was shown is gone, and the exit code is that of any interruption.
func TestASignalEndsTheExplorerWhileAPagerHasTheTerminal(t *testing.T) {
	for _, pager := range []string{"less", "stubborn"} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
			t.Run(pager+" "+sig.String(), func(t *testing.T) {
				home := shortDir(t)
				tmp := filepath.Join(home, "tmp")
				if err := os.Mkdir(tmp, 0o700); err != nil {
					t.Fatal(err)
				}
				path, err := exec.LookPath("less")
				if pager == "stubborn" {
					path, err = filepath.Join(home, "stubborn"), nil
					write(t, path, []byte(stubborn))
					if err := os.Chmod(path, 0o700); err != nil {
						t.Fatal(err)
					}
				}
				if err != nil {
					t.Skip("there is no less here")
				}
				term := openWith(t, home, 80, 24, []string{"PAGER=" + path, "TMPDIR=" + tmp, "LESS="})
				term.see("live").press(":").press("procs p gpus=2").press("enter").see("✓ procs p gpus=2", "2 procs")
				workers := children(t, term.cmd.Process.Pid)
				var pagers []int
				term.press("1").press("o")
				term.wait("starts the pager", func() bool {
					pagers = slices.DeleteFunc(children(t, term.cmd.Process.Pid), func(pid int) bool { return slices.Contains(workers, pid) })
					return len(pagers) == 1
				})
				t.Cleanup(func() { // what has the terminal open keeps the test waiting
					for _, pid := range pagers {
						if _, alive := status(pid); alive {
							_ = syscall.Kill(pid, syscall.SIGKILL)
						}
					}
				})
				term.loses("[2] Ranks").see("gpu-0")
				if shown, err := os.ReadDir(tmp); err != nil || len(shown) != 1 {
					t.Errorf("there are %v to be shown, %v: want one file", shown, err)
				}
				if err := term.cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				if code, _ := term.ends(); code != exitInterrupted {
					t.Errorf("exit code %d, want %d", code, exitInterrupted)
				}
				allGone(t, append(workers, pagers...))
				if leftRaw(term.tty.Fd()) {
					t.Error("the terminal is left raw")
				}
				if shown, err := os.ReadDir(tmp); err != nil || len(shown) != 0 {
					t.Errorf("left are %v, %v", shown, err)
				}
			})
		}
	}
}
