package shape

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

var mesh = Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 8}}

func TestExtentRefusals(t *testing.T) {
	for _, tc := range []struct {
		name  string
		e     Extent
		limit int
		want  string
	}{
		{"a size of 0", Extent{{Name: "gpus", Size: 0}}, 0, "gpus=0 is no size: want 1 or more"},
		{"a negative size", Extent{{Name: "gpus", Size: -4}}, 0, "gpus=-4 is no size: want 1 or more"},
		{"no name", Extent{{Size: 1}}, 0, `"" is no dimension name`},
		{"a name that begins with a digit", Extent{{Name: "2x", Size: 1}}, 0, `"2x" is no dimension name: want letters, digits and _`},
		{"a name with control bytes", Extent{{Name: "a\x1b[2J", Size: 1}}, 0, `"a\x1b[2J" is no dimension name`},
		{"a very long name", Extent{{Name: strings.Repeat("x", 65), Size: 1}}, 0, "at most 64 bytes"},
		{"a name given twice", Extent{{Name: "a", Size: 1}, {Name: "a", Size: 2}}, 0, "dimension a appears twice in {a: 1, a: 2}: give each its own name"},
		{"more ranks than the limit", Extent{{Name: "a", Size: 300}, {Name: "b", Size: 300}}, 65536, "{a: 300, b: 300} has 90000 ranks: the limit is 65536"},
		{"a product beyond an int", Extent{{Name: "a", Size: math.MaxInt}, {Name: "b", Size: 3}}, 0, "too many ranks: their product must fit an int"},
		{"a product beyond an int, with a limit", Extent{{Name: "a", Size: math.MaxInt}, {Name: "b", Size: 3}}, 10, "too many ranks: the limit is 10"},
		{"too many dimensions", make(Extent, 17), 0, "17 dimensions are too many: want at most 16"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.e.Validate(tc.limit)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	if err := mesh.Validate(16); err != nil {
		t.Errorf("16 ranks are within a limit of 16: %v", err)
	}
	if err := (Extent{}).Validate(1); err != nil {
		t.Errorf("no dimensions are one rank: %v", err)
	}
}

func TestExtentBasics(t *testing.T) {
	if got := mesh.String(); got != "{hosts: 2, gpus: 8}" {
		t.Errorf("String is %s", got)
	}
	if got := mesh.Point(9).String(); got != "hosts=1,gpus=1" {
		t.Errorf("point 9 is %s", got)
	}
	if c, ok := mesh.Point(9).Coord("gpus"); !ok || c != 1 {
		t.Errorf("coordinate of gpus is %d, %v", c, ok)
	}
	if _, ok := mesh.Point(9).Coord("tp"); ok {
		t.Error("the point has no tp")
	}
	var zero Point
	if zero.String() != "" || len(zero.Coords()) != 0 || zero.Validate() != nil {
		t.Errorf("the zero point is rank 0 without dimensions, got %q", zero)
	}
	if _, err := mesh.Concat(Extent{{Name: "gpus", Size: 2}}); err == nil || !strings.Contains(err.Error(), "both {hosts: 2, gpus: 8} and {gpus: 2} have a dimension gpus: rename one") {
		t.Errorf("concat of a name that both have: %v", err)
	}
	if e, err := mesh.Concat(Extent{{Name: "lanes", Size: 3}}); err != nil || e.Len() != 48 {
		t.Errorf("concat is %s, %v", e, err)
	}
	if _, err := mesh.RankOf(1, 8); err == nil || err.Error() != "gpus=8 is out of range: gpus has 0 to 7" {
		t.Errorf("RankOf out of range: %v", err)
	}
}

// Monarch refuses these too (research: slices, 1.1); negative bounds are legal there and refused here.
func TestSliceRefusals(t *testing.T) {
	whole := RegionOf(mesh)
	for _, tc := range []struct {
		name string
		sel  []Sel
		want string
	}{
		{"a negative index", []Sel{At("gpus", -1)}, "gpus=-1 is negative: indices count from 0, the last is gpus=7"},
		{"an index out of range", []Sel{At("gpus", 8)}, "gpus=8 is out of range: gpus has 0 to 7"},
		{"an unknown dimension", []Sel{At("gpu", 0)}, "no dimension gpu in {hosts: 2, gpus: 8} (did you mean gpus?)"},
		{"an unknown dimension of a range", []Sel{Span("tp", 0, 1)}, "no dimension tp in {hosts: 2, gpus: 8} (have gpus, hosts)"},
		{"an empty range", []Sel{Span("gpus", 3, 3)}, "gpus=3:3 is empty: the end is not included, so want an end above 3"},
		{"a backward range", []Sel{Span("gpus", 5, 3)}, "gpus=5:3 is empty"},
		{"a start out of range", []Sel{Span("gpus", 8, 9)}, "gpus=8:9 begins out of range: gpus has 0 to 7"},
		{"a negative start", []Sel{Span("gpus", -2, 8)}, "gpus=-2:8 has a negative bound"},
		{"a negative end", []Sel{Span("gpus", 0, -1)}, "gpus=0:-1 has a negative bound: indices count from 0, and gpus has 0 to 7"},
		{"a negative step", []Sel{Range("gpus", 7, 0, -1)}, "gpus=7:0:-1 has step -1: want 1 or more"},
		{"a step of 0", []Sel{Range("gpus", 0, 8, 0)}, "has step 0: want 1 or more"},
		{"a dimension that was dropped", []Sel{At("gpus", 1), At("gpus", 1)}, "no dimension gpus in {hosts: 2}"},
		{"a dimension where none is left", []Sel{At("gpus", 1), At("hosts", 1), At("gpus", 0)}, "no dimension gpus: this slice has none left, it is one rank"},
		{"an empty point", []Sel{Point{}}, "a point without dimensions chooses nothing in {hosts: 2, gpus: 8}"},
		{"a point out of range", []Sel{Extent{{Name: "gpus", Size: 9}}.Point(8)}, "slice at point gpus=8: gpus=8 is out of range"},
		{"a point of another mesh", []Sel{Extent{{Name: "dp", Size: 2}}.Point(1)}, "slice at point dp=1: no dimension dp"},
		{"a point that is not in its extent", []Sel{Point{Rank: 5, Extent: Extent{{Name: "gpus", Size: 2}}}}, "rank 5 is not in {gpus: 2}, which has 0 to 1"},
		{"nil", []Sel{nil}, "nil is no selection"},
		{"an irregular list", []Sel{parsed(t, "gpus=(0,1,3)")}, "gpus=(0,1,3) is no regular slice of {hosts: 2, gpus: 8}: it takes 2, gpus=0:2 and gpus=3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := whole.Slice(tc.sel...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %s, %v, want %q", got, err, tc.want)
			}
		})
	}
	if _, err := (Region{}).Slice(At("gpus", 0)); err == nil {
		t.Error("the zero region cannot be sliced")
	}
	if got, err := RegionOf(nil).Slice(Point{}); err != nil || got.Len() != 1 {
		t.Errorf("an empty point in a mesh without dimensions is that rank: %s, %v", got, err)
	}
}

