package carrier

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// The names of the carriers, as Info has them.
const (
	NamePlain = "udp"          // *net.UDPConn
	NameGRO   = "udp+gro"      // trains and raw system calls, no polling
	NamePoll  = "udp+gro+poll" // and a bounded poll before a reader parks
)

// DefaultPoll is how long a reader polls before it parks. It has to span the answer of a peer on another core: 15 to 20 µs
// between two polling processes, and about 40 where the peer has to be woken first.
const DefaultPoll = 50 * time.Microsecond

// Options says which carrier is wanted. The zero value asks for the fast one with polling.
type Options struct {
	// Plain asks for the plain carrier.
	Plain bool
	// Poll is the longest that a reader polls before it parks: 0 for DefaultPoll, negative for not at all.
	Poll time.Duration
	// HoldOff has a reader poll only when its parks have turned out short: for a process that starts beside others, which want
	// the core while its first packets come.
	HoldOff bool
	// NoMemory says that what goes to processes of the same machine goes by packets, too. Plain says it as well.
	NoMemory bool
	// Why says who asked for less than the fast carrier, for Info.
	Why string

	enableGRO func(fd uintptr) error // in tests: a kernel that refuses
}

// Info says which carrier a socket has.
type Info struct {
	Name string // NamePlain, NameGRO or NamePoll
	Why  string // why it is not NamePoll; "" if it is
}

// String is the name, with the reason if there is one.
func (i Info) String() string {
	if i.Why == "" {
		return i.Name
	}
	return i.Name + " (" + i.Why + ")"
}

// Stats counts what a socket has done since it was opened. The plain carrier counts nothing.
type Stats struct {
	Trains  uint64 // reads that gave packets; each is one recvmsg
	Packets uint64 // that were in them
	Dropped uint64 // reads whose packets could not be told apart, and packets that the buffer cut
	Hits    uint64 // polls that found a packet in time
	Late    uint64 // polls that found one after their time: somebody else had the core
	Misses  uint64 // polls that found none
	Lost    uint64 // looks during which another process took the core
	Parks   uint64 // times that a reader went to sleep
	Off     bool   // polling has given itself up for now
}

// Conn is a UDP socket with a carrier. It satisfies quic.OOBCapablePacketConn and has the ReadBatch that quic-go looks for.
type Conn struct {
	udp   *net.UDPConn
	batch *ipv4.PacketConn // the plain carrier's; despite its name it reads IPv6 as well
	fast  *fast            // nil: this is the plain carrier
	o     Options
	info  atomic.Pointer[Info]
	poll  Info // what Info is while polling is on
	take  func(b []byte, from net.Addr) bool

	faults faults
}

// Listen opens a UDP socket on addr, host:port, with the carrier that o asks for or the best that can be had.
// Errors: those of resolving and binding addr. That the fast carrier is refused is no error: see Info.
func Listen(addr string, o Options) (*Conn, error) {
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	u, err := net.ListenUDP("udp", a)
	if err != nil {
		return nil, err
	}
	return wrap(u, o), nil
}

// wrap gives a socket its carrier.
func wrap(u *net.UDPConn, o Options) *Conn {
	c := &Conn{udp: u, batch: ipv4.NewPacketConn(u), o: o}
	why := o.Why
	if !o.Plain {
		f, err := newFast(u, o)
		if err == nil {
			c.fast = f
			c.poll = Info{NamePoll, ""}
			if o.Poll < 0 {
				c.poll = Info{NameGRO, orElse(o.Why, "polling was not asked for")}
			}
			c.info.Store(&c.poll)
			return c
		}
		why = err.Error()
	}
	c.poll = Info{NamePlain, orElse(why, "it was asked for")}
	c.info.Store(&c.poll)
	return c
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Info says which carrier this is. It may be called at any time.
func (c *Conn) Info() Info { return *c.info.Load() }

// Options is what was asked for, by the environment too where that was asked.
func (c *Conn) Options() Options { return c.o }

// Stats returns what the carrier counts.
func (c *Conn) Stats() Stats {
	if c.fast == nil {
		return Stats{}
	}
	return c.fast.stats()
}

// SetPoll switches polling on, or off for the reason why. It does nothing to a carrier that does not poll by its
// options, and may be called at any time; a poll that has begun ends as it would have.
func (c *Conn) SetPoll(on bool, why string) {
	if c.fast == nil || c.poll.Name != NamePoll {
		return
	}
	c.fast.setPoll(on)
	if on {
		c.info.Store(&c.poll)
	} else {
		c.info.Store(&Info{NameGRO, orElse(why, "polling was switched off")})
	}
}

// SetTake has take see each packet first, in the goroutine of who reads: what it takes, by returning true, the reader is not given.
// It must not block, nor keep b. It must be set before anybody reads.
func (c *Conn) SetTake(take func(b []byte, from net.Addr) bool) { c.take = take }

// ReadBatch reads what has arrived into ms and returns how many messages it has filled; it waits for the first. A message
// needs one buffer; its N, NN, Flags and Addr are set, and Addr must not be changed. The fast carrier ignores flags.
// Errors are those of net.UDPConn.
func (c *Conn) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	for {
		n, err := c.read(ms, flags)
		if j := c.faults.inject.Load(); j != nil {
			n, err = c.readFaulty(j, ms, flags, n, err)
		} else if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && c.awake() {
			continue // woken for the sake of faults that were lifted since
		}
		if c.take == nil || n <= 0 || err != nil {
			return n, err
		}
		if n = without(ms, n, c.take); n > 0 {
			return n, nil
		}
	}
}

