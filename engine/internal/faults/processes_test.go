//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// A local worker that is killed is told in 100 ms, as one end, and the others go on (E5, row 1).
func TestAnIdleWorkersDeathIsToldAtOnce(t *testing.T) {
	s := watched(t, 5)
	var took []time.Duration
	for rank := range 4 {
		n := pid(t, s.ctx, s.mesh, rank)
		began := time.Now()
		if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.until(t, rank, "ended", 2*time.Second, hasEnded)
		took = append(took, time.Since(began))
		if ends := s.ends(rank); len(ends) != 1 || ends[0].State != "killed" || !strings.Contains(ends[0].Reason, "was killed by SIGKILL") {
			t.Errorf("rank %d: %+v", rank, ends)
		}
	}
	slices.Sort(took)
	if took[1] > 100*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	if _, err := engine.Query(at(s.mesh, 4), (*Victim).Count).CallOne(s.ctx); err != nil {
		t.Error(err)
	}
}

// A worker that exits has its code and its last words as the cause (E5, row 3).
func TestAnExitIsToldWithItsLastWords(t *testing.T) {
	s := watched(t, 2, engine.Output(nil, nil))
	_, err := engine.Method(at(s.mesh, 0), (*Victim).Exit).CallOne(s.ctx, 3)
	if !errors.Is(err, engine.ErrLost) || !strings.Contains(err.Error(), "exited with code 3") {
		t.Errorf("the call that ended it: %v", err)
	}
	p := s.until(t, 0, "ended", time.Second, hasEnded)
	if p.State != "exited" || len(p.Tail) != 20 || p.Tail[19] != "last word 24" {
		t.Errorf("%s, %q", p.State, p.Tail)
	}
	if _, err := engine.Query(at(s.mesh, 1), (*Victim).Count).CallOne(s.ctx); err != nil {
		t.Error(err)
	}
}

