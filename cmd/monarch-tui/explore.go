package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
)

// screenFlags are the flags of everything that draws.
type screenFlags struct {
	config       string
	theme        string
	ascii        bool
	reduceMotion bool
	noMouse      bool
}

func (s *screenFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.config, "config", "", "file of settings (default: the one that info names)")
	f.StringVar(&s.theme, "theme", "", "colours: dark, light, contrast, warm or mono (default: as the terminal is)")
	f.BoolVar(&s.ascii, "ascii", false, "draw with ASCII only")
	f.BoolVar(&s.reduceMotion, "reduce-motion", false, "nothing moves on the screen")
	f.BoolVar(&s.noMouse, "no-mouse", false, "leave the mouse to the terminal")
}

// settings are those of the file, with what the flags say instead.
func (s *screenFlags) settings() (tui.Settings, error) {
	name := s.config
	if name == "" {
		name, _ = tui.Paths()
	} else if _, err := os.Stat(name); err != nil {
		return tui.Settings{}, usageError("--config %s: %w", name, bare(err))
	}
	set, err := tui.LoadSettings(name)
	if err != nil {
		return set, &exitError{exitUsage, err}
	}
	if s.theme != "" {
		set.Theme = s.theme
	}
	set.ASCII = set.ASCII || s.ascii || os.Getenv("TERM") == "dumb"
	set.ReduceMotion = set.ReduceMotion || s.reduceMotion
	set.NoMouse = set.NoMouse || s.noMouse
	return set, nil
}

// needTerminal says what to do where there is no terminal.
func needTerminal(instead string) error {
	if term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) {
		return nil
	}
	return usageError("this needs a terminal; %s", instead)
}

// own is monarch-tui's own session: the demos' actors, run by this process.
type own struct {
	engine *engine.Engine
	warned string
}