func TestReshapeRefusals(t *testing.T) {
	whole := RegionOf(mesh)
	every2nd, err := whole.Slice(Range("gpus", 0, 8, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		do   func() (Region, error)
		want string
	}{
		{"split of an unknown dimension", func() (Region, error) { return whole.Split("gpu", Extent{{Name: "a", Size: 8}}) }, "split: no dimension gpu in {hosts: 2, gpus: 8} (did you mean gpus?)"},
		{"split into nothing", func() (Region, error) { return whole.Split("gpus", nil) }, "want at least one new dimension"},
		{"split that does not divide", func() (Region, error) { return whole.Split("gpus", Extent{{Name: "a", Size: 3}, {Name: "b"}}) }, "split gpus: {a: 3, b: 0} does not divide 8 evenly: want sizes whose product is 8"},
		{"split with a wrong product", func() (Region, error) { return whole.Split("gpus", Extent{{Name: "a", Size: 2}, {Name: "b", Size: 2}}) }, "does not divide 8 evenly"},
		{"split with a product beyond an int", func() (Region, error) {
			return whole.Split("gpus", Extent{{Name: "a", Size: math.MaxInt}, {Name: "b", Size: math.MaxInt}})
		}, "does not divide 8 evenly"},
		{"split with two inferred sizes", func() (Region, error) { return whole.Split("gpus", Extent{{Name: "a"}, {Name: "b"}}) }, "the sizes of a and b cannot both be inferred: give one of them"},
		{"split with a negative size", func() (Region, error) {
			return whole.Split("gpus", Extent{{Name: "a", Size: -2}, {Name: "b", Size: -4}})
		}, "a=-2 is no size"},
		{"split into a name that is taken", func() (Region, error) {
			return whole.Split("gpus", Extent{{Name: "hosts", Size: 2}, {Name: "b", Size: 4}})
		}, "dimension hosts appears twice"},
		{"rename of an unknown dimension", func() (Region, error) { return whole.Rename("host", "h") }, "rename: no dimension host in {hosts: 2, gpus: 8} (did you mean hosts?)"},
		{"rename to a name that is taken", func() (Region, error) { return whole.Rename("hosts", "gpus") }, "dimension gpus appears twice"},
		{"rename to no identifier", func() (Region, error) { return whole.Rename("hosts", "a b") }, `"a b" is no dimension name`},
		{"flatten of a sparse mesh", func() (Region, error) { return every2nd.Flatten("x") }, "cannot flatten sparse mesh 0+hosts=2/8,gpus=4/2"},
		{"flatten to no identifier", func() (Region, error) { return whole.Flatten("") }, "is no dimension name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.do()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %s, %v, want %q", got, err, tc.want)
			}
		})
	}
	if got, err := whole.Rename("hosts", "dp"); err != nil || got.String() != "0+dp=2/8,gpus=8/1" {
		t.Errorf("rename gives %s, %v", got, err)
	}
}

