package gpu

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// claimName is the abstract name of a device's claim. UUIDs are checked when they are read, and short.
func claimName(uuid string) string { return "@monarch-tui/gpu/" + uuid }

// claimBacklog is how many may ask for the holder of a claim before they are told only that there is one: nobody takes them
// off the socket's list.
const claimBacklog = 4096

// claim is the right to a device.
type claim struct{ fd int }

// takeClaim claims a device. Where somebody else has it, held is true, and holder is his pid, 0 where that is not known.
func takeClaim(uuid string) (c *claim, held bool, holder int, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, false, 0, fmt.Errorf("claim %s: %w", Short(uuid), err)
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: claimName(uuid)})
	if err == nil {
		err = unix.Listen(fd, claimBacklog)
	}
	switch {
	case err == nil:
		return &claim{fd}, false, 0, nil
	case !errors.Is(err, unix.EADDRINUSE):
		_ = unix.Close(fd)
		return nil, false, 0, fmt.Errorf("claim %s: %w", Short(uuid), err)
	}
	_ = unix.Close(fd)
	return nil, true, holderOf(uuid), nil
}

// holderOf is the pid of who holds a claim; 0 where the kernel does not tell.
func holderOf(uuid string) int {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	if unix.Connect(fd, &unix.SockaddrUnix{Name: claimName(uuid)}) != nil {
		return 0
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || cred.Pid < 0 {
		return 0
	}
	return int(cred.Pid)
}

// release gives the device back. A child that is between fork and exec has the socket too, and would keep the name: none is,
// while this is held.
func (c *claim) release() {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	_ = unix.Close(c.fd)
}
