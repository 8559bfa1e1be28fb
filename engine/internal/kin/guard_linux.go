package kin

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// guardEnv makes a process the guard of a session, and says of which.
const guardEnv = "MONARCH_GUARD"

// guardName is what the guard is called in the process table, so that a kill by the program's name does not end it too.
const guardName = "monarch-guard"

// charge is what a guard needs to know.
type charge struct {
	session string
	since   uint64
	root    string
}

func (c charge) String() string { return fmt.Sprintf("%s.%d.%s", c.session, c.since, c.root) }

// readCharge is the inverse of String.
func readCharge(s string) (c charge, ok bool) {
	f := strings.SplitN(s, ".", 3)
	if len(f) != 3 || f[0] == "" {
		return c, false
	}
	since, err := strconv.ParseUint(f[1], 10, 64)
	return charge{f[0], since, f[2]}, err == nil
}

// init turns a process that is to be a guard into one before any code of the program's own main package has run.
func init() {
	if text, is := os.LookupEnv(guardEnv); is {
		if own, step := strings.CutPrefix(text, apartMark); step {
			stepAside(own)
			syscall.Exit(0)
		}
		c, ok := readCharge(text)
		if !ok {
			fmt.Fprintf(os.Stderr, "%s=%q is set by the engine for a process of its own; unset it\n", guardEnv, text)
			os.Exit(70)
		}
		c.stand(os.NewFile(3, "controller"))
		syscall.Exit(0) // nothing of the program is to run, not even what the race detector does at the end
	}
}

// apartMark begins the charge of a guard that is to be nobody's descendant: it starts itself once more, and goes.
//
// A scheduler that ends a step by the tree of its processes (Slurm with proctrack/linuxproc) would take the guard along with whom it
// guards, and what has left the tree would stay.
const apartMark = "+"

// stepAside starts the guard itself, whose parent is gone then.
func stepAside(charge string) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = os.Args
	cmd.Env = []string{guardEnv + "=" + charge, "GOMAXPROCS=1"}
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "controller")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	_ = cmd.Start() // without a guard the rest does what it can
}

// stand waits for the end of the controller, and ends what it has left.
func (c charge) stand(controller *os.File) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP)
	_ = os.WriteFile("/proc/self/comm", []byte(guardName), 0) // only a name
	said, _ := io.ReadAll(io.LimitReader(controller, 1))
	if string(said) == dismissed {
		return
	}
	time.Sleep(graceTime)
	if c.root != "" {
		clearFolder(c.root)
	}
	clearMarked(c.since, func(session, _ string) bool { return session == c.session }) // those that are in no cgroup
}

// graceTime is how long workers that see the end themselves have for their last words: those of an agent tell the controller.
const graceTime = 100 * time.Millisecond

// dismissed is what a controller says that has left nothing.
const dismissed = "."

// guard is the controller's end of it.
type guard struct {
	started sync.WaitGroup
	cmd     *exec.Cmd // nil: it could not be started
	pipe    *os.File
}

// startGuard starts a guard, beside the caller. Without one the rest does what it can.
func startGuard(c charge) *guard {
	g := &guard{}
	g.started.Go(func() { g.start(c) })
	return g
}

func (g *guard) start(c charge) {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{guardName, strconv.Itoa(os.Getpid())}
	mark := ""
	if _, scheduled := os.LookupEnv("SLURM_JOB_ID"); scheduled {
		mark = apartMark
	}
	cmd.Env = []string{guardEnv + "=" + mark + c.String(), "GOMAXPROCS=1"}
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{r}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal's signals
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return
	}
	if mark != "" {
		_ = cmd.Wait() // it has started the guard
	}
	g.cmd, g.pipe = cmd, w
}

// dismiss lets the guard go and waits for it.
func (g *guard) dismiss() {
	g.started.Wait()
	if g.cmd == nil {
		return
	}
	_, _ = g.pipe.WriteString(dismissed) // it may have been killed
	_ = g.pipe.Close()
	late := time.AfterFunc(clearTime, func() { _ = g.cmd.Process.Kill() }) // it stands in a debugger
	defer late.Stop()
	_ = g.cmd.Wait() // how it ended is of no interest
}
