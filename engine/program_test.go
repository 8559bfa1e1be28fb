package engine_test

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

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// program is the test binary as a program of its own: ENGINE_TEST_MAIN names what its run function does.
func program(t *testing.T, run string, env ...string) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("", "mt") //nolint:usetesting // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "ENGINE_TEST_MAIN="+run, "XDG_RUNTIME_DIR="+dir), env...)
	return cmd
}

// runMain is the main of such a program.
func runMain(name string) {
	runs := map[string]func(context.Context) error{
		"ok":    withWorkers(func(context.Context, engine.Mesh[Acc]) error { return nil }),
		"error": withWorkers(func(context.Context, engine.Mesh[Acc]) error { return errors.New("no such luck") }),
		"panic": func(context.Context) error { panic("in run") },
		"unhandled": withWorkers(func(ctx context.Context, m engine.Mesh[Acc]) error {
			if err := engine.Signal(m, (*Acc).Fail).Broadcast(ctx); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}),
		"late": withWorkers(func(ctx context.Context, m engine.Mesh[Acc]) error {
			return engine.Signal(m, (*Acc).Fail).Broadcast(ctx) // and goes home
		}),
		"lost": withWorkers(func(ctx context.Context, m engine.Mesh[Acc]) error {
			if err := engine.Signal(m, (*Acc).Die).Broadcast(ctx); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}),
		"told": withWorkers(func(ctx context.Context, m engine.Mesh[Acc]) error {
			if err := engine.Signal(m, (*Acc).Die).Call(ctx); !errors.Is(err, engine.ErrLost) {
				return fmt.Errorf("want a loss, got %w", err)
			}
			return nil
		}),
		"wait":     withWorkers(func(ctx context.Context, m engine.Mesh[Acc]) error { return ready(ctx, m, ctx.Done()) }),
		"stubborn": withWorkers(func(ctx context.Context, m engine.Mesh[Acc]) error { return ready(ctx, m, nil) }),
		"stuck":    stuck,
		"twice": withWorkers(func(ctx context.Context, _ engine.Mesh[Acc]) error {
			e, err := engine.Start(context.WithoutCancel(ctx), engine.NoSession())
			if err != nil {
				return err
			}
			defer e.Close()
			return withWorkers(func(context.Context, engine.Mesh[Acc]) error { return nil })(e.Context())
		}),
	}
	fmt.Println("before main")
	engine.Main(runs[name])
}

// stuck is a program in which nothing ends that can be kept from ending: run, endpoints, hooks, a supervisor.
func stuck(ctx context.Context) error {
	never := make(chan struct{})
	if _, err := engine.Supervise(ctx, func(context.Context, engine.Failure) engine.Decision { <-never; return engine.Handled }); err != nil {
		return err
	}
	return withWorkers(func(ctx context.Context, acc engine.Mesh[Acc]) error {
		p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 200), engine.InProcess())
		if err != nil {
			return err
		}
		here, err := engine.Spawn(ctx, p, "here", Hog{})
		if err != nil {
			return err
		}
		if err := engine.Signal(here, (*Hog).Forever).Broadcast(ctx); err != nil {
			return err
		}
		if err := engine.Signal(acc, (*Acc).Fail).Broadcast(ctx); err != nil {
			return err
		}
		return ready(ctx, acc, never)
	})(ctx)
}

func withWorkers(f func(context.Context, engine.Mesh[Acc]) error) func(context.Context) error {
	return func(ctx context.Context) error {
		p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
		if err != nil {
			return err
		}
		m, err := engine.Spawn(ctx, p, "acc", Acc{})
		if err != nil {
			return err
		}
		return f(ctx, m)
	}
}

