//go:build !unix

package launch

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// Platform is why worker processes cannot be started on this system: nothing here would end them, and what they started,
// with their controller.
func Platform() error {
	return errors.New("worker processes need Linux or macOS; in-process meshes work here (engine.InProcess, or in-process in a script)")
}

func sysProcAttr(*os.File) *syscall.SysProcAttr { return nil }

// Adopt has nothing to do.
func Adopt() {}

func startOn(*exec.Cmd, []int) error { return Platform() }

// AllowedCPUs is unknown here.
func AllowedCPUs() []int { return nil }

func killGroup(int) {}

func goOn(*os.Process) {}

// await waits until a child has ended. It reaps it, and sees no stops.
func await(cmd *exec.Cmd, _ func(stopped bool)) { _ = cmd.Wait() }
