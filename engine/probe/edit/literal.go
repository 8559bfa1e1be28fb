package edit

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/internal/body"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Bounds of what a person types.
const (
	maxLiteral = 1 << 20 // bytes
	maxPath    = 4 << 10 // bytes
	maxHops    = 16      // pointers and interfaces that lead to each other
)

// Literal is a value of a type, written as calls are: for a result or an argument that takes the place of another. Its errors
// say what was wanted and in which column; one of a type that has no literals says why.
func Literal(t reflect.Type, text string) (v reflect.Value, err error) {
	defer calm(&err, "the literal")
	return literal("value", t, text)
}

// literal is Literal with the name of what is set.
func literal(name string, t reflect.Type, text string) (reflect.Value, error) {
	if t == nil {
		return reflect.Value{}, fmt.Errorf("%s has no type: nothing can be written for it", name)
	}
	if len(text) > maxLiteral {
		return reflect.Value{}, fmt.Errorf("%s: a literal may have %d bytes, this has %d", name, maxLiteral, len(text))
	}
	if endless(t, map[reflect.Type]bool{}) {
		return reflect.Value{}, fmt.Errorf("%s: no literal makes %s: it has pointers that lead to nothing but pointers", name, schema.ShortType(t.String()))
	}
	b := schema.NewBuilder()
	s, err := b.Of(t)
	if err != nil {
		return reflect.Value{}, fmt.Errorf("%s: no literal makes %s: %w", name, schema.ShortType(t.String()), reason(err))
	}
	encoded, err := schema.ParseArg(name, b.Types, s, text, nil)
	if err != nil {
		return reflect.Value{}, err //nolint:wrapcheck // it names the path and the column
	}
	v := reflect.New(t)
	if err := body.NewCodec().Decode(encoded, v.Interface()); err != nil {
		return reflect.Value{}, fmt.Errorf("%s: %s is no %s: %w", name, strings.TrimSpace(text), schema.ShortType(t.String()), err)
	}
	return v.Elem(), nil
}

// endless reports whether there is a type of pointers to itself in t, such as type P *P: decoding one would never end.
func endless(t reflect.Type, seen map[reflect.Type]bool) bool {
	hops := 0
	for ; t.Kind() == reflect.Pointer; t = t.Elem() {
		if hops++; hops > maxHops {
			return true
		}
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return endless(t.Elem(), seen)
	case reflect.Map:
		return endless(t.Key(), seen) || endless(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if f.IsExported() && endless(f.Type, seen) {
				return true
			}
		}
	default:
	}
	return false
}

// reason is why a type has no literals, without what to do about it when it should travel.
func reason(err error) error {
	if te, ok := errors.AsType[*schema.TypeError](err); ok {
		return fmt.Errorf("%s: %s", schema.ShortType(te.Path), te.Reason)
	}
	return err
}

// calm makes an error of a panic: decoding and comparing may run methods of the program's own types.
func calm(err *error, what string) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("setting %s panicked: %v", what, p)
	}
}

// hidden is a field of a struct that no literal can give, "" where there is none.
func hidden(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Array:
		return hidden(t.Elem())
	case reflect.Struct:
	default:
		return ""
	}
	b := schema.NewBuilder()
	if s, err := b.Of(t); err == nil {
		if d := b.Types.Deref(s); d.Kind != schema.KindStruct {
			return "" // it has a form of its own, as a time has
		}
	}
	for f := range t.Fields() {
		tag, fromCBOR := f.Tag.Lookup("cbor")
		if !fromCBOR {
			tag = f.Tag.Get("json")
		}
		if f.Name == "_" {
			continue
		}
		embedded := f.Anonymous && f.Type.Kind() == reflect.Struct
		if tag == "-" || !f.IsExported() && !embedded {
			return f.Name
		}
		if below := hidden(f.Type); below != "" {
			return f.Name + "." + below
		}
	}
	return ""
}
