package carrier

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Network names the network that the socket is in, among all of this machine since it was started. Error: this system does not
// say (Linux does since 5.14).
func (c *Conn) Network() (uint64, error) {
	raw, err := c.udp.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cookie uint64
	var refused error
	err = raw.Control(func(fd uintptr) {
		cookie, refused = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	})
	return cookie, errors.Join(err, os.NewSyscallError("SO_NETNS_COOKIE", refused))
}

// LoopbackMTU is how large packets within this machine may be, in the network of the socket, with their headers; 0: not known.
func (c *Conn) LoopbackMTU() int {
	raw, err := c.udp.SyscallConn()
	if err != nil {
		return 0
	}
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return 0
	}
	var refused error
	err = raw.Control(func(fd uintptr) { refused = unix.IoctlIfreq(int(fd), unix.SIOCGIFMTU, lo) })
	if err != nil || refused != nil {
		return 0
	}
	return int(lo.Uint32())
}
