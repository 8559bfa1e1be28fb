package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
)

// newFaulty is the program with a fault in its explorer: its clock panics as soon as there is a file named fault in the
// home folder.
func newFaulty() *cobra.Command {
	return &cobra.Command{
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, o := ownSession(demoFlags{}, tui.Settings{}, control.Reach{})
			defer o.close()
			sign := filepath.Join(os.Getenv("HOME"), "fault")
			cfg.Now = func() time.Time {
				if fileExists(sign) {
					panic("the clock fell off the wall")
				}
				return time.Now()
			}
			return show(cmd.Context(), cfg)
		},
	}
}
