package hlc_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// A moment is told as the wall clock had it, however long the clock has not been read, and differences are exact.
func TestMomentsGoByTheWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c hlc.Clock
		first := c.Now()
		for _, d := range []time.Duration{0, 1, time.Millisecond, 999 * time.Millisecond, time.Second, time.Hour, time.Microsecond} {
			before := c.Now()
			time.Sleep(d)
			now := c.Now()
			if !now.Time().Equal(time.Now()) || now.Micros() != time.Now().UnixMicro() {
				t.Errorf("after %v it is %v, %d µs; the wall clock says %v", d, now.Time(), now.Micros(), time.Now())
			}
			if got := now.Sub(before); got != d {
				t.Errorf("after %v there is a difference of %v", d, got)
			}
		}
		if got, want := c.Now().Sub(first), 2*time.Second+time.Hour+1+time.Microsecond; got != want {
			t.Errorf("%v have passed, want %v", got, want)
		}
	})
	if !(hlc.Moment{}).Time().IsZero() {
		t.Error("no moment is a time")
	}
}
