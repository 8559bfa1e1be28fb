package schema

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Builder derives schemas from Go types. Named structs, and other named types that contain themselves, go into
// Types and are referred to by name. It is not safe for concurrent use.
type Builder struct {
	Types Types

	keys map[reflect.Type]string // of named types seen so far
	used map[string]reflect.Type // the same, reversed
	open map[reflect.Type]bool   // named types that are not structs, being built: a second meeting is a recursion
	loop map[reflect.Type]bool   // those that were met again
	done map[reflect.Type]bool   // structs whose schema is in Types or being built
	news []reflect.Type          // what the Of under way has put into loop and done

	inAny bool // the types are of what anys hold: maps whose keys are anys pass, meshes, proc meshes and ports do not
}

// NewBuilder returns a Builder without types.
func NewBuilder() *Builder {
	return &Builder{
		Types: Types{}, keys: map[reflect.Type]string{}, used: map[string]reflect.Type{},
		open: map[reflect.Type]bool{}, loop: map[reflect.Type]bool{}, done: map[reflect.Type]bool{},
	}
}

// TypeError says why a type cannot travel.
type TypeError struct {
	Path   string // from the type asked for, e.g. main.Job.Steps[].Run
	Reason string
	Fix    string // what to do
}

// Error is the path, the reason and what to do.
func (e *TypeError) Error() string { return e.Path + ": " + e.Reason + "; " + e.Fix }

// sayer is a type that knows its own schema: engine.Mesh, engine.ProcMesh and engine.Port.
type sayer interface {
	SchemaKind() (kind, mesh string)
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	durationType    = reflect.TypeFor[time.Duration]()
	errorType       = reflect.TypeFor[error]()
	sayerType       = reflect.TypeFor[sayer]()
	marshalerType   = reflect.TypeFor[cbor.Marshaler]()
	unmarshalerType = reflect.TypeFor[cbor.Unmarshaler]()
	textOutType     = reflect.TypeFor[encoding.TextMarshaler]()
	stringerType    = reflect.TypeFor[fmt.Stringer]()
	binaryOutType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryInType    = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// Of describes t. What cannot survive the trip to another process is refused with a *TypeError: funcs, channels,
// complex numbers, raw pointers, interfaces with methods (error among them), structs that have only unexported
// fields, map keys that are no strings, integers or bools. A type that is refused leaves nothing behind: asked again, it is
// refused again.
func (b *Builder) Of(t reflect.Type) (*Schema, error) {
	if t == nil {
		return nil, &TypeError{Path: "nil", Reason: "it has no type", Fix: "give a concrete type"}
	}
	return undoing(b, func() (*Schema, error) { return b.of(t, t.String()) })
}

// undoing forgets what build has put into the Builder when it fails: also types that are fine by themselves, for they
// may refer to one that is not.
func undoing[R any](b *Builder, build func() (R, error)) (R, error) {
	b.news = b.news[:0]
	r, err := build()
	if err != nil {
		for _, n := range b.news {
			delete(b.loop, n)
			delete(b.done, n)
			delete(b.Types, b.keys[n])
		}
	}
	return r, err
}

func (b *Builder) of(t reflect.Type, path string) (*Schema, error) {
	if s, ok := special(t); ok {
		if b.inAny && says(t) {
			what := "a " + s.Kind
			if s.Kind == KindAny { // a proc mesh
				what = "a value of this type"
			}
			return nil, &TypeError{path, "in an any " + what + inAnyList, inAnyFix}
		}
		return s, nil
	}
	if t.Kind() == reflect.Struct {
		return b.structRef(t, path)
	}
	if t.PkgPath() == "" {
		return b.plain(t, path)
	}
	ref := &Schema{Kind: KindRef, Name: b.key(t)}
	if b.loop[t] || b.open[t] {
		if !b.loop[t] {
			b.loop[t], b.news = true, append(b.news, t)
		}
		return ref, nil
	}
	b.open[t] = true
	s, err := b.plain(t, path)
	delete(b.open, t)
	if err != nil {
		return nil, err
	}
	if b.loop[t] {
		b.Types[ref.Name] = s
		return ref, nil
	}
	return s, nil
}

const (
	inAnyList = " arrives as a list of its parts"
	inAnyFix  = "give the argument or the field that type"
	noMesh    = "in an any a mesh" + inAnyList + "; " + inAnyFix
)

// says reports whether t, or what it points to, is a sayer.
func says(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	return reflect.PointerTo(t).Implements(sayerType)
}

// special are types that say what they are, whatever they are made of.
func special(t reflect.Type) (*Schema, bool) {
	s := &Schema{Name: t.String()}
	base := t
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		base, s.Optional = t.Elem(), true
	}
	ptr := reflect.PointerTo(base)
	switch {
	case base.Kind() == reflect.Pointer || base.Kind() == reflect.Interface:
		return nil, false
	case base == timeType:
		s.Kind = KindTime
	case base == durationType:
		s.Kind = KindDuration
	case ptr.Implements(sayerType):
		s.Kind, s.Mesh = reflect.New(base).Interface().(sayer).SchemaKind()
	case ptr.Implements(marshalerType) || ptr.Implements(unmarshalerType):
		s.Kind = KindAny
	case ptr.Implements(binaryOutType) && ptr.Implements(binaryInType):
		s.Kind = KindBytes
	case base.PkgPath() == "math/big" && base.Name() == "Int", base.PkgPath() == marshalerType.PkgPath():
		s.Kind = KindAny // the codec has an encoding of its own for these
	default:
		return nil, false
	}
	return s, true
}

