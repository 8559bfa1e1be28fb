package hlc

// ticks reads the time stamp counter of the processor. It does not wait for the instructions before it, as the kernel's clock does: what
// that orders are a few nanoseconds.
func ticks() uint64

const haveTicks = true
