//go:build linux

package main

import (
	"fmt"
	"testing"

	"github.com/monarch-tui/monarch-tui/demos"
)

func TestEachDemoGoesStepByStepToItsEnd(t *testing.T) {
	for _, d := range demos.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			term := open(t, shortDir(t), 130, 40, "--demo", d.Name)
			for step := range d.Steps + 1 {
				term.see(fmt.Sprintf("%s %d of %d ", d.Name, step+1, d.Steps+1), "next step").press("space")
			}
			term.see("That was it", "0 procs")
			if left := children(t, term.cmd.Process.Pid); len(left) > 0 {
				t.Errorf("the demo has left the workers %v", left)
			}
			term.press("q")
			if code, _ := term.ends(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestADemoThatPlaysByItselfGoesOn(t *testing.T) {
	t.Parallel()
	term := open(t, shortDir(t), 100, 30, "--demo", "toy", "--auto")
	term.see("toy 1 of 4 ", "goes on in", "toy 2 of 4 ").press("ctrl+c").press("ctrl+c").ends()
}

func TestAnotherDemoInTheMiddleOfOneLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	term := open(t, shortDir(t), 100, 30, "--demo", "pingpong")
	term.see("pingpong 1 of 4 ", "next step").press("space").see("pingpong 2 of 4 ", "4 procs")
	old := children(t, term.cmd.Process.Pid)
	term.press(":").press("demo toy").press("enter").see("toy 1 of 4 ", "0 procs")
	allGone(t, old)
	term.press("space").see("toy 2 of 4 ", "4 procs").press("ctrl+c").press("ctrl+c").ends()
}
