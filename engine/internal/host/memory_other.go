//go:build !linux

package host

// ProcessLimit is a fixed bound where the available memory is not known.
func ProcessLimit() (int, string) { return 1024, "" }

// ResidentBytes is not known here.
func ResidentBytes(int) (uint64, bool) { return 0, false }
