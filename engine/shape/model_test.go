package shape

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is a region as a plain list: what every operation is judged against.
type model struct {
	labels []string
	coords [][]int // of the original mesh's ranks, along labels
	ranks  []int
}

func modelOf(e Extent) model {
	m := model{labels: e.Names()}
	for rank := range e.Len() {
		coords, rest := make([]int, len(e)), rank
		for d := len(e) - 1; d >= 0; d-- {
			coords[d] = rest % e[d].Size
			rest /= e[d].Size
		}
		m.coords, m.ranks = append(m.coords, coords), append(m.ranks, rank)
	}
	return m
}

// along keeps the entries whose coordinate along d satisfies keep, renumbered by place; drop removes the dimension.
func (m model) along(d int, drop bool, place map[int]int) model {
	out := model{labels: slices.Clone(m.labels)}
	if drop {
		out.labels = slices.Delete(out.labels, d, d+1)
	}
	for i, c := range m.coords {
		at, ok := place[c[d]]
		if !ok {
			continue
		}
		c = slices.Clone(c)
		if c[d] = at; drop {
			c = slices.Delete(c, d, d+1)
		}
		out.coords, out.ranks = append(out.coords, c), append(out.ranks, m.ranks[i])
	}
	return out
}

func (m model) agrees(t *rapid.T, r Region) {
	t.Helper()
	if err := r.Validate(); err != nil {
		t.Fatalf("region %s is invalid: %v", r, err)
	}
	if !slices.Equal(r.Names(), m.labels) || r.Len() != len(m.ranks) || !slices.Equal(slices.Collect(r.Ranks()), m.ranks) {
		t.Fatalf("region %s has %v %v, the model %v %v", r, r.Names(), slices.Collect(r.Ranks()), m.labels, m.ranks)
	}
	for i, rank := range m.ranks {
		if at, ok := r.IndexOf(rank); !ok || at != i {
			t.Fatalf("%s: IndexOf(%d) = %d, %v, want %d", r, rank, at, ok, i)
		}
		if got := r.Point(i).Coords(); !slices.Equal(got, m.coords[i]) {
			t.Fatalf("%s: point %d is %v, want %v", r, i, got, m.coords[i])
		}
	}
	for base := range 200 {
		if _, ok := r.IndexOf(base); ok != slices.Contains(m.ranks, base) {
			t.Fatalf("%s: IndexOf(%d) says %v", r, base, ok)
		}
	}
}

var dimNames = []string{"dp", "pp", "tp", "gpus"}

func extents(maxDims int) *rapid.Generator[Extent] {
	return rapid.Custom(func(t *rapid.T) Extent {
		var e Extent
		for i := range rapid.IntRange(0, maxDims).Draw(t, "dims") {
			e = append(e, Dim{Name: dimNames[i], Size: rapid.IntRange(1, 5).Draw(t, "size")})
		}
		return e
	})
}

// narrowed draws a region that some slices made, and its model.
func narrowed(t *rapid.T, maxDims int) (Region, model) {
	e := extents(maxDims).Draw(t, "extent")
	r, m := RegionOf(e), modelOf(e)
	for range rapid.IntRange(0, 3).Draw(t, "slices") {
		if len(r.Labels) == 0 {
			break
		}
		d := rapid.IntRange(0, len(r.Labels)-1).Draw(t, "dim")
		size, place := r.Sizes[d], map[int]int{}
		lo := rapid.IntRange(0, size-1).Draw(t, "lo")
		var sel Sel
		drop := rapid.Bool().Draw(t, "drop")
		if drop {
			sel = At(r.Labels[d], lo)
			place[lo] = 0
		} else {
			hi, step := rapid.IntRange(lo+1, size+3).Draw(t, "hi"), rapid.IntRange(1, 4).Draw(t, "step")
			sel = Range(r.Labels[d], lo, hi, step)
			for i := lo; i < min(hi, size); i += step {
				place[i] = len(place)
			}
		}
		var err error
		if r, err = r.Slice(sel); err != nil {
			t.Fatalf("slice: %v", err)
		}
		m = m.along(d, drop, place)
	}
	return r, m
}

// TestSlicesComposeAsTheModel holds INV-ORDER for slices: the model's ranks increase.
func TestSlicesComposeAsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, m := narrowed(t, 4)
		m.agrees(t, r)
	})
}

