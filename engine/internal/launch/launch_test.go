package launch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is the child too: what it does stands in LAUNCH_TEST.
func TestMain(m *testing.M) {
	switch os.Getenv("LAUNCH_TEST") {
	case "echo": // what came through the pipe, and where this runs
		b, err := ReadBootstrap(os.NewFile(3, "bootstrap"))
		fmt.Printf("%s %v %v %s\n", b, err, AllowedCPUs(), os.Getenv(MarkerEnv))
		os.Exit(7)
	case "deaf":
		time.Sleep(time.Hour) // without a timer the runtime would see a deadlock, and end it by itself
	case "child": // leaves a process of its own behind
		c := exec.Command("sleep", "300")
		if err := c.Start(); err != nil {
			panic(err)
		}
		fmt.Println(c.Process.Pid)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func start(t *testing.T, s *Spawner, role string, spec Spec) *Child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec.Path, spec.Env = exe, append(os.Environ(), "LAUNCH_TEST="+role)
	c, err := s.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAChildReadsItsBootstrapAndItsExitIsTold(t *testing.T) {
	s := New()
	defer s.Close()
	spec := Spec{Bootstrap: []byte("who you are")}
	if cpus := AllowedCPUs(); len(cpus) > 0 {
		spec.CPUs = cpus[len(cpus)-1:]
	}
	c := start(t, s, "echo", spec)
	out, err := io.ReadAll(c.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	<-c.Ended()
	if want := fmt.Sprintf("who you are <nil> %v 3\n", spec.CPUs); string(out) != want {
		t.Errorf("the child said %q, want %q", out, want)
	}
	if e := c.Exit(); e.Code != 7 || e.Signal != 0 || e.String() != "exited with code 7" {
		t.Errorf("exit %+v, %s", e, e)
	}
	c.Kill() // after the end: must hit nobody
	c.Terminate()
}

// TestEveryChildIsReaped holds INV-REAP: once the spawner is closed no child is left, not even as a zombie, and each has
// one exit, whatever its end.
func TestEveryChildIsReaped(t *testing.T) {
	s := New()
	quick, killed, told := start(t, s, "echo", Spec{}), start(t, s, "deaf", Spec{}), start(t, s, "deaf", Spec{})
	killed.Kill()
	told.Terminate()
	s.Close()
	for c, want := range map[*Child]Exit{quick: {Code: 7}, killed: {Code: -1, Signal: syscall.SIGKILL}, told: {Code: -1, Signal: syscall.SIGTERM}} {
		select {
		case <-c.Ended():
		default:
			t.Errorf("pid %d: Close did not wait for it", c.PID)
		}
		if err := syscall.Kill(c.PID, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("pid %d is still in the process table: %v", c.PID, err)
		}
		if got := c.Exit(); got != want {
			t.Errorf("pid %d ended with %+v, want %+v", c.PID, got, want)
		}
	}
}

func TestAKilledChildSaysBySignal(t *testing.T) {
	s := New()
	defer s.Close()
	c := start(t, s, "deaf", Spec{})
	c.Kill()
	<-c.Ended()
	if e := c.Exit(); e.Signal != syscall.SIGKILL || e.String() != "was killed by SIGKILL" || e.SignalName() != "SIGKILL" {
		t.Errorf("exit %+v, %s", e, e)
	}
}

// TestWhatAChildLeavesBehindEndsWithIt holds INV-GROUP.
func TestWhatAChildLeavesBehindEndsWithIt(t *testing.T) {
	s := New()
	defer s.Close()
	c := start(t, s, "child", Spec{})
	<-c.Ended()
	line := make([]byte, 32)
	n, err := c.Stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(bytes.TrimSpace(line[:n])), &pid); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("pid %d is still there", pid)
		}
		<-time.After(time.Millisecond) // the end of another's child has no channel
	}
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ") || err != nil && syscall.Kill(pid, 0) == nil
}

func TestWhatCannotStartIsAnErrorWithThePath(t *testing.T) {
	s := New()
	if _, err := s.Start(Spec{Path: "/nowhere/at/all"}); err == nil || !strings.Contains(err.Error(), "start /nowhere/at/all: ") {
		t.Errorf("error %v", err)
	}
	if _, err := s.Start(Spec{Path: "x", Bootstrap: make([]byte, MaxBootstrap+1)}); err == nil || !strings.Contains(err.Error(), "over the limit") {
		t.Errorf("error %v", err)
	}
	s.Close()
	if _, err := s.Start(Spec{Path: "x"}); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("error %v", err)
	}
}

func TestABootstrapThatLiesAboutItsLengthIsRefused(t *testing.T) {
	for name, raw := range map[string]string{"too long": "\xff\xff\xff\xff", "cut short": "\x00\x00\x00\x05abc", "empty": ""} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, raw); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadBootstrap(r); err == nil {
			t.Errorf("%s: no error", name)
		}
		_ = r.Close()
	}
}
