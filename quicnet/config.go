package quicnet

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
)

// Handler receives what comes from peers. Neither method may block: the first holds up its lane,
// the second holds up every later event.
type Handler interface {
	// Frame is called for each envelope, never twice, one call at a time per (peer, lane), in the
	// order sent for each (From, To) pair of actors: frames of other pairs may overtake one whose
	// body is still arriving on its own stream. env and its slices belong to the handler, which may give them back (Free).
	Frame(from ID, lane Lane, env *Envelope)
	// Link tells about a peer's link, one event at a time. After LinkLost or LinkClosed no Frame of
	// that incarnation follows.
	Link(ev LinkEvent)
}

// LinkState is what happened to a link.
type LinkState uint8

// The states of a link.
const (
	LinkUp          LinkState = iota + 1 // first contact
	LinkSuspect                          // silent for Timing.Suspect
	LinkRecovered                        // contact again; nothing was lost
	LinkUnreachable                      // the connection is down and being dialled again; frames wait
	LinkLost                             // final: silent for Timing.Lost
	LinkClosed                           // final: closed by either side, with a reason
	LinkLease                            // worker only: no contact with the controller for Timing.Lease
	LinkRefused                          // a join or a connection in this peer's name was refused
	LinkMoved                            // controller only: a process that had inherited sockets has connected by QUIC, and has an address
)

// String returns the state's name.
func (s LinkState) String() string {
	switch s {
	case LinkUp:
		return "up"
	case LinkSuspect:
		return "suspect"
	case LinkRecovered:
		return "recovered"
	case LinkUnreachable:
		return "unreachable"
	case LinkLost:
		return "lost"
	case LinkClosed:
		return "closed"
	case LinkLease:
		return "lease expired"
	case LinkRefused:
		return "refused"
	case LinkMoved:
		return "connected by QUIC"
	}
	return "connecting"
}

// final reports whether nothing can follow.
func (s LinkState) final() bool { return s == LinkLost || s == LinkClosed }

// LinkEvent is one change of a link.
type LinkEvent struct {
	Peer   ID
	State  LinkState
	Reason string // for a person; "" where the state says it all
	Time   time.Time
	// Again says of a final state that the peer may live: silence ended the link, or the peer has given it up for silence. Only
	// the directory knows. Where it says that the peer lives, Node.Renew makes room for another link. Never set between a worker
	// and the controller: a worker that its controller has lost is to end.
	Again bool
}

// Config configures a node. Handler is required; the zero value of the rest is usable.
type Config struct {
	// Conn carries the packets; the node closes it. nil: a UDP socket on Listen, in which a failed
	// send counts as a lost packet.
	Conn   net.PacketConn
	Listen string // host:port, default "127.0.0.1:0"
	// Carrier says how the packets of that socket travel. The zero value is the fastest way that the system allows.
	Carrier carrier.Options
	// Advertise lists the host:port pairs that tickets name. Default: the socket's own address.
	Advertise []string
	Handler   Handler
	// Resolve finds the address of a peer that this node is about to talk to for the first time.
	// A nil address and a nil error mean that the peer will dial. It is called on both sides of a
	// pair; the address counts on the side that dials (the lower Proc). An error of a context is
	// tried again until Timing.Lost; any other error ends the peer with that text.
	Resolve func(ctx context.Context, proc uint64) (net.Addr, error)
	// Admit judges the Hello of a process that joins (controller only). The bytes it returns travel
	// in Welcome, again on each new connection of that process. An error refuses the process and
	// reaches it as text. It is called again when a process that has joined by its sockets connects by
	// QUIC; then the bytes are dropped.
	Admit func(id ID, hello []byte) (welcome []byte, err error)
	// Sockets are what a process has inherited from its controller (Node.Sockets), for Join: its link begins on them. nil: it begins
	// by QUIC. The node closes them. It opens a socket for packets when it needs one.
	Sockets []*os.File
	// Hello makes the opaque bytes that are sent in Hello, at most 16 KiB. way is what Node.Way says. nil: none are.
	Hello  func(way string) []byte
	Limits Limits
	Timing Timing
	Logger *slog.Logger // default: discarded
}

// Limits bounds what a peer can make this node hold. Zero fields take the defaults named here.
type Limits struct {
	FrameBytes int // body of an envelope: 16 MiB
	// ControlBytes and InlineBytes must be the same in all processes of a session.
	ControlBytes  int           // frame on the control lane; larger bodies go by bulk: 64 KiB
	InlineBytes   int           // body that stays in its lane; larger ones go by bulk: 64 KiB
	WindowFrames  int           // frames per lane and peer that are sent and not acknowledged: 4096
	WindowBytes   int           // the same in bytes: 64 MiB
	EventFrames   int           // events queued per peer, newer ones are dropped: 4096
	EventBytes    int           // the same in bytes: 4 MiB
	BulkStreams   int           // bodies on their way at once per connection and direction: 16
	Handshakes    int           // incoming connections that have not said hello: 1024
	RetryAbove    int           // new connections per second before addresses are verified first: 50
	StreamWindow  int64         // QUIC receive window of a stream: 4 MiB
	ConnWindow    int64         // QUIC receive window of a connection: 16 MiB
	HelloBytes    int           // opaque bytes in Hello and Welcome: 16 KiB
	JoinFailures  int           // wrong uses of one ticket by someone who holds it before it is void: 3
	FrameDeadline time.Duration // a frame that has begun must end within: 10 s (a body on its own stream: must move on by 4 KiB)
	HelloDeadline time.Duration // handshake plus hello, and each step of a join: 3 s
}

