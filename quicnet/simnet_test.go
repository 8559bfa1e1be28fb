package quicnet

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// faultNet is a network of simulated hosts whose packets can be lost, doubled, delayed and cut, in
// virtual time.
type faultNet struct {
	simnet.PerfectRouter
	mu      sync.Mutex
	rnd     *rand.Rand
	loss    float64
	double  float64
	reorder float64       // held back for up to 30 ms
	late    time.Duration // held back for up to that, each of its own
	corrupt float64       // a bit of it turns over
	mtu     int           // what is longer is lost; 0: nothing is
	rate    int           // bytes a second that each host can send; 0: any. What would wait for longer than 400 ms is lost
	free    map[string]time.Time
	port    int // that host 1 is seen with: its address has changed; 0: its own
	cut     map[[2]string]bool
	drop    func(n int, from uint64) bool // by number and sender of the packet
	see     func(p simnet.Packet) (lost bool)
	packets int
	hits    int // packets to which a fault has happened
	longest int // packet
}

func (r *faultNet) SendPacket(p simnet.Packet) error {
	r.mu.Lock()
	r.packets++
	r.longest = max(r.longest, len(p.Data))
	from, to := p.From.(*net.UDPAddr).IP.String(), p.To.(*net.UDPAddr).IP.String()
	if r.port > 0 {
		p = r.translate(p)
	}
	lost := r.see != nil && r.see(p)
	lost = lost || r.cut[[2]string{from, to}] || r.rnd.Float64() < r.loss || r.drop != nil && r.drop(r.packets, uint64(p.From.(*net.UDPAddr).IP.To4()[3])-1)
	twice, late := r.rnd.Float64() < r.double, time.Duration(0)
	if r.rnd.Float64() < r.reorder {
		late = time.Duration(r.rnd.IntN(30)) * time.Millisecond
	}
	if r.late > 0 {
		late += time.Duration(r.rnd.Int64N(int64(r.late)))
	}
	if r.rate > 0 && !lost {
		wait := r.queue(from, len(p.Data))
		lost = wait > 400*time.Millisecond
		late += wait
	}
	lost = lost || r.mtu > 0 && len(p.Data) > r.mtu
	if r.rnd.Float64() < r.corrupt && len(p.Data) > 0 {
		p.Data = append([]byte(nil), p.Data...)
		p.Data[r.rnd.IntN(len(p.Data))] ^= 1 << r.rnd.IntN(8)
		r.hits++
	}
	if lost || twice || late > 0 {
		r.hits++
	}
	r.mu.Unlock()
	if lost {
		return nil
	}
	if twice {
		time.AfterFunc(3*time.Millisecond, func() { _ = r.PerfectRouter.SendPacket(p) })
	}
	if late > 0 {
		time.AfterFunc(late, func() { _ = r.PerfectRouter.SendPacket(p) })
		return nil
	}
	return r.PerfectRouter.SendPacket(p)
}

// queue is how long a packet waits until its host's line is free. r.mu is held.
func (r *faultNet) queue(from string, size int) time.Duration {
	now := time.Now()
	at := r.free[from]
	if at.Before(now) {
		at = now
	}
	at = at.Add(time.Duration(size) * time.Second / time.Duration(r.rate))
	if wait := at.Sub(now); wait > 400*time.Millisecond {
		return wait
	}
	if r.free == nil {
		r.free = map[string]time.Time{}
	}
	r.free[from] = at
	return at.Sub(now)
}

// translate is a router with address translation in front of host 1. r.mu is held.
func (r *faultNet) translate(p simnet.Packet) simnet.Packet {
	inside := host(1)
	if from := p.From.(*net.UDPAddr); from.IP.Equal(inside.IP) {
		p.From = &net.UDPAddr{IP: inside.IP, Port: r.port}
		r.hits++
	}
	if to := p.To.(*net.UDPAddr); to.IP.Equal(inside.IP) {
		if to.Port != r.port { // nobody has that address any more
			p.To = &net.UDPAddr{IP: inside.IP, Port: 1}
			return p
		}
		p.To = inside
	}
	return p
}

// oneWay cuts or heals packets from host a to host b.
func (r *faultNet) oneWay(a, b uint64, cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut[[2]string{host(a).IP.String(), host(b).IP.String()}] = cut
}

func (r *faultNet) both(a, b uint64, cut bool) { r.oneWay(a, b, cut); r.oneWay(b, a, cut) }

func host(proc uint64) *net.UDPAddr {
	return &net.UDPAddr{IP: net.IPv4(10, 0, 0, byte(proc+1)), Port: 9000}
}

