package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// workerBytes is the memory that one worker is counted with: a Go program with QUIC is about 10 MiB resident, of which
// under 2 are its own; user code comes on top.
const workerBytes = 16 << 20

// ProcessLimit is how many workers fit the memory that is available, with the sum in words.
func ProcessLimit() (int, string) {
	avail := availableMemory()
	if avail == 0 {
		return 4096, ""
	}
	n := int(avail / workerBytes)
	return max(n, 1), fmt.Sprintf(" (%d MiB are available and a worker is counted with %d MiB)", avail>>20, workerBytes>>20)
}

func availableMemory() uint64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kb, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err == nil {
				return kb << 10
			}
		}
	}
	return 0
}

// ResidentBytes is how much memory a process holds, by proc(5): the second number of statm, in pages.
func ResidentBytes(pid int) (uint64, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, false
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseUint(f[1], 10, 64)
	return pages * uint64(os.Getpagesize()), err == nil
}
