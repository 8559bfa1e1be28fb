package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// viaGreeting is how long the command of --via may take to reach a session: a person may have to type a password.
const viaGreeting = 60 * time.Second

// dialVia starts a command that speaks to a session over its stdin and stdout, ssh to another machine as a rule. again
// is for a connection that is made anew while the screen is up: the command then has no terminal to ask on.
func dialVia(ctx context.Context, line string, me control.ClientInfo, again bool) (*control.Client, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("make a socket pair: %w", err)
	}
	tail := &lastLines{pass: os.Stderr}
	said := func() string { return "" } // it stands on the terminal
	if again {
		tail.pass, said = io.Discard, tail.said
	}
	cmd := exec.Command("/bin/sh", "-c", line) //nolint:gosec // the user wrote it, for this
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, tail
	cmd.WaitDelay = time.Second // what it has left behind may hold its stderr
	if again {
		withoutTerminal(cmd)
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("attach --via: %w", err), ours.Close(), theirs.Close())
	}
	_ = theirs.Close()
	v := &viaConn{Conn: ours, cmd: cmd, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(v.gone)
	}()
	hello, cancel := context.WithTimeout(ctx, viaGreeting)
	defer cancel()
	c, err := control.NewClient(hello, v, me) // closes v when it fails
	switch {
	case err == nil:
		tail.hush()
		return c, nil
	case errors.Is(err, context.Canceled):
		return nil, err
	case !cmd.ProcessState.Success():
		return nil, fmt.Errorf("attach --via %q: it ended (%s) without reaching a session%s", line, cmd.ProcessState, said())
	}
	return nil, fmt.Errorf("attach --via %q: %w%s", line, err, said())
}

// viaConn is the connection through a command; closing it ends the command.
type viaConn struct {
	net.Conn

	cmd  *exec.Cmd
	gone chan struct{} // closed when the command has been waited for
	once sync.Once
	err  error
}

// Close hangs up and waits for the command, which ends by itself when nobody is at the other end.
func (v *viaConn) Close() error {
	v.once.Do(func() {
		v.err = v.Conn.Close()
		select {
		case <-v.gone:
		case <-time.After(2 * time.Second):
			_ = v.cmd.Process.Kill()
			<-v.gone
		}
	})
	return v.err
}
