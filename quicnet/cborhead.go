package quicnet

import (
	"encoding/binary"
	"fmt"
)

// The CBOR major types that envelopes use (RFC 8949, section 3.1).
const (
	majorUint  = 0
	majorNeg   = 1
	majorBytes = 2
	majorText  = 3
	majorArray = 4
)

// appendHead appends the head of an item in its shortest form.
func appendHead(b []byte, major byte, v uint64) []byte {
	switch {
	case v < 24:
		return append(b, major<<5|byte(v))
	case v < 1<<8:
		return append(b, major<<5|24, byte(v))
	case v < 1<<16:
		return append(b, major<<5|25, byte(v>>8), byte(v))
	case v < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, major<<5|27), v)
}

func appendUint(b []byte, v uint64) []byte {
	if v < 24 {
		return append(b, byte(v))
	}
	return appendHead(b, majorUint, v)
}

func appendInt(b []byte, v int64) []byte {
	if v < 0 {
		return appendHead(b, majorNeg, uint64(^v))
	}
	return appendUint(b, uint64(v))
}

// cborReader reads items one after the other. The first failure sticks, and every later read
// returns zero, so a caller checks once.
type cborReader struct {
	b   []byte
	at  int
	err error
}

func (r *cborReader) fail(what, why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s at byte %d: %s", what, r.at, why)
	}
}

// head reads the head of an item of the wanted major type and returns its argument. Forms longer
// than needed, and indefinite lengths, are refused.
func (r *cborReader) head(major byte, what string) uint64 {
	if r.err != nil {
		return 0
	}
	if r.at >= len(r.b) {
		r.fail(what, "the frame ends here")
		return 0
	}
	c := r.b[r.at]
	if c>>5 != major {
		r.fail(what, fmt.Sprintf("CBOR major type %d, want %d", c>>5, major))
		return 0
	}
	info := c & 31
	if info < 24 {
		r.at++
		return uint64(info)
	}
	if info > 27 {
		r.fail(what, "indefinite or reserved length")
		return 0
	}
	n := 1 << (info - 24)
	rest := r.b[r.at+1:]
	if len(rest) < n {
		r.fail(what, "the frame ends here")
		return 0
	}
	var v, least uint64
	switch n {
	case 1:
		v, least = uint64(rest[0]), 24
	case 2:
		v, least = uint64(binary.BigEndian.Uint16(rest)), 1<<8
	case 4:
		v, least = uint64(binary.BigEndian.Uint32(rest)), 1<<16
	default:
		v, least = binary.BigEndian.Uint64(rest), 1<<32
	}
	if v < least {
		r.fail(what, "not the shortest form")
		return 0
	}
	r.at += 1 + n
	return v
}

// uint reads an unsigned integer of at most limit.
func (r *cborReader) uint(limit uint64, what string) uint64 {
	if r.err == nil && r.at < len(r.b) && r.b[r.at] < 24 { // one byte: nearly every field of nearly every frame
		r.at++
		return uint64(r.b[r.at-1])
	}
	v := r.head(majorUint, what)
	if v > limit {
		r.fail(what, fmt.Sprintf("%d is over the limit of %d", v, limit))
		return 0
	}
	return v
}

func (r *cborReader) uint8(what string) uint8   { return uint8(r.uint(1<<8-1, what)) }
func (r *cborReader) uint32(what string) uint32 { return uint32(r.uint(1<<32-1, what)) }
func (r *cborReader) uint64(what string) uint64 { return r.uint(1<<64-1, what) }

// int reads a signed integer of 64 bits.
func (r *cborReader) int(what string) int64 {
	neg := r.err == nil && r.at < len(r.b) && r.b[r.at]>>5 == majorNeg
	major := byte(majorUint)
	if neg {
		major = majorNeg
	}
	v := r.head(major, what)
	if v > 1<<63-1 {
		r.fail(what, "more than 64 bits")
		return 0
	}
	if neg && r.err == nil {
		return ^int64(v)
	}
	return int64(v)
}

// bytes reads a byte or text string without copying it; an empty one is nil.
func (r *cborReader) bytes(major byte, what string) []byte {
	n := r.head(major, what)
	if r.err != nil || n == 0 {
		return nil
	}
	if n > uint64(len(r.b)-r.at) {
		r.fail(what, fmt.Sprintf("%d bytes announced, %d left", n, len(r.b)-r.at))
		return nil
	}
	s := r.b[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return s
}
