package eval

import "testing"

// What a condition costs that does not hold: a breakpoint pays it for every message of the endpoint that it is set on.
func BenchmarkFalseCondition(b *testing.B) {
	for _, text := range []string{"n > 2000", `tag startsWith "stop" and n == 3`, "pos.x == 7 or pos.y in [1, 2]"} {
		b.Run(text, func(b *testing.B) {
			e, err := Compile(text, Any())
			if err != nil {
				b.Fatal(err)
			}
			env := map[string]any{"n": 3, "tag": "warm", "pos": map[string]any{"x": 1, "y": 5}}
			b.ReportAllocs()
			for b.Loop() {
				if holds, err := e.Holds(env); holds || err != nil {
					b.Fatal(holds, err)
				}
			}
		})
	}
}
