package quicnet

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bootTime is time that goes on while the machine sleeps, which Go's clock does not: a lease has to
// see it. The runtime is not told of the system call: its monitor would wake for each.
func bootTime() time.Duration {
	var t unix.Timespec
	_, _, errno := syscall.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_BOOTTIME, uintptr(unsafe.Pointer(&t)), 0) //nolint:gosec // as the kernel wants it
	if errno != 0 {
		return 0
	}
	return time.Duration(t.Nano())
}
