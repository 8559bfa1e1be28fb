//go:build unix

package quicnet

import (
	"os"
	"syscall"
)

// socketPair makes two sockets that are connected with each other, and that no process inherits which is started meanwhile.
func socketPair() (a, b *os.File, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
	_ = syscall.SetNonblock(fds[0], true) // else it is read on a thread of its own
	return os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket"), nil
}

func writeFD(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }
