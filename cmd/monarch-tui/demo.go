package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// demoFlags are the flags of a demo.
type demoFlags struct {
	reportFlags

	name     string
	headless bool
	ranks    int
	auto     bool
	reach    control.Reach // of a demo that is printed
}

func (d *demoFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.name, "demo", "", "run a demo: "+strings.Join(demoNames(), ", "))
	f.BoolVar(&d.headless, "headless", false, "print the demo as text instead of opening the explorer")
	f.BoolVar(&d.auto, "auto", false, "let the demo continue by itself")
	f.IntVar(&d.ranks, "ranks", 0, "actors per mesh of the demo (0: as in the tutorial)")
	d.reportFlags.register(cmd, "print a headless demo", "limit of a headless demo", 10*time.Minute)
	_ = cmd.RegisterFlagCompletionFunc("demo", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return demoNames(), cobra.ShellCompDirectiveNoFileComp
	})
}

// unused refuses what is about a demo where there is none.
func (d *demoFlags) unused(cmd *cobra.Command) error {
	for _, flag := range []string{"headless", "ranks", "format", "timeout", "auto"} {
		if cmd.Flags().Changed(flag) {
			return usageError("--%s is about a demo: name one with --demo (%s)", flag, strings.Join(demoNames(), ", "))
		}
	}
	return nil
}

// check says what is wrong with the flags, before anything is begun.
func (d *demoFlags) check(cmd *cobra.Command) error {
	if d.name == "" {
		return d.unused(cmd)
	}
	_, err := findDemo(d.name)
	switch {
	case err != nil:
		return err
	case d.ranks < 0:
		return usageError("--ranks %d: want 1 or more (0 means as in the tutorial)", d.ranks)
	case d.headless && d.auto:
		return usageError("--auto is about the screen, and --headless does without: take one of them")
	}
	if err := d.reportFlags.check(); err != nil {
		return err
	}
	if !d.headless {
		for _, flag := range []string{"format", "timeout"} {
			if cmd.Flags().Changed(flag) {
				return usageError("--%s is about a demo that is printed: add --headless", flag)
			}
		}
		return nil
	}
	for _, flag := range []string{"config", "theme", "ascii", "reduce-motion", "no-mouse"} {
		if cmd.Flags().Changed(flag) {
			return usageError("--%s is about the screen, and --headless does without", flag)
		}
	}
	return nil
}

func demoNames() []string {
	var out []string
	for _, d := range demos.All() {
		out = append(out, d.Name)
	}
	return out
}

func newDemoCommand() *cobra.Command {
	list := func(cmd *cobra.Command, _ []string) error {
		for _, d := range demos.All() {
			fmt.Fprintf(cmd.OutOrStdout(), "%-10s %s\n", d.Name, d.Title)
		}
		return nil
	}
	cmd := &cobra.Command{
		Use: "demo", Short: "The demos that come with the program", RunE: list,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && slices.Contains(demoNames(), args[0]) {
				return usageError("to run this demo: %s --demo %s", cmd.Root().Name(), args[0])
			}
			return noArgs(cmd, args)
		},
	}
	cmd.AddCommand(&cobra.Command{Use: "list", Short: "List the demos", Args: noArgs, RunE: list})
	return cmd
}

// runs is the demo with so many ranks; its errors say what somebody who only watches can do.
func runs(ctx context.Context, demo demos.Demo, ranks int) error {
	err := demo.Run(ctx, ranks)
	if limit, ok := errors.AsType[*engine.LimitError](err); ok {
		return fmt.Errorf("%s; take fewer with --ranks", limit.Reason)
	}
	return err
}

func findDemo(name string) (demos.Demo, error) {
	for _, d := range demos.All() {
		if d.Name == name {
			return d, nil
		}
	}
	return demos.Demo{}, usageError("there is no demo %q%s", name, schema.Suggest(name, demoNames()))
}
