package shm

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	headerBytes = 4096
	atTail      = 64
	atHead      = 128
	atReader    = 192
	atWriter    = 256
)

// ring is the mapped memory. What stands in it the other process may change at any time.
type ring struct {
	memory         []byte
	data           []byte
	tail, head     *atomic.Uint64
	reader, writer *atomic.Uint32 // whether that side sleeps
}

func newRing(memory []byte) ring {
	word := func(at int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Pointer(&memory[at])) } //nolint:gosec // aligned, and as long as memory
	flag := func(at int) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&memory[at])) } //nolint:gosec // likewise
	return ring{memory, memory[headerBytes:], word(atTail), word(atHead), flag(atReader), flag(atWriter)}
}

// place is Here, found out once.
var place = sync.OnceValues(func() ([]byte, error) {
	h := sha256.New()
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("shm: %w", err)
	}
	fmt.Fprintf(h, "%s %d", strings.TrimSpace(string(boot)), os.Getuid())
	for _, ns := range []string{"pid", "user"} {
		at, err := os.Readlink("/proc/self/ns/" + ns)
		if err != nil {
			return nil, fmt.Errorf("shm: %w", err)
		}
		fmt.Fprintf(h, " %s", at)
	}
	return h.Sum(nil)[:KeyBytes:KeyBytes], nil
})

// Here names the place whose processes can open each other's streams: the machine since it was started, the user, and the namespaces
// of processes and users. Error: this system does not say.
func Here() ([]byte, error) { return place() }

var bellByte = [1]byte{1}

// ring1 puts a byte into a pipe. Where it is full, or nobody holds its other end, there is nobody to wake.
func ring1(fd int) {
	_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&bellByte[0])), 1) //nolint:gosec // a byte that stays where it is
}

// drain empties a pipe of bells; false if nobody can ring any more.
func drain(fd uintptr) bool {
	var b [64]byte
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))) //nolint:gosec // as long as said
	return errno != 0 || n != 0
}

// waits gives the way to wait for a pipe. Error: the runtime cannot wait for it, as where the user has no epoll watches left. Without one
// a stream would end when a side sleeps for the first time.
func waits(pipe *os.File) (syscall.RawConn, error) {
	if err := pipe.SetReadDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("shm: wait for a pipe: %w", err)
	}
	return pipe.SyscallConn()
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
