//go:build !unix

package launch

// Freeze says that there are no worker processes here.
func (c *Child) Freeze() error { return Platform() }

// Thaw says that there are no worker processes here.
func (c *Child) Thaw() error { return Platform() }
