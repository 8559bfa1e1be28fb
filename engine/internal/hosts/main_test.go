//go:build linux

package hosts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestMain(m *testing.M) {
	enginetest.Main(m, func() {
		engine.Register[Leaf](engine.Concurrent((*Leaf).Release), engine.Concurrent((*Leaf).Ended), engine.Concurrent((*Leaf).Began))
		engine.Register[Twig]()
		engine.Register[Guest](engine.Concurrent((*Guest).Beside), engine.Concurrent((*Guest).Pid))
		if os.Getenv(roleEnv) != "" && !engine.InWorker() {
			engine.Main(controller, engine.NoSession())
		}
	})
}

// Guest is the actor of these tests.
type Guest struct {
	Peer engine.Mesh[Guest]
	Mark string // what OnStop leaves behind
	got  int
}

// OnStop takes its time, and leaves a file behind.
func (g *Guest) OnStop(context.Context, error) {
	if g.Mark != "" {
		time.Sleep(50 * time.Millisecond) // how long it takes to end in order
		_ = os.WriteFile(fmt.Sprintf("%s.%d", g.Mark, os.Getpid()), nil, 0o600)
	}
}

// Snapshot is what it has counted.
func (g *Guest) Snapshot() ([]byte, error) { return []byte{byte(g.got)}, nil }

// Restore goes on from there.
func (g *Guest) Restore(b []byte) error { g.got = int(b[0]); return nil }

// Where is its process, and the agent that started it.
func (*Guest) Where(context.Context) ([2]int, error) { return [2]int{os.Getpid(), os.Getppid()}, nil }

// Agent names the agent that started its process, among those of all hosts: where each has processes of its own, they have the same numbers.
func (*Guest) Agent(context.Context) (string, error) {
	name, err := os.Hostname()
	return fmt.Sprint(name, " ", os.Getppid()), err
}

// Print prints.
func (*Guest) Print(ctx context.Context, line string) error {
	fmt.Fprintln(engine.Out(ctx), line)
	return nil
}

// LogArg is a text, and how often it is logged.
type LogArg struct {
	Text  string
	Times int
}

// Log logs.
func (*Guest) Log(ctx context.Context, a LogArg) error {
	for i := range a.Times {
		engine.Logger(ctx).Warn(a.Text, "i", i)
	}
	return nil
}

// Getenv reads a variable of its process.
func (*Guest) Getenv(_ context.Context, name string) (string, error) { return os.Getenv(name), nil }

// Read reads a file in the folder of its process.
func (*Guest) Read(_ context.Context, name string) (string, error) {
	b, err := os.ReadFile(name)
	return string(b), err
}

// Beside answers while something else runs.
func (*Guest) Beside(context.Context) (int, error) { return os.Getpid(), nil }

// Take counts.
func (g *Guest) Take(context.Context, int) (int, error) {
	g.got++
	return g.got, nil
}

// Tell calls every other actor of its mesh, and of the other one.
func (g *Guest) Tell(ctx context.Context, n int) (int, error) {
	got, err := engine.Method(g.Peer, (*Guest).Take).Call(ctx, n)
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, v := range got.Items() {
		sum += v
	}
	return sum, nil
}

// OnArg is a mesh, and a host of it.
type OnArg struct {
	Mesh engine.Mesh[Guest]
	Host string
}

// On lists the processes of a host.
func (*Guest) On(ctx context.Context, a OnArg) ([]int, error) {
	got, err := engine.Method(a.Mesh.Slice(engine.OnHost(a.Host)), (*Guest).Pid).Call(ctx, 0)
	if err != nil {
		return nil, err
	}
	return got.Values()
}

// Pid is its process.
func (*Guest) Pid(context.Context, int) (int, error) { return os.Getpid(), nil }

// Daemon starts a process that leaves the worker's process group and session, and heeds nothing but SIGKILL.
func (*Guest) Daemon(context.Context) (int, error) {
	cmd := exec.Command("sh", "-c", "trap '' TERM HUP INT; while :; do sleep 300; done")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

// login writes a program that stands for ssh: it logs in to this machine, with a folder of its own for each host.
func login(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "ssh")
	script := "#!/bin/sh\nfor a; do host=$prev; prev=$a; done\nexport HOME=" + dir + "/$host; mkdir -p $HOME; unset XDG_CACHE_HOME; cd $HOME\nexec sh -c \"$a\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// session is a program of its own, in this process.
func session(t *testing.T) context.Context { return start(t).Context() }

func start(t testing.TB, opts ...engine.Option) *engine.Engine {
	t.Helper()
	e, err := engine.Start(context.Background(), append(opts, engine.NoSession())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// picture is what a front end that comes now sees.
func picture(t *testing.T, e *engine.Engine) *control.Snapshot {
	t.Helper()
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "late"})
	defer front.Close()
	snap, err := front.Snapshot(e.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// monitor tells of ranks that end, until the test has.
func monitor(ctx context.Context, t *testing.T, m engine.Mesh[Guest]) *engine.Receiver[engine.Down] {
	t.Helper()
	down, err := m.Monitor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(down.Close)
	return down
}

func spawn(ctx context.Context, t *testing.T, name string, opts ...engine.ProcOption) (engine.ProcMesh, engine.Mesh[Guest]) {
	t.Helper()
	procs, err := engine.SpawnProcs(ctx, append([]engine.ProcOption{engine.Name(name)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	mesh, err := engine.Spawn(ctx, procs, "guests-"+name, Guest{})
	if err != nil {
		t.Fatal(err)
	}
	return procs, mesh
}

// gone fails the test unless the processes end in time.
func gone(t *testing.T, within time.Duration, pids ...int) {
	t.Helper()
	by := time.Now().Add(within)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(by) {
				t.Errorf("pid %d still lives after %v", pid, within)
				break
			}
			time.Sleep(2 * time.Millisecond) // there is nothing to wait for: it is no child of ours
		}
	}
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func values[T any](t *testing.T, got engine.ValueMesh[T], err error) (out []T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range got.Items() {
		out = append(out, v)
	}
	return out
}

// failures counts the ranks that gave no value.
func failures[T any](got engine.ValueMesh[T]) (n int) {
	for _, err := range got.Errors() {
		if err != nil {
			n++
		}
	}
	return n
}
