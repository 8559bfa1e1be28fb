//go:build !unix

package control

import (
	"net"
	"os"
)

func lock(*os.File) error       { return ErrPlatform }
func checkPrivate(string) error { return ErrPlatform }
func checkPeer(net.Conn) error  { return ErrPlatform }
