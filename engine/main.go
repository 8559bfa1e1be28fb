package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/engine/internal/kin"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// controlEnv names the descriptor of an inherited control socket: monarch-tui -p started this program.
const controlEnv = "MONARCH_CONTROL_FD"

// mainEnv, next to controlEnv, asks for run to be called too.
const mainEnv = "MONARCH_CONTROL_MAIN"

// seedEnv, next to controlEnv, is the tool's --seed.
const seedEnv = "MONARCH_CONTROL_SEED"

// listenEnv and advertiseEnv, next to controlEnv, are the tool's --listen and --advertise, whose hosts have commas between them.
const (
	listenEnv    = "MONARCH_CONTROL_LISTEN"
	advertiseEnv = "MONARCH_CONTROL_ADVERTISE"
)

// noSessionEnv turns off the session socket of whatever program runs, as NoSession does from within.
const noSessionEnv = "MONARCH_NO_SESSION"

// startRoom is for how many workers an engine makes room when it starts.
const startRoom = 64

// returnTime is how long run has to return once its context was cancelled by an unhandled failure.
const returnTime = 10 * time.Second

// Engine is a running controller.
type Engine struct {
	hub     *hub
	ctx     context.Context
	cancel  context.CancelCauseFunc
	dir     *control.SessionDir // nil: no session socket
	server  *control.Server
	serving sync.WaitGroup
	once    sync.Once
	asked   atomic.Int64 // when the context of Start ended, in UnixNano; 0: it has not
}

// Start makes this process the controller of a session. Most programs call Main instead. When ctx ends, so does the
// engine's context and every call under it; Close ends the rest. Workers end with this process by whatever cause. In a
// worker it is an error: actors spawn with the context they are given.
func Start(ctx context.Context, opts ...Option) (*Engine, error) {
	RunWorker()
	if workerNode.Load() != nil {
		return nil, errors.New("engine.Start in a worker: this process belongs to a session already; pass the ctx of your endpoint or hook to SpawnProcs and Spawn")
	}
	quietQUIC()
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	if !o.inProcess {
		exe, err := selfExecutable()
		if err != nil {
			return nil, err
		}
		o.executable = exe
	}
	h, err := newHub(o)
	if err != nil {
		return nil, err
	}
	if !o.inProcess {
		h.wg.Go(func() { host.RoomForFiles(startRoom) })
	}
	warnOfMethods(h.log) // where the program has a logger of its own; else once there is a log file
	e := &Engine{hub: h}
	base, cancel := context.WithCancelCause(ctx)
	e.ctx, e.cancel = context.WithValue(base, ctxKey{}, &ctxInfo{node: h.node}), cancel
	context.AfterFunc(ctx, func() { e.asked.Store(time.Now().UnixNano()) })
	return e, nil
}

// Context carries the engine: pass it to SpawnProcs, Spawn and calls. An unhandled failure cancels it when the program
// runs under Main.
func (e *Engine) Context() context.Context { return e.ctx }

// Backend is the engine as front ends see it; control.InProcess makes a client of it.
func (e *Engine) Backend() control.Backend { return e.hub }

// Flush waits until everything that ranks printed so far has been put out.
func (e *Engine) Flush(ctx context.Context) error {
	err := e.hub.out.flush(ctx, nil)
	if e.hub.out.sorted {
		e.hub.out.flushHeld()
	}
	return err
}

// Close ends everything in order: actors, processes, sockets. It returns when nothing of the session is left. What has not
// ended in 9.5 s is ended at once, and code of the program's own that does not return even then is left behind a second
// later. Where the context of Start has ended before, the time counts from there.
func (e *Engine) Close() {
	e.once.Do(func() {
		by := time.Now().Add(closingTime)
		if at := e.asked.Load(); at != 0 {
			by = time.Unix(0, at).Add(closingTime)
		}
		ctx, cancel := context.WithDeadline(context.Background(), by)
		defer cancel()
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			if e.server != nil {
				_ = e.server.Close()
			}
			e.hub.close(ctx)
			e.cancel(ErrStopped)
			closeSession(e)
		}()
		late := time.NewTimer(max(time.Until(by), 0) + closeLate)
		defer late.Stop()
		select {
		case <-closed:
		case <-late.C:
			e.hub.log.Error("the session did not end in time; what is left of it ends with this process")
		}
	})
}

