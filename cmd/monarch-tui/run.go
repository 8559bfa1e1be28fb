package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui"
)

// reportFlags are those that run and a headless demo share.
type reportFlags struct {
	format  string
	timeout time.Duration
	seed    uint64
}

// register adds the flags; what is printed and what is limited differs.
func (r *reportFlags) register(cmd *cobra.Command, prints, limits string, most time.Duration) {
	f := cmd.Flags()
	f.StringVar(&r.format, "format", "text", prints+" as "+strings.Join(script.Formats(), ", "))
	f.DurationVar(&r.timeout, "timeout", most, limits)
	f.Uint64Var(&r.seed, "seed", 1, "seed of engine.RandOf")
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return script.Formats(), cobra.ShellCompDirectiveNoFileComp
	})
}

func (r *reportFlags) check() error {
	switch {
	case r.timeout <= 0:
		return usageError("--timeout %v: want more than 0, such as 30s", r.timeout)
	case !slices.Contains(script.Formats(), r.format):
		return usageError("no format %q%s", r.format, schema.Suggest(r.format, script.Formats()))
	}
	return nil
}

// runFlags are the flags of run.
type runFlags struct {
	reportFlags

	commands    string
	program     string
	withMain    bool
	fileTimeout time.Duration
	short       bool
	times       bool
	launchFlags
	networkFlags
	from control.Reach // what the network flags and the settings say
}

// launchFlags are the flags of what reads scripts: the settings say what via= means.
type launchFlags struct{ config string }

func (l *launchFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.config, "config", "", "settings file, of which the tables [launch.NAME] and [network] count (default: see monarch-tui info)")
}

// site is what of the settings concerns who has no screen.
func (l *launchFlags) site() (tui.Settings, error) {
	name := l.config
	if name == "" {
		name, _ = tui.Paths()
	} else if _, err := os.Stat(name); err != nil {
		return tui.Settings{}, usageError("--config %s: %w", name, bare(err))
	}
	set, err := tui.LoadSite(name)
	if err != nil {
		return set, &exitError{exitUsage, err}
	}
	return set, nil
}

func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [FILE…] [-- ARGS…]",
		Short: "Run scripts with expectations",
		Long: "run executes script files and checks their expectations. Each file gets a new session; - reads standard\n" +
			"input. With -p the scripts run against a program of yours, whose arguments follow --.\n\n" +
			"Exit codes: 0 all expectations held, 1 an expectation failed, 2 usage or syntax, 3 a command failed, 4 time-out\n" +
			"or hang, 70 a bug in monarch-tui, 130 interrupted. With several files the highest code is returned.",
		Example: "  monarch-tui run demos/scripts/*.mtui\n" +
			"  monarch-tui run -c 'procs p gpus=4; ls'\n" +
			"  monarch-tui run -p ./myprog smoke.mtui --format junit -- -config test.toml",
		RunE: func(cmd *cobra.Command, args []string) error {
			files, progArgs := args, []string(nil)
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				files, progArgs = args[:at], args[at:]
			}
			return f.run(cmd.Context(), files, progArgs)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.commands, "command", "c", "", "run these commands, separated by ; or newlines, instead of files")
	fl.StringVarP(&f.program, "program", "p", "", "run against this program, which must use the monarch-tui engine")
	fl.BoolVar(&f.withMain, "main", false, "with -p: also call the program's own run function")
	f.reportFlags.register(cmd, "report", "limit of one command; one that waits for machines (procs … via=) has within=, or 10m, and reload 6m", 30*time.Second)
	fl.DurationVar(&f.fileTimeout, "file-timeout", 10*time.Minute, "limit of one file")
	fl.BoolVar(&f.short, "short", false, "skip steps that have the guard [!short]")
	fl.BoolVar(&f.times, "times", false, "show how long each step took; two runs then differ")
	f.launchFlags.register(cmd)
	f.networkFlags.register(cmd)
	return cmd
}

