package shape

import (
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// wild draws a region as another process may send it: of the right form, and mostly not valid.
func wild() *rapid.Generator[Region] {
	number := rapid.OneOf(rapid.IntRange(0, 6), rapid.IntRange(0, 6), rapid.IntRange(-2, 40), rapid.Int())
	name := rapid.OneOf(rapid.SampledFrom(dimNames), rapid.SampledFrom(dimNames), rapid.String())
	return rapid.Custom(func(t *rapid.T) Region {
		r := Region{Offset: number.Draw(t, "offset")}
		for range rapid.IntRange(0, 4).Draw(t, "dims") {
			r.Labels = append(r.Labels, name.Draw(t, "label"))
			r.Sizes = append(r.Sizes, number.Draw(t, "size"))
			r.Strides = append(r.Strides, number.Draw(t, "stride"))
		}
		if rapid.IntRange(0, 9).Draw(t, "uneven") == 0 {
			r.Sizes = append(r.Sizes, 1)
		}
		return r
	})
}

// nearlyValid draws a region whose strides are about as large as they must be for its ranks to be in order.
func nearlyValid() *rapid.Generator[Region] {
	return rapid.Custom(func(t *rapid.T) Region {
		r, span := Region{}, 0
		for i := range rapid.IntRange(1, 3).Draw(t, "dims") {
			size, stride := rapid.IntRange(1, 4).Draw(t, "size"), max(1, span+rapid.IntRange(-1, 2).Draw(t, "more"))
			r.Labels = slices.Insert(r.Labels, 0, dimNames[i])
			r.Sizes, r.Strides = slices.Insert(r.Sizes, 0, size), slices.Insert(r.Strides, 0, stride)
			span += stride * (size - 1)
		}
		return r
	})
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// judge holds a region from outside to the invariants: printable before it was validated, and ordered afterwards.
func judge(t failer, r Region) (valid bool) {
	t.Helper()
	if s := r.String(); strings.ContainsFunc(s, clean.Dangerous) {
		t.Fatalf("a region prints as %q", s)
	}
	if err := r.Validate(); err != nil {
		if strings.ContainsFunc(err.Error(), clean.Dangerous) {
			t.Fatalf("a refusal prints as %q", err)
		}
		return false
	}
	n := r.Len()
	if n < 1 {
		t.Fatalf("%s is valid and empty", r)
	}
	last := -1
	for i := range min(n, 2000) {
		rank := r.RankAt(i)
		if rank <= last {
			t.Fatalf("%s: index %d is rank %d, the one before it %d", r, i, rank, last)
		}
		if at, ok := r.IndexOf(rank); !ok || at != i {
			t.Fatalf("%s: rank %d is index %d, %v, want %d", r, rank, at, ok, i)
		}
		last = rank
	}
	if rank := r.RankAt(n - 1); rank < last {
		t.Fatalf("%s ends with rank %d, after %d", r, rank, last)
	}
	return true
}

// TestAValidRegionIsOrderedHoweverItWasMade holds INV-ORDER, INV-UNIQUE and INV-NONEMPTY for regions that no operation of
// this package made.
func TestAValidRegionIsOrderedHoweverItWasMade(t *testing.T) {
	valid := 0
	rapid.Check(t, func(t *rapid.T) {
		if judge(t, rapid.OneOf(wild(), nearlyValid()).Draw(t, "region")) {
			valid++
		}
	})
	if valid == 0 {
		t.Error("no region drawn was valid: the test shows nothing")
	}
	if (Region{}).Validate() == nil {
		t.Error("the zero Region is valid")
	}
}

// FuzzWire holds INV-HOSTILE: whatever decodes can be printed, and used where Validate takes it.
func FuzzWire(f *testing.F) {
	r := RegionOf(mesh)
	bad := Extent{{Name: "\x1b[2J\u202e", Size: -1}}
	for _, v := range []any{r, mesh, mesh.Point(9), Region{Labels: bad.Names(), Sizes: []int{-1}, Strides: []int{0}}, bad, Point{Extent: bad}} {
		b, err := cbor.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Region
		if cbor.Unmarshal(b, &r) == nil {
			judge(t, r)
		}
		var e Extent
		if cbor.Unmarshal(b, &e) == nil {
			if s := e.String(); strings.ContainsFunc(s, clean.Dangerous) {
				t.Fatalf("an extent prints as %q", s)
			}
			if e.Validate(1<<20) == nil {
				judge(t, RegionOf(e))
			}
		}
		var p Point
		if cbor.Unmarshal(b, &p) == nil {
			if s := p.String(); strings.ContainsFunc(s, clean.Dangerous) {
				t.Fatalf("a point prints as %q", s)
			}
			if p.Validate() == nil {
				if rank, err := p.Extent.RankOf(p.Coords()...); err != nil || rank != p.Rank {
					t.Fatalf("%s is rank %d, %v, not %d", p, rank, err, p.Rank)
				}
			}
		}
	})
}
