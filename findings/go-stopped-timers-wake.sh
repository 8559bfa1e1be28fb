#!/usr/bin/env bash
# Go: a timer that is set and stopped again, or set later again, wakes the process at its first time all the same, and that costs
# about as much as letting it fire.
#
# Version   Go 1.26 on Linux.
# Guess     Stop takes a timer away: a process that sets a time-out for each message, and stops it when the answer is there, sleeps until
#           the next message, as if there had been none. Only time-outs that pass cost a wake.
# Happens   The timer stays where the runtime looks for the next time to wake, and is thrown out when that comes. A process that gets a
#           byte each 200 ms and does nothing else has its threads wait three to five times for each; with a timer of 60 ms that is stopped
#           at once it is more than three times as often, as it is with one that is moved an hour away.
# Matters   A connection of QUIC sets timers for its acknowledgements and for loss with each packet, and moves or stops them with
#           the next. A worker of monarch-tui at rest exchanges a packet and its answer with its controller twice a second, and its threads wake
#           twelve times: half of that is timers that were not needed any more. Fewer packets help; stopping timers earlier does not.
# Source    runtime/time.go: stop and modify mark a timer that is in the heap (timerZombie, timerModified) and leave it there until it
#           comes to the top or the heap is cleaned; the poller sleeps until the time of the top. The documentation of package time says of
#           Stop that the timer will not fire.
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
waits() {
	for _ in $(seq 30); do
		printf x
		sleep .2
	done | ./waits "$1"
}
none=$(waits none) stopped=$(waits stopped) later=$(waits later) fires=$(waits fires)
echo "waits of the threads for each byte: $none without a timer, $stopped with one that is stopped, $later with one that is set later, $fires with one that fires"
[ "$stopped" -gt $((2 * none)) ] && [ "$later" -gt $((2 * none)) ] || { echo "this has changed: the second and third were over twice the first" >&2; exit 1; }
