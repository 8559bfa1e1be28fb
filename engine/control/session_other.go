//go:build !unix

package control

import (
	"errors"
	"net"
	"os"
)

var errPlatform = errors.New("sessions are for Linux and macOS")

func lock(*os.File) error       { return errPlatform }
func checkPrivate(string) error { return errPlatform }
func checkPeer(net.Conn) error  { return errPlatform }
