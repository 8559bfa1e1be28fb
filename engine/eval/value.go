package eval

import (
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Incomplete stands for a value of which only a part is known. Whatever would need the rest of it is an error.
type Incomplete struct {
	shown string // what there is
	why   string // what was cut, and where the rest can be read
}

// Cut is a value of which only a part is known: shown is that part as text, why completes "it was cut: …".
func Cut(shown, why string) Incomplete { return Incomplete{shown, why} }

func (v Incomplete) err() error { return fmt.Errorf("%s was cut: %s", brief(v), v.why) }

// Whole reports whether nothing of a canonical value was cut.
func Whole(v any) bool {
	switch v := v.(type) {
	case Incomplete:
		return false
	case []any:
		return !slices.ContainsFunc(v, func(x any) bool { return !Whole(x) })
	case map[string]any:
		for _, x := range v {
			if !Whole(x) {
				return false
			}
		}
	}
	return true
}

// unbroken refuses values that were cut.
func unbroken(values ...any) error {
	for _, v := range values {
		if cut, ok := v.(Incomplete); ok {
			return cut.err()
		}
	}
	return nil
}

// Canonical is a value as the rules know it: see the package comment. What is of none of the kinds stays as it is.
// Lists and maps that hold canonical values are not copied.
func Canonical(v any) any {
	switch v := v.(type) {
	case nil, bool, int, float64, string, []byte, time.Time, time.Duration, Incomplete:
		return v
	case *big.Int:
		if v.IsInt64() {
			return int(v.Int64())
		}
		return v
	case []any:
		return canonicalList(v)
	case map[string]any:
		return canonicalMap(v)
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Bool:
		return rv.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(rv.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return Canonical(new(big.Int).SetUint64(rv.Uint()))
	case reflect.Float32, reflect.Float64:
		return rv.Float()
	case reflect.String:
		return rv.String()
	case reflect.Slice, reflect.Array:
		out := make([]any, rv.Len())
		for i := range out {
			out[i] = Canonical(rv.Index(i).Interface())
		}
		return out
	case reflect.Map:
		out := make(map[string]any, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			key, err := keyText(Canonical(it.Key().Interface()))
			if err != nil {
				return v
			}
			out[key] = Canonical(it.Value().Interface())
		}
		return out
	default:
		return v
	}
}

func canonicalList(v []any) any {
	for i, x := range v {
		if isCanonical(x) {
			continue
		}
		out := slices.Clone(v)
		for j := i; j < len(out); j++ {
			out[j] = Canonical(out[j])
		}
		return out
	}
	return v
}

func canonicalMap(v map[string]any) any {
	for _, x := range v {
		if isCanonical(x) {
			continue
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = Canonical(x)
		}
		return out
	}
	return v
}

// isCanonical is shallow: the parts of a list or a map are made canonical when they are looked at.
func isCanonical(v any) bool {
	switch v := v.(type) {
	case nil, bool, int, float64, string, []byte, time.Time, time.Duration, Incomplete, []any, map[string]any:
		return true
	case *big.Int:
		return !v.IsInt64()
	}
	return false
}

const maxShown = 400 // characters of a value in a report

// Show renders a value for a person: texts quoted, maps in the order of their keys, long ones cut with a count. The text
// may hold what a terminal acts on: texts are quoted, keys of maps are as they are.
func Show(v any) string {
	var b strings.Builder
	write(&b, Canonical(v), 0)
	return Shorten(b.String())
}

// brief is a value within a message.
func brief(v any) string {
	s := []rune(Show(v))
	if len(s) <= 60 {
		return string(s)
	}
	return string(s[:60]) + "…"
}

// Shorten cuts a long text, with a count.
func Shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	r := []rune(s)
	if len(r) <= maxShown {
		return s
	}
	return string(r[:maxShown]) + fmt.Sprintf("… (%d characters)", len(r))
}

func write(b *strings.Builder, v any, depth int) {
	if depth > 32 || b.Len() > 8*maxShown {
		b.WriteString("…")
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("nil")
	case string:
		b.WriteString(strconv.Quote(v))
	case []byte:
		fmt.Fprintf(b, "h'%x'", v)
	case time.Time:
		b.WriteString(v.Format(time.RFC3339Nano))
	case time.Duration:
		b.WriteString(v.String())
	case Incomplete:
		b.WriteString(v.shown)
	case []any:
		writeList(b, len(v), func(i int) { write(b, Canonical(v[i]), depth+1) })
	case map[string]any:
		b.WriteByte('{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(spelled(k) + ": ")
			write(b, Canonical(v[k]), depth+1)
		}
		b.WriteByte('}')
	default:
		fmt.Fprint(b, v)
	}
}

// spelled is a key as it is spelled, a name or a value such as {A: 1}, between quotes only where it would break its line.
func spelled(k string) string {
	if k == "" || strings.ContainsFunc(k, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(k)
	}
	return k
}

func writeList(b *strings.Builder, n int, item func(int)) {
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > 8*maxShown {
			fmt.Fprintf(b, "… %d more", n-i)
			break
		}
		item(i)
	}
	b.WriteByte(']')
}
