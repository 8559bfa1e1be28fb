package plain

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Codec keeps what it has learned of types. It is safe for concurrent use.
type Codec struct {
	shapes sync.Map // by reflect.Type: its *shape, nil where it is not plain
}

// NewCodec returns a Codec that has learned nothing.
func NewCodec() *Codec { return &Codec{} }

// Plain reports whether values of t take the short way.
func (c *Codec) Plain(t reflect.Type) bool { return c.shapeOf(t) != nil }

type op uint8

const (
	opBool op = iota
	opInt
	opUint
	opFloat
	opString
	opBytes     // a slice of bytes
	opByteArray // an array of bytes
	opSlice
	opArray
	opPointer
	opStruct
)

// shape is what has to be done for the values of a type.
type shape struct {
	op     op
	elem   *shape       // of slices, arrays and pointers
	kind   reflect.Kind // of the elements of slices
	len    int          // of arrays
	typ    reflect.Type
	fields []field // of structs, in the order in which they are encoded
	tuple  bool    // a struct that is encoded as an array
	omits  bool    // a struct that has fields with omitempty or omitzero
}

// field is a field of a struct that travels.
type field struct {
	*shape
	index int
	key   []byte // encoded; nil in a tuple
	omitEmpty,
	omitZero bool
}

const (
	maxNesting = 8  // of a type: less than a decoder reads (64), and more than people write by hand
	maxFields  = 64 // of a struct: a set of them is a uint64
)

func (c *Codec) shapeOf(t reflect.Type) *shape {
	if s, ok := c.shapes.Load(t); ok {
		return s.(*shape) //nolint:forcetypeassert // nothing else is put there
	}
	s := compiler{}.compile(t, 0)
	c.shapes.Store(t, s)
	return s
}

// compiler has the types that were met; of one that is being compiled, nil, for a type that contains itself is not plain. One
// part that is not plain makes the whole not plain, so that a nil may stay.
type compiler map[reflect.Type]*shape

// compile returns the shape of t, or nil.
func (c compiler) compile(t reflect.Type, depth int) *shape {
	if s, met := c[t]; met {
		return s
	}
	if depth > maxNesting || hasCodec(t) {
		return nil
	}
	c[t] = nil
	c[t] = c.fresh(t, depth)
	return c[t]
}

func (c compiler) fresh(t reflect.Type, depth int) *shape {
	s := &shape{typ: t}
	switch t.Kind() {
	case reflect.Bool:
		s.op = opBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.op = opInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.op = opUint
	case reflect.Float32, reflect.Float64:
		s.op = opFloat
	case reflect.String:
		s.op = opString
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return c.holder(s, depth)
	case reflect.Struct:
		return c.structure(s, depth)
	default:
		return nil
	}
	return s
}

// holder is the shape of what holds values of one type.
func (c compiler) holder(s *shape, depth int) *shape {
	t := s.typ
	s.kind = t.Elem().Kind()
	if s.elem = c.compile(t.Elem(), depth+1); s.elem == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice:
		s.op = opSlice
		if s.kind == reflect.Uint8 {
			s.op = opBytes
		}
	case reflect.Array:
		s.op, s.len = opArray, t.Len()
		if s.kind == reflect.Uint8 {
			s.op = opByteArray
		}
	default:
		if s.op = opPointer; s.elem.op == opPointer {
			return nil // a nil behind a pointer does not come back as it was: fxamacker/cbor knows what becomes of it
		}
	}
	return s
}

// structure is the shape of a struct. Two fields of one name, embedded ones and tags that are not understood are left alone.
func (c compiler) structure(s *shape, depth int) *shape {
	t := s.typ
	if f, ok := t.FieldByName("_"); ok && f.Tag.Get("cbor") != "-" {
		_, options, _ := strings.Cut(f.Tag.Get("cbor"), ",")
		all := strings.Split(options, ",")
		s.tuple = slices.Contains(all, "toarray")
		if slices.ContainsFunc(all, func(o string) bool { return strings.HasPrefix(o, "to") && o != "toarray" }) {
			return nil // toindefarray
		}
	}
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous {
			return nil
		}
		tag := sf.Tag.Get("cbor")
		if tag == "" {
			tag = sf.Tag.Get("json")
		}
		if !sf.IsExported() || tag == "-" {
			continue
		}
		f := field{index: i}
		if f.shape = c.compile(sf.Type, depth+1); f.shape == nil || !f.parse(sf.Name, tag) {
			return nil
		}
		if slices.ContainsFunc(s.fields, func(o field) bool { return string(o.key) == string(f.key) }) {
			return nil
		}
		s.fields = append(s.fields, f)
	}
	if len(s.fields) == 0 || len(s.fields) > maxFields {
		return nil
	}
	return s.order()
}

// order puts the fields into the order of their keys; those of a tuple keep theirs, and are all written.
func (s *shape) order() *shape {
	s.op = opStruct
	if s.tuple {
		for i := range s.fields {
			s.fields[i].key, s.fields[i].omitEmpty, s.fields[i].omitZero = nil, false, false
		}
		return s
	}
	slices.SortFunc(s.fields, func(a, b field) int { return slices.Compare(a.key, b.key) })
	s.omits = slices.ContainsFunc(s.fields, func(f field) bool { return f.omitEmpty || f.omitZero })
	return s
}

// parse reads a tag, and reports whether it is understood.
func (f *field) parse(goName, tag string) bool {
	name, options, _ := strings.Cut(tag, ",")
	intKey := false
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			f.omitEmpty = true
		case "omitzero":
			f.omitZero = true
		case "keyasint":
			intKey = true
		}
	}
	if name == "" {
		name = goName
	}
	if f.op == opStruct && f.omitEmpty || f.omitZero && (f.op == opStruct || f.op == opArray || f.op == opByteArray || judgesZero(f.typ)) {
		return false
	}
	if !intKey {
		f.key = append(appendHead(nil, majorText, uint64(len(name))), name...)
		return true
	}
	n, err := strconv.Atoi(name)
	f.key = appendInt(nil, int64(n))
	return err == nil
}

// hasCodec reports whether t says itself how it is encoded or decoded.
func hasCodec(t reflect.Type) bool {
	if t.PkgPath() == cborPath || t.PkgPath() == "time" && t.Kind() == reflect.Struct || t.PkgPath() == "math/big" {
		return true
	}
	p := reflect.PointerTo(t)
	return slices.ContainsFunc(codecs[:], func(i reflect.Type) bool { return t.Implements(i) || p.Implements(i) })
}

// judgesZero reports whether t says itself what its zero is.
func judgesZero(t reflect.Type) bool {
	return t.Implements(zeroType) || reflect.PointerTo(t).Implements(zeroType)
}

var (
	cborPath = reflect.TypeFor[cbor.Tag]().PkgPath()
	zeroType = reflect.TypeFor[interface{ IsZero() bool }]()
	codecs   = [...]reflect.Type{
		reflect.TypeFor[cbor.Marshaler](), reflect.TypeFor[cbor.Unmarshaler](),
		reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
	}
)
