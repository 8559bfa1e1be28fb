package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/monarch-tui/monarch-tui/debugger/script"
)

var update = flag.Bool("update", false, "write docs/cli.md and docs/commands.md anew")

func TestTheReferencePagesAreFresh(t *testing.T) {
	for file, text := range map[string]string{"cli.md": cliPage(newRoot()), "commands.md": script.Markdown()} {
		path := filepath.Join("..", "..", "docs", file)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(have, []byte(text)) {
			t.Errorf("docs/%s does not say what the program does now; `make docs` writes it anew", file)
		}
	}
}

// cliPage is the page about flags and sub-commands.
func cliPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The command line\n\nThis page is generated from the program; `monarch-tui COMMAND --help` says the same.\n")
	describe(&b, root)
	return b.String()
}

func describe(b *strings.Builder, c *cobra.Command) {
	if c.Hidden {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n", c.CommandPath(), first(c.Long, c.Short))
	if c.Runnable() {
		fmt.Fprintf(b, "\n```\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n```\n%s\n```\n", strings.TrimRight(strings.ReplaceAll("\n"+c.Example, "\n  ", "\n"), " \n")[1:])
	}
	if flags := c.LocalFlags(); flags.HasAvailableFlags() {
		b.WriteString("\n| flag | default | what it does |\n|---|---|---|\n")
		flags.VisitAll(func(f *pflag.Flag) {
			if f.Hidden || f.Name == "help" {
				return
			}
			name := "--" + f.Name
			if f.Shorthand != "" {
				name = "-" + f.Shorthand + ", " + name
			}
			def := ""
			if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
				def = "`" + f.DefValue + "`"
			}
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, def, strings.ReplaceAll(f.Usage, "|", "\\|"))
		})
	}
	for _, sub := range c.Commands() {
		describe(b, sub)
	}
}
