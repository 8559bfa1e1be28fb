//go:build !unix

package via

import (
	"io/fs"
	"os"
	"syscall"
)

// Whether ssh shares connections here, and whether a client dies with us though its stdin is open.
const (
	canKeep          = false
	clientsDieWithUs = false
)

func clientAttr(bool) *syscall.SysProcAttr { return nil }

// signalGroup ends a client: here there is nothing to ask it with.
func signalGroup(p *os.Process, _ bool) { _ = p.Kill() }

// private believes that a file is ours: this system has no modes to tell.
func private(fs.FileInfo) error { return nil }

func alive(int) bool { return true }

func outliveStdout() {}
