package carrier

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// fast is the fast carrier of a socket.
type fast struct {
	raw         syscall.RawConn
	local       net.Addr
	six         bool        // an AF_INET6 socket: IPv4 addresses are mapped
	closed      atomic.Bool // nothing more is read, also of what has arrived
	alone       bool        // the process has one P
	hot         atomic.Bool // the reader's last wait ended in its poll
	hasDeadline atomic.Bool // writes have a deadline: the slow path heeds it

	mu    sync.Mutex // of the reader
	r     reader
	poll  poller
	train train
	from  addrs

	senders sync.Pool // *sender

	trains, packets, dropped, parks atomic.Uint64
}

// reader is one recvmsg: what the kernel is given, and what it said.
type reader struct {
	buf  [trainBytes]byte
	oob  [256]byte
	name unix.RawSockaddrInet6 // either family: the longer one
	iov  unix.Iovec
	hdr  unix.Msghdr

	fd     uintptr // valid within a call of RawConn.Read
	n      int
	errno  syscall.Errno
	parked bool               // this read has slept
	once   func() bool        // tryRead
	whole  func(uintptr) bool // readOrPark
}

// newFast makes a fast carrier of u. An error says what this system refuses; u is as it was then.
func newFast(u *net.UDPConn, o Options) (*fast, error) {
	raw, err := u.SyscallConn()
	if err != nil {
		return nil, err
	}
	f := &fast{raw: raw, local: u.LocalAddr(), alone: runtime.GOMAXPROCS(0) == 1}
	enable := o.enableGRO
	if enable == nil {
		enable = enableGRO
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		sa, err := unix.Getsockname(int(fd))
		if err != nil {
			refused = os.NewSyscallError("getsockname", err)
			return
		}
		_, f.six = sa.(*unix.SockaddrInet6)
		refused = enable(fd)
	})
	if err := errors.Join(err, refused); err != nil {
		return nil, err
	}
	f.senders.New = func() any { return newSender() }
	f.poll.init(o.Poll)
	if o.HoldOff {
		f.poll.holdOff()
	}
	f.r.iov.Base = &f.r.buf[0]
	f.r.once, f.r.whole = f.tryRead, f.readOrPark
	return f, nil
}

func enableGRO(fd uintptr) error {
	if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1); err != nil {
		return os.NewSyscallError("UDP_GRO", err)
	}
	return nil
}

func (f *fast) setPoll(on bool) { f.poll.enabled.Store(on) }

func (f *fast) stats() Stats {
	s := f.poll.stats()
	s.Trains, s.Packets, s.Dropped, s.Parks = f.trains.Load(), f.packets.Load(), f.dropped.Load(), f.parks.Load()
	return s
}

// readBatch gives out packets of the train that is here, or waits for the next.
func (f *fast) readBatch(ms []ipv4.Message) (int, error) {
	if len(ms) == 0 {
		return 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.train.more() {
		if err := f.read(); err != nil {
			return 0, err
		}
	}
	if f.closed.Load() {
		return 0, f.wrong(net.ErrClosed)
	}
	addr := f.from.last
	n := 0
	for ; n < len(ms) && f.train.more(); n++ {
		f.train.take(&ms[n])
		ms[n].Addr = addr
	}
	f.packets.Add(uint64(n))
	return n, nil
}

// read waits for a train. After a nil error there may still be none, if what came was no use.
func (f *fast) read() error {
	r := &f.r
	r.parked = false
	if err := f.raw.Read(r.whole); err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok {
			err = op.Err
		}
		return f.wrong(err)
	}
	if r.errno != 0 {
		return f.wrong(os.NewSyscallError("recvmsg", r.errno))
	}
	f.trains.Add(1)
	if !f.from.set(&r.name, int(r.hdr.Namelen)) {
		f.dropped.Add(1)
		return nil
	}
	f.dropped.Add(f.train.load(r.buf[:r.n], r.oob[:min(int(r.hdr.Controllen), len(r.oob))], int(r.hdr.Flags)))
	return nil
}

func (f *fast) wrong(err error) error {
	return &net.OpError{Op: "read", Net: "udp", Source: f.local, Err: err}
}

// readOrPark is what RawConn.Read calls: false means that the reader sleeps until the socket can be read.
func (f *fast) readOrPark(fd uintptr) bool {
	r := &f.r
	r.fd = fd
	if f.tryRead() {
		if r.parked {
			f.poll.woke()
		}
		return true
	}
	if f.poll.poll(r.once) {
		f.heat(true)
		return true
	}
	f.heat(false)
	r.parked = true
	f.parks.Add(1)
	return false
}

// heat notes how the reader's last wait ended. Mostly it ends as the one before.
func (f *fast) heat(hot bool) {
	if f.hot.Load() != hot {
		f.hot.Store(hot)
	}
}

// tryRead is one recvmsg; false means that there is nothing.
func (f *fast) tryRead() bool {
	r := &f.r
	r.iov.SetLen(len(r.buf))
	r.hdr = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&r.name)), Namelen: unix.SizeofSockaddrInet6, Iov: &r.iov, Control: &r.oob[0]} //nolint:gosec // the kernel writes at most Namelen
	r.hdr.SetIovlen(1)
	r.hdr.SetControllen(len(r.oob))
	n, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, r.fd, uintptr(unsafe.Pointer(&r.hdr)), unix.MSG_DONTWAIT) //nolint:gosec // all it points at lives in f
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return false
	}
	r.n, r.errno = int(n), errno
	return true
}
