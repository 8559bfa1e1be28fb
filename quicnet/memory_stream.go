package quicnet

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/quicnet/shm"
	"github.com/quic-go/quic-go"
)

// memoryOut is a stream to the peer.
type memoryOut struct {
	m     *memory
	w     *shm.Writer
	ready bool // the peer has it
}

// memoryIn is a stream from the peer.
type memoryIn struct {
	m    *memory
	r    *shm.Reader
	poll *carrier.Poller
}

// TryWriteAll writes all of b or nothing, as that of a QUIC stream does. Errors: quic.ErrWouldBlock, and those that end the lane.
func (o *memoryOut) TryWriteAll(b []byte) error {
	err := o.w.TryWriteAll(b)
	switch {
	case err == nil:
		o.m.sent.Add(uint64(len(b)))
		return nil
	case errors.Is(err, shm.ErrFull):
		return quic.ErrWouldBlock
	}
	return o.wrong(err)
}

// Write implements io.Writer.
func (o *memoryOut) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	o.m.sent.Add(uint64(n))
	if err != nil {
		return n, o.wrong(err)
	}
	return n, nil
}

// wrong ends the connection where the peer has broken the stream.
func (o *memoryOut) wrong(err error) error {
	if errors.Is(err, shm.ErrCorrupt) {
		o.m.c.close(closeErrorf(CodeProtocol, "%v", err))
	}
	return err
}

// Read implements io.Reader. It never gives io.EOF: when the peer has ended the stream, its connection ends as well, and says why.
func (i *memoryIn) Read(b []byte) (int, error) {
	n, err := i.r.Read(b)
	m := i.m
	if n > 0 {
		m.taken.Add(uint64(n))
		if m.holdBack() {
			return n, nil
		}
	}
	if errors.Is(err, shm.ErrCorrupt) {
		return 0, closeErrorf(CodeProtocol, "%v", err)
	}
	late := time.NewTimer(m.c.p.n.limits.FrameDeadline)
	defer late.Stop()
	select {
	case <-m.c.q.Context().Done():
		return 0, context.Cause(m.c.q.Context())
	case <-late.C:
		return 0, closeErrorf(CodeProtocol, "the memory that it has shared was given up")
	}
}

// holdBack waits while what comes by memory is to wait; false if the connection ended meanwhile. Then it is lost, as what waits in the
// network: the next connection brings it.
func (m *memory) holdBack() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.pause != nil {
		pause := m.pause
		m.mu.Unlock()
		<-pause
		m.mu.Lock()
		if m.closed {
			return false
		}
	}
	return true
}

// turn takes the word that the calls lane goes on elsewhere, in memory (1) or on its QUIC stream (0), and gives the reader for it.
func (c *conn) turn(r *frameReader, b []byte) (*frameReader, error) {
	n, err := decodeCounter(b)
	if err != nil {
		return r, closeErrorf(CodeFrame, "%v", err)
	}
	if n == 1 && c.calls[1] == nil {
		if in := c.memory.reader(streamCalls); in != nil {
			c.calls[1] = newFrameReader(in, r.cap)
		}
	}
	if n > 1 || c.calls[n] == r || c.calls[n] == nil {
		return r, closeErrorf(CodeProtocol, "the calls lane turns to %d", n)
	}
	return c.calls[n], nil
}

// readBodies reads the bodies that come by memory, until the connection ends.
func (c *conn) readBodies(in *memoryIn) {
	for {
		if err := c.readBodyOf(in); err != nil {
			if own, ok := errors.AsType[*CloseError](err); ok {
				c.close(own)
			}
			return
		}
	}
}

func (c *conn) readBodyOf(in *memoryIn) error {
	var head [bulkHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return err
	}
	c.bulkOpen.Add(1)
	defer c.bulkOpen.Add(-1)
	c.progress()
	lane, seq, size, bad := c.bodyHead(head[:])
	if bad != nil {
		return bad
	}
	lanes := &c.p.in[lane]
	wanted, bad := lanes.wants(c, seq, size)
	if bad != nil {
		return bad
	}
	pieces := &pieces{in: in, rest: size}
	if !wanted {
		if _, err := io.Copy(io.Discard, pieces); !errors.Is(err, errGivenUp) {
			return err
		}
		return nil
	}
	body, large, err := c.readAll(pieces, int(size))
	if err != nil {
		lanes.body(c, seq, nil, nil)
		if errors.Is(err, errGivenUp) {
			return nil
		}
		return err
	}
	lanes.body(c, seq, body, large)
	c.p.out[lane].needAck(lanes.ack.Load())
	return nil
}

// errGivenUp is the end of a body in memory whose writer has found that it is to go by the network.
var errGivenUp = errors.New("the body goes by another way")

// pieces is a body in memory: its pieces follow each other, each after its length in 4 bytes. One of no bytes gives the body up.
type pieces struct {
	in   io.Reader
	left int64 // of the piece
	rest int64 // of the body
}

// Read implements io.Reader. Errors: io.EOF behind the body, errGivenUp, a CloseError, those of the memory.
func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == 0 {
		return 0, io.EOF
	}
	if p.left == 0 {
		var length [pieceHead]byte
		if _, err := io.ReadFull(p.in, length[:]); err != nil {
			return 0, err
		}
		switch p.left = int64(binary.BigEndian.Uint32(length[:])); {
		case p.left == 0:
			return 0, errGivenUp
		case p.left > p.rest:
			return 0, closeErrorf(CodeProtocol, "a piece of %d bytes of a body that has %d left", p.left, p.rest)
		}
	}
	n, err := p.in.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	p.rest -= int64(n)
	return n, err
}

const pieceHead = 4

// writeByMemory sends a body by memory; false if there is none for it. Bodies of the control lane never go there: in memory they follow each
// other, and one of control would wait for those of calls (INV-3).
func (c *conn) writeByMemory(b *bulkOut) (bool, error) {
	if b.lane != LaneCalls || c.memory.writer(streamBodies) == nil {
		return false, nil
	}
	c.memory.bodies.Lock()
	defer c.memory.bodies.Unlock()
	w := c.memory.writer(streamBodies)
	if w == nil {
		return false, nil
	}
	if _, err := w.Write(b.head()); err != nil {
		return true, err
	}
	var length [pieceHead]byte
	for rest := b.body; len(rest) > 0; {
		if c.memory.writer(streamBodies) != w { // because of a fault that is injected now: the body goes by packets
			_, err := w.Write(make([]byte, pieceHead))
			return err != nil, err
		}
		piece := rest[:min(len(rest), wayPiece)]
		binary.BigEndian.PutUint32(length[:], uint32(len(piece)))
		if _, err := w.Write(length[:]); err != nil {
			return true, err
		}
		if _, err := w.Write(piece); err != nil {
			return true, err
		}
		rest = rest[len(piece):]
	}
	return true, nil
}
