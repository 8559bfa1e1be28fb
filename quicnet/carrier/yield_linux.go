package carrier

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// yield offers the core to another process. It tells the runtime nothing: with one P there is nobody to hand it to.
func yield() { _, _, _ = syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// taken counts how often the kernel has given the core of this process to another while it wanted to go on.
func taken() int64 {
	var ru unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &ru) // cannot fail
	return int64(ru.Nivcsw)                   //nolint:unconvert // 32 bits on some platforms
}
