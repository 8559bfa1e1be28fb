package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/debugger/watch"
	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui"
	"github.com/monarch-tui/monarch-tui/tui/paint"
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
	f.StringVar(&s.config, "config", "", "settings file (default: see monarch-tui info)")
	f.StringVar(&s.theme, "theme", "", "colours: dark, light, contrast, warm or mono (default: follows the terminal)")
	f.BoolVar(&s.ascii, "ascii", false, "draw with ASCII only")
	f.BoolVar(&s.reduceMotion, "reduce-motion", false, "no animations")
	f.BoolVar(&s.noMouse, "no-mouse", false, "do not use the mouse")
}

// file is the file of settings.
func (s *screenFlags) file() string {
	if s.config != "" {
		return s.config
	}
	name, _ := tui.Paths()
	return name
}

// settings are those of the file, with what the flags say instead.
func (s *screenFlags) settings() (tui.Settings, error) {
	if s.config != "" {
		if _, err := os.Stat(s.config); err != nil {
			return tui.Settings{}, usageError("--config %s: %w", s.config, bare(err))
		}
	}
	set, err := tui.LoadSettings(s.file())
	if err != nil {
		return set, &exitError{exitUsage, err}
	}
	if s.theme != "" {
		if !slices.Contains(paint.Themes(), s.theme) {
			return set, usageError("--theme %q: there is no such theme%s", s.theme, schema.Suggest(s.theme, paint.Themes()))
		}
		set.Theme = s.theme
	}
	set.ASCII = set.ASCII || s.ascii || os.Getenv("TERM") == "dumb"
	set.ReduceMotion = set.ReduceMotion || s.reduceMotion
	set.NoMouse = set.NoMouse || s.noMouse
	return set, nil
}

// reread reads the settings again when their file has changed.
func (s *screenFlags) reread() func() (tui.Settings, bool, error) {
	name := s.file()
	stamp := func() (at time.Time, size int64) {
		if info, err := os.Stat(name); err == nil {
			at, size = info.ModTime(), info.Size()
		}
		return at, size
	}
	at, size := stamp()
	return func() (tui.Settings, bool, error) {
		newAt, newSize := stamp()
		if newAt.Equal(at) && newSize == size {
			return tui.Settings{}, false, nil
		}
		at, size = newAt, newSize
		set, err := s.settings()
		return set, err == nil, err
	}
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
	name  string
	seed  uint64
	reach control.Reach

	mu     sync.Mutex
	engine *engine.Engine // nil until the explorer has asked for it
	closed bool
	shut   error // why nobody can attach to it
}

// open starts the engine: behind the first frame, for it takes longer than that may.
func (o *own) open(ctx context.Context) (*control.Client, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, context.Canceled
	}
	if o.engine == nil {
		opts := []engine.Option{engine.Output(io.Discard, io.Discard), engine.Seed(o.seed), engine.SessionName(o.name), engine.VirtualIfShort()}
		e, err := engine.Start(context.WithoutCancel(ctx), append(opts, reachOptions(o.reach)...)...)
		if err != nil {
			return nil, err
		}
		o.engine, o.shut = e, e.OpenSession()
	}
	return control.InProcess(o.engine.Backend(), who()), nil
}

// inside runs a demo in the session.
func (o *own) inside(run func(context.Context, tui.Tell) error) func(context.Context, tui.Tell) error {
	return func(ctx context.Context, tell tui.Tell) error {
		o.mu.Lock()
		e := o.engine
		o.mu.Unlock()
		in, cancel := context.WithCancel(e.Context())
		defer cancel()
		stop := context.AfterFunc(ctx, cancel)
		defer stop()
		return run(in, tell)
	}
}

// close ends the session; its workers are gone when it returns.
func (o *own) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.engine == nil {
		return
	}
	o.engine.Close()
	if o.shut != nil {
		fmt.Fprintln(os.Stderr, "warning: nobody could attach to this session:", o.shut)
	}
}

// ownSession is what the explorer shows without -p.
func ownSession(d demoFlags, set tui.Settings, reach control.Reach) (tui.Config, *own) {
	o := &own{name: "explorer", seed: d.seed, reach: reach}
	if d.name != "" {
		o.name = "demo-" + d.name
	}
	stories := storiesOf(d)
	for i := range stories {
		stories[i].Run = o.inside(stories[i].Run)
	}
	return tui.Config{Connect: o.open, Name: "monarch-tui's own session", Own: true, Who: who(), Demos: stories, Demo: d.name, Auto: d.auto, Settings: set}, o
}

// explore shows the explorer on monarch-tui's own session.
func explore(ctx context.Context, d demoFlags, s screenFlags, net networkFlags) error {
	set, err := s.settings()
	if err != nil {
		return err
	}
	reach, err := net.reach(set.Reach)
	if err != nil {
		return err
	}
	instead := "to watch a demo without one: --demo pingpong --headless; to run a script: run FILE"
	if d.name != "" {
		instead = "--headless prints the demo instead"
	}
	if err := needTerminal(instead); err != nil {
		return err
	}
	cfg, o := ownSession(d, set, reach)
	defer o.close()
	cfg.Reread = s.reread()
	return show(ctx, cfg)
}

