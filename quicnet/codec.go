package quicnet

import (
	"math"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Enc returns the encoding mode of user bodies: core deterministic CBOR (RFC 8949, section 4.2.1),
// with time.Time as tagged RFC 3339 text that keeps nanoseconds and zone offset. An offset that has seconds is cut to
// minutes there, and the instant with it: who encodes times of users mends that (engine/internal/body).
func Enc() cbor.EncMode { return encMode() }

// Dec returns the decoding mode of user bodies. They are bounded by the bytes of their frame and a
// depth of 64, not by the length of an array: 100,000 elements are ordinary.
func Dec() cbor.DecMode { return decMode() }

// StrictDec returns the decoding mode of control bodies: 65,536 elements, 4,096 pairs, depth 16, no
// tags, valid UTF-8, and no field the receiver doesn't know.
func StrictDec() cbor.DecMode { return strictMode() }

var encMode = sync.OnceValue(func() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeRFC3339Nano
	o.TimeTag = cbor.EncTagRequired
	m, err := o.EncMode()
	if err != nil {
		panic("quicnet: encode options: " + err.Error()) // constants: a test runs it
	}
	return m
})

var decMode = sync.OnceValue(func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		MaxNestedLevels:  64,
		MaxArrayElements: math.MaxInt32,
		MaxMapPairs:      math.MaxInt32,
		UTF8:             cbor.UTF8DecodeInvalid, // a Go string may hold any bytes; what is shown is cleaned there
	}.DecMode()
	if err != nil {
		panic("quicnet: decode options: " + err.Error())
	}
	return m
})

var strictMode = sync.OnceValue(func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   16,
		MaxArrayElements:  65536,
		MaxMapPairs:       4096,
		UTF8:              cbor.UTF8RejectInvalid,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	if err != nil {
		panic("quicnet: strict decode options: " + err.Error())
	}
	return m
})