func (b *Builder) plain(t reflect.Type, path string) (*Schema, error) {
	s := &Schema{Name: t.String()}
	var err error
	switch t.Kind() {
	case reflect.Bool:
		s.Kind = KindBool
	case reflect.String:
		s.Kind = KindString
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.Kind, s.Bits = KindInt, t.Bits()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.Kind, s.Bits = KindUint, t.Bits()
	case reflect.Float32, reflect.Float64:
		s.Kind, s.Bits = KindFloat, t.Bits()
	case reflect.Slice, reflect.Array:
		s.Kind = KindList
		if t.Kind() == reflect.Array {
			s.Len = t.Len()
			if s.Len == 0 {
				return nil, &TypeError{path, "an array of length 0 holds nothing", "use a slice"}
			}
		}
		if t.Elem().Kind() == reflect.Uint8 {
			s.Kind = KindBytes
			return s, nil
		}
		s.Elem, err = b.of(t.Elem(), path+"[]")
	case reflect.Map:
		s.Kind = KindMap
		if s.Key, err = b.of(t.Key(), path+"[key]"); err != nil {
			return nil, err
		}
		switch s.Key.Kind {
		case KindString, KindInt, KindUint, KindBool, KindDuration:
		case KindAny:
			if !b.inAny || t.Key().Kind() != reflect.Interface {
				return nil, refuseKeys(t, path)
			}
		default:
			return nil, refuseKeys(t, path)
		}
		s.Elem, err = b.of(t.Elem(), path+"[]")
	case reflect.Pointer:
		return b.pointer(t, path)
	case reflect.Interface:
		return b.iface(t, path)
	default:
		return nil, refuse(t, path)
	}
	return s, err
}

func refuseKeys(t reflect.Type, path string) error {
	return &TypeError{path, "its keys are " + t.Key().String(), "use string, integer or bool keys, or a list of pairs"}
}

func refuse(t reflect.Type, path string) error {
	switch t.Kind() {
	case reflect.Func:
		return &TypeError{path, "a func cannot travel to another process", "send data, and let the actor choose what to run"}
	case reflect.Chan:
		return &TypeError{path, "a channel cannot travel to another process", "use engine.Channel and send its Port"}
	case reflect.Complex64, reflect.Complex128:
		return &TypeError{path, "CBOR has no complex numbers", "send the real and the imaginary part as floats"}
	default:
		return &TypeError{path, "a " + t.String() + " means nothing in another process", "send the data that it stands for"}
	}
}

// pointer follows pointers to pointers too: they travel as one optional value.
func (b *Builder) pointer(t reflect.Type, path string) (*Schema, error) {
	seen := map[reflect.Type]bool{}
	elem := t
	for elem.Kind() == reflect.Pointer {
		if seen[elem] {
			return nil, &TypeError{path, t.String() + " points only to itself", "use a struct with a pointer in it"}
		}
		seen[elem] = true
		elem = elem.Elem()
	}
	s, err := b.of(elem, path)
	if err != nil {
		return nil, err
	}
	out := *s
	out.Optional = true
	if out.Kind != KindRef { // of a ref the name is the key
		out.Name = t.String()
	}
	return &out, nil
}

func (b *Builder) iface(t reflect.Type, path string) (*Schema, error) {
	switch {
	case t == errorType:
		return nil, &TypeError{path, "a bare error loses its type on the way", "use a string here, or return the error from the endpoint: errors.Is then works across processes"}
	case t.NumMethod() > 0:
		return nil, &TypeError{path, "the other side cannot know which type is in the interface " + t.String(), "use a concrete type"}
	}
	return &Schema{Kind: KindAny, Name: "any"}, nil
}

// structRef puts the struct into Types, once, and refers to it. Structs without a name are described in place.
func (b *Builder) structRef(t reflect.Type, path string) (*Schema, error) {
	if t.Name() == "" {
		return b.structOf(t, path)
	}
	ref := &Schema{Kind: KindRef, Name: b.key(t)}
	if b.done[t] {
		return ref, nil
	}
	b.done[t], b.news = true, append(b.news, t)
	s, err := b.structOf(t, path)
	if err != nil {
		return nil, err
	}
	b.Types[ref.Name] = s
	return ref, nil
}

// key is the full name of t. Types declared in functions may share one, so it is numbered where needed.
func (b *Builder) key(t reflect.Type) string {
	if k, ok := b.keys[t]; ok {
		return k
	}
	full := t.PkgPath() + "." + t.Name()
	k := full
	for i := 2; b.used[k] != nil; i++ {
		k = full + "#" + strconv.Itoa(i)
	}
	b.keys[t], b.used[k] = k, t
	return k
}

func (b *Builder) structOf(t reflect.Type, path string) (*Schema, error) {
	fields, options, err := fieldsOf(t)
	if err != nil {
		return nil, &TypeError{path, err.Error(), "fix the struct tag"}
	}
	if len(fields) == 0 && t.NumField() > 0 {
		return nil, &TypeError{path, fmt.Sprintf("%s has only unexported fields, and those do not travel", t), hidden(t)}
	}
	s := &Schema{Kind: KindStruct, Name: t.String(), Array: options.array}
	for _, f := range fields {
		ft, err := b.of(f.typ, path+"."+f.goName)
		if err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, Field{
			Name: f.name, Doc: f.tag.Get("doc"), Type: ft,
			Required: hasOption(f.tag.Get("monarch"), "required"), IntKey: f.intKey && !options.array,
		})
	}
	return s, nil
}

// hidden is what to do about a type that has only unexported fields: a stranger's cannot be changed.
func hidden(t reflect.Type) string {
	if ptr := reflect.PointerTo(t); ptr.Implements(textOutType) || ptr.Implements(stringerType) {
		return "send its text, or give it MarshalCBOR and UnmarshalCBOR"
	}
	return "export what should arrive, or give it MarshalCBOR and UnmarshalCBOR"
}