// A worker without a free descriptor says so when it needs one, and its link lives (E5, row 27): it stays on the sockets that it has
// inherited until it can open another one.
func TestAWorkerThatMayOpenNothingLives(t *testing.T) {
	s := watched(t, 1)
	n := pid(t, s.ctx, s.mesh, 0)
	var old unix.Rlimit
	if err := unix.Prlimit(n, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(n, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Query(s.mesh, (*Victim).Daemon).CallOne(s.ctx); err == nil || !strings.Contains(err.Error(), "too many open files") {
		t.Errorf("it started a process: %v", err)
	}
	count := func() {
		t.Helper()
		for range 100 { // it is asked to connect by QUIC
			if _, err := engine.Query(s.mesh, (*Victim).Count).CallOne(s.ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	count()
	if got := s.told(0); len(got) == 0 || got[len(got)-1].Carrier != control.InheritedSockets {
		t.Errorf("it is connected by %+v", got)
	}
	if err := unix.Prlimit(n, unix.RLIMIT_NOFILE, &old, nil); err != nil {
		t.Fatal(err)
	}
	s.until(t, 0, "connected by QUIC", 10*time.Second, func(p control.Proc) bool { return p.Carrier != control.InheritedSockets })
	count()
}

func init() { controllers["files"] = files }

// files is a program that has no descriptor left for more workers, and then has.
func files(ctx context.Context) error {
	p, err := engine.SpawnProcs(ctx, engine.Name("first"), engine.Dim("gpus", 1))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, p, "v", Victim{})
	if err != nil {
		return err
	}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 16, Max: old.Max}); err != nil {
		return err
	}
	_, err = engine.SpawnProcs(ctx, engine.Name("more"), engine.Dim("gpus", 1))
	fmt.Println("more:", err)
	_, err = engine.Query(m, (*Victim).Count).CallOne(ctx)
	fmt.Println("the first:", err)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		return err
	}
	_, err = engine.SpawnProcs(ctx, engine.Name("more"), engine.Dim("gpus", 1))
	fmt.Println("then:", err)
	return nil
}

// A controller without free descriptors refuses new workers with the reason, keeps those that it has, and recovers (E5, row 28).
func TestAControllerWithoutDescriptorsKeepsWhatItHas(t *testing.T) {
	out := program(t, "files")
	for _, want := range []string{"its limit is 16: raise it (ulimit -n", "the first: <nil>", "then: <nil>"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// program runs one of the programs to its end.
func program(t *testing.T, role string, env ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// A handler that never returns costs its callers their deadlines, not the process its link, nor its other endpoints (E5, row 31).
func TestAHandlerThatSpinsKeepsItsLink(t *testing.T) {
	s := watched(t, 1)
	short, cancel := context.WithTimeout(s.ctx, time.Second)
	defer cancel()
	if err := engine.Signal(s.mesh, (*Victim).Spin).Call(short); !errors.Is(err, engine.ErrDeadline) {
		t.Errorf("the call ended with %v", err)
	}
	time.Sleep(2 * time.Second) // longer than what makes a process suspect
	if _, err := engine.Query(s.mesh, (*Victim).Beside).CallOne(s.ctx); err != nil {
		t.Error(err)
	}
	for _, p := range s.told(0) {
		if slices.Contains([]string{"suspect", "unreachable", "lost"}, p.State) {
			t.Errorf("it was told to be %s: %s", p.State, p.Reason)
		}
	}
	if snap := s.snapshot(); snap.Meshes[0].Ranks[0].State != "busy" || !slices.Contains(snap.Meshes[0].Ranks[0].Running, "Spin") {
		t.Errorf("front ends see %+v", snap.Meshes[0].Ranks[0])
	}
	if err := s.procs.Kill(s.ctx); err != nil { // a stop would wait for the handler
		t.Error(err)
	}
}

// A worker that gets next to no processor time is slow, not lost (E5, row 30).
func TestAStarvedWorkerIsSlowNotLost(t *testing.T) {
	const top = "/sys/fs/cgroup/cpu"
	folder := filepath.Join(top, fmt.Sprintf("faults-%d", os.Getpid()))
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Skip("no cgroup with a limit of processor time can be made here: ", err)
	}
	t.Cleanup(func() { _ = os.Remove(folder) })
	s := watched(t, 1)
	n := pid(t, s.ctx, s.mesh, 0)
	for file, value := range map[string]string{"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "3000"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(value), 0); err != nil {
			t.Skip("no limit of processor time can be set: ", err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(n)), 0); err != nil {
		t.Skip("processes cannot be moved: ", err)
	}
	began, calls := time.Now(), 0
	for time.Since(began) < 6*time.Second {
		if _, err := engine.Query(s.mesh, (*Victim).Count).CallOne(s.ctx); err != nil {
			t.Fatal(err)
		}
		calls++
	}
	b, err := os.ReadFile(filepath.Join(folder, "cpu.stat"))
	if err != nil || strings.Contains(string(b), "nr_throttled 0\n") {
		t.Errorf("it was not throttled: %v\n%s", err, b)
	}
	for _, p := range s.told(0) {
		if p.Over() || p.State == "unreachable" {
			t.Errorf("after %d calls it was told to be %s: %s", calls, p.State, p.Reason)
		}
	}
	if err := s.procs.Kill(s.ctx); err != nil { // so that the folder is empty
		t.Error(err)
	}
}

func init() { controllers["full"] = full }

// full is a program with a session whose folder has no room left.
func full(ctx context.Context) error {
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, p, "v", Victim{})
	if err != nil {
		return err
	}
	fmt.Println("filler:", fill(os.Getenv("XDG_RUNTIME_DIR")))
	for range 50 {
		if _, err := engine.Query(m, (*Victim).Count).Call(ctx); err != nil {
			return err
		}
	}
	fmt.Println("called")
	return nil
}

// A disk that is full under the session's files costs its log, and nothing else (E5, row 29).
func TestAFullDiskStopsNoCall(t *testing.T) {
	dir := smallDisk(t)
	out := program(t, "full with a session", "XDG_RUNTIME_DIR="+dir)
	if !strings.Contains(out, "filler: ") || !strings.Contains(out, "no space left on device") || !strings.Contains(out, "called\n") {
		t.Errorf("%s", out)
	}
}

// No secret is in the arguments or the environment of a worker, where other programs of the user, or ps, read them (D3, row 32).
func TestNoSecretIsInArgumentsOrEnvironment(t *testing.T) {
	s := watched(t, 1)
	n := strconv.Itoa(pid(t, s.ctx, s.mesh, 0))
	args, err := os.ReadFile("/proc/" + n + "/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	if own := strings.Join(os.Args[1:], "\x00"); strings.Trim(strings.TrimPrefix(string(args), os.Args[0]), "\x00") != own {
		t.Errorf("its arguments are %q, ours %q", args, own)
	}
	env, err := os.ReadFile("/proc/" + n + "/environ")
	if err != nil {
		t.Fatal(err)
	}
	known := os.Environ()
	for v := range strings.SplitSeq(strings.Trim(string(env), "\x00"), "\x00") {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case slices.Contains(known, v) || name == "GOMAXPROCS" || name == "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING":
		case name == "MONARCH_WORKER_FD" && value == "3":
		case name == "MONARCH_KIN" && len(value) < 64: // names the session, and opens nothing
		default:
			t.Errorf("its environment has %s", v)
		}
	}
}
