package via

import (
	"context"
	"fmt"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Reap cancels what another process launched, by what Job.Resume gave it. Where it can be told that there is nothing any more, that is
// no error. Agents of ssh and exec end with the clients that started them, so there it has nothing to do, and returns an error that
// says so.
func Reap(ctx context.Context, via string, resume []byte) error {
	switch via {
	case "slurm":
		return reapSlurm(ctx, resume)
	case "kubernetes":
		return reapKube(ctx, resume)
	case "ssh", "exec":
		return fmt.Errorf("what was started via=%s ends with the process that started it: there is nothing to cancel", via)
	}
	if _, err := Find(via); err != nil {
		return err
	}
	return fmt.Errorf("nothing is known about how to cancel what was started via=%s", clean.OneLine(via, 40))
}
