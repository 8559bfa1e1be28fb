//go:build linux

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAFaultRestoresTheTerminalEndsTheWorkersAndNamesItsFile(t *testing.T) {
	home := shortDir(t)
	term := openWith(t, home, 100, 30, []string{"MONARCH_TEST_MAIN=fault"})
	term.see("live").press(":").press("procs p gpus=2").press("enter").see("2 procs")
	workers := children(t, term.cmd.Process.Pid)
	write(t, filepath.Join(home, "fault"), nil)
	code, after := term.ends()
	allGone(t, workers)
	said := regexp.MustCompile(`the clock fell off the wall; the terminal is restored and the workers are ended; the details are in (\S+)`).FindStringSubmatch(after)
	if code != exitInternal || said == nil {
		t.Fatalf("exit code %d, and it said %q", code, after)
	}
	text, err := os.ReadFile(said[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"monarch-tui ", "the clock fell off the wall", "fault_test.go", "procs p gpus=2"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the crash file does not say %q:\n%s", want, text)
		}
	}
}

// sgr is an escape sequence that sets how text looks.
var sgr = regexp.MustCompile(`\x1b\[([0-9;:]*)m`)

func TestNoColorMeansNone(t *testing.T) {
	term := openWith(t, shortDir(t), 100, 30, []string{"NO_COLOR=1"})
	term.see("live").press(":").press("procs p gpus=4").press("enter").see("4 procs")
	term.press("2").press("space").see("1 of 4").press("q").see("Leave monarch-tui?").press("y")
	term.ends()
	reverse := false
	for _, m := range sgr.FindAllStringSubmatch(term.text(), -1) {
		for _, p := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ';' || r == ':' }) {
			switch {
			case p == "7":
				reverse = true
			case len(p) == 2 && strings.Contains("34", p[:1]) && p != "39" && p != "49", len(p) == 2 && p[0] == '9', len(p) == 3 && p[:2] == "10":
				t.Fatalf("there is a colour in %q", m[0])
			}
		}
	}
	if !reverse {
		t.Error("the selection is not shown in reverse video")
	}
}

func TestADumbTerminalAndAsciiGetNothingElse(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) *terminal{
		"TERM=dumb": func(t *testing.T) *terminal {
			return openWith(t, shortDir(t), 80, 24, []string{"TERM=dumb", "COLORTERM="})
		},
		"--ascii": func(t *testing.T) *terminal { return open(t, shortDir(t), 120, 40, "--ascii") },
	} {
		t.Run(name, func(t *testing.T) {
			term := start(t)
			term.see("live").press(":").press("procs p gpus=4").press("enter").see("4 procs")
			term.press(":").press("spawn @toy on p ToyActor").press("enter").see("* spawn @toy on p ToyActor ", "4 actors")
			term.press("*").press("x").see("Call toy.HelloWorld").press("hi").press("enter").see("4 > done").press("esc").loses("Call toy")
			term.press("4").press("]").see("<Flow>").press("?").see("type to filter")
			for _, row := range term.rows() {
				if i := strings.IndexFunc(row, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
					t.Errorf("this row is not ASCII from column %d on: %s", i, row)
				}
			}
			term.press("ctrl+c").press("ctrl+c").ends()
		})
	}
}

func TestALightTerminalGetsDarkText(t *testing.T) {
	term := open(t, shortDir(t), 80, 24, "--theme", "light")
	term.see("live").press("q").ends()
	for _, m := range sgr.FindAllStringSubmatch(term.text(), -1) {
		for _, fg := range regexp.MustCompile(`38;2;(\d+);(\d+);(\d+)`).FindAllStringSubmatch(m[1], -1) {
			if len(fg[1]) == 3 && len(fg[2]) == 3 && len(fg[3]) == 3 && fg[1] > "200" && fg[2] > "200" && fg[3] > "200" {
				t.Fatalf("text in %q cannot be read on white", m[0])
			}
		}
	}
}

func TestATerminalThatIsTooSmallSaysSoAndGrows(t *testing.T) {
	term := open(t, shortDir(t), 20, 6)
	term.see("needs 30×8")
	term.resize(80, 24).see("live", "[1] Mesh", "create a proc mesh")
	term.resize(40, 12).see("[2] Ranks")
	if n := len(term.rows()); n > 12 {
		t.Errorf("%d rows on a screen of 12", n)
	}
	term.resize(20, 6).see("needs 30×8").press("q")
	if code, _ := term.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
