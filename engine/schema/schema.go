package schema

import (
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Kinds of Schema.
const (
	KindBool     = "bool"
	KindInt      = "int"
	KindUint     = "uint"
	KindFloat    = "float"
	KindString   = "string"
	KindBytes    = "bytes"
	KindTime     = "time"
	KindDuration = "duration"
	KindStruct   = "struct"
	KindList     = "list"
	KindMap      = "map"
	KindMesh     = "mesh"
	KindPort     = "port"
	KindAny      = "any"
	KindRef      = "ref" // a named type, to be looked up in Types
)

// Schema describes one type.
type Schema struct {
	Kind     string  // one of the Kind constants
	Name     string  // Go type as written, e.g. []main.Hop; of a ref the key in Types
	Bits     int     `cbor:",omitempty"` // of int, uint and float
	Len      int     `cbor:",omitempty"` // of arrays; 0 for slices
	Elem     *Schema `cbor:",omitempty"` // of lists and maps
	Key      *Schema `cbor:",omitempty"` // of maps
	Fields   []Field `cbor:",omitempty"` // of structs, in the order of the Go type
	Optional bool    `cbor:",omitempty"` // a pointer: null is allowed
	Array    bool    `cbor:",omitempty"` // a struct that travels as an array of its fields
	Tuple    bool    `cbor:",omitempty"` // several arguments: a struct of which Array holds and each field is one of them
	Mesh     string  `cbor:",omitempty"` // of meshes the full name of the actor type; "" for any
}

// Field is one field of a struct.
type Field struct {
	Name     string // as encoded
	Doc      string `cbor:",omitempty"` // from the tag doc:"…"
	Type     *Schema
	Required bool `cbor:",omitempty"` // tag monarch:"required": a literal must give it
	IntKey   bool `cbor:",omitempty"` // tag cbor:"…,keyasint": Name is a number and travels as one
}

// Types holds the schemas of named types by full name. A schema of KindRef points into it, so types may be recursive.
type Types map[string]*Schema

const maxHops = 32 // refs followed in a row; a longer chain is a loop

var anySchema = Schema{Kind: KindAny, Name: "any"}

// Deref follows refs. What cannot be found, and nil, is a schema of KindAny: it is safe for schemas from outside.
// Optional holds when any schema on the way has it.
func (ts Types) Deref(s *Schema) Schema {
	optional := false
	for range maxHops {
		if s == nil {
			break
		}
		optional = optional || s.Optional
		if s.Kind != KindRef {
			out := *s
			out.Optional = optional
			return out
		}
		s = ts[s.Name]
	}
	out := anySchema
	out.Optional = optional
	return out
}

// TypeName is the type as a person wants to read it: without the paths of packages, and without the package main.
func (s *Schema) TypeName() string {
	if s == nil || s.Name == "" {
		return "any"
	}
	name := ShortType(s.Name)
	if s.Kind == KindRef && s.Optional && !strings.HasPrefix(name, "*") {
		return "*" + name
	}
	return name
}

// ShortType cuts the paths of packages, and the package main, out of the name of a type: []demos/toy.Hop is []toy.Hop.
func ShortType(name string) string {
	const most = 200
	if len(name) > most {
		name = name[:most] + "…"
	}
	var b strings.Builder
	word := 0 // where the current qualified name begins
	flush := func(end int) {
		w := name[word:end]
		w = w[strings.LastIndexByte(w, '/')+1:]
		b.WriteString(strings.TrimPrefix(w, "main."))
	}
	for i := range len(name) {
		if strings.IndexByte("[]*, {};()", name[i]) >= 0 {
			flush(i)
			b.WriteByte(name[i])
			word = i + 1
		}
	}
	flush(len(name))
	return clean.Escape(b.String())
}
