//go:build linux

package faults

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
)

func init() { controllers["eater"] = eater }

// limit is the memory of the cgroup in which a worker eats more.
const limit = 512 << 20 // four processes under the race detector begin with more than a quarter of it

// eater is a program, in a cgroup with that limit, one of whose two workers eats more. It tells what became of the call.
func eater(ctx context.Context) error {
	var go1 [1]byte
	if _, err := os.Stdin.Read(go1[:]); err != nil { // it has been put into its cgroup
		return err
	}
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, p, "v", Victim{})
	if err != nil {
		return err
	}
	if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision {
		fmt.Println("failure:", f.What)
		return engine.Handled
	}); err != nil {
		return err
	}
	_, err = engine.Method(at(m, 1), (*Victim).Eat).CallOne(ctx, 4*limit)
	fmt.Println("call:", err)
	n, err := engine.Query(at(m, 0), (*Victim).Count).CallOne(ctx)
	fmt.Println("the other:", n, err)
	return nil
}

// memoryCgroup makes a cgroup with a memory limit, and tells how to read how many processes the kernel has killed in it.
func memoryCgroup(t *testing.T) (folder string, kills func() int) {
	t.Helper()
	member, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip("no cgroups: ", err)
	}
	for line := range strings.Lines(string(member)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		top, knob, events := "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"
		switch {
		case f[0] == "0":
			top, knob, events = "/sys/fs/cgroup", "memory.max", "memory.events"
		case f[1] != "memory":
			continue
		}
		folder = filepath.Join(top, f[2], fmt.Sprintf("faults-%d", os.Getpid()))
		if os.Mkdir(folder, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(folder) })
		if os.WriteFile(filepath.Join(folder, knob), []byte(strconv.Itoa(limit)), 0) != nil {
			continue
		}
		return folder, func() int {
			b, err := os.ReadFile(filepath.Join(folder, events))
			if err != nil {
				t.Fatal(err)
			}
			_, after, _ := strings.Cut(string(b), "oom_kill ")
			n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(after, "\n", 2)[0]))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Skip("no cgroup with a memory limit can be made here")
	return "", nil
}

// A worker that the kernel kills for memory has that as the cause of its end, with the limit (E5, row 26).
func TestAWorkerThatEatsTooMuchIsToldSo(t *testing.T) {
	folder, kills := memoryCgroup(t)
	said, killed := "", 0
	for range 3 {
		before := kills()
		said = eats(t, folder)
		if killed = kills() - before; killed <= 1 {
			break
		}
		// On a busy machine the kernel has killed one more before it had the memory of the first back: that is not our case.
	}
	if killed == 0 {
		t.Fatalf("the kernel has killed nobody:\n%s", said)
	}
	const cause = "was killed by the kernel for its memory (the memory limit of its cgroup is 512 MiB)"
	if !strings.Contains(said, cause) || strings.Contains(said, "SIGKILL") {
		t.Errorf("want %q in\n%s", cause, said)
	}
	if !strings.Contains(said, "the other: 1 <nil>") {
		t.Errorf("the other rank:\n%s", said)
	}
}

// eats runs the eater in a cgroup, and returns what it says.
func eats(t *testing.T, folder string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=eater")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
		_ = cmd.Process.Kill()
		t.Skip("processes cannot be moved: ", err)
	}
	if _, err := stdin.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return out.String()
}