// exploreProgram shows the explorer on the session of a program of the user's, which is the controller.
func exploreProgram(ctx context.Context, path string, args []string, seed uint64, watches bool, s screenFlags, net networkFlags) error {
	p, err := checkProgram(path)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	if p.reach, err = net.reach(set.Reach); err != nil {
		return err
	}
	if err := needTerminal("run -p does without one"); err != nil {
		return err
	}
	if watches {
		if _, err := watch.Program(p.path)(ctx); err != nil {
			return &exitError{exitUsage, err}
		}
	}
	p.args, p.seed, p.quiet, p.who = args, seed, true, who()
	ctx, cancel := context.WithCancel(ctx)
	first := make(chan dialed, 1)
	go func() {
		c, end, err := p.open(ctx)
		first <- dialed{c, end, err}
	}()
	d := dialed{end: func() error { return nil }}
	var took sync.Once
	var watching sync.WaitGroup
	take := func() { took.Do(func() { d = <-first }) }
	defer func() {
		cancel()
		take()
		watching.Wait()
		if d.err == nil {
			_ = d.end()
		}
	}()
	select {
	case d = <-first: // what ends at once is told without a screen
		took.Do(func() {})
		if d.err != nil {
			return &exitError{exitCommand, d.err}
		}
	case <-time.After(programPatience):
	}
	var beside sync.Once
	var told chan tui.Watch
	if watches {
		told = make(chan tui.Watch, 1)
	}
	connect := func(context.Context) (*control.Client, error) {
		take()
		if watches && d.err == nil {
			beside.Do(func() { watching.Go(func() { watchBeside(ctx, d.client, p.path, told) }) })
		}
		return d.client, d.err
	}
	return show(ctx, tui.Config{Connect: connect, Name: path, Own: true, Who: who(), Settings: set, Package: p.pkg, Watching: told, Reread: s.reread()})
}

// programPatience is how long the screen waits for a program, which mostly is there or has failed by then.
const programPatience = 300 * time.Millisecond

// dialed is a program's session, or why there is none.
type dialed struct {
	client *control.Client
	end    func() error
	err    error
}

// storiesOf are the demos as stories of the explorer.
func storiesOf(d demoFlags) (out []tui.Demo) {
	for _, demo := range demos.All() {
		ranks := demo.Ranks
		if demo.Name == d.name && d.ranks > 0 {
			ranks = d.ranks
		}
		out = append(out, tui.Demo{Name: demo.Name, Title: demo.Title, Steps: len(demo.Lesson(ranks)), Run: func(ctx context.Context, tell tui.Tell) error {
			return runs(story.With(story.WithScreen(story.WithDebugger(ctx)), func(ctx context.Context, s story.Step) (bool, error) { return tell(ctx, tui.Step(s)) }), demo, ranks)
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
	cfg.Kept = keptBreaks()
	cfg.Commands, cfg.Suspend, cfg.KeepTerminal = script.Options{Person: true}, cannotSuspend, keepTerminal
	defer holdScreen()()
	inside, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	if connect := cfg.Connect; cfg.Own { // without its own session there is nothing to be shown
		cfg.Connect = func(ctx context.Context) (*control.Client, error) {
			c, err := connect(ctx)
			if err != nil && ctx.Err() == nil {
				leave(&exitError{exitCommand, err})
			}
			return c, err
		}
	}
	epilogue, err := tui.Run(inside, cfg)
	crash, crashed := errors.AsType[*tui.Crash](err)
	switch {
	case crashed:
		where := "it could not be written down"
		if name, werr := writeCrash(cfg.Dir, crash); werr == nil {
			where = "the details are in " + name
		}
		left := "the session goes on"
		if cfg.Own {
			left = "the workers are ended"
		}
		return &exitError{exitInternal, fmt.Errorf("%w; the terminal is restored and %s; %s", err, left, where)}
	case err != nil:
		return &exitError{exitInternal, err}
	}
	if inside.Err() != nil {
		return context.Cause(inside)
	}
	if epilogue != "" {
		fmt.Fprintln(os.Stdout, epilogue)
	}
	return nil
}

// keepTerminal notes how the terminal is set, and returns what sets it so again.
func keepTerminal() (putBack func()) {
	fd := int(os.Stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(fd, state) }
}

// rawTerminal tells how to repair a terminal that was found without echo. The rows end in \r\n: it still is.
const rawTerminal = "monarch-tui found this terminal as a program leaves it that was killed (what you type does not show, rows begin where the last ended).\r\n" + typeReset

const typeReset = "Type  reset  and enter, seen or not, to repair it.\r\n"

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
