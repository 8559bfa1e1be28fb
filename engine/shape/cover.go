package shape

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// FlatDim names the dimension of a slice that Cover cut across the dimensions of its region.
const FlatDim = "rank"

// ap is the arithmetic progression start, start+step, … of count indices.
type ap struct{ start, step, count int }

// box is the product of one progression per dimension of a region.
type box []ap

// Cover breaks a set of base ranks into strided slices of r that hold each of them exactly once (INV-PARTITION), as
// few as it finds. Ranks that r does not hold are left out. The slices keep the dimensions of r, also those that
// shrink to one index, except for a slice that runs across dimensions at one stride: that has the single dimension
// FlatDim.
//
// Two ways are tried and the better is taken, dimensions kept on a tie. The first peels the outermost dimension: its
// indices whose inner patterns are equal are grouped, each group is broken into progressions, and each pattern is
// broken up in the same way; the order of dimensions is varied. The second breaks the ranks as flat numbers.
// For sets of up to 16 ranks a branch-and-bound search over all such slices follows; where it ends within its budget
// of 5,000 nodes, which it nearly always does, no partition into fewer slices exists. Larger sets may get more
// slices than needed: the problem is NP-hard.
func Cover(r Region, ranks []int) []Region {
	var set []int
	for _, base := range ranks {
		if i, ok := r.IndexOf(base); ok {
			set = append(set, i)
		}
	}
	slices.Sort(set)
	return coverIndices(r, slices.Compact(set))
}

// coverIndices is Cover for sorted, unique indices of r.
func coverIndices(r Region, set []int) []Region {
	if len(set) == 0 {
		return nil
	}
	if len(r.Sizes) == 1 {
		return regions(r, boxes1D(partition(set)))
	}
	grid := coverGrid(r.Sizes, set)
	base := make([]int, len(set))
	for i, x := range set {
		base[i] = r.RankAt(x)
	}
	flat := partition(base)
	best := regions(r, grid)
	if len(flat) < len(grid) {
		best = best[:0]
		for _, p := range flat {
			best = append(best, flatRegion(r, p))
		}
	}
	if len(best) > 1 && len(set) <= maxExact {
		s := newSearch(r, set, base)
		if found := s.best(len(best)); found != nil {
			return found
		}
	}
	return best
}

func boxes1D(ps []ap) []box {
	out := make([]box, len(ps))
	for i, p := range ps {
		out[i] = box{p}
	}
	return out
}

func regions(r Region, boxes []box) []Region {
	out := make([]Region, len(boxes))
	for i, b := range boxes {
		out[i] = r.clone()
		for d, p := range b {
			out[i] = out[i].stretch(d, p)
		}
	}
	slices.SortFunc(out, func(a, b Region) int { return cmp.Compare(a.Offset, b.Offset) })
	return out
}

// flatRegion is a progression of base ranks. One that stays in a row of r keeps r's dimensions.
func flatRegion(r Region, p ap) Region {
	if p.count == 1 {
		i, _ := r.IndexOf(p.start)
		b := make(box, len(r.Sizes))
		for d := len(b) - 1; d >= 0; d-- {
			b[d] = ap{i % r.Sizes[d], 1, 1}
			i /= r.Sizes[d]
		}
		return regions(r, []box{b})[0]
	}
	return Region{Labels: []string{FlatDim}, Offset: p.start, Sizes: []int{p.count}, Strides: []int{p.step}}
}

// coverGrid tries orders of the dimensions and returns the fewest boxes.
func coverGrid(sizes, set []int) []box {
	strides := indexStrides(sizes)
	var best []box
	for _, order := range orders(len(sizes), len(set)) {
		got := peel(sizes, strides, order, set)
		if best == nil || len(got) < len(best) {
			best = got
		}
		if len(best) == 1 {
			break
		}
	}
	return best
}

// orders are all orders of up to three dimensions, else the rotations; for large sets only the natural one and its
// reverse.
func orders(n, ranks int) [][]int {
	natural := make([]int, n)
	for i := range natural {
		natural[i] = i
	}
	reverse := slices.Clone(natural)
	slices.Reverse(reverse)
	switch {
	case n < 2:
		return [][]int{natural}
	case n == 2 || ranks > 4096:
		return [][]int{natural, reverse}
	}
	out := [][]int{natural, reverse}
	for i := 1; i < n; i++ {
		rotated := append(slices.Clone(natural[i:]), natural[:i]...)
		out = append(out, rotated)
		if n == 3 {
			mirrored := slices.Clone(rotated)
			slices.Reverse(mirrored)
			out = append(out, mirrored)
		}
	}
	return out
}

