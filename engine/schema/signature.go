package schema

import (
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Signature is one line for people: HelloWorld(msg string) → int. An endpoint without an argument has a nil arg, one
// that returns only an error a nil result.
func Signature(name, param string, arg, result *Schema) string {
	var b strings.Builder
	b.WriteString(clean.Escape(name))
	b.WriteByte('(')
	switch {
	case arg == nil:
	case arg.Tuple:
		for i, f := range arg.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(clean.Escape(f.Name) + " " + f.Type.TypeName())
		}
	default:
		if param != "" && param != "_" {
			b.WriteString(clean.Escape(param))
			b.WriteByte(' ')
		}
		b.WriteString(arg.TypeName())
	}
	b.WriteByte(')')
	if result != nil {
		b.WriteString(" → ")
		b.WriteString(result.TypeName())
	}
	return b.String()
}

// Fields is the struct that s stands for, with its fields: {N int, Tag string}; of other kinds the name of the type.
func Fields(ts Types, s *Schema) string {
	d := ts.Deref(s)
	if d.Kind != KindStruct {
		return s.TypeName()
	}
	var parts []string
	for _, f := range d.Fields {
		parts = append(parts, clean.Escape(f.Name)+" "+f.Type.TypeName())
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
