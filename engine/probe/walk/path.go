package walk

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// follow finds the value at a path such as peers[3].name or tags["a"].
func follow(v reflect.Value, path string) (reflect.Value, error) {
	rest := path
	for rest != "" {
		seg, tail, err := cutPath(rest)
		if err != nil {
			return v, fmt.Errorf("path %q: %w", path, err)
		}
		rest = tail
		for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
			if v.IsNil() {
				return v, fmt.Errorf("path %q: nil before %s", path, seg)
			}
			v = Readable(v).Elem()
		}
		if v, err = step(Readable(v), seg); err != nil {
			return v, fmt.Errorf("path %q: %w", path, err)
		}
	}
	return v, nil
}

// cutPath cuts the first field name or [index] off a path.
func cutPath(path string) (seg, rest string, err error) {
	path = strings.TrimPrefix(path, ".")
	if strings.HasPrefix(path, "[") {
		end := closing(path)
		if end < 0 {
			return "", "", fmt.Errorf("[ without ]")
		}
		return path[:end+1], path[end+1:], nil
	}
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i], path[i:], nil
	}
	return path, "", nil
}

// closing is the place of the ] that ends the [ at the beginning, -1 without one. Between are whole numbers, quoted texts,
// and keys that are structs or arrays, which have brackets of their own.
func closing(path string) int {
	depth, quoted := 0, false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func step(v reflect.Value, seg string) (reflect.Value, error) {
	index, isIndex := strings.CutPrefix(seg, "[")
	if isIndex {
		index = strings.TrimSuffix(index, "]")
	}
	switch {
	case !v.IsValid():
		return v, fmt.Errorf("nothing before %s", seg)
	case v.Kind() == reflect.Struct && !isIndex:
		if f := v.FieldByName(seg); f.IsValid() {
			return f, nil
		}
		return v, fmt.Errorf("%s has no field %s", v.Type(), seg)
	case (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && isIndex:
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= v.Len() {
			return v, fmt.Errorf("no element %s: there are %d", seg, v.Len())
		}
		return v.Index(i), nil
	case v.Kind() == reflect.Map && isIndex:
		for _, e := range entriesOf(v) {
			if e.key == index {
				return e.val, nil
			}
		}
		return v, fmt.Errorf("no key %s", index)
	}
	return v, fmt.Errorf("%s cannot be followed into %s", v.Type(), seg)
}
