//go:build !linux || !amd64

package hlc

// No counter is read here.
const haveTicks = false

func ticks() uint64 { return 0 }
