package carrier

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/fault"
	"github.com/quic-go/quic-go"
	"golang.org/x/net/ipv4"
)

// pathTo is what is done to the packets of a peer.
func pathTo(addr *net.UDPAddr, out, in []fault.Rule) []fault.Path {
	return []fault.Path{{Addr: netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), addr.AddrPort().Port()), Out: out, In: in}}
}

func nothing() {}

// TestQUICOverABadSocket: of trains that are sent, each packet is judged alone, in both directions, and QUIC makes up for it.
func TestQUICOverABadSocket(t *testing.T) {
	for name, rule := range map[string]fault.Rule{
		"loss":  {ID: 1, Seed: 3, Loss: 0.05},
		"delay": {ID: 1, Seed: 3, Delay: 5 * time.Millisecond, Jitter: 3 * time.Millisecond},
		"rate":  {ID: 1, Rate: 50_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			everyPair(t, func(t *testing.T, a, b *Conn, toB, _ *net.UDPAddr) {
				ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
				defer cancel()
				a.SetFaults(pathTo(toB, []fault.Rule{rule}, []fault.Rule{rule}), nothing)
				cli, srv := &quic.Transport{Conn: a}, &quic.Transport{Conn: b}
				l, err := srv.Listen(testTLS(), testQUIC())
				if err != nil {
					t.Fatal(err)
				}
				var wg sync.WaitGroup
				wg.Go(func() { echo(ctx, l) })
				q, err := cli.Dial(ctx, toB, testTLS(), testQUIC())
				if err != nil {
					t.Fatal(err)
				}
				ask(ctx, t, q, counted(300_000))
				c := a.FaultCounts()
				if len(c) != 1 || c[0].Seen < 300 || c[0].Dropped+c[0].Delayed == 0 || rule.Loss > 0 && c[0].Dropped == 0 {
					t.Errorf("counts %+v", c)
				}
				a.SetFaults(nil, nothing)
				ask(ctx, t, q, counted(100_000))
				if c := a.FaultCounts(); len(c) != 0 {
					t.Errorf("lifted, and it counts %+v", c)
				}
				_ = q.CloseWithError(0, "")
				_ = l.Close()
				_, _ = cli.Close(), srv.Close()
				_, _ = a.Close(), b.Close()
				wg.Wait()
			})
		})
	}
}

// TestAReaderThatWasWokenForFaultsThatAreGoneGoesOn: when the last fault is lifted, the reader may find out that it was woken only
// when nothing is left of what woke it.
func TestAReaderThatWasWokenForFaultsThatAreGoneGoesOn(t *testing.T) {
	everyPair(t, func(t *testing.T, a, b *Conn, toB, _ *net.UDPAddr) {
		_ = b.SetReadDeadline(time.Now().Add(patience))
		b.wake()
		if _, err := a.WriteTo([]byte("news"), toB); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		m, err := take(b, buf)
		if err != nil || string(buf[:m.N]) != "news" {
			t.Errorf("read %q, %v", buf[:m.N], err)
		}
		_ = b.SetReadDeadline(past)
		if _, err := take(b, buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("its own deadline is over, and it reads: %v", err)
		}
	})
}

// TestPacketsThatWereHeldUpWakeTheReader: also when they are lifted, and the reader's own deadline stays what it was.
func TestPacketsThatWereHeldUpWakeTheReader(t *testing.T) {
	everyPair(t, func(t *testing.T, a, b *Conn, toB, toA *net.UDPAddr) {
		got := make(chan string, 10)
		go func() {
			for {
				ms := make([]ipv4.Message, 4)
				for i := range ms {
					ms[i] = ipv4.Message{Buffers: [][]byte{make([]byte, 100)}, OOB: make([]byte, 128)}
				}
				n, err := b.ReadBatch(ms, 0)
				if err != nil {
					got <- fmt.Sprintf("timeout %v", errors.Is(err, os.ErrDeadlineExceeded))
					return
				}
				for _, m := range ms[:n] {
					got <- string(m.Buffers[0][:m.N])
				}
			}
		}()
		next := func(want string) time.Time {
			t.Helper()
			select {
			case text := <-got:
				if text != want {
					t.Fatalf("read %q, want %q", text, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("nothing came, want %q", want)
			}
			return time.Now()
		}
		send := func(text string) {
			t.Helper()
			if _, _, err := a.WriteMsgUDP([]byte(text), nil, toB); err != nil {
				t.Fatal(err)
			}
		}
		send("at once")
		next("at once")
		b.SetFaults(pathTo(toA, nil, []fault.Rule{{ID: 1, Delay: 30 * time.Millisecond}}), nothing)
		began := time.Now()
		send("late")
		send("later")
		if took := next("late").Sub(began); took < 30*time.Millisecond {
			t.Errorf("it was read after %v", took)
		}
		next("later")
		b.SetFaults(pathTo(toA, nil, []fault.Rule{{ID: 2, Delay: time.Hour}}), nothing)
		send("held")
		for deadline := time.Now().Add(10 * time.Second); len(b.FaultCounts()) == 0 || b.FaultCounts()[0].Seen == 0; {
			if time.Now().After(deadline) {
				t.Fatal("it never came")
			}
			time.Sleep(time.Millisecond) // the packet is on its way
		}
		b.SetFaults(nil, nothing)
		next("held")
		send("again at once")
		next("again at once")
		if err := b.SetReadDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
		next("timeout true")
	})
}
