package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// printError is one line for a person: what failed, and where help is when the command line was wrong.
func printError(w io.Writer, err error) {
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
