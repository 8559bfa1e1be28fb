// Package body encodes and decodes what users send: arguments, results, fields of prototypes, values of ports. It is the
// codec of quicnet with care for what a type alone does not tell: what is in an any, and times that RFC 3339 cannot write.
// It is no place for the engine's own messages, which hold neither.
//
// Invariants; a test of this package names each:
//
//   - INV-WHOLE: what encodes arrives, or the error says what does not and what to do.
//   - INV-INSTANT: a time keeps its instant, to the nanosecond.
package body

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Codec keeps what it has learned of types. It is safe for concurrent use.
type Codec struct {
	judge *schema.Judge
	anys  sync.Map // by reflect.Type: whether there is an any in it
	utc   func() cbor.EncMode
	texts func() cbor.DecMode
}

// NewCodec returns a Codec that has learned nothing.
func NewCodec() *Codec {
	return &Codec{
		judge: schema.NewJudge(),
		utc: sync.OnceValue(func() cbor.EncMode {
			o := quicnet.Enc().EncOptions()
			o.Time = cbor.TimeRFC3339NanoUTC
			return must(o.EncMode())
		}),
		texts: sync.OnceValue(func() cbor.DecMode {
			o := quicnet.Dec().DecOptions()
			o.DefaultMapType = reflect.TypeFor[map[string]any]()
			return must(o.DecMode())
		}),
	}
}

func must[M any](m M, err error) M {
	if err != nil {
		panic("engine/internal/body: " + err.Error()) // constants: a test runs it
	}
	return m
}

// Type says why a type cannot travel.
func (c *Codec) Type(t reflect.Type) error { return c.judge.Type(t) }

// Encode encodes v, which came from a variable of type static. It refuses what would not arrive as it is, as
// schema.Judge.Value says. A time keeps its offset from UTC where that is whole minutes; where it has seconds, the offset is
// cut to minutes and the wall clock moved, so that the instant is the same.
func (c *Codec) Encode(v any, static reflect.Type) ([]byte, error) {
	oddZone, err := c.judge.Value(v, static)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what it is
	}
	b, err := quicnet.Enc().Marshal(v)
	if err != nil || !oddZone {
		return b, err
	}
	exact, err := c.utc().Marshal(v)
	if err != nil {
		return nil, err
	}
	return keepInstants(b, exact)
}

// Decode decodes into what p points to, which is zero. A map in an any is a map[string]any where all its keys are texts,
// else a map[any]any.
func (c *Codec) Decode(b []byte, p any) error {
	v := reflect.ValueOf(p).Elem()
	if !c.hasAny(v.Type()) {
		return quicnet.Dec().Unmarshal(b, p)
	}
	err := c.texts().Unmarshal(b, p)
	if _, mismatch := errors.AsType[*cbor.UnmarshalTypeError](err); !mismatch {
		return err
	}
	v.SetZero()
	if err := quicnet.Dec().Unmarshal(b, p); err != nil { // another mismatch, or keys that are no texts
		return err
	}
	mapsOfTexts(v)
	return nil
}

// EncodeAll encodes several values as one: an array.
func (c *Codec) EncodeAll(vs []any, static []reflect.Type) ([]byte, error) {
	if len(vs) != len(static) || len(vs) > 23 {
		return nil, fmt.Errorf("%d values for %d types", len(vs), len(static))
	}
	out := []byte{majorArray<<5 | byte(len(vs))}
	for i, v := range vs {
		b, err := c.Encode(v, static[i])
		if err != nil {
			return nil, fmt.Errorf("argument %d (%s): %w", i+1, static[i], err)
		}
		out = append(out, b...)
	}
	return out, nil
}

// DecodeAll decodes what EncodeAll has encoded into values that can be set.
func (c *Codec) DecodeAll(b []byte, into []reflect.Value) error {
	var parts []cbor.RawMessage
	if err := quicnet.Dec().Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) != len(into) {
		return fmt.Errorf("%d arguments, not %d", len(parts), len(into))
	}
	for i, v := range into {
		if err := c.Decode(parts[i], v.Addr().Interface()); err != nil {
			return fmt.Errorf("argument %d (%s): %w", i+1, v.Type(), err)
		}
	}
	return nil
}

// hasAny reports whether values of t can hold an any that this package would fill in.
func (c *Codec) hasAny(t reflect.Type) bool {
	if has, ok := c.anys.Load(t); ok {
		return has.(bool) //nolint:forcetypeassert // nothing else is put there
	}
	has := findAny(t, map[reflect.Type]bool{})
	c.anys.Store(t, has)
	return has
}

