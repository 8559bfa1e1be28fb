package ranks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// maxRanks bounds the mesh that a set is bound to, and so what Ranks returns.
const maxRanks = 1 << 20

// Set is what stands between the parentheses of ranks(…). The zero Set is every rank.
type Set struct {
	sel  shape.Selection
	text string // without blanks
}

// Parse reads what stands between the parentheses of ranks(…): one rank, two or more ranks 1,3,5, a half-open range
// start?:stop?:step?, or conditions on dimensions host=0:2, gpu=(1,3). Its errors are *shape.ParseError.
func Parse(text string) (Set, error) {
	if len(text) > maxLine {
		return Set{}, &shape.ParseError{Offset: maxLine, Msg: fmt.Sprintf("the ranks take %d bytes and %d are read: write a range in place of single ranks", len(text), maxLine)}
	}
	sel, err := shape.ParseRanks(text)
	if err != nil {
		return Set{}, err
	}
	bare := strings.Map(func(r rune) rune {
		if strings.ContainsRune(blanks, r) {
			return -1
		}
		return r
	}, text)
	return Set{sel, bare}, nil
}

// String is the set as it was typed, without blanks. Parse reads it back to the same set.
func (s Set) String() string {
	if s.text == "" {
		return ":"
	}
	return s.text
}

// brief is the set within a message.
func (s Set) brief() string { return "ranks(" + clean.EscapeCut(s.String(), 64) + ")" }

// Ranks are the ranks that the set holds of a mesh, sorted, each once; at least one. A dimension that the mesh does not
// have, a rank that it does not have and a range that holds nothing are errors that say what there is. The end of a range
// may lie beyond the last rank, because it is where Monarch's ends too when it is left out.
func (s Set) Ranks(extent shape.Extent) ([]int, error) {
	if err := extent.Validate(maxRanks); err != nil {
		return nil, fmt.Errorf("%s of a mesh that has no usable shape: %w", s.brief(), err)
	}
	ranks, err := s.sel.Ranks(shape.RegionOf(extent))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.brief(), err)
	}
	return ranks, nil
}

// Among are the ranks of the set that are stopped, and those of it that are not. Where none is stopped, that is an
// error that says which are. stopped need not be sorted.
func (s Set) Among(extent shape.Extent, stopped []int) (here, absent []int, err error) {
	all, err := s.Ranks(extent)
	if err != nil {
		return nil, nil, err
	}
	sorted := slices.Sorted(slices.Values(stopped))
	for _, r := range all {
		if _, ok := slices.BinarySearch(sorted, r); ok {
			here = append(here, r)
		} else {
			absent = append(absent, r)
		}
	}
	switch {
	case len(here) > 0:
		return here, absent, nil
	case len(stopped) == 0:
		return nil, absent, fmt.Errorf("%s: no rank of this mesh is stopped", s.brief())
	}
	return nil, absent, fmt.Errorf("%s: none of these is stopped; stopped are %s", s.brief(), shape.FormatRanks(stopped))
}
