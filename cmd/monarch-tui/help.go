package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// newHelpCommand explains a command of the program, a word of scripts, or both where they have the name in common.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [WORD]",
		Short:   "Explain a command, or a word of scripts",
		Long:    "help explains a command of monarch-tui, a command of scripts such as procs, or a launcher such as ssh.",
		Example: "  monarch-tui help run\n  monarch-tui help procs\n  monarch-tui help slurm",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return helpWords(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			own := err == nil && len(rest) == 0
			lines, word := script.Help(strings.Join(args, " "))
			switch {
			case !own && !word:
				return noHelp(cmd.Root(), found, args, rest)
			case own:
				found.SetContext(cmd.Context())
				help(found, nil)
			}
			if own && word {
				fmt.Fprintln(cmd.OutOrStdout(), "In a script, and at the : line of the explorer:")
			}
			for _, l := range lines {
				fmt.Fprintln(cmd.OutOrStdout(), l)
			}
			return nil
		},
	}
}

// noHelp is the error for words that there is no help for: found is the command that they begin with, and rest what follows.
func noHelp(root, found *cobra.Command, args, rest []string) error {
	word, have := args[0], helpWords(root)
	if found != nil && found.HasParent() && len(rest) > 0 {
		word, have = rest[0], nil
		for _, c := range found.Commands() {
			have = append(have, c.Name())
		}
	}
	near := schema.SuggestNear(word, have)
	if near == "" {
		near = ": monarch-tui help lists the commands, and monarch-tui run -c help those of scripts"
	}
	return usageError("no help for %q%s", strings.Join(args, " "), near)
}

// helpWords are the words that there is help for.
func helpWords(root *cobra.Command) (words []string) {
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			words = append(words, c.Name())
		}
	}
	for _, v := range script.Verbs() {
		if v.Alive() {
			words = append(words, v.Name)
		}
	}
	for _, l := range control.Launchers() {
		words = append(words, l.Name)
	}
	slices.Sort(words)
	return slices.Compact(words)
}