func findAny(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return findAny(t.Elem(), seen)
	case reflect.Map:
		return findAny(t.Key(), seen) || findAny(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if findAny(f.Type, seen) {
				return true
			}
		}
	default:
	}
	return false
}

// mapsOfTexts gives the maps in the anys of v their type.
func mapsOfTexts(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if v.CanSet() && !v.IsNil() {
			if x := ofTexts(v.Interface()); x != nil {
				v.Set(reflect.ValueOf(x))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			mapsOfTexts(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			mapsOfTexts(v.Index(i))
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			mapsOfTexts(f)
		}
	case reflect.Map:
		if !v.CanSet() {
			return // unexported: nothing was decoded into it
		}
		if v.IsNil() {
			return
		}
		made := reflect.MakeMapWithSize(v.Type(), v.Len()) // a new one: an entry of NaN would be put in anew each time, for ever
		for it := v.MapRange(); it.Next(); {
			x := reflect.New(v.Type().Elem()).Elem()
			x.Set(it.Value())
			mapsOfTexts(x)
			made.SetMapIndex(it.Key(), x)
		}
		v.Set(made)
	default:
	}
}

// ofTexts gives the maps in a decoded value their type.
func ofTexts(x any) any {
	switch x := x.(type) {
	case []any:
		for i := range x {
			x[i] = ofTexts(x[i])
		}
	case cbor.Tag:
		x.Content = ofTexts(x.Content)
		return x
	case map[any]any:
		texts, other := make(map[string]any, len(x)), map[any]any{}
		for k, v := range x {
			if s, ok := k.(string); ok {
				texts[s] = ofTexts(v)
			} else {
				other[k] = ofTexts(v)
			}
		}
		if len(other) == 0 {
			return texts
		}
		for s, v := range texts {
			other[s] = v
		}
		return other
	}
	return x
}

var errTimes = errors.New("a time with an offset that has seconds: the value encodes differently each time")

// keepInstants gives each time of zoned, which the encoder has written with the offset cut to minutes, the instant that it has
// in exact: the same value, encoded with all times in UTC.
func keepInstants(zoned, exact []byte) ([]byte, error) {
	out := make([]byte, 0, len(zoned))
	for len(zoned) > 0 {
		a, b := headOf(zoned), headOf(exact)
		if a.size == 0 || a.major != b.major || a.major != majorText && a.n != b.n {
			return nil, errTimes
		}
		if a.major != majorText && a.major != majorBytes {
			out, zoned, exact = append(out, zoned[:a.size]...), zoned[a.size:], exact[b.size:]
			continue
		}
		enda, endb := a.size+int(a.n), b.size+int(b.n)
		if a.n > uint64(len(zoned)) || b.n > uint64(len(exact)) || enda > len(zoned) || endb > len(exact) {
			return nil, errTimes
		}
		out = append(out, textOf(zoned[:enda], a, exact[b.size:endb])...)
		zoned, exact = zoned[enda:], exact[endb:]
	}
	return out, nil
}

// textOf is a text item, with the instant of exact where both are times and differ.
func textOf(item []byte, h head, exact []byte) []byte {
	text := string(item[h.size:])
	if h.major != majorText || text == string(exact) {
		return item
	}
	zoned, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return item
	}
	instant, err := time.Parse(time.RFC3339Nano, string(exact))
	if err != nil || instant.Equal(zoned) {
		return item
	}
	b, err := quicnet.Enc().Marshal(instant.In(zoned.Location()).Format(time.RFC3339Nano))
	if err != nil {
		return item
	}
	return b
}

// head is the first bytes of a CBOR item.
type head struct {
	major byte
	n     uint64
	size  int // 0: there is none
}

const (
	majorBytes = 2
	majorText  = 3
	majorArray = 4
)

func headOf(b []byte) head {
	if len(b) == 0 {
		return head{}
	}
	h := head{major: b[0] >> 5, n: uint64(b[0] & 31), size: 1}
	if h.n < 24 || h.n > 27 {
		return h
	}
	h.size += 1 << (h.n - 24)
	if len(b) < h.size {
		return head{}
	}
	h.n = 0
	for _, x := range b[1:h.size] {
		h.n = h.n<<8 | uint64(x)
	}
	return h
}
