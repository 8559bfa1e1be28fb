package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long something may take before it counts as one that never comes: a demo trains for seconds, and where four packages are
// tested at once on two CPUs, for much longer.
const patience = 2 * time.Minute

// TestAProgramOfOnesOwn builds a program that nobody here wrote for, outside the module, and drives it with run -p.
func TestAProgramOfOnesOwn(t *testing.T) {
	prog := buildStranger(t, filepath.Join("testdata", "tally"))
	stranger := buildStranger(t, filepath.Join("testdata", "stranger"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ssh := filepath.Join(t.TempDir(), "ssh") // it logs in to this machine
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\nfor a; do last=$a; done\ncd "+filepath.Dir(ssh)+"\nexec sh -c \"$last\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"where it listens and is found": {
			args: []string{"run", "-p", prog, "--listen", "0.0.0.0:0", "--advertise", "nowhere.invalid", "-c", `procs p gpus=2 virtual; procs q hosts=n1 via=ssh ssh=` + ssh + ` cache=` + filepath.Dir(ssh) + `/cache`}, code: 3,
			want: []string{"ok     1", "procs q: n1: ", "lookup nowhere.invalid"},
		},
		"its types, its arguments, its state": {
			args: []string{"run", "-p", prog, filepath.Join("testdata", "tally", "good.mtui"), "--", "-greeting", "ahoy"},
			want: []string{"good.mtui: 14 steps: 14 ok"},
		},
		"two arguments, one after the other and by name": {
			args: []string{"run", "-p", prog, "-c", `procs p gpus=2; spawn @t on p Tally; call @t.Weigh go 2.5; one @t[0].Weigh {weight: 1, text: go} => w; expect w == 3.5; one @t[1].Weigh go`}, code: 3,
			want: []string{"[0-1] 2.5", "5 ok, 1 failed", "@t[1].Weigh: weight: want float64, but the text ends: 1 of 2 arguments are given"},
		},
		"a method that looks like an endpoint": {
			args: []string{"run", "-p", prog, "-c", `endpoints Tally; procs p gpus=1; spawn @t on p Tally; call @t.Forget x`}, code: 3,
			want: []string{
				"Tally.Weigh(text string, weight float64) → float64",
				"not callable: Tally.Forget", "it takes any number of arguments, and it does not return an error; write func (t *Tally) Forget(ctx context.Context, a []string) error",
				"Tally.Forget is a method and no endpoint: it takes any number",
			},
		},
		"a field that does not exist": {
			args: []string{"run", "-p", prog, "-c", `procs p gpus=1; spawn @t on p Tally; call @t.Add {Text: go, Wait: 3}`}, code: 3,
			want: []string{`-c:3:24: @t.Add: w: Word has no field "Wait" (have At, Next, Tags, Text, Weight)`},
		},
		"a call that nobody answers names who has not": {
			args: []string{"run", "-p", prog, "-c", `procs p gpus=3; spawn @t on p Tally; option timeout 2s; call @t.Wait 1`}, code: 4,
			want: []string{"@t[1]"},
		},
		"a worker that dies in the call keeps the others' values": {
			args: []string{"run", "-p", prog, "-c", `procs p gpus=3; spawn @t on p Tally; call @t.Die 1`}, code: 3,
			want: []string{`[0,2] "alive"`, "[1] lost: worker 1 of procs p", "was killed by SIGKILL"},
		},
		"a panic gives its stack's first words": {
			args: []string{"run", "-p", prog, "-c", `procs p gpus=2; spawn @t on p Tally; call @t.Boom`}, code: 3,
			want: []string{"panic: tally overflow", "main.(*Tally).Boom at "},
		},
		"a worker that cannot start": {
			args: []string{"run", "-p", prog, "-c", `procs p gpus=2`, "--", "-refuse"}, code: 3,
			want: []string{"before it reached engine.Main", "no workers today"},
		},
		"a program that ends before engine.Main": {
			args: []string{"run", "-p", prog, "-c", `ls`, "--", "-early", "exit"}, code: 3,
			want: []string{"ended (exit status 5) before it reached engine.Main: does its main call it?; it printed:\n             no config"},
		},
		"a program that says something else": {
			args: []string{"run", "-p", prog, "-c", `ls`, "--", "-early", "babble"}, code: 3,
			want: []string{"did not answer as a program with our engine does: this is no monarch-tui session: it answered"},
		},
		"what run prints is for the person who asks for it": {
			args: []string{"run", "-p", prog, "--main", "-c", `expect @tally: any state.seen != nil within 20s`},
			want: []string{"run begins", "1 step: 1 ok"},
		},
		"a Go program without our engine is not run": {
			args: []string{"run", "-p", stranger, "-c", "ls"}, code: 2,
			want: []string{"does not use github.com/monarch-tui/monarch-tui/engine"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(self, tt.args...)
			cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0", "XDG_RUNTIME_DIR="+shortDir(t))
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !bytes.Contains(out, []byte(want)) {
					t.Errorf("the output does not say %q:\n%s", want, out)
				}
			}
			if strings.Contains(string(out), "it was executed") {
				t.Error("a stranger's program was executed")
			}
		})
	}
	t.Run("the seed of the command line", func(t *testing.T) { seedReaches(t, self, prog) })
	t.Run("explored", func(t *testing.T) { exploreOnesOwn(t, prog, stranger) })
}

