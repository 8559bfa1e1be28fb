package quicnet

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/quic-go/quic-go"
)

// bulkOut is a body that travels on its own stream.
type bulkOut struct {
	lane Lane
	seq  uint64
	pair pair
	body []byte

	large *Large // what it lies in
}

// bulkHead is what a bulk stream begins with: lane, sequence number and size of the body, big-endian.
const bulkHead = 1 + 8 + 4

func (b *bulkOut) head() []byte {
	head := binary.BigEndian.AppendUint64([]byte{byte(b.lane)}, b.seq)
	return binary.BigEndian.AppendUint32(head, uint32(len(b.body)))
}

// queueBulk sends a body as soon as fewer than BulkStreams are on their way.
func (c *conn) queueBulk(b bulkOut) {
	if b.lane == LaneCalls {
		c.memory.offer(streamBodies)
	}
	c.way.begin(b.pair)
	c.bulkMu.Lock()
	defer c.bulkMu.Unlock()
	c.bulk = append(c.bulk, b)
	if c.senders < c.p.n.limits.BulkStreams && c.p.n.spawn(c.sendBulk) {
		c.senders++
	}
}

// sendBulk sends bodies until none is queued or the connection ends.
func (c *conn) sendBulk() {
	for {
		c.bulkMu.Lock()
		if len(c.bulk) == 0 || c.q.Context().Err() != nil {
			c.senders--
			c.bulkMu.Unlock()
			return
		}
		b := c.bulk[0]
		c.bulk[0] = bulkOut{}
		c.bulk = c.bulk[1:]
		c.bulkMu.Unlock()
		done, err := c.writeByMemory(&b)
		if !done {
			s, failed := c.quic.OpenUniStreamSync(c.q.Context())
			if failed != nil {
				continue // the connection ended
			}
			s.SetPriority(bulkUrgency, false)
			if _, err = s.Write(b.head()); err == nil {
				err = c.writeBody(s, b.body) // cancelled where the peer has it already
			}
			_ = s.Close()
		}
		c.way.end(b.pair)
		if err == nil { // else the stream may still look at the body: its memory is nobody's any more
			b.large.Free()
		}
	}
}

// readBulk reads one body.
func (c *conn) readBulk(s *quic.ReceiveStream) {
	defer s.ReleaseStreamCredit()
	c.bulkOpen.Add(1)
	defer c.bulkOpen.Add(-1)
	if err := c.readBody(s); err != nil {
		s.CancelRead(0)
		c.close(err)
	}
}

func (c *conn) readBody(s *quic.ReceiveStream) *CloseError {
	var head [bulkHead]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return c.bulkFault(err)
	}
	lane, seq, size, bad := c.bodyHead(head[:])
	if bad != nil {
		return bad
	}
	in := &c.p.in[lane]
	wanted, bad := in.wants(c, seq, size)
	if bad != nil {
		return bad
	}
	if !wanted {
		s.CancelRead(0)
		return nil
	}
	body, large, err := c.readAll(s, int(size))
	if err != nil {
		in.body(c, seq, nil, nil)
		return c.bulkFault(err)
	}
	in.body(c, seq, body, large)
	c.p.out[lane].needAck(in.ack.Load())
	if n, err := s.Read(head[:1]); n != 0 {
		return closeErrorf(CodeProtocol, "a body longer than it said")
	} else if !errors.Is(err, io.EOF) {
		return c.bulkFault(err)
	}
	return nil
}

// bodyHead reads what stands before a body.
func (c *conn) bodyHead(head []byte) (lane Lane, seq uint64, size int64, bad *CloseError) {
	lane, seq, size = Lane(head[0]), binary.BigEndian.Uint64(head[1:]), int64(binary.BigEndian.Uint32(head[9:]))
	switch {
	case lane >= lanes || !lane.reliable():
		return 0, 0, 0, closeErrorf(CodeProtocol, "a body for lane %d", head[0])
	case size > int64(c.p.n.limits.FrameBytes):
		return 0, 0, 0, closeErrorf(CodeFrame, "a body of %d bytes, at most %d", size, c.p.n.limits.FrameBytes)
	}
	return lane, seq, size, nil
}

// bulkStep is how much of a body counts as progress: a peer that sends less in Limits.FrameDeadline is too slow.
const bulkStep = 4 << 10

// readAll reads a body. Room is made as it comes, so that an announcement alone costs nothing.
func (c *conn) readAll(s io.Reader, size int) ([]byte, *Large, error) {
	body, large := bodyRoom(size, 256<<10)
	for at := 0; at < size; {
		if at == len(body) {
			bigger, more := bodyRoom(size, 4*len(body))
			copy(bigger, body)
			large.Free()
			body, large = bigger, more
		}
		end := min(len(body), at+16*bulkStep)
		n, err := io.ReadAtLeast(s, body[at:end], min(bulkStep, end-at))
		at += n
		if err != nil {
			large.Free()
			return nil, nil, err
		}
		c.progress()
	}
	return body, large, nil
}

// bodyRoom is room for size bytes where there is such memory already, else for most of them at most.
func bodyRoom(size, most int) ([]byte, *Large) {
	l := spareLarge(size)
	if l == nil {
		size = min(size, most)
		l = NewLarge(size)
	}
	if l == nil {
		return make([]byte, size), nil
	}
	l.B = l.B[:size]
	return l.B, l
}

// progress notes that the peer gets on with what it has begun.
func (c *conn) progress() { c.moved.Store(int64(time.Since(c.p.n.started))) }

// bulkFault tells the peer's fault from the end of the connection, whose streams end before its context does.
func (c *conn) bulkFault(err error) *CloseError {
	if c.q.Context().Err() != nil || !brokenOff(err) {
		return nil
	}
	return closeErrorf(CodeProtocol, "a body that broke off: %s", clean.OneLine(err.Error(), maxReason))
}
