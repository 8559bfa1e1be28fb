package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui"
)

// The exit codes of the program; `run --help` explains them.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitCommand     = 3
	exitTimeout     = 4
	exitInternal    = 70
	exitInterrupted = 130
)

// exitError is an error with the exit code it ends the program with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// execute runs a command line and gives the exit code.
func execute(ctx context.Context, root *cobra.Command, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())) {
		left := leftScreen()
		if leftRaw(os.Stdin.Fd()) {
			left = rawTerminal
		}
		defer fmt.Fprint(os.Stderr, left) // at the end: a screen would cover it
	}
	root.SetArgs(args)
	root.SetHelpFunc(help)
	err := root.ExecuteContext(ctx)
	if err != nil {
		printError(os.Stderr, err)
	}
	switch e := (*exitError)(nil); {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &e):
		return e.code
	case errors.As(err, new(*fs.PathError)): // stdout could not be written
		return exitInternal
	}
	return exitUsage // cobra's own errors: unknown flags and commands
}

// help prints the help of a command as fang draws it. Nothing else goes through fang: it asks the terminal for its
// background before it prints anything, an error too, and a terminal that does not answer costs seconds.
func help(c *cobra.Command, _ []string) {
	if f, ok := c.OutOrStdout().(*os.File); ok && term.IsTerminal(int(f.Fd())) && !colored(f) {
		fmt.Fprintf(f, "%s\n\n%s", first(c.Long, c.Short), c.UsageString())
		return
	}
	root := newRoot()
	root.SetArgs(append(strings.Fields(c.CommandPath())[1:], "--help"))
	root.SetOut(c.OutOrStdout())
	_ = fang.Execute(c.Context(), root, fang.WithoutVersion(), fang.WithoutManpage())
}

// newManCommand prints the manual page.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man", Short: "Print the manual page, for man -l", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root := newRoot()
			if own, _, err := root.Find([]string{"man"}); err == nil {
				root.RemoveCommand(own) // fang adds one
			}
			root.SetArgs([]string{"man"})
			return fang.Execute(cmd.Context(), root, fang.WithoutVersion())
		},
	}
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func newRoot() *cobra.Command {
	var d demoFlags
	var screen screenFlags
	var net networkFlags
	var program string
	var printConfig, watches bool
	root := &cobra.Command{
		Use:   "monarch-tui",
		Short: "Explore, call and script actor meshes",
		Long: "monarch-tui creates process meshes, spawns actors on them, calls their endpoints and shows what happens.\n" +
			"Without a command it opens the explorer in a new session that has the tutorial's actors. -p explores a\n" +
			"program of yours; attach explores a program that is already running. run executes scripts, for CI.",
		Example: "  monarch-tui\n" +
			"  monarch-tui --demo pingpong\n" +
			"  monarch-tui -p ./myprog\n" +
			"  monarch-tui run smoke.mtui --format junit",
		Args:          programArgs(&program),
		Version:       engine.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if printConfig {
				_, err := fmt.Fprint(cmd.OutOrStdout(), tui.SettingsTemplate())
				return err
			}
			switch {
			case program != "" && d.name != "":
				return usageError("--demo runs in monarch-tui's own session, -p in that of %s: take one of them", program)
			case program != "":
				if err := d.unused(cmd); err != nil {
					return err
				}
				if watches && !onTerminal() {
					return watchProgram(cmd.Context(), cmd.OutOrStdout(), program, args, d.seed, screen, net)
				}
				return exploreProgram(cmd.Context(), program, args, d.seed, watches, screen, net)
			case watches:
				return usageError("--watch reloads a program when its source changes: name it with -p")
			}
			if err := d.check(cmd); err != nil {
				return err
			}
			if d.headless {
				return runDemo(cmd.Context(), d, net)
			}
			return explore(cmd.Context(), d, screen, net)
		},
	}
	root.Flags().StringVarP(&program, "program", "p", "", "explore this program; its arguments follow --")
	root.Flags().BoolVar(&watches, "watch", false, "with -p: build the program anew when its source changes, and move its ranks to the new build")
	root.Flags().BoolVar(&printConfig, "print-config", false, "print a settings file that explains every setting")
	screen.register(root)
	net.register(root)
	root.SetVersionTemplate(readAbout().line())
	root.SetFlagErrorFunc(flagError)
	d.register(root)
	root.AddCommand(newDemoCommand(), newAttachCommand(), newDebugCommand(), newRunCommand(), newCheckCommand(), newInfoCommand(), newReapCommand(), newVersionCommand(), newManCommand(), newDocsCommand())
	words := newHelpCommand()
	root.AddCommand(words)
	root.SetHelpCommand(words)
	return root
}

// programArgs takes arguments only behind --, where they are those of the program.
func programArgs(program *string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if *program != "" && cmd.ArgsLenAtDash() == 0 {
			return nil
		}
		return noArgs(cmd, args)
	}
}

// noArgs is for commands that take no arguments: what stands there was meant as a command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var have []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			have = append(have, c.Name())
		}
	}
	if len(have) == 0 {
		return usageError("%s takes no arguments, and this is one: %q", cmd.CommandPath(), args[0])
	}
	return usageError("unknown command %q%s", args[0], schema.Suggest(args[0], have))
}

var flagValue = regexp.MustCompile(`^invalid argument (".*") for "(?:-., )?--(\S+)" flag`)

// flagError says what a flag wants in the words of the command line, not of the parser.
func flagError(cmd *cobra.Command, err error) error {
	m := flagValue.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	flag := cmd.Flag(m[2])
	if flag == nil {
		return err
	}
	switch flag.Value.Type() {
	case "duration":
		return usageError("--%s %s: want a time such as 500ms, 30s or 10m", m[2], m[1])
	case "int", "uint64":
		return usageError("--%s %s: want a whole number, 0 or more", m[2], m[1])
	}
	return err
}
