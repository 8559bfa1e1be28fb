package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/debugger/watch"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// onTerminal reports whether there is a screen to draw on.
func onTerminal() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
}

// watchConfig is what has a program reloaded when its source changes. tell gets what came of each reload.
func watchConfig(c *control.Client, path string, tell func(control.Reload, error)) watch.Config {
	return watch.Config{
		Files:  watch.Program(path),
		Reload: func(ctx context.Context) (control.Reload, error) { return watch.Reload(ctx, c) },
		Tell:   tell,
	}
}

// watchProgram runs a program, run function and all, and reloads its ranks when its source changes, until it ends or somebody
// interrupts it. It prints what came of each change.
func watchProgram(ctx context.Context, out io.Writer, path string, args []string, seed uint64, s screenFlags, net networkFlags) error {
	p, err := checkProgram(path)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	p.args, p.seed, p.main, p.who = args, seed, true, who()
	set, err := (&launchFlags{s.config}).site()
	if err != nil {
		return err
	}
	if p.reach, err = net.reach(set.Reach); err != nil {
		return err
	}
	first, err := watch.Program(p.path)(ctx)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, end, err := p.open(ctx)
	if err != nil {
		return &exitError{exitCommand, err}
	}
	defer func() { _ = end() }()
	_, _ = fmt.Fprintf(out, "watching %d files of %s\n", len(first), path)
	go func() {
		select {
		case <-c.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	return watch.Loop(ctx, watchConfig(c, p.path, func(rec control.Reload, err error) { printReload(out, &rec, err) }))
}

// printReload says what came of a change.
func printReload(out io.Writer, rec *control.Reload, err error) {
	for _, line := range script.ReloadText(rec) {
		_, _ = fmt.Fprintln(out, line)
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintln(out, "not reloaded:", err)
	case rec.State != control.ReloadDone:
		_, _ = fmt.Fprintln(out, "not reloaded:", rec.Reason)
	default:
		_, _ = fmt.Fprintln(out, "reloaded in", script.ReloadTimes(rec))
	}
}
