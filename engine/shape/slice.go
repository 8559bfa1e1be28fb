package shape

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// End as the end of a range means "to the last".
const End = math.MaxInt

// Sel narrows a region: At, Span and Range choose along one dimension; a Point chooses one rank; a Selection is what
// a person typed. The set of implementations is closed.
type Sel interface {
	narrow(r Region) (Region, error)
}

var (
	_ Sel = axis{}
	_ Sel = Point{}
	_ Sel = Selection{}
)

// axis chooses lo, lo+step, … below hi along one dimension.
type axis struct {
	dim          string
	lo, hi, step int
	keep         bool // whether the dimension stays
}

// At chooses index i along dim and drops the dimension.
func At(dim string, i int) Sel { return axis{dim: dim, lo: i, hi: i, step: 1} }

// Span chooses the half-open range lo…hi-1 along dim, which stays. An end beyond the last is clamped.
func Span(dim string, lo, hi int) Sel { return Range(dim, lo, hi, 1) }

// Range chooses every step-th index of lo…hi-1 along dim, which stays. An end beyond the last is clamped.
func Range(dim string, lo, hi, step int) Sel {
	return axis{dim: dim, lo: lo, hi: hi, step: step, keep: true}
}

// Slice narrows the region by each of s in turn. Unknown dimensions, indices and starts out of range, negative
// numbers, steps below 1, and ranges that hold nothing are errors that say what would have been right. A Selection
// that is not one regular slice is refused by an *IrregularError, which lists the slices it would take.
func (r Region) Slice(s ...Sel) (Region, error) { return r.SliceOn(nil, s...) }

// SliceOn is Slice of a region of which it is known on which host each rank is: s may name hosts.
func (r Region) SliceOn(on HostOf, s ...Sel) (Region, error) {
	if r.IsZero() {
		return Region{}, errors.New("nothing to slice: the region is not given")
	}
	out := r.clone()
	for _, sel := range s {
		if sel == nil {
			return Region{}, errors.New("slice: nil is no selection; want At, Span, Range, a Point or a parsed Selection")
		}
		var err error
		if named, ok := sel.(Selection); ok {
			if sel, err = named.bind(out, on); err != nil {
				return Region{}, err
			}
		}
		if out, err = sel.narrow(out); err != nil {
			return Region{}, err
		}
	}
	return out, nil
}

func (a axis) narrow(r Region) (Region, error) {
	d := r.dim(a.dim)
	if d < 0 {
		return Region{}, r.Extent().unknown(a.dim)
	}
	dim := Dim{Name: a.dim, Size: r.Sizes[d]}
	if !a.keep {
		if a.lo < 0 || a.lo >= dim.Size {
			return Region{}, outOfRange(dim, a.lo)
		}
		return r.pick(d, a.lo), nil
	}
	n, err := progression(dim, a.lo, a.hi, a.step)
	if err != nil {
		return Region{}, err
	}
	return r.stretch(d, ap{a.lo, a.step, n}), nil
}

// progression counts the indices of lo:hi:step in dim, the end clamped.
func progression(dim Dim, lo, hi, step int) (int, error) {
	text := func() string { return dim.Name + "=" + rangeText(lo, hi, step) }
	switch {
	case lo < 0 || hi < 0:
		return 0, fmt.Errorf("%s has a negative bound: indices count from 0, and %s has %s", text(), dim.Name, span(dim.Size))
	case step < 1:
		return 0, fmt.Errorf("%s has step %d: want 1 or more", text(), step)
	case lo >= dim.Size:
		return 0, fmt.Errorf("%s begins out of range: %s has %s", text(), dim.Name, span(dim.Size))
	case hi <= lo:
		return 0, fmt.Errorf("%s is empty: the end is not included, so want an end above %d", text(), lo)
	}
	return (min(hi, dim.Size)-lo-1)/step + 1, nil
}

// pick fixes dimension d at index i and drops it.
func (r Region) pick(d, i int) Region {
	out := r.clone()
	out.Offset += i * r.Strides[d]
	out.Labels, out.Sizes, out.Strides = slices.Delete(out.Labels, d, d+1), slices.Delete(out.Sizes, d, d+1), slices.Delete(out.Strides, d, d+1)
	return out
}

// stretch keeps dimension d but only the indices of p.
func (r Region) stretch(d int, p ap) Region {
	out := r.clone()
	out.Offset += p.start * r.Strides[d]
	out.Sizes[d] = p.count
	if p.count > 1 { // the stride of one element is never used, and a huge step would overflow it
		out.Strides[d] *= p.step
	}
	return out
}

func (p Point) narrow(r Region) (Region, error) {
	if len(p.Extent) == 0 && len(r.Labels) > 0 {
		return Region{}, fmt.Errorf("a point without dimensions chooses nothing in %s; the rank in a one-rank slice has none: "+
			"use the point in the whole mesh, or name an index, e.g. %s=0", r.Extent(), printable(r.Labels[0]))
	}
	if err := p.Validate(); err != nil {
		return Region{}, err
	}
	for i, c := range p.Coords() {
		var err error
		if r, err = (axis{dim: p.Extent[i].Name, lo: c}).narrow(r); err != nil {
			return Region{}, fmt.Errorf("slice at point %s: %w", p, err)
		}
	}
	return r, nil
}

// IrregularError says that a selection is not one strided slice, and which slices it would take.
type IrregularError struct {
	Selection string   // as text
	Of        Region   // what was to be sliced
	Slices    []Region // hold each chosen rank once
}

// Error lists the slices in the text of selections.
func (e *IrregularError) Error() string {
	const most = 4
	var parts []string
	for _, s := range e.Slices[:min(len(e.Slices), most)] {
		parts = append(parts, Describe(e.Of, s))
	}
	list := strings.Join(parts, " and ")
	if n := len(e.Slices) - most; n > 0 {
		list += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s is no regular slice of %s: it takes %d, %s", e.Selection, e.Of.Extent(), len(e.Slices), list)
}

func (s Selection) narrow(r Region) (Region, error) {
	parts, err := s.Resolve(r)
	if err != nil {
		return Region{}, err
	}
	if len(parts) != 1 {
		return Region{}, &IrregularError{Selection: s.String(), Of: r, Slices: parts}
	}
	return parts[0], nil
}