// seedReaches checks that --seed sets what the program's actors draw.
func seedReaches(t *testing.T, self, prog string) {
	t.Helper()
	draw := func(seed string) string {
		cmd := exec.Command(self, "run", "-p", prog, "--seed", seed, "-c", "procs p gpus=1; spawn @t on p Tally; call @t.Draw")
		cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0", "XDG_RUNTIME_DIR="+shortDir(t))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	one := draw("1")
	if again := draw("1"); again != one {
		t.Errorf("one seed drew twice differently:\n%s\n%s", one, again)
	}
	if two := draw("2"); two == one {
		t.Errorf("seeds 1 and 2 drew the same:\n%s", one)
	}
}

// buildStranger builds a program in a module of its own that refers to this one by a replace directive, with the race
// detector on.
func buildStranger(t *testing.T, src string) string {
	t.Helper()
	dir := t.TempDir()
	repo, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join(src, "main.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := strings.Cut(string(mod), "\nrequire ") // the same versions, so that nothing is fetched
	write(t, filepath.Join(dir, "main.go"), code)
	write(t, filepath.Join(dir, "go.sum"), sum)
	write(t, filepath.Join(dir, "go.mod"), []byte("module example.com/"+filepath.Base(src)+"\n\ngo 1.26\n\nrequire github.com/monarch-tui/monarch-tui v0.0.0\n\nreplace github.com/monarch-tui/monarch-tui => "+repo+"\n\nrequire "+requires))
	out := filepath.Join(dir, filepath.Base(src))
	cmd := exec.Command("go", "build", "-mod=mod", "-race", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", src, err, b)
	}
	return out
}

// shortDir is a folder in which a socket's path is short enough.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mt") //nolint:usetesting // t.TempDir has the test's name in its path, which is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// running reports whether a process is there and has not ended: who should reap it may be slow.
func running(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return syscall.Kill(pid, 0) == nil && (err != nil || !strings.Contains(string(b), ") Z "))
}

// TestNothingOutlivesAKilledTool kills the tool while a handler ignores its context: nobody waits for that any more.
func TestNothingOutlivesAKilledTool(t *testing.T) {
	prog := buildStranger(t, filepath.Join("testdata", "tally"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pids")
	cmd := exec.Command(self, "run", "-p", prog, "-c", fmt.Sprintf("procs p gpus=1; spawn @t on p Tally; call @t.Deaf %q", file))
	cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0", "XDG_RUNTIME_DIR="+shortDir(t))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var worker, controller int
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(file)
		if n, _ := fmt.Sscanf(string(b), "%d %d\n", &worker, &controller); n == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the call does not run")
		}
	}
	killed := time.Now()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, pid := range []int{controller, worker} {
		for running(pid) {
			if time.Since(killed) > 2*time.Second { // it promises one, on a machine that does nothing else
				t.Fatalf("process %d of %d and %d outlives the tool", pid, controller, worker)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	t.Logf("all was gone after %v", time.Since(killed))
}
