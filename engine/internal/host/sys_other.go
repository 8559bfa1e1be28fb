//go:build !unix

package host

// Worker processes do not start here, so there is no descriptor to keep and no group to kill.
func CloseOnExec(int) {}
func Pollable(int)    {}
func KillOwnGroup()   {}

func roomForFiles(int) {}

// filesLimit is not known here.
func filesLimit() (open, most int) { return 0, 0 }