func TestSplitKeepsRanksAndFlattenUndoesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, inner := rapid.IntRange(1, 4).Draw(t, "a"), rapid.IntRange(1, 4).Draw(t, "b"), rapid.IntRange(1, 3).Draw(t, "inner")
		r := RegionOf(Extent{{Name: "host", Size: a * b}, {Name: "gpu", Size: inner}})
		into := Extent{{Name: "x", Size: a}, {Name: "y", Size: b}}
		into[rapid.IntRange(0, 1).Draw(t, "inferred")].Size = 0
		got, err := r.Split("host", into)
		if err != nil {
			t.Fatal(err)
		}
		modelOf(Extent{{Name: "x", Size: a}, {Name: "y", Size: b}, {Name: "gpu", Size: inner}}).agrees(t, got)
		flat, err := got.Flatten("all")
		if err != nil {
			t.Fatal(err)
		}
		modelOf(Extent{{Name: "all", Size: a * b * inner}}).agrees(t, flat)
	})
}

func TestFlattenTakesExactlyTheContiguousRegions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, m := narrowed(t, 3)
		contiguous := m.ranks[len(m.ranks)-1]-m.ranks[0] == len(m.ranks)-1
		flat, err := r.Flatten("all")
		if (err == nil) != contiguous {
			t.Fatalf("%s: flatten says %v, contiguous is %v", r, err, contiguous)
		}
		if err == nil && !slices.Equal(slices.Collect(flat.Ranks()), m.ranks) {
			t.Fatalf("%s: flatten moved ranks", r)
		}
	})
}

func TestSlicingByAPointIsTheOppositeNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := extents(4).Draw(t, "extent")
		p := e.Point(rapid.IntRange(0, e.Len()-1).Draw(t, "rank"))
		got, err := RegionOf(e).Slice(p)
		if err != nil || got.Len() != 1 || got.RankAt(0) != p.Rank || len(got.Labels) != 0 {
			t.Fatalf("%s at %s is %s, %v", e, p, got, err)
		}
		if rank, err := e.RankOf(p.Coords()...); err != nil || rank != p.Rank {
			t.Fatalf("RankOf(%v) = %d, %v, want %d", p.Coords(), rank, err, p.Rank)
		}
	})
}

// selections draws one that is in range of e, and the indices it chooses.
func selections(t *rapid.T, e Extent) (Selection, []int) {
	n := e.Len()
	one := func(size int) run {
		lo := rapid.IntRange(0, size-1).Draw(t, "lo")
		if rapid.Bool().Draw(t, "one") {
			return run{lo: lo, hi: lo, step: 1, one: true}
		}
		hi := rapid.SampledFrom([]int{End, rapid.IntRange(lo+1, size+2).Draw(t, "hi")}).Draw(t, "end")
		return run{lo: lo, hi: hi, step: rapid.IntRange(1, 3).Draw(t, "step")}
	}
	holds := func(runs []run, x int) bool {
		return slices.ContainsFunc(runs, func(r run) bool {
			if r.one {
				return x == r.lo
			}
			return x >= r.lo && x < r.hi && (x-r.lo)%r.step == 0
		})
	}
	var s Selection
	if len(e) == 0 || rapid.Bool().Draw(t, "flat") {
		for range rapid.IntRange(0, 4).Draw(t, "runs") {
			s.flat = append(s.flat, one(n))
		}
	} else {
		for _, d := range e {
			c := dimRuns{name: d.Name, list: rapid.Bool().Draw(t, "list")}
			c.runs = append(c.runs, one(d.Size))
			for c.list && len(c.runs) < 4 && rapid.Bool().Draw(t, "more") {
				c.runs = append(c.runs, one(d.Size))
			}
			if rapid.Bool().Draw(t, "given") {
				s.dims = append(s.dims, c)
			}
		}
	}
	var want []int
	for i := range n {
		ok := len(s.flat) == 0 || holds(s.flat, i)
		for _, c := range s.dims {
			at, _ := e.Point(i).Coord(c.name)
			ok = ok && holds(c.runs, at)
		}
		if ok {
			want = append(want, i)
		}
	}
	return s, want
}

