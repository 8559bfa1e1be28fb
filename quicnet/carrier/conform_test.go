package carrier

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// patience is how long a test waits for what has to happen at once.
const patience = 20 * time.Second

// kinds are the carriers that must behave alike (INV-2).
var kinds = []struct {
	name string
	o    Options
	want string // on Linux
}{
	{"plain", Options{Plain: true}, NamePlain},
	{"parked", Options{Poll: -1}, NameGRO},
	{"polling", Options{}, NamePoll},
	{"long-poll", Options{Poll: time.Millisecond}, NamePoll},
}

// everyPair runs test on two sockets of each carrier and family, with the addresses that each has for the other.
func everyPair(t *testing.T, test func(t *testing.T, a, b *Conn, toB, toA *net.UDPAddr)) {
	t.Helper()
	for _, k := range kinds {
		for _, f := range []struct{ name, listen, dial string }{
			{"v4", "127.0.0.1:0", "127.0.0.1"}, {"v6", "[::1]:0", "::1"}, {"both-v4", "[::]:0", "127.0.0.1"}, {"both-v6", "[::]:0", "::1"},
		} {
			t.Run(k.name+"/"+f.name, func(t *testing.T) {
				a, toA := opened(t, f.listen, f.dial, k.o)
				b, toB := opened(t, f.listen, f.dial, k.o)
				if runtime.GOOS == "linux" && a.Info().Name != k.want {
					t.Fatalf("the carrier is %s, want %s", a.Info(), k.want)
				}
				test(t, a, b, toB, toA)
			})
		}
	}
}

func opened(t *testing.T, listen, dial string, o Options) (*Conn, *net.UDPAddr) {
	t.Helper()
	c, err := Listen(listen, o)
	if err != nil {
		t.Skipf("this machine has no %s: %v", listen, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, &net.UDPAddr{IP: net.ParseIP(dial), Port: c.LocalAddr().(*net.UDPAddr).Port}
}

// take reads one packet as quic-go does.
func take(c *Conn, b []byte) (ipv4.Message, error) {
	ms := []ipv4.Message{{Buffers: [][]byte{b}, OOB: make([]byte, 128)}}
	n, err := c.ReadBatch(ms, 0)
	if err == nil && n != 1 {
		err = fmt.Errorf("%d messages of one", n)
	}
	return ms[0], err
}

func within(t *testing.T, what string, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s: nothing happens", what)
		return nil
	}
}

// counted is bytes that are all different from those around them.
func counted(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8)
	}
	return b
}

// TestPacketsArriveAsTheyWereSent holds INV-1 and INV-2.
func TestPacketsArriveAsTheyWereSent(t *testing.T) {
	everyPair(t, func(t *testing.T, a, b *Conn, toB, toA *net.UDPAddr) {
		buf := make([]byte, 2048)
		_ = b.SetReadDeadline(time.Now().Add(patience))
		_ = a.SetReadDeadline(time.Now().Add(patience))
		for i := range 80 {
			want := bytes.Repeat([]byte{byte(i)}, i*18)
			if _, err := a.WriteTo(want, toB); err != nil {
				t.Fatal(err)
			}
			m, err := take(b, buf)
			if err != nil || !bytes.Equal(buf[:m.N], want) {
				t.Fatalf("a packet of %d bytes arrives as %d: %v", len(want), m.N, err)
			}
			if from, ok := m.Addr.(*net.UDPAddr); !ok || !sameAddr(from, toA) {
				t.Fatalf("it comes from %v, want %v", m.Addr, toA)
			}
			if _, _, err := b.WriteMsgUDP(want, nil, m.Addr.(*net.UDPAddr)); err != nil {
				t.Fatal(err)
			}
			n, from, err := a.ReadFrom(buf)
			if err != nil || n != len(want) || !sameAddr(from.(*net.UDPAddr), toB) {
				t.Fatalf("back: %d bytes from %v, want %d from %v: %v", n, from, len(want), toB, err)
			}
		}
	})
}

func sameAddr(a, b *net.UDPAddr) bool {
	x, y := a.AddrPort(), b.AddrPort()
	return x.Port() == y.Port() && x.Addr().Unmap() == y.Addr().Unmap()
}

// TestAddressesLookAsThoseOfTheStandardLibrary holds INV-2.
func TestAddressesLookAsThoseOfTheStandardLibrary(t *testing.T) {
	seen := map[string]map[string]bool{}
	everyPair(t, func(t *testing.T, a, b *Conn, toB, _ *net.UDPAddr) {
		if _, err := a.WriteTo([]byte("x"), toB); err != nil {
			t.Fatal(err)
		}
		m, err := take(b, make([]byte, 10))
		if err != nil {
			t.Fatal(err)
		}
		from := m.Addr.(*net.UDPAddr)
		family := t.Name()[len(t.Name())-2:] + b.LocalAddr().Network() + b.LocalAddr().(*net.UDPAddr).IP.String()
		if seen[family] == nil {
			seen[family] = map[string]bool{}
		}
		seen[family][fmt.Sprintf("%d bytes, %s%%%s", len(from.IP), from.IP, from.Zone)] = true
	})
	for family, forms := range seen {
		if len(forms) != 1 {
			t.Errorf("%s: the carriers give one address in these forms: %v", family, forms)
		}
	}
}

