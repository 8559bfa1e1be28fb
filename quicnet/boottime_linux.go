package quicnet

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootTime is time that goes on while the machine sleeps, which Go's clock does not: a lease has to
// see it.
func bootTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
