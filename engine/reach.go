package engine

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Advertise names the addresses, hosts without a port, at which other machines reach this program. By default it is those of all
// interfaces of this machine, and whichever answers first is taken; where a firewall or a NAT stands between, Listen and this
// name the one way there is.
func Advertise(hosts ...string) Option { return func(o *options) { o.advertise = hosts } }

const (
	maxAddrs = 16              // that a ticket names
	openTime = 3 * time.Second // for another process to open a socket
)

const sysOpen = "open" // request: controller → worker, be reachable from other machines; the answer is its port there

// openWide makes the controller reachable from other machines, if it is not, and says where.
func (h *hub) openWide() ([]string, error) {
	wire, err := h.ensureWire()
	if err != nil {
		return nil, err
	}
	at := wire.Addr().(*net.UDPAddr)
	if at.IP.IsLoopback() {
		wide, err := wire.Open(anyAddr)
		if err != nil {
			return nil, fmt.Errorf("open a socket for workers on other machines: %w", err)
		}
		at = wide.(*net.UDPAddr)
	}
	port := strconv.Itoa(at.Port)
	hosts := h.opts.advertise
	switch {
	case len(hosts) > 0:
	case !at.IP.IsUnspecified():
		hosts = []string{at.IP.String()}
	default:
		if hosts, err = ownAddrs(); err != nil {
			return nil, fmt.Errorf("list the addresses of this machine: %w", err)
		}
	}
	out := make([]string, 0, len(hosts))
	for _, host := range hosts[:min(len(hosts), maxAddrs)] {
		out = append(out, net.JoinHostPort(host, port))
	}
	return out, nil
}

// ownAddrs lists the addresses of this machine at which others may reach it; where it has none, those of its loopback interface.
func ownAddrs() ([]string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			out = append(out, n.IP.String())
		}
	}
	if len(out) == 0 {
		out = []string{"127.0.0.1"}
	}
	return out, nil
}

// openHere makes a worker of the controller's machine reachable from others.
func (w *worker) openHere() (port int, err error) {
	wire, ok := w.node.peers.current().(*quicnet.Node)
	if !ok {
		return 0, fmt.Errorf("this process has no socket")
	}
	if at := wire.Addr().(*net.UDPAddr); !at.IP.IsLoopback() {
		return at.Port, nil
	}
	at, err := wire.Open(anyAddr)
	if err != nil {
		return 0, err
	}
	return at.(*net.UDPAddr).Port, nil
}

// meet says where a process finds another, and sees to it that both can be reached where they are on different machines.
func (h *hub) meet(ctx context.Context, asker, to *proc) (string, error) {
	addr := h.wire.PeerAddr(to.id)
	if addr == nil {
		return "", fmt.Errorf("process %d has not joined yet", to.id)
	}
	if asker.on == nil && to.on == nil {
		return addr.String(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	for _, p := range []*proc{asker, to} {
		if p.on != nil { // its socket is open to all
			continue
		}
		var port int
		if err := h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysOpen, 0, &port); err != nil {
			return "", fmt.Errorf("open a socket for other machines: %w", err)
		}
		if p == to {
			return net.JoinHostPort(h.seenFrom(asker.on), strconv.Itoa(port)), nil
		}
	}
	return addr.String(), nil
}

// seenFrom is the address of this machine as a host's agent has reached it.
func (h *hub) seenFrom(m *machine) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, err := netip.ParseAddrPort(m.reached); err == nil {
		return at.Addr().String()
	}
	return "127.0.0.1" // an agent that says nothing of use reaches nobody but itself
}

// reachedFirst puts the address at which an agent has reached the controller before the others: its workers try that one first.
func (m *machine) reachedFirst(at []string) []string {
	if _, err := netip.ParseAddrPort(m.reached); err != nil {
		return at
	}
	return append([]string{m.reached}, slices.DeleteFunc(slices.Clone(at), func(a string) bool { return a == m.reached })...)
}
