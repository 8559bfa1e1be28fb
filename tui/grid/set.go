package grid

import (
	"math/bits"
	"slices"
)

// set is a set of ranks.
type set struct {
	words []uint64
	n     int
}

func newSet(size int) set { return set{words: make([]uint64, (size+63)/64)} }

func (s *set) has(rank int) bool { return s.words[rank>>6]&(1<<(rank&63)) != 0 }

func (s *set) put(rank int, in bool) {
	if s.has(rank) == in {
		return
	}
	s.words[rank>>6] ^= 1 << (rank & 63)
	if in {
		s.n++
	} else {
		s.n--
	}
}

func (s *set) clear() {
	clear(s.words)
	s.n = 0
}

func (s *set) clone() set { return set{words: slices.Clone(s.words), n: s.n} }

// each calls f with each rank in order.
func (s *set) each(f func(rank int)) {
	for i, w := range s.words {
		for w != 0 {
			f(i<<6 + bits.TrailingZeros64(w))
			w &= w - 1
		}
	}
}

func (s *set) ranks() []int {
	out := make([]int, 0, s.n)
	s.each(func(rank int) { out = append(out, rank) })
	return out
}

// first is the lowest rank, -1 of an empty set.
func (s *set) first() int {
	for i, w := range s.words {
		if w != 0 {
			return i<<6 + bits.TrailingZeros64(w)
		}
	}
	return -1
}