// ready tells the workers' pids and waits.
func ready(ctx context.Context, m engine.Mesh[Acc], until <-chan struct{}) error {
	pids, err := engine.Query(m, (*Acc).Pid).Call(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("pids %d %d ready\n", pids.Answered()[0], pids.Answered()[1])
	<-until
	return nil
}

func TestMainExitsAsItsRunEnded(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		says string
	}{
		"ok":        {0, ""},
		"twice":     {0, ""},
		"told":      {0, ""},
		"error":     {1, "error: no such luck\n"},
		"panic":     {1, "error: run panicked: in run\n"},
		"unhandled": {1, "error: unhandled failure: @acc["},
		"late":      {1, "called by broadcast, returned an error: bad rank"},
		"lost":      {1, "error: unhandled failure: worker "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stderr strings.Builder
			cmd := program(t, name)
			cmd.Stderr = &stderr
			out, _ := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(stderr.String(), c.says) || c.says == "" && stderr.Len() > 0 {
				t.Errorf("exit %d with %q, want %d with %q", code, stderr.String(), c.code, c.says)
			}
			if n := strings.Count(string(out), "before main"); name == "ok" && n != 3 { // the program's own and its workers'
				t.Errorf("code before Main was seen %d times in %q", n, out)
			}
		})
	}
}