// From the word to end until the program is gone: 11 s at most, whatever actors do.
const (
	closingTime = 9500 * time.Millisecond // in order: a little less than an actor has to finish its messages
	closeLate   = time.Second             // at once
)

// Local is an engine whose processes are goroutines, for tests and for teaching: same semantics, encoded frames, no
// sockets. Call stop when done.
func Local(ctx context.Context, opts ...Option) (_ context.Context, stop func(), err error) {
	e, err := Start(ctx, append([]Option{AllInProcess(), NoSession()}, opts...)...)
	if err != nil {
		return nil, nil, err
	}
	return e.Context(), e.Close, nil
}

// Main is a program's main: it runs run in the controller and the worker loop in the processes that SpawnProcs starts
// from the same binary. It does not return. Exit codes: 0; 1 when run returned an error or a failure was not handled; 70
// when the engine could not start; 130 after an interrupt.
func Main(run func(ctx context.Context) error, opts ...Option) {
	RunWorker()
	os.Exit(runMain(run, opts))
}

func runMain(run func(ctx context.Context) error, opts []Option) int {
	if fd, ok := os.LookupEnv(controlEnv); ok {
		return serveInherited(fd, run, opts)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	e, err := Start(ctx, opts...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return exitInternal
	}
	if err := e.OpenSession(); err != nil { // what helps to debug a program must not keep it from running
		fmt.Fprintf(os.Stderr, "warning: nobody can attach to this program: %v (%s=1 turns the session off)\n", err, noSessionEnv)
	}
	err = e.Run(run)
	e.Close()
	if err == nil {
		err = e.unhandled() // a failure that was reported after run had returned
	}
	switch {
	case ctx.Err() != nil:
		return 130
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

// Run calls a program's function as Main does: an unhandled failure cancels its context and, once it has returned or 10 s
// have passed, is the error. When the engine's own context ends, run has the same 10 s.
func (e *Engine) Run(run func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(e.ctx)
	defer cancel(nil)
	e.hub.onUnhandled(func(f Failure) { cancel(f) })
	done := make(chan error, 1)
	go func() {
		done <- guard("run", func() error { return run(ctx) })
	}()
	err := awaitRun(ctx, done)
	if failed := e.unhandled(); failed != nil {
		if isError(err, errRunLate) {
			return fmt.Errorf("%w (%w)", failed, errRunLate)
		}
		return failed
	}
	return err
}

var errRunLate = fmt.Errorf("run did not return within %v", returnTime)

// awaitRun waits for run; once its context has ended, not for ever.
func awaitRun(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return trimGuard(err)
	case <-ctx.Done():
	}
	t := time.NewTimer(returnTime)
	defer t.Stop()
	select {
	case err := <-done:
		return trimGuard(err)
	case <-t.C:
		return fmt.Errorf("%w: %w", context.Cause(ctx), errRunLate)
	}
}

// unhandled is the first failure that nobody handled.
func (e *Engine) unhandled() error {
	if f := e.hub.firstUnhandled(); f != nil {
		return fmt.Errorf("unhandled failure: %w", *f)
	}
	return nil
}

// trimGuard takes the hook's name off an error that is no panic.
func trimGuard(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// Keeps says how what workers start, and what they leave behind, ends with them where this program runs.
func Keeps() string { return kin.Here() }

// Carrier says how packets of the processes of a session travel here, and whether those of this machine share memory, by
// opening a socket as they do.
func Carrier() (packets, memory string) {
	c, how, err := quicnet.ListenUDP("127.0.0.1:0", carrier.Options{})
	if err != nil {
		return "none: " + err.Error(), "not shared: there is no carrier"
	}
	defer c.Close()
	if err := quicnet.SharesMemory(c); err != nil {
		return how.String(), "not shared: " + err.Error()
	}
	return how.String(), "shared by processes of this machine"
}

// InWorker reports whether this process was started as a worker, or as the agent of a host, and has not reached Main yet: code
// before Main runs in each of them too.
func InWorker() bool {
	_, worker := os.LookupEnv(launch.MarkerEnv)
	_, agent := os.LookupEnv(via.Env)
	return worker || agent
}

// quietQUIC keeps quic-go from writing a warning about small socket buffers into the program's stderr, and so over a
// front end's screen. Workers inherit it.
func quietQUIC() { _ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true") }

// Version is the engine's version, as programs and workers compare it.
const Version = "0.1.0"

// Option configures an engine.
type Option func(*options)

type options struct {
	name       string
	wide       int // above how many ranks a message goes by the agents of their hosts
	program    string
	pid        int
	stdout     io.Writer
	stderr     io.Writer
	sorted     bool
	inProcess  bool
	noSession  bool
	logger     *slog.Logger
	logFile    string
	listen     string
	advertise  []string // hosts at which other machines reach this one
	executable string
	args       []string
	seed       uint64

	virtualIfShort bool
	forkTime       time.Duration // how long an agent has for starting a worker; 0: forkTime
}

// NoSession keeps the program from opening a session socket: nobody can attach to it. The variable MONARCH_NO_SESSION=1
// does the same from outside.
func NoSession() Option { return func(o *options) { o.noSession = true } }

// SessionName names the session for `monarch-tui attach`. By default it is the program's name and pid.
func SessionName(name string) Option { return func(o *options) { o.name = name } }

// Output sends the lines of the program and its ranks to other writers than os.Stdout and os.Stderr. A nil writer drops them.
func Output(stdout, stderr io.Writer) Option {
	return func(o *options) { o.stdout, o.stderr = stdout, stderr }
}

// SortedOutput holds what ranks print until the program itself prints through Out (or ends) and then puts it out by mesh
// and rank, so that two runs print the same.
func SortedOutput() Option { return func(o *options) { o.sorted = true } }

// Log sends the engine's own log to a logger instead of the session's log file.
func Log(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// Seed sets what RandOf draws from; without it each session draws other numbers.
func Seed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// VirtualIfShort gives ranks virtual GPU slots where there are too few devices for them, which is an error otherwise: for
// programs whose actors use no device.
func VirtualIfShort() Option { return func(o *options) { o.virtualIfShort = true } }

// Listen sets the address, host:port, of the controller's socket for workers. Default 127.0.0.1:0.
func Listen(addr string) Option { return func(o *options) { o.listen = addr } }

// AllInProcess makes every proc mesh in-process, whatever SpawnProcs says: what Local does.
func AllInProcess() Option { return func(o *options) { o.inProcess = true } }

// maxProgramName bounds the name of a program where it is shown, in characters.
const maxProgramName = 100

func defaults() options {
	o := options{pid: os.Getpid(), wide: wideRanks, stdout: os.Stdout, stderr: os.Stderr, logger: slog.New(slog.DiscardHandler), args: os.Args[1:], seed: rand.Uint64()} //nolint:gosec // not for secrets
	o.program = clean.Name(filepath.Base(os.Args[0]), maxProgramName)
	switch os.Getenv(noSessionEnv) {
	case "", "0", "false":
	default:
		o.noSession = true
	}
	o.name = sessionName(o.program, o.pid)
	return o
}

// sessionName is what a program's session is called unless it says otherwise: the pid lets it run twice. A session's
// name has 40 characters at most.
func sessionName(program string, pid int) string {
	s := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, program)
	s = strings.TrimLeft(s, "-.")
	if s == "" {
		s = "session"
	}
	number := fmt.Sprintf("-%d", pid)
	return s[:min(len(s), 40-len(number))] + number
}

// buildID tells two builds of a program apart.
var buildID = sync.OnceValue(func() string {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var id strings.Builder
	id.WriteString(bi.Main.Version)
	for _, s := range bi.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
			id.WriteString(" " + s.Value)
		}
	}
	return strings.TrimSpace(bi.GoVersion + " " + id.String())
})

// selfExecutable is the path a worker is started from. /proc/self/exe would survive a rebuild of the binary, but shows a
// useless name in ps.
func selfExecutable() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's own executable, which is also the worker: %w", err)
	}
	return exe, nil
}
