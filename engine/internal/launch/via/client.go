package via

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

const (
	// maxLine bounds what is kept of a line that a client prints.
	maxLine = 4 << 10
	// afterExit is how long the output of a client that has ended is waited for: an ssh that shares its connection leaves its master
	// behind, which keeps stderr open.
	afterExit = time.Second
	// patience is how long a client has to end by itself when it is asked to.
	patience = 3 * time.Second
)

// command is a client to be started.
type command struct {
	argv    []string
	without []string  // variables that it does not get
	stdin   io.Reader // what it reads, to the end; nil: see lifeline
	// lifeline: its stdin is a pipe that we write to and that stays open; otherwise, without stdin, it reads nothing.
	lifeline bool
	// asked: when we die it gets SIGTERM instead of SIGKILL, because it has something to undo.
	asked    bool
	out, err func(line string) // one line at a time, from a goroutine of each
	raw      io.Writer         // its stdout as it is, instead of out
}

// client is a started process of the site's own client: ssh, srun, mpirun, kubectl.
type client struct {
	stdin io.WriteCloser // nil without a lifeline
	ended chan struct{}
	err   error // of Wait; valid once ended is closed

	cmd    *exec.Cmd
	mu     sync.Mutex // guards reaped
	reaped bool
}

// starter starts clients from one thread, which lives as long as they do: Linux ties the signal that a child gets at its parent's
// death to the thread that forked (see the package launch).
type starter struct {
	requests chan func()
	clients  sync.WaitGroup
}

func newStarter() *starter {
	s := &starter{requests: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for f := range s.requests {
			f()
		}
		runtime.UnlockOSThread() // close has waited for the clients
	}()
	return s
}

// close waits for all clients and ends the thread. Nothing may be started any more.
func (s *starter) close() {
	s.clients.Wait()
	close(s.requests)
}

// start starts a client.
func (s *starter) start(c command) (*client, error) {
	cmd := exec.Command(c.argv[0], c.argv[1:]...) //nolint:gosec // the site's client, as the user named it
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(c.without, name)
	})
	cmd.SysProcAttr = clientAttr(c.asked)
	cmd.WaitDelay = afterExit
	cmd.Stdin = c.stdin
	out, errs := &lines{each: c.out}, &lines{each: c.err}
	cmd.Stdout, cmd.Stderr = out, errs
	if c.raw != nil {
		cmd.Stdout = c.raw
	}
	r := &client{cmd: cmd, ended: make(chan struct{})}
	if c.lifeline {
		w, err := cmd.StdinPipe()
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", c.argv[0], err)
		}
		r.stdin = w
	}
	result := make(chan error, 1)
	s.requests <- func() { result <- cmd.Start() }
	if err := <-result; err != nil {
		return nil, notStarted(c.argv[0], err)
	}
	s.clients.Go(func() {
		r.err = cmd.Wait()
		r.mu.Lock()
		r.reaped = true
		r.mu.Unlock()
		out.flush()
		errs.flush()
		close(r.ended)
	})
	return r, nil
}

// notStarted says what to do about a client that is not there.
func notStarted(name string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed here, or not in PATH", name)
	}
	return fmt.Errorf("start %s: %w", name, err)
}

// signal reaches the client and what it has started, and never a stranger who got its number.
func (c *client) signal(kill bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		signalGroup(c.cmd.Process, kill)
	}
}

// end ends the client: it is told, by its stdin where it has one, then asked, then killed.
func (c *client) end(wait time.Duration) {
	if c.stdin != nil {
		_ = c.stdin.Close()
		if c.within(wait) {
			return
		}
	}
	c.signal(false)
	if !c.within(wait) {
		c.signal(true)
		<-c.ended
	}
}

func (c *client) within(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.ended:
		return true
	case <-t.C:
		return false
	}
}

// howEnded is a client's end in words; valid once it has ended.
func (c *client) howEnded() string {
	st := c.cmd.ProcessState
	switch {
	case st == nil:
		return "it did not run"
	case st.ExitCode() >= 0:
		return fmt.Sprintf("it ended with code %d", st.ExitCode())
	}
	return "it was ended by a signal (" + st.String() + ")"
}

// lines cuts what is written to it into lines. It is used by one goroutine at a time.
type lines struct {
	each func(string)
	part []byte
}

// Write never fails.
func (l *lines) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		piece := b
		if i >= 0 {
			piece = b[:i]
		}
		if room := maxLine - len(l.part); len(piece) > room {
			piece = piece[:room]
		}
		l.part = append(l.part, piece...)
		if i < 0 {
			break
		}
		l.flush()
		b = b[i+1:]
	}
	return n, nil
}

// flush gives away what has no newline yet.
func (l *lines) flush() {
	if line := bytes.TrimRight(l.part, "\r"); len(line) > 0 && l.each != nil { // ssh ends its own lines as a terminal has them
		l.each(string(line))
	}
	l.part = l.part[:0]
}

// maxAnswer bounds what is kept of the answer of a client that is run once.
const maxAnswer = 1 << 20

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxAnswer - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// once runs a client to its end, and returns what it printed. The error holds what it said on stderr.
func once(ctx context.Context, stdin io.Reader, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the site's client, as the user named it
	cmd.WaitDelay = afterExit
	cmd.Stdin = stdin
	var out, errs bounded
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	switch {
	case err == nil:
		return out.String(), nil
	case errors.Is(err, exec.ErrNotFound):
		return "", notStarted(argv[0], err)
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s: %w", argv[0], ctx.Err())
	case errs.Len() > 0:
		return out.String(), fmt.Errorf("%s: %s", argv[0], clean.OneLine(strings.TrimSpace(errs.String()), 1000))
	}
	return out.String(), fmt.Errorf("%s: %w", argv[0], err)
}
