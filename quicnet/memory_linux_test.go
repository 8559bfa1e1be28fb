package quicnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// near is a controller and a worker over real sockets of this machine, and what each has received of the other.
type near struct {
	t     *testing.T
	nodes [2]*Node
	flows [2]*flow // to the node of that index
}

func newNear(t *testing.T, change func(proc int, c *Config)) *near {
	t.Helper()
	return nearBy(t, change, func(*Node, *Config) {})
}

// nearBy makes one whose worker joins as by says.
func nearBy(t *testing.T, change func(proc int, c *Config), by func(ctl *Node, c *Config)) *near {
	t.Helper()
	n := &near{t: t, flows: [2]*flow{newFlow(), newFlow()}}
	configs := [2]Config{{Handler: n.flows[0]}, {Handler: n.flows[1]}}
	for i := range configs {
		if change != nil {
			change(i, &configs[i])
		}
	}
	n.nodes[0] = newSession(t, configs[0])
	ticket, err := n.nodes[0].Ticket(ID{1, 1}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	by(n.nodes[0], &configs[1])
	if n.nodes[1], _, err = Join(t.Context(), ticket, configs[1]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.nodes[1].Close("") })
	return n
}

// flow is a handler that holds INV-1 and INV-2 on what it gets: of each pair of actors the numbers 1, 2, 3, ….
type flow struct {
	mu    sync.Mutex
	next  map[pair]uint64
	wrong string
	wake  chan struct{}
	ends  []LinkEvent
}

func newFlow() *flow { return &flow{next: map[pair]uint64{}, wake: make(chan struct{})} }

func (f *flow) Frame(_ ID, _ Lane, env *Envelope) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := pair{env.From.Actor, env.To.Actor}
	f.next[p]++
	switch n := binary.BigEndian.Uint64(env.Body); {
	case n != f.next[p] && f.wrong == "":
		f.wrong = fmt.Sprintf("frame %d of %v came where %d was due", n, p, f.next[p])
	case f.wrong == "":
		for _, b := range env.Body[8:] {
			if b != byte(n) {
				f.wrong = fmt.Sprintf("frame %d of %v holds the byte %d", n, p, b)
				break
			}
		}
	}
	env.Free()
	close(f.wake)
	f.wake = make(chan struct{})
}

func (f *flow) Link(ev LinkEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends = append(f.ends, ev)
	close(f.wake)
	f.wake = make(chan struct{})
}

// until waits until ok holds.
func (f *flow) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		f.mu.Lock()
		wake, done, wrong := f.wake, ok(), f.wrong
		f.mu.Unlock()
		switch {
		case wrong != "":
			t.Fatal(wrong)
		case done:
			return
		}
		select {
		case <-wake:
		case <-late.C:
			f.mu.Lock()
			defer f.mu.Unlock()
			t.Fatalf("waited for %s; received %v, events %v", what, f.next, f.ends)
		}
	}
}

// sender sends numbered frames from one actor of a node to one of the other: 100 small ones, then one with a body of its own way.
type sender struct {
	n    *near
	from int
	pair pair
	sent uint64
}

func (s *sender) send(frames int) {
	s.n.t.Helper()
	for range frames {
		if s.n.t.Failed() {
			return
		}
		s.sent++
		size := 8 + int(s.sent*37%300)
		if s.sent%100 == 0 {
			size = 100<<10 + int(s.sent)
		}
		body := make([]byte, size)
		binary.BigEndian.PutUint64(body, s.sent)
		for i := range body[8:] {
			body[8+i] = byte(s.sent)
		}
		env := call(uint64(s.from), uint64(1-s.from), s.sent, body)
		env.From.Actor, env.To.Actor = s.pair.from, s.pair.to
		if err := s.n.nodes[s.from].Send(s.n.t.Context(), uint64(1-s.from), LaneCalls, env); err != nil {
			if s.n.t.Context().Err() == nil {
				s.n.t.Error(err)
			}
			return
		}
	}
}

func (s *sender) arrived() {
	s.n.t.Helper()
	f := s.n.flows[1-s.from]
	f.until(s.n.t, fmt.Sprintf("%d frames of %v", s.sent, s.pair), func() bool { return f.next[s.pair] == s.sent })
}

// shares waits until each side sends the other's calls, and bodies, by memory, and has sent some.
func (n *near) shares(senders ...*sender) {
	n.t.Helper()
	for late := time.Now().Add(20 * time.Second); ; {
		for _, s := range senders {
			s.send(200)
			s.arrived()
		}
		if n.memory(0) && n.memory(1) {
			return
		}
		if time.Now().After(late) {
			n.t.Fatalf("nothing goes by memory: %+v", n.nodes[0].Peers())
		}
	}
}

