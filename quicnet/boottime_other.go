//go:build !linux

package quicnet

import "time"

// bootTime is unknown here: a lease then counts with Go's clock alone.
func bootTime() time.Duration { return 0 }