// without leaves out of n packets those that gone says to be gone.
func without(ms []ipv4.Message, n int, gone func(b []byte, from net.Addr) bool) (left int) {
	for i := range n {
		m := &ms[i]
		if len(m.Buffers) > 0 && m.Addr != nil && gone(m.Buffers[0][:m.N], m.Addr) {
			continue
		}
		if to := &ms[left]; i != left { // into the buffers of the one that is missing: they belong to their place
			to.N, to.NN, to.Flags, to.Addr = copy(to.Buffers[0], m.Buffers[0][:m.N]), copy(to.OOB, m.OOB[:m.NN]), m.Flags, m.Addr
		}
		left++
	}
	return left
}

// read is ReadBatch without faults.
func (c *Conn) read(ms []ipv4.Message, flags int) (int, error) {
	if c.fast == nil {
		return c.batch.ReadBatch(ms, flags)
	}
	return c.fast.readBatch(ms)
}

// ReadMsgUDP reads one packet, as net.UDPConn does.
func (c *Conn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	if c.fast == nil {
		return c.udp.ReadMsgUDP(b, oob)
	}
	ms := [1]ipv4.Message{{Buffers: [][]byte{b}, OOB: oob}}
	if _, err := c.fast.readBatch(ms[:]); err != nil {
		return 0, 0, 0, nil, err
	}
	addr, _ = ms[0].Addr.(*net.UDPAddr)
	return ms[0].N, ms[0].NN, ms[0].Flags, addr, nil
}

// ReadFrom reads one packet, as net.UDPConn does.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, _, _, addr, err := c.ReadMsgUDP(b, nil)
		if err != nil {
			return n, nil, err
		}
		if c.take == nil || !c.take(b[:n], addr) {
			return n, addr, nil
		}
	}
}

// WriteMsgUDP sends b, as net.UDPConn does: one packet, or a train that oob tells the kernel to cut.
func (c *Conn) WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error) {
	if j := c.faults.inject.Load(); j != nil && c.writeFaulty(j, b, oob, addr) {
		return len(b), len(oob), nil
	}
	return c.write(b, oob, addr)
}

// write is WriteMsgUDP without faults.
func (c *Conn) write(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error) {
	if c.fast != nil && c.fast.send(b, oob, addr) {
		return len(b), len(oob), nil
	}
	return c.udp.WriteMsgUDP(b, oob, addr)
}

// WriteTo sends one packet, as net.UDPConn does.
func (c *Conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if a, ok := addr.(*net.UDPAddr); ok && a != nil {
		n, _, err := c.WriteMsgUDP(b, nil, a)
		return n, err
	}
	return c.udp.WriteTo(b, addr)
}

// WriteBeside sends one packet as WriteTo does, but never waits, and wakes nothing of this process: where the fast carrier finds no
// room for it at once it is lost, as is any that the network refuses.
func (c *Conn) WriteBeside(b []byte, addr *net.UDPAddr) {
	if j := c.faults.inject.Load(); j != nil && c.writeFaulty(j, b, nil, addr) {
		return
	}
	if c.fast == nil || !c.fast.sendQuiet(b, addr) {
		_, _ = c.udp.WriteTo(b, addr)
	}
}

// Close closes the socket. Whoever reads or writes gets net.ErrClosed.
func (c *Conn) Close() error {
	if c.fast != nil {
		c.fast.closed.Store(true)
	}
	c.endFaults()
	return c.udp.Close()
}

// LocalAddr returns the socket's address.
func (c *Conn) LocalAddr() net.Addr { return c.udp.LocalAddr() }

// SetDeadline sets both deadlines, as net.UDPConn does.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the time after which reads fail, as net.UDPConn does.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.deadline = t
	if c.faults.woken {
		return nil // the reader comes back to it
	}
	return c.udp.SetReadDeadline(t)
}

// SetWriteDeadline sets the time after which writes fail, as net.UDPConn does.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.fast != nil {
		c.fast.hasDeadline.Store(!t.IsZero())
	}
	return c.udp.SetWriteDeadline(t)
}

// SetReadBuffer sets the size of the socket's receive buffer. quic.Transport asks for 7 MiB.
func (c *Conn) SetReadBuffer(bytes int) error { return c.udp.SetReadBuffer(bytes) }

// SetWriteBuffer sets the size of the socket's send buffer. quic.Transport asks for 7 MiB.
func (c *Conn) SetWriteBuffer(bytes int) error { return c.udp.SetWriteBuffer(bytes) }

// SyscallConn gives the socket to whoever sets its options. Reading from it behind the carrier's back would see trains.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.udp.SyscallConn() }
