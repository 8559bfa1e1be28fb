package shape

import "testing"

func BenchmarkRankAt(b *testing.B) {
	r := RegionOf(Extent{{Name: "a", Size: 8}, {Name: "b", Size: 8}, {Name: "c", Size: 8}})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.RankAt(i & 511)
	}
}

func BenchmarkIndexOf(b *testing.B) {
	r := RegionOf(Extent{{Name: "a", Size: 8}, {Name: "b", Size: 8}, {Name: "c", Size: 8}})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.IndexOf(i & 511)
	}
}

func BenchmarkCover16Scattered(b *testing.B) {
	r := RegionOf(Extent{{Name: "a", Size: 16}, {Name: "b", Size: 16}})
	set := []int{0, 3, 5, 17, 33, 34, 51, 60, 77, 90, 111, 130, 155, 180, 201, 250}
	for b.Loop() {
		Cover(r, set)
	}
}

func BenchmarkCover4096HalfRandom(b *testing.B) {
	r := RegionOf(Extent{{Name: "a", Size: 64}, {Name: "b", Size: 64}})
	var set []int
	x := uint32(1)
	for i := range r.Len() {
		if x = x*1664525 + 1013904223; x>>31 == 0 {
			set = append(set, i)
		}
	}
	for b.Loop() {
		Cover(r, set)
	}
}
