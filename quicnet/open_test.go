package quicnet

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
)

// outside is an address of this machine that is not of its loopback interface.
func outside(t *testing.T) net.IP {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP
		}
	}
	t.Skip("this machine has no address but those of its loopback interface")
	return nil
}

// TestANodeOfOneMachineOpensToOthers: a session begins on the loopback interface, then gets a worker that comes from outside; all
// three talk to each other, whichever has to dial.
func TestANodeOfOneMachineOpensToOthers(t *testing.T) {
	ip := outside(t)
	var dir [4]*Node // by process
	resolve := func(_ context.Context, proc uint64) (net.Addr, error) {
		n := dir[proc]
		if n.wide == nil {
			return net.ResolveUDPAddr("udp", fmt.Sprintf("%s:%d", ip, n.Addr().(*net.UDPAddr).Port))
		}
		return net.ResolveUDPAddr("udp", fmt.Sprintf("%s:%d", ip, n.wide.pc.LocalAddr().(*net.UDPAddr).Port))
	}
	recs := [4]*recorder{newRecorder(), newRecorder(), newRecorder(), newRecorder()}
	ctl := newSession(t, Config{Handler: recs[0]})
	for _, local := range []uint64{1, 3} {
		dir[local] = join(t, ctl, ID{local, 1}, Config{Handler: recs[local], Resolve: resolve})
	}
	at, err := ctl.Open("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ctl.Open("0.0.0.0:0"); err != nil || again.String() != at.String() {
		t.Errorf("opened again: %v, %v; want %v, which it has", again, err, at)
	}
	for _, local := range []uint64{1, 3} {
		if _, err := dir[local].Open("0.0.0.0:0"); err != nil {
			t.Fatal(err)
		}
	}
	closed, err := net.ListenPacket("udp", "127.0.0.1:0") // an address that leads nowhere: nobody answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closed.Close() })
	ticket, err := ctl.Ticket(ID{2, 1}, time.Minute, closed.LocalAddr().String(), fmt.Sprintf("%s:%d", ip, at.(*net.UDPAddr).Port))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	dir[2], _, err = Join(t.Context(), ticket, Config{Handler: recs[2], Resolve: resolve, Listen: "0.0.0.0:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir[2].Close("") })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("joined after %v: it has waited for the address that leads nowhere", took)
	}
	recs[0].until(t, 5*time.Second, "the worker from outside", func() bool { return recs[0].saw(2, LinkUp) })
	if from := ctl.PeerAddr(2).(*net.UDPAddr); !from.IP.Equal(ip) {
		t.Errorf("the worker from outside came from %v, want %v", from, ip)
	}
	for _, c := range []struct{ from, to uint64 }{{1, 2}, {2, 3}, {3, 2}, {2, 1}} { // the lower dials: 1 dials 2, 2 dials 3
		before := recs[c.to].count()
		if err := dir[c.from].Send(t.Context(), c.to, LaneCalls, call(c.from, c.to, 1, []byte("x"))); err != nil {
			t.Fatal(err)
		}
		recs[c.to].until(t, 5*time.Second, fmt.Sprintf("a frame of %d at %d", c.from, c.to), func() bool { return len(recs[c.to].frames) > before })
	}
}

// TestThePathIsProbedWhereItLeavesTheMachine: only there a packet may be too long.
func TestThePathIsProbedWhereItLeavesTheMachine(t *testing.T) {
	for addr, far := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "0.0.0.0:0": true, "[::]:0": true} {
		pc, _, err := ListenUDP(addr, carrier.Options{})
		if err != nil {
			t.Logf("%s: %v", addr, err) // a machine without IPv6
			continue
		}
		n, err := newNode("s", ID{1, 1}, Config{Handler: newRecorder(), Conn: pc})
		if err != nil {
			t.Fatal(err)
		}
		c := n.quicConfigAt(n.first.Load())
		if c.DisablePathMTUDiscovery == far || (c.InitialPacketSize == 1200) != far {
			t.Errorf("%s: packets of %d bytes, probes of the path are off: %v", addr, c.InitialPacketSize, c.DisablePathMTUDiscovery)
		}
		_ = n.Close("")
	}
}
