package shape

import (
	"slices"
	"strconv"
	"strings"
)

// FormatRanks prints ranks sorted, each once, runs with a dash: 0-2,5.
func FormatRanks(ranks []int) string {
	if !slices.IsSorted(ranks) {
		ranks = slices.Clone(ranks)
		slices.Sort(ranks)
	}
	var b []byte
	for i := 0; i < len(ranks); {
		first, last := ranks[i], ranks[i]
		for i++; i < len(ranks) && ranks[i]-last <= 1; i++ {
			last = ranks[i]
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(first), 10)
		if last != first {
			b = append(b, '-')
			b = strconv.AppendInt(b, int64(last), 10)
		}
	}
	return string(b)
}

// FormatPlaces prints ranks of a mesh in brackets, and behind them the places that they have in the slice that was called,
// where those are other numbers: [1,3], [3] (gpus=1 of the slice), [2-3] ([0-1] of the slice). points are one for each rank;
// one without dimensions is in a slice of one rank, which numbers nothing.
func FormatPlaces(ranks []int, points []Point) string {
	text := "[" + FormatRanks(ranks) + "]"
	places := make([]int, len(points))
	differ := false
	for i, p := range points {
		places[i] = p.Rank
		differ = differ || len(p.Extent) > 0 && p.Rank != ranks[i]
	}
	switch {
	case !differ:
		return text
	case len(points) == 1:
		return text + " (" + points[0].String() + " of the slice)"
	}
	return text + " ([" + FormatRanks(places) + "] of the slice)"
}

// Describe is the text of view as a selection of r: dp=1:4,tp=1 where the ranks are a grid of r's dimensions, with
// those that are whole left out, else flat ranks 0-2,5. All of r is "*". Parse and Resolve of the text on r choose
// the ranks of view. A view with ranks outside r, or with more than a million, is printed as Region.String does.
func Describe(r, view Region) string {
	n := view.Len()
	if r.IsZero() || view.IsZero() || n > maxChosen {
		return view.String()
	}
	if n == r.Len() && view.Offset == r.Offset && contains(r, view) {
		return "*"
	}
	indices := make([]int, 0, n)
	seen := make([]map[int]bool, len(r.Sizes))
	for d := range seen {
		seen[d] = map[int]bool{}
	}
	for base := range view.Ranks() {
		i, ok := r.IndexOf(base)
		if !ok {
			return view.String()
		}
		indices = append(indices, i)
		for d, size := range slices.Backward(r.Sizes) {
			seen[d][i%size] = true
			i /= size
		}
	}
	grid := 1
	for _, s := range seen {
		grid *= len(s)
	}
	if grid != n {
		return flatSelection(indices)
	}
	var parts []string
	for d, s := range seen {
		if len(s) == r.Sizes[d] {
			continue
		}
		parts = append(parts, r.Labels[d]+"="+indexText(s))
	}
	return strings.Join(parts, ",")
}

func contains(r, view Region) bool {
	for base := range view.Ranks() {
		if _, ok := r.IndexOf(base); !ok {
			return false
		}
	}
	return true
}

// indexText is 1, 1:4, 0:8:2 or (0,1,3).
func indexText(set map[int]bool) string {
	list := make([]int, 0, len(set))
	for i := range set {
		list = append(list, i)
	}
	slices.Sort(list)
	if len(list) == 1 {
		return strconv.Itoa(list[0])
	}
	if p, ok := asProgression(list); ok {
		return rangeText(p.start, p.start+(p.count-1)*p.step+1, p.step)
	}
	var parts []string
	for _, p := range partition(list) {
		if p.count == 1 {
			parts = append(parts, strconv.Itoa(p.start))
			continue
		}
		parts = append(parts, rangeText(p.start, p.start+(p.count-1)*p.step+1, p.step))
	}
	return "(" + strings.Join(parts, ",") + ")"
}

// flatSelection prints indices, in increasing order, as the shorter of a strided range and dashes.
func flatSelection(indices []int) string {
	if p, ok := asProgression(indices); ok && p.step > 1 && p.count > 2 {
		return rangeText(p.start, p.start+(p.count-1)*p.step+1, p.step)
	}
	return FormatRanks(indices)
}
