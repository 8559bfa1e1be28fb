#!/usr/bin/env bash
# Go's regexp: a counted repetition is written out as often as it counts, and a program that compiles one at its start keeps
# hundreds of kilobytes of it for its life.
#
# Version   Go 1.26 (regexp of the standard library).
# Guess     An automaton counts with a counter, or at worst has a state of a few bytes for each count: `^[a-z0-9]{0,254}$` costs a few
#           kilobytes more than `^[a-z0-9]*$`, and nothing that one would see in a process of tens of megabytes.
# Happens   It allocates some eighty times as much, and takes as much longer to compile. Each count is a copy of its parts, first in
#           the syntax tree, then in the program, then once more in the one-pass form of an expression with an anchor. What stays after a
#           collection is much less than what was allocated, but the heap has grown for it, and the pages stay with the process.
# Matters   A host's name was checked so, in a variable of a package that every worker of monarch-tui has: 0.9 ms at the start of each
#           worker, and 0.9 MiB of private memory, a third of what a worker at rest weighed, for something that workers never use.
#           Compiled on first use (sync.OnceValue) it costs them nothing; a test of the tree holds that.
# Source    regexp/syntax: Regexp.Simplify rewrites x{n,m} as copies; regexp/syntax limits counts to 1000 and sizes to 128 MB for the same
#           reason. The documentation of package regexp names the limit of 1000 and not the cost.
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
	"os"
	"regexp"
	"runtime"
)

// costs is how many bytes it takes to compile an expression.
func costs(expr string) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	re := regexp.MustCompile(expr)
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(re)
	return after.TotalAlloc - before.TotalAlloc
}

func main() {
	costs(`a`) // what is made once for all
	star, counted := costs(`^[A-Za-z0-9][A-Za-z0-9.-]*$`), costs(`^[A-Za-z0-9][A-Za-z0-9.-]{0,254}$`)
	loose := costs(`[A-Za-z0-9][A-Za-z0-9.-]{0,254}`)
	fmt.Printf("%s\n* allocates          %7d bytes\n{0,254} allocates    %7d bytes, %d times as much\nwithout anchors      %7d bytes\n",
		runtime.Version(), star, counted, counted/star, loose)
	if counted < 20*star || counted < 200_000 || loose > counted {
		fmt.Println("that has changed")
		os.Exit(1)
	}
}
X
GOTOOLCHAIN=local GOFLAGS=-mod=mod go run .
