package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Tuple describes several arguments of an endpoint, which have no names yet.
func Tuple(args []*Schema) *Schema {
	s := &Schema{Kind: KindStruct, Array: true, Tuple: true}
	var names []string
	for i, a := range args {
		s.Fields = append(s.Fields, Field{Name: tupleName(i), Type: a, Required: true})
		names = append(names, a.TypeName())
	}
	s.Name = "(" + strings.Join(names, ", ") + ")"
	return s
}

// Named is a tuple whose arguments have these names, where they are names that differ.
func (s *Schema) Named(names []string) *Schema {
	out := *s
	out.Fields = slices.Clone(s.Fields)
	for i := range out.Fields {
		if i < len(names) && names[i] != "" && names[i] != "_" {
			out.Fields[i].Name = names[i]
		}
	}
	for i, f := range out.Fields {
		if findField(out.Fields, f.Name) != i { // two of one name
			return s
		}
	}
	return &out
}

func tupleName(i int) string { return "arg" + strconv.Itoa(i+1) }

// tuple reads several arguments: by name, {a: 1, b: x}, or one after the other, 1 x, with or without commas. Where the first
// one may begin with a brace itself, the reading that fits counts.
func (p *litParser) tuple(s *Schema, path string) ([]byte, error) {
	begin := p.pos
	byName := func() ([]byte, error) {
		p.pos = begin
		out, err := p.structure(s, path, 0)
		if err != nil {
			return nil, err
		}
		return out, p.end(path)
	}
	if p.peek() != '{' {
		return p.inTurn(s)
	}
	switch d := p.types.Deref(s.Fields[0].Type); d.Kind {
	case KindStruct, KindMap, KindAny:
		out, err := p.inTurn(s)
		if err == nil {
			return out, nil
		}
		if named, nameErr := byName(); nameErr == nil {
			return named, nil
		}
		return nil, err
	}
	return byName()
}

// inTurn reads the arguments one after the other.
func (p *litParser) inTurn(s *Schema) ([]byte, error) {
	var items [][]byte
	for i, f := range s.Fields {
		if p.space(); i > 0 && p.peek() == ',' {
			p.pos++
		}
		if p.space(); p.pos == len(p.text) {
			d := p.types.Deref(f.Type)
			return nil, p.fail(p.pos, clean.Escape(f.Name), "want %s, but the text ends: %d of %d arguments are given", want(&d), i, len(s.Fields))
		}
		item, err := p.value(f.Type, clean.Escape(f.Name), 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return encList(items), p.end(s.Fields[len(s.Fields)-1].Name)
}
