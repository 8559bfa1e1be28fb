package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"runtime/debug"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

const modulePath = "github.com/monarch-tui/monarch-tui"

// program is a binary of the user's that is to be the controller.
type program struct {
	path string
	args []string
	main bool
}

// checkProgram reads the build information of a binary: one that does not hold our engine is refused, never executed.
func checkProgram(path string) (*program, error) {
	full, err := exec.LookPath(path)
	if err != nil {
		return nil, fmt.Errorf("-p %s: %w", path, err)
	}
	bi, err := buildinfo.ReadFile(full)
	if err != nil {
		return nil, fmt.Errorf("-p %s is not a Go program, or was built without module information: %w", path, err)
	}
	if bi.Main.Path != modulePath && !slices.ContainsFunc(bi.Deps, func(m *debug.Module) bool { return m.Path == modulePath }) {
		return nil, fmt.Errorf("-p %s (%s) does not use %s/engine; a program is explored through the engine it is built with", path, bi.Path, modulePath)
	}
	return &program{path: full}, nil
}

// open starts the program with one end of a socketpair; it is the controller, and ends when the other end is closed.
func (p *program) open(ctx context.Context) (*control.Client, func() error, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	cmd := exec.Command(p.path, p.args...) //nolint:gosec // the user named it
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Env = append(os.Environ(), "MONARCH_CONTROL_FD=3")
	if p.main {
		cmd.Env = append(cmd.Env, "MONARCH_CONTROL_MAIN=1")
	}
	tail := &lastLines{}
	cmd.Stderr = tail
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start %s: %w", p.path, err), ours.Close(), theirs.Close())
	}
	_ = theirs.Close()
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
	end := func() error {
		select {
		case <-gone:
		case <-time.After(20 * time.Second): // its engine stops in order within 16 s
			_ = cmd.Process.Kill()
			<-gone
		}
		return nil
	}
	hello, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	c, err := control.NewClient(hello, ours, control.ClientInfo{Name: "script"})
	if err != nil {
		_ = ours.Close()
		_ = end()
		return nil, nil, fmt.Errorf("%s did not answer: does its main call engine.Main? %w%s", p.path, err, tail.said())
	}
	return c, func() error { return errors.Join(c.Close(), end()) }, nil
}

func socketPair() (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, err
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	mine, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer mine.Close()
	conn, err := net.FileConn(mine)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}

// lastLines passes a program's stderr on and keeps the end of it for an error message.
type lastLines struct{ text string }

func (l *lastLines) Write(b []byte) (int, error) {
	l.text += string(b)
	if n := len(l.text); n > 2000 {
		l.text = l.text[n-2000:]
	}
	return os.Stderr.Write(b)
}

func (l *lastLines) said() string {
	if l.text == "" {
		return ""
	}
	return "; it printed:\n  " + strings.Join(strings.Split(strings.TrimRight(l.text, "\n"), "\n"), "\n  ")
}
