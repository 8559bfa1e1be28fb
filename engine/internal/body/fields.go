package body

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// maxName bounds the name of a field in what is said of it.
const maxName = 100

// DecodeFields decodes fields by name into a zero value of a type that may have other ones. What does not fit keeps its zero
// value, and is told; knows are the names of the fields that there are.
func (c *Codec) DecodeFields(b []byte, self any, knows map[string]bool) (notes []string, err error) {
	var fields map[string]cbor.RawMessage
	if err := quicnet.Dec().Unmarshal(b, &fields); err != nil { // it has an encoding of its own
		return nil, c.Decode(b, self)
	}
	t := reflect.TypeOf(self).Elem()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !knows[name] {
			notes = append(notes, fmt.Sprintf("%s is no field any more: its value is gone", clean.Clip(name, maxName)))
			delete(fields, name)
			continue
		}
		one, err := quicnet.Enc().Marshal(map[string]cbor.RawMessage{name: fields[name]})
		if err == nil {
			err = c.Decode(one, reflect.New(t).Interface())
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s does not fit: %v; it has its zero value", name, err))
			delete(fields, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(knows)) {
		if _, has := fields[name]; !has && !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, name+" ") }) {
			notes = append(notes, name+" is new: it has its zero value")
		}
	}
	rest, err := quicnet.Enc().Marshal(fields)
	if err != nil {
		return notes, err
	}
	return notes, c.Decode(rest, self)
}
