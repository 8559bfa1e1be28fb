package quicnet

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
)

// lab is a controller and a worker in network namespaces of their own, with a switch between them in a third: real interfaces, real
// packets, real time. Everything in it ends with the test.
type lab struct {
	name string
	ctl  *Node
	recs [2]*recorder // of the controller, of the worker
	sent uint64
	node [2]*Node
}

// ip runs a command in a namespace of the lab: sw is the switch, 0 the controller's, 1 the worker's.
func (l *lab) ip(t *testing.T, line string, args ...any) {
	t.Helper()
	argv := strings.Fields(strings.ReplaceAll(fmt.Sprintf(line, args...), "@", l.name))
	if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, out)
	}
}

// newLab makes one; where namespaces cannot be made the test is left out, and says why.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := newNamespaces(t)
	l.ip(t, "ip -n @sw link add br0 type bridge")
	l.ip(t, "ip -n @sw link set br0 up")
	for i := range 2 {
		l.ip(t, "ip link add eth0 netns @%d type veth peer name p%d netns @sw", i, i)
		l.ip(t, "ip -n @sw link set p%d master br0 up", i)
		l.ip(t, "ip -n @%d addr add 10.77.0.%d/24 dev eth0", i, i+1)
		l.ip(t, "ip -n @%d link set eth0 up", i)
	}
	l.start(t)
	return l
}

// newNamespaces makes a lab without wires.
func newNamespaces(t *testing.T) *lab {
	t.Helper()
	for _, tool := range []string{"ip", "tc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here: install iproute2", tool)
		}
	}
	l := &lab{name: fmt.Sprintf("mt%d-%d-", os.Getpid(), time.Now().UnixNano()%1e6)}
	if out, err := exec.CommandContext(t.Context(), "ip", "netns", "add", l.name+"sw").CombinedOutput(); err != nil {
		t.Skipf("network namespaces cannot be made here: %s", strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		for _, ns := range []string{"sw", "0", "1"} {
			_ = exec.Command("ip", "netns", "del", l.name+ns).Run() // it may not have been made
		}
	})
	for i := range 2 {
		l.ip(t, "ip netns add @%d", i)
	}
	return l
}

// start has the worker join the controller, and both talk.
func (l *lab) start(t *testing.T) {
	t.Helper()
	for i := range l.recs {
		l.recs[i] = newRecorder()
	}
	l.ctl = newSession(t, Config{Handler: l.recs[0], Conn: l.socket(t, 0)})
	l.node = [2]*Node{l.ctl, join(t, l.ctl, ID{1, 1}, Config{Handler: l.recs[1], Conn: l.socket(t, 1), Timing: Timing{Lease: 8 * time.Second}})}
	l.talk(t, 100)
}

// inside does something in a namespace, on a thread that ends with it.
func (l *lab) inside(i int, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread belongs to the namespace now
		ns, err := os.Open(fmt.Sprintf("/run/netns/%s%d", l.name, i))
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			_ = ns.Close()
		}
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}

