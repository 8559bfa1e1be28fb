package control

import (
	"math"
	"sync"
	"time"

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

// Texts and instants have no kind of their own in the bodies of probes, and a duration is a number there: inside lists and
// maps these stand for them, as maps with one key that no name begins with.
const (
	durationKey = "\x00duration"
	timeKey     = "\x00time"
)

// EncodeValue is the value of an expression as it travels, durations and times in lists and maps included.
func EncodeValue(x any) ([]byte, error) { return enc().Marshal(wrapped(x)) }

func wrapped(x any) any {
	switch x := x.(type) {
	case time.Duration:
		return map[string]any{durationKey: int64(x)}
	case time.Time:
		return map[string]any{timeKey: x.Format(time.RFC3339Nano)}
	case []any:
		out := make([]any, len(x))
		for i, v := range x {
			out[i] = wrapped(v)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, v := range x {
			out[k] = wrapped(v)
		}
		return out
	}
	return x
}

// DecodeValue reads what EncodeValue wrote.
func DecodeValue(b []byte) (any, error) {
	var x any
	if err := friendlyDec().Unmarshal(b, &x); err != nil {
		return nil, err
	}
	return unwrapped(x), nil
}

func unwrapped(x any) any {
	switch x := x.(type) {
	case []any:
		for i, v := range x {
			x[i] = unwrapped(v)
		}
	case map[any]any:
		if len(x) == 1 {
			if d, ok := x[durationKey]; ok {
				return duration(d)
			}
			if text, ok := x[timeKey].(string); ok {
				if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
					return t
				}
			}
		}
		for k, v := range x {
			x[k] = unwrapped(v)
		}
	}
	return x
}

func duration(x any) any {
	switch x := x.(type) {
	case uint64:
		if x <= math.MaxInt64 {
			return time.Duration(x)
		}
	case int64:
		return time.Duration(x)
	}
	return x
}

// DecodeAnswer reads the body of a probe that a process answered.
func DecodeAnswer(b []byte, v any) error { return friendlyDec().Unmarshal(b, v) }

// DecodeBody reads the body of a probe that a front end sent.
func DecodeBody(b []byte, v any) error {
	if len(b) == 0 {
		return nil // nothing is asked in particular
	}
	return hostileDec().Unmarshal(b, v)
}
