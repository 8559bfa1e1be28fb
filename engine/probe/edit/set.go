package edit

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Set gives what is at a path of root the value of a literal. Root has an address, or is a pointer; the path is one of
// control.StateNode, "" for root itself.
//
// A pointer that is not nil stays, and what it leads to is set; null makes it nil. What an interface holds keeps its type;
// null empties it. Of a map, the entry of a key that is not there is added.
//
// Its errors name the path, and what would be right: a *schema.LiteralError has the column too.
func Set(root reflect.Value, path, literal string) (err error) {
	shown := clean.EscapeCut(path, 200)
	if shown == "" {
		shown = "the value"
	}
	defer calm(&err, shown)
	if len(path) > maxPath {
		return fmt.Errorf("a path may have %d bytes, this has %d", maxPath, len(path))
	}
	if root.Kind() == reflect.Pointer && !root.IsNil() {
		root = root.Elem()
	}
	if !root.CanAddr() {
		return errors.New("nothing can be set here: the value has no address")
	}
	s := &setter{path: path, shown: shown, literal: literal}
	return s.into(walk.Readable(root), path, 0)
}

// setter is one Set on its way.
type setter struct {
	path    string
	shown   string // the path, for errors
	literal string
}

// fail is an error at the place before the rest of the path.
func (s *setter) fail(rest, format string, args ...any) error {
	before := clean.EscapeCut(strings.TrimSuffix(s.path, rest), 200)
	if before != "" {
		before += ": "
	}
	return fmt.Errorf("set %s: %s%s", s.shown, before, fmt.Sprintf(format, args...))
}

// into goes along the rest of the path from v, which can be set. What lies in a map or an interface has no address: a copy
// is changed, and put back when all is well.
func (s *setter) into(v reflect.Value, rest string, hops int) error {
	if rest == "" {
		return s.assign(v, hops)
	}
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		switch {
		case v.IsNil():
			return s.fail(rest, "it is nil, and has no %s", clean.EscapeCut(rest, 80))
		case hops > maxHops:
			return s.fail(rest, "pointers lead from one to the next more than %d times", maxHops)
		case v.Kind() == reflect.Pointer:
			return s.into(walk.Readable(v.Elem()), rest, hops+1)
		}
		return s.boxed(v, func(inner reflect.Value) error { return s.into(inner, rest, hops+1) })
	}
	segment, tail, err := walk.CutPath(rest)
	if err != nil {
		return s.fail(rest, "%s", err)
	}
	index, isIndex := strings.CutPrefix(segment, "[")
	index = strings.TrimSuffix(index, "]")
	switch k := v.Kind(); {
	case k == reflect.Struct && !isIndex:
		return s.field(v, segment, rest, tail)
	case (k == reflect.Slice || k == reflect.Array) && isIndex:
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= v.Len() {
			return s.fail(rest, "there is no element %s: there are %d", clean.EscapeCut(segment, 80), v.Len())
		}
		return s.into(walk.Readable(v.Index(i)), tail, 0)
	case k == reflect.Map && isIndex:
		return s.entry(v, index, rest, tail)
	}
	return s.fail(rest, "%s has no %s", schema.ShortType(v.Type().String()), clean.EscapeCut(segment, 80))
}

// boxed changes a copy of what an interface holds, and puts it back.
func (s *setter) boxed(v reflect.Value, change func(inner reflect.Value) error) error {
	inner := reflect.New(v.Elem().Type()).Elem()
	inner.Set(v.Elem())
	if err := change(inner); err != nil {
		return err
	}
	v.Set(inner)
	return nil
}

func (s *setter) field(v reflect.Value, name, rest, tail string) error {
	f, ok := v.Type().FieldByName(name)
	if !ok {
		return s.fail(rest, "%s has no field %s%s", schema.ShortType(v.Type().String()), clean.Quote(name, 80), schema.Suggest(name, fieldsOf(v.Type())))
	}
	for i, n := range f.Index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return s.fail(rest, "the embedded %s that has %s is nil", v.Type(), name)
			}
			v = v.Elem()
		}
		v = walk.Readable(v.Field(n))
	}
	return s.into(v, tail, 0)
}

func fieldsOf(t reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Name != "_" {
			names = append(names, f.Name)
		}
	}
	return names
}

func (s *setter) entry(m reflect.Value, text, rest, tail string) error {
	t := m.Type()
	value := reflect.New(t.Elem()).Elem()
	key, ok := walk.FindKey(m, text)
	if !ok {
		k, err := literal("key", t.Key(), text)
		if err != nil {
			return s.fail(rest, "there is no key %s", clean.EscapeCut(text, 80))
		}
		key = k
	}
	switch old := m.MapIndex(key); {
	case old.IsValid():
		value.Set(old)
	case ok:
		return s.fail(rest, "the entry of %s cannot be set: that key is not equal to itself", clean.EscapeCut(text, 80))
	case tail != "":
		return s.fail(rest, "there is no key %s", clean.EscapeCut(text, 80))
	case m.IsNil():
		return s.fail(rest, "the map is nil: it can be set as a whole, such as {%s: …}", clean.EscapeCut(text, 80))
	}
	if err := s.into(value, tail, 0); err != nil {
		return err
	}
	m.SetMapIndex(key, value)
	return nil
}

// assign gives v the value of the literal.
func (s *setter) assign(v reflect.Value, hops int) error {
	t := v.Type()
	null := strings.TrimSpace(s.literal) == "null"
	switch k := t.Kind(); {
	case (k == reflect.Pointer || k == reflect.Interface) && null:
		v.SetZero()
		return nil
	case hops > maxHops:
		return s.fail("", "pointers lead from one to the next more than %d times", maxHops)
	case k == reflect.Pointer && !v.IsNil():
		return s.assign(walk.Readable(v.Elem()), hops+1)
	case k == reflect.Interface && !v.IsNil():
		err := s.boxed(v, func(inner reflect.Value) error { return s.assign(inner, hops+1) })
		if err != nil {
			return fmt.Errorf("%w; the interface holds %s, and null empties it", err, schema.ShortType(v.Elem().Type().String()))
		}
		return nil
	case k == reflect.Interface && t.NumMethod() > 0:
		return s.fail("", "the interface %s holds nothing, so that nobody knows which type to make", schema.ShortType(t.String()))
	}
	if name := hidden(t); name != "" {
		return s.fail("", "a literal of %s cannot say %s, which would be lost: set its fields one by one", schema.ShortType(t.String()), name)
	}
	x, err := literal(s.shown, t, s.literal)
	if err != nil {
		return err
	}
	v.Set(x)
	return nil
}
