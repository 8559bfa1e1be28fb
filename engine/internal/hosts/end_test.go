//go:build linux

package hosts

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// roleEnv makes this program another controller; its value is the program that stands for ssh.
const roleEnv = "HOSTS_CONTROLLER"

// controller is that program: it prints the processes of its mesh, and waits to be killed.
func controller(ctx context.Context) error {
	procs, err := engine.SpawnProcs(ctx, append(how(os.Getenv(roleEnv)), engine.Name("p"), engine.Dim("gpus", 2))...)
	if err != nil {
		return err
	}
	mesh, err := engine.Spawn(ctx, procs, "guests", Guest{})
	if err != nil {
		return err
	}
	got, err := engine.Query(mesh, (*Guest).Where).Call(ctx)
	if err != nil {
		return err
	}
	for _, pids := range got.Items() {
		fmt.Println(pids[0])
		fmt.Println(pids[1])
	}
	daemons, err := engine.Query(mesh, (*Guest).Daemon).Call(ctx)
	if err != nil {
		return err
	}
	for _, pid := range daemons.Items() {
		fmt.Println(pid)
	}
	fmt.Println("all")
	<-ctx.Done()
	return nil
}

// another starts a controller of its own, and gives it with all that it has started. One that is killed leaves notes of its jobs, in the
// folder state.
func another(t *testing.T, ssh, state string) (*exec.Cmd, []int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), roleEnv+"="+ssh, "XDG_STATE_HOME="+state)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var pids []int
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "all" {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 12 {
		t.Fatalf("%d processes, want two of each of four ranks, and their daemons", len(pids))
	}
	return cmd, pids
}

// TestNothingIsLeftOfAControllerThatIsKilled is rows 23 and 38 between hosts: where ssh's stdin is the lifeline it takes a second.
func TestNothingIsLeftOfAControllerThatIsKilled(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"SIGKILL": syscall.SIGKILL, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, pids := another(t, login(t), t.TempDir())
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // its exit code is not what this is about
			gone(t, 2*time.Second, pids...)
		})
	}
}

// TestNothingIsLeftWhenNobodyCanSayIt: the cable is out, then the controller is killed. The lease ends all.
func TestNothingIsLeftWhenNobodyCanSayIt(t *testing.T) {
	l := inLab(t)
	if l == nil {
		return
	}
	ssh := filepath.Join(t.TempDir(), "ssh") // without a lifeline: what it logs in to hears nothing of its end for a while
	b, err := os.ReadFile(l.ssh(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ssh, []byte(strings.Replace(string(b), "exec nsenter", "(cat; sleep 12) | nsenter", 1)), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd, pids := another(t, ssh, t.TempDir())
	l.cut(t, 0)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, 9500*time.Millisecond, pids...)
}
