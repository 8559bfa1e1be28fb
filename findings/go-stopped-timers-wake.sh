#!/usr/bin/env bash
# Go: a timer that is set and stopped again, or set later again, wakes the process at its first time all the same, and that costs
# about as much as letting it fire.
#
# Version   Go 1.26 on Linux.
# Guess     Stop takes a timer away: a process that sets a time-out for each message, and stops it when the answer is there, sleeps until
#           the next message, as if there had been none. Only time-outs that pass cost a wake.
# Happens   The timer stays where the runtime looks for the next time to wake, and is thrown out when that comes. A process that gets a
#           byte each 200 ms and does nothing else has its threads wait three to five times for each; with a timer of 60 ms that is stopped
#           at once it is two to five times as often, as it is with one that is moved an hour away. Only with GOMAXPROCS=1 a stopped one
#           costs nothing; one that is moved does there too.
# Matters   A connection of QUIC sets timers for its acknowledgements and for loss with each packet, and moves or stops them with
#           the next. A worker of monarch-tui at rest exchanged a packet and its answer with its controller twice a second, and its threads woke
#           twelve times: half of that were timers that were not needed any more. Its heartbeats go beside QUIC since, and the time by
#           which the next one has to come is a timerfd in the poller's set: set again later, it wakes nobody (quicnet/alarm_linux.go).
# Source    runtime/time.go: stop and modify mark a timer that is in the heap (timerZombie, timerModified) and leave it there until it
#           comes to the top or the heap is cleaned; the poller sleeps until the time of the top. The documentation of package time says of
#           Stop that the timer will not fire. A P that looks at its own timers throws the stopped ones out where they are over a quarter
#           of them (timers.check); another P, which runs the process meanwhile, does not.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<X
module finding
go 1.26
X
cat > main.go <<'X'
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"
)

// waits is how often the threads of the process have gone to sleep.
func waits() (n int) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, t := range tasks {
		b, _ := os.ReadFile("/proc/self/task/" + t.Name() + "/status")
		for l := range strings.Lines(string(b)) {
			var k int
			if _, err := fmt.Sscanf(l, "voluntary_ctxt_switches: %d", &k); err == nil {
				n += k
			}
		}
	}
	return n
}

func main() {
	in := bufio.NewReader(os.Stdin)
	timer := time.AfterFunc(time.Hour, func() {})
	begin, bytes := 0, -5 // the first few are not counted
	for ; ; bytes++ {
		if bytes == 0 {
			begin = waits()
		}
		if _, err := in.ReadByte(); err != nil {
			break
		}
		switch os.Args[1] {
		case "stopped":
			timer.Reset(60 * time.Millisecond)
			timer.Stop()
		case "later":
			timer.Reset(60 * time.Millisecond)
			timer.Reset(time.Hour)
		case "fires":
			timer.Reset(60 * time.Millisecond)
		}
	}
	fmt.Println((waits() - begin) / bytes)
}
X
go version
GOTOOLCHAIN=local GOFLAGS=-mod=mod go build -o waits .
waits() { # GOMAXPROCS, and what becomes of the timer
	for _ in $(seq 30); do
		printf x
		sleep .2
	done | GOMAXPROCS=$1 ./waits "$2" > "$1-$2"
}
for what in none stopped later fires; do
	waits 2 $what &
	waits 1 $what &
done
wait
none=$(cat 2-none) stopped=$(cat 2-stopped) later=$(cat 2-later) fires=$(cat 2-fires)
echo "waits of the threads for each byte: $none without a timer, $stopped with one that is stopped, $later with one that is set later, $fires with one that fires"
echo "with GOMAXPROCS=1: $(cat 1-none), $(cat 1-stopped), $(cat 1-later) and $(cat 1-fires)"
more() { [ $((2 * $1)) -gt $((3 * $2)) ]; } # by half at least
if ! more "$stopped" "$none" || ! more "$later" "$none" || more "$(cat 1-stopped)" "$(cat 1-none)" || ! more "$(cat 1-later)" "$(cat 1-none)"; then
	echo "this has changed: with one P, the second was as the first; all others were far over it" >&2
	exit 1
fi
