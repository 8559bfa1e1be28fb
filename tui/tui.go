package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/reloads"
)

// Config is what the explorer begins with. Only Connect is needed.
type Config struct {
	Connect  func(ctx context.Context) (*control.Client, error) // to the first session; called behind the first frame
	Name     string                                             // of that session, before it answers
	Own      bool                                               // it ends with the explorer: quitting asks while meshes run
	Who      control.ClientInfo                                 // how other clients see us
	Demos    []Demo                                             // what ":demo" knows
	Demo     string                                             // the one to begin with
	Auto     bool                                               // a demo goes on by itself
	Settings Settings
	Package  string                                         // that the program of the first session was built from; "": it is not known
	Watching <-chan Watch                                   // how the watching of its source goes, where somebody watches
	Reread   func() (set Settings, changed bool, err error) // the settings, where they changed since they were last read; nil: they stay
	Suspend  func() (why string)                            // why the program cannot be suspended now, "" where it can; nil: it can
	Commands script.Options

	// KeepTerminal notes how the terminal is set before another program gets it, and returns what sets it so again, for when that
	// program was killed; nil: there is nothing to be set.
	KeepTerminal func() (putBack func())

	Dir  string           // for drafts, history, crash files; "": nothing is written
	Kept *kept.Store      // keeps breakpoints from session to session; nil: nowhere
	Now  func() time.Time // nil: time.Now
}

// Watch is how the watching of a program's source goes.
type Watch = reloads.Watch

// Crash is the error of Run when the explorer itself is at fault.
type Crash struct {
	Value any
	Stack []byte
	Last  []string // the last commands
}

// Error tells what panicked.
func (c *Crash) Error() string { return fmt.Sprintf("a fault in the explorer: %v", c.Value) }

// Run shows the explorer until the person leaves it, ctx ends, or the terminal goes. The terminal is restored on every
// path. It returns a line about what was done, to be printed afterwards, and a *Crash when the explorer is at fault.
func Run(ctx context.Context, cfg Config, opts ...tea.ProgramOption) (epilogue string, err error) {
	m, err := New(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer m.Close()
	p := tea.NewProgram(m, append([]tea.ProgramOption{tea.WithFPS(30)}, opts...)...)
	// Not tea.WithContext: a program that is killed closes the input while somebody reads it.
	stop := context.AfterFunc(ctx, p.Quit)
	defer stop()
	_, err = p.Run()
	if m.crash != nil {
		return "", m.crash
	}
	switch {
	case errors.Is(err, tea.ErrInterrupted), errors.Is(err, io.EOF):
		err = nil
	}
	return m.epilogue(), err
}

// guard turns a panic into an orderly end: the terminal is restored before anything is told.
func (m *Model) guard(cmd *tea.Cmd) {
	r := recover()
	if r == nil {
		return
	}
	m.crashed(r, debug.Stack())
	if cmd != nil {
		*cmd = tea.Quit
	}
}

func (m *Model) crashed(r any, stack []byte) {
	if m.crash != nil {
		return
	}
	m.crash = &Crash{Value: r, Stack: stack}
	for _, e := range m.commands[max(0, len(m.commands)-50):] {
		m.crash.Last = append(m.crash.Last, e.line)
	}
}

// crashMsg is a panic in a task.
type crashMsg struct {
	value any
	stack []byte
}

// task makes a command of a function that runs beside the screen. It must end when m.ctx does.
func (m *Model) task(f func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if r := recover(); r != nil {
				msg = crashMsg{r, debug.Stack()}
			}
		}()
		return f()
	}
}

// after sends a message later, unless the program has ended by then.
func (m *Model) after(d time.Duration, msg tea.Msg) tea.Cmd {
	ctx := m.ctx
	return m.task(func() tea.Msg {
		select {
		case <-time.After(d):
			return msg
		case <-ctx.Done():
			return nil
		}
	})
}
