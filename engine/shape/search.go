package shape

import (
	"cmp"
	"math/bits"
	"slices"
)

const (
	maxExact   = 16    // ranks, so that a set is a bit mask
	maxNodes   = 5_000 // of the search
	maxChoices = 4_096 // slices that begin at one rank
)

// search finds the fewest slices that partition a small set. Each slice has a lowest rank, so the lowest rank that
// is not yet covered begins exactly one slice: the search branches over the slices that can begin there.
type search struct {
	region  Region
	strides []int // of indices
	set     []int // indices, sorted
	base    []int // base ranks of set
	bit     map[int]int
	baseBit map[int]int
	nodes   int
	seen    map[uint32]int // what was left, by the fewest slices that led there
	limit   int            // more slices than this are no improvement
	found   []choice
}

// choice is one slice: a box of the region, or a flat progression of base ranks.
type choice struct {
	mask uint32
	box  box
	flat ap
}

func newSearch(r Region, set, base []int) *search {
	s := &search{region: r, strides: indexStrides(r.Sizes), set: set, base: base, bit: map[int]int{}, baseBit: map[int]int{}, seen: map[uint32]int{}}
	for i := range set {
		s.bit[set[i]], s.baseBit[base[i]] = i, i
	}
	return s
}

// best returns fewer than known slices, or nil when it finds none.
func (s *search) best(known int) []Region {
	s.limit = known - 1
	s.descend(1<<len(s.set)-1, nil)
	if s.found == nil {
		return nil
	}
	out := make([]Region, len(s.found))
	for i, c := range s.found {
		if c.box == nil {
			out[i] = flatRegion(s.region, c.flat)
			continue
		}
		out[i] = regions(s.region, []box{c.box})[0]
	}
	return out
}

func (s *search) descend(left uint32, taken []choice) {
	if left == 0 {
		s.found, s.limit = slices.Clone(taken), len(taken)-1
		return
	}
	s.nodes++
	if before, ok := s.seen[left]; ok && before <= len(taken) || len(taken) >= s.limit || s.nodes > maxNodes {
		return
	}
	s.seen[left] = len(taken)
	for _, c := range s.choices(left) {
		s.descend(left&^c.mask, append(taken, c))
		if len(taken) >= s.limit {
			return
		}
	}
}

// choices are the slices within left that begin at its lowest rank, largest first, boxes before flat ones.
func (s *search) choices(left uint32) []choice {
	first := bits.TrailingZeros32(left)
	index := s.set[first]
	start := make(box, len(s.region.Sizes))
	for d := range start {
		start[d] = ap{index / s.strides[d] % s.region.Sizes[d], 1, 1}
	}
	out := s.grow(left, 0, start, []int{index}, nil)
	if len(start) > 1 {
		out = s.runs(left, first, out)
	}
	slices.SortStableFunc(out, func(a, b choice) int {
		return cmp.Compare(bits.OnesCount32(b.mask), bits.OnesCount32(a.mask))
	})
	return out
}

// grow extends the box b, which holds points, along dimension d and those after it.
func (s *search) grow(left uint32, d int, b box, points []int, out []choice) []choice {
	if len(out) >= maxChoices {
		return out
	}
	if d == len(b) {
		var mask uint32
		for _, p := range points {
			mask |= 1 << s.bit[p]
		}
		return append(out, choice{mask: mask, box: slices.Clone(b)})
	}
	out = s.grow(left, d+1, b, points, out)
	at := b[d].start
	tried := map[int]bool{}
	for _, x := range s.set {
		step := x/s.strides[d]%s.region.Sizes[d] - at
		if step < 1 || tried[step] {
			continue
		}
		tried[step] = true
		grown := slices.Clone(points)
		for n := 2; at+(n-1)*step < s.region.Sizes[d]; n++ {
			next, ok := s.shift(left, points, (n-1)*step*s.strides[d])
			if !ok {
				break
			}
			grown = append(grown, next...)
			b[d] = ap{at, step, n}
			out = s.grow(left, d+1, b, grown, out)
		}
		b[d] = ap{at, 1, 1}
	}
	return out
}

// shift moves points by delta and reports whether all land in left.
func (s *search) shift(left uint32, points []int, delta int) ([]int, bool) {
	moved := make([]int, len(points))
	for i, p := range points {
		k, ok := s.bit[p+delta]
		if !ok || left&(1<<k) == 0 {
			return nil, false
		}
		moved[i] = p + delta
	}
	return moved, true
}

// runs are the flat progressions of two ranks or more that begin at first.
func (s *search) runs(left uint32, first int, out []choice) []choice {
	for second := first + 1; second < len(s.set); second++ {
		if left&(1<<second) == 0 {
			continue
		}
		p := ap{s.base[first], s.base[second] - s.base[first], 1}
		mask := uint32(1) << first
		for {
			k, ok := s.baseBit[p.start+p.count*p.step]
			if !ok || left&(1<<k) == 0 {
				break
			}
			mask |= 1 << k
			p.count++
			out = append(out, choice{mask: mask, flat: p})
		}
	}
	return out
}
