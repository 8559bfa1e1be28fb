package quicnet

import (
	"errors"
	"net"
	"syscall"
)

// lossyUDP turns a send that the network refused for now into a lost packet. quic-go closes a
// connection at the first failed sendmsg (its issue 2809), so without this an interface that is down
// for a second would end every link. It stays an OOBCapablePacketConn: GSO, ECN and batches work.
type lossyUDP struct{ *net.UDPConn }

// WriteMsgUDP implements quic.OOBCapablePacketConn.
func (c lossyUDP) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (n, oobn int, err error) {
	n, oobn, err = c.UDPConn.WriteMsgUDP(b, oob, to)
	if err != nil && transient(err) {
		return len(b), len(oob), nil
	}
	return n, oobn, err
}

// WriteTo implements net.PacketConn.
func (c lossyUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(b, to)
	if err != nil && transient(err) {
		return len(b), nil
	}
	return n, err
}

// transient reports an error that passes by itself. EMSGSIZE, EINVAL and EIO are not among them:
// path MTU discovery and the detection of GSO need to see those.
func transient(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return false
	}
	switch errno { //nolint:exhaustive // every other number is not transient
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EPERM, syscall.ENOBUFS, syscall.ENETDOWN, syscall.EADDRNOTAVAIL:
		return true
	}
	return false
}

// listenUDP opens the socket of a node.
func listenUDP(addr string) (net.PacketConn, error) {
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", a)
	if err != nil {
		return nil, err
	}
	return lossyUDP{c}, nil
}
