// Package body encodes and decodes what users send: arguments, results, fields of prototypes, values of ports. It is the
// codec of quicnet with care for what a type alone does not tell: what is in an any, and times that RFC 3339 cannot write.
// It is no place for the engine's own messages, which hold neither.
//
// What is of a plain type (engine/internal/plain) goes a shorter way, to the same bytes and the same values; whatever is not
// decoded there is judged anew here, so that an error reads the same.
//
// Invariants; a test of this package names each:
//
//   - INV-WHOLE: what encodes arrives, or the error says what does not and what to do.
//   - INV-INSTANT: a time keeps its instant, to the nanosecond.
//   - INV-OWN: what was decoded shares no memory with what it was decoded from.
package body

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/engine/internal/plain"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Codec keeps what it has learned of types. It is safe for concurrent use.
type Codec struct {
	judge   *schema.Judge
	plain   *plain.Codec
	anys    sync.Map  // by reflect.Type: whether there is an any in it
	scratch sync.Pool // of *[]byte: what Encode encodes into
	utc     func() cbor.EncMode
	texts   func() cbor.DecMode
}

// NewCodec returns a Codec that has learned nothing.
func NewCodec() *Codec {
	return &Codec{
		judge: schema.NewJudge(),
		plain: plain.NewCodec(),
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

// Encode is AppendEncode into bytes of their own.
func (c *Codec) Encode(v any, static reflect.Type) ([]byte, error) {
	b, _ := c.scratch.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	out, err := c.AppendEncode((*b)[:0], v, static)
	if err != nil {
		return nil, err
	}
	if cap(out) > scratchMost {
		return out, nil
	}
	*b = out
	defer c.scratch.Put(b)
	return append(make([]byte, 0, len(out)), out...), nil
}

// AppendEncode appends the encoding of v to dst and returns it. v came from a variable of type static. It refuses what would
// not arrive as it is, as schema.Judge.Value says; dst is then as it was. A time keeps its offset from UTC where that is whole
// minutes; where it has seconds, the offset is cut to minutes and the wall clock moved, so that the instant is the same.
func (c *Codec) AppendEncode(dst []byte, v any, static reflect.Type) ([]byte, error) {
	if static != nil && static.Kind() != reflect.Interface { // then nothing in a plain value is refused
		if out, ok := c.plain.Append(dst, v); ok {
			return out, nil
		}
	}
	oddZone, err := c.judge.Value(v, static)
	if err != nil {
		return dst, err //nolint:wrapcheck // the caller says what it is
	}
	if out, ok := c.plain.Append(dst, v); ok {
		return out, nil
	}
	b, err := c.marshal(v, oddZone)
	return append(dst, b...), err
}

// AppendPlain is AppendEncode for a value of a plain type, such as those that need no judgement; ok is false for another. It
// keeps nothing of v, so a caller's v need not go to the heap.
func (c *Codec) AppendPlain(dst []byte, v any) (out []byte, ok bool) { return c.plain.Append(dst, v) }

// Bound is how many bytes the encoding of v has at most, where that is told by its length alone; else 0. It keeps nothing of v.
func (c *Codec) Bound(v any) int { return plain.Bound(v) }

func (c *Codec) marshal(v any, oddZone bool) ([]byte, error) {
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

// arrayHead is the first byte of an array of at most 23 elements, without their number.
const arrayHead = majorArray << 5

// scratchMost is how large a buffer may be that is kept for the next value.
const scratchMost = 64 << 10

// Decode decodes into what p points to, which is zero. A map in an any is a map[string]any where all its keys are texts,
// else a map[any]any.
func (c *Codec) Decode(b []byte, p any) error {
	if c.plain.Decode(b, p) {
		return nil
	}
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

// DecodeCommon is Decode for the commonest types, and reports whether it has decoded. It keeps nothing of p, so that what p points
// to need not go to the heap.
func (c *Codec) DecodeCommon(b []byte, p any) bool {
	done, _ := plain.DecodeCommon(b, p)
	return done
}

// EncodeAll is AppendEncodeAll into bytes of their own.
func (c *Codec) EncodeAll(vs []any, static []reflect.Type) ([]byte, error) {
	b, err := c.AppendEncodeAll(nil, vs, static)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// AppendEncodeAll appends several values, 23 at most, as one: an array. After an error dst is as it was.
func (c *Codec) AppendEncodeAll(dst []byte, vs []any, static []reflect.Type) ([]byte, error) {
	if len(vs) != len(static) || len(vs) > 23 {
		return dst, fmt.Errorf("%d values for %d types", len(vs), len(static))
	}
	out := append(dst, arrayHead|byte(len(vs)))
	for i, v := range vs {
		var err error
		if out, err = c.AppendEncode(out, v, static[i]); err != nil {
			return dst, fmt.Errorf("argument %d (%s): %w", i+1, static[i], err)
		}
	}
	return out, nil
}

// DecodeAll decodes what EncodeAll has encoded into values that are zero and can be set.
func (c *Codec) DecodeAll(b []byte, into []reflect.Value) error {
	if c.decodePlain(b, into) {
		return nil
	}
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

// decodePlain decodes values of which each is of a plain type. Where it reports false, all of them are zero.
func (c *Codec) decodePlain(b []byte, into []reflect.Value) bool {
	if len(b) == 0 || len(into) > 23 || b[0] != arrayHead|byte(len(into)) {
		return false
	}
	rest := b[1:]
	for i, v := range into {
		after, ok := c.plain.DecodeFirst(rest, v)
		if !ok {
			zero(into[:i])
			return false
		}
		rest = after
	}
	if len(rest) > 0 {
		zero(into)
	}
	return len(rest) == 0
}

func zero(all []reflect.Value) {
	for _, v := range all {
		v.SetZero()
	}
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
