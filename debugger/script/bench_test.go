package script

import (
	"strings"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	text := toys + strings.Repeat("call @t.Value => v\n  value == 10 and rank < 4\n", 100)
	for b.Loop() {
		if _, errs := Parse("b", text); len(errs) > 0 {
			b.Fatal(errs[0])
		}
	}
}

func BenchmarkExpectation(b *testing.B) {
	e, err := compile("value == 10 and rank < 4", 0, anyNames)
	if err != nil {
		b.Fatal(err)
	}
	env := map[string]any{"value": 10, "rank": 3}
	for b.Loop() {
		if ok, err := e.Holds(env); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
