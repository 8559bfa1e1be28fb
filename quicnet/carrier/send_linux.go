package carrier

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sender is one sendmsg. Senders are pooled, so that sending allocates nothing and takes no lock.
type sender struct {
	four unix.RawSockaddrInet4
	six  unix.RawSockaddrInet6
	iov  unix.Iovec
	hdr  unix.Msghdr

	quiet bool // the runtime is not told
	errno syscall.Errno
	call  func(fd uintptr) // do
}

func newSender() *sender {
	s := &sender{}
	s.call = s.do
	return s
}

// send is one sendmsg. The runtime is not told of it while the reader polls, or where there is one P; it would take the P
// away from the process for no use. A process with more Ps that sleeps between packets is better off with the runtime's
// help: what the packet wakes may run at once on the core that sends. False means that nothing was sent, and that the standard library must try: it waits for room
// in the send buffer, heeds deadlines, knows the interfaces that zones name, and words the errors.
func (f *fast) send(b, oob []byte, to *net.UDPAddr) bool {
	if len(b) == 0 || f.hasDeadline.Load() {
		return false
	}
	errno, ok := f.sendmsg(b, oob, to, f.alone || f.hot.Load())
	return ok && errno == 0
}

// sendQuiet is send where the runtime is never told, and what the system refuses is lost.
func (f *fast) sendQuiet(b []byte, to *net.UDPAddr) bool {
	_, ok := f.sendmsg(b, nil, to, true)
	return ok
}

// sendmsg is false where it knows no way to the address, or the socket is closed.
func (f *fast) sendmsg(b, oob []byte, to *net.UDPAddr, quiet bool) (syscall.Errno, bool) {
	s := f.senders.Get().(*sender)
	defer f.senders.Put(s)
	if to == nil || to.Zone != "" || to.Port < 0 || to.Port > 1<<16-1 || !s.address(to, f.six) {
		return 0, false
	}
	s.iov.Base = &b[0]
	s.iov.SetLen(len(b))
	s.hdr.Iov = &s.iov
	s.hdr.SetIovlen(1)
	s.hdr.Control = unsafe.SliceData(oob) //nolint:gosec // nil where there is none
	s.hdr.SetControllen(len(oob))
	s.quiet = quiet
	err := f.raw.Control(s.call)
	s.iov.Base, s.hdr.Control = nil, nil
	return s.errno, err == nil
}

// address sets where to send to, for a socket of either family.
func (s *sender) address(to *net.UDPAddr, six bool) bool {
	port := swapped(uint16(to.Port))
	if !six {
		ip := to.IP.To4()
		if ip == nil {
			return false
		}
		s.four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port, Addr: [4]byte(ip)}
		s.hdr.Name, s.hdr.Namelen = (*byte)(unsafe.Pointer(&s.four)), unix.SizeofSockaddrInet4 //nolint:gosec // as long as said
		return true
	}
	ip := to.IP.To16() // maps IPv4
	if ip == nil {
		return false
	}
	s.six = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: [16]byte(ip)}
	s.hdr.Name, s.hdr.Namelen = (*byte)(unsafe.Pointer(&s.six)), unix.SizeofSockaddrInet6 //nolint:gosec // as long as said
	return true
}

func (s *sender) do(fd uintptr) {
	if !s.quiet {
		_, _, s.errno = syscall.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&s.hdr)), unix.MSG_DONTWAIT) //nolint:gosec // as below
		return
	}
	_, _, s.errno = syscall.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&s.hdr)), unix.MSG_DONTWAIT) //nolint:gosec // all it points at is kept by s
}
