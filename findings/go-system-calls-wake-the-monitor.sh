#!/usr/bin/env bash
# Go: in a process that has slept, the first system call that the runtime is told of wakes another thread, however short the call is.
#
# Version   Go 1.26 on Linux.
# Guess     A system call that cannot block, such as clock_gettime, costs itself: a few hundred nanoseconds.
# Happens   While all Ps are idle the monitor of the runtime (sysmon) sleeps for up to a minute. The first syscall.Syscall after that
#           wakes it by a futex, so that it can take the P away should the call take long; it then looks around every 20 µs until
#           all is idle again. A process that gets a packet each 200 ms by raw system calls has its threads wait once for each; with
#           one unix.ClockGettime beside, which is a syscall.Syscall, it is about three times. By syscall.RawSyscall it is once.
# Matters   A worker of monarch-tui at rest gets a heartbeat every 750 ms. What is done for it, its answer and its lease is done by raw system
#           calls: four wakes a second became one and a third (quicnet/boottime_linux.go, carrier/send_linux.go).
# Source    runtime/proc.go: entersyscall calls entersyscall_sysmon where sched.sysmonwait is set. golang.org/x/sys/unix has ClockGettime
#           as //sys, not //sysnb.
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
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"unsafe"
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
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		panic(err)
	}
	fmt.Println(c.LocalAddr().(*net.UDPAddr).Port)
	const warm, packets = 5, 20
	begin := 0
	for n := range warm + packets {
		if n == warm {
			begin = waits()
		}
		var b [16]byte
		_ = raw.Read(func(fd uintptr) bool {
			_, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 16, syscall.MSG_DONTWAIT, 0, 0)
			return e == 0
		})
		const bootTime = 7
		var t syscall.Timespec
		switch os.Args[1] {
		case "told":
			syscall.Syscall(syscall.SYS_CLOCK_GETTIME, bootTime, uintptr(unsafe.Pointer(&t)), 0)
		case "raw":
			syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, bootTime, uintptr(unsafe.Pointer(&t)), 0)
		}
	}
	fmt.Println((10*(waits()-begin) + packets/2) / packets)
}
X
go version
GOTOOLCHAIN=local GOFLAGS=-mod=mod go build -o waits .
waits() { # what is called for each packet
	GOMAXPROCS=1 ./waits "$1" > "$1" &
	until [ -s "$1" ]; do sleep .05; done
	local port
	port=$(head -1 "$1")
	for _ in $(seq 25); do
		printf x > "/dev/udp/127.0.0.1/$port"
		sleep .2
	done
	wait $!
}
for what in none raw told; do
	waits $what &
done
wait
none=$(tail -1 none) raw=$(tail -1 raw) told=$(tail -1 told)
echo "waits of the threads for ten packets: $none without a call, $raw with a raw one, $told with one that the runtime is told of"
if [ "$told" -le $((2 * none)) ] || [ "$raw" -ge $((2 * none)) ]; then
	echo "this has changed: the call that the runtime is told of was over twice the others" >&2
	exit 1
fi
