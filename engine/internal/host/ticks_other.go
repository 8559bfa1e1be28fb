//go:build !linux

package host

// TicksAreTime is not known here.
func TicksAreTime() bool { return false }
