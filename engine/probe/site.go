package probe

import (
	"math/bits"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Site is a place on a message's way: one bit, so that a set of sites is a word.
type Site uint32

// The sites, in the order of control.Sites, which says what they are.
const (
	Recv Site = 1 << iota
	Send
	Result
	Reply
	Error
	Panic
	Break
)

// every is the set of all sites.
const every = 2*Break - 1

// String is the site as the command language spells it.
func (s Site) String() string {
	if i := bits.TrailingZeros32(uint32(s)); i < len(control.Sites()) {
		return control.Sites()[i]
	}
	return "unknown"
}

// SiteNamed finds a site by its name.
func SiteNamed(name string) (Site, bool) {
	i := slices.Index(control.Sites(), name)
	return 1 << max(i, 0), i >= 0
}
