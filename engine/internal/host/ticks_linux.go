package host

import (
	"os"
	"strings"
)

// TicksAreTime reports whether the tick counters of all processors run evenly and together. The kernel judges that, for as long as the
// machine runs, and takes another clock where they do not.
func TicksAreTime() bool {
	b, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	return err == nil && strings.TrimSpace(string(b)) == "tsc"
}
