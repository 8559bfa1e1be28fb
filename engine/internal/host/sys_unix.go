//go:build unix

package host

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// CloseOnExec keeps a descriptor from the children of this process.
func CloseOnExec(fd int) { syscall.CloseOnExec(fd) }

// Pollable has an os.File of the descriptor wait for it as for a socket, and not with a thread of its own.
func Pollable(fd int) { _ = syscall.SetNonblock(fd, true) } // else with one

// KillOwnGroup kills the process group that the launcher made this worker the leader of.
func KillOwnGroup() {
	if pid := os.Getpid(); pid > 1 {
		if pg, err := syscall.Getpgid(0); err == nil && pg == pid {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
}

// roomForFiles has the table of descriptors of this process hold n, if it may.
func roomForFiles(n int) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return
	}
	defer f.Close()
	if high, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, n-1); err == nil { // the first free one from there on
		_ = unix.Close(high)
	}
}

// filesLimit is how many files this process has open and how many it may have; 0, 0 where that is not known.
func filesLimit() (open, most int) {
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) != nil {
		return 0, 0
	}
	most = int(min(lim.Cur, 1<<30))
	list, err := os.ReadDir("/dev/fd")
	switch {
	case errors.Is(err, syscall.EMFILE): // not even this one can be opened
		return most, most
	case err != nil:
		return 0, 0
	}
	return len(list), most
}
