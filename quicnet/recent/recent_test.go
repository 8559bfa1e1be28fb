package recent

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The map agrees with a list that is searched from its end and cut at its front.
func TestTheNewestAreRemembered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		m := New[int, string](limit)
		type entry struct {
			k int
			v string
		}
		var want []entry
		at := func(k int) int { return slices.IndexFunc(want, func(e entry) bool { return e.k == k }) }
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			k, v := rapid.IntRange(0, 8).Draw(t, "key"), rapid.StringN(0, 3, 3).Draw(t, "value")
			i := at(k)
			if rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
				if m.Delete(k); i >= 0 {
					want = slices.Delete(want, i, i+1)
				}
				continue
			}
			if rapid.Bool().Draw(t, "add") {
				if added := m.Add(k, v); added != (i < 0) {
					t.Fatalf("Add(%d) reports %v", k, added)
				}
				if i >= 0 {
					continue
				}
			} else {
				m.Put(k, v)
			}
			if i >= 0 {
				want[i].v = v
			} else if want = append(want, entry{k, v}); len(want) > limit {
				want = want[1:]
			}
		}
		if m.Len() != len(want) {
			t.Fatalf("%d entries, want %d", m.Len(), len(want))
		}
		for k := range 9 {
			v, ok := m.Get(k)
			if i := at(k); ok != (i >= 0) || ok && v != want[i].v {
				t.Fatalf("Get(%d) = %q, %v; want %v", k, v, ok, want)
			}
		}
	})
}