func (l *lab) socket(t *testing.T, i int) (c net.PacketConn) {
	t.Helper()
	err := l.inside(i, func() (err error) {
		c, _, err = ListenUDP(fmt.Sprintf("10.77.0.%d:0", i+1), carrier.Options{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// talkFor sends a message each way every 10 ms.
func (l *lab) talkFor(t *testing.T, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		l.talk(t, 1)
	}
}

// talk sends n messages each way; arrived waits until all that were sent have come, and says what is not as it was sent.
func (l *lab) talk(t *testing.T, n int) {
	t.Helper()
	for range n {
		l.sent++
		for i, node := range l.node {
			if err := node.Send(t.Context(), uint64(1-i), LaneCalls, call(uint64(i), uint64(1-i), l.sent, make([]byte, 100))); err != nil {
				t.Fatalf("message %d: %v", l.sent, err)
			}
		}
	}
}

func (l *lab) arrived(t *testing.T, limit time.Duration) {
	t.Helper()
	for _, r := range l.recs {
		r.until(t, limit, "all messages", func() bool { return uint64(len(r.frames)) >= l.sent })
		r.mu.Lock()
		for i, f := range r.frames {
			if f.env.ID != uint64(i+1) {
				t.Errorf("message %d came as number %d", f.env.ID, i+1)
				break
			}
		}
		r.mu.Unlock()
	}
}

// states are those that a node was told of the other, but for up.
func (l *lab) states(i int) (out []LinkState) {
	for _, ev := range l.recs[i].told() {
		if ev.State != LinkUp && !slices.Contains(out, ev.State) {
			out = append(out, ev.State)
		}
	}
	return out
}

// TestProcessesMeetByANarrowLoopbackInterface has a controller and a worker in one namespace, where packets as large as a machine usually
// takes are sent to nobody.
func TestProcessesMeetByANarrowLoopbackInterface(t *testing.T) {
	l := newNamespaces(t)
	l.ip(t, "ip -n @0 link set lo up mtu 1300")
	sock := func() (c net.PacketConn) {
		if err := l.inside(0, func() (err error) {
			c, _, err = ListenUDP("127.0.0.1:0", carrier.Options{NoMemory: true})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for i := range l.recs {
		l.recs[i] = newRecorder()
	}
	l.ctl = newSession(t, Config{Handler: l.recs[0], Conn: sock()})
	l.node = [2]*Node{l.ctl, join(t, l.ctl, ID{1, 1}, Config{Handler: l.recs[1], Conn: sock()})}
	l.talk(t, 100)
	l.arrived(t, 10*time.Second)
}

// TestARealPathMayFail is rows 6 to 10, 16 and 19 of the fault matrix on real interfaces.
func TestARealPathMayFail(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, l *lab)
	}{
		{"cut for 2 s", func(t *testing.T, l *lab) { l.cutFor(t, "p1", 2*time.Second, LinkUnreachable) }},
		{"cut for 6 s", func(t *testing.T, l *lab) { l.cutFor(t, "p1", 6*time.Second, LinkLost) }},
		{"cut for good", func(t *testing.T, l *lab) {
			began := time.Now()
			l.ip(t, "ip -n @sw link set p1 down")
			l.lostSince(t, began)
		}},
		{"cut for 12 s", func(t *testing.T, l *lab) {
			l.ip(t, "ip -n @sw link set p1 down")
			l.talk(t, 10)
			time.Sleep(12 * time.Second) // this is the fault
			before := l.recs[0].count()
			l.ip(t, "ip -n @sw link set p1 up")
			lease, lost := l.recs[1].got(0, LinkLease), l.recs[0].got(1, LinkLost)
			if lease == nil || lost == nil || !lease.Time.Before(lost.Time) {
				t.Errorf("lease %v, lost %v", lease, lost)
			}
			if err := l.node[1].Send(t.Context(), 0, LaneCalls, call(1, 0, l.sent+1, nil)); err == nil {
				t.Error("who was given up may still send")
			}
			time.Sleep(2 * time.Second) // nothing is to come
			if n := l.recs[0].count(); n != before {
				t.Errorf("%d frames came from a lost peer", n-before)
			}
		}},
		{"one way cut for good", func(t *testing.T, l *lab) {
			began := time.Now()
			l.ip(t, "tc -n @sw qdisc add dev p1 root pfifo limit 0") // nothing leaves the switch for the worker
			l.lostSince(t, began)
			if got := l.states(1); !slices.Contains(got, LinkUnreachable) && !slices.Contains(got, LinkClosed) {
				t.Errorf("the worker was told %v", got)
			}
		}},
		{"the other way cut for good", func(t *testing.T, l *lab) {
			began := time.Now()
			l.ip(t, "tc -n @sw qdisc add dev p0 root pfifo limit 0")
			l.lostSince(t, began)
		}},
		{"the sender's interface down for 1.5 s", func(t *testing.T, l *lab) {
			l.ip(t, "ip -n @1 link set eth0 down") // sending fails at once, which is a lost packet and not the end of a link
			l.talk(t, 10)
			time.Sleep(1500 * time.Millisecond) // this is the fault
			l.ip(t, "ip -n @1 link set eth0 up")
			l.arrived(t, 5*time.Second)
			if got := append(l.states(0), l.states(1)...); slices.Contains(got, LinkUnreachable) || slices.Contains(got, LinkLost) {
				t.Errorf("told %v", got)
			}
		}},
		{"256 kbit/s", func(t *testing.T, l *lab) {
			for i := range 2 {
				l.ip(t, "tc -n @sw qdisc add dev p%d root tbf rate 256kbit burst 4kb latency 400ms", i)
			}
			began := time.Now()
			l.talk(t, 400) // 40 kB each way
			l.arrived(t, 20*time.Second)
			if took := time.Since(began); took < 500*time.Millisecond {
				t.Errorf("it took %v: the path was not slow", took)
			}
			if got := append(l.states(0), l.states(1)...); slices.Contains(got, LinkUnreachable) || slices.Contains(got, LinkLost) {
				t.Errorf("told %v", got)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.arrived(t, 5*time.Second)
			c.do(t, l)
		})
	}
}

// cutFor takes the cable out at the switch, which neither end notices by itself, and puts it in again before it is too late: nothing is
// lost, repeated or out of order, and nobody is told of the state never or a worse one.
func (l *lab) cutFor(t *testing.T, port string, d time.Duration, never LinkState) {
	t.Helper()
	l.ip(t, "ip -n @sw link set %s down", port)
	l.talk(t, 50)
	time.Sleep(d) // this is the fault
	if n := l.recs[0].count() + l.recs[1].count(); uint64(n) >= 2*l.sent {
		t.Errorf("%d messages came through a cut", n)
	}
	l.ip(t, "ip -n @sw link set %s up", port)
	l.talk(t, 50)
	l.arrived(t, 8*time.Second)
	if got := append(l.states(0), l.states(1)...); slices.Contains(got, never) || slices.Contains(got, LinkLost) {
		t.Errorf("told %v", got)
	}
}

// lostSince waits until the controller has given the worker up, by P4.
func (l *lab) lostSince(t *testing.T, began time.Time) {
	t.Helper()
	l.recs[0].until(t, 15*time.Second, "lost", func() bool { return l.recs[0].saw(1, LinkLost) })
	for state, limit := range map[LinkState]time.Duration{LinkSuspect: 1750 * time.Millisecond, LinkUnreachable: 4250 * time.Millisecond, LinkLost: 10500 * time.Millisecond} {
		ev := l.recs[0].got(1, state)
		if ev == nil {
			t.Errorf("no %v: %v", state, l.recs[0].told())
			continue
		}
		if took, slack := ev.Time.Sub(began), time.Second; took > limit+slack { // a busy machine is late to look
			t.Errorf("%v after %v, limit %v", state, took, limit)
		}
	}
}
