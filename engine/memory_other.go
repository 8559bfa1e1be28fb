//go:build !linux

package engine

// residentBytes is not known here.
func residentBytes(int) (uint64, bool) { return 0, false }
