package plain

import (
	"encoding/binary"
	"math"
	"math/bits"
	"reflect"
	"slices"
	"unsafe"
)

// Append appends the encoding of v to dst and returns it. ok is false where v is not of a plain type: dst is then as it was.
// It keeps neither v nor anything of it.
func (c *Codec) Append(dst []byte, v any) (out []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return dst, false
	case []byte:
		if v == nil {
			return append(dst, null), true
		}
		return appendBytes(dst, v), true
	case string:
		return appendString(dst, v), true
	case int:
		return appendInt(dst, int64(v)), true
	case int64:
		return appendInt(dst, v), true
	case uint64:
		return appendHead(dst, majorUint, v), true
	case float64:
		return appendFloat(dst, v), true
	case bool:
		return appendBool(dst, v), true
	case []float64:
		if v == nil {
			return append(dst, null), true
		}
		return appendFloats(dst, v), true
	case []int:
		if v == nil {
			return append(dst, null), true
		}
		return appendInts(dst, v), true
	}
	s := c.shapeOf(reflect.TypeOf(v))
	if s == nil {
		return dst, false
	}
	return s.append(dst, reflect.ValueOf(v)), true
}

// Bound is how many bytes the encoding of v has at most, for the commonest types of what can be large; 0 for others. It keeps
// nothing of v.
func Bound(v any) int {
	switch v := v.(type) {
	case []byte:
		return maxHead + len(v)
	case string:
		return maxHead + len(v)
	case []float64:
		return maxHead + 9*len(v)
	case []float32:
		return maxHead + 5*len(v)
	}
	return 0
}

// maxHead is the longest head of an item.
const maxHead = 9

func (s *shape) append(dst []byte, v reflect.Value) []byte {
	switch s.op {
	case opBool:
		return appendBool(dst, v.Bool())
	case opInt:
		return appendInt(dst, v.Int())
	case opUint:
		return appendHead(dst, majorUint, v.Uint())
	case opFloat:
		return appendFloat(dst, v.Float())
	case opString:
		return appendString(dst, v.String())
	case opBytes:
		if v.IsNil() {
			return append(dst, null)
		}
		return appendBytes(dst, v.Bytes())
	case opSlice:
		if v.IsNil() {
			return append(dst, null)
		}
		return s.appendSlice(dst, v)
	case opByteArray:
		dst = slices.Grow(appendHead(dst, majorBytes, uint64(s.len)), s.len)
		for i := range s.len {
			dst = append(dst, byte(v.Index(i).Uint()))
		}
		return dst
	case opArray:
		return s.appendElements(dst, v, s.len)
	case opPointer:
		if v.IsNil() {
			return append(dst, null)
		}
		return s.elem.append(dst, v.Elem())
	default:
		return s.appendStruct(dst, v)
	}
}

// appendSlice appends a slice that is not nil. Those of numbers are read where they lie.
func (s *shape) appendSlice(dst []byte, v reflect.Value) []byte {
	switch s.kind {
	case reflect.Float64:
		return appendFloats(dst, elements[float64](v))
	case reflect.Float32:
		return appendFloats(dst, elements[float32](v))
	case reflect.Int:
		return appendInts(dst, elements[int](v))
	case reflect.Int64:
		return appendInts(dst, elements[int64](v))
	case reflect.Int32:
		return appendInts(dst, elements[int32](v))
	case reflect.Int16:
		return appendInts(dst, elements[int16](v))
	case reflect.Int8:
		return appendInts(dst, elements[int8](v))
	case reflect.Uint:
		return appendUints(dst, elements[uint](v))
	case reflect.Uint64:
		return appendUints(dst, elements[uint64](v))
	case reflect.Uint32:
		return appendUints(dst, elements[uint32](v))
	case reflect.Uint16:
		return appendUints(dst, elements[uint16](v))
	default:
		return s.appendElements(dst, v, v.Len())
	}
}