// world is a session on a faultNet: node 0 is the controller.
type world struct {
	t     *testing.T
	net   *faultNet
	nodes []*Node
	recs  []*recorder
}

// inWorld runs f with a controller and workers 1 to n that have joined, each on a host of its own
// with 5 ms to the next.
func inWorld(t *testing.T, n int, change func(proc uint64, c *Config), f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, n, change)
		defer w.close()
		f(t, w)
	})
}

func newWorld(t *testing.T, n int, change func(proc uint64, c *Config)) *world {
	w := &world{t: t, net: &faultNet{rnd: rand.New(rand.NewPCG(1, 2)), cut: map[[2]string]bool{}}}
	sim := &simnet.Simnet{Router: w.net}
	var ends []*simnet.SimConn
	for proc := range uint64(n + 1) {
		ends = append(ends, sim.NewEndpoint(host(proc), simnet.NodeBiDiLinkSettings{Latency: 5 * time.Millisecond}))
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	for proc := range uint64(n + 1) {
		rec := newRecorder()
		cfg := Config{Conn: ends[proc], Handler: rec, Resolve: func(_ context.Context, p uint64) (net.Addr, error) { return host(p), nil }}
		if change != nil {
			change(proc, &cfg)
		}
		w.recs = append(w.recs, rec)
		if proc == 0 {
			ctl, err := NewController("sim", cfg)
			if err != nil {
				t.Fatal(err)
			}
			w.nodes = append(w.nodes, ctl)
			continue
		}
		ticket, err := w.nodes[0].Ticket(ID{proc, 1}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		node, _, err := Join(ctx, ticket, cfg)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		w.nodes = append(w.nodes, node)
		w.recs[0].until(t, time.Minute, "joined", func() bool { return w.recs[0].saw(proc, LinkUp) })
	}
	return w
}

func (w *world) close() {
	var wg sync.WaitGroup
	for _, n := range w.nodes {
		wg.Go(func() { _ = n.Close("world ends") })
	}
	wg.Wait()
}

// stream sends numbered messages from one process to another until stop; every seventh is large.
type stream struct {
	stop chan struct{}
	done chan int
}

func (w *world) stream(from, to uint64, lane Lane) *stream {
	s := &stream{make(chan struct{}), make(chan int, 1)}
	go func() {
		n := 0
		defer func() { s.done <- n }()
		for {
			select {
			case <-s.stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			size := 100
			if n%20 == 6 {
				size = 90 << 10
			}
			body := make([]byte, size)
			binary.BigEndian.PutUint64(body, uint64(n))
			err := w.nodes[from].Send(context.Background(), to, lane, &Envelope{Kind: KindCall, ID: uint64(n), From: Addr{from, 1}, To: Addr{to, 1}, Body: body})
			if err != nil {
				return
			}
			n++
		}
	}()
	return s
}

// end stops the stream and returns how many were accepted.
func (s *stream) end() int {
	close(s.stop)
	return <-s.done
}

// received checks that exactly 0, 1, …, n-1 came from a process on a lane, in that order.
func (w *world) received(at, from uint64, lane Lane, n int) {
	w.t.Helper()
	rec := w.recs[at]
	count := func() (k int) {
		for _, f := range rec.frames {
			if f.from.Proc == from && f.lane == lane {
				k++
			}
		}
		return k
	}
	rec.until(w.t, 2*time.Minute, fmt.Sprintf("%d frames from %d on %s", n, from, lane), func() bool { return count() >= n })
	time.Sleep(2 * time.Second) // virtual: duplicates would come now
	rec.mu.Lock()
	defer rec.mu.Unlock()
	next := uint64(0)
	for _, f := range rec.frames {
		if f.from.Proc != from || f.lane != lane {
			continue
		}
		if f.env.ID != next || binary.BigEndian.Uint64(f.env.Body) != next {
			w.t.Fatalf("message %d came where %d was next", f.env.ID, next)
		}
		next++
	}
	if next != uint64(n) {
		w.t.Fatalf("%d messages came, %d were sent", next, n)
	}
}

// stats returns what one node knows of another.
func (w *world) stats(at, of uint64) PeerStats {
	for _, s := range w.nodes[at].Peers() {
		if s.Peer.Proc == of {
			return s
		}
	}
	w.t.Fatalf("node %d has no link to %d", at, of)
	return PeerStats{}
}

// simConn adds a host without delay.
func simConn(w *world, proc uint64) *simnet.SimConn {
	return simnet.NewBlockingSimConn(host(proc), w.net)
}
