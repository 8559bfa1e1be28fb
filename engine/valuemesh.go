package engine

import (
	"fmt"
	"iter"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// ValueMesh holds one value per rank of the slice that was called, and has its shape. A rank that failed has an error in
// its place, never a zero value.
type ValueMesh[R any] struct {
	mesh string
	base shape.Region // of the slice that was called, in ranks of the mesh: index i holds base.RankAt(i)
	view shape.Region // this slice of it, in indices
	vals []R
	errs []*RankError // nil where there is a value
	done []bool
}

func newValueMesh[R any](ref control.MeshRef) ValueMesh[R] {
	n := ref.View.Len()
	return ValueMesh[R]{
		mesh: ref.Name, base: ref.View, view: shape.RegionOf(ref.View.Extent()),
		vals: make([]R, n), errs: make([]*RankError, n), done: make([]bool, n),
	}
}

func (v *ValueMesh[R]) set(r Reply[R]) {
	v.vals[r.Point.Rank], v.done[r.Point.Rank] = r.Value, true
}

func (v *ValueMesh[R]) fail(e *RankError) { v.errs[e.Point.Rank] = e }

func (v *ValueMesh[R]) meshError(c *call) error {
	e := &MeshError{Endpoint: c.endpoint, Mesh: v.mesh, Ranks: len(v.vals)}
	for _, err := range v.errs {
		if err != nil {
			e.Failed = append(e.Failed, err)
		}
	}
	if len(e.Failed) == 0 {
		return nil
	}
	return e
}

// Extent is the shape of the slice that was called.
func (v ValueMesh[R]) Extent() Extent { return v.view.Extent() }

// Len is how many ranks were called, answered or not.
func (v ValueMesh[R]) Len() int {
	if v.view.IsZero() {
		return 0
	}
	return v.view.Len()
}

// At is the value at a point of the slice, or the error of that rank.
func (v ValueMesh[R]) At(p Point) (R, error) {
	var zero R
	if v.Len() == 0 {
		return zero, fmt.Errorf("no value at %s: the call did not happen", p)
	}
	if !slices.Equal(p.Extent, v.Extent()) || p.Rank < 0 || p.Rank >= v.Len() {
		return zero, fmt.Errorf("no value at %s: this ValueMesh has the shape %s", p, v.Extent())
	}
	return v.at(p.Rank)
}

func (v ValueMesh[R]) at(i int) (R, error) {
	var zero R
	at := v.view.RankAt(i)
	switch {
	case v.errs[at] != nil:
		return zero, v.errs[at]
	case !v.done[at]:
		return zero, fmt.Errorf("no answer from @%s[%d]", v.mesh, v.base.RankAt(at))
	}
	return v.vals[at], nil
}

// Items yields the ranks that answered, in rank order.
func (v ValueMesh[R]) Items() iter.Seq2[Point, R] {
	return func(yield func(Point, R) bool) {
		for i := range v.Len() {
			if x, err := v.at(i); err == nil && !yield(v.view.Point(i), x) {
				return
			}
		}
	}
}

// Errors yields the ranks that failed, in rank order.
func (v ValueMesh[R]) Errors() iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		for i := range v.Len() {
			if _, err := v.at(i); err != nil && !yield(v.view.Point(i), err) {
				return
			}
		}
	}
}

// Values is the values of the ranks that answered, in rank order.
func (v ValueMesh[R]) Values() []R {
	out := make([]R, 0, v.Len())
	for _, x := range v.Items() {
		out = append(out, x)
	}
	return out
}

// Slice narrows the values as Mesh.Slice narrows a mesh.
func (v ValueMesh[R]) Slice(s ...Sel) (ValueMesh[R], error) {
	if v.Len() == 0 {
		return v, fmt.Errorf("slice of an empty ValueMesh")
	}
	view, err := v.view.Slice(s...)
	if err != nil {
		return ValueMesh[R]{}, fmt.Errorf("slice of the values of @%s: %w", v.mesh, err)
	}
	v.view = view
	return v, nil
}
