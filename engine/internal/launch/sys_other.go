//go:build unix && !linux

package launch

import (
	"os"
	"os/exec"
	"syscall"
)

// Platform is nil: worker processes can be started here.
func Platform() error { return nil }

// Without pdeathsig the lifeline alone ends a worker whose controller is gone.
func sysProcAttr(*os.File) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// Adopt has nothing to do where the lifeline is all there is.
func Adopt() {}

func startOn(cmd *exec.Cmd, _ []int) error { return cmd.Start() }

// AllowedCPUs is unknown here; ranks are not pinned.
func AllowedCPUs() []int { return nil }

// await waits until a child has ended. It reaps it, and sees no stops.
func await(cmd *exec.Cmd, _ func(stopped bool)) { _ = cmd.Wait() }