// TestZonesArriveAsNames holds INV-2 on an interface with a link-local address.
func TestZonesArriveAsNames(t *testing.T) {
	zone := ""
	var ip netip.Addr
	ifaces, _ := net.Interfaces()
	for _, i := range ifaces {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() && i.Flags&net.FlagUp != 0 {
				zone, ip = i.Name, p.Addr()
			}
		}
	}
	if zone == "" {
		t.Skip("no interface has a link-local address")
	}
	for _, k := range kinds {
		a, err := Listen("[::]:0", k.o)
		if err != nil {
			t.Skip(err)
		}
		defer a.Close()
		to := &net.UDPAddr{IP: ip.AsSlice(), Zone: zone, Port: a.LocalAddr().(*net.UDPAddr).Port}
		if _, err := a.WriteTo([]byte("x"), to); err != nil {
			t.Skip(err)
		}
		_ = a.SetReadDeadline(time.Now().Add(patience))
		if m, err := take(a, make([]byte, 10)); err != nil || m.Addr.String() != to.String() {
			t.Errorf("%s: a packet of %s comes from %v: %v", k.name, to, m.Addr, err)
		}
	}
}

// TestDeadlines holds INV-2.
func TestDeadlines(t *testing.T) {
	everyPair(t, func(t *testing.T, a, _ *Conn, toB, _ *net.UDPAddr) {
		for _, d := range []time.Duration{-time.Second, time.Millisecond} {
			_ = a.SetReadDeadline(time.Now().Add(d))
			done := make(chan error, 1)
			go func() { _, err := take(a, make([]byte, 10)); done <- err }()
			if err := within(t, "a read with a deadline", done); !errors.Is(err, os.ErrDeadlineExceeded) || !isTimeout(err) {
				t.Fatalf("a deadline of %v: %v", d, err)
			}
		}
		_ = a.SetReadDeadline(time.Time{})
		done := make(chan error, 1)
		go func() { _, err := take(a, make([]byte, 10)); done <- err }()
		_ = a.SetReadDeadline(time.Now()) // how quic.Transport stops its reader
		if err := within(t, "a read whose deadline is set to now", done); !isTimeout(err) {
			t.Fatal(err)
		}
		_ = a.SetWriteDeadline(time.Now().Add(-time.Second))
		if _, err := a.WriteTo([]byte("x"), toB); !isTimeout(err) {
			t.Errorf("a write after its deadline: %v", err)
		}
		_ = a.SetDeadline(time.Time{})
		if _, err := a.WriteTo([]byte("x"), toB); err != nil {
			t.Errorf("a write without a deadline: %v", err)
		}
	})
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// TestCloseEndsReadersAndWriters holds INV-2 while both are at work.
func TestCloseEndsReadersAndWriters(t *testing.T) {
	everyPair(t, func(t *testing.T, a, b *Conn, toB, toA *net.UDPAddr) {
		var read, wrote, echoed sync.WaitGroup
		first := make(chan struct{})
		once := sync.OnceFunc(func() { close(first) })
		errs := make(chan error, 8)
		for range 2 {
			read.Go(func() {
				for {
					if _, err := take(a, make([]byte, 10)); err != nil {
						errs <- err
						return
					}
					once()
				}
			})
			wrote.Go(func() {
				for {
					if _, err := a.WriteTo([]byte("x"), toB); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		stop := make(chan struct{})
		echoed.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = b.WriteTo([]byte("y"), toA)
				}
			}
		})
		<-first
		_ = a.Close()
		for range 4 {
			if err := within(t, "closing", errs); !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close: %v, want %v", err, net.ErrClosed)
			}
		}
		close(stop)
		read.Wait()
		wrote.Wait()
		echoed.Wait()
		if _, err := take(a, make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a read after Close: %v", err)
		}
		if err := a.Close(); err == nil {
			t.Error("a second Close has no error")
		}
	})
}

// TestAFloodThatNobodyReadsIsDropped: the sender goes on, and what arrives later is whole.
func TestAFloodThatNobodyReadsIsDropped(t *testing.T) {
	everyPair(t, func(t *testing.T, a, b *Conn, toB, _ *net.UDPAddr) {
		packet := counted(1400)
		done := make(chan error, 1)
		go func() {
			for range 3000 {
				if _, err := a.WriteTo(packet, toB); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		if err := within(t, "a flood", done); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2048)
		if m, err := take(b, buf); err != nil || !bytes.Equal(buf[:m.N], packet) {
			t.Fatalf("after a flood: %d bytes, %v", m.N, err)
		}
	})
}

// TestErrorsOfSendsAreThoseOfTheStandardLibrary holds INV-2: path MTU discovery looks for them.
func TestErrorsOfSendsAreThoseOfTheStandardLibrary(t *testing.T) {
	words := map[string][]string{}
	for _, k := range kinds {
		c, _ := opened(t, "127.0.0.1:0", "127.0.0.1", k.o)
		for name, send := range map[string]func() error{
			"too long": func() error {
				_, err := c.WriteTo(make([]byte, 70_000), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
				return err
			},
			"another family": func() error {
				_, err := c.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv6loopback, Port: 9})
				return err
			},
			"no address":  func() error { _, _, err := c.WriteMsgUDP([]byte("x"), nil, nil); return err },
			"not of UDP":  func() error { _, err := c.WriteTo([]byte("x"), &net.TCPAddr{}); return err },
			"a typed nil": func() error { _, err := c.WriteTo([]byte("x"), (*net.UDPAddr)(nil)); return err },
		} {
			err := send()
			if err == nil {
				t.Errorf("%s, %s: no error", k.name, name)
				continue
			}
			root := err
			for u := errors.Unwrap(root); u != nil; u = errors.Unwrap(root) {
				root = u
			}
			words[name] = append(words[name], fmt.Sprintf("%T %v", root, root))
		}
	}
	for name, w := range words {
		if len(slices.Compact(w)) != 1 {
			t.Errorf("%s: the carriers say %q", name, w)
		}
	}
}
