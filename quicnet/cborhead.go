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

// putInt is appendInt into b at a place, for who has made room: it gives the place behind. A small number is written by the caller's own
// code.
func putInt(b []byte, at int, v int64) int {
	if uint64(v) < 24 {
		b[at] = byte(v)
		return at + 1
	}
	return putLongInt(b, at, v)
}

// putUint is putInt for what may have all 64 bits.
func putUint(b []byte, at int, v uint64) int {
	if v < 24 {
		b[at] = byte(v)
		return at + 1
	}
	return len(appendUint(b[:at], v))
}

//go:noinline
func putLongInt(b []byte, at int, v int64) int { return len(appendInt(b[:at], v)) }

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
		r.b = r.b[:min(r.at, len(r.b))] // for who looks only whether there is something
	}
}

// head reads the head of an item of the wanted major type and returns its argument. Forms longer
// than needed, and indefinite lengths, are refused.
func (r *cborReader) head(major byte, what string) uint64 {
	if r.at >= len(r.b) {
		return r.noHead(major, what)
	}
	info, rest := r.b[r.at]-major<<5, r.b[r.at+1:]
	if info < 24 {
		r.at++
		return uint64(info)
	}
	var v, least uint64
	size := 0
	switch {
	case info == 24 && len(rest) >= 1:
		v, least, size = uint64(rest[0]), 24, 1
	case info == 25 && len(rest) >= 2:
		v, least, size = uint64(binary.BigEndian.Uint16(rest)), 1<<8, 2
	case info == 26 && len(rest) >= 4:
		v, least, size = uint64(binary.BigEndian.Uint32(rest)), 1<<16, 4
	case info == 27 && len(rest) >= 8:
		v, least, size = binary.BigEndian.Uint64(rest), 1<<32, 8
	}
	if size == 0 || v < least {
		return r.noHead(major, what)
	}
	r.at += 1 + size
	return v
}

// noHead says what is wrong where head finds nothing that it takes.
func (r *cborReader) noHead(major byte, what string) uint64 {
	switch {
	case r.err != nil:
	case r.at >= len(r.b):
		r.fail(what, "the frame ends here")
	case r.b[r.at]>>5 != major:
		r.fail(what, fmt.Sprintf("CBOR major type %d, want %d", r.b[r.at]>>5, major))
	case r.b[r.at]&31 > 27:
		r.fail(what, "indefinite or reserved length")
	case len(r.b)-r.at-1 < 1<<(r.b[r.at]&31-24):
		r.fail(what, "the frame ends here")
	default:
		r.fail(what, "not the shortest form")
	}
	return 0
}

// uint reads an unsigned integer of at most limit.
func (r *cborReader) uint(limit uint64, what string) uint64 {
	if r.at < len(r.b) && r.b[r.at] < 24 { // one byte: nearly every field of nearly every frame
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
	var v uint64
	neg := false
	if r.at < len(r.b) {
		if v = uint64(r.b[r.at]); v < 24 {
			r.at++
			return int64(v)
		}
		neg = v>>5 == majorNeg
	}
	if neg {
		v = r.head(majorNeg, what)
	} else {
		v = r.head(majorUint, what)
	}
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