func (f *runFlags) run(ctx context.Context, files, progArgs []string) error {
	if err := f.check(); err != nil {
		return err
	}
	switch {
	case f.fileTimeout <= 0:
		return usageError("--file-timeout %v: want more than 0, such as 10m", f.fileTimeout)
	case strings.TrimSpace(f.commands) == "" && len(files) == 0:
		return usageError("nothing to run: name script files, - for standard input, or give commands with -c")
	case f.commands != "" && len(files) > 0:
		return usageError("give either files or -c, not both")
	case f.program == "" && (len(progArgs) > 0 || f.withMain):
		return usageError("--main and arguments after -- are for a program: name it with -p")
	}
	set, err := f.site()
	if err != nil {
		return err
	}
	if f.from, err = f.reach(set.Reach); err != nil {
		return err
	}
	open := f.openOwn
	if f.program != "" {
		prog, err := checkProgram(f.program)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		prog.args, prog.main, prog.seed, prog.reach = progArgs, f.withMain, f.seed, f.from
		open = prog.open
	}
	out := &report{w: os.Stdout}
	r := script.Runner{
		Open: open, Format: f.format, Out: out, Stdin: os.Stdin, Times: f.times, Color: colored(os.Stdout),
		Options: script.Options{Timeout: f.timeout, FileTimeout: f.fileTimeout, Seed: int(f.seed), Short: f.short, Conds: conditions(), Launches: set.Launches},
	}
	var code int
	if f.commands != "" {
		code = r.Sources(ctx, script.Source{Name: "-c", Text: splitCommands(f.commands)})
	} else {
		code = r.Files(ctx, files)
	}
	if out.err != nil { // what nobody can read has not passed
		return &exitError{max(code, exitInternal), fmt.Errorf("the report could not be written: %w", out.err)}
	}
	if code != 0 {
		return &exitError{code: code} // the report has told why
	}
	return nil
}

// report is where a report goes; it remembers that it could not be written.
type report struct {
	w   io.Writer
	err error
}

func (r *report) Write(b []byte) (int, error) {
	n, err := r.w.Write(b)
	if r.err == nil {
		r.err = err
	}
	return n, err
}

// openOwn begins a session whose controller is this process, with the demos' actor types.
func (f *runFlags) openOwn(ctx context.Context) (*control.Client, func() error, error) {
	opts := []engine.Option{engine.Output(nil, os.Stderr), engine.Seed(f.seed), engine.SessionName("run"), engine.VirtualIfShort()}
	e, err := engine.Start(context.WithoutCancel(ctx), append(opts, reachOptions(f.from)...)...)
	if err != nil {
		return nil, nil, err
	}
	if err := e.OpenSession(); err != nil {
		fmt.Fprintln(os.Stderr, "warning: nobody can attach to this run:", err)
	}
	c := control.InProcess(e.Backend(), control.ClientInfo{Name: "script"})
	return c, func() error {
		err := c.Close()
		e.Close()
		return err
	}, nil
}

// conditions are the guards that hold on this machine.
func conditions() map[string]bool {
	gpus, _ := filepath.Glob("/dev/nvidia[0-9]*")
	return map[string]bool{runtime.GOOS: true, runtime.GOARCH: true, "gpu": len(gpus) > 0, "ci": os.Getenv("CI") != ""}
}

// splitCommands puts each command of -c on a line of its own. The blanks behind a ; belong to it: an expectation is the command expect
// there, or stands on a line of its own.
func splitCommands(s string) string {
	var lines []string
	for more := true; more; {
		var line string
		line, s, more = script.CutCommand(s)
		lines = append(lines, line)
		s = strings.TrimLeft(s, " \t")
	}
	return strings.Join(lines, "\n")
}

// colored reports whether a person looks at a file. Launchers such as mpirun give their ranks a terminal for stdout and
// send what comes out of it to a file or a pipe: where neither stdin nor stderr is a terminal, nobody looks at stdout.
func colored(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(f) && (isTerminal(os.Stdin) || isTerminal(os.Stderr))
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func newCheckCommand() *cobra.Command {
	var l launchFlags
	cmd := &cobra.Command{
		Use: "check FILE…", Short: "Parse scripts without running them",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("nothing to check: name script files, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := l.site()
			if err != nil {
				return err
			}
			bad := 0
			for _, name := range args {
				bad += checkFile(cmd.ErrOrStderr(), name, set.Launches)
			}
			if bad > 0 {
				return &exitError{code: exitUsage}
			}
			return nil
		},
	}
	l.register(cmd)
	return cmd
}

func checkFile(w io.Writer, name string, launches script.Launches) (bad int) {
	file := name
	if name == "-" {
		file = "/dev/stdin"
	}
	text, err := script.ReadFile(file)
	if err != nil {
		fmt.Fprintf(w, "%s: %v\n", name, err)
		return 1
	}
	_, errs := launches.Parse(name, string(text))
	for _, e := range errs {
		fmt.Fprintln(w, e.Detail())
	}
	return len(errs)
}
