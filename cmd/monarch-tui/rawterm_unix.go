//go:build linux || darwin

package main

import "golang.org/x/sys/unix"

// leftRaw reports whether a terminal neither shows what is typed nor gathers it into lines, as a full-screen program that
// was killed leaves it. No shell hands its terminal over like that.
func leftRaw(fd uintptr) bool {
	t, err := unix.IoctlGetTermios(int(fd), readTermios)
	return err == nil && t.Lflag&(unix.ECHO|unix.ICANON) == 0
}
