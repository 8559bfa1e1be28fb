package prompt

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
)

func TestBreakpointsAreKeptForTheNextPrompt(t *testing.T) {
	store := kept.In(t.TempDir())
	d := sit(t)
	d.p.Keep(t.Context(), store)
	d.see("break @debugee.ToDebug if rank > 2", "breakpoint 1")
	d.see("break @gone.x", "breakpoint 2")
	d.leave() // at once: what was set is kept by then

	d = sit(t)
	d.p.Keep(t.Context(), store)
	if got := d.out.all(); !strings.Contains(got, "2 breakpoints are kept from last time; clear forgets them") {
		t.Fatalf("it says\n%s", got)
	}
	d.see("breaks", "@debugee.ToDebug", "@gone.x")
	d.see("clear")
	d.leave()

	d = sit(t)
	d.p.Keep(t.Context(), store)
	if got := d.out.all(); strings.Contains(got, "kept") {
		t.Errorf("all were cleared, and it says\n%s", got)
	}
}