func TestRegionsFromOutsideAreJudged(t *testing.T) {
	region := func(offset int, labels []string, sizes, strides []int) Region {
		return Region{Labels: labels, Offset: offset, Sizes: sizes, Strides: strides}
	}
	for _, tc := range []struct {
		name string
		r    Region
		want string
	}{
		{"not given", Region{}, "not given"},
		{"uneven", region(0, []string{"a"}, []int{1, 2}, []int{1}), "region has 1 labels, 2 sizes and 1 strides"},
		{"a bad label", region(0, []string{"\x00"}, []int{1}, []int{1}), "is no dimension name"},
		{"a size of 0", region(0, []string{"a"}, []int{0}, []int{1}), "a=0 is no size"},
		{"a negative offset", region(-1, []string{"a"}, []int{1}, []int{1}), "offset -1 is negative"},
		{"a stride of 0", region(0, []string{"a"}, []int{4}, []int{0}), "stride 0 of a: want 1 or more"},
		{"a negative stride", region(9, []string{"a"}, []int{4}, []int{-1}), "stride -1 of a"},
		{"overlapping rows", region(0, []string{"a", "b"}, []int{2, 4}, []int{3, 1}), "stride 3 of a makes ranks overlap: want more than 3"},
		{"column order", region(0, []string{"a", "b"}, []int{2, 4}, []int{1, 2}), "makes ranks overlap"},
		{"a stride beyond an int", region(0, []string{"a"}, []int{4}, []int{math.MaxInt / 2}), "too large: ranks must fit an int"},
		{"an offset beyond an int", region(math.MaxInt, []string{"a"}, []int{2}, []int{1}), "offset 9223372036854775807 is too large"},
		{"more ranks than an int counts", region(0, []string{"a", "b"}, []int{math.MaxInt, 2}, []int{2, 1}), "too many ranks"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.r.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if s := tc.r.String(); strings.ContainsRune(s, 0) {
				t.Errorf("prints a control byte: %q", s)
			}
		})
	}
}

func TestRegionsTravel(t *testing.T) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	one, err := RegionOf(mesh).Slice(At("hosts", 0), At("gpus", 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []Region{{}, RegionOf(nil), RegionOf(mesh), one} {
		b, err := enc.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Region
		if err := cbor.Unmarshal(b, &back); err != nil || !back.Equal(r) || back.IsZero() != r.IsZero() {
			t.Errorf("%s comes back as %s (not given: %v), %v", r, back, back.IsZero(), err)
		}
	}
	p := mesh.Point(9)
	b, err := enc.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Point
	if err := cbor.Unmarshal(b, &back); err != nil || back.String() != p.String() || back.Rank != 9 {
		t.Errorf("%s comes back as %s, %v", p, back, err)
	}
	hostile := Point{Rank: 7, Extent: Extent{{Name: "a\x1b", Size: 0}, {Name: "b", Size: -2}}}
	if s := hostile.String(); strings.ContainsRune(s, 0x1b) || hostile.Validate() == nil {
		t.Errorf("a hostile point prints as %q", s)
	}
}

func TestIndexOutOfRangePanics(t *testing.T) {
	for _, i := range []int{-1, 16, math.MaxInt} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("RankAt(%d) of 16 ranks must panic", i)
				}
			}()
			RegionOf(mesh).RankAt(i)
		}()
	}
}

