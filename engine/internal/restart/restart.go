package restart

import (
	"slices"
	"time"
)

const (
	firstWait = 500 * time.Millisecond // before the second restart
	mostWait  = 30 * time.Second
)

// History is when one rank was started anew. Its zero value is that of a rank that never was.
type History struct {
	times []time.Time // of the restarts that still count, oldest first
}

// Next asks for another restart at now, under a limit of most within a time. It gives how long to wait before it, and notes it; or
// it refuses, because the limit is reached.
func (h *History) Next(most int, within time.Duration, now time.Time) (wait time.Duration, ok bool) {
	h.times = slices.DeleteFunc(h.times, func(t time.Time) bool { return !t.After(now.Add(-within)) })
	if len(h.times) >= most {
		return 0, false
	}
	if n := len(h.times); n > 0 {
		wait = mostWait
		if n <= 6 { // 0.5 s · 2^6 is over mostWait
			wait = min(firstWait<<(n-1), mostWait)
		}
	}
	h.times = append(h.times, now)
	return wait, true
}

// Count is how many restarts still counted when it was asked last.
func (h *History) Count() int { return len(h.times) }
