package shape

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/internal/suggest"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// MaxDims is how many dimensions an extent may have.
const MaxDims = 16

const maxName = 64 // bytes of a dimension's name; runes of a bad one that a message repeats

// Dim is one named dimension of an extent. In CBOR it is an array.
type Dim struct {
	_    struct{} `cbor:",toarray"`
	Name string
	Size int
}

// Extent is the ordered, named shape of a mesh; the last dimension varies fastest. The empty extent has one rank.
type Extent []Dim

// Validate reports whether the extent is well formed: at most MaxDims dimensions, names that are identifiers and
// unique, sizes of 1 or more, and no more than limit ranks (0: as many as an int counts).
func (e Extent) Validate(limit int) error {
	if len(e) > MaxDims {
		return fmt.Errorf("%d dimensions are too many: want at most %d", len(e), MaxDims)
	}
	for i, d := range e {
		if err := checkName(d.Name); err != nil {
			return err
		}
		if slices.ContainsFunc(e[:i], func(o Dim) bool { return o.Name == d.Name }) {
			return fmt.Errorf("dimension %s appears twice in %s: give each its own name", d.Name, e)
		}
		if d.Size < 1 {
			return fmt.Errorf("%s=%d is no size: want 1 or more", d.Name, d.Size)
		}
	}
	n, ok := e.product()
	switch {
	case limit > 0 && !ok:
		return fmt.Errorf("%s has too many ranks: the limit is %d", e, limit)
	case !ok:
		return fmt.Errorf("%s has too many ranks: their product must fit an int", e)
	case limit > 0 && n > limit:
		return fmt.Errorf("%s has %d ranks: the limit is %d", e, n, limit)
	}
	return nil
}

// Len is the number of ranks: the product of the sizes, 1 without dimensions, 0 when a size is below 1, and the
// largest int where the product does not fit one.
func (e Extent) Len() int {
	n, _ := e.product()
	return n
}

func (e Extent) product() (n int, ok bool) {
	if slices.ContainsFunc(e, func(d Dim) bool { return d.Size < 1 }) {
		return 0, false
	}
	n = 1
	for _, d := range e {
		if n > math.MaxInt/d.Size {
			return math.MaxInt, false
		}
		n *= d.Size
	}
	return n, true
}

// Point is the point of a rank. It panics when rank is not in 0…Len-1, as indexing a slice does.
func (e Extent) Point(rank int) Point {
	if rank < 0 || rank >= e.Len() {
		panic(fmt.Sprintf("shape: rank %d is not in %s", rank, e))
	}
	return Point{Rank: rank, Extent: e}
}

// RankOf is the rank at coords, one per dimension.
func (e Extent) RankOf(coords ...int) (int, error) {
	if len(coords) != len(e) {
		return 0, fmt.Errorf("%d coordinates for %s: want %d", len(coords), e, len(e))
	}
	rank := 0
	for i, c := range coords {
		if c < 0 || c >= e[i].Size {
			return 0, outOfRange(e[i], c)
		}
		rank = rank*e[i].Size + c
	}
	return rank, nil
}

// Names lists the dimensions in order.
func (e Extent) Names() []string {
	names := make([]string, len(e))
	for i, d := range e {
		names[i] = d.Name
	}
	return names
}

// Size is the size of the named dimension, and whether there is one.
func (e Extent) Size(name string) (int, bool) {
	i := e.index(name)
	if i < 0 {
		return 0, false
	}
	return e[i].Size, true
}

func (e Extent) index(name string) int {
	return slices.IndexFunc(e, func(d Dim) bool { return d.Name == name })
}

// Concat appends the dimensions of o. A name that both have is an error.
func (e Extent) Concat(o Extent) (Extent, error) {
	out := append(slices.Clone(e), o...)
	for _, d := range o {
		if e.index(d.Name) >= 0 {
			return nil, fmt.Errorf("both %s and %s have a dimension %s: rename one", e, o, d.Name)
		}
	}
	if err := out.Validate(0); err != nil {
		return nil, err
	}
	return out, nil
}

// String is the extent as {hosts: 2, gpus: 8}.
func (e Extent) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, d := range e {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(printable(d.Name))
		b.WriteString(": ")
		b.WriteString(strconv.Itoa(d.Size))
	}
	b.WriteByte('}')
	return b.String()
}

func (e Extent) unknown(dim string) error {
	if len(e) == 0 {
		return fmt.Errorf("no dimension %s: this slice has none left, it is one rank", printable(dim))
	}
	return fmt.Errorf("no dimension %s in %s%s", printable(dim), e, suggest.Suffix(dim, e.Names()))
}

func outOfRange(d Dim, i int) error {
	if i < 0 {
		return fmt.Errorf("%s=%d is negative: indices count from 0, the last is %s=%d", d.Name, i, d.Name, d.Size-1)
	}
	return fmt.Errorf("%s=%d is out of range: %s has %s", d.Name, i, d.Name, span(d.Size))
}

// span is "only 0" or "0 to 7".
func span(n int) string {
	if n == 1 {
		return "only 0"
	}
	return "0 to " + strconv.Itoa(n-1)
}

func checkName(name string) error {
	if isName(name) && len(name) <= maxName {
		return nil
	}
	return fmt.Errorf("%s is no dimension name: want letters, digits and _, not beginning with a digit, at most %d bytes",
		clean.Quote(name, maxName), maxName)
}

func isName(s string) bool {
	for i := range len(s) {
		if !nameByte(s[i], i == 0) {
			return false
		}
	}
	return s != ""
}

func nameByte(c byte, first bool) bool {
	letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	return letter || !first && '0' <= c && c <= '9'
}

// printable is the name as it may appear in a message: names from outside may hold anything.
func printable(name string) string {
	if isName(name) && len(name) <= maxName {
		return name
	}
	return clean.Quote(name, maxName)
}
