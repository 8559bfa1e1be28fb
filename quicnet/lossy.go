package quicnet

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// lossyUDP turns a send that the network refused for now into a lost packet. quic-go closes a
// connection at the first failed sendmsg (its issue 2809), so without this an interface that is down
// for a second would end every link. It stays an OOBCapablePacketConn: GSO, ECN and batches work.
type lossyUDP struct{ *carrier.Conn }

// WriteMsgUDP implements quic.OOBCapablePacketConn.
func (c lossyUDP) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (n, oobn int, err error) {
	n, oobn, err = c.Conn.WriteMsgUDP(b, oob, to)
	if err != nil && transient(err) {
		return len(b), len(oob), nil
	}
	return n, oobn, err
}

// WriteTo implements net.PacketConn.
func (c lossyUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.Conn.WriteTo(b, to)
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

// ListenUDP opens the socket of a node for Config.Conn, in which a failed send counts as a lost packet. The environment
// (carrier.Env) may ask for less than o does. A node without a Config.Conn opens its own; this is for who wants to know
// the carrier before there is a node. Errors: of the address, and of a value of the variable that nobody knows.
func ListenUDP(addr string, o carrier.Options) (net.PacketConn, carrier.Info, error) {
	o, err := carrier.FromEnv(o)
	if err != nil {
		return nil, carrier.Info{}, err
	}
	c, err := carrier.Listen(addr, o)
	if err != nil {
		return nil, carrier.Info{}, err
	}
	return lossyUDP{c}, c.Info(), nil
}

// Carrier says how the node's packets travel, and why not faster.
func (n *Node) Carrier() carrier.Info {
	if c, ok := n.packets().(lossyUDP); ok {
		return c.Info()
	}
	return carrier.Info{Name: "other", Why: "Config.Conn"}
}

// CarrierStats returns what the node's carrier counts; nothing for a Config.Conn of another kind.
func (n *Node) CarrierStats() carrier.Stats {
	if c, ok := n.packets().(lossyUDP); ok {
		return c.Stats()
	}
	return carrier.Stats{}
}

// SetPoll switches the carrier's polling on, or off for the reason why. Who talks to more processes than there are CPUs
// is better off without: what it polls for needs its core.
func (n *Node) SetPoll(on bool, why string) {
	n.noPoll.Store(!on)
	for _, p := range n.allPeers() {
		p.mu.Lock()
		c := p.conn
		p.mu.Unlock()
		if c != nil {
			c.memory.setPoll(on)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.poll = func(s *gate) {
		if c, ok := s.pc.(lossyUDP); ok {
			c.SetPoll(on, why)
		}
	}
	for _, s := range n.gates() {
		n.poll(s)
	}
}

// SetFaults has the node's sockets lose or hold up packets of these paths from now on, in place of those before; none ends it.
// noted is called when counts have changed; it must not block. Error: a Config.Conn of another kind cannot.
func (n *Node) SetFaults(paths []fault.Path, noted func()) error {
	if pc := n.packets(); pc != nil {
		if _, ok := pc.(faulty); !ok {
			return fmt.Errorf("quicnet: the node's packets travel by a %T, which injects no faults", pc)
		}
	}
	n.tellMemories(paths)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = func(s *gate) { s.pc.(faulty).SetFaults(paths, noted) }
	for _, s := range n.gates() {
		n.faults(s)
	}
	return nil
}

// FaultCounts says what the rules of SetFaults have done, by their IDs.
func (n *Node) FaultCounts() []fault.Count {
	n.mu.Lock()
	defer n.mu.Unlock()
	var sum []fault.Count
	for _, s := range n.gates() {
		c, ok := s.pc.(faulty)
		if !ok {
			return nil
		}
		sum = fault.Sum(sum, c.FaultCounts())
	}
	return sum
}

// faulty is a socket that injects faults, as carrier.Conn does.
type faulty interface {
	SetFaults(paths []fault.Path, noted func())
	FaultCounts() []fault.Count
}

var _ faulty = lossyUDP{}
