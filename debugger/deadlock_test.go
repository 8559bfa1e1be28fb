package debugger_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine"
)

// Diner is a philosopher: it takes a fork, stops so that the others may take theirs, and wants its neighbour's.
type Diner struct{ Seats int }

// Dine takes both forks.
func (d *Diner) Dine(ctx context.Context) error {
	rank := engine.Here(ctx).Rank
	for i, fork := range []int{rank, (rank + 1) % d.Seats} {
		release, err := engine.Acquire(ctx, fmt.Sprintf("fork %d", fork))
		if err != nil {
			return err
		}
		defer release()
		if i == 0 {
			if err := engine.Break(ctx, "has one"); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestAScriptTellsADeadlockFromAHold: while a diner is stopped nobody is deadlocked; once all go on they are, and both the
// words and the hang say so.
func TestAScriptTellsADeadlockFromAHold(t *testing.T) {
	onBoth(t, 0, func(s *scene) {
		s.leave()
		got := s.play(`
procs p seats=3
spawn @d on p Diner {Seats: 3}
call @d.Dine &c
expect len(stops) == 3 within 10s
continue @d[0]
deadlocks => early
expect early == []
continue
expect stops == []
deadlocks => late
expect late == [["@d[0]", "@d[1]", "@d[2]"]]
waits
  text contains "fork 1"
wait c timeout 1s
`, script.Options{Timeout: 20 * time.Second})
		if got.code != script.ExitTimeout {
			s.t.Errorf("exit %d, want %d", got.code, script.ExitTimeout)
		}
		_, hang, _ := strings.Cut(got.text, "no answer from")
		if !strings.Contains(hang, "@d[0-2] within 1s") || !strings.Contains(hang, "deadlock: 3 wait for each other") || strings.Contains(hang, "held by") {
			s.t.Errorf("the hang does not name the deadlock:\n%s", got.text)
		}
		if s.t.Failed() {
			s.t.Log(got.text)
		}
	})
}
