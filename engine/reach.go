package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Advertise names the addresses, hosts without a port, at which other machines reach this program. By default it is those of all
// interfaces of this machine, and whichever answers first is taken; where a firewall or a NAT stands between, Listen and this
// name the one way there is.
func Advertise(hosts ...string) Option { return func(o *options) { o.advertise = hosts } }

// CheckReach says whether a session of this machine can listen and be reached so: what is wrong with its form, an address that this
// machine does not have, and a port that is taken.
func CheckReach(r control.Reach) error {
	if err := r.CheckListen(); err != nil {
		return err
	}
	if r.Listen != "" {
		conn, err := net.ListenPacket("udp", r.Listen)
		if err != nil {
			return notHere(r.Listen, err)
		}
		_ = conn.Close() // it was only tried
	}
	return r.CheckAdvertise()
}

// notHere says why nobody can listen at an address.
func notHere(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		own, _ := ownAddrs() // what is not known is not told
		return fmt.Errorf("%s: this machine has no such address; it has %s, and 0.0.0.0 is all of them", addr, strings.Join(own, ", "))
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: the port is taken, perhaps by another session; port 0 is any that is free", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: the system does not let you have that port; those from 1024 on are for everybody", addr)
	}
	return fmt.Errorf("%s: %w", addr, err)
}

const (
	maxAddrs = control.MaxAdvertise // that a ticket names
	openTime = 3 * time.Second      // for another process to open a socket
	moveTime = time.Second          // for a worker to connect by QUIC
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
	if err := (control.Reach{Listen: at.String(), Advertise: hosts}).CheckAdvertise(); err != nil {
		return nil, fmt.Errorf("advertise %w", err)
	}
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

// nearAddr is where a worker of this machine finds a socket of the controller: one that listens at all addresses has none to send to.
func nearAddr(listens net.Addr) string {
	if at, ok := listens.(*net.UDPAddr); ok && at.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(at.Port))
	}
	return listens.String()
}

// nearSocket is where a worker of the controller's machine opens the socket from which it reaches an address there.
func nearSocket(controller []string) string {
	if at, err := netip.ParseAddrPort(controller[0]); err == nil && at.Addr().Is6() && !at.Addr().Is4In6() {
		return "[::1]:0"
	}
	return "127.0.0.1:0"
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

// meet says where a process finds another, and sees to it that both can be reached where they are on different machines. It waits
// for one that is being started: what is sent to its next life meanwhile is not for nobody.
func (h *hub) meet(ctx context.Context, asker, to *proc) (string, error) {
	if err := h.awaitReady(ctx, to); err != nil {
		return "", err
	}
	addr, err := h.wire.Reach(ctx, to.id)
	switch {
	case err != nil:
		return "", err
	case addr == nil:
		return "", errProcEnded // since
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

// reachAll has all workers connect by QUIC: before that there are no packets of theirs that could be lost. One that does not answer gets
// its faults when it does (quicnet.LinkMoved).
func (h *hub) reachAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, moveTime)
	defer cancel()
	h.mu.Lock()
	wire := h.wire
	var ids []uint64
	for id, p := range h.procs {
		if p.local == nil && p.isReady() && !p.over() {
			ids = append(ids, id)
		}
	}
	h.mu.Unlock()
	var done sync.WaitGroup
	for _, id := range ids {
		done.Go(func() { _, _ = wire.Reach(ctx, id) })
	}
	done.Wait()
}
