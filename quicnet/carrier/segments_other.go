//go:build !linux

package carrier

// segments says that a send is one packet: only Linux cuts.
func segments(oob []byte) (seg int, rest []byte) { return 0, oob }
