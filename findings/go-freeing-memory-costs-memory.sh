#!/usr/bin/env bash
# Go's debug.FreeOSMemory: in a small process it takes more memory than it gives back, and more with each of the first calls.
#
# Version   Go 1.26 (runtime/debug of the standard library), Linux.
# Guess     It collects the garbage and returns what is free to the system, so a process that has come to rest is smaller afterwards, or
#           at worst as large as before. To call it again changes nothing.
# Happens   Where there are less than some hundred KiB of garbage the process is larger afterwards: by 170 KiB of private memory with no
#           garbage at all. The next four or five calls add about 60 KiB each, half a MiB in all, which stays. Only a process with megabytes
#           of garbage becomes smaller, and that one too grows again with the calls after the first.
# Matters   A worker of monarch-tui at rest has 1.3 to 1.6 MiB to itself, and a mesh has hundreds of them. To have each free its memory
#           once its start is over looks like a gift; it made them 2.06 MiB. They are left alone instead: what they have not touched
#           is what saves memory, and the first collection is what touches most.
# Source    runtime/mheap.go: mark and allocation bits of each cycle come from arenas of 64 KiB, of which some generations are kept
#           before the first is used again; runtime/mgc.go: a worker with a stack and a buffer for each P, made by the first cycle. The
#           documentation of FreeOSMemory promises an attempt to return as much as possible.
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
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
)

var (
	text [8192]byte
	sink []byte
)

// private is what the process has to itself, in KiB. It allocates nothing.
func private() (kib int) {
	fd, err := syscall.Open("/proc/self/smaps_rollup", syscall.O_RDONLY, 0)
	if err != nil {
		fmt.Println("this system does not tell:", err)
		os.Exit(2)
	}
	n, _ := syscall.Read(fd, text[:])
	_ = syscall.Close(fd)
	rest := text[:n]
	for {
		i := bytes.Index(rest, []byte("Private_"))
		if i < 0 {
			return kib
		}
		rest = rest[i:]
		rest = bytes.TrimLeft(rest[bytes.IndexByte(rest, ':')+1:], " ")
		v, _ := strconv.Atoi(string(rest[:bytes.IndexByte(rest, ' ')]))
		kib += v
	}
}

func main() {
	garbage, _ := strconv.Atoi(os.Args[1])
	for range garbage {
		sink = make([]byte, 1024)
		for i := range sink {
			sink[i] = 1
		}
	}
	var sizes [9]int
	sizes[0] = private()
	for i := range sizes[1:] {
		debug.FreeOSMemory()
		sizes[i+1] = private()
	}
	first, sixth := sizes[1]-sizes[0], sizes[6]-sizes[0]
	fmt.Printf("%s, %4d KiB of garbage: %d KiB, then %v KiB after each call\n", runtime.Version(), garbage, sizes[0], sizes[1:])
	switch garbage {
	case 0:
		if first < 80 || sixth < 250 || sizes[6]-sizes[1] < 100 {
			fmt.Println("that has changed")
			os.Exit(1)
		}
	default:
		if first > -1000 || sizes[6]-sizes[1] < 100 {
			fmt.Println("that has changed")
			os.Exit(1)
		}
	}
}
X
export GOTOOLCHAIN=local GOFLAGS=-mod=mod
go build -o finding .
./finding 0
./finding 3000
