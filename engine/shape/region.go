package shape

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Region is a strided view of a base mesh: the ranks Offset + Σ index·stride, the last dimension fastest. The zero
// Region means "not given"; a region without dimensions that is given has empty, non-nil slices and one rank.
// In CBOR it is an array.
type Region struct {
	_       struct{} `cbor:",toarray"`
	Labels  []string
	Offset  int
	Sizes   []int
	Strides []int
}

// RegionOf is all of a mesh of extent e: offset 0, dense, row-major.
func RegionOf(e Extent) Region {
	r := Region{Labels: e.Names(), Sizes: make([]int, len(e)), Strides: make([]int, len(e))}
	stride := 1
	for i := len(e) - 1; i >= 0; i-- {
		r.Sizes[i], r.Strides[i] = e[i].Size, stride
		stride *= e[i].Size
	}
	return r
}

// IsZero reports whether the region was not given.
func (r Region) IsZero() bool {
	return r.Labels == nil && r.Sizes == nil && r.Strides == nil && r.Offset == 0
}

// Validate reports whether the region is well formed: labels and sizes as Extent.Validate wants them, an offset of 0
// or more, every rank within an int, and strides that put a larger index at a larger rank. A region that comes from
// outside must pass it before any other method but String is called. The zero Region is not valid.
func (r Region) Validate() error {
	if r.IsZero() {
		return errors.New("the region is not given")
	}
	n := len(r.Labels)
	if len(r.Sizes) != n || len(r.Strides) != n {
		return fmt.Errorf("region has %d labels, %d sizes and %d strides: want one of each per dimension", n, len(r.Sizes), len(r.Strides))
	}
	if err := r.Extent().Validate(0); err != nil {
		return err
	}
	if r.Offset < 0 {
		return fmt.Errorf("offset %d is negative: want 0 or more", r.Offset)
	}
	span := 0 // of the dimensions to the right: largest rank less smallest
	for i := n - 1; i >= 0; i-- {
		size, stride := r.Sizes[i], r.Strides[i]
		if stride < 1 {
			return fmt.Errorf("stride %d of %s: want 1 or more", stride, r.Labels[i])
		}
		if size == 1 {
			continue
		}
		if stride <= span {
			return fmt.Errorf("stride %d of %s makes ranks overlap: want more than %d", stride, r.Labels[i], span)
		}
		if stride > (math.MaxInt-span)/(size-1) {
			return fmt.Errorf("stride %d of %s is too large: ranks must fit an int", stride, r.Labels[i])
		}
		span += stride * (size - 1)
	}
	if r.Offset > math.MaxInt-span {
		return fmt.Errorf("offset %d is too large: ranks must fit an int", r.Offset)
	}
	return nil
}

// Len is the number of ranks, 0 for the zero Region.
func (r Region) Len() int {
	if r.IsZero() {
		return 0
	}
	n := 1
	for _, s := range r.Sizes {
		if s < 1 {
			return 0
		}
		if n > math.MaxInt/s {
			return math.MaxInt
		}
		n *= s
	}
	return n
}

// Extent is the region's own shape, without offset and strides.
func (r Region) Extent() Extent {
	e := make(Extent, len(r.Labels))
	for i, l := range r.Labels {
		e[i] = Dim{Name: l, Size: r.Sizes[i]}
	}
	return e
}

// Names lists the dimensions in order.
func (r Region) Names() []string { return slices.Clone(r.Labels) }

// RankAt is the base rank of index i. It does not allocate. It panics when i is not in 0…Len-1, as indexing does.
func (r Region) RankAt(i int) int {
	rank, rest := r.Offset, i
	for d, size := range slices.Backward(r.Sizes) {
		rank += rest % size * r.Strides[d]
		rest /= size
	}
	if i < 0 || rest != 0 || r.IsZero() {
		panic("shape: index " + strconv.Itoa(i) + " is not in region " + r.String())
	}
	return rank
}

// IndexOf is the index of a base rank, and whether the region holds it.
func (r Region) IndexOf(base int) (int, bool) {
	if r.IsZero() || base < r.Offset {
		return 0, false
	}
	rest, index := base-r.Offset, 0
	for d, size := range r.Sizes {
		c := 0
		if size > 1 {
			// INV-ORDER: what lies to the right of this dimension spans less than one stride.
			c = rest / r.Strides[d]
			if c >= size {
				return 0, false
			}
			rest -= c * r.Strides[d]
		}
		index = index*size + c
	}
	return index, rest == 0
}

// Point is index i as a point of the region's extent. It panics as RankAt does.
func (r Region) Point(i int) Point { return r.Extent().Point(i) }

// Ranks yields the base ranks in index order, which is increasing.
func (r Region) Ranks() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range r.Len() {
			if !yield(r.RankAt(i)) {
				return
			}
		}
	}
}

// Max is the largest rank of a valid region: its ranks ascend. It takes no longer for a large region.
func (r Region) Max() int { return r.RankAt(r.Len() - 1) }

// IsDense reports whether the ranks are contiguous. The stride of a dimension of size 1 does not matter.
func (r Region) IsDense() bool {
	if r.IsZero() {
		return false
	}
	stride := 1
	for d, size := range slices.Backward(r.Sizes) {
		if size == 1 {
			continue
		}
		if r.Strides[d] != stride {
			return false
		}
		stride *= size
	}
	return true
}

// Equal reports whether both have the same dimensions and ranks in the same order.
func (r Region) Equal(o Region) bool {
	return r.IsZero() == o.IsZero() && r.Offset == o.Offset && slices.Equal(r.Labels, o.Labels) &&
		slices.Equal(r.Sizes, o.Sizes) && slices.Equal(r.Strides, o.Strides)
}

// String is the region as offset+label=size/stride,…, or "none" when it is not given.
func (r Region) String() string {
	if r.IsZero() {
		return "none"
	}
	var b strings.Builder
	b.WriteString(strconv.Itoa(r.Offset))
	b.WriteByte('+')
	for i := range min(len(r.Labels), len(r.Sizes), len(r.Strides)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s=%d/%d", printable(r.Labels[i]), r.Sizes[i], r.Strides[i])
	}
	return b.String()
}

// clone is a copy that shares nothing and keeps empty slices non-nil.
func (r Region) clone() Region {
	r.Labels, r.Sizes, r.Strides = slices.Clone(r.Labels), slices.Clone(r.Sizes), slices.Clone(r.Strides)
	return r
}

func (r Region) dim(name string) int { return slices.Index(r.Labels, name) }