// elements is the slice in v, whose elements have the kind of E.
func elements[E any](v reflect.Value) []E {
	return unsafe.Slice((*E)(v.UnsafePointer()), v.Len()) //nolint:gosec // a named type has the layout of the type of its kind
}

func (s *shape) appendElements(dst []byte, v reflect.Value, n int) []byte {
	dst = appendHead(dst, majorArray, uint64(n))
	for i := range n {
		dst = s.elem.append(dst, v.Index(i))
	}
	return dst
}

func (s *shape) appendStruct(dst []byte, v reflect.Value) []byte {
	if s.omits {
		return s.appendWhatIsThere(dst, v)
	}
	major := byte(majorMap)
	if s.tuple {
		major = majorArray
	}
	dst = appendHead(dst, major, uint64(len(s.fields)))
	for i := range s.fields {
		f := &s.fields[i]
		dst = append(dst, f.key...)
		dst = f.append(dst, v.Field(f.index))
	}
	return dst
}

// appendWhatIsThere appends a struct without its fields that are to be omitted.
func (s *shape) appendWhatIsThere(dst []byte, v reflect.Value) []byte {
	var there uint64
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		if f.omitEmpty && f.empty(fv) || f.omitZero && fv.IsZero() {
			continue
		}
		there |= 1 << i
	}
	dst = appendHead(dst, majorMap, uint64(bits.OnesCount64(there)))
	for ; there != 0; there &= there - 1 {
		f := &s.fields[bits.TrailingZeros64(there)]
		dst = append(dst, f.key...)
		dst = f.append(dst, v.Field(f.index))
	}
	return dst
}

// empty is what omitempty leaves out.
func (s *shape) empty(v reflect.Value) bool {
	switch s.op {
	case opBool:
		return !v.Bool()
	case opInt:
		return v.Int() == 0
	case opUint:
		return v.Uint() == 0
	case opFloat:
		return v.Float() == 0
	case opPointer:
		return v.IsNil()
	default:
		return v.Len() == 0
	}
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, yes)
	}
	return append(dst, no)
}

func appendString(dst []byte, s string) []byte {
	return append(appendHead(dst, majorText, uint64(len(s))), s...)
}

func appendBytes(dst, b []byte) []byte {
	dst = slices.Grow(dst, 9+len(b)) // so that it grows once
	return append(appendHead(dst, majorBytes, uint64(len(b))), b...)
}

func appendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendHead(dst, majorNegative, uint64(^n))
	}
	return appendHead(dst, majorUint, uint64(n))
}

func appendInts[E int | int8 | int16 | int32 | int64](dst []byte, s []E) []byte {
	dst = slices.Grow(dst, 9+len(s))
	dst = appendHead(dst, majorArray, uint64(len(s)))
	for _, n := range s {
		dst = appendInt(dst, int64(n))
	}
	return dst
}

func appendUints[E uint | uint16 | uint32 | uint64](dst []byte, s []E) []byte {
	dst = slices.Grow(dst, 9+len(s))
	dst = appendHead(dst, majorArray, uint64(len(s)))
	for _, n := range s {
		dst = appendHead(dst, majorUint, uint64(n))
	}
	return dst
}

func appendFloats[E float32 | float64](dst []byte, s []E) []byte {
	dst = slices.Grow(dst, 9+len(s)*(1+int(unsafe.Sizeof(E(0))))) // most floats have no shorter form
	dst = appendHead(dst, majorArray, uint64(len(s)))
	for _, e := range s {
		f := float64(e)
		if float64(float32(f)) == f || math.IsNaN(f) {
			dst = appendFloat(dst, f)
			continue
		}
		n := len(dst)
		dst = dst[:n+9] // it is a float64, and there is room for as many
		dst[n] = f64
		binary.BigEndian.PutUint64(dst[n+1:], math.Float64bits(f))
	}
	return dst
}
