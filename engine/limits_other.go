//go:build !linux

package engine

// processLimit is a fixed bound where the available memory is not known.
func processLimit() (int, string) { return 1024, "" }
