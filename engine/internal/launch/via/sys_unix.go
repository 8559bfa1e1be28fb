//go:build unix

package via

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
)

// toGroup signals a client and its process group.
func toGroup(p *os.Process, kill bool) {
	sig := syscall.SIGTERM
	if kill {
		sig = syscall.SIGKILL
	}
	if p.Pid > 1 && syscall.Kill(-p.Pid, sig) != nil {
		_ = p.Signal(sig)
	}
}

// private says why a file may be read by others than us and root, or was made by others. A Kubernetes secret belongs to root, and
// to a group that the pod's processes have.
func private(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("its owner is not known")
	}
	others := info.Mode().Perm() & 0o077
	switch uid := os.Geteuid(); {
	case int(st.Uid) != uid && st.Uid != 0:
		return errors.New("it belongs to another user")
	case int(st.Uid) != uid:
		others &= 0o027
	}
	if others != 0 {
		return errors.New("others may read or change it: its mode should be 0600 or 0400")
	}
	return nil
}

// alive reports whether a process of this machine lives.
func alive(pid int) bool { return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// outliveStdout makes a broken stdout an error instead of a signal that kills. What this process starts does not inherit that, as it
// would if the signal were ignored.
func outliveStdout() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
