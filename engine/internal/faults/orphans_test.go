//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

func init() { controllers["daemons"] = daemons }

// daemons is a program whose two workers have started daemons. It tells all four pids and waits.
func daemons(ctx context.Context) error {
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, p, "v", Victim{})
	if err != nil {
		return err
	}
	pids, err := engine.Query(m, (*Victim).Pid).Call(ctx)
	if err != nil {
		return err
	}
	kids, err := engine.Query(m, (*Victim).Daemon).Call(ctx)
	if err != nil {
		return err
	}
	for _, pid := range append(pids.Answered(), kids.Answered()...) {
		fmt.Println(pid)
	}
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}

// keeping runs a test with each way of keeping together what workers start that is to be had here.
func keeping(t *testing.T, f func(*testing.T)) {
	t.Helper()
	for _, off := range []string{"", "0"} {
		t.Run("MONARCH_CGROUP="+off, func(t *testing.T) {
			t.Setenv("MONARCH_CGROUP", off)
			t.Log(engine.Keeps())
			f(t)
		})
	}
}

// A process that has left its worker's group ends with it, by whatever end (E5, row 25).
func TestADaemonOfAWorkerEndsWithIt(t *testing.T) {
	keeping(t, func(t *testing.T) {
		for name, end := range map[string]func(context.Context, engine.ProcMesh, int) error{
			"killed from outside": func(_ context.Context, _ engine.ProcMesh, pid int) error { return syscall.Kill(pid, syscall.SIGKILL) },
			"stopped":             func(ctx context.Context, p engine.ProcMesh, _ int) error { return p.Stop(ctx) },
			"killed":              func(ctx context.Context, p engine.ProcMesh, _ int) error { return p.Kill(ctx) },
		} {
			t.Run(name, func(t *testing.T) {
				ctx, p, m := victims(t, 1)
				daemon, err := engine.Query(m, (*Victim).Daemon).CallOne(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if !alive(daemon) {
					t.Fatal("there is no daemon")
				}
				if err := end(ctx, p, pid(t, ctx, m, 0)); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the end of the daemon", time.Second, func() bool { return !alive(daemon) })
			})
		}
	})
}

// A controller that ends takes all along, by whatever signal (E5, rows 23 and 25).
func TestDaemonsEndWithTheController(t *testing.T) {
	keeping(t, func(t *testing.T) {
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			t.Run(sig.String(), func(t *testing.T) {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), roleEnv+"=daemons")
				cmd.Stderr = os.Stderr
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				var pids []int
				lines := bufio.NewScanner(out)
				for lines.Scan() && lines.Text() != "ready" {
					pid, err := strconv.Atoi(lines.Text())
					if err != nil {
						t.Fatal(err)
					}
					pids = append(pids, pid)
				}
				if len(pids) != 4 {
					t.Fatalf("pids %v, want two workers and two daemons", pids)
				}
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait()
				for _, pid := range pids {
					eventually(t, "the end of pid "+strconv.Itoa(pid), time.Second, func() bool { return !alive(pid) })
				}
			})
		}
	})
}