func (n *near) memory(at int) bool {
	c := n.conn(at)
	return c.memory.writer(streamCalls) != nil && c.memory.writer(streamBodies) != nil && n.nodes[at].Peers()[0].Memory
}

// conn is the connection there is, once there is one.
func (n *near) conn(at int) *conn {
	n.t.Helper()
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); time.Sleep(time.Millisecond) {
		if v, ok := n.nodes[at].fast.Load(uint64(1 - at)); ok {
			p := v.(*peer)
			p.mu.Lock()
			c := p.conn
			p.mu.Unlock()
			if c != nil {
				return c
			}
		}
	}
	n.t.Fatal("no connection")
	return nil
}

func (n *near) both() (there, back *sender) {
	return &sender{n: n, from: 0, pair: pair{1, 2}}, &sender{n: n, from: 1, pair: pair{3, 4}}
}

func TestProcessesOfAMachineShareMemory(t *testing.T) {
	n := newNear(t, nil)
	there, back := n.both()
	n.shares(there, back)
	before := n.nodes[0].Peers()[0]
	there.send(1000)
	back.send(1000)
	there.arrived()
	back.arrived()
	after := n.nodes[0].Peers()[0]
	const least = 2 * (10*100<<10 + 1000*100) // bodies, and the others on average
	if shared, all := after.BytesShared-before.BytesShared, after.BytesSent+after.BytesReceived-before.BytesSent-before.BytesReceived; shared < least || all < shared || all > shared+shared/10 {
		t.Errorf("%d bytes by memory, %d in all, want at least %d and few else", shared, all, least)
	}
	if n := n.nodes[0].memories.Load(); n != 1 {
		t.Errorf("%d connections are counted", n)
	}
}

func TestFramesKeepTheirOrderWhereTheWayChanges(t *testing.T) {
	n := newNear(t, nil)
	var senders []*sender
	for i := range uint64(3) {
		senders = append(senders, &sender{n: n, from: 0, pair: pair{10 + i, 20}}, &sender{n: n, from: 1, pair: pair{30 + i, 40}})
	}
	n.shares(senders...)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range senders {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.send(50)
				}
			}
		})
	}
	progress := func() {
		f := n.flows[1]
		f.mu.Lock()
		have := f.next[senders[0].pair]
		f.mu.Unlock()
		f.until(t, "more frames", func() bool { return f.next[senders[0].pair] > have+100 })
	}
	for range 3 {
		progress()
		for at := range 2 { // the other way, and back: a rule that does nothing else
			path := fault.Path{Addr: netip.MustParseAddrPort(n.conn(at).q.RemoteAddr().String()), In: []fault.Rule{{ID: 1, Seed: 1, Loss: 0.001}}}
			if err := n.nodes[at].SetFaults([]fault.Path{path}, func() {}); err != nil {
				t.Fatal(err)
			}
			progress()
			if n.memory(at) {
				t.Error("packets are judged, and frames go by memory")
			}
			if err := n.nodes[at].SetFaults(nil, func() {}); err != nil {
				t.Fatal(err)
			}
			progress()
		}
		n.conn(0).close(closeErrorf(CodeSilent, "a test")) // what was not acknowledged is sent again on another connection
		progress()
	}
	close(stop)
	wg.Wait()
	for _, s := range senders {
		s.arrived()
	}
	n.shares(senders...)
}

// What goes by memory obeys the faults that are injected into packets: those of either side, in either direction.
func TestACutAlsoCutsWhatGoesByMemory(t *testing.T) {
	cut := []fault.Rule{{ID: 1, Seed: 1, Loss: 1}}
	for name, c := range map[string]struct {
		at      int
		out, in []fault.Rule
		from    int // whose frames do not arrive
	}{
		"the sender's way out":    {at: 0, out: cut, from: 0},
		"the receiver's way in":   {at: 1, in: cut, from: 0},
		"the worker's way out":    {at: 1, out: cut, from: 1},
		"the controller's way in": {at: 0, in: cut, from: 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNear(t, nil)
			there, back := n.both()
			n.shares(there, back)
			path := fault.Path{Addr: netip.MustParseAddrPort(n.conn(c.at).q.RemoteAddr().String()), Out: c.out, In: c.in}
			if err := n.nodes[c.at].SetFaults([]fault.Path{path}, func() {}); err != nil {
				t.Fatal(err)
			}
			s, f := []*sender{there, back}[c.from], n.flows[1-c.from]
			had := s.sent
			s.send(150) // with a body
			time.Sleep(200 * time.Millisecond)
			f.mu.Lock()
			got := f.next[s.pair]
			f.mu.Unlock()
			if got != had {
				t.Errorf("%d frames came through the cut", got-had)
			}
			if err := n.nodes[c.at].SetFaults(nil, func() {}); err != nil {
				t.Fatal(err)
			}
			s.arrived()
			n.shares(there, back)
		})
	}
}

