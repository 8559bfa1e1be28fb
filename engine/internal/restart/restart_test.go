package restart

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheFirstRestartIsAtOnceAndTheOthersWaitTwiceAsLong(t *testing.T) {
	var h History
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, want := range []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second} {
		if got, ok := h.Next(9, time.Hour, at); !ok || got != want {
			t.Errorf("restart %d waits %v, %v, want %v", i+1, got, ok, want)
		}
		at = at.Add(time.Second)
	}
	if _, ok := h.Next(9, time.Hour, at); ok {
		t.Error("a tenth restart where nine are the limit")
	}
	if got, ok := h.Next(9, time.Hour, at.Add(time.Hour)); !ok || got != 0 {
		t.Errorf("an hour later it waits %v, %v: what is over does not count any more", got, ok)
	}
}

// However the ends come, there are never more than the limit in any window of its length.
func TestTheLimitHoldsInEveryWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most, within := rapid.IntRange(1, 5).Draw(t, "most"), time.Duration(rapid.IntRange(1, 100).Draw(t, "within"))*time.Second
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var h History
		var granted []time.Time
		for _, d := range rapid.SliceOfN(rapid.IntRange(0, 40), 1, 60).Draw(t, "pauses") {
			now = now.Add(time.Duration(d) * time.Second)
			if _, ok := h.Next(most, within, now); ok {
				granted = append(granted, now)
			}
			in := 0
			for _, g := range granted {
				if g.After(now.Add(-within)) {
					in++
				}
			}
			if in > most {
				t.Fatalf("%d restarts within %v, at most %d", in, within, most)
			}
		}
	})
}
