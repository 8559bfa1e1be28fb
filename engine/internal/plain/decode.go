package plain

import (
	"bytes"
	"math"
	"reflect"
	"unsafe"
)

// Decode decodes b into what p points to, which is zero, and reports whether it did. Where it did not, what p points to is
// zero again, and b is for quicnet.Dec to judge.
func (c *Codec) Decode(b []byte, p any) bool {
	if done, common := DecodeCommon(b, p); common {
		return done
	}
	v := reflect.ValueOf(p)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return false
	}
	v = v.Elem()
	rest, ok := c.DecodeFirst(b, v)
	if ok && len(rest) != 0 {
		v.SetZero()
		return false
	}
	return ok
}

// DecodeCommon is Codec.Decode for the commonest types, without a look at them; common is false for the others. It keeps nothing
// of p.
func DecodeCommon(b []byte, p any) (done, common bool) {
	r := reader{b: b}
	switch p := p.(type) {
	case *[]byte:
		return take(p, &r, r.bytes), true
	case *string:
		return take(p, &r, r.text), true
	case *int64:
		return take(p, &r, r.integer), true
	case *float64:
		return take(p, &r, r.float), true
	case *int:
		return take(p, &r, r.int), true
	}
	return false, false
}

// take stores what read has read, if nothing follows it.
func take[T any](to *T, r *reader, read func() (T, bool)) bool {
	v, ok := read()
	if !ok || r.at < len(r.b) {
		return false
	}
	*to = v
	return true
}

// DecodeFirst decodes the first item of b into v, which is zero and can be set, and returns what follows it. Where ok is
// false, v is zero again.
func (c *Codec) DecodeFirst(b []byte, v reflect.Value) (rest []byte, ok bool) {
	s := c.shapeOf(v.Type())
	if s == nil {
		return b, false
	}
	r := reader{b: b}
	if !s.decode(&r, v) {
		v.SetZero()
		return b, false
	}
	return r.rest(), true
}

// decode decodes the next item into v. It gives up by returning false, and v is then anything.
func (s *shape) decode(r *reader, v reflect.Value) bool {
	switch s.op {
	case opBool:
		b, ok := r.boolean()
		v.SetBool(b)
		return ok
	case opInt:
		n, ok := r.integer()
		if !ok || v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
		return true
	case opUint:
		n, ok := r.count(majorUint)
		if !ok || v.OverflowUint(n) {
			return false
		}
		v.SetUint(n)
		return true
	case opFloat:
		f, ok := r.float()
		if !ok || v.OverflowFloat(f) {
			return false
		}
		v.SetFloat(f)
		return true
	case opString:
		t, ok := r.text()
		v.SetString(t)
		return ok
	case opBytes:
		b, ok := r.bytes()
		v.SetBytes(b)
		return ok
	case opByteArray:
		n, ok := r.length(majorBytes)
		if !ok || n != s.len {
			return false
		}
		copy(unsafe.Slice((*byte)(v.Addr().UnsafePointer()), n), r.take(n)) //nolint:gosec // an array of n bytes, whatever they are called
		return true
	case opSlice:
		return s.decodeSlice(r, v)
	case opArray:
		n, ok := r.length(majorArray)
		return ok && n == s.len && s.decodeElements(r, v, n)
	case opPointer:
		if r.null() {
			return true
		}
		v.Set(reflect.New(s.elem.typ))
		return s.elem.decode(r, v.Elem())
	default:
		return s.decodeStruct(r, v)
	}
}

func (s *shape) decodeSlice(r *reader, v reflect.Value) bool {
	if r.null() {
		return true
	}
	n, ok := r.length(majorArray)
	if !ok {
		return false
	}
	switch s.kind {
	case reflect.Float64:
		return decodeFloats(r, place[float64](v), n)
	case reflect.Float32:
		return decodeFloats(r, place[float32](v), n)
	case reflect.Int:
		return decodeInts(r, place[int](v), n)
	case reflect.Int64:
		return decodeInts(r, place[int64](v), n)
	case reflect.Int32:
		return decodeInts(r, place[int32](v), n)
	case reflect.Int16:
		return decodeInts(r, place[int16](v), n)
	case reflect.Int8:
		return decodeInts(r, place[int8](v), n)
	case reflect.Uint:
		return decodeUints(r, place[uint](v), n)
	case reflect.Uint64:
		return decodeUints(r, place[uint64](v), n)
	case reflect.Uint32:
		return decodeUints(r, place[uint32](v), n)
	case reflect.Uint16:
		return decodeUints(r, place[uint16](v), n)
	default:
		v.Set(reflect.MakeSlice(s.typ, n, n))
		return s.decodeElements(r, v, n)
	}
}

// place is where the slice of v lies; its elements have the kind of E.
func place[E any](v reflect.Value) *[]E {
	return (*[]E)(v.Addr().UnsafePointer()) // a named type has the layout of the type of its kind
}

func (s *shape) decodeElements(r *reader, v reflect.Value, n int) bool {
	for i := range n {
		if !s.elem.decode(r, v.Index(i)) {
			return false
		}
	}
	return true
}

func decodeFloats[E float32 | float64](r *reader, to *[]E, n int) bool {
	out := make([]E, n)
	for i := range out {
		f, ok := r.float()
		if !ok || unsafe.Sizeof(E(0)) == 4 && math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
			return false
		}
		out[i] = E(f)
	}
	*to = out
	return true
}

func decodeInts[E int | int8 | int16 | int32 | int64](r *reader, to *[]E, n int) bool {
	out := make([]E, n)
	for i := range out {
		x, ok := r.integer()
		if out[i] = E(x); !ok || int64(out[i]) != x {
			return false
		}
	}
	*to = out
	return true
}

func decodeUints[E uint | uint16 | uint32 | uint64](r *reader, to *[]E, n int) bool {
	out := make([]E, n)
	for i := range out {
		x, ok := r.count(majorUint)
		if out[i] = E(x); !ok || uint64(out[i]) != x {
			return false
		}
	}
	*to = out
	return true
}

// decodeStruct looks for each key first behind the one before: the encoder sorts them.
func (s *shape) decodeStruct(r *reader, v reflect.Value) bool {
	if s.tuple {
		n, ok := r.length(majorArray)
		if !ok || n != len(s.fields) {
			return false
		}
		for i := range s.fields {
			if f := &s.fields[i]; !f.decode(r, v.Field(f.index)) {
				return false
			}
		}
		return true
	}
	n, ok := r.length(majorMap)
	if !ok || n > len(s.fields) {
		return false
	}
	var seen uint64
	next := 0
	for range n {
		i := s.find(r.rest(), next)
		if i < 0 || seen&(1<<i) != 0 {
			return false
		}
		seen, next = seen|1<<i, i+1
		f := &s.fields[i]
		r.at += len(f.key)
		if !f.decode(r, v.Field(f.index)) {
			return false
		}
	}
	return true
}

// find is the field whose key b begins with, -1 if there is none.
func (s *shape) find(b []byte, next int) int {
	for i := next; i < len(s.fields); i++ {
		if bytes.HasPrefix(b, s.fields[i].key) {
			return i
		}
	}
	for i := range min(next, len(s.fields)) {
		if bytes.HasPrefix(b, s.fields[i].key) {
			return i
		}
	}
	return -1
}