func TestMemoryIsNotSharedWhere(t *testing.T) {
	for name, change := range map[string]func(int, *Config){
		"the controller does without": func(i int, c *Config) { c.Carrier.NoMemory = i == 0 },
		"the worker does without":     func(i int, c *Config) { c.Carrier.NoMemory = i == 1 },
		"the plain carrier is wanted": func(i int, c *Config) { c.Carrier.Plain = i == 1 },
		"packets travel by other ways": func(i int, c *Config) {
			if i == 1 {
				pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
				if err != nil {
					t.Fatal(err)
				}
				c.Conn = pc
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNear(t, change)
			there, back := n.both()
			for range 5 {
				there.send(200)
				back.send(200)
				there.arrived()
				back.arrived()
			}
			for at := range 2 {
				if c := n.conn(at); c.memory.same || c.memory.asked != [memoryStreams]bool{} || n.nodes[at].Peers()[0].BytesShared != 0 {
					t.Error("memory is shared")
				}
			}
		})
	}
	t.Run("the environment says so", func(t *testing.T) {
		t.Setenv(carrier.Env, carrier.EnvUDP)
		n := newNear(t, nil)
		there, _ := n.both()
		there.send(1000)
		there.arrived()
		if n.nodes[0].Peers()[0].BytesShared != 0 {
			t.Error("memory is shared")
		}
	})
	t.Run("there are too many connections", func(t *testing.T) {
		n := newNear(t, nil)
		for _, node := range n.nodes {
			node.memories.Store(memoryMost)
		}
		there, _ := n.both()
		there.send(1000)
		there.arrived()
		if n.nodes[0].Peers()[0].BytesShared != 0 || n.nodes[0].memories.Load() != memoryMost {
			t.Error("memory is shared")
		}
	})
}

// A body that is on its way by memory when a fault begins goes by packets, whole, and obeys the fault.
func TestABodyThatHasBegunObeysAFault(t *testing.T) {
	n := newNear(t, nil)
	there, back := n.both()
	n.shares(there, back)
	from, to := n.conn(0), n.conn(1)
	to.memory.mu.Lock()
	to.memory.pause = make(chan struct{}) // the body fills the ring, and waits there
	to.memory.mu.Unlock()
	there.sent = there.sent/100*100 + 99 // the next one has a body of its own way
	n.flows[1].mu.Lock()
	n.flows[1].next[there.pair] = there.sent
	n.flows[1].mu.Unlock()
	sent := from.memory.sent.Load()
	large := make([]byte, 8<<20)
	binary.BigEndian.PutUint64(large, there.sent+1)
	for i := range large[8:] {
		large[8+i] = byte(there.sent + 1)
	}
	env := call(0, 1, there.sent+1, large)
	env.From.Actor, env.To.Actor = there.pair.from, there.pair.to
	if err := n.nodes[0].Send(t.Context(), 1, LaneCalls, env); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the ring to be nearly full", func() bool { return from.memory.sent.Load()-sent >= memoryBodies-wayPiece })
	path := fault.Path{Addr: netip.MustParseAddrPort(from.q.RemoteAddr().String()), Out: []fault.Rule{{ID: 1, Seed: 1, Loss: 1}}}
	if err := n.nodes[0].SetFaults([]fault.Path{path}, func() {}); err != nil {
		t.Fatal(err)
	}
	to.memory.mu.Lock()
	to.memory.resume()
	to.memory.mu.Unlock()
	eventually(t, "the body to be given up, and that to be read", func() bool {
		if !from.memory.bodies.TryLock() {
			return false
		}
		from.memory.bodies.Unlock()
		return to.memory.taken.Load() == from.memory.sent.Load() && to.bulkOpen.Load() == 0
	})
	there.sent++
	n.flows[1].mu.Lock()
	got := n.flows[1].next[there.pair]
	n.flows[1].mu.Unlock()
	if got == there.sent {
		t.Error("the body came through the cut")
	}
	if err := n.nodes[0].SetFaults(nil, func() {}); err != nil {
		t.Fatal(err)
	}
	there.arrived()
	n.shares(there, back)
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("waited for " + what)
		}
	}
}
