//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestThePromptOnATerminalHasHistoryAndCompletion types as a person does, and leaves the terminal as it was.
func TestThePromptOnATerminalHasHistoryAndCompletion(t *testing.T) {
	debugees(t)
	waitStops(t, 4)
	term := open(t, filepath.Dir(os.Getenv("XDG_RUNTIME_DIR")), 100, 40, "debug", "walk")
	term.see("monarch_dbg>").press("att", "tab", "deb", "tab", "3", "enter").see("debugee[3] ToDebug@break>")
	term.press("n", "enter").see("ToDebug stands at send", "debugee[3] ToDebug@send>")
	term.press("up", "enter").see("ToDebug stands at result", "debugee[3] ToDebug@result>")
	term.press("detach", "enter").press("po", "tab", "st", "tab", "enter").see("stay: when the last front end has left, stopped frames stay stopped")

	term.press("sleep 40s", "enter") // an interrupt ends a command, and not the prompt
	term.wait("runs the command on a terminal that is not raw", func() bool { return strings.Contains(term.screen(), "sleep 40s") && !leftRaw(term.tty.Fd()) })
	term.press("ctrl+c").see("interrupted")
	term.press("stops", "enter").see("@debugee[3].ToDebug  result")

	term.press("ctrl+c").see("@debugee[0-3].ToDebug stays stopped")
	if code := term.exits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if leftRaw(term.tty.Fd()) {
		t.Error("the terminal is left raw")
	}
	waitStops(t, 4)
}
