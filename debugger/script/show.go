package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

const (
	maxShown = 400 // characters of a value that save --expect writes down
	maxLines = 50  // folded lines in a report
)

// show renders a value for a person who reads a report.
func show(v any) string { return clean(eval.Show(v)) }

// fold says once what several ranks have in common: "[0-2,5] text", by first rank (INV-FOLD).
type fold struct {
	ranks  map[string][]int
	points map[string][]shape.Point // of the ranks, in the slice that was called; without dimensions where that does not matter
}

func (f *fold) add(rank int, text string) { f.addAt(rank, shape.Point{}, text) }

func (f *fold) addAt(rank int, at shape.Point, text string) {
	if f.ranks == nil {
		f.ranks, f.points = make(map[string][]int), make(map[string][]shape.Point)
	}
	f.ranks[text], f.points[text] = append(f.ranks[text], rank), append(f.points[text], at)
}

func (f *fold) lines() []string {
	texts := slices.SortedFunc(maps.Keys(f.ranks), func(a, b string) int {
		return slices.Compare(f.ranks[a], f.ranks[b])
	})
	var out []string
	for i, t := range texts {
		if i == maxLines {
			return append(out, fmt.Sprintf("… and %d more", len(texts)-i))
		}
		head := shape.FormatPlaces(f.ranks[t], f.points[t]) + " "
		for j, l := range strings.Split(t, "\n") {
			if j > 0 {
				head = strings.Repeat(" ", len(head))
			}
			out = append(out, head+clean(l))
		}
	}
	return out
}

// foldLines folds lines of several ranks: equal lines once, in the order in which the first rank that has them printed
// them.
func foldLines(byRank map[int][]string) []string {
	type line struct {
		first, index int
		text         string
		ranks        []int
	}
	type key struct {
		text string
		nth  int // the same text again on one rank is a line of its own
	}
	seen := map[key]*line{}
	for _, r := range slices.Sorted(maps.Keys(byRank)) {
		nth := map[string]int{}
		for i, t := range byRank[r] {
			k := key{t, nth[t]}
			nth[t]++
			if l := seen[k]; l != nil {
				l.ranks = append(l.ranks, r)
				continue
			}
			seen[k] = &line{r, i, t, []int{r}}
		}
	}
	all := slices.Collect(maps.Values(seen))
	slices.SortFunc(all, func(a, b *line) int {
		if a.first != b.first {
			return a.first - b.first
		}
		return a.index - b.index
	})
	out := make([]string, 0, len(all))
	for _, l := range all {
		out = append(out, "["+shape.FormatRanks(l.ranks)+"] "+clean(l.text))
	}
	return out
}
