//go:build linux

package faults

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// The other processes of these tests: FAULTS_ROLE says what one is.
const roleEnv = "FAULTS_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == "daemon" { // heeds nothing but SIGKILL
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		fmt.Println(os.Getpid())
		time.Sleep(5 * time.Minute)
		return
	}
	enginetest.Main(m, func() {
		engine.Register[Victim](engine.Concurrent((*Victim).Beside))
		if role := os.Getenv(roleEnv); role != "" && !engine.InWorker() {
			role, session := strings.CutSuffix(role, " with a session")
			if session {
				engine.Main(controllers[role])
			}
			engine.Main(controllers[role], engine.NoSession())
		}
	})
}

// controllers are programs of their own, by role.
var controllers = map[string]func(context.Context) error{}

// Victim is the actor of these tests.
type Victim struct {
	mu   sync.Mutex
	done int
	got  int
	Peer engine.Mesh[Victim]

	stamped map[uint64]int
}

// Pid is its process.
func (*Victim) Pid(context.Context) (int, error) { return os.Getpid(), nil }

// Daemon starts a process that leaves the worker's process group and session, and heeds nothing but SIGKILL.
func (*Victim) Daemon(context.Context) (int, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=daemon")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line))
}

// Count counts its calls.
func (v *Victim) Count(context.Context) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.done++
	return v.done, nil
}

// Beside answers beside whatever runs.
func (v *Victim) Beside(context.Context) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.done, nil
}

// Befriend sets whom this one calls.
func (v *Victim) Befriend(_ context.Context, other engine.Mesh[Victim]) error {
	v.Peer = other
	return nil
}

// CountOfPeer has the peer count, whom a link of their own leads to.
func (v *Victim) CountOfPeer(ctx context.Context) (int, error) {
	return engine.Query(v.Peer, (*Victim).Count).CallOne(ctx)
}

// Eat takes memory and uses it.
func (*Victim) Eat(_ context.Context, size int) (int, error) {
	var held [][]byte
	for n := 0; n < size; n += 1 << 20 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		held = append(held, b)
	}
	return len(held), nil
}

// Put takes bytes.
func (v *Victim) Put(_ context.Context, b []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.got += len(b)
	return nil
}

// Got is how many bytes it has taken.
func (v *Victim) Got(context.Context) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.got, nil
}

// Exit prints 25 lines to stderr and ends its process.
func (*Victim) Exit(_ context.Context, code int) (int, error) {
	for i := range 25 {
		fmt.Fprintln(os.Stderr, "last word", i)
	}
	os.Exit(code)
	return 0, nil
}

// Print prints lines of so many bytes together, as fast as they are taken.
func (*Victim) Print(_ context.Context, size int) error {
	line := []byte(strings.Repeat("0123456789", 100) + "\n")
	block := bytes.Repeat(line, 64)
	for n := 0; n < size; n += len(block) {
		if _, err := os.Stdout.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// Give returns so many bytes.
func (*Victim) Give(_ context.Context, n int) ([]byte, error) { return make([]byte, n), nil }

// Any takes values of any types.
func (*Victim) Any(_ context.Context, values any) (int, error) {
	list, _ := values.([]any)
	return len(list), nil
}

// Spin never returns.
func (*Victim) Spin(context.Context) error {
	for n := 0; ; n++ {
		if n < 0 {
			n = 0
		}
	}
}

// Block waits until its context ends.
func (*Victim) Block(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// victims starts n worker processes with an actor each, in an engine that handles every failure.
func victims(t *testing.T, n int, opts ...engine.Option) (context.Context, engine.ProcMesh, engine.Mesh[Victim]) {
	t.Helper()
	ctx := enginetest.Processes(t, opts...)
	if _, err := engine.Supervise(ctx, func(context.Context, engine.Failure) engine.Decision { return engine.Handled }); err != nil {
		t.Fatal(err)
	}
	p, m := spawn(t, ctx, "v", n)
	return ctx, p, m
}

func spawn(t *testing.T, ctx context.Context, name string, n int) (engine.ProcMesh, engine.Mesh[Victim]) {
	t.Helper()
	p, err := engine.SpawnProcs(ctx, engine.Name("p_"+name), engine.Dim("gpus", n))
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Spawn(ctx, p, name, Victim{})
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

// at is one rank of a mesh.
func at(m engine.Mesh[Victim], rank int) engine.Mesh[Victim] { return m.Slice(engine.At("gpus", rank)) }

// pid is the process of one rank.
func pid(t *testing.T, ctx context.Context, m engine.Mesh[Victim], rank int) int {
	t.Helper()
	n, err := engine.Query(at(m, rank), (*Victim).Pid).CallOne(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// eventually polls what no channel tells.
func eventually(t *testing.T, what string, limit time.Duration, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(limit)
	for !cond() {
		select {
		case <-late:
			t.Fatalf("%s did not come about within %v", what, limit)
		case <-tick.C:
		}
	}
}
