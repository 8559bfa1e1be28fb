//go:build unix

package via

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// lookShell is where a shell is; noise is the user's own.
func lookShell(name string) (string, error) {
	if name == "noise" {
		name = "sh"
	}
	return exec.LookPath(name)
}

// killChildren kills the children of this process that have a name.
func killChildren(t *testing.T, name string) {
	t.Helper()
	n := 0
	for _, pid := range children(t, name) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
			n++
		}
	}
	if n == 0 {
		t.Fatalf("no child is called %s", name)
	}
}

// children are the processes that this one has started, by their name.
func children(t *testing.T, name string) []int {
	t.Helper()
	return childrenOf(t, os.Getpid(), name)
}

func childrenOf(t *testing.T, parent int, name string) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("there is no /proc here")
	}
	for _, f := range stats {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		text := string(b)
		open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
		rest := strings.Fields(text[end+1:])
		if text[open+1:end] == name && rest[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(strings.TrimSpace(text[:open]))
			pids = append(pids, pid)
		}
	}
	return pids
}

func itoa(n int) string { return strconv.Itoa(n) }

func makeFIFO(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func testPath() string { return os.Getenv("PATH") }

// executableUname is a folder with a uname of a machine that no program of ours runs on.
func executableUname(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	executable(t, filepath.Join(dir, "uname"), "#!/bin/sh\necho Plan9 n1 sparc64\n")
	return dir
}

// srunStdin closes the stdin of a job's srun, for one that reads it to its end.
func srunStdin(t *testing.T, j Job) {
	t.Helper()
	_ = j.(*slurmJob).srun.stdin.Close()
}
