package via

import (
	"os"
	"syscall"
)

// Whether ssh shares connections here, and whether a client dies with us though its stdin is open.
const (
	canKeep          = true
	clientsDieWithUs = true
)

// clientAttr ties a client to us: it gets a signal when we die, and leads a process group, so that what it has started ends with it.
func clientAttr(asked bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if asked {
		attr.Pdeathsig = syscall.SIGTERM
	}
	return attr
}

func signalGroup(p *os.Process, kill bool) { toGroup(p, kill) }