// TestASelectionResolvesToAPartitionOfItsRanks holds INV-PARTITION for Resolve: Ranks lists
// what the slices of Resolve hold, so a rank that two of them have would be there twice.
func TestASelectionResolvesToAPartitionOfItsRanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, _ := narrowed(t, 3)
		s, want := selections(t, r.Extent())
		for i, x := range want {
			want[i] = r.RankAt(x)
		}
		got, err := s.Ranks(r)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s of %s is %v, %v, want %v", s, r, got, err, want)
		}
		parts, err := s.Resolve(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if err := p.Validate(); err != nil {
				t.Fatalf("%s of %s gives %s: %v", s, r, p, err)
			}
		}
		one, err := r.Slice(s)
		if irregular, ok := errors.AsType[*IrregularError](err); ok != (len(parts) > 1) || ok && len(irregular.Slices) != len(parts) {
			t.Fatalf("Slice(%s) = %s, %v with %d parts", s, one, err, len(parts))
		}
	})
}

func TestASelectionSurvivesPrintingAndParsing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := selections(t, extents(3).Draw(t, "extent"))
		text := s.String()
		back, err := Parse(text)
		if err != nil || back.String() != text {
			t.Fatalf("%q reads back as %q, %v", text, back, err)
		}
		spaced, err := Parse("  " + text + "\t")
		if err != nil || spaced.String() != text {
			t.Fatalf("%q with blanks reads back as %q, %v", text, spaced, err)
		}
	})
}

func TestDescribeIsASelectionOfTheSameRanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, _ := narrowed(t, 3)
		var set []int
		for base := range r.Ranks() {
			if rapid.Bool().Draw(t, "in") {
				set = append(set, base)
			}
		}
		for _, view := range Cover(r, set) {
			s, err := Parse(Describe(r, view))
			if err != nil {
				t.Fatalf("%s of %s: %v", Describe(r, view), r, err)
			}
			got, err := s.Ranks(r)
			if want := slices.Collect(view.Ranks()); err != nil || !slices.Equal(got, want) {
				t.Fatalf("%s of %s is %v, %v, want %v", s, r, got, err, want)
			}
		}
	})
}

// TestCoverIsAPartition holds INV-PARTITION for Cover.
func TestCoverIsAPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, _ := narrowed(t, 4)
		var set []int
		for base := range r.Ranks() {
			if rapid.Bool().Draw(t, "in") {
				set = append(set, base)
			}
		}
		var got []int
		for _, p := range Cover(r, slices.Concat(set, set, []int{-1, 1 << 40})) {
			if err := p.Validate(); err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			got = slices.AppendSeq(got, p.Ranks())
		}
		slices.Sort(got)
		if !slices.Equal(got, set) {
			t.Fatalf("cover of %v in %s holds %v", set, r, got)
		}
	})
}

// fewest is the smallest partition into strided slices, by trying everything: subsets of a small grid that are slices
// (boxes of progressions, or flat progressions), then the fewest of them by dynamic programming over subsets.
func fewest(sizes []int, set []int) int {
	n := len(set)
	slice := make([]bool, 1<<n)
	for mask := 1; mask < 1<<n; mask++ {
		var in []int
		for i := range n {
			if mask>>i&1 == 1 {
				in = append(in, set[i])
			}
		}
		_, flat := asProgression(in)
		slice[mask] = flat || isGrid(sizes, in)
	}
	best := make([]int, 1<<n)
	for mask := 1; mask < 1<<n; mask++ {
		best[mask] = n
		for sub := mask; sub > 0; sub = (sub - 1) & mask {
			if slice[sub] {
				best[mask] = min(best[mask], best[mask&^sub]+1)
			}
		}
	}
	return best[1<<n-1]
}

func isGrid(sizes, in []int) bool {
	total := 1
	for d, stride := range indexStrides(sizes) {
		var along []int
		for _, x := range in {
			along = append(along, x/stride%sizes[d])
		}
		slices.Sort(along)
		along = slices.Compact(along)
		if _, ok := asProgression(along); !ok {
			return false
		}
		total *= len(along)
	}
	return total == len(in)
}

func TestCoverOfASmallSetIsTheFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Extent{{Name: "a", Size: rapid.IntRange(1, 4).Draw(t, "a")}, {Name: "b", Size: rapid.IntRange(1, 9).Draw(t, "b")}}
		var set []int
		for i := range e.Len() {
			if len(set) < 9 && rapid.IntRange(0, 3).Draw(t, "in") > 0 {
				set = append(set, i)
			}
		}
		if len(set) == 0 {
			return
		}
		if got, want := len(Cover(RegionOf(e), set)), fewest([]int{e[0].Size, e[1].Size}, set); got != want {
			t.Fatalf("cover of %v in %s takes %d slices, %d are enough", set, e, got, want)
		}
	})
}
