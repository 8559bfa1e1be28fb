package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
)

// OpenSession lets entitled front ends attach to the running program: it makes the session's folder with its socket and
// log file. It does nothing under NoSession.
func (e *Engine) OpenSession() error {
	h := e.hub
	if h.opts.noSession {
		return nil
	}
	dir, err := control.OpenSession(h.opts.name, h.opts.program)
	if errors.Is(err, control.ErrPlatform) {
		return nil // no front end can attach on this system
	}
	if err != nil {
		return fmt.Errorf("open the session socket: %w", err)
	}
	e.dir = dir
	h.inFolder(dir)
	h.logTo(filepath.Join(dir.Dir, "engine.log"))
	e.server = control.NewServer(control.ServerConfig{Backend: h, Logger: h.log})
	e.serving.Go(func() {
		if err := e.server.Serve(dir.Listener()); err != nil {
			h.log.Warn("the session socket closed", "err", err)
		}
	})
	return nil
}

// inFolder notes where the session is to be found.
func (h *hub) inFolder(dir *control.SessionDir) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.session.Name, h.session.Dir = dir.Name, dir.Dir
}

// sessionFolder is where the session is to be found, or "".
func (h *hub) sessionFolder() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.session.Dir
}

// logTo opens the session's log file unless the program has a logger of its own.
func (h *hub) logTo(path string) {
	if h.log.Handler() != slog.DiscardHandler {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return // the engine runs without a log
	}
	h.log = slog.New(slog.NewTextHandler(&logFile{File: f, hub: h}, nil))
	h.node.log = h.log
	h.opts.logFile, h.logClose = path, f
	warnOfMethods(h.log)
}

// logFile is the session's log. A line that cannot be written is lost, for nothing waits for a log; front ends are told of
// the first one.
type logFile struct {
	*os.File
	hub *hub
}

func (l *logFile) Write(line []byte) (int, error) {
	n, err := l.File.Write(line)
	if err != nil && l.hub.logLost.Load() == nil {
		why := err.Error()
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			why = pe.Err.Error() // the session's record has the path
		}
		l.hub.logLost.Store(&why)
		l.hub.node.touch() // who logs may hold the books
	}
	return n, err
}

// tellLog tells front ends once that lines of the log are lost.
func (h *hub) tellLog() {
	why := h.logLost.Load()
	if why == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.session.LogLost != "" {
		return
	}
	h.session.LogLost = *why
	rec := h.session
	h.publish(control.Event{Session: &rec})
}

func closeSession(e *Engine) {
	e.serving.Wait()
	if e.dir != nil {
		if err := e.dir.Close(); err != nil {
			e.hub.log.Warn("the session's folder stays", "err", err)
		}
	}
	if e.hub.logClose != nil {
		_ = e.hub.logClose.Close()
	}
}

// serveInherited is the program's life under monarch-tui -p: it is the controller, the tool at the other end of the
// inherited socket acts, and the end of that socket is the end of the session.
func serveInherited(fd string, run func(context.Context) error, opts []Option) int {
	_, callRun := os.LookupEnv(mainEnv)
	_ = os.Unsetenv(controlEnv)
	_ = os.Unsetenv(mainEnv)
	if seed, err := strconv.ParseUint(os.Getenv(seedEnv), 10, 64); err == nil {
		opts = append(opts, Seed(seed)) // the command line wins over the program
	}
	_ = os.Unsetenv(seedEnv)
	if addr := os.Getenv(listenEnv); addr != "" {
		opts = append(opts, Listen(addr))
	}
	_ = os.Unsetenv(listenEnv)
	if hosts := os.Getenv(advertiseEnv); hosts != "" {
		opts = append(opts, Advertise(strings.Split(hosts, ",")...))
	}
	_ = os.Unsetenv(advertiseEnv)
	conn, err := inheritedConn(fd)
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %s=%q is set by monarch-tui -p only: %v\n", controlEnv, fd, err)
		return exitInternal
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	signal.Ignore(os.Interrupt) // the tool shares our terminal and decides
	tool := os.Getppid()
	e, err := Start(ctx, opts...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return exitInternal
	}
	defer e.closeFor(tool)
	if err := e.OpenSession(); err != nil {
		fmt.Fprintln(os.Stderr, "warning: nobody else can attach to this program:", err) // the tool itself has its socket
	}
	if callRun {
		go func() {
			if err := e.Run(run); err != nil {
				e.hub.sessionFailed(clip(textOf(err), maxErrorText))
			}
		}()
	}
	srv := control.NewServer(control.ServerConfig{Backend: e.hub, Logger: e.hub.log})
	defer srv.Close()
	_ = srv.ServeConn(conn) // whatever the error: the tool has left, and the session ends
	return 0
}

const (
	orphanEvery = 50 * time.Millisecond  // how often a session that ends looks whether its tool still lives
	orphanTime  = 600 * time.Millisecond // how long it may go on to end in order after that: within a second all is gone
)

// closeFor is Close of a session that belongs to a tool, which is the parent process. The tool may wait until handlers have
// ended; when it is dead nobody does, and what does not end in order ends with this process.
func (e *Engine) closeFor(tool int) {
	closed := make(chan struct{})
	go func() { e.Close(); close(closed) }()
	tick := time.NewTicker(orphanEvery)
	defer tick.Stop()
	var orphaned time.Time
	for {
		select {
		case <-closed:
			return
		case now := <-tick.C:
			switch {
			case os.Getppid() == tool:
			case orphaned.IsZero():
				orphaned = now
			case now.Sub(orphaned) > orphanTime:
				if e.dir != nil {
					_ = e.dir.Close() // a left-over is removed by the next session
				}
				os.Exit(exitOrphan) //nolint:gocritic // deferred calls would wait for what does not end
			}
		}
	}
}

func inheritedConn(fd string) (net.Conn, error) {
	n, err := strconv.Atoi(fd)
	if err != nil || n < 3 {
		return nil, fmt.Errorf("want a descriptor number")
	}
	host.CloseOnExec(n)
	f := os.NewFile(uintptr(n), "control")
	defer f.Close()
	return net.FileConn(f)
}

// sessionFailed marks a session whose run ended with an error; it stays to be looked at.
func (h *hub) sessionFailed(reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.session.State, h.session.Reason = "failed", reason
	rec := h.session
	h.publish(control.Event{Session: &rec})
}
