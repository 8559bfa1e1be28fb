package world

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func TestValuesOfARingKeepTheirNumbers(t *testing.T) {
	r := NewRing[int](3)
	check := func(r *Ring[int], first, total int) {
		t.Helper()
		if r.First() != first || r.Total() != total {
			t.Fatalf("it holds %d to %d, want %d to %d", r.First(), r.Total(), first, total)
		}
		for n := first; n < total; n++ {
			if *r.At(n) != n {
				t.Fatalf("value %d is %d", n, *r.At(n))
			}
		}
	}
	for n := range 5 {
		r.Add(n)
	}
	check(&r, 2, 5)
	c := r.Clone()
	r.Clear()
	check(&r, 5, 5)
	for n := range 4 {
		r.Add(5 + n)
	}
	check(&r, 6, 9)
	check(c, 2, 5)
}

func TestRanksAreNamedAsShortAsCanBe(t *testing.T) {
	w := New()
	region := shape.RegionOf(shape.Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}})
	w.Apply(control.Update{Events: []*control.Event{
		{Mesh: &control.Mesh{Ref: control.MeshRef{ID: 1, Name: "m", Home: region, View: region}, Ranks: make([]control.RankState, 64)}},
		{Mesh: &control.Mesh{Ref: control.MeshRef{ID: 2, Name: "one"}, Ranks: make([]control.RankState, 1)}},
	}})
	all := make([]int, 64)
	for i := range all {
		all[i] = i
	}
	for want, c := range map[string]struct {
		mesh  string
		ranks []int
	}{
		"m[*]": {"m", all}, "m[3]": {"m", []int{3}}, "m[0-2,9]": {"m", []int{0, 1, 2, 9}}, "m[tp=1]": {"m", []int{1, 9, 17, 25, 33, 41, 49, 57}},
		"one[0]": {"one", []int{0}}, "none[1-2]": {"none", []int{1, 2}},
	} {
		if got := w.RanksName(c.mesh, c.ranks); got != want {
			t.Errorf("%s%v is %s, want %s", c.mesh, c.ranks, got, want)
		}
	}
	for party, want := range map[string]string{"@m[3]": "m 3 true", "p[0]": "p 0 true", "main": " 0 false", "[3]": " 0 false", "@m[x]": " 0 false", "m[-1]": " 0 false"} {
		mesh, rank, ok := SplitName(party)
		if got := mesh + " " + string(rune('0'+rank)) + " " + map[bool]string{true: "true", false: "false"}[ok]; got != want {
			t.Errorf("%s is %s, want %s", party, got, want)
		}
	}
}

func TestIdsOfCallsHaveShortNames(t *testing.T) {
	for id, want := range map[uint64]string{0: "0", 41: "41", 2<<40 + 1: "2.1", 1<<63 + 2<<40 + 7: "i2.7", 1 << 63: "i0.0", 1<<64 - 1: "i8388607.1099511627775"} {
		if got := CallName(id); got != want {
			t.Errorf("%d is %s, want %s", id, got, want)
		}
		if got, ok := ParseCall(want); !ok || got != id {
			t.Errorf("%s is %d, want %d", want, got, id)
		}
	}
	for _, text := range []string{"", "x", "1.", ".1", "i1", "1.2.3", "99999999999.1", "-1"} {
		if id, ok := ParseCall(text); ok {
			t.Errorf("%s is %d", text, id)
		}
	}
}
