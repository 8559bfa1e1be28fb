//go:build !unix

package engine

// Worker processes do not start here, so there is no descriptor to keep and no group to kill.
func closeOnExec(int) {}
func killOwnGroup()   {}

// filesLimit is not known here.
func filesLimit() (open, most int) { return 0, 0 }
