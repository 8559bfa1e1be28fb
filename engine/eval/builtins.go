package eval

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Functions are the names of functions that a person is likely to want; "did you mean" picks from them.
func Functions() []string {
	return []string{"fmt", "all", "any", "none", "one", "filter", "map", "count", "len", "sum", "mean", "median", "min", "max", "first", "last", "keys", "values", "sort", "uniq", "join", "split", "int", "float", "string", "abs", "round"}
}

// length counts elements, entries, the runes of a text, and bytes.
func length(args ...any) (any, error) {
	switch v := Canonical(args[0]).(type) {
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	case string:
		return utf8.RuneCountInString(v), nil
	case []byte:
		return len(v), nil
	case Incomplete:
		return nil, v.err()
	default:
		return nil, fmt.Errorf("len wants a list, a map or a text, not the %s %s", kindOf(v), brief(v))
	}
}

// spread are the arguments of a function, or the elements of the list that is its only one.
func spread(name string, args []any) ([]any, error) {
	out := make([]any, 0, len(args))
	for _, a := range args {
		switch v := Canonical(a).(type) {
		case []any:
			out = append(out, v...)
		case Incomplete:
			return nil, v.err()
		default:
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s of nothing: the list is empty", name)
	}
	return out, nil
}

// sum adds up a list; that of nothing is 0.
func sum(args ...any) (any, error) {
	list, ok := Canonical(args[0]).([]any)
	if !ok {
		return nil, fmt.Errorf("sum wants a list, not the %s %s", kindOf(args[0]), brief(args[0]))
	}
	var total any = 0
	for i, v := range list {
		if i == 0 && kindOf(v) == "duration" {
			total = v
			continue
		}
		var err error
		if total, err = add(total, v); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// extreme is max (1) or min (-1).
func extreme(sign int) func(args ...any) (any, error) {
	name, wanted := "max", greater
	if sign < 0 {
		name, wanted = "min", less
	}
	return func(args ...any) (any, error) {
		list, err := spread(name, args)
		if err != nil {
			return nil, err
		}
		best := list[0]
		for _, v := range list {
			o, err := order(v, best)
			if err != nil {
				return nil, err
			}
			if o == wanted || o == unordered {
				best = v // NaN spreads, as in sums
			}
			if o == unordered {
				return best, nil
			}
		}
		return best, nil
	}
}

func mean(args ...any) (any, error) {
	list, err := spread("mean", args)
	if err != nil {
		return nil, err
	}
	total, err := sum(list)
	if err != nil {
		return nil, err
	}
	return divide(total, len(list))
}

func median(args ...any) (any, error) {
	list, err := spread("median", args)
	if err != nil {
		return nil, err
	}
	v, err := sorted(list)
	if err != nil {
		return nil, err
	}
	list, _ = v.([]any)
	if mid := len(list) / 2; len(list)%2 == 1 {
		return list[mid], nil
	} else if total, err := add(list[mid-1], list[mid]); err != nil {
		return nil, err
	} else {
		return divide(total, 2)
	}
}

// sorted is sort(list) or sort(list, "desc").
func sorted(args ...any) (any, error) {
	list, ok := Canonical(args[0]).([]any)
	if !ok {
		return nil, fmt.Errorf("sort wants a list, not the %s %s", kindOf(args[0]), brief(args[0]))
	}
	descending := false
	if len(args) > 1 {
		switch args[1] {
		case "asc":
		case "desc":
			descending = true
		default:
			return nil, fmt.Errorf(`sort goes "asc" or "desc", not %s`, brief(args[1]))
		}
	}
	var failed error
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b any) int {
		o, err := order(a, b)
		switch {
		case err != nil:
			failed = err
			return 0
		case o == unordered:
			failed = errors.New("NaN has no place in an order")
			return 0
		case o == equal:
			return 0
		case (o == less) != descending:
			return -1
		}
		return 1
	})
	return out, failed
}

// unique keeps the first of equal elements.
func unique(args ...any) (any, error) {
	list, ok := Canonical(args[0]).([]any)
	if !ok {
		return nil, fmt.Errorf("uniq wants a list, not the %s %s", kindOf(args[0]), brief(args[0]))
	}
	seen := map[string][]any{}
	var out []any
	for _, v := range list {
		if f, ok := v.(float64); ok && math.IsNaN(f) { // equal to nothing
			out = append(out, v)
			continue
		}
		key := Show(v) // equal values of one kind may be shown in two ways, such as 2 and 2.0
		if f := float(v); kindOf(v) == "number" {
			key = strconv.FormatFloat(f, 'g', -1, 64)
		}
		if !slices.ContainsFunc(seen[key], func(x any) bool { ok, err := Equal(v, x); return ok && err == nil }) {
			seen[key] = append(seen[key], v)
			out = append(out, v)
		}
	}
	return out, nil
}

// indexOf is the place of an element in a list, or of a text in a text, counted in runes as len counts; -1 for none.
func indexOf(args ...any) (any, error) {
	switch of := Canonical(args[0]).(type) {
	case []any:
		for i, e := range of {
			if ok, err := Equal(e, args[1]); ok && err == nil {
				return i, nil
			}
		}
		return -1, nil
	case string:
		if part, ok := args[1].(string); ok {
			before, _, found := strings.Cut(of, part)
			if !found {
				return -1, nil
			}
			return utf8.RuneCountInString(before), nil
		}
	}
	return nil, fmt.Errorf("indexOf wants a list and an element, or two texts, not %s and %s", brief(args[0]), brief(args[1]))
}

func absolute(args ...any) (any, error) {
	v := Canonical(args[0])
	zero := any(0)
	switch kindOf(v) {
	case "number":
	case "duration":
		zero = time.Duration(0)
	default:
		return nil, fmt.Errorf("abs wants a number or a duration, not the %s %s", kindOf(v), brief(v))
	}
	if o, err := order(v, zero); err != nil || o != less {
		return v, err
	}
	return negate(v)
}

// At is list[i], text[i] or map[key]: what an expression gives for an index.
func At(of, index any) (any, error) { return at(of, index) }

// at is list[i], text[i] or map[key]; a negative index counts from the end.
func at(of, index any) (any, error) {
	index = Canonical(index)
	switch of.(type) {
	case []any, map[string]any: // to look at all parts for each that is asked for would take long
	default:
		of = Canonical(of)
	}
	if err := unbroken(of, index); err != nil {
		return nil, err
	}
	if of == nil {
		return nil, fmt.Errorf("nil has no %s (?. gives nil instead of this error)", brief(index))
	}
	if m, ok := of.(map[string]any); ok {
		key, err := keyText(index)
		if err != nil {
			return nil, err
		}
		return Canonical(m[key]), nil
	}
	var n int
	switch v := of.(type) {
	case []any:
		n = len(v)
	case []byte:
		n = len(v)
	case string:
		n = utf8.RuneCountInString(v)
	default:
		return nil, fmt.Errorf("the %s %s has no elements: nothing is at [%s]", kindOf(of), brief(of), brief(index))
	}
	i, ok := index.(int)
	switch {
	case !ok:
		return nil, fmt.Errorf("an index is a whole number, not the %s %s", kindOf(index), brief(index))
	case i < 0:
		i += n
	}
	if i < 0 || i >= n {
		return nil, fmt.Errorf("there is no [%s]: the %s has %d", brief(index), kindOf(of), n)
	}
	switch v := of.(type) {
	case []byte:
		return int(v[i]), nil
	case string:
		return string([]rune(v)[i]), nil
	}
	return Canonical(of.([]any)[i]), nil //nolint:forcetypeassert // the last kind that has a length
}

// method is x.Name(…), of times and durations: the other kinds have none.
func method(args ...any) (v any, err error) {
	of, name := Canonical(args[0]), args[1]
	if err := unbroken(of); err != nil {
		return nil, err
	}
	called, ok := name.(string)
	m := reflect.Value{}
	if k := kindOf(of); ok && (k == "time" || k == "duration") {
		m = reflect.ValueOf(of).MethodByName(called)
	}
	if !m.IsValid() {
		return nil, fmt.Errorf("the %s %s has no method %v", kindOf(of), brief(of), name)
	}
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("%s: %v", called, r)
		}
	}()
	in := make([]reflect.Value, 0, len(args))
	for _, a := range args[2:] {
		in = append(in, reflect.ValueOf(Canonical(a)))
	}
	out := m.Call(in)
	if len(out) != 1 {
		return nil, fmt.Errorf("%s gives %d values, and an expression has room for one", called, len(out))
	}
	return Canonical(out[0].Interface()), nil
}

