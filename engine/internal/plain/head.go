package plain

import (
	"encoding/binary"
	"math"
)

// The major types of RFC 8949, section 3.1, in the place that they have in the first byte of an item.
const (
	majorUint     = 0 << 5
	majorNegative = 1 << 5
	majorBytes    = 2 << 5
	majorText     = 3 << 5
	majorArray    = 4 << 5
	majorMap      = 5 << 5
	majorSimple   = 7 << 5
)

// First bytes of simple values and floats, section 3.3.
const (
	no   = majorSimple | 20
	yes  = majorSimple | 21
	null = majorSimple | 22
	half = majorSimple | 25 // 2 bytes follow
	f32  = majorSimple | 26
	f64  = majorSimple | 27
)

// appendHead appends the shortest head of an item with the argument n.
func appendHead(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= math.MaxUint8:
		return append(dst, major|24, byte(n))
	case n <= math.MaxUint16:
		return append(dst, major|25, byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, major|27), n)
	}
}

// appendFloat appends the shortest float that has the value of f. NaN is one value, f97e00.
func appendFloat(dst []byte, f float64) []byte {
	single := float32(f)
	if float64(single) != f {
		if math.IsNaN(f) {
			return append(dst, half, 0x7e, 0x00)
		}
		return binary.BigEndian.AppendUint64(append(dst, f64), math.Float64bits(f))
	}
	b := math.Float32bits(single)
	if h, ok := toHalf(b); ok {
		return append(dst, half, byte(h>>8), byte(h))
	}
	return binary.BigEndian.AppendUint32(append(dst, f32), b)
}

// The parts of IEEE 754 binary32 and binary16.
const (
	mantissa32 = 1<<23 - 1
	bias32     = 127
	mantissa16 = 1<<10 - 1
	bias16     = 15
	least16    = -24 // the exponent of the least number above 0
)

// toHalf gives the binary16 of a binary32 that is no NaN, if it has the same value.
func toHalf(b uint32) (h uint16, ok bool) {
	sign, exponent, mantissa := uint16(b>>16)&0x8000, int(b>>23&0xff)-bias32, b&mantissa32
	switch {
	case b<<1 == 0:
		return sign, true
	case exponent == bias32+1: // infinite
		return sign | 0x7c00, mantissa == 0
	case exponent > bias16 || exponent < least16:
		return 0, false
	case exponent > -bias16:
		return sign | uint16(exponent+bias16)<<10 | uint16(mantissa>>13), mantissa&(1<<13-1) == 0
	default: // it has no leading 1 in binary16
		mantissa |= mantissa32 + 1
		drop := 23 - (exponent - least16)
		return sign | uint16(mantissa>>drop), mantissa&(1<<drop-1) == 0
	}
}

// fromHalf gives the value of a binary16. Of the NaNs it knows the one that is written.
func fromHalf(h uint16) (f float64, ok bool) {
	exponent, mantissa := int(h>>10&0x1f), h&mantissa16
	switch {
	case h == 0x7e00:
		return math.Float64frombits(0x7ff8 << 48), true // the quiet one without a payload, which is not math.NaN
	case exponent == 0x1f && mantissa != 0:
		return 0, false
	case exponent == 0x1f:
		f = math.Inf(1)
	case exponent == 0:
		f = math.Ldexp(float64(mantissa), least16)
	default:
		f = math.Float64frombits(uint64(exponent-bias16+1023)<<52 | uint64(mantissa)<<42)
	}
	if h&0x8000 != 0 {
		f = math.Copysign(f, -1)
	}
	return f, true
}
