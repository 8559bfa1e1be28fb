package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/tui"
)

// heeded are the variables of the environment that change what the program does, or explain what a terminal shows.
var heeded = []string{
	"TERM", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "CLICOLOR_FORCE", "PAGER", "EDITOR", "TMUX", "SSH_CONNECTION",
	"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TMPDIR", "GOMAXPROCS", carrier.Env, "MONARCH_CGROUP", "MONARCH_GPUS", "CUDA_VISIBLE_DEVICES",
	"CUDA_DEVICE_ORDER",
}

func newInfoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "info", Short: "Print what a bug report needs: paths, terminal, sessions, environment", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printInfo(cmd.Context(), cmd.OutOrStdout())
		},
	}
}

// printInfo prints one thing a line: its name, and what it is.
func printInfo(ctx context.Context, w io.Writer) error {
	out := &report{w: w}
	row := func(k, format string, args ...any) {
		fmt.Fprintf(out, "%-20s  %s\n", k, strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
	a := readAbout()
	row("version", "%s %s", a.Version, a.Revision)
	row("built with", "%s for %s", a.Go, a.Platform)
	if exe, err := os.Executable(); err == nil {
		row("executable", "%s", exe)
	}
	settings, state := tui.Paths()
	row("settings", "%s", judged(settings, "not there, and none is needed", func() error {
		_, err := tui.LoadSettings(settings)
		return err
	}))
	site, _ := tui.LoadSite(settings) // what is wrong with it has been told
	for i, name := range slices.Sorted(maps.Keys(site.Launches)) {
		key := ""
		if i == 0 {
			key = "launchers"
		}
		row(key, "%s: %s", name, tui.LaunchText(name, site.Launches))
	}
	if r := site.Reach; r.Listen != "" || len(r.Advertise) > 0 {
		row("network", "listens at %s, told to other machines as %s", first(r.Listen, "any port"), first(strings.Join(r.Advertise, ", "), "its addresses"))
	}
	row("state", "%s", judged(state, "not there yet", nil))
	if dir, err := control.RunDir(); err == nil {
		row("run folder", "%s", dir)
	} else {
		row("run folder", "unusable: %v", err)
	}
	sessions, err := control.ListSessions()
	switch {
	case err != nil:
		row("sessions", "unknown: %v", err)
	case len(sessions) == 0:
		row("sessions", "none")
	}
	for i, s := range sessions {
		key := ""
		if i == 0 {
			key = "sessions"
		}
		row(key, "%s (pid %d, %s)", s.Name, s.PID, filepath.Base(s.Program))
	}
	if left, err := engine.Left(); err != nil {
		row("left-over jobs", "unknown: %v", err)
	} else {
		for i, j := range left {
			key := ""
			if i == 0 {
				key = "left-over jobs"
			}
			row(key, "%s of session %s, since %s: monarch-tui reap cancels it", j.Handle, j.Session, j.Asked.Format(time.DateTime))
		}
	}
	if cols, rows, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		row("terminal", "%d×%d", cols, rows)
	} else {
		row("terminal", "none on stdout")
	}
	row("colours", "%s", tui.Colors(os.Stdout, os.Environ()))
	row("CPUs", "%d, GOMAXPROCS %d", runtime.NumCPU(), runtime.GOMAXPROCS(0))
	row("GPUs", "%s", engine.GPUs(ctx))
	packets, memory := engine.Carrier()
	row("carrier", "%s", packets)
	row("memory", "%s", memory)
	row("descendants", "%s", engine.Keeps())
	for _, k := range heeded {
		if v, ok := os.LookupEnv(k); ok {
			row(k, "%s", v)
		}
	}
	return out.err
}

// judged is a path with what is to be known about it.
func judged(path, missing string, check func() error) string {
	if path == "" {
		return "nowhere: there is no home folder"
	}
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path + " (" + missing + ")"
	case err != nil:
		return path + " (" + bare(err).Error() + ")"
	case check != nil:
		if err := check(); err != nil {
			return fmt.Sprintf("%s (with a mistake: %v)", path, err)
		}
	}
	return path
}
