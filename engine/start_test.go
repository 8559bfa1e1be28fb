package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

func TestEveryProgramsNameMakesASessionsName(t *testing.T) {
	const most = 40 // engine/control says so
	for _, program := range []string{"trainer", "my trainer", "-.x", "…", strings.Repeat("x", 80)} {
		name := sessionName(program, 4_194_304)
		if len(name) > most || strings.ContainsAny(name, " …") || strings.ContainsAny(name[:1], "-.") {
			t.Errorf("the program %q opens the session %q", program, name)
		}
	}
}

func TestTheEngineExecutesEveryVerb(t *testing.T) {
	h, err := newHub(defaults())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close(t.Context())
	if missing := h.verbs.Missing(); len(missing) > 0 {
		t.Errorf("registerVerbs leaves out %v", missing)
	}
}

func TestAControllerThatCannotReachItselfStartsNoWorker(t *testing.T) {
	e, err := Start(t.Context(), NoSession(), Listen("192.0.2.1:0")) // of nobody (RFC 5737)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := SpawnProcs(e.Context(), Dim("gpus", 2)); err == nil || !strings.Contains(err.Error(), "cannot reach itself") {
		t.Error(err)
	}
}

func TestTooFewOpenFilesAreALimitWithAdvice(t *testing.T) {
	err := enoughFiles(1 << 28)
	if limit, ok := errors.AsType[*LimitError](err); !ok || !strings.HasSuffix(err.Error(), "; or start fewer; in-process ranks need none") || limit.Reason == "" {
		t.Error(err)
	}
	if err := enoughFiles(1); err != nil {
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
