//go:build linux

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/tui"
	"github.com/monarch-tui/monarch-tui/tui/keys"
)

// at is what the head of a demo's narration shows at a step.
func at(d demos.Demo, step int) string {
	return fmt.Sprintf("%s %d of %d ", d.Name, step+1, len(d.Lesson(d.Ranks)))
}

// goOn goes through the first steps of a demo, which are no tasks.
func goOn(term *terminal, demo string, steps int) {
	term.t.Helper()
	d, err := findDemo(demo)
	if err != nil {
		term.t.Fatal(err)
	}
	for step := range steps {
		term.see(at(d, step), "next step").press("space")
	}
}

func TestEachDemoGoesStepByStepToItsEnd(t *testing.T) {
	for _, d := range demos.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			term := open(t, shortDir(t), 130, 40, "--demo", d.Name)
			for step, s := range d.Lesson(d.Ranks) {
				if len(s.Goals) > 0 {
					term.see(at(d, step), "skip: the demo does it").press(";")
					if tui.IsWord(s.Goals[0]) { // what the demo said is shown, until somebody goes on
						term.see("✓ " + beginning(s.Done)).press(";")
					}
				} else {
					term.see(at(d, step), "next step").press("space")
				}
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

// TestWhoeverDoesTheTasksIsSeen types the commands that the tasks show, on a screen that holds each step on one page.
func TestWhoeverDoesTheTasksIsSeen(t *testing.T) {
	for _, d := range demos.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			term := open(t, shortDir(t), 80, 24, "--demo", d.Name)
			for step, s := range d.Lesson(d.Ranks) {
				term.see(at(d, step), s.Title)
				if len(s.Goals) > 0 {
					doTask(term, s)
					continue
				}
				term.see("next")
				if strings.Contains(term.screen(), " more (") {
					t.Errorf("it does not fit:\n%s", term.screen())
				}
				term.press(";")
			}
			term.see("That was it").press("q", "y")
			term.exits()
		})
	}
}

func doTask(term *terminal, s story.Step) {
	term.t.Helper()
	term.see("skip")
	if strings.Contains(term.screen(), " more") {
		term.t.Errorf("it does not fit:\n%s", term.screen())
	}
	if tui.IsWord(s.Goals[0]) {
		term.see(":   " + s.Goals[0])
		for i, line := range s.Goals {
			term.press(":").press(line).press("enter") // ':' closes what the word before has shown
			if i+1 < len(s.Goals) {
				term.see(fmt.Sprintf("✓ %d of %d done", i+1, len(s.Goals)))
			}
		}
		term.see("✓ " + beginning(s.Done))
		if shown := ", took "; strings.Contains(term.screen(), shown) {
			term.press("esc").loses(shown)
		}
	} else {
		for _, line := range s.Goals {
			if strings.HasPrefix(line, "@") { // that comes of the one before
				continue
			}
			term.see(":   " + line).press(":").press(line).press("enter")
		}
	}
	term.see("✓ "+beginning(s.Done), "goes on in").press(";")
}

// beginning is what surely stands on the first line of a task's praise.
func beginning(praise string) string {
	praise, _, _ = strings.Cut(praise, "{")
	return praise[:min(len(praise), 40)]
}

// TestTheLessonsNameWhatThereIs checks what the demos cannot, which know only the engine: commands and actions.
func TestTheLessonsNameWhatThereIs(t *testing.T) {
	action := regexp.MustCompile(`{([^{} ]*)}`)
	known := tui.KeysMarkdown()
	for _, d := range demos.All() {
		for _, s := range d.Lesson(d.Ranks) {
			for _, line := range append([]string{s.Command}, s.Goals...) {
				if _, after, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "@") {
					line = after
				}
				if _, errs := script.ParseLine(line); len(errs) > 0 {
					t.Errorf("%s, %q: the command %q: %v", d.Name, s.Title, line, errs[0].Msg)
				}
			}
			for _, m := range action.FindAllStringSubmatch(s.How+s.Done, -1) {
				if m[1] != keys.Arrows && !strings.Contains(known, "| `"+m[1]+"` |") {
					t.Errorf("%s, %q: there is no action %q", d.Name, s.Title, m[1])
				}
			}
		}
	}
}

func TestTheToyIsDoneByHand(t *testing.T) {
	t.Parallel()
	term := open(t, shortDir(t), 120, 40, "--demo", "toy")
	goOn(term, "toy", 5)
	term.see("now you call them all")
	term.press(":").press("call @toy_actor[0].HelloWorld me").press("enter")
	term.see("Seen: call @toy_actor[0].HelloWorld me. Still to do: HelloWorld on all ranks of @toy_actor")
	term.press("2", "*", "x").see("Call toy_actor.HelloWorld on 4 ranks").press("hi").press("enter")
	term.see("✓ You called all 4", "goes on when this is closed").press("esc").loses("goes on when").press(";")
	term.see("why slice").press(";").see("now you pick a rank")
	term.press("esc").see("nothing selected").press("space").see("Still to do: select @toy_actor[gpus=3] and nothing else")
	term.press("space").see("nothing selected").press("l", "l", "l", "space").see("✓ That is a slice").press("ctrl+c").press("ctrl+c")
	term.ends()
}

func TestPingPongIsDoneByHand(t *testing.T) {
	t.Parallel()
	term := open(t, shortDir(t), 120, 40, "--demo", "pingpong")
	goOn(term, "pingpong", 4)
	term.see("now you introduce the other group")
	term.press(":").press("call @actor_1.Init @actor_1").press("enter").see("Still to do: Init on all ranks of @actor_1") // the wrong handle
	term.press(":").press("call @actor_1.Init @actor_0").press("enter").see("✓ Both groups are paired").press(";")
	term.see("an actor calls an actor").press("space").see("now you send one back", "Pong!")
	term.press(";").see("now you let one pair play").press(";").see("The end").press("space").see("That was it", "0 procs")
	term.press("q").ends()
}

func TestADemoThatPlaysByItselfGoesOn(t *testing.T) {
	t.Parallel()
	term := open(t, shortDir(t), 100, 30, "--demo", "toy", "--auto")
	term.see("toy 1 of 14 ", "goes on in", "toy 2 of 14 ").press("ctrl+c").press("ctrl+c")
	term.ends()
}

func TestAnotherDemoInTheMiddleOfOneLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	term := open(t, shortDir(t), 100, 30, "--demo", "pingpong")
	term.see("pingpong 1 of 9 ", "next step").press("space").see("pingpong 2 of 9 ", "2 procs")
	old := children(t, term.cmd.Process.Pid)
	term.press(":").press("demo toy").press("enter").see("toy 1 of 14 ", "0 procs")
	allGone(t, old)
	goOn(term, "toy", 3)
	term.see("toy 4 of 14 ", "4 procs").press("ctrl+c").press("ctrl+c")
	term.ends()
}