// TestAProgramRunsWhereNoSessionCanBe: what helps to debug a program does not keep it from running.
func TestAProgramRunsWhereNoSessionCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := t.TempDir()
	if err := os.Mkdir(filepath.Join(open, "monarch-tui"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(open, "monarch-tui"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string][]string{
		"a file":                        {"XDG_RUNTIME_DIR=" + file},
		"a folder that is not there":    {"XDG_RUNTIME_DIR=", "TMPDIR=/nonexistent"},
		"a path that is too long":       {"XDG_RUNTIME_DIR=" + filepath.Join(t.TempDir(), strings.Repeat("x", 100))},
		"a folder that others write to": {"XDG_RUNTIME_DIR=" + open},
	} {
		if dir := strings.TrimPrefix(env[0], "XDG_RUNTIME_DIR="); strings.Contains(name, "long") {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for _, off := range []string{"", "1"} {
			var stderr strings.Builder
			cmd := program(t, "ok", append(env, "MONARCH_NO_SESSION="+off)...)
			cmd.Stderr = &stderr
			err := cmd.Run()
			warned := strings.Contains(stderr.String(), "warning: nobody can attach to this program: ") && strings.Contains(stderr.String(), "MONARCH_NO_SESSION=1 turns the session off")
			if err != nil || warned != (off == "") || off != "" && stderr.Len() > 0 {
				t.Errorf("%s, off %q: %v, %s", name, off, err, stderr.String())
			}
		}
	}
}

func TestGarbageInTheControlVariableIsAnErrorInWords(t *testing.T) {
	for _, fd := range []string{"x", "-1", "2", "97", ""} {
		out, err := program(t, "ok", "MONARCH_CONTROL_FD="+fd).CombinedOutput()
		if ee, ok := errors.AsType[*exec.ExitError](err); !ok || ee.ExitCode() != 70 || !strings.Contains(string(out), "is set by monarch-tui -p only") {
			t.Errorf("%q: %v, %s", fd, err, out)
		}
	}
}

func TestGarbageInTheWorkerVariableIsAnErrorInWords(t *testing.T) {
	for _, fd := range []string{"x", "2", "97"} {
		out, err := program(t, "ok", "MONARCH_WORKER_FD="+fd).CombinedOutput()
		if ee, ok := errors.AsType[*exec.ExitError](err); !ok || ee.ExitCode() != 70 || !strings.Contains(string(out), "is set by the engine for its workers only") {
			t.Errorf("%q: %v, %s", fd, err, out)
		}
	}
}

// running starts a program and waits until it tells the pids of its workers.
func running(t *testing.T, name string) (*exec.Cmd, []int) {
	t.Helper()
	cmd := program(t, name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var text []byte
	buf := make([]byte, 4096)
	for !strings.Contains(string(text), "ready\n") {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("it ended early: %v\n%s", err, text)
		}
		text = append(text, buf[:n]...)
	}
	_, rest, _ := strings.Cut(string(text), "pids ")
	var pids []int
	for _, f := range strings.Fields(rest)[:2] {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return cmd, pids
}

// TestAnInterruptEndsTheProgramWith130AndLeavesNoWorker holds INV-ORPHAN.
func TestAnInterruptEndsTheProgramWith130AndLeavesNoWorker(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd, pids := running(t, "wait")
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 130 {
			t.Errorf("%v: exit %d, want 130", sig, code)
		}
		for _, pid := range pids {
			eventually(t, "the end of a worker", time.Second, func() bool { return !alive(pid) })
		}
	}
}

// TestASignalEndsAnyStateInTime waits for the end itself: it comes 11 s after the signal at the latest.
func TestASignalEndsAnyStateInTime(t *testing.T) {
	t.Parallel()
	cmd, pids := running(t, "stuck")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
	for _, pid := range pids {
		eventually(t, "the end of a worker", time.Second, func() bool { return !alive(pid) })
	}
}

// TestASecondInterruptEndsAStubbornProgramAtOnce holds INV-ORPHAN.
func TestASecondInterruptEndsAStubbornProgramAtOnce(t *testing.T) {
	cmd, pids := running(t, "stubborn")
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	eventually(t, "the end of a program that ignores its context", eventLimit, func() bool {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			return true
		case <-time.After(50 * time.Millisecond): // the first one must have been taken before the second counts
			return false
		}
	})
	for _, pid := range pids {
		eventually(t, "the end of a worker", time.Second, func() bool { return !alive(pid) })
	}
}

// TestAStoppedWorkerEndsWithAKilledController holds INV-ORPHAN.
func TestAStoppedWorkerEndsWithAKilledController(t *testing.T) {
	cmd, pids := running(t, "wait")
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for _, pid := range pids {
		eventually(t, "the end of a worker", time.Second, func() bool { return !alive(pid) })
	}
}

// TestTheKeyPromisesHoldOnEveryCarrier runs them again where the fast carrier is not to be had, where it does not poll, and where no memory is shared.
func TestTheKeyPromisesHoldOnEveryCarrier(t *testing.T) {
	for _, c := range []string{"plain", "nopoll", "udp"} {
		for _, p := range []struct {
			name string
			test func(*testing.T)
		}{
			{"calls", TestACallReturnsAValuePerRank},
			{"references", TestActorsCallEachOtherOverReferences},
			{"order", TestMessagesOfOneSenderKeepTheirOrderWhateverTheirSize},
			{"one outcome", TestEveryCallToAKilledWorkerHasOneOutcome},
			{"a death", TestAKilledWorkerIsOneHonestErrorAndTheOthersAnswer},
		} {
			t.Run(c+"/"+p.name, func(t *testing.T) {
				t.Setenv("MONARCH_CARRIER", c)
				p.test(t)
			})
		}
	}
}

// TestEveryProcessTellsItsCarrier: the controller once it has a worker, and each worker; those inherit the choice.
func TestEveryProcessTellsItsCarrier(t *testing.T) {
	t.Setenv("MONARCH_CARRIER", "plain")
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	procs(t, e.Context(), "p", 2)
	snap, err := frontEnd(t, e).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const want = "udp (MONARCH_CARRIER=plain)"
	if snap.Session.Carrier != want || len(snap.Procs) != 2 || slices.ContainsFunc(snap.Procs, func(p control.Proc) bool { return p.Carrier != want }) {
		t.Errorf("the controller has %q, the workers %+v; want %q everywhere", snap.Session.Carrier, snap.Procs, want)
	}
}

func TestACarrierThatNobodyKnowsIsAnErrorOfTheFirstSpawn(t *testing.T) {
	ctx := enginetest.Processes(t)
	t.Setenv("MONARCH_CARRIER", "pigeon")
	if _, err := engine.SpawnProcs(ctx, engine.Dim("hosts", 1)); err == nil || !strings.Contains(err.Error(), `MONARCH_CARRIER is "pigeon": want plain, nopoll`) {
		t.Error(err)
	}
}
