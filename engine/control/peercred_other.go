//go:build unix && !linux && !darwin

package control

import "net"

func peerUID(*net.UnixConn) (int, error) {
	return 0, ErrPlatform
}
