//go:build unix

package debugger_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestAProcessThatHangsIsNamed: who looks at it reads in words that it does not answer, and in time.
func TestAProcessThatHangsIsNamed(t *testing.T) {
	s := newScene(t, 2)
	pid := 0
	s.until("the processes", func() bool {
		for _, p := range s.pic.Procs {
			pid = max(pid, p.PID)
		}
		return pid != 0
	})
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	body, err := control.EncodeBody(control.EvalQuery{Expr: "state.count"})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for end := time.Now().Add(patience); len(texts) == 0 && time.Now().Before(end); { // a signal takes its time
		got, err := s.c.Probe(s.ctx, control.ProbeReq{Mesh: "w", Name: control.ProbeEval, Body: body, Budget: 300 * time.Millisecond})
		if err != nil || len(got) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		for _, p := range got {
			if p.Error != "" {
				texts = append(texts, p.Error)
			}
		}
	}
	if want := "its process has not answered within 300ms"; len(texts) != 1 || !strings.Contains(texts[0], want) {
		t.Errorf("%q, want %q of one rank", texts, want)
	}
}
