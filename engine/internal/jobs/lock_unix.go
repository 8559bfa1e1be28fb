//go:build unix

package jobs

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock locks a file until it is closed. Error: somebody has it.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
