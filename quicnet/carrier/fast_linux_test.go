package carrier

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// gso tells the kernel to cut what is sent.
func gso(seg int) []byte {
	return cmsg(unix.IPPROTO_UDP, unix.UDP_SEGMENT, binary.NativeEndian.AppendUint16(nil, uint16(seg)))
}

// TestTrainsOfEverySize holds INV-1 on real sockets: what is sent as one train arrives as its packets, with ECN.
func TestTrainsOfEverySize(t *testing.T) {
	everyPair(t, func(t *testing.T, a, b *Conn, toB, _ *net.UDPAddr) {
		raw, err := b.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
		})
		ecn := cmsg(unix.IPPROTO_IP, unix.IP_TOS, []byte{2})
		if toB.IP.To4() == nil {
			ecn = cmsg(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, i32(2))
		}
		_ = b.SetReadDeadline(time.Now().Add(patience))
		for _, c := range [][2]int{{1000, 1000}, {8000, 1000}, {8001, 1000}, {60_000, 1200}, {64, 1}, {1452, 1452}, {2904, 1452}} {
			size, seg := c[0], c[1]
			sent := counted(size)
			oob := bytes.Clone(ecn)
			if size > seg {
				oob = append(gso(seg), ecn...)
			}
			if _, _, err := a.WriteMsgUDP(sent, oob, toB); err != nil {
				t.Skipf("this machine sends no trains: %v", err)
			}
			for at := 0; at < size; {
				ms := make([]ipv4.Message, 8)
				for i := range ms {
					ms[i] = ipv4.Message{Buffers: [][]byte{make([]byte, 1500)}, OOB: make([]byte, 128)}
				}
				n, err := b.ReadBatch(ms, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range ms[:n] {
					want := sent[at:min(at+seg, size)]
					if !bytes.Equal(m.Buffers[0][:m.N], want) {
						t.Fatalf("%d bytes in segments of %d: at %d a packet of %d bytes, want %d", size, seg, at, m.N, len(want))
					}
					if got := ecnOf(t, m.OOB[:m.NN]); got != 2 {
						t.Fatalf("%d bytes in segments of %d: at %d the ECN bits are %d, want 2", size, seg, at, got)
					}
					at += m.N
				}
			}
		}
	})
}

// ecnOf reads the ECN bits as quic-go does, -1 without any.
func ecnOf(t *testing.T, oob []byte) int {
	t.Helper()
	got := -1
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			t.Fatal(err)
		}
		if h.Level == unix.IPPROTO_IP && h.Type == unix.IP_TOS || h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_TCLASS {
			got = int(data[0] | data[len(data)-1]) // either order of bytes
		}
		oob = rest
	}
	return got & 3
}

// TestATrainCrossesInOneRead: what the package exists for.
func TestATrainCrossesInOneRead(t *testing.T) {
	a, _ := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	b, toB := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	if _, _, err := a.WriteMsgUDP(counted(40_000), gso(1000), toB); err != nil {
		t.Skip(err)
	}
	for range 40 {
		if _, err := take(b, make([]byte, 1500)); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Stats(); s.Trains != 1 || s.Packets != 40 {
		t.Errorf("%d trains of %d packets, want one of 40", s.Trains, s.Packets)
	}
}

// TestAReaderParksAfterTheLastPacket holds INV-4, by counters: each packet allows one poll, and a parked reader polls no more.
func TestAReaderParksAfterTheLastPacket(t *testing.T) {
	a, _ := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	b, toB := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	done := make(chan error, 1)
	got := make(chan struct{})
	go func() {
		for {
			if _, err := take(b, make([]byte, 10)); err != nil {
				done <- err
				return
			}
			got <- struct{}{}
		}
	}()
	parked := func(n uint64) {
		t.Helper()
		for end := time.Now().Add(patience); b.Stats().Parks < n; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("the reader does not park: %+v", b.Stats())
			}
		}
	}
	parked(1)
	for i := range uint64(100) {
		if _, err := a.WriteTo([]byte("x"), toB); err != nil {
			t.Fatal(err)
		}
		<-got
		parked(i + 2)
	}
	s := b.Stats()
	if polls := s.Hits + s.Late + s.Misses; s.Trains != 100 || polls > 101 || s.Parks != 101 {
		t.Errorf("after 100 packets, one at a time: %+v; want at most one poll and exactly one park for each, and one before", s)
	}
	_ = b.Close()
	if err := within(t, "closing", done); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// TestSendingAndReadingAllocateNothing once the peer is known.
func TestSendingAndReadingAllocateNothing(t *testing.T) {
	a, _ := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	b, toB := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	ms := []ipv4.Message{{Buffers: [][]byte{make([]byte, 1500)}, OOB: make([]byte, 128)}}
	packet := counted(1000)
	n := testing.AllocsPerRun(200, func() {
		if _, _, err := a.WriteMsgUDP(packet, nil, toB); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ReadBatch(ms, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 && !raceDetector {
		t.Errorf("%v allocations for a packet", n)
	}
}

// TestARefusalLeavesThePlainCarrier holds INV-3 for a kernel, or a filter of system calls, that says no.
func TestARefusalLeavesThePlainCarrier(t *testing.T) {
	for _, errno := range []error{unix.EPERM, unix.ENOPROTOOPT, unix.ENOSYS} {
		no := func(uintptr) error { return os.NewSyscallError("UDP_GRO", errno) }
		a, _ := opened(t, "127.0.0.1:0", "127.0.0.1", Options{enableGRO: no})
		if want := (Info{NamePlain, "UDP_GRO: " + errno.Error()}); a.Info() != want {
			t.Errorf("the carrier is %v, want %v", a.Info(), want)
		}
		b, toB := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
		if _, err := a.WriteTo([]byte("x"), toB); err != nil {
			t.Fatal(err)
		}
		m, err := take(b, make([]byte, 10))
		if err != nil || m.N != 1 {
			t.Fatal(m.N, err)
		}
		if _, err := b.WriteTo([]byte("yz"), m.Addr); err != nil {
			t.Fatal(err)
		}
		if m, err := take(a, make([]byte, 10)); err != nil || m.N != 2 {
			t.Error(m.N, err)
		}
		if s := a.Stats(); s != (Stats{}) {
			t.Errorf("the plain carrier counts %+v", s)
		}
	}
}
