package grid

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Density is how much of the screen one rank gets.
type Density uint8

// The densities. Auto is the largest at which all ranks are seen at once.
const (
	Auto  Density = iota
	Label         // the rank's number and its state
	Dot           // the state's sign
	Half          // half a cell, by colour only
	Heat          // a cell for a group of ranks
)

// String is the density as the screen names it.
func (d Density) String() string {
	return [...]string{"auto", "label", "dot", "half", "heat"}[min(d, Heat)]
}

// view is the mesh, or a part of it that was zoomed into. An index counts its ranks from 0.
type view struct {
	region shape.Region
	ranks  []int32 // own rank of each index
	dims   []axis
	text   string // the part in brackets, "" for the whole mesh
}

// axis is one dimension of a view.
type axis struct {
	name         string
	size, stride int // stride in indices
	base, step   int // index i is coordinate base + i·step of the whole mesh
}

// own is the coordinate in the whole mesh: labels and texts speak of that.
func (a axis) own(i int) int { return a.base + i*a.step }

func newView(region, whole shape.Region) *view {
	v := &view{region: region, ranks: make([]int32, 0, region.Len())}
	for rank := range region.Ranks() {
		v.ranks = append(v.ranks, int32(rank))
	}
	stride := len(v.ranks)
	for i, name := range region.Labels {
		stride /= region.Sizes[i]
		a := axis{name: name, size: region.Sizes[i], stride: stride, step: 1}
		if from, ok := ownCoord(whole, v.ranks[0], name); ok {
			a.base = from
			if a.size > 1 {
				to, _ := ownCoord(whole, v.ranks[stride], name)
				a.step = to - from
			}
		}
		v.dims = append(v.dims, a)
	}
	if !region.Equal(whole) {
		v.text = "[" + shape.Describe(whole, region) + "]"
	}
	return v
}

// ownCoord is the coordinate of a rank along a dimension of the whole mesh.
func ownCoord(whole shape.Region, rank int32, dim string) (int, bool) {
	i, ok := whole.IndexOf(int(rank))
	if !ok {
		return 0, false
	}
	return whole.Point(i).Coord(dim)
}

func (v *view) len() int { return len(v.ranks) }

func (v *view) holds(rank int) bool {
	_, ok := v.region.IndexOf(rank)
	return ok
}

// index is the index of an own rank; a rank of another part is as good as the first.
func (v *view) index(rank int) int {
	i, _ := v.region.IndexOf(rank)
	return i
}

func (v *view) coord(index, dim int) int { return index / v.dims[dim].stride % v.dims[dim].size }

// axes are the dimensions in the order in which they get a place: columns, rows, across, down, pages. Those with one
// index need none. row and col are picked names.
func (v *view) axes(row, col string) []int {
	var out []int
	for _, picked := range []string{col, row} {
		if i := slices.IndexFunc(v.dims, func(a axis) bool { return a.name == picked }); i >= 0 {
			out = append(out, i)
		}
	}
	if row != "" && col == "" && len(out) == 1 { // only rows were picked: the last other one is for columns
		for i, d := range slices.Backward(v.dims) {
			if d.size > 1 && i != out[0] {
				out = slices.Insert(out, 0, i)
				break
			}
		}
	}
	for i, d := range slices.Backward(v.dims) {
		if d.size > 1 && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// outer are the dimensions in the order in which HEAT shows them: rows, columns; the others are inside the groups.
func (v *view) outer(row, col string) []int {
	if row != "" || col != "" {
		if a := v.axes(row, col); len(a) > 1 {
			a[0], a[1] = a[1], a[0]
			return a
		}
	}
	var out []int
	for i, d := range v.dims {
		if d.size > 1 {
			out = append(out, i)
		}
	}
	return out
}
