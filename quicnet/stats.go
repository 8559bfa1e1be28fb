package quicnet

import (
	"cmp"
	"net"
	"slices"
	"time"
)

// PeerStats is what a node knows about one peer, for a screen.
type PeerStats struct {
	Peer          ID
	State         LinkState // 0 until the first contact
	Since         time.Time // of State
	Addr          net.Addr  // nil until the first contact
	RTT           time.Duration
	Silence       time.Duration // since the last answered heartbeat was sent
	Memory        bool          // calls go to it by shared memory now
	BytesSent     uint64        // on the wire and by memory, all connections
	BytesReceived uint64
	BytesShared   uint64 // of both, by memory, of the connection there is
	PacketsSent   uint64 // by the connection there is
	PacketsLost   uint64 // of these
	FramesSent    uint64
	FramesHandled uint64
	QueuedFrames  int // sent and not acknowledged, all lanes
	QueuedBytes   int
	EventsDropped uint64 // by us: the peer was too slow
	EventsMissed  uint64 // from the peer: it dropped them, or a connection broke
	Resent        uint64
	Redials       uint64
	Fault         string // why the last connection or dial ended
}

// Peers returns the state of every link, by Proc.
func (n *Node) Peers() []PeerStats {
	var list []PeerStats
	for _, p := range n.allPeers() {
		list = append(list, p.stats())
	}
	slices.SortFunc(list, func(a, b PeerStats) int { return cmp.Compare(a.Peer.Proc, b.Peer.Proc) })
	return list
}

func (p *peer) stats() PeerStats {
	s := PeerStats{
		Peer: p.id(), FramesSent: p.framesOut.Load(), FramesHandled: p.framesIn.Load(), Redials: p.redials.Load(),
		BytesSent: p.bytesOut.Load(), BytesReceived: p.bytesIn.Load(),
		EventsDropped: p.out[LaneEvents].dropped.Load(), EventsMissed: p.in[LaneEvents].missed.Load(),
	}
	for lane := range lanes {
		frames, bytes := p.out[lane].depth()
		s.QueuedFrames += frames
		s.QueuedBytes += bytes
		s.Resent += p.out[lane].resent.Load()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.State, s.Since, s.Addr, s.Fault = p.state, p.since, p.addr, p.fault
	s.Silence = time.Since(p.live.contact)
	if p.conn != nil {
		q := p.conn.q.ConnectionStats()
		s.RTT, s.PacketsSent, s.PacketsLost = q.SmoothedRTT, q.PacketsSent, q.PacketsLost
		sent, taken := p.conn.memory.sent.Load(), p.conn.memory.taken.Load()
		s.BytesSent += q.BytesSent + sent
		s.BytesReceived += q.BytesReceived + taken
		s.Memory, s.BytesShared = p.conn.memory.writer(streamCalls) != nil, sent+taken
	}
	return s
}