// wholeOf is its argument, canonical; an error where that was cut, or where it is of no kind that the function takes
// whose name is the second argument.
func wholeOf(args ...any) (any, error) {
	v := Canonical(args[0])
	if err := unbroken(v); err != nil || len(args) < 2 {
		return v, err
	}
	name, _ := args[1].(string)
	got := kindOf(v)
	switch want := takes(name); {
	case want == "", got == want, want == "list" && got == "byte string":
		return v, nil
	case want == "list" && got == "map":
		return nil, fmt.Errorf("%s wants a list, not the map %s (values(…) and keys(…) give lists)", name, brief(v))
	case got == "nil":
		return nil, fmt.Errorf("%s wants a %s, not nil", name, want)
	default:
		return nil, fmt.Errorf("%s wants a %s, not the %s %s", name, want, got, brief(v))
	}
}

// takes is the kind that the first argument of a function of expr has, "" where that is none of one kind.
func takes(name string) string {
	switch name {
	case "all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum", "groupBy", "sortBy", "reduce",
		"take", "reverse", "flatten", "concat", "fromPairs":
		return "list"
	case "keys", "values", "toPairs":
		return "map"
	case "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "splitAfter", "replace", "repeat", "lastIndexOf", "hasPrefix", "hasSuffix",
		"fromJSON", "fromBase64", "date", "timezone":
		return "text"
	}
	return ""
}

