package engine

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

func TestTooFewOpenFilesAreTooFewBeforeAnythingStarts(t *testing.T) {
	for _, c := range []struct {
		n, open, most int
		says          string
	}{
		{16, 14, 0, ""}, {16, 14, 1024, ""}, {1, 14, 64, ""},
		{16, 14, 64, "16 worker processes need about 174 open files in the controller, and its limit is 64: raise it (ulimit -n 1024)"},
		{2000, 14, 1024, "raise it (ulimit -n 8192)"},
	} {
		err := enoughFiles(c.n, c.open, c.most)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d workers, %d of %d open: %v", c.n, c.open, c.most, err)
		}
	}
	if open, most := filesLimit(); open < 3 || most < open {
		t.Errorf("this process has %d of %d files open", open, most)
	}
	if err := explainFiles(fmt.Errorf("pipe2: %w", syscall.EMFILE)); !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "ulimit -n") {
		t.Error(err)
	}
	if err := explainFiles(syscall.ENOENT); err != syscall.ENOENT { //nolint:errorlint // the very same
		t.Error(err)
	}
}

func TestAControllerThatCannotReachItselfSaysSo(t *testing.T) {
	for _, here := range []string{"", "127.0.0.1:0", "no address at all"} {
		if err := dialSelf(here); err != nil {
			t.Errorf("%q: %v", here, err)
		}
	}
	err := dialSelf("192.0.2.1:0") // of nobody (RFC 5737)
	if err == nil || !strings.Contains(err.Error(), "the controller cannot reach itself at 192.0.2.1, so no worker could") {
		t.Error(err)
	}
	e, err := Start(t.Context(), NoSession(), Listen("192.0.2.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := SpawnProcs(e.Context(), Dim("gpus", 2)); err == nil || !strings.Contains(err.Error(), "cannot reach itself") {
		t.Error(err)
	}
}

func TestAWorkerThatCannotJoinGivesItsOwnReason(t *testing.T) {
	const what = "worker 1 of procs p (pid 7) exited with code 70"
	for _, c := range []struct {
		code int
		tail []string
		want string
	}{
		{70, []string{"worker: join session s as proc 2: no answer"}, what + ": join session s as proc 2: no answer"},
		{70, nil, what + " before it reached engine.Main and printed nothing to stderr: does prog call engine.Main in every run, whatever its flags say?"},
		{70, []string{"no config"}, what + " before it reached engine.Main; it printed:\n  no config"},
		{2, []string{"worker: no config"}, what + " before it reached engine.Main; it printed:\n  worker: no config"},
	} {
		if got := startFailure(what, "prog", launch.Exit{Code: c.code}, c.tail).Error(); got != c.want {
			t.Errorf("%d %q: %s", c.code, c.tail, got)
		}
	}
}

func TestMoreCPUsThanTheMachineHasAreTakenWithinReason(t *testing.T) {
	e, err := Start(t.Context(), NoSession(), AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := SpawnProcs(e.Context(), Dim("gpus", 1), CPUs(1000)); err != nil {
		t.Error(err)
	}
	for _, n := range []int{-1, 9999} {
		_, err := SpawnProcs(e.Context(), Dim("gpus", 1), CPUs(n))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d CPUs for each worker: want 1 to 1024", n)) {
			t.Errorf("%d: %v", n, err)
		}
	}
}
