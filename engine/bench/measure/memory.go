package measure

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// PrivateMiB is the median private memory of processes; 0 where the kernel does not tell.
func PrivateMiB(pids []int) float64 {
	var sizes []float64
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		sum := 0.0
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[0], "Private_") {
				kb, _ := strconv.ParseFloat(f[1], 64) // a line of another form counts nothing
				sum += kb
			}
		}
		sizes = append(sizes, sum/1024)
	}
	return Median(sizes)
}

// Median is the middle of some numbers, 0 of none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
