//go:build linux

package kin_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/kin"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

// lifetime is how long what nobody ends would live.
const lifetime = 5 * time.Minute

// TestMain is every process of the tests: what it is stands in KIN_TEST.
func TestMain(m *testing.M) {
	switch role := os.Getenv("KIN_TEST"); role {
	case "":
		os.Exit(m.Run())
	case "daemon": // heeds nothing but SIGKILL
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		fmt.Println(os.Getpid())
		time.Sleep(lifetime)
	case "middle": // leaves a daemon whose parent is gone
		fmt.Println(begin("daemon"))
		syscall.Exit(0) // at once, also under the race detector
	case "controller":
		s := launch.New()
		for range 2 {
			c := start(s, os.Getenv("KIN_TEST_WORKER"))
			fmt.Println(c.PID)
			fmt.Println(say(c.Stdout))
		}
		fmt.Println("ready")
		time.Sleep(lifetime)
	default:
		work(role)
	}
}

// work is a worker that has started somebody who left its process group.
func work(role string) {
	pipe := os.NewFile(3, "bootstrap")
	if _, err := launch.ReadBootstrap(pipe); err != nil {
		panic(err)
	}
	launch.Adopt()
	if strings.HasPrefix(role, "orphan") {
		fmt.Println(begin("middle"))
	} else {
		fmt.Println(begin("daemon"))
	}
	if strings.HasSuffix(role, "deaf") { // it does not see that its controller ends
		time.Sleep(lifetime)
	}
	_, _ = io.Copy(io.Discard, pipe)
	kin.EndOwn()
	_ = syscall.Kill(-os.Getpid(), syscall.SIGKILL)
}

// begin starts one more of these processes, in a session of its own, and reads the number that it prints.
func begin(role string) int {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KIN_TEST="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	pid := say(out)
	if role == "middle" {
		_ = cmd.Wait()
	}
	return pid
}

// say reads the number that a process prints.
func say(r io.Reader) int {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		panic(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		panic(err)
	}
	return pid
}

func start(s *launch.Spawner, role string) *launch.Child {
	c, err := s.Start(launch.Spec{Path: os.Args[0], Env: append(os.Environ(), "KIN_TEST="+role)})
	if err != nil {
		panic(err)
	}
	return c
}

// ways runs a test by cgroup, where that can be had here, and by marks.
func ways(t *testing.T, f func(*testing.T)) {
	t.Helper()
	t.Run("by cgroup", func(t *testing.T) {
		if here := kin.Here(); !strings.HasPrefix(here, "a cgroup") {
			t.Skip(here)
		}
		f(t)
	})
	t.Run("by marks", func(t *testing.T) {
		t.Setenv(kin.OffEnv, "0")
		if here := kin.Here(); !strings.HasPrefix(here, "by /proc") {
			t.Skip(here)
		}
		f(t)
	})
}

func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// gone waits for the ends of processes that are no children of ours: there is no channel for them. At rest they end within a second,
// and who is forgotten never does.
func gone(t *testing.T, pids ...int) {
	t.Helper()
	const within = 5 * time.Second
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(within)
	for _, pid := range pids {
		for alive(pid) {
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("pid %d is still there after %v", pid, within)
			}
		}
	}
}

// TestWhatAWorkerStartedEndsWithItWhateverSessionItHasMade holds INV-KIN and INV-OTHERS: its neighbour's daemon lives.
func TestWhatAWorkerStartedEndsWithItWhateverSessionItHasMade(t *testing.T) {
	ways(t, func(t *testing.T) {
		for name, end := range map[string]func(*launch.Child) error{
			"ordered": func(c *launch.Child) error { c.Kill(); return nil },
			"stopped": func(c *launch.Child) error { c.Terminate(); return nil },
			"killed":  func(c *launch.Child) error { return syscall.Kill(c.PID, syscall.SIGKILL) },
		} {
			for _, role := range []string{"worker", "orphan"} {
				t.Run(name+" "+role, func(t *testing.T) {
					s := launch.New()
					c, other := start(s, role), start(s, role)
					daemon, others := say(c.Stdout), say(other.Stdout)
					if !alive(daemon) || !alive(others) {
						t.Fatal("there is nobody to end")
					}
					if err := end(c); err != nil {
						t.Fatal(err)
					}
					<-c.Ended()
					gone(t, daemon)
					if !alive(others) || !alive(other.PID) {
						t.Error("it took a neighbour along")
					}
					other.Kill()
					s.Close()
					gone(t, others)
				})
			}
		}
	})
}

// descendants are those of a process, by who started whom.
func descendants(t *testing.T, pid int) (out []int) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if parent, err := strconv.Atoi(fields[1]); err == nil && parent == pid {
			out = append(append(out, child), descendants(t, child)...)
		}
	}
	return out
}

// TestAKilledControllerTakesAllAlong holds INV-GUARD: also when its workers are killed at the same time, or cannot see it.
func TestAKilledControllerTakesAllAlong(t *testing.T) {
	ways(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			role string
			also bool // its workers are killed too
			stop bool // they stand still
			tree bool // whatever descends from it is killed, as some schedulers do
		}{
			"alone":               {role: "worker"},
			"with its workers":    {role: "worker", also: true},
			"of deaf workers":     {role: "orphan deaf"},
			"of stopped workers":  {role: "orphan", stop: true},
			"of orphaned daemons": {role: "orphan", also: true},
			"with its tree":       {role: "orphan", tree: true},
		} {
			t.Run(name, func(t *testing.T) {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "KIN_TEST=controller", "KIN_TEST_WORKER="+c.role)
				if c.tree {
					cmd.Env = append(cmd.Env, "SLURM_JOB_ID=7")
				}
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				var pids []int
				for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
					pid, err := strconv.Atoi(lines.Text())
					if err != nil {
						t.Fatal(err)
					}
					pids = append(pids, pid)
				}
				if len(pids) != 4 {
					t.Fatalf("pids %v, want two workers and two daemons", pids)
				}
				if c.stop {
					for _, worker := range []int{pids[0], pids[2]} {
						if err := syscall.Kill(worker, syscall.SIGSTOP); err != nil {
							t.Fatal(err)
						}
					}
				}
				if c.tree {
					for _, pid := range descendants(t, cmd.Process.Pid) {
						_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
					}
				}
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				if c.also {
					for _, worker := range []int{pids[0], pids[2]} {
						if err := syscall.Kill(worker, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
							t.Fatal(err)
						}
					}
				}
				_ = cmd.Wait()
				gone(t, pids...)
			})
		}
	})
}
