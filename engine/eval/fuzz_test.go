package eval

import (
	"math"
	"math/big"
	"strings"
	"testing"
)

// FuzzNumbersCompareAsRationals_INV_VALUE compares every pair of number types with exact arithmetic.
func FuzzNumbersCompareAsRationals_INV_VALUE(f *testing.F) {
	f.Add(int64(-1), uint64(math.MaxUint64), 0.5)
	f.Add(int64(1<<53+1), uint64(1<<53), float64(1<<53))
	f.Add(int64(math.MinInt64), uint64(0), math.Inf(1))
	f.Add(int64(0), uint64(0), math.NaN())
	f.Fuzz(func(t *testing.T, i int64, u uint64, x float64) {
		exact := func(v any) *big.Rat {
			switch v := v.(type) {
			case int64:
				return new(big.Rat).SetInt64(v)
			case uint64:
				return new(big.Rat).SetUint64(v)
			case float64:
				return new(big.Rat).SetFloat64(v) // nil for NaN and the infinities
			}
			return nil
		}
		for _, pair := range [][2]any{{i, u}, {u, i}, {i, x}, {x, i}, {u, x}, {x, u}, {u, u}, {x, x}} {
			a, b := exact(pair[0]), exact(pair[1])
			if a == nil || b == nil {
				continue
			}
			got, err := Equal(pair[0], pair[1])
			if want := a.Cmp(b) == 0; err != nil || got != want {
				t.Errorf("%v == %v: got %t, %v, want %t", pair[0], pair[1], got, err, want)
			}
			o, err := order(pair[0], pair[1])
			if want := orderingOf(a.Cmp(b)); err != nil || o != want {
				t.Errorf("order of %v and %v: got %d, %v, want %d", pair[0], pair[1], o, err, want)
			}
			in, err := Equal(map[string]any{"k": []any{pair[0]}}, map[string]any{"k": []any{pair[1]}})
			if err != nil || in != got {
				t.Errorf("within a map %v == %v is %t, %v, and outside it is %t", pair[0], pair[1], in, err, got)
			}
		}
	})
}

// FuzzAnyTextIsJudgedOrRefused holds INV-BOUND and INV-JUDGED: whatever somebody writes, there is no panic, and an error
// is never a verdict.
func FuzzAnyTextIsJudgedOrRefused(f *testing.F) {
	for _, s := range []string{"i == 3", "any(list, # == max64)", "vec?.X ?? 1 > 0", "-18446744073709551616 < min64", "let a = list; a[-1] in a", "cut.x", "fmt(\"%d\", i)", "t.Format(s)", "1..3 == [1, 2, 3]", "d * nan", "{i: 1}[s]", "#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "now") || strings.Contains(text, "repeat") {
			return // the clock, and what is slow on purpose
		}
		e, err := Compile(text, Any())
		if err != nil {
			if m, ok := err.(*Error); !ok || m.Offset < 0 || m.Offset > len(text) || m.Msg == "" { //nolint:errorlint // it comes as it is
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		holds, err := e.Holds(env())
		if holds && err != nil {
			t.Fatalf("%q holds, with %v", text, err)
		}
		e.Explain(env())
	})
}
