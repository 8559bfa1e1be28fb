//go:build unix

package launch

import "syscall"

// killGroup kills the process group that the child leads. ESRCH, an empty group, is the usual answer.
func killGroup(pid int) {
	if pid > 1 {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}
