// Command start measures how long many workers of the engine take to start, and what they weigh at rest, beside as many
// processes of the same program that do nothing. It links the engine and nothing that the engine is compared with, as a
// program that uses the engine does.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Echo is the actor of the workers.
type Echo struct{}

// Echo returns what it is given.
func (*Echo) Echo(_ context.Context, b []byte) ([]byte, error) { return b, nil }

func main() {
	engine.Register[Echo]()
	engine.RunWorker()
	client := flag.String("client", "", "internal: workers or exec")
	server := flag.String("server", "", "internal: a process that only says that it is there")
	ranks := flag.Int("ranks", 64, "how many workers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *server != "":
		err = rest()
	case *client == "workers":
		err = startEngine(ctx, *ranks)
	case *client == "exec":
		err = startExec(*ranks)
	default:
		err = fmt.Errorf("the benchmark runs this program: see -help")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-start:", err)
		os.Exit(1)
	}
}

// startEngine measures from SpawnProcs to the first reply of every rank; once all are connected by QUIC, a call on all of them; then what
// they weigh at rest.
func startEngine(ctx context.Context, ranks int) error {
	e, err := engine.Start(ctx, engine.NoSession())
	if err != nil {
		return err
	}
	defer e.Close()
	ctx = e.Context()
	begin := time.Now()
	procs, err := engine.SpawnProcs(ctx, engine.Dim("ranks", ranks))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, procs, "echo", Echo{})
	if err != nil {
		return err
	}
	echo := engine.Method(m, (*Echo).Echo)
	call := func() error {
		_, err := echo.Call(ctx, measure.Payload)
		return err
	}
	if err := call(); err != nil {
		return err
	}
	start := measure.Result{What: measure.StartUp, Secs: time.Since(begin).Seconds()}
	if err := settled(ctx, control.InProcess(e.Backend(), control.ClientInfo{Name: "bench"})); err != nil {
		return err
	}
	r, err := measure.Cast(call)
	if err != nil {
		return err
	}
	start.MiB = measure.PrivateMiB(children(os.Getpid()))
	if err := measure.Tell(start); err != nil {
		return err
	}
	r.Peer = "engine" // a call, as the others of the engine
	return measure.Tell(r)
}

// settled waits until no worker is connected by the sockets any more by which its link has begun.
func settled(ctx context.Context, c *control.Client) error {
	defer c.Close()
	for {
		s, err := c.Snapshot(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(s.Procs, func(p control.Proc) bool { return p.Carrier == control.InheritedSockets }) {
			return nil
		}
		time.Sleep(100 * time.Millisecond) // between two measurements
	}
}

// startExec starts as many processes of the same binary, which only say that they are there.
func startExec(ranks int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	begin := time.Now()
	said := make(chan error, ranks)
	var kids []*exec.Cmd
	var ends []io.Closer
	for range ranks {
		cmd := exec.Command(self, "-server", "rest") //nolint:gosec // this program itself
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		kids, ends = append(kids, cmd), append(ends, in)
		go func() {
			_, err := io.ReadFull(out, make([]byte, 1))
			said <- err
		}()
	}
	for range kids {
		if err := <-said; err != nil {
			return fmt.Errorf("a process did not say that it is there: %w", err)
		}
	}
	r := measure.Result{What: measure.StartUp, Secs: time.Since(begin).Seconds()}
	var pids []int
	for _, k := range kids {
		pids = append(pids, k.Process.Pid)
	}
	r.MiB = measure.PrivateMiB(pids)
	for i, k := range kids {
		_ = ends[i].Close()
		_ = k.Wait()
	}
	return measure.Tell(r)
}

// rest is the side of such a process.
func rest() error {
	fmt.Println()
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// children lists the processes whose parent is pid.
func children(pid int) []int {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)) // a child belongs to the thread that forked it
	var out []int
	for _, t := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			return nil
		}
		for f := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
