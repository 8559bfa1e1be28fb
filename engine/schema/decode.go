package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
)

var (
	errEnd    = errors.New("the CBOR ends too early")
	errForm   = errors.New("the CBOR is malformed")
	errIndef  = errors.New("the CBOR has items of indefinite length")
	errNested = fmt.Errorf("the CBOR is nested deeper than %d", maxDepth)
)

// reader walks CBOR from outside. It never reads past the end and never trusts a length.
type reader struct {
	b   []byte
	pos int
}

// item is the head of one item.
type item struct {
	major byte
	info  byte // the low five bits of the first byte
	n     uint64
}

// head reads a head without comparing its n with what follows.
func (r *reader) head() (item, error) {
	if r.pos >= len(r.b) {
		return item{}, errEnd
	}
	first := r.b[r.pos]
	r.pos++
	it := item{major: first &^ 31, info: first & 31}
	switch {
	case it.info < 24:
		it.n = uint64(it.info)
	case it.info < 28:
		size := 1 << (it.info - 24)
		if len(r.b)-r.pos < size {
			return it, errEnd
		}
		var wide [8]byte
		copy(wide[8-size:], r.b[r.pos:r.pos+size])
		it.n = binary.BigEndian.Uint64(wide[:])
		r.pos += size
	case it.info == 31:
		return it, errIndef
	default:
		return it, errForm
	}
	if it.major == majorSimple && it.info == 24 && it.n < 32 {
		return it, errForm
	}
	return it, nil
}

// next reads a head. The n of strings, arrays and maps is no larger than the bytes that are left.
func (r *reader) next() (item, error) {
	it, err := r.head()
	if err != nil {
		return it, err
	}
	left := uint64(len(r.b) - r.pos)
	switch it.major {
	case majorBytes, majorText, majorArray:
		if it.n > left {
			return it, errEnd
		}
	case majorMap:
		if it.n > left/2 {
			return it, errEnd
		}
	}
	return it, nil
}

// peek is the next head without moving.
func (r *reader) peek() (item, error) {
	at := r.pos
	it, err := r.next()
	r.pos = at
	return it, err
}

// accept consumes the head that peek returned.
func (r *reader) accept() { _, _ = r.next() }

// take returns the bytes of a string whose head was read.
func (r *reader) take(it item) []byte {
	b := r.b[r.pos : r.pos+int(it.n)]
	r.pos += int(it.n)
	return b
}

// skip passes one item and returns its bytes.
func (r *reader) skip(depth int) ([]byte, error) {
	at := r.pos
	if depth > maxDepth {
		return nil, errNested
	}
	it, err := r.next()
	if err != nil {
		return nil, err
	}
	items := uint64(0)
	switch it.major {
	case majorBytes, majorText:
		r.take(it)
	case majorArray:
		items = it.n
	case majorMap:
		items = 2 * it.n
	case majorTag:
		items = 1
	}
	for range items {
		if _, err := r.skip(depth + 1); err != nil {
			return nil, err
		}
	}
	return r.b[at:r.pos], nil
}

// maxAhead bounds what is allocated before the items were read: a count from outside is not trusted.
const maxAhead = 1024

// pairs reads the keys and values of a map whose head was read.
func (r *reader) pairs(it item, depth int) ([]pair, error) {
	out := make([]pair, 0, min(it.n, maxAhead))
	for range it.n {
		k, err := r.skip(depth + 1)
		if err != nil {
			return nil, err
		}
		v, err := r.skip(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, pair{k, v})
	}
	return out, nil
}

func (it item) isNull() bool  { return it.major == majorSimple && it.info == cborNull&31 }
func (it item) isFloat() bool { return it.major == majorSimple && it.info >= 25 && it.info <= 27 }

func (it item) float() float64 {
	switch it.info {
	case 25:
		return half(uint16(it.n))
	case 26:
		return float64(math.Float32frombits(uint32(it.n)))
	}
	return math.Float64frombits(it.n)
}

// half is a number of 16 bits (IEEE 754 binary16).
func half(h uint16) float64 {
	exp, frac := int(h>>10&31), float64(h&1023)
	var f float64
	switch {
	case exp == 0:
		f = math.Ldexp(frac, -24)
	case exp < 31:
		f = math.Ldexp(frac+1024, exp-25)
	case frac == 0:
		f = math.Inf(1)
	default:
		return math.NaN()
	}
	if h>>15 == 1 {
		return -f
	}
	return f
}

// integer is the decimal text of an integer item: negative ones go down to -2^64.
func (it item) integer() string {
	n := new(big.Int).SetUint64(it.n)
	if it.major == majorNegint {
		n.Not(n)
	}
	return n.String()
}

// bignum reads the integer of any size that follows the tags 2 and 3; ok is false, and nothing read, where none does, or
// one that is too long to be written out.
func (r *reader) bignum(tag uint64) (n *big.Int, ok bool) {
	it, err := r.peek()
	if tag != tagBig && tag != tagBigNegative || err != nil || it.major != majorBytes || it.n > maxBig {
		return nil, false
	}
	r.accept()
	n = new(big.Int).SetBytes(r.take(it))
	if tag == tagBigNegative {
		n.Not(n)
	}
	return n, true
}

// int64 is the value of an integer item where it fits.
func (it item) int64() (int64, bool) {
	if it.n > math.MaxInt64 {
		return 0, false
	}
	if it.major == majorNegint {
		return ^int64(it.n), true
	}
	return int64(it.n), true
}

// textKey is the text of a map key that is a text string.
func textKey(key []byte) (string, bool) {
	r := reader{b: key}
	it, err := r.next()
	if err != nil || it.major != majorText {
		return "", false
	}
	return string(r.take(it)), true
}
