package walk

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
)

// entry is an entry of a map, with its key as text.
type entry struct {
	key string
	was reflect.Value // the key
	val reflect.Value
}

// entriesOf are the entries of a map by the text of their keys, in the order of the texts, at most maxKeys. Keys of which
// the texts are the same, such as 1 and int8(1), or pointers, are numbered: no entry hides another. Their order is that of
// their types, then that of what the entries hold, then that of their addresses.
func entriesOf(v reflect.Value) []entry {
	out := make([]entry, 0, min(v.Len(), maxKeys))
	for it := v.MapRange(); it.Next() && len(out) < maxKeys; {
		out = append(out, entry{keyText(it.Key(), false, 0), it.Key(), it.Value()})
	}
	slices.SortStableFunc(out, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for i := 0; i < len(out); {
		same := 1
		for i+same < len(out) && out[i+same].key == out[i].key {
			same++
		}
		if same > 1 {
			number(out[i : i+same])
		}
		i += same
	}
	return out
}

// number orders entries whose keys have the same text, and numbers them from the second.
func number(same []entry) {
	type look struct {
		entry
		typed, holds string
	}
	looks := make([]look, len(same))
	for i, e := range same {
		looks[i] = look{e, keyText(e.was, true, 0), keyText(e.val, true, maxDepth-1)}
	}
	slices.SortStableFunc(looks, func(a, b look) int {
		return cmp.Or(strings.Compare(a.typed, b.typed), strings.Compare(a.holds, b.holds), cmp.Compare(address(a.was), address(b.was)))
	})
	for i, l := range looks {
		same[i] = l.entry
		if i > 0 {
			same[i].key += fmt.Sprintf(" #%d", i+1)
		}
	}
}

// address is that of what a key points to, 0 where it does not.
func address(v reflect.Value) uintptr {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Chan, reflect.UnsafePointer:
		return v.Pointer()
	default:
		return 0
	}
}

// keyText is the key of a map as text: what a literal of the language would be, {A: 1, B: 2} for a struct. With types it
// says of what is in interfaces also the type.
func keyText(v reflect.Value, types bool, depth int) string {
	if depth > maxDepth {
		return "…"
	}
	list := func(open, shut string, n int, part func(int) string) string {
		parts := make([]string, 0, min(n, maxKeyParts))
		for i := range n {
			if i == maxKeyParts {
				parts = append(parts, "…")
				break
			}
			parts = append(parts, part(i))
		}
		return open + strings.Join(parts, ", ") + shut
	}
	if v.IsValid() && v.Type() == durationType {
		return time.Duration(v.Int()).String()
	}
	if v.IsValid() && v.Type() == timeType && v.CanInterface() {
		if t, ok := reflect.TypeAssert[time.Time](v); ok {
			return timeText(t)
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		return list("{", "}", v.NumField(), func(i int) string {
			return v.Type().Field(i).Name + ": " + keyText(v.Field(i), types, depth+1)
		})
	case reflect.Array:
		return list("[", "]", v.Len(), func(i int) string { return keyText(v.Index(i), types, depth+1) })
	case reflect.Interface:
		switch {
		case v.IsNil():
		case types:
			return v.Elem().Type().String() + "(" + keyText(v.Elem(), types, depth+1) + ")"
		default:
			return keyText(v.Elem(), types, depth+1)
		}
	default:
	}
	_, text := scalar(v, maxKeyText)
	return text
}