// peel covers set, whose indices vary along the dimensions of order only and are 0 along the others.
func peel(sizes, strides, order, set []int) []box {
	if len(order) == 0 {
		b := make(box, len(sizes))
		for d := range b {
			b[d] = ap{0, 1, 1}
		}
		return []box{b}
	}
	d := order[0]
	type group struct {
		at      []int // indices along d
		pattern []int // what is left of the set there
	}
	rows := map[int][]int{}
	var at []int
	for _, x := range set {
		c := x / strides[d] % sizes[d]
		if _, ok := rows[c]; !ok {
			at = append(at, c)
		}
		rows[c] = append(rows[c], x-c*strides[d])
	}
	slices.Sort(at)
	var groups []*group
	byPattern := map[string]*group{}
	for _, c := range at {
		key := patternKey(rows[c])
		g := byPattern[key]
		if g == nil {
			g = &group{pattern: rows[c]}
			byPattern[key] = g
			groups = append(groups, g)
		}
		g.at = append(g.at, c)
	}
	var out []box
	for _, g := range groups {
		inner := peel(sizes, strides, order[1:], g.pattern)
		for _, p := range partition(g.at) {
			for _, b := range inner {
				b = slices.Clone(b)
				b[d] = p
				out = append(out, b)
			}
		}
	}
	return out
}

func patternKey(pattern []int) string {
	var b []byte
	for _, x := range pattern {
		b = binary.AppendUvarint(b, uint64(x))
	}
	return string(b)
}

func indexStrides(sizes []int) []int {
	strides := make([]int, len(sizes))
	n := 1
	for d := len(sizes) - 1; d >= 0; d-- {
		strides[d] = n
		n *= sizes[d]
	}
	return strides
}

// partition breaks sorted, unique numbers into progressions, each number in one, as few as it finds: the best split
// into consecutive stretches, against taking the longest progression again and again, against a search for up to
// 16 numbers.
func partition(set []int) []ap {
	if p, ok := asProgression(set); ok {
		return []ap{p}
	}
	best := stretches(set)
	if len(set) <= 64 && len(best) > 2 {
		if got := longestFirst(set); len(got) < len(best) {
			best = got
		}
	}
	if len(set) <= maxExact && len(best) > 2 {
		line := Region{Labels: []string{FlatDim}, Offset: set[0], Sizes: []int{set[len(set)-1] - set[0] + 1}, Strides: []int{1}}
		zeroed := make([]int, len(set))
		for i, x := range set {
			zeroed[i] = x - set[0]
		}
		if found := newSearch(line, zeroed, set).best(len(best)); found != nil {
			best = best[:0]
			for _, f := range found {
				best = append(best, ap{f.Offset, f.Strides[0], f.Sizes[0]})
			}
		}
	}
	return best
}

// asProgression reports whether the sorted, unique numbers are one progression.
func asProgression(set []int) (ap, bool) {
	if len(set) == 0 {
		return ap{}, false
	}
	if len(set) == 1 {
		return ap{set[0], 1, 1}, true
	}
	step := set[1] - set[0]
	for i := 2; i < len(set); i++ {
		if set[i]-set[i-1] != step {
			return ap{}, false
		}
	}
	return ap{set[0], step, len(set)}, true
}

// stretches splits the numbers into the fewest consecutive stretches that are progressions; among equals the one
// that reads best, with steps of 1 before others.
func stretches(set []int) []ap {
	if len(set) > 2048 {
		return longestStretches(set)
	}
	type cost struct{ parts, odd, from int }
	at := make([]cost, len(set)+1) // at[i]: the best split of set[:i], whose last part begins at from
	for i := range at[1:] {
		at[i+1].parts = math.MaxInt
	}
	for j := range set {
		step := 1
		for i := j + 1; i <= len(set); i++ {
			n := i - j
			if n == 2 {
				step = set[j+1] - set[j]
			} else if n > 2 && set[i-1]-set[i-2] != step {
				break
			}
			c := cost{at[j].parts + 1, at[j].odd, j}
			if n > 1 && step != 1 {
				c.odd++
			}
			if cmp.Or(cmp.Compare(c.parts, at[i].parts), cmp.Compare(c.odd, at[i].odd)) < 0 {
				at[i] = c
			}
		}
	}
	var out []ap
	for i := len(set); i > 0; i = at[i].from {
		p, _ := asProgression(set[at[i].from:i])
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

// longestStretches is stretches in linear time: every part of a progression is one, so greed finds the fewest.
func longestStretches(set []int) []ap {
	var out []ap
	for i := 0; i < len(set); {
		j := i + 1
		for ; j < len(set) && (j == i+1 || set[j]-set[j-1] == set[i+1]-set[i]); j++ {
		}
		p, _ := asProgression(set[i:j])
		out = append(out, p)
		i = j
	}
	return out
}

// longestFirst takes the longest progression out of the set until nothing is left.
func longestFirst(set []int) []ap {
	left := map[int]bool{}
	for _, x := range set {
		left[x] = true
	}
	var out []ap
	rest := slices.Clone(set)
	for len(rest) > 0 {
		best := ap{rest[0], 1, 1}
		for i, a := range rest {
			for _, b := range rest[i+1:] {
				p := ap{a, b - a, 2}
				for left[p.start+p.count*p.step] {
					p.count++
				}
				if p.count > best.count {
					best = p
				}
			}
		}
		for i := range best.count {
			delete(left, best.start+i*best.step)
		}
		rest = slices.DeleteFunc(rest, func(x int) bool { return !left[x] })
		out = append(out, best)
	}
	slices.SortFunc(out, func(a, b ap) int { return cmp.Compare(a.start, b.start) })
	return out
}
