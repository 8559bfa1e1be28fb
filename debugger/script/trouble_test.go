package script

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func quick(r *Runner) { r.Options.Timeout = 50 * time.Millisecond }

func TestAHangEndsWith4AndNamesWhoHasNotAnswered(t *testing.T) {
	w := newWorld(t)
	w.snap.Waits = []control.WaitEdge{{From: "@t[1]", To: "@u[0]", Endpoint: "Ask", State: "queued"}}
	code, report := play(t, w, toys+"call @t.Sleep\ncall @t.Value\n", quick)
	want := `FAIL   3  call @t.Sleep
           @t.Sleep: no answer from @t[1-3] within 50ms
             no deadlock: 1 waits, for somebody who goes on
             who waits for whom:
               @t[1] → @u[0]  Ask queued
skip   4  call @t.Value
`
	if code != ExitTimeout || !strings.Contains(report, want) {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
	if !slices.Contains(w.done, "kill p") {
		t.Errorf("a hanging mesh was not killed: %v", w.done)
	}
}

func TestACommandHasALimitOfItsOwn(t *testing.T) {
	w := newWorld(t)
	code, report := play(t, w, toys+"call @t.Value timeout 4s => v\none @t[0].Hello \"wait timeout 3s\" => r\ncall @t.Sleep timeout 40ms\n")
	if code != ExitTimeout || !strings.Contains(report, "@t.Sleep: no answer from @t[1-3] within 40ms") {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
	if len(w.ends) != 1 || !errors.Is(w.ends[0], context.DeadlineExceeded) {
		t.Errorf("the call ended for %v, want its limit", w.ends)
	}
}

func TestAHangIsNoFailureThatAScriptCanWant(t *testing.T) {
	if code, report := play(t, newWorld(t), toys+"! call @t.Sleep\n", quick); code != ExitTimeout {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}

func TestAHangingJobIsReportedAtTheEndWithWhatElseRuns(t *testing.T) {
	code, report := play(t, newWorld(t), toys+"call @t.Sleep &s\ncall @t[0].Gate &g\nwait g\n", quick)
	if code != ExitTimeout || !strings.Contains(report, "@t[0].Gate: no answer from @t[0] within 50ms\n           other calls that have not ended:\n             script: call @t.Sleep waits for ranks [0-3], 4 of 4") {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}

func TestAFileThatTakesTooLongEndsWith4(t *testing.T) {
	code, report := play(t, newWorld(t), "sleep 1h\n", func(r *Runner) { r.Options = Options{FileTimeout: 30 * time.Millisecond, Timeout: time.Hour} })
	if code != ExitTimeout || !strings.Contains(report, "the time for the whole file is over") {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}

func TestACommandThatTakesTooLongEndsWith4(t *testing.T) {
	code, report := play(t, newWorld(t), "sleep 1h\n", quick)
	if code != ExitTimeout || !strings.Contains(report, "sleep took more than 50ms") {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}

func TestAnInterruptEndsWith130AndStillCleansUp_INV_END(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out strings.Builder
	r := &Runner{Out: &out, Open: func(context.Context) (*control.Client, func() error, error) {
		c := control.InProcess(w, control.ClientInfo{})
		return c, c.Close, nil
	}}
	_, unsubscribe := w.Subscribe(func(ev *control.Event) {
		if ev.Call != nil {
			cancel()
		}
	})
	defer unsubscribe()
	code := r.Sources(ctx, Source{"a.mtui", toys + "call @t.Gate\n"}, Source{"b.mtui", "ls"})
	if code != ExitInterrupt || !strings.Contains(out.String(), "interrupted") || strings.Contains(out.String(), "b.mtui") {
		t.Errorf("exit %d, report:\n%s", code, out.String())
	}
	if !slices.Contains(w.done, "kill p") {
		t.Errorf("not cleaned up: %v", w.done)
	}
}

func TestTheHighestExitCodeOfTheFilesCounts(t *testing.T) {
	var out strings.Builder
	sessions := 0
	r := &Runner{Out: &out, Open: func(context.Context) (*control.Client, func() error, error) {
		sessions++
		c := control.InProcess(newWorld(t), control.ClientInfo{})
		return c, c.Close, nil
	}}
	code := r.Sources(t.Context(), Source{"a", "call @x.Y"}, Source{"b", "expect 1 == 2"}, Source{"c", "ls"})
	if code != ExitCommand || sessions != 3 || !strings.Contains(out.String(), "3 files, 2 failed") {
		t.Errorf("exit %d, %d sessions, report:\n%s", code, sessions, out.String())
	}
}

func TestASessionThatDoesNotOpenIsReported(t *testing.T) {
	var out strings.Builder
	r := &Runner{Out: &out, Open: func(context.Context) (*control.Client, func() error, error) {
		return nil, nil, errors.New("the program is not built with our module")
	}}
	if code := r.Sources(t.Context(), Source{"a", "ls"}); code != ExitCommand || !strings.Contains(out.String(), "the program is not built with our module") {
		t.Errorf("exit %d, report:\n%s", code, out.String())
	}
}

// The end of the session is no failure that ! could want: nothing after it was tested.
func TestASessionThatEndsUnderwayIsReported(t *testing.T) {
	for _, line := range []string{"call @t.Gate", "! call @t.Gate"} {
		w := newWorld(t)
		var out strings.Builder
		var c *control.Client
		r := &Runner{Out: &out, Open: func(context.Context) (*control.Client, func() error, error) {
			c = control.InProcess(w, control.ClientInfo{})
			return c, c.Close, nil
		}}
		_, unsubscribe := w.Subscribe(func(ev *control.Event) {
			if ev.Call != nil && !ev.Call.Done {
				go c.Close() // the engine dies
			}
		})
		code := r.Sources(t.Context(), Source{"a", toys + line + "\n"})
		unsubscribe()
		if code != ExitCommand || !strings.Contains(out.String(), "FAIL   3  "+line) {
			t.Errorf("%s: exit %d, report:\n%s", line, code, out.String())
		}
	}
}

func TestAFaultOfOursEndsWith70(t *testing.T) {
	var out strings.Builder
	r := &Runner{Out: &out, Open: func(context.Context) (*control.Client, func() error, error) { panic("boom") }}
	if code := r.Sources(t.Context(), Source{"a", "ls"}); code != ExitInternal || !strings.Contains(out.String(), "a fault in monarch-tui: boom") {
		t.Errorf("exit %d, report:\n%s", code, out.String())
	}
}

func TestMissingFilesAndUnknownFormatsAreUsageErrors(t *testing.T) {
	var out strings.Builder
	r := &Runner{Out: &out}
	if code := r.Files(t.Context(), []string{"no/such.mtui"}); code != ExitUsage || !strings.Contains(out.String(), "no such file") {
		t.Errorf("exit %d, report:\n%s", code, out.String())
	}
	r.Format = "jnit"
	if code := r.Files(t.Context(), nil); code != ExitUsage || !strings.Contains(out.String(), `no format "jnit" (did you mean junit?)`) {
		t.Errorf("exit %d, report:\n%s", code, out.String())
	}
}

func TestStandardInputIsAFileCalledDash(t *testing.T) {
	w := newWorld(t)
	var out strings.Builder
	r := &Runner{Out: &out, Stdin: strings.NewReader("expect 1 == 2"), Open: func(context.Context) (*control.Client, func() error, error) {
		c := control.InProcess(w, control.ClientInfo{})
		return c, c.Close, nil
	}}
	if code := r.Files(t.Context(), []string{"-"}); code != ExitExpect || !strings.Contains(out.String(), "-:1:8: does not hold: 1 == 2") {
		t.Errorf("exit %d, report:\n%s", code, out.String())
	}
}

func TestOutWaitsForTheFlush_INV_OUT(t *testing.T) {
	w := newWorld(t)
	if code, report := play(t, w, toys+"call @t.Hello hi\n  out contains \"hi\"\n"); code != 0 || w.flushes == 0 {
		t.Errorf("exit %d, %d flushes, report:\n%s", code, w.flushes, report)
	}
	w = newWorld(t)
	w.cut = true
	if code, report := play(t, w, toys+"call @t.Hello hi\n  out contains \"hi\"\n"); code != ExitExpect || !strings.Contains(report, "wait for what @t printed: a worker is gone") {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}

func TestSourcedStatementsAreStepsOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	inc, file := filepath.Join(dir, "inc.mtui"), filepath.Join(dir, "main.mtui")
	_ = os.WriteFile(inc, []byte("let n = 5\nexpect n == 6\nls\n"), 0o600)
	_ = os.WriteFile(file, []byte("source inc.mtui\nls\n"), 0o600)
	var out strings.Builder
	r := &Runner{Out: &out, Open: func(context.Context) (*control.Client, func() error, error) {
		c := control.InProcess(newWorld(t), control.ClientInfo{})
		return c, c.Close, nil
	}}
	code := r.Files(t.Context(), []string{file})
	report := strings.ReplaceAll(out.String(), dir+string(filepath.Separator), "")
	want := `main.mtui
ok     1  source inc.mtui
ok     1  let n = 5
FAIL   2  expect n == 6
           inc.mtui:2:8: does not hold: n == 6
             n = 5
skip   3  ls
skip   2  ls
main.mtui: 5 steps: 2 ok, 1 failed, 2 skipped
`
	if code != ExitExpect || report != want {
		t.Errorf("exit %d, report:\n%s\nwant:\n%s", code, report, want)
	}
}

func TestARecordedSessionIsAScriptThatPasses(t *testing.T) {
	dir := t.TempDir()
	rec, plain, test := filepath.Join(dir, "rec.mtui"), filepath.Join(dir, "plain.mtui"), filepath.Join(dir, "test.mtui")
	script := "record " + rec + "\n" + toys + "call @t.Increment\ncall @t.Value\n  any value == 12\none @t[0].Hello hi => r\n! call @t.Add {By: 1000}\ncall @t.Hello x &j\nwait j\nsave " + plain + "\nsave " + test + " --expect\n"
	if code, report := play(t, newWorld(t), script); code != 0 {
		t.Fatalf("exit %d, report:\n%s", code, report)
	}
	lines := toys + "call @t.Increment\ncall @t.Value\n  any value == 12\none @t[0].Hello hi => r\n! call @t.Add {By: 1000}\ncall @t.Hello x &j\nwait j\n"
	withExpect := toys + "call @t.Increment\ncall @t.Value\n  any value == 12\n  results == [11, 12, 13, 14]\none @t[0].Hello hi => r\n  value == \"hello from 0\"\n! call @t.Add {By: 1000}\ncall @t.Hello x &j\nwait j\n  results == [\"hello from 0\", \"hello from 1\", \"hello from 2\", \"hello from 3\"]\n"
	for file, want := range map[string]string{rec: lines, plain: lines, test: withExpect} {
		if b, err := os.ReadFile(file); err != nil || string(b) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", file, err, b, want)
		}
	}
	if code, report := play(t, newWorld(t), withExpect); code != 0 {
		t.Errorf("the saved test: exit %d, report:\n%s", code, report)
	}
}

func TestExecRunsLinesOneByOne(t *testing.T) {
	c := control.InProcess(newWorld(t), control.ClientInfo{})
	defer c.Close()
	s, err := NewSession(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for line, want := range map[string]int{"call @t.E": ExitCommand} {
		sc, errs := ParseLine(line)
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		if step := s.Exec(t.Context(), sc.Stmts[0]); step.Code != want {
			t.Errorf("%s: %+v", line, step)
		}
	}
	for _, line := range []string{"procs p gpus=2", "spawn @t on p Toy", "call @t.Value => v", "echo ${v}"} {
		sc, errs := ParseLine(line)
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		step := s.Exec(t.Context(), sc.Stmts[0])
		if !step.OK() {
			t.Errorf("%s: %s", line, step.Err)
		}
		if line == "echo ${v}" && !slices.Equal(step.Text, []string{"[0, 0]"}) {
			t.Errorf("%s: %v", line, step.Text)
		}
	}
	if step := s.Finish(t.Context(), ExitOK); step != nil {
		t.Error(step.Err)
	}
}

func TestWhatWasGivenUpIsSavedAsSuch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.mtui")
	steps := lines(t, toys, "call @t.Sleep timeout 30ms", "call @t.Sleep &j\nwait j timeout 30ms", "sleep 1h timeout 30ms", "call @t.Value", "save "+file)
	for i, want := range []int{ExitOK, ExitOK, ExitTimeout, ExitOK, ExitTimeout, ExitTimeout, ExitOK, ExitOK} {
		if steps[i].Code != want {
			t.Errorf("step %d: code %d, want %d", i, steps[i].Code, want)
		}
	}
	want := toys + "call @t.Sleep &givenup1\ncancel givenup1\ncall @t.Sleep &j\ncancel j\n  # given up: sleep 1h timeout 30ms\ncall @t.Value\n"
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("%v, saved:\n%s\nwant:\n%s", err, got, want)
	}
	if code, report := play(t, newWorld(t), string(got)); code != ExitOK {
		t.Errorf("replayed: exit %d, report:\n%s", code, report)
	}
}

func TestALineThatFailedIsSavedSoThatItPasses(t *testing.T) {
	c := control.InProcess(newWorld(t), control.ClientInfo{})
	defer c.Close()
	s, err := NewSession(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Record("ls")
	sc, _ := ParseLine("[unix] call @no.Such => x")
	s.Exec(t.Context(), sc.Stmts[0])
	var b strings.Builder
	if _, err := s.rec.Save(&b, true); err != nil || b.String() != "ls\n[unix] ! call @no.Such => x\n" {
		t.Errorf("%v, saved:\n%s", err, b.String())
	}
}

// TestAScriptRunsOverASocketAsItDoesInProcess drives the same story through the protocol.
func TestAScriptRunsOverASocketAsItDoesInProcess(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := control.NewServer(control.ServerConfig{Backend: w})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	defer func() {
		_ = srv.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	script := story + "call @t.Hello hi &j\nwait j\n  out == fmt(\"toy %d: hi\", rank)\n"
	_, want := play(t, newWorld(t), script)
	code, got := play(t, w, script, func(r *Runner) {
		r.Open = func(ctx context.Context) (*control.Client, func() error, error) {
			c, err := control.Dial(ctx, path, control.ClientInfo{Name: "script"})
			if err != nil {
				return nil, nil, err
			}
			return c, c.Close, nil
		}
	})
	if code != ExitExpect || got != want {
		t.Errorf("exit %d, got\n%s\nwant\n%s", code, got, want)
	}
}

func TestOutSaysWhenLinesWereLost_INV_OUT(t *testing.T) {
	c := control.InProcess(newWorld(t), control.ClientInfo{})
	defer c.Close()
	s, err := NewSession(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sc, errs := ParseLine(toys + "call @t.Value")
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	s.Run(t.Context(), sc, func(*Step) {})
	s.mu.Lock()
	s.pic.Dropped.Data, s.lostAt = 3, s.first+len(s.logs)
	s.mu.Unlock()
	sc, _ = ParseLine("expect out == \"\"")
	if step := s.Exec(t.Context(), sc.Stmts[0]); step.Code != ExitExpect || !strings.Contains(step.Failures[0].Why[0], "more was printed than this client could take in") {
		t.Errorf("%+v", step)
	}
	if step := s.Finish(t.Context(), ExitOK); step != nil {
		t.Error(step.Err)
	}
}
