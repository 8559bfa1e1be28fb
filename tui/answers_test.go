package tui

import (
	"fmt"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestAnswersBeyondTheGroupsAreCountedAndStayWhatTheyAre: thousands of ranks that all answer differently are told as some of them
// and the others, and an error among these is no value.
func TestAnswersBeyondTheGroupsAreCountedAndStayWhatTheyAre(t *testing.T) {
	a := newAnswers()
	for rank := range 4096 {
		x := script.Answer{Rank: rank, Outcome: control.OutcomeReply, Value: fmt.Sprint(rank)}
		if rank >= 4000 {
			x = script.Answer{Rank: rank, Outcome: control.OutcomeError, Err: fmt.Sprint("no room on disk ", rank)}
		}
		a.add(x)
	}
	groups, total, _ := a.list()
	if total != 4096 || len(groups) != maxGroups+2 {
		t.Fatalf("%d answers in %d groups", total, len(groups))
	}
	for i, want := range map[int]string{0: "[0] → 0", maxGroups - 1: "[999] → 999", maxGroups: "3,000 → other values", maxGroups + 1: "96 ✕ other errors"} {
		sign, _ := groups[i].look()
		if got := groups[i].who() + " " + sign + " " + groups[i].text; got != want {
			t.Errorf("group %d is %q, want %q", i, got, want)
		}
	}
}
