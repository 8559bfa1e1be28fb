package quicnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"

	"github.com/quic-go/quic-go"
)

// gate is a socket: where packets of a node come and go.
type gate struct {
	tr *quic.Transport
	pc net.PacketConn
	ln atomic.Pointer[quic.Listener] // nil until the node listens
}

// Open gives a node that speaks to its own machine only a second socket, for the others: it listens on addr (host:port) too, and
// dials addresses that are not of the loopback interface from there. It returns the socket's address. A node has one at most:
// again, it is the one there is. The node must have joined.
//
// A session on one machine has no port that others can reach; it gets one with the first host that is another machine.
func (n *Node) Open(addr string) (net.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closing:
		return nil, ErrClosed
	case n.wide != nil:
		return n.wide.pc.LocalAddr(), nil
	case n.first.Load() == nil || n.first.Load().ln.Load() == nil:
		return nil, errors.New("quicnet: open another socket: the node has not joined yet")
	}
	pc, _, err := ListenUDP(addr, n.cfg.Carrier)
	if err != nil {
		return nil, fmt.Errorf("quicnet: listen on %s: %w", addr, err)
	}
	s := &gate{tr: n.newTransport(pc), pc: pc}
	n.watchBeside(s) // before anybody reads from it
	ln, err := s.tr.Listen(n.serverTLS(), n.quicConfigAt(s))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("quicnet: listen on %s: %w", addr, err), s.close())
	}
	s.ln.Store(ln)
	if !n.spawn(func() { n.acceptLoop(s, ln) }) {
		return nil, errors.Join(ErrClosed, s.close())
	}
	n.wide = s
	n.added(s)
	return pc.LocalAddr(), nil
}

// gateTo is the socket from which addr can be reached.
func (n *Node) gateTo(addr net.Addr) *gate {
	n.mu.Lock()
	defer n.mu.Unlock()
	if udp, ok := addr.(*net.UDPAddr); ok && !udp.IP.IsLoopback() && n.wide != nil {
		return n.wide
	}
	return n.first.Load()
}

// gates are those there are. n.mu is held.
func (n *Node) gates() []*gate {
	return slices.DeleteFunc([]*gate{n.first.Load(), n.wide}, func(s *gate) bool { return s == nil })
}

// near reports whether it is a socket of the system that only processes of this machine reach, and by packets as large as there are any.
func (s *gate) near() bool {
	pc, real := s.pc.(lossyUDP)
	if !real {
		return false
	}
	at, ok := s.pc.LocalAddr().(*net.UDPAddr)
	return ok && at.IP.IsLoopback() && pc.LoopbackMTU() >= nearPacket+nearHeaders
}

func (s *gate) close() error {
	var errs []error
	if ln := s.ln.Load(); ln != nil {
		errs = append(errs, ln.Close())
	}
	errs = append(errs, s.tr.Close(), s.pc.Close())
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool {
		return errors.Is(err, net.ErrClosed) || errors.Is(err, quic.ErrServerClosed)
	})...)
}

// reached is a connection that came about, or why it did not.
type reached struct {
	addr string
	q    *quic.Conn
	err  error
}

// reach dials several addresses of one process at once and gives the first connection, with its address: of the addresses of a
// machine with many interfaces, some lead nowhere, and say so late. The error is that of the last that failed.
func reach(ctx context.Context, addrs []string, dial func(ctx context.Context, addr string, to net.Addr) (*quic.Conn, error)) (string, *quic.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan reached, len(addrs))
	for _, a := range addrs {
		go func() {
			to, err := net.ResolveUDPAddr("udp", a)
			if err != nil {
				results <- reached{addr: a, err: err}
				return
			}
			q, err := dial(ctx, a, to)
			results <- reached{a, q, err}
		}()
	}
	var last error
	for i := range addrs {
		r := <-results
		if r.err != nil {
			last = r.err
			continue
		}
		cancel()
		go func() { // others may have come about at the same moment
			for range len(addrs) - i - 1 {
				if late := <-results; late.err == nil {
					_ = late.q.CloseWithError(0, "")
				}
			}
		}()
		return r.addr, r.q, nil
	}
	return "", nil, last
}
