package quicnet

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A link at rest is asked whether it lives by datagrams beside QUIC, on the same socket: a heartbeat by a stream costs its receiver six
// wakes, most of them for timers of QUIC that were stopped, and this costs one. The side that has accepted the connection asks, the other
// answers, from the goroutine that has read it. They are sealed with keys of the connection's TLS. One that is lost is not sent again:
// the next heartbeat goes by the stream.
const (
	besideFirst = 0x3b // in its upper two bits is none that a packet of QUIC has (RFC 9443)
	besideHead  = 1 + 8 + 8
	besideBytes = besideHead + 12 + 16

	besideKey      = 16
	besideExporter = "EXPORTER-mtui-beside"

	besideMisses = 3           // lost in a row: this network does not carry them
	askQUIC      = time.Minute // the stream is asked as often as well, and where they were lost, whether they get through now
)

// besideBeat is what a datagram says.
type besideBeat struct {
	n     uint64        // the heartbeat's number; of an answer, which one it answers
	heard uint64        // the highest number of which the sender has got an answer, by either way; 0 in an answer
	took  time.Duration // from that heartbeat to its answer, at least
}

// beside is what a connection has of it. Its lock is among the last.
type beside struct {
	label      uint64 // in what comes
	there      uint64 // in what goes
	seal, open cipher.AEAD

	mu   sync.Mutex
	top  uint64 // the highest number that came
	seen uint64 // and which of the 64 up to it
	in   [besideBytes]byte
}

var errBeside = errors.New("no heartbeat for this process")

// newBeside makes the keys of a connection; none for inherited sockets, beside which there is nothing. Both sides make the same, in this order: label and key of what the dialling side sends, label
// and key of what the other sends.
func newBeside(c *conn) (*beside, error) {
	if c.quic == nil {
		return nil, nil
	}
	st := c.quic.ConnectionState().TLS
	m, err := st.ExportKeyingMaterial(besideExporter, nil, 2*(8+besideKey))
	if err != nil {
		return nil, fmt.Errorf("keys for heartbeats: %w", err)
	}
	out, in := m[:8+besideKey], m[8+besideKey:]
	if !c.dialled {
		out, in = in, out
	}
	return besideOf(out, in)
}

func besideOf(out, in []byte) (b *beside, err error) {
	b = &beside{there: binary.BigEndian.Uint64(out), label: binary.BigEndian.Uint64(in)}
	if b.seal, err = besideCipher(out[8:]); err != nil {
		return nil, err
	}
	b.open, err = besideCipher(in[8:])
	return b, err
}

func besideCipher(key []byte) (cipher.AEAD, error) {
	k, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(k)
}

// nonce is good for one datagram: each side has a key of its own, and numbers are not used again.
func (b *beside) nonce(n uint64) (nonce [12]byte) {
	binary.BigEndian.PutUint64(nonce[4:], n)
	return nonce
}

// encode makes the datagram that says m.
func (b *beside) encode(m besideBeat) []byte {
	d := make([]byte, besideBytes)
	d[0] = besideFirst
	binary.BigEndian.PutUint64(d[1:], b.there)
	binary.BigEndian.PutUint64(d[9:], m.n)
	binary.BigEndian.PutUint64(d[besideHead:], m.heard)
	binary.BigEndian.PutUint32(d[besideHead+8:], uint32(min(max(m.took.Microseconds(), 0), 1<<32-1)))
	nonce := b.nonce(m.n)
	b.seal.Seal(d[:besideHead], nonce[:], d[besideHead:besideHead+12], d[:besideHead])
	return d
}

