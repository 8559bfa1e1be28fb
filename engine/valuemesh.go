package engine

import (
	"errors"
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
	on   shape.HostOf // of ranks of the mesh
}

func newValueMesh[R any](ref control.MeshRef) ValueMesh[R] {
	n := ref.View.Len()
	return ValueMesh[R]{
		mesh: ref.Name, base: ref.View, view: shape.RegionOf(ref.View.Extent()),
		vals: make([]R, n), errs: make([]*RankError, n), done: make([]bool, n), on: ref.HostOf(),
	}
}

func (v *ValueMesh[R]) set(r Reply[R]) {
	v.vals[r.Point.Rank], v.done[r.Point.Rank] = r.Value, true
}

func (v *ValueMesh[R]) fail(e *RankError) { v.errs[e.Point.Rank] = e }

func (v *ValueMesh[R]) meshError(c *call) error {
	e := &MeshError{Endpoint: c.endpoint.name, Mesh: v.mesh, Ranks: len(v.vals)}
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

// AtRank is the value of a rank of the mesh, or the error of that rank. Ranks are the mesh's own, whichever slice was
// called, as in Reply.Rank and RankError.Rank; one that was not called is an error.
func (v ValueMesh[R]) AtRank(rank int) (R, error) {
	var zero R
	if v.Len() == 0 {
		return zero, fmt.Errorf("no value of rank %d: the call did not happen", rank)
	}
	if i, called := v.base.IndexOf(rank); called {
		if i, here := v.view.IndexOf(i); here {
			return v.at(i)
		}
	}
	return zero, fmt.Errorf("no value of rank %d: this ValueMesh holds the ranks [%s] of @%s", rank, shape.FormatRanks(v.ranks()), v.mesh)
}

// ranks are those of the mesh, in order.
func (v ValueMesh[R]) ranks() []int {
	out := make([]int, v.Len())
	for i := range out {
		out[i] = v.base.RankAt(v.view.RankAt(i))
	}
	return out
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

// Values is the value of every rank, in rank order: index i is that of Extent().Point(i). When a rank has none there is no
// list, because the others would move up in it: the error is a *MeshError. Items, At and AtRank read what there is.
func (v ValueMesh[R]) Values() ([]R, error) {
	if v.Len() == 0 {
		return nil, errors.New("no values: the call did not happen")
	}
	out, failed := make([]R, v.Len()), &MeshError{Mesh: v.mesh, Ranks: v.Len()}
	for i := range out {
		var err error
		if out[i], err = v.at(i); err == nil {
			continue
		}
		re, ok := errors.AsType[*RankError](err)
		if !ok {
			return nil, err
		}
		failed.Endpoint, failed.Failed = re.Endpoint, append(failed.Failed, re)
	}
	if len(failed.Failed) > 0 {
		return nil, failed
	}
	return out, nil
}

// Answered is the values of the ranks that answered, in rank order. A rank that failed leaves no gap: where it matters
// whose value it is, use Items, At or AtRank.
func (v ValueMesh[R]) Answered() []R {
	out := make([]R, 0, v.Len())
	for _, x := range v.Items() {
		out = append(out, x)
	}
	return out
}

// Slice narrows the values as Mesh.Slice narrows a mesh.
func (v ValueMesh[R]) Slice(s ...Sel) (ValueMesh[R], error) {
	return v.derive("slice of ", func(r shape.Region) (shape.Region, error) { return r.SliceOn(v.hostOf(), s...) })
}

// hostOf tells on which host the rank of a value is.
func (v ValueMesh[R]) hostOf() shape.HostOf {
	if v.on == nil {
		return nil
	}
	return func(i int) string { return v.on(v.base.RankAt(i)) }
}

// Select is Slice by a selection's text, as ParseSel reads it.
func (v ValueMesh[R]) Select(text string) (ValueMesh[R], error) {
	s, err := ParseSel(text)
	if err != nil {
		return v, fmt.Errorf("select from the values of @%s: %w", v.mesh, err)
	}
	return v.derive("select from ", func(r shape.Region) (shape.Region, error) { return r.SliceOn(v.hostOf(), s) })
}

// Split, Rename and Flatten give the values other dimensions, as those of Mesh do.
func (v ValueMesh[R]) Split(dim string, into Extent) (ValueMesh[R], error) {
	return v.derive("", func(r shape.Region) (shape.Region, error) { return r.Split(dim, into) })
}

// Rename gives a dimension another name. See Split.
func (v ValueMesh[R]) Rename(dim, name string) (ValueMesh[R], error) {
	return v.derive("", func(r shape.Region) (shape.Region, error) { return r.Rename(dim, name) })
}

// Flatten makes one dimension of all. It is refused where the values are a slice of the others that leaves gaps. See Split.
func (v ValueMesh[R]) Flatten(name string) (ValueMesh[R], error) {
	return v.derive("", func(r shape.Region) (shape.Region, error) { return r.Flatten(name) })
}

func (v ValueMesh[R]) derive(verb string, f func(shape.Region) (shape.Region, error)) (ValueMesh[R], error) {
	if v.Len() == 0 {
		return v, fmt.Errorf("%san empty ValueMesh", verb)
	}
	view, err := f(v.view)
	if err != nil {
		return ValueMesh[R]{}, fmt.Errorf("%sthe values of @%s: %w", verb, v.mesh, err)
	}
	v.view = view
	return v, nil
}
