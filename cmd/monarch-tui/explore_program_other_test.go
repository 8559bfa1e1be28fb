//go:build !linux

package main

import "testing"

// exploreOnesOwn needs /proc to see that nothing is left.
func exploreOnesOwn(*testing.T, string, string) {}
