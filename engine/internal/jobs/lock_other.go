//go:build !unix

package jobs

import (
	"errors"
	"os"
)

// lock fails: no session runs on this system.
func lock(*os.File) error { return errors.ErrUnsupported }
