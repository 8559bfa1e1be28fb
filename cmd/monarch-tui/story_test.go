package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/engine"
)

func TestMain(m *testing.M) {
	if _, set := os.LookupEnv("MONARCH_GPUS"); !set { // no test claims the machine's GPUs by the way
		_ = os.Setenv("MONARCH_GPUS", "none")
	}
	if engine.InWorker() { // the binary under test starts itself as worker
		demos.Register()
		engine.RunWorker()
	}
	switch os.Getenv("MONARCH_TEST_MAIN") {
	case "":
	case "fault":
		os.Exit(execute(context.Background(), newFaulty(), nil))
	default:
		main()
	}
	testscript.Main(m, map[string]func(){"monarch-tui": main})
}

// TestStories runs the program as a person in a shell would: one .txtar file, one story.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			run := filepath.Join(env.WorkDir, "run")
			env.Setenv("XDG_RUNTIME_DIR", run)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("MONARCH_GPUS", "none") // stories are the same on every machine; those of GPUs bring their own
			repo, err := filepath.Abs(filepath.Join("..", ".."))
			if err != nil {
				return err
			}
			env.Setenv("REPO", repo)
			return os.Mkdir(run, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "nothingleft": nothingLeft, "orphaned": orphaned, "session": session},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// exits CODE COMMAND… runs a command and judges its exit code; stdout and stderr are for the next lines.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// session NAME waits until a session of this name is open.
func session(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: session NAME")
	}
	socket := filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "monarch-tui", args[0], "control.sock")
	for deadline := time.Now().Add(patience); !fileExists(socket); <-time.After(5 * time.Millisecond) { // another process's start has no channel
		if time.Now().After(deadline) {
			ts.Fatalf("there is no session %s", args[0])
		}
	}
}

// nothingleft fails when a process of this story is still there after a second.
func nothingLeft(ts *testscript.TestScript, _ bool, _ []string) {
	deadline := time.Now().Add(2 * time.Second)
	for {
		left := processesIn(ts.Getenv("WORK"))
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("processes are left: %v", left)
		}
		<-time.After(10 * time.Millisecond) // another process's end has no channel
	}
}

// processesIn lists the processes whose run folder is in dir.
func processesIn(dir string) []string {
	var out []string
	envs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range envs {
		b, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(b), "XDG_RUNTIME_DIR="+dir+"/") && filepath.Base(filepath.Dir(f)) != strconv.Itoa(os.Getpid()) {
			out = append(out, filepath.Base(filepath.Dir(f)))
		}
	}
	return out
}

// orphaned COMMAND… starts a command, waits until its workers are there and kills it with SIGKILL.
func orphaned(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	path := args[0]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, args[0]); strings.Contains(p, "testscript") || fileExists(p) {
			path = p
			break
		}
	}
	cmd := exec.CommandContext(ctx, path, args[1:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "XDG_RUNTIME_DIR=" + ts.Getenv("XDG_RUNTIME_DIR"), "HOME=" + ts.Getenv("WORK")}
	ts.Check(cmd.Start())
	for len(processesIn(ts.Getenv("WORK"))) < 3 {
		if ctx.Err() != nil {
			ts.Fatalf("no workers were started")
		}
		<-time.After(5 * time.Millisecond)
	}
	ts.Check(cmd.Process.Kill())
	_ = cmd.Wait()
}

func fileExists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}
