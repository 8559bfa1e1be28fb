package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// printError is one line for a person: what failed, and where help is when the command line was wrong.
func printError(w io.Writer, _ fang.Styles, err error) {
	text := err.Error()
	if text == "" { // a report has told it already
		return
	}
	fmt.Fprintf(w, "monarch-tui: %s\n", text)
	if strings.HasPrefix(text, "unknown command") && !strings.Contains(text, "did you mean") || strings.HasPrefix(text, "unknown flag") || strings.HasPrefix(text, "unknown shorthand") {
		fmt.Fprintln(w, "Try: monarch-tui --help")
	}
}

// about is what version --json prints.
type about struct {
	Version  string `json:"version"`
	Engine   string `json:"engine"`
	Protocol int    `json:"protocol"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readAbout() about {
	a := about{Version: engine.Version, Engine: engine.Version, Protocol: control.MaxVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, s := range bi.Settings {
			switch s.Key {
			case "vcs.revision":
				a.Revision = s.Value
			case "vcs.modified":
				a.Modified = s.Value == "true"
			}
		}
	}
	return a
}

// line is the version for a person.
func (a about) line() string {
	return fmt.Sprintf("monarch-tui %s (%s, %s)\n", a.Version, a.Go, a.Platform)
}

func newVersionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a := readAbout()
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(a)
			}
			_, err := io.WriteString(cmd.OutOrStdout(), a.line())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON, with engine and protocol versions")
	return cmd
}

func newInfoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "info", Short: "Print what a bug report needs: paths, terminal, sessions, environment", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printInfo(cmd.OutOrStdout())
			return nil
		},
	}
}

func printInfo(w io.Writer) {
	a := readAbout()
	row := func(k, format string, args ...any) { fmt.Fprintf(w, "%-12s %s\n", k, fmt.Sprintf(format, args...)) }
	row("version", "%s %s", a.Version, a.Revision)
	row("built with", "%s for %s", a.Go, a.Platform)
	if exe, err := os.Executable(); err == nil {
		row("executable", "%s", exe)
	}
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
	if cols, rows, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		row("terminal", "%d×%d, TERM=%s", cols, rows, os.Getenv("TERM"))
	} else {
		row("terminal", "none, TERM=%s", os.Getenv("TERM"))
	}
	row("CPUs", "%d, GOMAXPROCS %d", runtime.NumCPU(), runtime.GOMAXPROCS(0))
	for _, k := range []string{"NO_COLOR", "CLICOLOR_FORCE", "XDG_RUNTIME_DIR", "TMUX", "SSH_CONNECTION", "CUDA_VISIBLE_DEVICES", "GOMAXPROCS"} {
		if v, ok := os.LookupEnv(k); ok {
			row(k, "%s", v)
		}
	}
}

// newDocsCommand prints the generated pages; `make docs` writes them.
func newDocsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "docs", Hidden: true, Args: cobra.NoArgs}
	cmd.AddCommand(&cobra.Command{
		Use: "commands", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), script.Markdown())
			return err
		},
	})
	return cmd
}
