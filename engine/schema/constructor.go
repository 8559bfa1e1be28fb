package schema

import "reflect"

// Constructor describes the fields of an actor type that are copied to each rank: the exported ones. Unlike other
// structs an actor may have none of them.
func (b *Builder) Constructor(t reflect.Type) ([]Field, error) {
	fields, _, err := fieldsOf(t)
	if err != nil {
		return nil, &TypeError{t.String(), err.Error(), "fix the struct tag"}
	}
	if len(fields) == 0 {
		return nil, nil
	}
	s, err := undoing(b, func() (*Schema, error) { return b.structOf(t, t.String()) })
	if err != nil {
		return nil, err
	}
	return s.Fields, nil
}
