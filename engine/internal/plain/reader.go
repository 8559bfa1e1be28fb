package plain

import (
	"encoding/binary"
	"math"
)

// reader reads items. What it cannot read, or what it is not asked for, it refuses.
type reader struct {
	b  []byte
	at int // how much of b is read: one number, for a slice that moves has the garbage collector told of it
}

func (r *reader) rest() []byte { return r.b[r.at:] }

func (r *reader) take(n int) []byte {
	b := r.b[r.at : r.at+n : r.at+n]
	r.at += n
	return b
}

// head reads the head of an item of definite length.
func (r *reader) head() (major byte, n uint64, ok bool) {
	b := r.rest()
	if len(b) == 0 {
		return 0, 0, false
	}
	major, n = b[0]&0xe0, uint64(b[0]&0x1f)
	if n < 24 {
		r.at++
		return major, n, true
	}
	if n > 27 || len(b) <= 1<<(n-24) {
		return 0, 0, false
	}
	switch n {
	case 24:
		n, r.at = uint64(b[1]), r.at+2
	case 25:
		n, r.at = uint64(binary.BigEndian.Uint16(b[1:])), r.at+3
	case 26:
		n, r.at = uint64(binary.BigEndian.Uint32(b[1:])), r.at+5
	default:
		n, r.at = binary.BigEndian.Uint64(b[1:]), r.at+9
	}
	return major, n, true
}

// count reads a head of the major type.
func (r *reader) count(want byte) (n uint64, ok bool) {
	major, n, ok := r.head()
	return n, ok && major == want
}

// length reads a head that tells how many bytes or items follow; there are so many bytes at least.
func (r *reader) length(want byte) (int, bool) {
	n, ok := r.count(want)
	if !ok || n > uint64(len(r.rest())) || n > math.MaxInt32 {
		return 0, false
	}
	return int(n), true
}

func (r *reader) null() bool {
	if r.at == len(r.b) || r.b[r.at] != null {
		return false
	}
	r.at++
	return true
}

func (r *reader) boolean() (value, ok bool) {
	if r.at == len(r.b) || r.b[r.at] != no && r.b[r.at] != yes {
		return false, false
	}
	return r.take(1)[0] == yes, true
}

func (r *reader) integer() (int64, bool) {
	major, n, ok := r.head()
	switch {
	case !ok || n > math.MaxInt64:
		return 0, false
	case major == majorUint:
		return int64(n), true
	case major == majorNegative:
		return ^int64(n), true
	default:
		return 0, false
	}
}

func (r *reader) int() (int, bool) {
	n, ok := r.integer()
	return int(n), ok && int64(int(n)) == n
}

func (r *reader) float() (float64, bool) {
	b := r.rest()
	switch {
	case len(b) > 8 && b[0] == f64:
		r.at += 9
		return math.Float64frombits(binary.BigEndian.Uint64(b[1:])), true
	case len(b) > 4 && b[0] == f32:
		r.at += 5
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b[1:]))), true
	case len(b) > 2 && b[0] == half:
		r.at += 3
		return fromHalf(binary.BigEndian.Uint16(b[1:]))
	}
	return 0, false
}

func (r *reader) text() (string, bool) {
	n, ok := r.length(majorText)
	if !ok {
		return "", false
	}
	return string(r.take(n)), true
}

// bytes reads a copy of bytes; null is nil.
func (r *reader) bytes() ([]byte, bool) {
	if r.null() {
		return nil, true
	}
	n, ok := r.length(majorBytes)
	if !ok {
		return nil, false
	}
	out := make([]byte, n)
	copy(out, r.take(n))
	return out, true
}
