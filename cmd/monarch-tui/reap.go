package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/engine"
)

func newReapCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reap", Short: "Cancel the jobs that killed sessions have left with a scheduler", Args: noArgs,
		Long: "A session that is killed cannot cancel what it has asked a scheduler for. What runs there ends itself within seconds,\n" +
			"but a job that is queued stays, and so do the records of some schedulers. reap cancels those that sessions of yours\n" +
			"have left from this machine; monarch-tui info lists them. Jobs of sessions that live are not touched.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := &report{w: cmd.OutOrStdout()}
			n, failed := 0, 0
			err := engine.Reap(cmd.Context(), func(j engine.LeftJob, err error) {
				n++
				if err != nil {
					failed++
					fmt.Fprintf(out, "%s of session %s: %v\n", j.Handle, j.Session, err)
					return
				}
				fmt.Fprintf(out, "%s of session %s is cancelled\n", j.Handle, j.Session)
			})
			switch {
			case err != nil:
				return err
			case failed > 0:
				return fmt.Errorf("%d of %d jobs could not be cancelled", failed, n)
			case n == 0:
				fmt.Fprintln(out, "nothing is left over")
			}
			return out.err
		},
	}
}