// explore shows the explorer on monarch-tui's own session.
func explore(ctx context.Context, d demoFlags, s screenFlags) error {
	instead := "to watch a demo without one: --demo pingpong --headless; to run a script: run FILE"
	if d.name != "" {
		instead = "--headless prints the demo instead"
	}
	if err := needTerminal(instead); err != nil {
		return err
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	stories := storiesOf(d)
	o := &own{}
	defer func() {
		if o.engine != nil {
			o.engine.Close() // workers are reaped on every path
		}
	}()
	connect := func(ctx context.Context) (*control.Client, error) {
		if o.engine == nil {
			name := "monarch"
			if d.name != "" {
				name = "demo-" + d.name
			}
			e, err := engine.Start(context.WithoutCancel(ctx), engine.Output(io.Discard, io.Discard), engine.Seed(d.seed), engine.SessionName(name))
			if err != nil {
				return nil, err
			}
			o.engine = e
			if err := e.OpenSession(); err != nil {
				o.warned = "nobody can attach to this session: " + err.Error()
			}
		}
		return control.InProcess(o.engine.Backend(), who()), nil
	}
	for i := range stories {
		run := stories[i].Run
		stories[i].Run = func(ctx context.Context, tell func(context.Context, string) error) error {
			inside, cancel := context.WithCancel(o.engine.Context())
			defer cancel()
			stop := context.AfterFunc(ctx, cancel)
			defer stop()
			return run(inside, tell)
		}
	}
	return show(ctx, tui.Config{Connect: connect, Name: "monarch-tui's own session", Own: true, Who: who(), Demos: stories, Demo: d.name, Auto: d.auto, Settings: set})
}

// exploreProgram shows the explorer on the session of a program of the user's, which is the controller.
func exploreProgram(ctx context.Context, path string, args []string, seed uint64, s screenFlags) error {
	p, err := checkProgram(path)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if err := needTerminal("run -p does without one"); err != nil {
		return err
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	p.args, p.seed, p.quiet = args, seed, true
	end := func() error { return nil }
	defer func() { _ = end() }()
	connect := func(ctx context.Context) (*control.Client, error) {
		c, stop, err := p.open(ctx)
		if err == nil {
			end = stop
		}
		return c, err
	}
	return show(ctx, tui.Config{Connect: connect, Name: path, Own: true, Who: who(), Settings: set})
}

// storiesOf are the demos as stories of the explorer.
func storiesOf(d demoFlags) (out []tui.Demo) {
	for _, demo := range demos.All() {
		ranks := demo.Ranks
		if demo.Name == d.name && d.ranks > 0 {
			ranks = d.ranks
		}
		out = append(out, tui.Demo{Name: demo.Name, Title: demo.Title, Steps: demo.Steps + 1, Run: func(ctx context.Context, tell func(context.Context, string) error) error {
			return demo.Run(story.Watched(ctx, tell), ranks)
		}})
	}
	return out
}

func who() control.ClientInfo {
	return control.ClientInfo{Name: "explorer"}
}

// show runs the explorer, and tells what is to be told when the terminal is back.
func show(ctx context.Context, cfg tui.Config) error {
	_, cfg.Dir = tui.Paths()
	cfg.Commands = script.Options{}
	epilogue, err := tui.Run(ctx, cfg)
	var crash *tui.Crash
	switch {
	case errors.As(err, &crash):
		where := "it could not be written down"
		if name, werr := writeCrash(cfg.Dir, crash); werr == nil {
			where = "the details are in " + name
		}
		return &exitError{exitInternal, fmt.Errorf("%w; the terminal is restored and the workers are ended; %s", err, where)}
	case err != nil:
		return &exitError{exitInternal, err}
	}
	if epilogue != "" && ctx.Err() == nil {
		fmt.Fprintln(os.Stdout, epilogue)
	}
	return ctx.Err()
}

// writeCrash writes down what is needed to find a fault.
func writeCrash(dir string, c *tui.Crash) (string, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "crash-"+time.Now().Format("20060102-150405")+".txt")
	text := fmt.Sprintf("%s\n%v\n\n%s\nlast commands:\n%s\n", readAbout().line(), c.Value, c.Stack, strings.Join(c.Last, "\n"))
	return name, os.WriteFile(name, []byte(text), 0o600)
}

// newAttachCommand attaches to a session.
func newAttachCommand() *cobra.Command {
	var s screenFlags
	var stdio, viewer bool
	cmd := &cobra.Command{
		Use:   "attach [ADDR]",
		Short: "Explore a running session: a name, a pid or the path of its socket",
		Long: "attach explores the session of a running program; without ADDR it lists the sessions.\n" +
			"Every program that calls engine.Main opens a session that its own user may attach to.\n" +
			"From another machine: ssh HOST monarch-tui attach --stdio ADDR carries the bytes.",
		Example: "  monarch-tui attach\n  monarch-tui attach trainer\n  monarch-tui attach 4711 --viewer",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("attach takes one session, and these are %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			list, _ := control.ListSessions()
			var out []string
			for _, i := range list {
				out = append(out, i.Name+"\t"+i.Program)
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listSessions(cmd.OutOrStdout())
			}
			if stdio {
				return bridge(cmd.Context(), args[0])
			}
			if err := needTerminal("run -p, or --stdio, do without"); err != nil {
				return err
			}
			set, err := s.settings()
			if err != nil {
				return err
			}
			me := who()
			if viewer {
				me.Role = control.RoleViewer
			}
			dial := func(ctx context.Context) (*control.Client, error) { return control.Dial(ctx, args[0], me) }
			first, err := dial(cmd.Context()) // what is wrong with the address is told before the screen opens
			if err != nil {
				return &exitError{exitCommand, fmt.Errorf("attach %s: %w", args[0], err)}
			}
			connect := func(ctx context.Context) (*control.Client, error) {
				if c := first; c != nil {
					first = nil
					return c, nil
				}
				return dial(ctx)
			}
			return show(cmd.Context(), tui.Config{Connect: connect, Name: args[0], Who: me, Settings: set})
		},
	}
	s.register(cmd)
	cmd.Flags().BoolVar(&stdio, "stdio", false, "carry the session's bytes over stdin and stdout, for ssh")
	cmd.Flags().BoolVar(&viewer, "viewer", false, "look only: change nothing")
	return cmd
}

func listSessions(w io.Writer) error {
	list, err := control.ListSessions()
	if err != nil {
		return &exitError{exitCommand, err}
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no session is running; a program that calls engine.Main opens one")
		return err
	}
	for _, i := range list {
		if _, err := fmt.Fprintf(w, "%-24s %-20s pid %-8d %s\n", i.Name, i.Program, i.PID, time.Since(i.Started).Round(time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// bridge carries the bytes of a session's socket over stdin and stdout.
func bridge(ctx context.Context, addr string) error {
	path, err := control.Resolve(addr)
	if err != nil {
		return &exitError{exitCommand, fmt.Errorf("attach %s: %w", addr, err)}
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return &exitError{exitCommand, fmt.Errorf("attach %s: %w", addr, err)}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	go func() { // ends with the process: a read of stdin cannot be interrupted
		_, _ = io.Copy(conn, os.Stdin)
		if c, ok := conn.(*net.UnixConn); ok {
			_ = c.CloseWrite()
		}
	}()
	_, err = io.Copy(os.Stdout, conn)
	if err != nil && ctx.Err() == nil {
		return &exitError{exitCommand, fmt.Errorf("attach %s: %w", addr, err)}
	}
	return ctx.Err()
}
