package shape

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Point is one position in an extent. As a Sel it slices to the same position in another mesh, dropping each of its
// dimensions. The zero Point has rank 0 and no dimensions. In CBOR it is an array.
type Point struct {
	_      struct{} `cbor:",toarray"`
	Rank   int
	Extent Extent
}

// Validate reports whether the point lies in its extent, and the extent is well formed.
func (p Point) Validate() error {
	if err := p.Extent.Validate(0); err != nil {
		return err
	}
	if n := p.Extent.Len(); p.Rank < 0 || p.Rank >= n {
		return fmt.Errorf("rank %d is not in %s, which has %s", p.Rank, p.Extent, span(n))
	}
	return nil
}

// Coords are the coordinates, one per dimension.
func (p Point) Coords() []int {
	coords := make([]int, len(p.Extent))
	rank := p.Rank
	for i := len(coords) - 1; i >= 0; i-- {
		size := max(p.Extent[i].Size, 1) // a point off the wire may not be valid, and is printed all the same
		coords[i] = rank % size
		rank /= size
	}
	return coords
}

// Coord is the coordinate along dim, and whether the point has that dimension.
func (p Point) Coord(dim string) (int, bool) {
	rank := p.Rank
	for _, d := range slices.Backward(p.Extent) {
		size := max(d.Size, 1)
		if d.Name == dim {
			return rank % size, true
		}
		rank /= size
	}
	return 0, false
}

// String is the point as hosts=0,gpus=1; the point without dimensions is "".
func (p Point) String() string {
	var b strings.Builder
	for i, c := range p.Coords() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(printable(p.Extent[i].Name))
		b.WriteByte('=')
		b.WriteString(strconv.Itoa(c))
	}
	return b.String()
}
