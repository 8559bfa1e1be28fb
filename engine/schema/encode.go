package schema

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// maxDepth is how deep a value may nest, in text and in CBOR.
const maxDepth = 64

// Major types of CBOR (RFC 8949, 3.1), as they stand in a first byte.
const (
	majorUint   = 0 << 5
	majorNegint = 1 << 5
	majorBytes  = 2 << 5
	majorText   = 3 << 5
	majorArray  = 4 << 5
	majorMap    = 5 << 5
	majorTag    = 6 << 5
	majorSimple = 7 << 5
)

// Tags (RFC 8949, 3.4).
const (
	tagTime        = 0 // RFC 3339 text follows
	tagBig         = 2 // the bytes of an integer follow
	tagBigNegative = 3 // those of -1 less the integer
)

const maxBig = 1024 // bytes of an integer that is shown as one

const (
	cborFalse = 0xf4
	cborTrue  = 0xf5
	cborNull  = 0xf6
)

// mode encodes floats and times; everything else is simple enough to be written here. It must agree with quicnet.Enc,
// which this package does not import so that it stays pure; a test compares the two.
var mode = func() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.Time, o.TimeTag = cbor.TimeRFC3339Nano, cbor.EncTagRequired
	m, err := o.EncMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return m
}()

// head appends the first bytes of an item in the shortest form.
func head(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, major|27), n)
	}
}

func encInt(n int64) []byte {
	if n < 0 {
		return head(nil, majorNegint, uint64(^n))
	}
	return head(nil, majorUint, uint64(n))
}

func encText(s string) []byte  { return append(head(nil, majorText, uint64(len(s))), s...) }
func encBytes(b []byte) []byte { return append(head(nil, majorBytes, uint64(len(b))), b...) }

func encBool(v bool) []byte {
	if v {
		return []byte{cborTrue}
	}
	return []byte{cborFalse}
}

func encFloat(f float64, bits int) ([]byte, error) {
	if bits == 32 {
		return mode.Marshal(float32(f))
	}
	return mode.Marshal(f)
}

func encTime(t time.Time) ([]byte, error) { return mode.Marshal(t) }

func encList(items [][]byte) []byte {
	return append(head(nil, majorArray, uint64(len(items))), bytes.Join(items, nil)...)
}

// pair is a key and a value of a map, both encoded.
type pair struct{ key, value []byte }

// encMap sorts the keys by their bytes, as the deterministic mode does.
func encMap(pairs []pair) []byte {
	slices.SortFunc(pairs, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
	b := head(nil, majorMap, uint64(len(pairs)))
	for _, p := range pairs {
		b = append(append(b, p.key...), p.value...)
	}
	return b
}
