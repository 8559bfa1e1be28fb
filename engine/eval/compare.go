package eval

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
)

// kindOf is what a value is to a person.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return "truth value"
	case int, *big.Int, float64:
		return "number"
	case string:
		return "text"
	case []byte:
		return "byte string"
	case time.Time:
		return "time"
	case time.Duration:
		return "duration"
	case []any:
		return "list"
	case map[string]any:
		return "map"
	case Incomplete:
		return "value that was cut"
	default:
		return fmt.Sprintf("%T", v)
	}
}

// Equal reports whether two values are equal by the rules of the package. Values that cannot be compared are an error.
func Equal(a, b any) (bool, error) { return same(a, b, "") }

// same is Equal for parts at a place within larger values.
func same(a, b any, where string) (bool, error) {
	a, b = Canonical(a), Canonical(b)
	if err := unbroken(a, b); err != nil {
		return false, err
	}
	if a == nil || b == nil {
		return a == nil && b == nil, nil
	}
	switch x := a.(type) {
	case bool:
		if y, ok := b.(bool); ok {
			return x == y, nil
		}
	case int, *big.Int, float64:
		if kindOf(b) == "number" {
			return compareNumbers(a, b) == equal, nil
		}
	case string:
		if y, ok := b.(string); ok {
			return x == y, nil
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Equal(x, y), nil
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Equal(y), nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return x == y, nil
		}
	case []any:
		if y, ok := b.([]any); ok {
			return sameLists(x, y, where)
		}
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			return sameMaps(x, y, where)
		}
	}
	if where != "" {
		where = " (at " + strings.TrimPrefix(where, ".") + ")"
	}
	return false, fmt.Errorf("%s and %s cannot be compared: a %s and a %s%s", brief(a), brief(b), kindOf(a), kindOf(b), where)
}

func sameLists(a, b []any, where string) (bool, error) {
	all := len(a) == len(b)
	for i := range min(len(a), len(b)) {
		ok, err := same(a[i], b[i], fmt.Sprintf("%s[%d]", where, i))
		if err != nil {
			return false, err
		}
		all = all && ok
	}
	return all, nil
}

func sameMaps(a, b map[string]any, where string) (bool, error) {
	all := len(a) == len(b)
	for k, x := range a {
		y, there := b[k]
		if !there {
			all = false
			continue
		}
		ok, err := same(x, y, where+"."+k)
		if err != nil {
			return false, err
		}
		all = all && ok
	}
	return all, nil
}

// in reports whether a list has an element that is equal to x, or a map the key x.
func in(x, of any) (bool, error) {
	x, of = Canonical(x), Canonical(of)
	if err := unbroken(x, of); err != nil {
		return false, err
	}
	switch of := of.(type) {
	case map[string]any:
		key, err := keyText(x)
		if err != nil {
			return false, err
		}
		_, ok := of[key]
		return ok, nil
	case []any:
		var mismatch error
		comparable := len(of) == 0
		for _, e := range of {
			if mismatch != nil && x != nil && e != nil && kindOf(e) != kindOf(x) && isCanonical(e) {
				continue // it is told of one of them
			}
			switch ok, err := Equal(x, e); {
			case ok:
				return true, nil
			case err != nil:
				mismatch = err
			default:
				comparable = true
			}
		}
		if !comparable {
			return false, mismatch
		}
		return false, nil
	case nil:
		return false, fmt.Errorf("in wants a list or a map on its right, and that is nil")
	}
	return false, fmt.Errorf("in wants a list or a map on its right, not the %s %s", kindOf(of), brief(of))
}

// ordering is how two values stand to each other.
type ordering int

const (
	equal     ordering = iota
	less               // the first before the second
	greater            // the second before the first
	unordered          // NaN stands to nothing
)

func orderingOf(c int) ordering {
	switch {
	case c < 0:
		return less
	case c > 0:
		return greater
	}
	return equal
}

// order puts two values in order; what has none is an error.
func order(a, b any) (ordering, error) {
	a, b = Canonical(a), Canonical(b)
	if err := unbroken(a, b); err != nil {
		return unordered, err
	}
	switch x := a.(type) {
	case int, *big.Int, float64:
		if kindOf(b) == "number" {
			return compareNumbers(a, b), nil
		}
	case string:
		if y, ok := b.(string); ok {
			return orderingOf(strings.Compare(x, y)), nil
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return orderingOf(x.Compare(y)), nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return orderingOf(cmp.Compare(x, y)), nil
		}
	}
	if ka, kb := kindOf(a), kindOf(b); ka != kb {
		return unordered, fmt.Errorf("%s and %s have no order: a %s and a %s", brief(a), brief(b), ka, kb)
	}
	return unordered, fmt.Errorf("%s and %s have no order: only numbers, texts, times and durations have one", brief(a), brief(b))
}

// exactInts is up to where a float64 holds every whole number.
const exactInts = 1 << 53

// compareNumbers compares by value: an integer and a float exactly, not by rounding one of them.
func compareNumbers(a, b any) ordering {
	if x, ok := a.(int); ok {
		if y, ok := b.(int); ok {
			return orderingOf(cmp.Compare(x, y))
		}
	}
	x, aFloat := a.(float64)
	y, bFloat := b.(float64)
	switch {
	case aFloat && math.IsNaN(x), bFloat && math.IsNaN(y):
		return unordered
	case aFloat && bFloat:
		return orderingOf(cmp.Compare(x, y))
	case aFloat && math.IsInf(x, 0):
		return orderingOf(int(math.Copysign(1, x)))
	case bFloat && math.IsInf(y, 0):
		return orderingOf(-int(math.Copysign(1, y)))
	case aFloat:
		if i, ok := b.(int); ok && i <= exactInts && i >= -exactInts {
			return orderingOf(cmp.Compare(x, float64(i)))
		}
	case bFloat:
		if i, ok := a.(int); ok && i <= exactInts && i >= -exactInts {
			return orderingOf(cmp.Compare(float64(i), y))
		}
	}
	return orderingOf(rational(a).Cmp(rational(b)))
}

func rational(v any) *big.Rat {
	switch v := v.(type) {
	case int:
		return new(big.Rat).SetInt64(int64(v))
	case *big.Int:
		return new(big.Rat).SetInt(v)
	case float64:
		return new(big.Rat).SetFloat64(v)
	}
	return new(big.Rat)
}
