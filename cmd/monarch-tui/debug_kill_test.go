//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAnExplorerThatIsKilledLeavesNobodyStoppedForEver: kill -9 with four actors stopped. Within the grace time another
// explorer finds them, and acts; when that is killed too, the mesh goes on by itself.
func TestAnExplorerThatIsKilledLeavesNobodyStoppedForEver(t *testing.T) {
	answer := debugees(t)
	waitStops(t, 4)
	home := filepath.Dir(os.Getenv("XDG_RUNTIME_DIR"))
	kill := func(term *terminal) {
		t.Helper()
		if err := term.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-term.gone
	}
	first := open(t, home, 120, 40, "attach", "walk")
	first.see("● live", "◆ 4 paused · clock held")
	kill(first)

	second := open(t, home, 120, 40, "attach", "walk")
	second.see("● live", "◆ 4 paused · clock held")
	second.press(":").press("continue @debugee[1]").press("enter").see("@debugee[1].ToDebug goes on", "◆ 3 paused · clock held")
	waitStops(t, 3)
	second.press(":").press("policy continue 1s").press("enter").see("stopped frames go on after 1s")
	kill(second)
	waitStops(t, 0)
	select {
	case err := <-answer:
		if err == nil || !strings.Contains(err.Error(), "bad rank") {
			t.Errorf("the caller got %v, want bad rank", err)
		}
	case <-time.After(patience):
		t.Fatal("the call does not end")
	}
}