// holder is the left side of ?., which is nil or has fields.
func holder(args ...any) (any, error) {
	v := Canonical(args[0])
	if err := unbroken(v); err != nil {
		return nil, err
	}
	switch kindOf(v) {
	case "nil", "map":
		return v, nil
	case "list", "text", "byte string":
		if _, whole := args[1].(int); whole {
			return v, nil
		}
	}
	return nil, fmt.Errorf("the %s %s has no %s", kindOf(v), brief(v), brief(args[1]))
}

// keyText is the text of a map's key: keys that are no texts are shown and kept as one.
func keyText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil, []any, map[string]any, Incomplete:
		return "", fmt.Errorf("a key is a text or a number, not the %s %s", kindOf(v), brief(v))
	default:
		return Show(v), nil
	}
}

// format is fmt(format, …) with Go's verbs, less what could make it endless.
func format(args ...any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("fmt: want a format text")
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("fmt: want a format text first, not %s", brief(args[0]))
	}
	if err := checkFormat(text); err != nil {
		return nil, err
	}
	total := len(text)
	rest := make([]any, 0, len(args))
	for _, a := range args[1:] {
		switch v := a.(type) {
		case string:
			total += len(v)
		case Incomplete:
			return nil, v.err()
		}
		rest = append(rest, a)
	}
	if total > maxFmtText {
		return nil, fmt.Errorf("fmt: more than %d bytes", maxFmtText)
	}
	return fmt.Sprintf(text, rest...), nil
}

const maxFmtText = 1 << 20

func checkFormat(f string) error {
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			continue
		}
		digits := 0
		for i++; i < len(f) && strings.IndexByte("+-# 0123456789.[]*", f[i]) >= 0; i++ {
			if f[i] == '*' {
				return errors.New("fmt: a width of * is not allowed")
			}
			if f[i] >= '0' && f[i] <= '9' {
				if digits++; digits > 4 {
					return errors.New("fmt: a width may have 4 digits at most")
				}
			}
		}
	}
	return nil
}

var _ fmt.Formatter = (*big.Int)(nil) // so that %d and %x of fmt take numbers beyond int