func TestFormatRanks(t *testing.T) {
	for want, ranks := range map[string][]int{
		"":            nil,
		"3":           {3},
		"0-2,5":       {0, 1, 2, 5},
		"0-1":         {1, 0, 1},
		"1,3,5":       {5, 3, 1},
		"0-3,8-9,100": {9, 8, 3, 2, 1, 0, 100},
	} {
		if got := FormatRanks(ranks); got != want {
			t.Errorf("FormatRanks(%v) = %s, want %s", ranks, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	grid := RegionOf(Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}})
	for _, tc := range []struct{ sel, want string }{
		{"*", "*"},
		{"dp=:", "*"},
		{"dp=1:4,tp=1", "dp=1:4,tp=1"},
		{"ranks(dp=1:4, tp=1)", "dp=1:4,tp=1"},
		{"9", "dp=1,tp=1"},
		{"tp=0:8:2", "tp=0:7:2"},
		{"8-15", "dp=1"},
		{"6-9", "6-9"},
		{"9:26:8", "dp=1:4,tp=1"},
		{"1:60:7", "1:58:7"},
	} {
		r, err := grid.Slice(parsed(t, tc.sel))
		if err != nil {
			t.Errorf("%s: %v", tc.sel, err)
			continue
		}
		if got := Describe(grid, r); got != tc.want {
			t.Errorf("Describe(%s = %s) = %s, want %s", tc.sel, r, got, tc.want)
		}
	}
}

func TestSlicesThatSelectionsTake(t *testing.T) {
	for _, tc := range []struct {
		name, sel string
		want      []string
	}{
		{"a flat rank drops all dimensions", "9", []string{"9+"}},
		{"a row is a row", "8-15", []string{"8+hosts=1/8,gpus=8/1"}},
		{"an index drops its dimension", "gpus=2", []string{"2+hosts=2/8"}},
		{"two ranks are always regular", "gpus=(0,3)", []string{"0+hosts=2/8,gpus=2/3"}},
		{"a run across hosts is one flat slice", "6-9", []string{"6+rank=4/1"}},
		{"a flat stride that fits the grid keeps it", "0:16:4", []string{"0+hosts=2/8,gpus=2/4"}},
		{"an end is clamped", "gpus=6:99", []string{"6+hosts=2/8,gpus=2/1"}},
		{"an irregular list in order", "gpus=(5,1,2)", []string{"1+hosts=2/8,gpus=2/1", "5+hosts=2/8,gpus=1/1"}},
		{"a row and a bit is one flat slice", "0-7,8", []string{"0+rank=9/1"}},
		{"an L needs two", "0-7,9", []string{"0+hosts=1/8,gpus=8/1", "9+hosts=1/8,gpus=1/1"}},
		{"all is all", "*", []string{"0+hosts=2/8,gpus=8/1"}},
		{"Monarch's range from the start", "ranks(:)", []string{"0+hosts=2/8,gpus=8/1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			parts, err := parsed(t, tc.sel).Resolve(RegionOf(mesh))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range parts {
				got = append(got, p.String())
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s takes %v, want %v", tc.sel, got, tc.want)
			}
		})
	}
}

// TestSelectionsThatMatchNothingSaySo holds INV-NONEMPTY for selections; TestSliceRefusals has the empty ranges.
func TestSelectionsThatMatchNothingSaySo(t *testing.T) {
	for _, tc := range []struct{ sel, want string }{
		{"16", "rank 16 is out of range: {hosts: 2, gpus: 8} has 0 to 15"},
		{"ranks(1,99)", "rank 99 is out of range: {hosts: 2, gpus: 8} has 0 to 15"},
		{"20-30", "ranks 20-30 begin out of range: {hosts: 2, gpus: 8} has 0 to 15"},
		{"ranks(5:3)", "ranks 5:3 hold nothing: the end is not included, so want an end above 5"},
		{"gpus=8", "gpus=8 is out of range: gpus has 0 to 7"},
		{"gpus=(1,9)", "gpus=9 is out of range: gpus has 0 to 7"},
		{"gpus=9:12", "gpus=9:12 begins out of range: gpus has 0 to 7"},
		{"ranks(gpu=1)", "gpu=1: no dimension gpu in {hosts: 2, gpus: 8} (did you mean gpus?)"},
		{"ranks(hosts=0, tp=99)", "no dimension tp in {hosts: 2, gpus: 8} (have gpus, hosts)"},
	} {
		ranks, err := parsed(t, tc.sel).Ranks(RegionOf(mesh))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, %v, want %q", tc.sel, ranks, err, tc.want)
		}
	}
	huge := RegionOf(Extent{{Name: "a", Size: 1 << 40}, {Name: "b", Size: 2}})
	if _, err := parsed(t, "1:1000000000000:3").Resolve(huge); err == nil {
		t.Error("a huge irregular selection is refused, not enumerated")
	}
	if _, err := parsed(t, "*").Ranks(huge); err == nil {
		t.Error("a huge region is not listed")
	}
}

func TestCoverOfALargeGridIsQuickAndSmall(t *testing.T) {
	r := RegionOf(Extent{{Name: "a", Size: 64}, {Name: "b", Size: 64}})
	var holes []int
	for i := range r.Len() {
		if i/64 != 17 && i%64 != 40 {
			holes = append(holes, i)
		}
	}
	if got := Cover(r, holes); len(got) != 4 {
		t.Errorf("a grid without one row and one column takes 4 slices, got %d", len(got))
	}
}

func parsed(t testing.TB, text string) Selection {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return s
}

func TestIrregularErrorIsTyped(t *testing.T) {
	_, err := RegionOf(mesh).Slice(parsed(t, "0,3,9"))
	irregular, ok := errors.AsType[*IrregularError](err)
	if !ok || len(irregular.Slices) != 2 {
		t.Errorf("got %v", err)
	}
}
