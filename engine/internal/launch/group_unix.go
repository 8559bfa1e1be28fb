//go:build unix

package launch

import (
	"os"
	"syscall"
)

// killGroup kills the process group that the child leads. ESRCH, an empty group, is the usual answer.
func killGroup(pid int) {
	if pid > 1 {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// goOn has a process go on that was stopped.
func goOn(p *os.Process) { _ = p.Signal(syscall.SIGCONT) }
