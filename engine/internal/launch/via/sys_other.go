//go:build !linux && unix

package via

import (
	"os"
	"syscall"
)

// Whether ssh shares connections here, and whether a client dies with us though its stdin is open.
const (
	canKeep          = true
	clientsDieWithUs = false
)

// clientAttr makes a client the leader of a process group. Here nothing tells it that we died, but for the end of its stdin.
func clientAttr(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func signalGroup(p *os.Process, kill bool) { toGroup(p, kill) }
