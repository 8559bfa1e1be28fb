package schema

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// goField is one field that travels, promoted ones of embedded structs among them.
type goField struct {
	name   string // as encoded
	goName string
	typ    reflect.Type
	tag    reflect.StructTag
	tagged bool
	intKey bool
	index  []int
}

type structOptions struct{ array bool }

// fieldsOf lists the fields of a struct that are encoded, by the rules that encoding/json has and fxamacker/cbor
// follows: exported fields, and those of embedded structs without a name of their own; of two with one name the
// shallower wins, then the tagged one, else neither is encoded.
func fieldsOf(t reflect.Type) ([]goField, structOptions, error) {
	var options structOptions
	if f, ok := t.FieldByName("_"); ok {
		options.array = hasOption(f.Tag.Get("cbor"), "toarray")
	}
	type level struct {
		typ   reflect.Type
		index []int
	}
	var all []goField
	visited := map[reflect.Type]bool{t: true}
	for current := []level{{typ: t}}; len(current) > 0; {
		var next []level
		for _, l := range current {
			found, embedded, err := direct(l.typ, l.index)
			if err != nil {
				return nil, options, err
			}
			all = append(all, found...)
			for _, e := range embedded {
				next = append(next, level{e.typ, e.index})
			}
		}
		current = current[:0]
		for _, l := range next { // of one type embedded twice at one level, neither counts
			twice := slices.ContainsFunc(next, func(o level) bool { return o.typ == l.typ && !slices.Equal(o.index, l.index) })
			if !twice && !visited[l.typ] {
				current = append(current, l)
			}
		}
		for _, l := range current {
			visited[l.typ] = true
		}
	}
	return dominant(all), options, nil
}

// direct lists the fields of one struct and the structs embedded in it.
func direct(t reflect.Type, index []int) (fields, embedded []goField, err error) {
	for i := range t.NumField() {
		f := t.Field(i)
		base := f.Type
		for base.Kind() == reflect.Pointer && base != base.Elem() {
			base = base.Elem()
		}
		nested := f.Anonymous && base.Kind() == reflect.Struct
		if !f.IsExported() && !nested {
			continue
		}
		tag := f.Tag.Get("cbor")
		if tag == "" {
			tag = f.Tag.Get("json")
		}
		if tag == "-" {
			continue
		}
		name, _, _ := strings.Cut(tag, ",")
		g := goField{
			name: cmp.Or(name, f.Name), goName: f.Name, typ: f.Type, tag: f.Tag, tagged: tag != "",
			intKey: hasOption(tag, "keyasint"), index: append(slices.Clone(index), i),
		}
		switch {
		case nested && name == "":
			if f.Type.Kind() == reflect.Pointer && !f.IsExported() {
				return nil, nil, fmt.Errorf("the embedded *%s cannot be filled in, because its type is unexported", base)
			}
			g.typ = base
			embedded = append(embedded, g)
			continue
		case !f.IsExported():
			continue // an embedded unexported struct under a name of its own cannot be set
		case g.intKey:
			n, err := strconv.Atoi(g.name)
			if err != nil {
				return nil, nil, fmt.Errorf("field %s is keyasint, and its key %q is no integer", f.Name, g.name)
			}
			g.name = strconv.Itoa(n)
		}
		fields = append(fields, g)
	}
	return fields, embedded, nil
}

// dominant drops the fields that others hide and sorts the rest as the Go type has them.
func dominant(all []goField) []goField {
	rank := func(f goField) int { // smaller wins
		if f.tagged {
			return 2 * len(f.index)
		}
		return 2*len(f.index) + 1
	}
	out := slices.Clone(all)
	out = slices.DeleteFunc(out, func(f goField) bool {
		return slices.ContainsFunc(all, func(o goField) bool {
			return o.name == f.name && o.intKey == f.intKey && !slices.Equal(o.index, f.index) && rank(o) <= rank(f)
		})
	})
	slices.SortFunc(out, func(a, b goField) int { return slices.Compare(a.index, b.index) })
	return out
}

// hasOption reports whether a struct tag, or a part of it after the name, is the option.
func hasOption(tag, option string) bool {
	return slices.Contains(strings.Split(tag, ","), option)
}