// decode reads a datagram. Whatever is not one of the peer's, or came before, is an error that costs no memory.
func (b *beside) decode(d []byte) (m besideBeat, err error) {
	if len(d) != besideBytes || d[0] != besideFirst || binary.BigEndian.Uint64(d[1:]) != b.label {
		return m, errBeside
	}
	m.n = binary.BigEndian.Uint64(d[9:])
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.n == 0 || m.n <= b.top && (b.top-m.n >= 64 || b.seen&(1<<(b.top-m.n)) != 0) {
		return m, errBeside
	}
	nonce := b.nonce(m.n)
	p, err := b.open.Open(b.in[:0], nonce[:], d[besideHead:], d[:besideHead])
	if err != nil {
		return m, errBeside
	}
	if m.n > b.top {
		b.seen <<= min(m.n-b.top, 64)
		b.top = m.n
	}
	b.seen |= 1 << (b.top - m.n)
	m.heard = binary.BigEndian.Uint64(p)
	m.took = time.Duration(binary.BigEndian.Uint32(p[8:])) * time.Microsecond
	return m, nil
}

// openBeside lets the heartbeats of a connection go beside it. Two of one label, which chance does not bring about, cannot be told apart: the
// second goes without.
func (n *Node) openBeside(c *conn) {
	if c.beside == nil {
		return
	}
	if _, taken := n.beside.LoadOrStore(c.beside.label, c); taken {
		c.beside = nil
	}
}

func (n *Node) closeBeside(c *conn) {
	if c.beside != nil {
		n.beside.CompareAndDelete(c.beside.label, c)
	}
}

// takeBeside is shown every packet of a socket, by the goroutine that reads it, and takes those that are not QUIC's. It never waits.
func (n *Node) takeBeside(d []byte, from net.Addr) bool {
	if len(d) == 0 || d[0]&0xc0 != 0 {
		return false
	}
	if len(d) != besideBytes || d[0] != besideFirst {
		n.strange.Add(1)
		return true
	}
	v, ok := n.beside.Load(binary.BigEndian.Uint64(d[1:]))
	if !ok || !v.(*conn).besideCame(d, from) {
		n.strange.Add(1)
	}
	return true
}

// besideCame takes a datagram with the label of the connection. It counts only from where QUIC knows the peer: what is sent by QUIC goes
// there, and has to reach it.
func (c *conn) besideCame(d []byte, from net.Addr) bool {
	if !sameAddr(from, c.q.RemoteAddr()) || c.q.Context().Err() != nil {
		return false
	}
	m, err := c.beside.decode(d)
	if err != nil {
		return false
	}
	c.p.bytesIn.Add(besideBytes)
	if !c.dialled {
		c.p.beatAcked(c, m.n, true)
	} else if c.p.beatenBeside(c, m) {
		c.sendBeside(besideBeat{n: m.n})
	}
	return true
}

// sendBeside sends a datagram, or loses it.
func (c *conn) sendBeside(m besideBeat) {
	d := c.beside.encode(m)
	c.p.bytesOut.Add(besideBytes)
	to := c.q.RemoteAddr()
	if pc, ok := c.gate.pc.(lossyUDP); ok {
		if udp, ok := to.(*net.UDPAddr); ok {
			pc.WriteBeside(d, udp)
			return
		}
	}
	_, _ = c.gate.pc.WriteTo(d, to)
}

func sameAddr(a, b net.Addr) bool {
	x, ok := a.(*net.UDPAddr)
	y, also := b.(*net.UDPAddr)
	if !ok || !also {
		return a.String() == b.String()
	}
	return unmapped(x) == unmapped(y)
}

func unmapped(a *net.UDPAddr) netip.AddrPort {
	p := a.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// watchBeside has takeBeside see what comes by a socket. The fast one shows it each packet; of another one quic-go gives what is not its own.
func (n *Node) watchBeside(s *gate) {
	if pc, ok := s.pc.(lossyUDP); ok {
		pc.SetTake(n.takeBeside)
		return
	}
	n.spawn(func() {
		d := make([]byte, besideBytes+1)
		for {
			k, from, err := s.tr.ReadNonQUICPacket(n.ctx, d)
			if err != nil {
				return
			}
			n.takeBeside(d[:k], from)
		}
	})
}
