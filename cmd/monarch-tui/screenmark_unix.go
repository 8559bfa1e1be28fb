//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// A mark says that the explorer has the screen of the terminal of a shell's session: a file that it holds by a lock, and removes when it
// leaves. One that nobody holds is of an explorer that was killed. Most shells set their terminal right for typing then, so that leftRaw
// finds nothing, but it is still on the other screen, has no cursor and answers the mouse with letters.

// markOf is the mark's path.
func markOf() (string, error) {
	session, err := unix.Getsid(0)
	if err != nil {
		return "", err
	}
	run, err := control.RunDir()
	return filepath.Join(run, "screen-"+strconv.Itoa(session)), err
}

// holdScreen marks that the explorer has the screen, until done. Where that cannot be, it does without, as where another one of the same
// session has the mark, such as one that is suspended.
func holdScreen() (done func()) {
	path, err := markOf()
	if err != nil {
		return func() {}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return func() {}
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		_ = f.Close()
		return func() {}
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return func() {
		_ = os.Remove(path)
		_ = f.Close()
	}
}

// leftScreen says so, once, where an explorer of this terminal was killed; else it is "".
func leftScreen() string {
	path, err := markOf()
	if err != nil {
		return ""
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return "" // it lives
	}
	var pid [16]byte
	n, _ := f.Read(pid[:])
	_ = os.Remove(path)
	if n, err := strconv.Atoi(strings.TrimSpace(string(pid[:n]))); err == nil {
		return fmt.Sprintf("The explorer that was here before (pid %d) was killed and could not put the terminal right.\r\n", n) + typeReset
	}
	return ""
}
