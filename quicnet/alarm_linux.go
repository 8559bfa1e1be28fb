package quicnet

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fileTimer is a waker by a timer of the kernel, in the set of descriptors that the runtime waits for anyway. Go wakes a thread at the
// old time of a timer that was stopped or put off; the kernel wakes nobody.
type fileTimer struct {
	f   *os.File
	raw syscall.RawConn
}

// newWaker makes a waker that is put off without a wake, where the system has one.
func newWaker() waker {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return newGoTimer()
	}
	f := os.NewFile(uintptr(fd), "timer")
	raw, err := f.SyscallConn()
	if err == nil {
		err = f.SetReadDeadline(time.Time{}) // an error: the runtime does not wait for it
	}
	if err != nil {
		_ = f.Close()
		return newGoTimer()
	}
	return &fileTimer{f, raw}
}

func (t *fileTimer) set(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_ = t.raw.Control(func(fd uintptr) { // an error: it is closed
		_ = unix.TimerfdSettime(int(fd), 0, &spec, nil) // by a raw system call. It cannot fail
	})
}

func (t *fileTimer) wait() bool {
	err := t.raw.Read(func(fd uintptr) bool {
		var times [8]byte
		n, _, _ := syscall.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&times)), unsafe.Sizeof(times)) //nolint:gosec // as long as said
		return int(n) == len(times) && binary.NativeEndian.Uint64(times[:]) > 0
	})
	return err == nil
}

func (t *fileTimer) close() { _ = t.f.Close() }

var _ waker = (*fileTimer)(nil)
