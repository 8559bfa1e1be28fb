package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"runtime/debug"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

const modulePath = "github.com/monarch-tui/monarch-tui"

// greeting is how long a program may take to reach engine.Main: what its init functions and main do comes before.
const greeting = 15 * time.Second

// program is a binary of the user's that is to be the controller.
type program struct {
	path  string
	pkg   string // that it was built from
	args  []string
	main  bool
	seed  uint64
	reach control.Reach
	who   control.ClientInfo // how the program sees us
	// quiet keeps what the program prints off the terminal: the screen is drawn there.
	quiet bool
}

// checkProgram reads the build information of a binary: one that does not hold our engine is refused, never executed.
func checkProgram(path string) (*program, error) {
	full, err := exec.LookPath(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("-p %s: it may not be executed (chmod +x, if it is a program)", path)
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("-p %s: no such program in PATH; write ./%s for one in this folder", path, path)
	case errors.Is(err, syscall.EISDIR):
		return nil, fmt.Errorf("-p %s: it is a folder; build the program that is in it (go build -o NAME %[1]s) and name that", path)
	case err != nil:
		return nil, fmt.Errorf("-p %s: %w", path, bare(err))
	}
	bi, err := buildinfo.ReadFile(full)
	if err != nil {
		return nil, fmt.Errorf("-p %s is not a Go program, or was built without module information", path)
	}
	if bi.Main.Path != modulePath && !slices.ContainsFunc(bi.Deps, func(m *debug.Module) bool { return m.Path == modulePath }) {
		return nil, fmt.Errorf("-p %s (%s) does not use %s/engine; a program is explored through the engine it is built with", path, bi.Path, modulePath)
	}
	return &program{path: full, pkg: bi.Path, who: control.ClientInfo{Name: "script"}}, nil
}

// bare is an error without the names that the message around it has told.
func bare(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err
}

// open starts the program with one end of a socketpair; it is the controller, and ends when the other end is closed.
func (p *program) open(ctx context.Context) (*control.Client, func() error, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	cmd := exec.Command(p.path, p.args...) //nolint:gosec // the user named it
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Env = append(os.Environ(), "MONARCH_CONTROL_FD=3", "MONARCH_CONTROL_SEED="+strconv.FormatUint(p.seed, 10))
	cmd.Env = append(cmd.Env, reachEnv(p.reach)...)
	if p.main {
		cmd.Env = append(cmd.Env, "MONARCH_CONTROL_MAIN=1")
	}
	tail := &lastLines{pass: os.Stderr}
	if p.quiet {
		tail.pass = io.Discard
	}
	cmd.Stderr = tail
	if p.main { // what run prints is for the person who asked for run; our own stdout is the report
		cmd.Stdout = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start %s: %w", p.path, err), ours.Close(), theirs.Close())
	}
	_ = theirs.Close()
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
	kill := func() {
		_ = cmd.Process.Kill()
		<-gone
	}
	end := func() error {
		select {
		case <-gone:
		case <-time.After(11 * time.Second): // its engine ends within 10.5 s, whatever its actors do
			kill()
		}
		return nil
	}
	hello, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	c, err := control.NewClient(hello, ours, p.who)
	if err != nil {
		_ = ours.Close()
		return nil, nil, p.silent(cmd, gone, kill, err, tail)
	}
	return c, func() error { return errors.Join(c.Close(), end()) }, nil
}

// silent says why a program did not greet us, and ends it: it holds nothing of ours, so there is nothing to wait for.
func (p *program) silent(cmd *exec.Cmd, gone <-chan struct{}, kill func(), err error, tail *lastLines) error {
	grace := time.Second // it may be on its way out
	if errors.Is(err, context.DeadlineExceeded) {
		grace = 0
	}
	select {
	case <-gone:
	case <-time.After(grace):
		kill()
		if grace == 0 {
			return fmt.Errorf("%s did not reach engine.Main within %s: does its main call it, and what does it do before?%w%s", p.path, greeting, hidden{err}, tail.said())
		}
		return fmt.Errorf("%s did not answer as a program with our engine does: %w%s", p.path, err, tail.said())
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s ended (%s) before it reached engine.Main: does its main call it?%s", p.path, cmd.ProcessState, tail.said())
}

// hidden is an error that tells its kind, but has no text of its own.
type hidden struct{ error }

func (hidden) Error() string   { return "" }
func (h hidden) Unwrap() error { return h.error }

// lastLines passes a program's stderr on and keeps the end of it for an error message.
type lastLines struct {
	mu   sync.Mutex
	pass io.Writer
	text string
}

func (l *lastLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(b)
	if n := len(l.text); n > 2000 {
		l.text = l.text[n-2000:]
	}
	return l.pass.Write(b)
}

// hush keeps what is still to come off the terminal.
func (l *lastLines) hush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass = io.Discard
}

func (l *lastLines) said() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == "" {
		return ""
	}
	return "; it printed:\n  " + strings.Join(strings.Split(strings.TrimRight(l.text, "\n"), "\n"), "\n  ")
}
