//go:build !linux

package engine

// processLimit is a fixed bound where the available memory is not known.
func processLimit() (int, string) { return 1024, "; in-process ranks need far less: engine.InProcess" }
