package quicnet

import (
	"encoding/binary"
	"fmt"
	"io"
)

// lengthBytes is the size of the big-endian length before each frame.
const lengthBytes = 4

// frameReader cuts a stream into frames. It never holds more than one frame of the lane's cap plus
// what one read brought, and checks a length before it makes room for it.
type frameReader struct {
	s        io.Reader
	cap      int // largest frame
	buf      []byte
	from, to int // unread part of buf
}

const (
	firstBuffer = 512     // bytes; it grows to what the peer sends
	readChunk   = 4 << 10 // where the buffer is that large, less room than half of this is not worth a read
)

func newFrameReader(s io.Reader, limit int) *frameReader {
	return &frameReader{s: s, cap: limit, buf: make([]byte, firstBuffer)}
}

// next returns the next whole frame that was read, without reading more; nil if there is none.
// It is valid until fill is called.
func (r *frameReader) next() ([]byte, error) {
	have := r.buf[r.from:r.to]
	if len(have) < lengthBytes {
		return nil, nil
	}
	n := uint64(binary.BigEndian.Uint32(have))
	if n > uint64(r.cap) {
		return nil, fmt.Errorf("a frame of %d bytes, at most %d here", n, r.cap)
	}
	if n == 0 {
		return nil, fmt.Errorf("an empty frame")
	}
	if uint64(len(have)) < lengthBytes+n {
		return nil, nil
	}
	r.from += lengthBytes + int(n)
	return have[lengthBytes : lengthBytes+n : lengthBytes+n], nil
}

// partial reports whether a frame has begun and not ended.
func (r *frameReader) partial() bool { return r.from != r.to }

// fill reads once more. Call it when next returned nil.
func (r *frameReader) fill() error {
	if r.from == r.to {
		r.from, r.to = 0, 0
	}
	need := min(len(r.buf), readChunk) / 2 // room worth a read
	if r.to-r.from >= lengthBytes {
		need = max(need, lengthBytes+int(binary.BigEndian.Uint32(r.buf[r.from:]))-(r.to-r.from)) // next checked it
	}
	if len(r.buf)-r.to < need {
		if size := r.to - r.from + need; size > len(r.buf) {
			b := make([]byte, max(size, min(2*len(r.buf), r.cap+lengthBytes)))
			r.to = copy(b, r.buf[r.from:r.to])
			r.buf = b
		} else {
			r.to = copy(r.buf, r.buf[r.from:r.to])
		}
		r.from = 0
	}
	n, err := r.s.Read(r.buf[r.to:])
	r.to += n
	if n > 0 {
		if n == len(r.buf)-(r.to-n) && len(r.buf) < 64<<10 { // the peer has more than fits: read in larger pieces
			b := make([]byte, 2*len(r.buf))
			r.to = copy(b, r.buf[r.from:r.to])
			r.from, r.buf = 0, b
		}
		return nil
	}
	if err == io.EOF && r.partial() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// one reads until it has a whole frame. For handshakes; a lane uses next and fill.
func (r *frameReader) one() ([]byte, error) {
	for {
		f, err := r.next()
		if f != nil || err != nil {
			return f, err
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}
