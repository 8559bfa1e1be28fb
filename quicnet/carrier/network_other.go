//go:build !linux

package carrier

import "errors"

// Network is not known on this system.
func (c *Conn) Network() (uint64, error) {
	return 0, errors.New("carrier: this system does not name the network of a socket")
}

// LoopbackMTU is not known on this system.
func (c *Conn) LoopbackMTU() int { return 0 }
