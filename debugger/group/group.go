package group

import (
	"cmp"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// RankValue is what one rank said.
type RankValue struct {
	Rank  int
	Value any    // as engine/eval knows values
	Err   string // why there is none; Value does not count then
}

// Group is the ranks that said the same.
type Group struct {
	Ranks []int  // sorted; at least one
	Value any    // of the first of them; nil where Err is given
	Err   string // why they have no value
	Cut   bool   // only a part of the values was read, and that part is equal: the rest may differ
}

// Table is the values of many ranks, grouped.
type Table struct {
	Groups   []Group   // the largest first, of one size that with the smallest rank
	Spread   *Spread   // nil where no value is a finite number
	Outliers []Outlier // by rank

	sorted []RankValue // by rank, each once
	cells  []cell      // as sorted
}

// New groups values. Of a rank that is given twice the last counts.
func New(values []RankValue) Table {
	t := Table{sorted: byRank(values)}
	t.Groups = grouped(t.sorted)
	t.cells = make([]cell, len(t.sorted))
	unit := unitOf(t.sorted)
	for i, v := range t.sorted {
		t.cells[i] = cellOf(v, unit)
	}
	t.Spread = spreadOf(t.cells, unit)
	t.Outliers = outliers(t.sorted, t.cells, t.Spread)
	return t
}

// Len is the number of ranks.
func (t *Table) Len() int { return len(t.sorted) }

func byRank(values []RankValue) []RankValue {
	sorted := slices.Clone(values)
	slices.Reverse(sorted) // so that the last of one rank comes first in the stable order, and stays
	slices.SortStableFunc(sorted, func(a, b RankValue) int { return cmp.Compare(a.Rank, b.Rank) })
	sorted = slices.CompactFunc(sorted, func(a, b RankValue) bool { return a.Rank == b.Rank })
	for i := range sorted {
		sorted[i].Value = eval.Canonical(sorted[i].Value)
	}
	return sorted
}

func grouped(sorted []RankValue) []Group {
	index := make(map[print]int)
	var groups []Group
	for _, v := range sorted {
		key, whole := printOf(v)
		i, known := index[key]
		if !known {
			i = len(groups)
			index[key] = i
			g := Group{Value: v.Value, Err: v.Err, Cut: !whole}
			if v.Err != "" {
				g.Value = nil
			}
			groups = append(groups, g)
		}
		groups[i].Ranks = append(groups[i].Ranks, v.Rank)
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(len(b.Ranks), len(a.Ranks)) })
	return groups
}