// Timing sets when silence becomes what. Zero fields take the defaults named here. Shorter times find a dead peer sooner and take a busy one for dead.
type Timing struct {
	Tick        time.Duration // how often links are looked at: 250 ms
	Heartbeat   time.Duration // request/acknowledge pair each way, from the controller alone to a worker without a lease: 500 ms
	Rest        time.Duration // the same where nothing else goes over the link, beside QUIC: half of Suspect
	Suspect     time.Duration // 1.5 s
	Unreachable time.Duration // the connection is closed and dialled again: 4 s
	Lost        time.Duration // 10 s; also the limit for a first contact. A worker without a lease never loses its controller by silence
	OwnLag      time.Duration // a tick later than this is our own fault and doesn't count as silence: 500 ms
	AckDelay    time.Duration // a received frame is acknowledged within 50 ms; within twice that where frames go back meanwhile, which take it along
	RedialMin   time.Duration // first pause between dials, doubled up to RedialMax, jittered: 50 ms
	RedialMax   time.Duration // 1 s
	Linger      time.Duration // Close waits this long for acknowledgements: 500 ms, negative: not at all
	// Lease is for workers of another host: this long without an acknowledged heartbeat of the
	// controller gives LinkLease, and the process must end itself. 0: no lease (local workers are
	// tied to their parent by other means). Time in which this process itself stood still counts.
	Lease time.Duration
}

func (l Limits) withDefaults() Limits {
	set(&l.FrameBytes, 16<<20)
	set(&l.ControlBytes, 64<<10)
	set(&l.InlineBytes, 64<<10)
	set(&l.WindowFrames, 4096)
	set(&l.WindowBytes, 64<<20)
	set(&l.EventFrames, 4096)
	set(&l.EventBytes, 4<<20)
	set(&l.BulkStreams, 16)
	set(&l.Handshakes, 1024)
	set(&l.RetryAbove, 50)
	set(&l.StreamWindow, 4<<20)
	set(&l.ConnWindow, 16<<20)
	set(&l.HelloBytes, 16<<10)
	set(&l.JoinFailures, 3)
	set(&l.FrameDeadline, 10*time.Second)
	set(&l.HelloDeadline, 3*time.Second)
	return l
}

func (t Timing) withDefaults() Timing {
	set(&t.Tick, 250*time.Millisecond)
	set(&t.Heartbeat, 500*time.Millisecond)
	set(&t.Suspect, 1500*time.Millisecond)
	set(&t.Rest, t.Suspect/2)
	set(&t.Unreachable, 4*time.Second)
	set(&t.Lost, 10*time.Second)
	set(&t.OwnLag, 500*time.Millisecond)
	set(&t.AckDelay, 50*time.Millisecond)
	set(&t.RedialMin, 50*time.Millisecond)
	set(&t.RedialMax, time.Second)
	set(&t.Linger, 500*time.Millisecond)
	return t
}

func set[T int | int64 | time.Duration](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// headerBytes is what an envelope may hold besides its body: region, endpoint, chain.
const headerBytes = 64 << 10

// frameCap is the largest frame that a lane takes.
func (l Limits) frameCap(lane Lane) int {
	if lane == LaneControl {
		return l.ControlBytes
	}
	return l.InlineBytes + headerBytes
}

func (c Config) checked() (Config, error) {
	c.Limits, c.Timing = c.Limits.withDefaults(), c.Timing.withDefaults()
	if c.Handler == nil {
		return c, fmt.Errorf("quicnet: Config.Handler is nil")
	}
	if c.Hello != nil && len(c.Hello("")) > c.Limits.HelloBytes {
		return c, fmt.Errorf("quicnet: Config.Hello makes %d bytes, at most %d", len(c.Hello("")), c.Limits.HelloBytes)
	}
	if n := len(c.Sockets); n != 0 && n != int(lanes) {
		return c, fmt.Errorf("quicnet: Config.Sockets has %d, want %d, one for each lane, or none", n, lanes)
	}
	if c.Limits.WindowBytes < c.Limits.FrameBytes {
		return c, fmt.Errorf("quicnet: Limits.WindowBytes %d is less than Limits.FrameBytes %d: a frame would never fit", c.Limits.WindowBytes, c.Limits.FrameBytes)
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// window is how many frames and bytes a lane keeps. The control lane has its own share, so that full
// calls never keep a stop from being sent.
func (l Limits) window(lane Lane) (frames, bytes int) {
	switch lane {
	case LaneControl:
		return l.WindowFrames, l.FrameBytes
	case LaneEvents:
		return l.EventFrames, l.EventBytes
	case LaneCalls, lanes:
	}
	return l.WindowFrames, max(l.WindowBytes-l.FrameBytes, l.FrameBytes)
}
