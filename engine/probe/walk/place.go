package walk

import "reflect"

// CutPath cuts the first field name or [index] off a path as control.StateNode has it.
func CutPath(path string) (segment, rest string, err error) { return cutPath(path) }

// FindKey finds the key of a map by its text in a path. Of a map with more than 100,000 entries it looks at so many.
func FindKey(m reflect.Value, text string) (reflect.Value, bool) {
	for _, e := range entriesOf(m) {
		if e.key == text {
			return e.was, true
		}
	}
	return reflect.Value{}, false
}
