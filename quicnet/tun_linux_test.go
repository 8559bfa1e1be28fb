package quicnet

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// badPath carries the packets between the two namespaces of a lab by hand, from TUN device to TUN device: the kernels at both ends
// are the real ones, and what happens on the way is what a test sets.
type badPath struct {
	dev [2]*os.File

	mu      sync.Mutex
	late    time.Duration // each packet waits for up to this long
	double  float64       // the part of packets that comes twice
	corrupt float64       // the part of packets with one bit flipped, past the checksum
	port    uint16        // what the router on the way has made of the worker's port; 0: nothing
	inside  uint16        // the worker's own
	cut     bool          // nothing gets through, and no carrier tells it
	hits    int           // packets to which something happened
}

// newBadPath makes one of a lab without wires.
func newBadPath(t *testing.T, l *lab) *badPath {
	t.Helper()
	b := &badPath{}
	for i := range b.dev {
		var f *os.File
		err := l.inside(i, func() (err error) { f, err = openTUN("eth0"); return err })
		if err != nil {
			t.Skipf("no TUN device can be made here: %v", err)
		}
		b.dev[i] = f
		t.Cleanup(func() { _ = f.Close() })
		l.ip(t, "ip -n @%d addr add 10.77.0.%d/24 dev eth0", i, i+1)
		l.ip(t, "ip -n @%d link set eth0 up", i)
	}
	for i := range b.dev {
		go b.carry(i) // ends with the device
	}
	return b
}

func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	req, err := unix.NewIfreq(name)
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// carry takes packets from end i to the other.
func (b *badPath) carry(i int) {
	buf := make([]byte, 64<<10)
	for {
		n, err := b.dev[i].Read(buf)
		if err != nil {
			return
		}
		if p := buf[:n]; n > 28 && p[0] == 0x45 && p[9] == unix.IPPROTO_UDP { // IPv4 without options
			b.pass(i, append([]byte(nil), p...))
		}
	}
}

func (b *badPath) pass(i int, p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	udp := p[20:]
	binary.BigEndian.PutUint16(udp[6:], 0) // no checksum: the kernel would drop what we damage
	if i == 1 {
		b.inside = binary.BigEndian.Uint16(udp)
	}
	switch {
	case b.cut:
		b.hits++
		return
	case b.port == 0:
	case i == 1:
		binary.BigEndian.PutUint16(udp, b.port)
		b.hits++
	case binary.BigEndian.Uint16(udp[2:]) != b.port:
		return // the router has forgotten where that was
	default:
		binary.BigEndian.PutUint16(udp[2:], b.inside)
	}
	if rand.Float64() < b.corrupt {
		udp[8+rand.IntN(len(udp)-8)] ^= 1 << rand.IntN(8)
		b.hits++
	}
	times := 1
	if rand.Float64() < b.double {
		times = 2
		b.hits++
	}
	for range times {
		if b.late == 0 {
			_, _ = b.dev[1-i].Write(p) // a device that is full drops, as they do
			continue
		}
		b.hits++
		time.AfterFunc(rand.N(b.late), func() { _, _ = b.dev[1-i].Write(p) })
	}
}

func (b *badPath) set(change func(*badPath)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// TestABadRealPath is rows 11, 14, 15 and 18 of the fault matrix between real sockets.
func TestABadRealPath(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, l *lab, b *badPath)
	}{
		{"a link that comes and goes", func(t *testing.T, l *lab, b *badPath) {
			before := 0
			for second := range 30 {
				b.set(func(b *badPath) { b.cut = second%2 == 0 })
				l.talkFor(t, time.Second)
				if second%2 == 0 {
					before = l.recs[1].count()
				} else if l.recs[1].count() == before {
					t.Errorf("nothing came in second %d, in which the link was there", second)
				}
			}
			l.arrived(t, 5*time.Second)
		}},
		{"late by up to 400 ms", func(t *testing.T, l *lab, b *badPath) {
			b.set(func(b *badPath) { b.late = 400 * time.Millisecond })
			l.talkFor(t, 5*time.Second)
			l.arrived(t, 20*time.Second)
		}},
		{"30 % twice, a bit in 10 % flipped", func(t *testing.T, l *lab, b *badPath) {
			b.set(func(b *badPath) { b.double, b.corrupt = 0.3, 0.1 })
			l.talkFor(t, 5*time.Second)
			l.arrived(t, 20*time.Second)
		}},
		{"a port that changes", func(t *testing.T, l *lab, b *badPath) {
			for port := uint16(9101); port < 9104; port++ {
				b.set(func(b *badPath) { b.port = port })
				l.talkFor(t, 2*time.Second)
				l.arrived(t, 3*time.Second)
				if got, want := l.ctl.PeerAddr(1).String(), fmt.Sprintf("10.77.0.2:%d", port); got != want {
					t.Errorf("the controller takes the worker to be at %s, not %s", got, want)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newNamespaces(t)
			b := newBadPath(t, l)
			l.start(t)
			l.arrived(t, 5*time.Second)
			c.do(t, l, b)
			b.set(func(b *badPath) {
				if b.hits == 0 {
					t.Error("the fault has not happened")
				}
			})
			if got := append(l.states(0), l.states(1)...); slices.ContainsFunc(got, func(s LinkState) bool { return s != LinkSuspect && s != LinkRecovered }) {
				t.Errorf("told %v", got)
			}
		})
	}
}
