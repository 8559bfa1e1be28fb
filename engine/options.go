package engine

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Version is the engine's version, as programs and workers compare it.
const Version = "0.1.0"

// Option configures an engine.
type Option func(*options)

type options struct {
	name       string
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
	executable string
	args       []string
	seed       uint64
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

// Listen sets the address, host:port, of the controller's socket for workers. Default 127.0.0.1:0.
func Listen(addr string) Option { return func(o *options) { o.listen = addr } }

// AllInProcess makes every proc mesh in-process, whatever SpawnProcs says: what Local does.
func AllInProcess() Option { return func(o *options) { o.inProcess = true } }

// maxProgramName bounds the name of a program where it is shown, in characters.
const maxProgramName = 100

func defaults() options {
	o := options{pid: os.Getpid(), stdout: os.Stdout, stderr: os.Stderr, logger: slog.New(slog.DiscardHandler), args: os.Args[1:], seed: rand.Uint64()} //nolint:gosec // not for secrets
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
