package carrier

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// raw4 writes an IPv4 address over what was in raw before, as the kernel does.
func raw4(raw *unix.RawSockaddrInet6, a netip.AddrPort) int {
	*(*unix.RawSockaddrInet4)(unsafe.Pointer(raw)) = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swapped(a.Port()), Addr: a.Addr().As4()}
	return unix.SizeofSockaddrInet4
}

func raw6(raw *unix.RawSockaddrInet6, a netip.AddrPort, flow uint32) int {
	*raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: swapped(a.Port()), Addr: a.Addr().As16(), Flowinfo: flow}
	return unix.SizeofSockaddrInet6
}

// TestNoPacketComesFromAnother holds INV-2: more peers than addresses are kept, in turn and of both families.
func TestNoPacketComesFromAnother(t *testing.T) {
	var a addrs
	var raw unix.RawSockaddrInet6
	var peers []netip.AddrPort
	for i := range 300 {
		b := byte(i)
		for _, ip := range []netip.Addr{
			netip.AddrFrom4([4]byte{10, b, 0, 1}), netip.AddrFrom4([4]byte{10, 0, b, 1}),
			netip.AddrFrom16([16]byte{0xfd, b, 15: 1}), netip.AddrFrom16([16]byte{0xfd, 14: b, 15: 1}), netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: 10, 13: b, 15: 1}),
		} {
			peers = append(peers, netip.AddrPortFrom(ip, 443), netip.AddrPortFrom(ip, uint16(443+i*64)))
		}
	}
	for range 3 {
		for i, p := range peers {
			write := func(flow uint32) int {
				if p.Addr().Is4() {
					return raw4(&raw, p)
				}
				return raw6(&raw, p, flow)
			}
			if !a.set(&raw, write(uint32(i))) || a.last.AddrPort() != p {
				t.Fatalf("a packet of %s comes from %s", p, a.last)
			}
			was := a.last
			raw.Scope_id = 0
			raw.Addr[12] ^= 1 // of an IPv4 peer this is left from another
			if a.set(&raw, write(uint32(i+1))); a.last != was {
				t.Fatalf("the address of %s is made anew for the next packet", p)
			}
		}
	}
}

func TestAnAddressThatIsNoneOfUDPIsRefused(t *testing.T) {
	var a addrs
	for _, c := range []struct {
		family uint16
		n      int
	}{{0, 0}, {unix.AF_UNIX, 28}, {unix.AF_INET, 8}, {unix.AF_INET6, unix.SizeofSockaddrInet4}} {
		if a.set(&unix.RawSockaddrInet6{Family: c.family}, c.n) {
			t.Errorf("family %d in %d bytes gives %v", c.family, c.n, a.last)
		}
	}
}

// TestWhatHasArrivedIsNotReadAfterClose holds INV-2 for the rest of a train.
func TestWhatHasArrivedIsNotReadAfterClose(t *testing.T) {
	a, _ := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	b, toB := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	if _, _, err := a.WriteMsgUDP(counted(10_000), gso(1000), toB); err != nil {
		t.Skip(err)
	}
	if _, err := take(b, make([]byte, 1500)); err != nil {
		t.Fatal(err)
	}
	_ = b.Close()
	ms := []ipv4.Message{{Buffers: [][]byte{make([]byte, 1500)}}}
	if n, err := b.ReadBatch(ms, 0); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close a read gives %d packets of a train that had begun, error %v", n, err)
	}
}
