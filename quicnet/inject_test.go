package quicnet

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// badConn is a socket of a simulated network with faults on what leaves it.
type badConn struct {
	net.PacketConn
	j *fault.Injector
}

func newBadConn(c net.PacketConn) *badConn {
	return &badConn{c, fault.New(func() {}, func() {})}
}

func (c *badConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.j.Out(b, to, func(p []byte) { _, _ = c.PacketConn.WriteTo(p, to) }) {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c *badConn) SetFaults(paths []fault.Path, _ func()) { c.j.Set(paths) }
func (c *badConn) FaultCounts() []fault.Count             { return c.j.Counts() }

func (c *badConn) Close() error {
	c.j.Close()
	return c.PacketConn.Close()
}

// TestInjectedFaultsLoseAndRepeatNothing holds INV-1 and INV-2 over sockets with faults: what was sent before, while and after they act
// arrives once, in its order, and the link is the same.
func TestInjectedFaultsLoseAndRepeatNothing(t *testing.T) {
	for name, rule := range map[string]fault.Rule{
		"loss":        {ID: 1, Seed: 1, Loss: 0.1},
		"delay":       {ID: 1, Seed: 1, Delay: 80 * time.Millisecond, Jitter: 60 * time.Millisecond},
		"rate":        {ID: 1, Rate: 2_000_000},
		"a cut of 6s": {ID: 1, Loss: 1},
	} {
		t.Run(name, func(t *testing.T) {
			bad := func(_ uint64, cfg *Config) { cfg.Conn = newBadConn(cfg.Conn) }
			inWorld(t, 1, bad, func(t *testing.T, w *world) {
				there, back := w.stream(0, 1, LaneCalls), w.stream(1, 0, LaneCalls)
				time.Sleep(time.Second)
				set := func(rules ...fault.Rule) {
					for at, other := range []int{1, 0} {
						addr := netip.MustParseAddrPort(w.nodes[other].Addr().String())
						var paths []fault.Path
						if len(rules) > 0 {
							paths = []fault.Path{{Addr: addr, Out: rules}}
						}
						if err := w.nodes[at].SetFaults(paths, func() {}); err != nil {
							t.Fatal(err)
						}
					}
				}
				set(rule)
				time.Sleep(6 * time.Second)
				c := w.nodes[0].FaultCounts()
				if len(c) != 1 || c[0].Seen == 0 || c[0].Dropped+c[0].Delayed == 0 {
					t.Errorf("the fault did not act: %+v", c)
				}
				set()
				time.Sleep(5 * time.Second)
				a, b := there.end(), back.end()
				w.received(1, 0, LaneCalls, a)
				w.received(0, 1, LaneCalls, b)
				if s := w.stats(0, 1); s.State != LinkUp || s.Peer.Epoch != 1 || a < 100 || b < 100 {
					t.Errorf("%v epoch %d, %d and %d messages", s.State, s.Peer.Epoch, a, b)
				}
			})
		})
	}
}

// TestASocketThatCannotInjectSaysSo: Config.Conn may be anything.
func TestASocketThatCannotInjectSaysSo(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	n := newSession(t, Config{Handler: newRecorder(), Conn: struct{ net.PacketConn }{c}})
	if err := n.SetFaults(nil, func() {}); err == nil || n.FaultCounts() != nil {
		t.Errorf("faults were taken: %v", err)
	}
}
