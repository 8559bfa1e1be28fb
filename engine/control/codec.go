package control

import (
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// modes are the CBOR options of the protocol: deterministic out, tight in. A server reads with hostile, which fits
// every request; a client reads snapshots of up to a million ranks with friendly. Unknown fields are skipped by both.
type modes struct {
	enc               cbor.EncMode
	hostile, friendly cbor.DecMode
}

var loadModes = sync.OnceValue(func() modes {
	eo := cbor.CoreDetEncOptions()
	eo.Time = cbor.TimeRFC3339Nano
	enc, err := eo.EncMode()
	if err != nil {
		panic(err) // constant options
	}
	dec := func(nested, elements, pairs int) cbor.DecMode {
		m, err := cbor.DecOptions{
			DupMapKey:        cbor.DupMapKeyEnforcedAPF,
			IndefLength:      cbor.IndefLengthForbidden,
			TagsMd:           cbor.TagsForbidden,
			UTF8:             cbor.UTF8RejectInvalid,
			MaxNestedLevels:  nested,
			MaxArrayElements: elements,
			MaxMapPairs:      pairs,
		}.DecMode()
		if err != nil {
			panic(err)
		}
		return m
	}
	return modes{enc: enc, hostile: dec(16, 65536, 4096), friendly: dec(256, 1<<20, 1<<16)}
})

func enc() encoder              { return encoder{loadModes().enc} }
func hostileDec() cbor.DecMode  { return loadModes().hostile }
func friendlyDec() cbor.DecMode { return loadModes().friendly }

// Encode is the reference as it travels in an argument.
func (r MeshRef) Encode() ([]byte, error) { return enc().Marshal(r) }

// EncodeBody is the body of a probe as it travels.
func EncodeBody(v any) ([]byte, error) { return enc().Marshal(v) }

// DecodeAnswer reads the body of a probe that a process answered.
func DecodeAnswer(b []byte, v any) error { return friendlyDec().Unmarshal(b, v) }

// DecodeBody reads the body of a probe that a front end sent.
func DecodeBody(b []byte, v any) error {
	if len(b) == 0 {
		return nil // nothing is asked in particular
	}
	return hostileDec().Unmarshal(b, v)
}
