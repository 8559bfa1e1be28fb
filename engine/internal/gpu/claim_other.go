//go:build !linux

package gpu

// claim is nothing where there are no devices to be claimed.
type claim struct{}

func takeClaim(string) (c *claim, held bool, holder int, err error) { return &claim{}, false, 0, nil }

func (c *claim) release() {}
