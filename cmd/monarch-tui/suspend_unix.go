//go:build linux || darwin

package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// cannotSuspend says why nobody could wake this process after it has stopped, "" where its shell can. The kernel drops
// the stop signal of a terminal in an orphaned process group, one without a parent in another group of the same session,
// and the screen would wait for the signal to go on for ever.
func cannotSuspend() string {
	const why = "no shell could wake it again (monarch-tui is what this terminal was opened for)"
	session, err := unix.Getsid(0)
	if err != nil || session == os.Getpid() {
		return why
	}
	parent := os.Getppid()
	if in, err := unix.Getsid(parent); err != nil || in != session {
		return why
	}
	if group, err := unix.Getpgid(parent); err == nil && group == syscall.Getpgrp() && parent == session {
		return why // a shell that runs one command, such as sh -c: it stops with us
	}
	return ""
}
