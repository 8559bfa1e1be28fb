package shape

import (
	"errors"
	"fmt"
	"slices"
)

// Split factors dimension dim into the dimensions of into, outermost first. One size may be 0: it is inferred. The
// sizes must multiply to the size of dim. The ranks and their order stay.
func (r Region) Split(dim string, into Extent) (Region, error) {
	d := r.dim(dim)
	if d < 0 {
		return Region{}, fmt.Errorf("split: %w", r.Extent().unknown(dim))
	}
	if len(into) == 0 {
		return Region{}, fmt.Errorf("split %s: want at least one new dimension", dim)
	}
	into, err := infer(Dim{Name: dim, Size: r.Sizes[d]}, into)
	if err != nil {
		return Region{}, fmt.Errorf("split %s: %w", dim, err)
	}
	strides := RegionOf(into).Strides
	for i := range strides {
		strides[i] *= r.Strides[d]
	}
	out := r.clone()
	out.Labels = slices.Replace(out.Labels, d, d+1, into.Names()...)
	out.Sizes = slices.Replace(out.Sizes, d, d+1, RegionOf(into).Sizes...)
	out.Strides = slices.Replace(out.Strides, d, d+1, strides...)
	if err := out.Validate(); err != nil {
		return Region{}, fmt.Errorf("split %s: %w", dim, err)
	}
	return out, nil
}

// infer fills in the one size that is 0 and checks that the sizes multiply to dim's.
func infer(dim Dim, into Extent) (Extent, error) {
	out := slices.Clone(into)
	hole, known := -1, 1
	for i, d := range out {
		switch {
		case d.Size < 0:
			return nil, fmt.Errorf("%s=%d is no size: want 1 or more, or 0 for one that is inferred", printable(d.Name), d.Size)
		case d.Size == 0 && hole >= 0:
			return nil, fmt.Errorf("the sizes of %s and %s cannot both be inferred: give one of them", printable(out[hole].Name), printable(d.Name))
		case d.Size == 0:
			hole = i
		case known > dim.Size/d.Size: // a product above dim.Size can never fit
			return nil, misfit(dim, into)
		default:
			known *= d.Size
		}
	}
	if hole >= 0 {
		if dim.Size%known != 0 {
			return nil, misfit(dim, into)
		}
		out[hole].Size = dim.Size / known
		known = dim.Size
	}
	if known != dim.Size {
		return nil, misfit(dim, into)
	}
	return out, nil
}

func misfit(dim Dim, into Extent) error {
	return fmt.Errorf("%s does not divide %d evenly: want sizes whose product is %d", into, dim.Size, dim.Size)
}

// Rename gives a dimension another name.
func (r Region) Rename(old, name string) (Region, error) {
	d := r.dim(old)
	if d < 0 {
		return Region{}, fmt.Errorf("rename: %w", r.Extent().unknown(old))
	}
	out := r.clone()
	out.Labels[d] = name
	if err := out.Extent().Validate(0); err != nil {
		return Region{}, fmt.Errorf("rename %s: %w", old, err)
	}
	return out, nil
}

// Flatten makes one dimension of all. Only contiguous ranks can be flattened.
func (r Region) Flatten(name string) (Region, error) {
	if r.IsZero() {
		return Region{}, errors.New("nothing to flatten: the region is not given")
	}
	if err := checkName(name); err != nil {
		return Region{}, fmt.Errorf("flatten: %w", err)
	}
	if !r.IsDense() {
		return Region{}, fmt.Errorf("cannot flatten sparse mesh %s: its ranks are not contiguous; flatten first, then slice", r)
	}
	return Region{Labels: []string{name}, Offset: r.Offset, Sizes: []int{r.Len()}, Strides: []int{1}}, nil
}
