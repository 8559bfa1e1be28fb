package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// demoFlags are the flags of a demo.
type demoFlags struct {
	name     string
	headless bool
	ranks    int
	format   string
	timeout  time.Duration
	seed     uint64
	auto     bool
}

func (d *demoFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.name, "demo", "", "run a demo: "+strings.Join(demoNames(), ", "))
	f.BoolVar(&d.headless, "headless", false, "print instead of drawing; the same text on every run")
	f.BoolVar(&d.auto, "auto", false, "the demo on the screen goes on by itself")
	f.IntVar(&d.ranks, "ranks", 0, "actors per mesh of the demo (0: as in the tutorial)")
	f.StringVar(&d.format, "format", "text", "output of a headless demo: text or ndjson")
	f.DurationVar(&d.timeout, "timeout", 10*time.Minute, "give up after this long")
	f.Uint64Var(&d.seed, "seed", 1, "seed of the random numbers that actors draw from the engine")
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
	case d.timeout <= 0:
		return usageError("--timeout %v: want more than 0", d.timeout)
	case d.ranks < 0:
		return usageError("--ranks %d: want 1 or more (0 means as in the tutorial)", d.ranks)
	case d.format != "text" && d.format != "ndjson":
		return usageError("--format %q: a demo prints text or ndjson", d.format)
	case d.headless && d.auto:
		return usageError("--auto is about the screen, and --headless does without: take one of them")
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

func findDemo(name string) (demos.Demo, error) {
	for _, d := range demos.All() {
		if d.Name == name {
			return d, nil
		}
	}
	return demos.Demo{}, usageError("there is no demo %q%s", name, schema.Suggest(name, demoNames()))
}

// runDemo runs a demo and prints its story.
func runDemo(ctx context.Context, d demoFlags) error {
	demo, err := findDemo(d.name)
	if err != nil {
		return err
	}
	if d.ranks == 0 {
		d.ranks = demo.Ranks
	}
	written := &report{w: os.Stdout}
	var out io.Writer = written
	if d.format == "ndjson" {
		out = &jsonLines{enc: json.NewEncoder(written)}
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	e, err := engine.Start(ctx, engine.Output(out, os.Stderr), engine.SortedOutput(), engine.Seed(d.seed), engine.SessionName("demo-"+demo.Name))
	if err != nil {
		return &exitError{exitInternal, err}
	}
	defer e.Close()
	if err := e.OpenSession(); err != nil {
		fmt.Fprintln(os.Stderr, "warning: nobody can attach to this demo:", err)
	}
	err = e.Run(func(ctx context.Context) error {
		ctx = story.With(ctx, func(ctx context.Context, text string) error {
			fmt.Fprintf(engine.Out(ctx), "── %s\n", text)
			return ctx.Err()
		})
		return demo.Run(ctx, d.ranks)
	})
	e.Close()
	switch {
	case err == nil && written.err != nil:
		return &exitError{exitInternal, fmt.Errorf("the demo's text could not be written: %w", written.err)}
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &exitError{exitTimeout, fmt.Errorf("the demo did not end within %v: %w", d.timeout, err)}
	}
	return &exitError{exitCommand, fmt.Errorf("demo %s: %w", demo.Name, err)}
}

// jsonLines makes one JSON object of each line.
type jsonLines struct{ enc *json.Encoder }

func (j *jsonLines) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		text := strings.TrimSuffix(line, "\n")
		kind := "out"
		if t, ok := strings.CutPrefix(text, "── "); ok {
			kind, text = "step", t
		}
		if err := j.enc.Encode(map[string]string{"kind": kind, "text": text}); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
